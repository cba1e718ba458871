package store

import (
	"bytes"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// Waiting implements [bot.Tx].
func (t liveTx) Waiting(to chat.Address) (rows []bot.Row, err error) {
	prefix := []byte(to.String() + "\x00")
	c := t.in(bucketQueue).Cursor()
	for key, value := c.Seek(prefix); key != nil && bytes.HasPrefix(key, prefix); key, value = c.Next() {
		_, p, err := placeOf(key, value)
		if t.damages.pass(placeName(key), err) {
			continue
		}
		f, err := t.rowAt(p.seq)
		if t.damages.pass(rowName(p.seq), err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, f.row(p.seq))
	}
	return rows, nil
}

// Crowded implements [bot.Tx].
func (t liveTx) Crowded(network chat.Network, n int) (list []chat.Address, err error) {
	var first []uint64
	if err := t.lines(network, func(line []place) {
		if len(line) > n {
			first = append(first, line[0].seq)
		}
	}); err != nil {
		return nil, err
	}
	for _, seq := range first {
		f, err := t.rowAt(seq)
		if t.damages.pass(rowName(seq), err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, f.To)
	}
	return list, nil
}
