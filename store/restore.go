package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"floorwalker/bot"
	bolt "go.etcd.io/bbolt"
)

const (
	restoreSuffix = ".restore" // of the directory in which a restore works

	// restoring is a file in a history that was put in its place, while the live
	// file that it belongs to may not be yet.
	restoring = "restoring"
)

// Restore is [RestoreFrom] of a file.
func Restore(c Config, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	defer f.Close()
	return RestoreFrom(c, file, f)
}

// RestoreFrom brings a backup, which errors call file, back to c.Path, where there must be neither a database
// nor a history. The master key of the backup must be given by c. Everything is
// read and checked before anything is put in its place, and what is put there
// is complete: a restore that is interrupted can be run again. Run one at a
// time.
//
// Messages in the outbox whose time is over are dead then; the others are sent
// at the next start, as they would have been.
func RestoreFrom(c Config, file string, backup io.Reader) error {
	c = c.withDefaults()
	path, err := c.vacant()
	if err != nil {
		return err
	}
	if err := c.needKey(); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	staging := path + restoreSuffix
	if err := os.RemoveAll(staging); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer os.RemoveAll(staging)
	staged := c
	staged.Path, staged.label = filepath.Join(staging, backupLive), backupLive+" in it"
	m, err := unpack(backup, staged.Path)
	if what, ok := errors.AsType[unfit](err); ok {
		return fmt.Errorf("restore: %s %s", file, string(what))
	}
	if err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	if err := staged.prepare(m); err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	if err := putInPlace(staged.Path, path); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	c.Logger.Info("restored", "path", c.Path, "from", file, "created", m.Created)
	return nil
}

// needKey says where the key has to be if it is not there: a new one could not
// open the backup.
func (c Config) needKey() error {
	_, err := c.masterKey()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: not found; a backup does not hold the key: put the key file of the installation that was backed up there first", c.KeyFile)
	}
	return err
}

// vacant returns where the database is to lie, or an error if there is anything.
// What an interrupted restore left there is deleted.
func (c Config) vacant() (path string, err error) {
	path, there, err := locate(c.Path)
	if err != nil {
		return "", err
	}
	if there {
		return "", fmt.Errorf("restore: %s is there already; move it away first, a restore never replaces", c.Path)
	}
	dir := path + historySuffix
	if interrupted(path) {
		return path, os.RemoveAll(dir)
	}
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() && os.Remove(dir) == nil { // only an empty one goes
		return path, nil
	}
	return "", fmt.Errorf("restore: %s is there already; move it away first, a restore never replaces", dir)
}

// interrupted reports whether a restore has put a history in its place but not,
// as far as it knows, the live file.
func interrupted(path string) bool {
	_, err := os.Lstat(filepath.Join(path+historySuffix, restoring))
	return err == nil
}

// unpack reads a backup and writes its files to where they belong for a live file at
// path, and checks them against the manifest.
func unpack(backup io.Reader, path string) (manifest, error) {
	dir := path + historySuffix
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.Mkdir(dir, 0o700)); err != nil {
		return manifest{}, err
	}
	return readBackup(backup, func(name string, content io.Reader) error {
		if name == backupLive {
			return writeFile(path, content)
		}
		return writeFile(filepath.Join(dir, filepath.Base(name)), content)
	})
}

// writeFile writes a new file, durably.
func writeFile(path string, content io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Sync(), f.Close())
}

// prepare opens what was unpacked, which takes the right key, looks at every
// file, and gives up what is overdue.
func (c Config) prepare(m manifest) (err error) {
	s, err := Open(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, date := range s.history.dates(math.MinInt32, math.MaxInt32) {
		d, _ := s.history.of(date)
		if err := s.history.use(d, false, func(*bolt.DB) error { return nil }); err != nil {
			return fmt.Errorf("history of %s: %w", date, err)
		}
	}
	overdue, err := s.expire(time.Now())
	if err != nil {
		return err
	}
	return s.Record(bot.AuditEntry{Actor: "floorwalker", Action: "restore",
		Detail: fmt.Sprintf("backup of %s; %d messages were overdue", m.Created.Format(time.RFC3339), overdue)})
}

// expire gives up all rows whose time is over.
func (s *Store) expire(now time.Time) (n int, err error) {
	err = s.update(func(t txn) error {
		_, overdue, err := t.due("", now)
		if err != nil {
			return err
		}
		n = len(overdue)
		_, err = t.giveUp(overdue, "overdue at restore", now)
		return err
	})
	return n, err
}

// putInPlace puts a complete database in its place: the history first, with a mark,
// then the live file, with which the restore is done.
func putInPlace(staged, path string) error {
	from, dir := staged+historySuffix, path+historySuffix
	mark := filepath.Join(from, restoring)
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return err
	}
	if err := errors.Join(syncDir(from), syncDir(filepath.Dir(staged))); err != nil {
		return err
	}
	if err := os.Rename(from, dir); err != nil {
		return err
	}
	err := syncDir(filepath.Dir(path))
	if err == nil {
		err = nameAnew(staged, path)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	return errors.Join(os.Remove(filepath.Join(dir, restoring)), syncDir(dir))
}
