package store

import (
	"encoding/binary"
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

// AuditTrail yields entries since a time, oldest first.
func (s *Store) AuditTrail(since time.Time) iter.Seq2[bot.AuditEntry, error] {
	return pages(s, bucketAudit, auditKey(since, 0), func(_ *ring, _, value []byte) (bot.AuditEntry, error) {
		return decode[bot.AuditEntry](bucketAudit, "an entry", value)
	})
}
