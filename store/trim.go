package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// keepDone is how long at least an effect is known by its request id.
	// Networks redeliver within minutes.
	keepDone = time.Hour

	// keepSettled is how long rows of the outbox are kept once they are settled,
	// and the records of digests' occurrences.
	keepSettled = 90 * 24 * time.Hour
)

// Trim deletes audit entries older than keepAudit (0 keeps all), what the outbox
// settled and which digests were due more than 90 days ago, forgets request ids
// after an hour, and makes up for a compaction that is due. Call it hourly or
// so: it writes only if there is something to delete.
func (s *Store) Trim(now time.Time, keepAudit time.Duration) error {
	defer s.compactIfDue()
	settled := now.Add(-keepSettled)
	return errors.Join(
		s.trim(func(t txn) (int, error) { return t.trimDone(now.Add(-keepDone)) }),
		s.trim(func(t txn) (int, error) { return t.trimAudit(now, keepAudit) }),
		s.trim(func(t txn) (int, error) { return t.trimOutbox(settled) }),
		s.trim(func(t txn) (int, error) { return t.trimOccurrences(settled) }),
	)
}

// trim runs a step that deletes at most a page of records, in a transaction of
// its own each time, until there is no page left.
func (s *Store) trim(step func(txn) (deleted int, err error)) error {
	for more := true; more; {
		err := s.update(func(t txn) error {
			n, err := step(t)
			more = n == pageSize
			if n == 0 && err == nil {
				return errUnchanged
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t txn) trimDone(before time.Time) (int, error) {
	keys := chosen(t.in(bucketDone), func(_, value []byte) (drop, goOn bool) {
		return len(value) != 8 || int64(binary.BigEndian.Uint64(value)) < before.Unix(), true
	})
	return t.dropAll(bucketDone, keys)
}

func (t txn) trimAudit(now time.Time, keep time.Duration) (int, error) {
	if keep <= 0 {
		return 0, nil
	}
	end := auditKey(now.Add(-keep), 0)
	keys := chosen(t.in(bucketAudit), func(key, _ []byte) (drop, goOn bool) {
		old := bytes.Compare(key, end) < 0
		return old, old
	})
	return t.dropAll(bucketAudit, keys)
}

// chosen returns up to a page of keys that the choice drops, in their order and
// as long as it goes on.
func chosen(b *bolt.Bucket, choice func(key, value []byte) (drop, goOn bool)) (keys []string) {
	c := b.Cursor()
	for key, value := c.First(); key != nil && len(keys) < pageSize; key, value = c.Next() {
		drop, goOn := choice(key, value)
		if drop {
			keys = append(keys, string(key))
		}
		if !goOn {
			break
		}
	}
	return keys
}

// dropAll deletes keys and returns how many they were.
func (t txn) dropAll(bucket string, keys []string) (int, error) {
	for _, key := range keys {
		if err := t.drop(bucket, key); err != nil {
			return 0, err
		}
	}
	return len(keys), nil
}
