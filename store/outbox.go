package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// rowForm is the stored form of a row. Its number is the key. The message goes
// when the row is settled: it would be the larger part of the file, and holds
// people's numbers.
type rowForm struct {
	Key       string        `json:"key"`
	To        chat.Address  `json:"to"`
	Lane      bot.Lane      `json:"lane"`
	Message   *chat.Message `json:"message,omitempty"`
	Edits     string        `json:"edits,omitempty"`
	NotBefore time.Time     `json:"not_before,omitzero"`
	GiveUp    time.Time     `json:"give_up,omitzero"`
	State     bot.RowState  `json:"state"`
	Attempts  int           `json:"attempts,omitempty"`
	Next      time.Time     `json:"next,omitzero"`
	Lease     time.Time     `json:"lease,omitzero"`
	InDoubt   bool          `json:"in_doubt,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Ref       chat.Ref      `json:"ref,omitzero"`
	Added     time.Time     `json:"added"`
	Settled   time.Time     `json:"settled,omitzero"`
}

func (f rowForm) row(seq uint64) bot.Row {
	r := bot.Row{
		Key: f.Key, To: f.To, Lane: f.Lane, Edits: f.Edits, NotBefore: f.NotBefore, GiveUp: f.GiveUp,
		Seq: seq, State: f.State, Attempts: f.Attempts, Next: f.Next, Lease: f.Lease, InDoubt: f.InDoubt,
		Reason: f.Reason, Ref: f.Ref, Added: f.Added, Settled: f.Settled,
	}
	if f.Message != nil {
		r.Message = *f.Message
	}
	return r
}

// waits reports whether the row is in the queue.
func (f rowForm) waits() bool { return f.State == bot.RowPending || f.State == bot.RowLeased }

// number writes a row's number so that it sorts.
func number(seq uint64) string { return string(binary.BigEndian.AppendUint64(nil, seq)) }

// putRow stores a row and its place in the queue, which a settled row leaves.
func (t txn) putRow(seq uint64, f rowForm) error {
	var queued error
	if f.waits() {
		queued = t.put(bucketQueue, queueKey(f, seq), queueValue(f))
	} else {
		f.Message, f.Lease, f.Next = nil, time.Time{}, time.Time{}
		queued = t.drop(bucketQueue, queueKey(f, seq))
	}
	body, err := encode(f)
	if err != nil {
		return err
	}
	return errors.Join(queued, t.put(bucketOutbox, number(seq), body))
}

// rowAt reads a row by its number.
func (t txn) rowAt(seq uint64) (rowForm, error) {
	record := t.get(bucketOutbox, number(seq))
	if record == nil {
		return rowForm{}, fmt.Errorf("outbox: %w: row %d is missing", ErrDamaged, seq)
	}
	return decode[rowForm](bucketOutbox, fmt.Sprint("row ", seq), record)
}

// rowName is what a row that cannot be read is called.
func rowName(seq uint64) string { return fmt.Sprint("row ", seq, " of the outbox") }

// placeName is what a place in the queue that cannot be read is called.
func placeName(key []byte) string { return fmt.Sprintf("place %q in the queue of the outbox", key) }

// rowOf finds a row by its key. One that cannot be read is not there.
func (t txn) rowOf(key string) (f rowForm, seq uint64, found bool, err error) {
	at := t.get(bucketPromises, key)
	if at == nil {
		return rowForm{}, 0, false, nil
	}
	if len(at) != 8 {
		t.damages.pass("promise "+key+" of the outbox", ErrDamaged)
		return rowForm{}, 0, false, nil
	}
	seq = binary.BigEndian.Uint64(at)
	f, err = t.rowAt(seq)
	if t.damages.pass(rowName(seq), err) {
		return rowForm{}, 0, false, nil
	}
	return f, seq, err == nil, err
}

// enqueue adds a row unless its key is there.
func (t txn) enqueue(r bot.Row) (added bool, err error) {
	switch {
	case r.Key == "" || r.To.IsZero() || strings.ContainsRune(r.To.String(), 0):
		return false, fmt.Errorf("outbox: row %q to %q needs a key and an address", r.Key, r.To)
	case r.Lane < 0 || r.Lane > math.MaxUint8:
		return false, fmt.Errorf("outbox: row %q: there is no lane %d", r.Key, r.Lane)
	case t.get(bucketPromises, r.Key) != nil:
		return false, nil
	}
	seq, err := t.in(bucketOutbox).NextSequence()
	if err != nil {
		return false, err
	}
	f := rowForm{
		Key: r.Key, To: r.To, Lane: r.Lane, Message: &r.Message, Edits: r.Edits, NotBefore: r.NotBefore.UTC(),
		GiveUp: r.GiveUp.UTC(), State: bot.RowPending, Next: r.NotBefore.UTC(), Added: stamp(r.Added),
	}
	return true, errors.Join(t.putRow(seq, f), t.put(bucketPromises, r.Key, []byte(number(seq))))
}

// Settle records what came of an attempt, see [bot.Outbox].
func (s *Store) Settle(key string, o bot.Outcome) error {
	if !slices.Contains([]bot.RowState{bot.RowSent, bot.RowDead, bot.RowCancelled, bot.RowPending}, o.State) {
		return fmt.Errorf("outbox: %q is not what comes of an attempt (row %s)", o.State, key)
	}
	return s.update(func(t txn) error {
		f, seq, found, err := t.rowOf(key)
		if err != nil {
			return err
		}
		if !found || f.State != bot.RowLeased || o.Attempt != 0 && o.Attempt != f.Attempts {
			return errUnchanged
		}
		f.State, f.Reason, f.Ref, f.Lease = o.State, o.Reason, o.Ref, time.Time{}
		f.InDoubt = f.InDoubt || o.InDoubt // a clear failure says nothing about an earlier attempt
		f.Next = o.Next.UTC()
		if !f.waits() {
			f.Settled = stamp(o.At)
		}
		return t.putRow(seq, f)
	})
}

// cancel settles a pending row without sending it. One that may have arrived is
// not cancelled: whoever was told must hear the end.
func (t txn) cancel(key, reason string, at time.Time) (bool, error) {
	f, seq, found, err := t.rowOf(key)
	if err != nil || !found || f.State != bot.RowPending || f.InDoubt {
		return false, err
	}
	f.State, f.Reason, f.Settled = bot.RowCancelled, reason, stamp(at)
	return true, t.putRow(seq, f)
}

// Rows yields rows in the order of their arrival, see [bot.Outbox]. Those that
// cannot be read are passed over, see [Store.Damaged].
func (s *Store) Rows(states ...bot.RowState) iter.Seq2[bot.Row, error] {
	all := pages(s, bucketOutbox, nil, func(_ *ring, key, value []byte) (bot.Row, error) {
		if len(key) != 8 {
			return bot.Row{}, fmt.Errorf("outbox: %w: a row's number", ErrDamaged)
		}
		seq := binary.BigEndian.Uint64(key)
		f, err := decode[rowForm](bucketOutbox, fmt.Sprint("row ", seq), value)
		if err != nil {
			return bot.Row{Seq: seq}, err
		}
		return f.row(seq), nil
	})
	return func(yield func(bot.Row, error) bool) {
		for r, err := range all {
			if s.damages.pass(rowName(r.Seq), err) || err == nil && len(states) > 0 && !slices.Contains(states, r.State) {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// trimOutbox deletes a page of rows that were settled before a time, and their
// promises. Rows stand in the order of their arrival, so that those which came
// after it need not be looked at.
func (t txn) trimOutbox(before time.Time) (int, error) {
	var promises []string
	keys := chosen(t.in(bucketOutbox), func(_, value []byte) (drop, goOn bool) {
		f, err := decode[rowForm](bucketOutbox, "a row", value)
		if err != nil {
			return false, true
		}
		drop = !f.waits() && f.Settled.Before(before)
		if drop {
			promises = append(promises, f.Key)
		}
		return drop, f.Added.Before(before)
	})
	if _, err := t.dropAll(bucketPromises, promises); err != nil {
		return 0, err
	}
	return t.dropAll(bucketOutbox, keys)
}
