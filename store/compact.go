package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

const (
	compactSuffix = ".compact"

	// compactBatch bounds what one transaction of a compaction copies, in bytes.
	compactBatch = 4 << 20
)

// compactIfDue compacts the file after a deletion. That it fails is not the
// fault of the caller, whose records are gone, so it is logged: the mark stays,
// and the next deletion, the next [Store.Trim] or the next start tries again.
func (s *Store) compactIfDue() {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.Err() != nil {
		return
	}
	var due bool
	err := s.view(func(t txn) error {
		due = t.get(bucketMeta, keyCompact) != nil
		return nil
	})
	if due && err == nil {
		err = s.compact()
	}
	if err != nil {
		s.log.Warn("compaction put off: deleted records may still lie in free pages of the file", "error", err)
	}
}

// compact copies the live records to a new file and lets it take the place of
// the old one. A crash leaves one of the two, complete. Call it with s.writing
// held; readers go on until the switch.
func (s *Store) compact() error {
	next := s.path + compactSuffix
	db, err := compacted(s.db, next, s.config.options())
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return s.replace(db, next)
}

// compacted returns a new database with the records of another, at a path where
// only a half-made one may lie. That a compaction was due it leaves out.
func compacted(src *bolt.DB, path string, o *bolt.Options) (*bolt.DB, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	db, err := openBolt(path, o)
	if err != nil {
		return nil, err
	}
	err = bolt.Compact(db, src, compactBatch)
	if err == nil {
		err = db.Update(func(tx *bolt.Tx) error { return txn{Tx: tx}.drop(bucketMeta, keyCompact) })
	}
	if err != nil {
		return nil, errors.Join(err, db.Close(), os.Remove(path))
	}
	return db, nil
}

// replace puts a new file, complete and locked, in the place of the live one.
func (s *Store) replace(db *bolt.DB, next string) error {
	s.file.Lock()
	defer s.file.Unlock()
	if err := os.Rename(next, s.path); err != nil {
		return errors.Join(fmt.Errorf("compact: %w", err), db.Close(), os.Remove(next))
	}
	old := s.db
	s.db = db
	if err := old.Close(); err != nil {
		s.log.Warn("old file not closed after a compaction", "error", err)
	}
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		// Which of the two files a restart finds is open.
		return s.fail(fmt.Errorf("store: compaction: %w", err))
	}
	return nil
}
