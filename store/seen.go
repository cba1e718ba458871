package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"floorwalker/bot"
	"floorwalker/dashboard"
)

// answerHeader is the length of what comes before the row in a stored answer: a
// checksum, two times and a number.
const answerHeader = 4 + 2*12 + 4

// castagnoli is the polynomial that processors have an instruction for.
func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// An answer's stored form. One is written with every poll of every agent, so it
// is cheap to write, and what is asked of the one before, its times, is read
// without its row. The checksum, CRC-32C of the rest, lets damage show even so.
//
//	checksum, 4 bytes | when it was asked for, 12 | its date, 12 | rows, 4 | its row, JSON with the keys sorted
//
// A time is 8 bytes of Unix seconds and 4 of nanoseconds; all numbers are
// big-endian.
func encodeAnswer(c dashboard.Counters) []byte {
	size := answerHeader + len("null")
	for key, v := range c.Row {
		size += len(key) + len(v.Raw()) + len(`"":,`)
	}
	b := appendTime(appendTime(make([]byte, 4, size), c.At), c.Date)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Rows))
	b = appendRow(b, c.Row)
	binary.BigEndian.PutUint32(b, castagnoli(b[4:]))
	return b
}

// appendRow appends a row as JSON.
func appendRow(b []byte, row map[string]dashboard.Value) []byte {
	if row == nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	keys := make([]string, 0, 24) // enough for most rows
	for key := range row {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendName(b, key), ':')
		b = append(b, cmp.Or(row[key].Raw(), "null")...)
	}
	return append(b, '}')
}

// appendName appends a key of a row as JSON.
func appendName(b []byte, key string) []byte {
	for i := range len(key) {
		if c := key[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(key) // a string has no error
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), key...), '"')
}

func appendTime(b []byte, at time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(at.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(at.Nanosecond()))
}

func readTime(b []byte) time.Time {
	return time.Unix(int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint32(b[8:]))).UTC()
}

// answerTimes reads the times of a stored answer; no record is a zero one.
func answerTimes(place string, record []byte) (c dashboard.Counters, err error) {
	if record == nil {
		return c, nil
	}
	if len(record) < answerHeader || binary.BigEndian.Uint32(record) != castagnoli(record[4:]) {
		return c, fmt.Errorf("answer of %s: %w: the checksum does not fit", place, ErrDamaged)
	}
	return dashboard.Counters{At: readTime(record[4:]), Date: readTime(record[16:])}, nil
}

// decodeAnswer reads a stored answer; no record is a zero one.
func decodeAnswer(place string, record []byte) (c dashboard.Counters, err error) {
	c, err = answerTimes(place, record)
	if err != nil || record == nil {
		return c, err
	}
	c.Rows = int(binary.BigEndian.Uint32(record[28:]))
	c.Row, err = decode[map[string]dashboard.Value]("answer", place, record[answerHeader:])
	return c, err
}

// seen returns what was last seen of an agent, zero for nothing.
func (t txn) seen(id bot.AgentID) (bot.Seen, error) { return t.seenBy(id, decodeAnswer) }

// seenTimes is seen without rows.
func (t txn) seenTimes(id bot.AgentID) (bot.Seen, error) { return t.seenBy(id, answerTimes) }

func (t txn) seenBy(id bot.AgentID, read func(place string, record []byte) (dashboard.Counters, error)) (bot.Seen, error) {
	first, err := read(string(id), t.get(bucketFirst, string(id)))
	last, err2 := read(string(id), t.get(bucketLast, string(id)))
	if err := errors.Join(err, err2); err != nil {
		return bot.Seen{}, err
	}
	return bot.Seen{First: first, Last: last}, nil
}

// saveSeen replaces what was seen of an agent, and reports whether the agent is
// linked: if not, nothing is written.
func (t txn) saveSeen(id bot.AgentID, seen bot.Seen) (linked bool, err error) {
	if t.get(bucketAgents, string(id)) == nil {
		return false, nil
	}
	return true, errors.Join(t.put(bucketFirst, string(id), encodeAnswer(seen.First)), t.put(bucketLast, string(id), encodeAnswer(seen.Last)))
}

// saveLast is saveSeen of the newest answer alone.
func (t txn) saveLast(id bot.AgentID, last dashboard.Counters) error {
	if t.get(bucketAgents, string(id)) == nil {
		return nil
	}
	return t.put(bucketLast, string(id), encodeAnswer(last))
}

// toSchema3 keeps the first answer of a day and the newest apart, so that a poll
// writes one of them, and without JSON around. What cannot be read stays
// unreadable, for the next poll to say so and to begin anew.
func toSchema3(t txn) error {
	if err := t.create([]string{bucketFirst, bucketLast}); err != nil {
		return err
	}
	err := t.in(bucketSeen).ForEach(func(id, record []byte) error {
		seen, err := decode[bot.Seen](bucketSeen, string(id), bytes.Clone(record))
		if err != nil {
			return t.put(bucketLast, string(id), []byte{0})
		}
		return errors.Join(t.put(bucketFirst, string(id), encodeAnswer(seen.First)), t.put(bucketLast, string(id), encodeAnswer(seen.Last)))
	})
	if err != nil {
		return err
	}
	return t.DeleteBucket([]byte(bucketSeen))
}

// Seen returns what was last seen of an agent, zero for nothing.
func (s *Store) Seen(id bot.AgentID) (seen bot.Seen, err error) {
	err = s.view(func(t txn) error {
		seen, err = t.seen(id)
		return err
	})
	return seen, err
}

// SaveSeen replaces what was seen of an agent. For an agent that is not linked
// it does nothing.
func (s *Store) SaveSeen(id bot.AgentID, seen bot.Seen) error {
	return s.update(func(t txn) error {
		if linked, err := t.saveSeen(id, seen); linked || err != nil {
			return err
		}
		return errUnchanged
	})
}

// SeenTimes implements [bot.Tx].
func (t liveTx) SeenTimes(id bot.AgentID) (bot.Seen, error) { return t.seenTimes(id) }

// SaveSeen implements [bot.Tx].
func (t liveTx) SaveSeen(id bot.AgentID, s bot.Seen) error {
	_, err := t.saveSeen(id, s)
	return err
}

// SaveLast implements [bot.Tx].
func (t liveTx) SaveLast(id bot.AgentID, last dashboard.Counters) error { return t.saveLast(id, last) }
