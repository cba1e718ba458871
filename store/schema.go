package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	keySchema  = "schema"
	keyCompact = "compact"
	keyClock   = "clock"
)

// A migration changes the database from one schema to the next, in the
// transaction of all migrations.
type migration func(txn) error

// migrations returns the steps from schema 1 on; the first leads to schema 2. A
// step that has been released never changes.
func migrations() []migration { return []migration{toSchema2, toSchema3} }

// toSchema2 makes room for the outbox, the digests' occurrences and the bot's
// own records, and for what the history is to forget.
func toSchema2(t txn) error { return t.create(buckets(2)[len(buckets(1)):]) }

func (t txn) create(names []string) error {
	for _, name := range names {
		if _, err := t.CreateBucket([]byte(name)); err != nil {
			return fmt.Errorf("bucket %s: %w", name, err)
		}
	}
	return nil
}

// initialize writes an empty database of the first schema, with its first data
// key, and migrates it.
func initialize(tx *bolt.Tx, key masterKey) error {
	t := txn{Tx: tx, ring: &ring{}}
	if err := t.create(buckets(1)); err != nil {
		return err
	}
	now := stamp(time.Time{})
	if err := t.putDataKey(1, newDataKey(), key, now); err != nil {
		return err
	}
	if err := t.putSchema(schemaForm{Version: 1, Created: now}); err != nil {
		return err
	}
	if err := t.migrate(migrations()); !errors.Is(err, errUnchanged) {
		return err
	}
	return nil
}

// unlock checks schema and key of an open file, fills the ring, and migrates.
func (s *Store) unlock() error {
	var r *ring
	err := s.view(func(t txn) (err error) {
		if err := t.gate(1 + len(migrations())); err != nil {
			return err
		}
		key, err := s.config.masterKey()
		if errors.Is(err, fs.ErrNotExist) {
			return t.missing(err)
		}
		if err != nil {
			return err
		}
		s.master = key
		r, err = t.loadRing(key)
		return err
	})
	if err != nil {
		return err
	}
	if len(r.keys) > 1 {
		s.log.Warn("a rekey was interrupted: run floorwalker rekey again to complete it")
	}
	s.ring = r
	return s.update(func(t txn) error { return t.migrate(migrations()) })
}

// gate refuses what is no database of ours, or of a schema newer than latest.
// The signature cannot be checked yet: how to is the schema's business.
func (t txn) gate(latest int) error {
	meta := t.Bucket([]byte(bucketMeta))
	if meta == nil {
		return fmt.Errorf("%w: not a database of floorwalker", ErrDamaged)
	}
	body, err := unverified(meta.Get([]byte(keySchema)))
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	form, err := decode[schemaForm](kindSchema, keySchema, body)
	if err != nil {
		return err
	}
	if form.Version > latest {
		return fmt.Errorf("written by a newer version: schema %d, and this version knows up to %d; upgrade, or restore a backup", form.Version, latest)
	}
	for _, name := range buckets(form.Version) {
		if t.Bucket([]byte(name)) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	return t.count()
}

// count compares the sizes of buckets. bbolt does not notice a page that has
// lost some of its records.
func (t txn) count() error {
	n := func(bucket string) int { return t.in(bucket).Stats().KeyN }
	agents, credentials, addresses := n(bucketAgents), n(bucketCredentials), n(bucketAddresses)
	if agents != credentials || agents > addresses {
		return fmt.Errorf("%w: %d agents with %d credentials and %d addresses", ErrDamaged, agents, credentials, addresses)
	}
	return nil
}

// migrate runs the steps that the database lacks, in their order.
func (t txn) migrate(steps []migration) error {
	form, err := verified[schemaForm](t.ring, kindSchema, keySchema, t.get(bucketMeta, keySchema))
	if err != nil {
		return err
	}
	if form.Version < 1 || form.Version > 1+len(steps) {
		return fmt.Errorf("%w: schema %d", ErrDamaged, form.Version)
	}
	todo := steps[form.Version-1:]
	if len(todo) == 0 {
		return errUnchanged
	}
	for _, step := range todo {
		form.Version++
		if err := step(t); err != nil {
			return fmt.Errorf("migrate to schema %d: %w", form.Version, err)
		}
	}
	return t.putSchema(form)
}

func (t txn) putSchema(form schemaForm) error {
	return t.putSigned(bucketMeta, kindSchema, keySchema, form)
}

// putDataKey stores a data key, wrapped, and adds it to the ring.
func (t txn) putDataKey(id uint32, key []byte, under masterKey, at time.Time) error {
	if err := t.putKeyForm(id, key, under, at); err != nil {
		return err
	}
	return t.ring.add(id, key)
}

// loadRing unwraps the data keys.
func (t txn) loadRing(master masterKey) (*ring, error) {
	r := &ring{}
	err := t.eachKey(func(id uint32, form keyForm) error {
		if form.KEK != master.id {
			return fmt.Errorf("wrong key: it is sealed under master key %s, and the key given is %s; give the key that belongs to this database (after a rekey, put the new key file in the place of the old one)", form.KEK, master.id)
		}
		key, err := master.unwrap(id, form.Wrapped)
		if err != nil {
			return fmt.Errorf("data key %d: %w: it does not unwrap", id, ErrDamaged)
		}
		return r.add(id, key)
	})
	return r, err
}

// missing words that the key file is not there, and which key that is.
func (t txn) missing(cause error) error {
	needed := map[string]bool{}
	if err := t.eachKey(func(_ uint32, form keyForm) error {
		needed[form.KEK] = true
		return nil
	}); err != nil {
		return err
	}
	ids := strings.Join(slices.Sorted(maps.Keys(needed)), ", ")
	return fmt.Errorf("the database is there but its key is not (%w): put back the key file with master key %s, a new key could not open it", cause, ids)
}

// eachKey calls fn for every data key record.
func (t txn) eachKey(fn func(id uint32, form keyForm) error) error {
	return t.in(bucketKeys).ForEach(func(key, value []byte) error {
		if len(key) != 4 {
			return fmt.Errorf("%w: a data key without an id", ErrDamaged)
		}
		id := binary.BigEndian.Uint32(key)
		form, err := decode[keyForm](bucketKeys, fmt.Sprint(id), value)
		if err != nil {
			return err
		}
		return fn(id, form)
	})
}
