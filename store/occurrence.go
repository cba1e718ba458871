package store

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
)

// occurrenceForm is the stored form of a digest's due time. Team, name and
// nominal time are its key.
type occurrenceForm struct {
	At       time.Time `json:"at"`
	From     time.Time `json:"from,omitzero"` // what it covered
	To       time.Time `json:"to,omitzero"`
	Skipped  string    `json:"skipped,omitempty"`
	Recorded time.Time `json:"recorded"`
}

// occurrencePrefix is what the keys of a digest's occurrences begin with. The
// nominal time follows, which sorts as text.
func occurrencePrefix(team, name string) string { return team + "\x00" + name + "\x00" }

// RecordOccurrence implements [bot.Tx]. A zero Recorded becomes now.
func (t liveTx) RecordOccurrence(o bot.Occurrence) (added bool, err error) {
	if strings.ContainsRune(o.Team+o.Name, 0) {
		return false, fmt.Errorf("digest %q of team %q: a name holds no zero byte", o.Name, o.Team)
	}
	key := occurrencePrefix(o.Team, o.Name) + o.Nominal.String()
	if t.get(bucketOccurrences, key) != nil {
		return false, nil
	}
	body, err := encode(occurrenceForm{o.At.UTC(), o.Window.Start.UTC(), o.Window.End.UTC(), o.Skipped, stamp(o.Recorded)})
	if err != nil {
		return false, err
	}
	return true, t.put(bucketOccurrences, key, body)
}

// LastOccurrence implements [bot.Tx].
func (t liveTx) LastOccurrence(team, name string, by time.Time) (o bot.Occurrence, found bool, err error) {
	prefix := []byte(occurrencePrefix(team, name))
	c := t.in(bucketOccurrences).Cursor()
	back := c.Prev
	if behind, _ := c.Seek(append(bytes.Clone(prefix), 0xff)); behind == nil {
		back = c.Last
	}
	for key, value := back(); bytes.HasPrefix(key, prefix); key, value = c.Prev() {
		o, err = readOccurrence(team, name, string(key[len(prefix):]), value)
		if t.damages.pass(occurrenceName(team, name, string(key[len(prefix):])), err) {
			continue // the one before it counts, and no row is promised twice
		}
		if err != nil || !o.At.After(by) {
			return o, err == nil, err
		}
	}
	return bot.Occurrence{}, false, nil
}

// occurrenceName is what an occurrence that cannot be read is called.
func occurrenceName(team, name, nominal string) string {
	return fmt.Sprintf("occurrence %s of digest %s/%s", nominal, team, name)
}

// readOccurrence reads a record of an occurrence.
func readOccurrence(team, name, nominal string, value []byte) (bot.Occurrence, error) {
	at, err := schedule.ParseCivil(nominal)
	form, err2 := decode[occurrenceForm](bucketOccurrences, team+"/"+name, value)
	if err = errors.Join(err, err2); err != nil {
		return bot.Occurrence{}, fmt.Errorf("occurrence of %s/%s: %w: %w", team, name, ErrDamaged, err)
	}
	return bot.Occurrence{
		Team: team, Name: name, Nominal: at, At: form.At, Window: schedule.Span{Start: form.From, End: form.To},
		Skipped: form.Skipped, Recorded: form.Recorded,
	}, nil
}

// trimOccurrences deletes a page of records of occurrences before a time, but
// for the newest of each digest, from which the next one is reckoned.
func (t txn) trimOccurrences(before time.Time) (int, error) {
	var old []string
	c := t.in(bucketOccurrences).Cursor()
	for key, value := c.First(); key != nil && len(old) < pageSize; {
		form, err := decode[occurrenceForm](bucketOccurrences, "an occurrence", value)
		next, nextValue := c.Next()
		if err == nil && form.At.Before(before) && sameDigest(key, next) {
			old = append(old, string(key))
		}
		key, value = next, nextValue
	}
	return t.dropAll(bucketOccurrences, old)
}

// sameDigest reports whether two keys are occurrences of one digest.
func sameDigest(a, b []byte) bool {
	i, j := bytes.LastIndexByte(a, 0), bytes.LastIndexByte(b, 0)
	return i >= 0 && j >= 0 && bytes.Equal(a[:i], b[:j])
}
