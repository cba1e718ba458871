package store

import (
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"floorwalker/bot"
)

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

// AuditRecord is what the names of audit entries in [Store.Damaged] begin with.
const AuditRecord = "audit entry "

// auditName is what an entry that cannot be read is called.
func auditName(key []byte) string {
	if len(key) != 16 {
		return fmt.Sprintf("%s%x", AuditRecord, key)
	}
	at := time.Unix(int64(binary.BigEndian.Uint64(key)^1<<63), 0).UTC()
	return fmt.Sprintf("%s%d of %s", AuditRecord, binary.BigEndian.Uint32(key[12:]), at.Format(time.RFC3339))
}

// AuditTrail yields entries since a time, oldest first. One that cannot be read is
// passed over, see [Store.Damaged].
func (s *Store) AuditTrail(since time.Time) iter.Seq2[bot.AuditEntry, error] {
	entries := pages(s, bucketAudit, auditKey(since, 0), func(_ *ring, key, value []byte) (*bot.AuditEntry, error) {
		e, err := decode[bot.AuditEntry](bucketAudit, "an entry", value)
		if s.damages.pass(auditName(key), err) {
			return nil, nil
		}
		return &e, err
	})
	return func(yield func(bot.AuditEntry, error) bool) {
		for e, err := range entries {
			switch {
			case err != nil:
				yield(bot.AuditEntry{}, err)
				return
			case e != nil && !yield(*e, nil):
				return
			}
		}
	}
}
