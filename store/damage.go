package store

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
)

// damages are the records of the outbox, of digests, of the audit trail and of the
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

// Damaged returns, in words, which records of the outbox, of digests, of the audit
// trail and of the bot's own were found to be unreadable since the store was
// opened, and passed over. They stay in the file until they are written anew.
func (s *Store) Damaged() []string {
	s.damages.mu.Lock()
	defer s.damages.mu.Unlock()
	return slices.Sorted(maps.Keys(s.damages.list))
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
