package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"floorwalker/bot"
)

// recordKinds are the kinds of the bot's own records, each of which has a bucket
// of its name. A new one is a new schema.
func recordKinds() []bot.RecordKind {
	return []bot.RecordKind{bot.RecordAlerts, bot.RecordSilences, bot.RecordHandling, bot.RecordQuiet, bot.RecordDigests, bot.RecordNetworks}
}

// recordKind is what the signature of the bot's own records covers.
func recordKind(k bot.RecordKind) (kind, error) {
	if !slices.Contains(recordKinds(), k) {
		return "", fmt.Errorf("%q is not a kind of records", k)
	}
	return kind("record/" + k + "/1"), nil
}

// Record implements [bot.Records].
func (t liveTx) Record(of bot.RecordKind, key string) (value []byte, found bool, err error) {
	k, err := recordKind(of)
	if err != nil {
		return nil, false, err
	}
	record := t.get(string(of), key)
	if record == nil {
		return nil, false, nil
	}
	value, err = t.ring.verify(k, key, record)
	if t.damages.pass(recordName(of, key), err) {
		return nil, false, nil
	}
	return bytes.Clone(value), err == nil, err
}

// recordName is what one of the bot's records that cannot be read is called.
func recordName(of bot.RecordKind, key string) string { return fmt.Sprintf("record %q of %s", key, of) }

// PutRecord implements [bot.Records]. The value must be JSON.
func (t liveTx) PutRecord(of bot.RecordKind, key string, value []byte) error {
	k, err := recordKind(of)
	switch {
	case err != nil:
		return err
	case key == "" || !json.Valid(value):
		return fmt.Errorf("record %q of %s needs a key, and JSON for a value", key, of)
	}
	return t.put(string(of), key, t.ring.sign(k, key, value))
}

// DropRecord implements [bot.Records].
func (t liveTx) DropRecord(of bot.RecordKind, key string) error {
	if _, err := recordKind(of); err != nil {
		return err
	}
	return t.drop(string(of), key)
}

// Records implements [bot.Records].
func (t liveTx) Records(of bot.RecordKind, prefix string) iter.Seq2[bot.Record, error] {
	return func(yield func(bot.Record, error) bool) {
		k, err := recordKind(of)
		if err != nil {
			yield(bot.Record{}, err)
			return
		}
		for key := range t.keys(string(of), prefix) {
			record := t.get(string(of), key)
			if record == nil {
				continue // the consumer has dropped it
			}
			value, err := t.ring.verify(k, key, record)
			if t.damages.pass(recordName(of, key), err) {
				continue
			}
			if !yield(bot.Record{Key: key, Value: bytes.Clone(value)}, err) {
				return
			}
		}
	}
}

// keys yields the keys of a bucket that begin with a prefix. The consumer may
// write to the bucket, after which a cursor is not where it was: so keys are
// read by the page.
func (t txn) keys(bucket, prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for next := prefix; ; {
			var page []string
			c := t.in(bucket).Cursor()
			key, _ := c.Seek([]byte(next))
			for ; key != nil && strings.HasPrefix(string(key), prefix) && len(page) < pageSize; key, _ = c.Next() {
				page = append(page, string(key))
			}
			for _, key := range page {
				if !yield(key) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
			next = page[len(page)-1] + "\x00"
		}
	}
}

// dropRecordsOf deletes the bot's own records of an agent: those under its id,
// and under its id and a slash.
func (t txn) dropRecordsOf(id bot.AgentID) error {
	for _, of := range recordKinds() {
		if err := t.drop(string(of), string(id)); err != nil {
			return err
		}
		for key := range t.keys(string(of), string(id)+"/") {
			if err := t.drop(string(of), key); err != nil {
				return err
			}
		}
	}
	return nil
}
