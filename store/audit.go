package store

import (
	"encoding/binary"
	"iter"
	"time"

	"floorwalker/bot"
	bolt "go.etcd.io/bbolt"
)

// keepDone is how long at least an effect is known by its request id. Networks
// redeliver within minutes.
const keepDone = time.Hour

// Record appends an entry to the audit trail; a zero time becomes now.
func (s *Store) Record(e bot.AuditEntry) error {
	e.At = stamp(e.At)
	return s.update(func(t txn) error { return t.record(e) })
}

func (t txn) record(e bot.AuditEntry) error {
	b := t.in(bucketAudit)
	number, err := b.NextSequence()
	if err != nil {
		return err
	}
	body, err := encode(e)
	if err != nil {
		return err
	}
	return b.Put(auditKey(e.At, uint32(number)), body)
}

// auditKey orders entries by time and, at the same time, by number: 8 bytes of
// Unix seconds with the sign bit flipped, so that they sort as numbers do, 4
// bytes of nanoseconds, 4 bytes of a running number.
func auditKey(at time.Time, number uint32) []byte {
	key := binary.BigEndian.AppendUint64(nil, uint64(at.Unix())^1<<63)
	key = binary.BigEndian.AppendUint32(key, uint32(at.Nanosecond()))
	return binary.BigEndian.AppendUint32(key, number)
}

// AuditTrail yields entries since a time, oldest first.
func (s *Store) AuditTrail(since time.Time) iter.Seq2[bot.AuditEntry, error] {
	return pages(s, bucketAudit, auditKey(since, 0), func(_ *ring, _, value []byte) (bot.AuditEntry, error) {
		return decode[bot.AuditEntry](bucketAudit, "an entry", value)
	})
}

// Trim deletes audit entries older than keepAudit (0 keeps all), forgets request
// ids after an hour, and makes up for a compaction that is due. Call it hourly
// or so: it writes only if there is something to delete.
func (s *Store) Trim(now time.Time, keepAudit time.Duration) error {
	defer s.compactIfDue()
	old := now.Add(-keepDone).Unix()
	err := s.trim(bucketDone, func(_, value []byte) (drop, goOn bool) {
		return len(value) != 8 || int64(binary.BigEndian.Uint64(value)) < old, true
	})
	if err != nil || keepAudit <= 0 {
		return err
	}
	end := string(auditKey(now.Add(-keepAudit), 0))
	return s.trim(bucketAudit, func(key, _ []byte) (drop, goOn bool) {
		return string(key) < end, string(key) < end
	})
}

// trim deletes the records of a bucket that the choice drops, in the order of
// their keys and as long as it goes on, a page of them per transaction.
func (s *Store) trim(bucket string, choice func(key, value []byte) (drop, goOn bool)) error {
	for more := true; more; {
		err := s.update(func(t txn) error {
			keys := chosen(t.in(bucket), choice)
			if more = len(keys) == pageSize; len(keys) == 0 {
				return errUnchanged
			}
			for _, key := range keys {
				if err := t.drop(bucket, key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// chosen returns up to a page of keys to drop.
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
