package store

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"floorwalker/bot"
)

// damages are the records of agents, of the outbox, of digests, of the audit trail and of the
// bot's own that were passed over, because they cannot be read: one of them must
// not keep everything else from going on. Each is logged once.
type damages struct {
	log *slog.Logger

	mu   sync.Mutex // guards list
	list map[string]bool
}

// pass reports whether an error is damage, which it notes then under the record's
// name, so that the caller goes on without it.
func (d *damages) pass(record string, err error) bool {
	if !errors.Is(err, ErrDamaged) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.list[record] {
		d.list[record] = true
		d.log.Error("a record cannot be read and is passed over", "record", record, "error", err)
	}
	return true
}

// count is how many there are.
func (d *damages) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.list)
}

// Damaged returns, in words, which records of agents, of the outbox, of digests, of
// the audit trail and of the bot's own, and which days of history, were found to be
// unreadable since the store was opened, and passed over; and the files of history
// that were set aside at any time. Records stay in the file until they are written
// anew. [Store.Examine] looks for all of them.
func (s *Store) Damaged() []string {
	s.damages.mu.Lock()
	records := slices.Sorted(maps.Keys(s.damages.list))
	s.damages.mu.Unlock()
	return append(records, s.history.aside()...)
}

// Examine reads what is passed over if it cannot be read, for Damaged to name it.
// It takes as long as to read the live file. Of history, which is larger, it reads
// nothing.
func (s *Store) Examine() error {
	for a, err := range s.Agents() {
		if errors.Is(err, ErrDamaged) {
			continue
		}
		if err == nil {
			_, err = s.Credential(a.ID)
		}
		if err != nil && !errors.Is(err, bot.ErrNotLinked) && !s.damages.pass("credential of agent "+string(a.ID), err) {
			return err
		}
	}
	for _, err := range s.Rows() {
		if err != nil {
			return err
		}
	}
	for _, err := range s.AuditTrail(time.Time{}) {
		if err != nil {
			return err
		}
	}
	return s.view(func(t txn) error {
		for _, kind := range recordKinds() {
			for _, err := range (liveTx{t}).Records(kind, "") {
				if err != nil {
					return err
				}
			}
		}
		return t.in(bucketOccurrences).ForEach(func(key, value []byte) error {
			team, rest, _ := strings.Cut(string(key), "\x00")
			name, nominal, _ := strings.Cut(rest, "\x00")
			_, err := readOccurrence(team, name, nominal, value)
			if t.damages.pass(occurrenceName(team, name, nominal), err) {
				return nil
			}
			return err
		})
	})
}

// unqueue takes a row out of the queue by its number alone, because what else is
// in the key of its place cannot be read.
func (t txn) unqueue(seq uint64) error {
	end := []byte(number(seq))
	c := t.in(bucketQueue).Cursor()
	for key, _ := c.First(); key != nil; key, _ = c.Next() {
		if bytes.HasSuffix(key, end) {
			return t.drop(bucketQueue, string(key))
		}
	}
	return nil
}

// mendPromise writes the promise of a row anew if it cannot be read: its attempts
// could not be settled, and it would be sent again and again.
func (t txn) mendPromise(seq uint64, f rowForm) error {
	if len(t.get(bucketPromises, f.Key)) == len(number(seq)) {
		return nil
	}
	t.damages.pass("promise "+f.Key+" of the outbox", ErrDamaged)
	return t.put(bucketPromises, f.Key, []byte(number(seq)))
}

// rowOrPass is rowAt; false for a row that cannot be read, which leaves the queue.
func (t txn) rowOrPass(seq uint64) (f rowForm, ok bool, err error) {
	f, err = t.rowAt(seq)
	if t.damages.pass(rowName(seq), err) {
		return rowForm{}, false, t.unqueue(seq)
	}
	return f, err == nil, err
}
