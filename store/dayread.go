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
	id    bot.AgentID
	span  schedule.Span
	chunk chunk
	last  []stats.Value // of the last sample
}

// read returns the samples of a day. With an error come those before it.
func (r *dayReader) read(h *history, d *day) (samples []stats.Sample, err error) {
	err = h.use(d, false, func(db *bolt.DB) error {
		return db.View(func(tx *bolt.Tx) error {
			samples, err = r.readIn(tx, d)
			return err
		})
	})
	if errors.Is(err, errDeleted) {
		return nil, nil
	}
	return samples, err
}

func (r *dayReader) readIn(tx *bolt.Tx, d *day) (samples []stats.Sample, err error) {
	agent := tx.Bucket([]byte(bucketAgents)).Get([]byte(r.id))
	if agent == nil {
		return nil, nil
	}
	keys, err := d.table(tx)
	if err != nil {
		return nil, err
	}
	chunks := tx.Bucket([]byte(bucketChunks))
	from, to := r.hours(d)
	for hour := from; hour <= to; hour++ {
		record := chunks.Get(chunkKey(hour, agent))
		if record == nil {
			continue
		}
		if err := r.chunk.read(record, keys); err != nil {
			return samples, fmt.Errorf("hour %d: %w", hour, err)
		}
		samples = r.take(samples, r.chunk.samples(d.start()+hour*chunkSeconds, keys, r.last))
	}
	return samples, nil
}

// hours returns the first and the last hour of a day that lie in the span.
func (r *dayReader) hours(d *day) (from, to int64) {
	first := max(r.span.Start.Unix(), d.start())
	last := min(r.span.End.Add(-1).Unix(), d.end()-1)
	return (first - d.start()) / chunkSeconds, (last - d.start()) / chunkSeconds
}

// take adds the samples of the span.
func (r *dayReader) take(to, all []stats.Sample) []stats.Sample {
	for _, s := range all {
		if s.Values != nil {
			r.last = s.Values
		}
		if r.span.Contains(s.Tick) {
			to = append(to, s)
		}
	}
	return to
}
