package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/secret"
)

// rekeyBatch bounds how many records one transaction of a rekey writes.
const rekeyBatch = 500

// A Rekeyed is what came of a rekey.
type Rekeyed struct {
	MasterKey string   // id of the master key that the database is sealed under
	DataKey   uint32   // id of the data key that seals and signs
	Records   int      // sealed and signed anew
	Already   bool     // the database was under the new master key before
	Damaged   []string // records that could not be read before, and cannot now
}

// Rekey replaces the data keys by a new one, under the same master key: every
// sealed and signed record is written anew, a few hundred a transaction, the old
// data keys are deleted, and the file is compacted, so that nothing that they
// opened is left in it. Others read and write meanwhile.
//
// It may die at any point: while there is more than one data key, one was
// interrupted, and the next call goes on with it. Records that were damaged
// before stay so, and are named.
func (s *Store) Rekey(by bot.AuditEntry) (Rekeyed, error) {
	s.rekeying.Lock()
	defer s.rekeying.Unlock()
	if err := s.beginRekey(); err != nil {
		return Rekeyed{}, err
	}
	var done Rekeyed
	for more := true; more; {
		n, err := s.stepRekey()
		if err != nil {
			return Rekeyed{}, err
		}
		done.Records += n
		more = n > 0
	}
	if err := s.endRekey(by, &done); err != nil {
		return Rekeyed{}, err
	}
	return done, s.compactNow()
}

// beginRekey makes a new data key, unless one is there already.
func (s *Store) beginRekey() error {
	if len(s.ring.keys) > 1 {
		return nil
	}
	id, key := s.ring.newest+1, newDataKey()
	next := &ring{keys: maps.Clone(s.ring.keys), newest: s.ring.newest}
	if err := next.add(id, key); err != nil {
		return err
	}
	if err := s.update(func(t txn) error { return t.putKeyForm(id, key, s.master, stamp(time.Time{})) }); err != nil {
		return err
	}
	s.setRing(next)
	return nil
}

// setRing lets transactions to come use other data keys.
func (s *Store) setRing(r *ring) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.file.Lock()
	defer s.file.Unlock()
	s.ring = r
}

// stepRekey writes a batch of records under the newest data key, and returns how
// many they were: none when all are, that can be read.
func (s *Store) stepRekey() (n int, err error) {
	err = s.update(func(t txn) error {
		var fresh []renewed
		if _, err := t.stale(func(r renewed) bool {
			fresh = append(fresh, r)
			return len(fresh) < rekeyBatch
		}); err != nil {
			return err
		}
		if n = len(fresh); n == 0 {
			return errUnchanged
		}
		for _, r := range fresh {
			if err := t.put(r.bucket, r.key, r.record); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// endRekey deletes the old data keys. That the file is to be compacted is in the
// same transaction.
func (s *Store) endRekey(by bot.AuditEntry, done *Rekeyed) error {
	last := &ring{keys: map[uint32]dataKey{s.ring.newest: s.ring.keys[s.ring.newest]}, newest: s.ring.newest}
	err := s.update(func(t txn) error {
		var left error
		damaged, err := t.stale(func(r renewed) bool {
			left = fmt.Errorf("%s of %s is not under the new data key", r.key, r.bucket)
			return false
		})
		if err := errors.Join(err, left); err != nil {
			return err
		}
		done.Damaged = damaged
		for id := range s.ring.keys {
			if id != last.newest {
				err = errors.Join(err, t.drop(bucketKeys, string(binary.BigEndian.AppendUint32(nil, id))))
			}
		}
		by.Action, by.Object, by.At = "rekey", fmt.Sprint("data key ", last.newest), stamp(by.At)
		return errors.Join(err, t.record(by), t.put(bucketMeta, keyCompact, []byte{1}))
	})
	if err != nil {
		return err
	}
	s.setRing(last)
	done.MasterKey, done.DataKey = s.master.id, last.newest
	for _, record := range done.Damaged {
		s.log.Error("a record was damaged before the rekey, and cannot be read", "record", record)
	}
	return nil
}

// A renewed is a record under the newest data key.
type renewed struct {
	bucket, key string
	record      []byte
}

// stale calls fn with every record that is under an older data key than the
// newest, renewed, until it returns false; and names those that cannot be read.
func (t txn) stale(fn func(renewed) bool) (damaged []string, err error) {
	for bucket, k := range guarded() {
		c := t.in(bucket).Cursor()
		for key, record := c.First(); key != nil; key, record = c.Next() {
			if bucket == bucketMeta && string(key) != keySchema || t.ring.isNewest(record) {
				continue
			}
			fresh, err := t.ring.renew(k, string(key), record)
			if errors.Is(err, ErrDamaged) {
				damaged = append(damaged, fmt.Sprintf("%s of %s", k, key))
				continue
			}
			if err != nil {
				return nil, err
			}
			if !fn(renewed{bucket, string(key), fresh}) {
				return damaged, nil
			}
		}
	}
	slices.Sort(damaged)
	return damaged, nil
}

// guarded returns the buckets of sealed and signed records, and what kind of
// record is in each. Of meta it is the schema alone.
func guarded() map[string]kind {
	kinds := map[string]kind{
		bucketMeta: kindSchema, bucketAgents: kindAgent, bucketAddresses: kindAddress,
		bucketCredentials: kindCredential, bucketWorkspaces: kindWorkspace,
	}
	for _, of := range recordKinds() {
		kinds[string(of)], _ = recordKind(of) // it is one of them
	}
	return kinds
}

// isNewest reports whether a record is under the newest data key.
func (r *ring) isNewest(record []byte) bool {
	return len(record) >= headerSize && record[0] == recordV1 && binary.BigEndian.Uint32(record[1:]) == r.newest
}

// renew returns a record under the newest data key.
func (r *ring) renew(k kind, place string, record []byte) ([]byte, error) {
	if k == kindCredential {
		plain, err := r.open(k, place, record)
		if err != nil {
			return nil, err
		}
		return r.seal(k, place, plain), nil
	}
	body, err := r.verify(k, place, record)
	if err != nil {
		return nil, err
	}
	return r.sign(k, place, body), nil
}

// RekeyMaster wraps the data keys under another master key, in one transaction,
// and compacts the file. From then on only that key opens the database: whoever
// calls must have put it where it lasts before. Called again with the same key,
// it changes nothing.
func (s *Store) RekeyMaster(key secret.Secret, by bot.AuditEntry) (Rekeyed, error) {
	s.rekeying.Lock()
	defer s.rekeying.Unlock()
	next, err := parseKey("the new key", key)
	if err != nil {
		return Rekeyed{}, err
	}
	if next.id == s.master.id {
		return Rekeyed{MasterKey: next.id, DataKey: s.ring.newest, Already: true}, s.compactNow()
	}
	err = s.update(func(t txn) error {
		forms := map[uint32]keyForm{}
		if err := t.eachKey(func(id uint32, form keyForm) error {
			forms[id] = form
			return nil
		}); err != nil {
			return err
		}
		for id, form := range forms {
			plain, err := s.master.unwrap(id, form.Wrapped)
			if err != nil {
				return fmt.Errorf("data key %d: %w: it does not unwrap", id, ErrDamaged)
			}
			if err := t.putKeyForm(id, plain, next, form.Created); err != nil {
				return err
			}
		}
		by.Action, by.Object, by.At = "rekey", "master key "+next.id, stamp(by.At)
		return errors.Join(t.record(by), t.put(bucketMeta, keyCompact, []byte{1}))
	})
	if err != nil {
		return Rekeyed{}, err
	}
	s.master = next
	return Rekeyed{MasterKey: next.id, DataKey: s.ring.newest}, s.compactNow()
}

// MasterKey returns the id of the master key that opened the database.
func (s *Store) MasterKey() string {
	s.rekeying.Lock()
	defer s.rekeying.Unlock()
	return s.master.id
}

// compactNow compacts the file, which is marked for it. What it cannot do now,
// the next start does.
func (s *Store) compactNow() error {
	s.compactIfDue()
	return s.view(func(t txn) error {
		if t.get(bucketMeta, keyCompact) != nil {
			return errors.New("the keys are replaced, but the file could not be compacted, so what the old ones open may still lie in it: make space on the disk and run it again, or restart")
		}
		return nil
	})
}

// putKeyForm stores a data key, wrapped.
func (t txn) putKeyForm(id uint32, key []byte, under masterKey, at time.Time) error {
	form, err := encode(keyForm{under.id, at, under.wrap(id, key)})
	if err != nil {
		return err
	}
	return t.put(bucketKeys, string(binary.BigEndian.AppendUint32(nil, id)), form)
}

// KeyFile makes a key file for [Store.RekeyMaster], or takes the one that is
// there, and returns its key.
func KeyFile(path string) (secret.Secret, error) {
	if err := createKeyFile(path); err != nil {
		return secret.Secret{}, fmt.Errorf("create key file %s: %w", path, err)
	}
	return readKeyFile(path)
}
