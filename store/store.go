package store

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"floorwalker/bot"
	"floorwalker/bot/secret"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Config says where a store is and what opens it.
type Config struct {
	Path    string        // of the live file; its directory must exist
	Key     secret.Secret // master key, 32 bytes in base64; if set, KeyFile is not read
	KeyFile string        // of the master key; made together with a new database
	MaxSize int           // bytes that the live file may have, and each day's, a guard for the disk; 0 is 1 GiB

	// Existing refuses to make a new database ([ErrNoDatabase]), for what only
	// reads: a mistyped path must not look as if everything were lost.
	Existing bool

	Logger *slog.Logger // nil logs nothing

	label string // names the file in errors; "" is Path
}

// A Store is an open database. Its methods may be called from any goroutine, see
// the package comment. Make one with [Open].
type Store struct {
	config Config
	path   string // of the live file, links resolved
	log    *slog.Logger
	ring   *ring // changes under writing and file together

	rekeying sync.Mutex // held by a rekey, the one that changes ring and master
	master   masterKey

	history *history // files of their own, with locks of their own
	damages damages  // with a lock of its own
	clock   clock    // with a lock of its own, taken before writing

	writing sync.Mutex   // held by the one writer; a compaction is one
	file    sync.RWMutex // guards db; held for reading as long as a read transaction
	db      *bolt.DB     // changes under writing and file together

	full atomic.Int64 // writes that were refused for want of space, since there last was some

	failing sync.Mutex    // guards err
	err     error         // why the store does not write any more
	failed  chan struct{} // closed when err is set
}

var _ bot.Store = (*Store)(nil)

// Close releases the file. It waits for transactions under way; every later call
// of another method is an error.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.file.Lock()
	defer s.file.Unlock()
	// In this order: after the lock is gone, the pid file may be another's.
	return errors.Join(s.history.close(), s.dropPID(), s.db.Close())
}

// Failed returns a channel that is closed when a commit failed in a way that
// leaves open whether it was written. The process must then stop and start
// again; [Store.Err] says why.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err returns why the store does not write any more, nil if it does.
func (s *Store) Err() error {
	s.failing.Lock()
	defer s.failing.Unlock()
	return s.err
}

// errUnchanged ends an update that has nothing to write, without an error.
var errUnchanged = errors.New("nothing to write")

func (s *Store) txn(tx *bolt.Tx) txn { return txn{tx, s.ring, &s.damages} }

// view runs fn in a read transaction. It must not be nested.
func (s *Store) view(fn func(txn) error) error {
	s.file.RLock()
	defer s.file.RUnlock()
	return s.db.View(func(tx *bolt.Tx) error { return fn(s.txn(tx)) })
}

// update runs fn in the one write transaction, and commits if fn returns nil.
func (s *Store) update(fn func(txn) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.Err(); err != nil {
		return err
	}
	tx, err := s.db.Begin(true)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer tx.Rollback() // of no effect after a commit
	if err := fn(s.txn(tx)); err != nil {
		if errors.Is(err, errUnchanged) {
			return nil
		}
		return err
	}
	return s.commit(tx)
}

// commit tells a full disk, which is survivable, from every other error, after
// which nobody knows what a restart will find in the file.
func (s *Store) commit(tx *bolt.Tx) error {
	db, id := tx.DB(), tx.ID()
	err := tx.Commit()
	switch {
	case err == nil:
		return nil
	case isFull(err) && !visible(db, id):
		s.full.Add(1)
		return fmt.Errorf("%w (%w)", bot.ErrNotSaved, err)
	}
	return s.fail(fmt.Errorf("store: a write failed, and whether it is on disk will show at the next start: %w", err))
}

// fail makes the store refuse further writes.
func (s *Store) fail(err error) error {
	s.failing.Lock()
	defer s.failing.Unlock()
	if s.err == nil {
		s.err = err
		close(s.failed)
		s.log.Error("store stopped", "error", err)
	}
	return err
}

// visible reports whether a transaction whose commit failed has got as far as
// the meta page. A disk that runs full earlier has changed nothing.
func visible(db *bolt.DB, id int) bool {
	last := id
	err := db.View(func(tx *bolt.Tx) error {
		last = tx.ID()
		return nil
	})
	return err != nil || last >= id
}

// isFull reports whether an error says that there is no space: on the disk, in
// the user's quota, by a limit on the process, or by [Config.MaxSize].
func isFull(err error) bool {
	if errors.Is(err, bolterrors.ErrMaxSizeReached) {
		return true
	}
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		// bbolt does not wrap the errors of growing the file, so read the text.
		if errors.Is(err, full) || strings.Contains(err.Error(), full.Error()) {
			return true
		}
	}
	return false
}
