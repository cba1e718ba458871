package bot

import (
	"encoding/json"
	"fmt"
	"iter"
)

// A RecordKind names a kind of the bot's own records in the live file. Their
// forms are the bot's business: the store keeps JSON as it is given, readable
// and signed for its place, so that none can be moved or made up.
type RecordKind string

// The kinds of records. A new one needs a new schema of the store.
const (
	RecordAlerts   RecordKind = "alerts"   // where a rule stands for a subject
	RecordSilences RecordKind = "silences" // what is not told, until when and by whom
	RecordHandling RecordKind = "handling" // what people did about an episode: acknowledgements, escalation
	RecordQuiet    RecordKind = "quiet"    // a person's own quiet hours
	RecordDigests  RecordKind = "digests"  // since when a digest has been due at its present times
	RecordNetworks RecordKind = "networks" // what an adapter must know after a restart: whom it may write to, how much of a budget is used, which link pages are open
)

// Records is the part of a [Tx] that keeps records of the bot's own forms.
//
// A record whose key is an agent's id, or begins with it and a slash, is
// deleted with the agent.
type Records interface {
	// Record returns a record as it was put. One that is damaged is not there,
	// and named by [Outbox.Damaged]: what is kept in records can be begun anew.
	Record(kind RecordKind, key string) (value []byte, found bool, err error)

	// PutRecord stores a record, in the place of one with its key.
	PutRecord(kind RecordKind, key string, value []byte) error

	// DropRecord deletes a record, there or not.
	DropRecord(kind RecordKind, key string) error

	// Records yields the records whose keys begin with a prefix, in the order of
	// their keys, without those that are damaged. The consumer may write in the
	// same transaction.
	Records(kind RecordKind, prefix string) iter.Seq2[Record, error]
}

// A Record is one of [Records].
type Record struct {
	Key   string
	Value []byte // JSON
}

// ReadRecord returns a record, decoded.
func ReadRecord[T any](tx Records, kind RecordKind, key string) (v T, found bool, err error) {
	value, found, err := tx.Record(kind, key)
	if !found || err != nil {
		return v, false, err
	}
	v, err = decodeRecord[T](kind, key, value)
	return v, err == nil, err
}

// WriteRecord stores a record, encoded.
func WriteRecord[T any](tx Records, kind RecordKind, key string, v T) error {
	value, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record %s of %s: %w", key, kind, err)
	}
	return tx.PutRecord(kind, key, value)
}

// A Keyed is a decoded record with its key.
type Keyed[T any] struct {
	Key   string
	Value T
}

// EachRecord yields the records whose keys begin with a prefix, decoded, as
// [Records] does.
func EachRecord[T any](tx Records, kind RecordKind, prefix string) iter.Seq2[Keyed[T], error] {
	return func(yield func(Keyed[T], error) bool) {
		for r, err := range tx.Records(kind, prefix) {
			k := Keyed[T]{Key: r.Key}
			if err == nil {
				k.Value, err = decodeRecord[T](kind, r.Key, r.Value)
			}
			if !yield(k, err) {
				return
			}
		}
	}
}

func decodeRecord[T any](kind RecordKind, key string, value []byte) (v T, err error) {
	if err := json.Unmarshal(value, &v); err != nil {
		return v, fmt.Errorf("record %s of %s is not readable: %w", key, kind, err)
	}
	return v, nil
}
