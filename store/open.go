package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	// lockWait bounds the wait for the file's lock. It is long enough for a
	// process that is about to end, and short enough to look immediate.
	lockWait = 100 * time.Millisecond

	// growth is the step in which the file grows. bbolt's own of 16 MiB is as
	// much as 10,000 agents need.
	growth = 1 << 20

	defaultMaxSize = 1 << 30
)

// ErrNoDatabase is that there is no database where only an existing one is
// wanted, see [Config].
var ErrNoDatabase = errors.New("not found; serve, link or import --apply makes it")

// Open opens the database at c.Path, or makes a new one when no file is there,
// unless c wants an existing one.
// It migrates an older schema, and finishes what a killed process left undone.
//
// Errors are sentences for the person who starts the program: the directory or
// the key is missing, the key is another one, the file is damaged, not a
// database, of a newer schema, or in use ([InUseError]).
func Open(c Config) (*Store, error) {
	c = c.withDefaults()
	path, there, err := locate(c.Path)
	if err != nil {
		return nil, err
	}
	if !there && interrupted(path) {
		return nil, fmt.Errorf("%s: a restore was interrupted; run it again", c.Path)
	}
	if !there && c.Existing {
		return nil, fmt.Errorf("%s: %w", c.Path, ErrNoDatabase)
	}
	if !there {
		if err := c.create(path); err != nil {
			return nil, err
		}
	}
	db, err := c.acquire(path)
	if err != nil {
		return nil, err
	}
	s := &Store{config: c, path: path, db: db, log: c.Logger, failed: make(chan struct{})}
	s.damages.log, s.damages.list = c.Logger, map[string]bool{}
	s.history = newHistory(c, path, s.commit)
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxSize <= 0 {
		c.MaxSize = defaultMaxSize
	}
	c.label = cmp.Or(c.label, c.Path)
	return c
}

// start makes an open file ready for use.
func (s *Store) start() error {
	if err := s.writePID(); err != nil {
		// Only the message that another process gets is poorer without it.
		s.log.Warn("pid file not written", "error", err)
	}
	s.sweep()
	if err := s.history.look(); err != nil {
		return err
	}
	if err := s.unlock(); err != nil {
		return fmt.Errorf("%s: %w", s.config.label, err)
	}
	s.compactIfDue()
	return nil
}

// locate checks the path, resolves links in it, and reports whether the file is
// there.
func locate(path string) (resolved string, there bool, err error) {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", false, fmt.Errorf("store.path: %s is not a directory; create it first", dir)
	}
	resolved, err = filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("store.path: %w", err)
	}
	info, err := os.Stat(resolved)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("store.path: %w", err)
	case !info.Mode().IsRegular():
		return "", false, fmt.Errorf("store.path: %s is not a file", path)
	}
	return resolved, true, nil
}

// create makes a new database under a temporary name and gives it its own when
// it is complete. One that has appeared meanwhile stays.
func (c Config) create(path string) error {
	key, err := c.newMasterKey()
	if err != nil {
		return err
	}
	if err := createBolt(path, func(tx *bolt.Tx) error { return initialize(tx, key) }); err != nil {
		return fmt.Errorf("create %s: %w", c.Path, err)
	}
	c.Logger.Info("database created", "path", c.Path, "master_key", key.id)
	return nil
}

// createBolt makes a database file, whole or not at all. One that has appeared
// meanwhile stays as it is.
func createBolt(path string, initialize func(*bolt.Tx) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	db, err := bolt.Open(f.Name(), 0o600, &bolt.Options{NoFreelistSync: true})
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(db.Update(initialize), db.Close(), f.Close()); err != nil {
		return err
	}
	return publish(f.Name(), path)
}

// acquire inspects the file and takes its lock. It never makes a file.
func (c Config) acquire(path string) (*bolt.DB, error) {
	if err := inspect(path); err != nil {
		return nil, c.refusal(err)
	}
	// A compaction of the owner may replace the file while we wait for the lock
	// of the old one. What we lock then is not the database any more.
	for range 3 {
		var f *os.File
		o := c.options()
		o.OpenFile = func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
			f, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
			return f, err
		}
		db, err := openBolt(path, o)
		if err != nil {
			return nil, c.refusal(err)
		}
		if isAt(f, path) {
			return db, nil
		}
		db.Close() // not ours, so its errors are not either
	}
	return nil, c.refusal(bolterrors.ErrTimeout)
}

// options are those of the live file.
func (c Config) options() *bolt.Options {
	return &bolt.Options{
		Timeout:         lockWait, // 0 would wait for ever
		NoFreelistSync:  true,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: c.MaxSize, // so that a writer never has to map anew
		MaxSize:         c.MaxSize,
		NoStatistics:    true,
	}
}

// openBolt opens a file that is sound, or new.
func openBolt(path string, o *bolt.Options) (*bolt.DB, error) {
	db, err := bolt.Open(path, 0o600, o)
	if err != nil {
		return nil, err
	}
	db.AllocSize = growth
	return db, nil
}

// isAt reports whether an open file is the one at path.
func isAt(f *os.File, path string) bool {
	ours, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(ours, there)
}

// refusal words why a file cannot be opened.
func (c Config) refusal(err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return &InUseError{c.Path, c.readPID()}
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("%s: %w; restore a backup, or move the file away to start anew", c.label, err)
	}
	return fmt.Errorf("open %s: %w", c.label, err)
}

// sweep removes what a process left that was killed while it made a database or
// compacted this one.
func (s *Store) sweep() {
	entries, err := os.ReadDir(filepath.Dir(s.path))
	if err != nil {
		s.log.Warn("left-over files not looked for", "error", err)
		return
	}
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), filepath.Base(s.path))
		if !ours || rest != compactSuffix && !strings.HasPrefix(rest, ".new-") {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(s.path), e.Name())); err != nil {
			s.log.Warn("left-over file not removed", "error", err)
		}
	}
}
