package store

import (
	"errors"
	"fmt"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
	bolt "go.etcd.io/bbolt"
)

// chunkKey is a chunk's: the hour of the day, 1 byte, and the agent's number in
// this file, 3 bytes. So all that a round of polls writes lies together.
func chunkKey(hour int64, agent []byte) []byte { return append([]byte{byte(hour)}, agent...) }

// A dayReader reads an agent's samples day by day.
type dayReader struct {
	id      bot.AgentID
	span    schedule.Span
	without []string // keys
	damages *damages
	chunk   chunk
	space   []byte        // for the chunks of a day
	last    []stats.Value // of the last sample that had some
}

// A record is a chunk as it is written.
type record struct {
	hour    int64
	content []byte
}

// read yields the samples of a day, in order, and the errors between them. It
// reports whether the consumer wants more. A week of a team is millions of numbers:
// what lies between a chunk and its consumer counts.
func (r *dayReader) read(h *history, d *day, yield func(stats.Sample, error) bool) (more bool) {
	records, keys, err := r.records(h, d)
	if err != nil && !errors.Is(err, errDeleted) && !yield(stats.Sample{}, r.failed(d, err)) {
		return false
	}
	for _, record := range records {
		if err := r.chunk.read(record.content, keys, r.without...); err != nil {
			if !yield(stats.Sample{}, r.failed(d, fmt.Errorf("hour %d of agent %s: %w", record.hour, r.id, err))) {
				return false
			}
			continue
		}
		for s := range r.chunk.samples(d.start()+record.hour*chunkSeconds, keys, r.last) {
			if s.Values != nil {
				r.last = s.Values
			}
			if r.span.Contains(s.Tick) && !yield(s, nil) {
				return false
			}
		}
	}
	return true
}

// failed notes that something of a day cannot be read, and says of which.
func (r *dayReader) failed(d *day, err error) error {
	err = fmt.Errorf("history of %s: %w", d.date, err)
	r.damages.pass("history of "+d.date.String(), err)
	return err
}

// records copies the chunks of the span, which are small, and returns the keys
// that they need. The copies last until the next day is read.
func (r *dayReader) records(h *history, d *day) (records []record, keys *keyTable, err error) {
	err = h.use(d, false, func(db *bolt.DB) error {
		return db.View(func(tx *bolt.Tx) error {
			agent := tx.Bucket([]byte(bucketAgents)).Get([]byte(r.id))
			if agent == nil {
				return nil
			}
			if keys, err = d.table(tx); err != nil {
				return err
			}
			chunks := finder{tx.Bucket([]byte(bucketChunks)).Cursor()}
			from, to := r.hours(d)
			key, space := chunkKey(from, agent), r.space[:0]
			for hour := from; hour <= to; hour++ {
				key[0] = byte(hour)
				if content := chunks.get(key); content != nil {
					begin := len(space)
					space = append(space, content...)
					records = append(records, record{hour, space[begin:]})
				}
			}
			r.space = space
			return nil
		})
	})
	return records, keys, err
}

// hours returns the first and the last hour of a day that lie in the span.
func (r *dayReader) hours(d *day) (from, to int64) {
	first := max(r.span.Start.Unix(), d.start())
	last := min(r.span.End.Add(-1).Unix(), d.end()-1)
	return (first - d.start()) / chunkSeconds, (last - d.start()) / chunkSeconds
}
