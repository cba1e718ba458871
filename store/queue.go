package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// A place is one of the queue: what of a row decides when it leaves. The queue
// repeats it, so that to look for what is due is not to read every message.
type place struct {
	seq    uint64
	lane   byte
	next   time.Time // pending: when it may go, zero for at once; leased: when the lease is over
	giveUp time.Time // zero: never
	holds  bool      // it was tried, or is leased: what is behind it waits
	leased bool
}

const (
	flagTried  = 0x01
	flagLeased = 0x02
)

// queueKey orders the rows that wait by address, lane and number. Addresses hold
// no zero byte.
func queueKey(f rowForm, seq uint64) string {
	return f.To.String() + "\x00" + string([]byte{byte(f.Lane)}) + number(seq)
}

// queueValue is flags, 1 byte, when it is due and when to give up, 8 bytes each
// of Unix microseconds, in which the zero time is a number like others.
func queueValue(f rowForm) []byte {
	next, flags := f.Next, byte(0)
	if f.Attempts > 0 {
		flags |= flagTried
	}
	if f.State == bot.RowLeased {
		next, flags = f.Lease, flags|flagLeased
	}
	b := binary.BigEndian.AppendUint64([]byte{flags}, uint64(next.UnixMicro()))
	return binary.BigEndian.AppendUint64(b, uint64(f.GiveUp.UnixMicro()))
}

// placeOf reads a record of the queue.
func placeOf(key, value []byte) (address string, p place, err error) {
	i := bytes.IndexByte(key, 0)
	if i < 0 || len(key) != i+10 || len(value) != 17 {
		return "", place{}, fmt.Errorf("outbox: %w: a place in the queue", ErrDamaged)
	}
	at := func(b []byte) time.Time { return time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC() }
	return string(key[:i]), place{
		seq: binary.BigEndian.Uint64(key[i+2:]), lane: key[i+1], next: at(value[1:]), giveUp: at(value[9:]),
		holds: value[0] != 0, leased: value[0]&flagLeased != 0,
	}, nil
}

// overdue reports whether a row is to be given up. One that is leased is not:
// it may be arriving.
func (p place) overdue(now time.Time) bool {
	return !p.giveUp.IsZero() && !now.Before(p.giveUp) && !(p.leased && now.Before(p.next))
}

// turn returns which of an address's rows may leave, in their order. None may
// while one is leased, nor past one that is to be tried again later. A row that
// is put off and was never tried holds nobody up.
func turn(line []place, now time.Time) (p place, ok bool) {
	if slices.ContainsFunc(line, func(p place) bool { return p.leased && now.Before(p.next) }) {
		return place{}, false
	}
	for _, p := range line {
		if !now.Before(p.next) {
			return p, true
		}
		if p.holds {
			break
		}
	}
	return place{}, false
}

// wake returns when there is something to do for an address: a row may leave, or
// is to be given up. Neither happens to a leased row before its lease is over,
// nor does anything leave beside it. The zero time is at once.
func wake(line []place) time.Time {
	at := line[0].next
	for _, p := range line {
		at = earlier(at, p.next)
		if p.holds {
			break
		}
	}
	for _, p := range line {
		if p.leased && at.Before(p.next) {
			at = p.next
		}
	}
	for _, p := range line {
		switch {
		case p.giveUp.IsZero():
		case p.leased && p.giveUp.Before(p.next):
			at = earlier(at, p.next)
		default:
			at = earlier(at, p.giveUp)
		}
	}
	return at
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// lines calls fn with the queue of every address of a network, in order, and of
// every network for "". The line is fn's for the call, which must not write.
func (t txn) lines(network chat.Network, fn func(line []place)) error {
	var prefix []byte
	if network != "" {
		prefix = []byte(network + ":")
	}
	var line []place
	whose := ""
	c := t.in(bucketQueue).Cursor()
	for key, value := c.Seek(prefix); key != nil && bytes.HasPrefix(key, prefix); key, value = c.Next() {
		address, p, err := placeOf(key, value)
		if t.damages.pass(placeName(key), err) {
			continue
		}
		if err != nil {
			return err
		}
		if address != whose && len(line) > 0 {
			fn(line)
			line = line[:0]
		}
		whose, line = address, append(line, p)
	}
	if len(line) > 0 {
		fn(line)
	}
	return nil
}

// Lease takes rows that are due, see [bot.Outbox].
func (s *Store) Lease(network chat.Network, now, until time.Time, n int) (leased, lost []bot.Row, err error) {
	err = s.update(func(t txn) (err error) {
		due, overdue, err := t.due(network, now)
		if err != nil {
			return err
		}
		if lost, err = t.giveUp(overdue, "too late", now); err != nil {
			return err
		}
		due = due[:max(0, min(n, len(due)))]
		leased, err = t.lease(due, until)
		if err == nil && len(due)+len(overdue) == 0 {
			return errUnchanged
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return leased, lost, nil
}

// due returns which rows may leave, one for an address, by lane and age, and
// which are to be given up.
func (t txn) due(network chat.Network, now time.Time) (due, overdue []place, err error) {
	err = t.lines(network, func(line []place) {
		for _, p := range line {
			if p.overdue(now) {
				overdue = append(overdue, p)
			}
		}
		line = slices.DeleteFunc(line, func(p place) bool { return p.overdue(now) })
		if p, ok := turn(line, now); ok {
			due = append(due, p)
		}
	})
	slices.SortFunc(due, func(a, b place) int { return cmp.Or(cmp.Compare(a.lane, b.lane), cmp.Compare(a.seq, b.seq)) })
	return due, overdue, err
}

// lease marks rows as leased. A lease that is over belongs to an attempt whose
// outcome was never recorded, so that the row is in doubt.
func (t txn) lease(due []place, until time.Time) (rows []bot.Row, err error) {
	for _, p := range due {
		f, ok, err := t.rowOrPass(p.seq)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		f.InDoubt = f.InDoubt || p.leased
		f.State, f.Lease = bot.RowLeased, until.UTC()
		f.Attempts++
		if err := t.mendPromise(p.seq, f); err != nil {
			return nil, err
		}
		if err := t.putRow(p.seq, f); err != nil {
			return nil, err
		}
		rows = append(rows, f.row(p.seq))
	}
	return rows, nil
}

// giveUp settles rows as dead.
func (t txn) giveUp(overdue []place, why string, now time.Time) (rows []bot.Row, err error) {
	for _, p := range overdue {
		f, ok, err := t.rowOrPass(p.seq)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		f.State, f.InDoubt, f.Settled = bot.RowDead, f.InDoubt || p.leased, stamp(now)
		f.Reason = strings.TrimSuffix(why+": "+f.Reason, ": ")
		if err := t.putRow(p.seq, f); err != nil {
			return nil, err
		}
		rows = append(rows, f.row(p.seq))
	}
	return rows, nil
}

// Recover makes rows that were left leased by a process that died pending and in
// doubt, and returns how many they were. Call it once, before the first
// [Store.Lease].
func (s *Store) Recover(now time.Time) (rows int, err error) {
	err = s.update(func(t txn) error {
		var left []place
		if err := t.lines("", func(line []place) {
			left = append(left, slices.DeleteFunc(line, func(p place) bool { return !p.leased })...)
		}); err != nil {
			return err
		}
		for _, p := range left {
			f, ok, err := t.rowOrPass(p.seq)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			f.State, f.InDoubt, f.Next, f.Lease = bot.RowPending, true, now.UTC(), time.Time{}
			if err := t.putRow(p.seq, f); err != nil {
				return err
			}
		}
		if rows = len(left); rows == 0 {
			return errUnchanged
		}
		return nil
	})
	return rows, err
}

// Wake returns when the next row of a network is due, see [bot.Outbox]. A time
// in the past is now.
func (s *Store) Wake(network chat.Network) (next time.Time, err error) {
	err = s.view(func(t txn) error {
		waits := false
		err := t.lines(network, func(line []place) {
			if at := wake(line); !waits || at.Before(next) {
				next, waits = at, true
			}
		})
		if waits && next.IsZero() {
			next = time.Unix(0, 0).UTC() // at once; zero says that none waits
		}
		return err
	})
	return next, err
}
