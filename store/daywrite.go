package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"floorwalker/bot"
	"floorwalker/bot/stats"
	bolt "go.etcd.io/bbolt"
)

// A dayWriter adds samples to a day's file in one transaction.
type dayWriter struct {
	day    *day
	agents *bolt.Bucket
	names  *bolt.Bucket
	chunks *bolt.Bucket
	known  finder // in agents
	old    finder // in chunks
	keys   *keyTable
	chunk  *chunk
	space  []byte
	wrote  bool
}

// An arrival is a sample with its chunk's key.
type arrival struct {
	key    [4]byte
	hour   int64 // the chunk's beginning, in Unix seconds
	sample stats.Sample
}

// write adds samples of the day to its file.
func (h *history) write(d *day, samples []bot.AgentSample) error {
	return h.use(d, true, func(db *bolt.DB) error {
		tx, err := db.Begin(true)
		if err != nil {
			return err
		}
		defer tx.Rollback() // of no effect after a commit
		t := txn{Tx: tx}
		w := &dayWriter{day: d, agents: t.in(bucketAgents), names: t.in(bucketNames), chunks: t.in(bucketChunks), chunk: &h.chunk}
		w.known, w.old = finder{w.agents.Cursor()}, finder{w.chunks.Cursor()}
		if w.keys, err = d.table(tx); err != nil {
			return err
		}
		if err := w.write(samples); err != nil || !w.wrote {
			return err
		}
		if t.get(bucketMeta, keyCompact) == nil {
			if err := t.put(bucketMeta, keyCompact, []byte{compactLater}); err != nil {
				return err
			}
		}
		d.compacted = false
		return h.commit(tx)
	})
}

func (w *dayWriter) write(samples []bot.AgentSample) error {
	arrivals := make([]arrival, len(samples))
	for i, s := range samples {
		e, err := w.arrival(s)
		if err != nil {
			return err
		}
		arrivals[i] = e
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int {
		return cmp.Or(bytes.Compare(a.key[:], b.key[:]), a.sample.Tick.Compare(b.sample.Tick))
	})
	for len(arrivals) > 0 {
		n := 1
		for n < len(arrivals) && arrivals[n].key == arrivals[0].key {
			n++
		}
		if err := w.merge(arrivals[:n]); err != nil {
			return err
		}
		arrivals = arrivals[n:]
	}
	return nil
}

// arrival finds the place of a sample, and gives a new agent a number and new keys
// theirs.
func (w *dayWriter) arrival(s bot.AgentSample) (arrival, error) {
	e := arrival{sample: tidy(s.Sample)}
	for _, v := range e.sample.Values {
		if err := w.number(v.Key); err != nil {
			return arrival{}, err
		}
	}
	agent, err := w.agent(s.Agent)
	if err != nil {
		return arrival{}, err
	}
	hour := (s.Tick.Unix() - w.day.start()) / chunkSeconds
	e.hour = w.day.start() + hour*chunkSeconds
	copy(e.key[:], chunkKey(hour, agent))
	return e, nil
}

// tidy returns a sample with its values in the order of their keys, each once.
func tidy(s stats.Sample) stats.Sample {
	if slices.IsSortedFunc(s.Values, func(a, b stats.Value) int { return cmp.Or(strings.Compare(a.Key, b.Key), -1) }) {
		return s // as a rule
	}
	s.Values = slices.Clone(s.Values)
	slices.SortStableFunc(s.Values, func(a, b stats.Value) int { return strings.Compare(a.Key, b.Key) })
	s.Values = slices.CompactFunc(s.Values, func(a, b stats.Value) bool { return a.Key == b.Key })
	return s
}

// agent returns an agent's number in this file, in 3 bytes.
func (w *dayWriter) agent(id bot.AgentID) ([]byte, error) {
	if number := w.known.get([]byte(id)); number != nil {
		return number, nil
	}
	number, err := w.agents.NextSequence()
	if err != nil {
		return nil, err
	}
	if number >= 1<<24 {
		return nil, fmt.Errorf("more than %d agents in a day", number-1)
	}
	w.wrote = true
	b := binary.BigEndian.AppendUint32(nil, uint32(number))[1:]
	return b, w.agents.Put([]byte(id), b)
}

// number gives a key a number, unless it has one.
func (w *dayWriter) number(key string) error {
	if _, known := w.keys.numbers[key]; known {
		return nil
	}
	if _, err := w.names.NextSequence(); err != nil {
		return err
	}
	n := uint32(len(w.keys.texts))
	w.keys, w.wrote = w.keys.with(key), true
	return w.names.Put(binary.BigEndian.AppendUint32(nil, n), []byte(key))
}

// merge adds samples to their chunk.
func (w *dayWriter) merge(arrivals []arrival) error {
	w.chunk.reset()
	key := arrivals[0].key[:]
	if record := w.old.get(key); record != nil {
		if err := w.chunk.read(record, w.keys); err != nil {
			return err
		}
	}
	added := false
	for _, e := range arrivals {
		added = w.chunk.add(e.sample, e.hour, w.keys) || added
	}
	if !added {
		return nil
	}
	w.wrote = true
	w.space = w.chunk.append(w.space[:0])
	return w.chunks.Put(bytes.Clone(key), bytes.Clone(w.space)) // they must last as long as the transaction
}
