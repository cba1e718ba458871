package store

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/schedule"
	bolt "go.etcd.io/bbolt"
)

// The names in a backup, which is a tar file. The manifest is its last entry, so
// that one that was cut short has none.
const (
	backupLive     = "floorwalker.db"
	backupHistory  = "history/" // then the name of a day's file
	backupManifest = "manifest.json"

	backupFormat = 1

	maxManifest = 1 << 20 // bytes
)

// A manifest says what is in a backup. It protects against damage, not against
// somebody who changes the backup.
type manifest struct {
	Format  int            `json:"format"`
	Created time.Time      `json:"created"`
	Files   []manifestFile `json:"files"`
}

type manifestFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// SaveBackup makes a new file of the backup that write writes, such as
// Store.WriteBackup, which only its owner may read. An existing file is refused,
// and the name appears only when the file has been read back and found to be right.
func SaveBackup(file string, write func(io.Writer) error) error {
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("backup: %s is there already; choose another name", file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer os.Remove(f.Name())
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := verifyBackup(f.Name()); err != nil {
		return fmt.Errorf("backup: read back: %w", err)
	}
	if err := nameAnew(f.Name(), file); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// nameAnew gives a complete file its final name, durably, unless there is a file
// with this name.
func nameAnew(temporary, name string) error {
	err := os.Link(temporary, name)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// Some file systems have no links. A rename replaces, so look first.
		if _, missing := os.Lstat(name); missing != nil {
			err = os.Rename(temporary, name)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// A backupWriter adds files to a backup.
type backupWriter struct {
	store *Store
	tar   *tar.Writer
	manifest
}

// WriteBackup writes everything that is stored, but for the master key, to out, as
// a tar file. It may take its time, and so may out: each file is copied as of one
// moment, the live one last, while the store is in use.
//
// Days of history that were set aside as damaged are left out. A day that turns
// out to be damaged now is an error: look after it, and try again.
func (s *Store) WriteBackup(out io.Writer) error {
	// History comes first: what it holds of an agent who is unlinked meanwhile is
	// then noted as to be forgotten in the live file.
	w := &backupWriter{s, tar.NewWriter(out), manifest{Format: backupFormat, Created: stamp(time.Time{})}}
	for _, date := range s.history.dates(math.MinInt32, math.MaxInt32) {
		if err := w.addDay(date); err != nil {
			return fmt.Errorf("history of %s: %w", date, err)
		}
	}
	err := w.add(backupLive, func(copy func(*bolt.Tx) error) error {
		return s.view(func(t txn) error { return copy(t.Tx) })
	})
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(w.manifest, "", "\t")
	if err != nil {
		return err
	}
	err = w.entry(backupManifest, int64(len(text)))
	if err == nil {
		_, err = w.tar.Write(text)
	}
	return errors.Join(err, w.tar.Close())
}

func (w *backupWriter) addDay(date schedule.Date) error {
	d, damaged := w.store.history.of(date)
	for _, name := range damaged {
		w.store.log.Warn("damaged day of history is not in the backup", "file", name)
	}
	if d == nil {
		return nil
	}
	err := w.add(backupHistory+filepath.Base(d.path), func(copy func(*bolt.Tx) error) error {
		return w.store.history.use(d, false, func(db *bolt.DB) error { return db.View(copy) })
	})
	if errors.Is(err, errDeleted) {
		return nil // its retention ended just now
	}
	return err
}

// add adds a database as of a moment. It is copied beside the live file first: a
// transaction must not wait for wherever the backup goes.
func (w *backupWriter) add(name string, snapshot func(copy func(*bolt.Tx) error) error) error {
	f, err := os.CreateTemp(filepath.Dir(w.store.path), filepath.Base(w.store.path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close() // it is only read from, once it is checked
	err = snapshot(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(f)
		return err
	})
	if err == nil {
		err = checkBolt(f.Name())
	}
	if err != nil {
		return err
	}
	return w.pack(name, f)
}

// pack adds a file's contents.
func (w *backupWriter) pack(name string, f *os.File) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if err := w.entry(name, size); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w.tar, sum), io.NewSectionReader(f, 0, size)); err != nil {
		return err
	}
	w.Files = append(w.Files, manifestFile{name, size, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

func (w *backupWriter) entry(name string, size int64) error {
	return w.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: w.Created})
}

// checkBolt checks a database file: that it can be read whole, and that bbolt
// itself finds nothing wrong with it.
func checkBolt(name string) error {
	if err := inspect(name); err != nil {
		return err
	}
	db, err := bolt.Open(name, 0, &bolt.Options{ReadOnly: true, Timeout: lockWait})
	if err != nil {
		return err
	}
	return errors.Join(db.View(func(tx *bolt.Tx) error {
		var errs []error
		for err := range tx.Check() {
			errs = append(errs, fmt.Errorf("%w: %w", ErrDamaged, err))
		}
		return errors.Join(errs...)
	}), db.Close())
}

// verifyBackup reads a backup again. The copies were checked before they were
// packed, so equal sums are sound files.
func verifyBackup(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = readBackup(f, func(string, io.Reader) error { return nil })
	return err
}

// An unfit file is no backup, or not all of one: what it is, in words that
// follow its name.
type unfit string

const (
	cutShort unfit = "is cut short"
	noBackup unfit = "is not a floorwalker backup"
)

// Error says it of a file that was named before.
func (u unfit) Error() string { return "the file " + string(u) }

// readBackup reads a backup, gives each file but the manifest to fn, and returns
// an error unless all of them were as the manifest says. Until then fn's work is
// not to be relied on.
func readBackup(r io.Reader, fn func(name string, content io.Reader) error) (manifest, error) {
	in := tar.NewReader(r)
	var got []manifestFile
	for {
		h, err := in.Next()
		if err != nil {
			return manifest{}, unreadable(err, len(got) == 0)
		}
		if err := checkEntry(h, got); err != nil {
			return manifest{}, err
		}
		if h.Name == backupManifest {
			return readManifest(in, got)
		}
		sum := sha256.New()
		content := io.TeeReader(in, sum)
		err = fn(h.Name, content)
		if err == nil {
			_, err = io.Copy(io.Discard, content)
		}
		if err != nil {
			return manifest{}, unreadable(err, false)
		}
		got = append(got, manifestFile{h.Name, h.Size, hex.EncodeToString(sum.Sum(nil))})
	}
}

// unreadable words errors of reading a tar file: at its beginning, or after
// files of a backup.
func unreadable(err error, beginning bool) error {
	ends := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case beginning && (ends || errors.Is(err, tar.ErrHeader)):
		return noBackup
	case ends:
		return cutShort
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("%w: there is something else between its files", ErrDamaged)
	}
	return err
}

// checkEntry refuses what no backup holds: other names, which might lead outside
// of its directory, links, a file twice.
func checkEntry(h *tar.Header, before []manifestFile) error {
	dir, base := path.Split(h.Name)
	date, isDay := strings.CutSuffix(base, daySuffix)
	_, err := schedule.ParseDate(date)
	known := h.Name == backupLive || h.Name == backupManifest || dir == backupHistory && isDay && err == nil
	if !known || h.Typeflag != tar.TypeReg {
		return unfit(fmt.Sprintf("%s: it holds %q, which no backup does", string(noBackup), h.Name))
	}
	if slices.ContainsFunc(before, func(f manifestFile) bool { return f.Name == h.Name }) {
		return fmt.Errorf("%w: it holds %s twice", ErrDamaged, h.Name)
	}
	return nil
}

// readManifest reads the manifest and compares it with the files that were read.
func readManifest(r io.Reader, got []manifestFile) (manifest, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return manifest{}, unreadable(err, false)
	}
	m, err := decode[manifest]("manifest", "the backup", text)
	switch {
	case err != nil:
		return manifest{}, err
	case m.Format > backupFormat:
		return manifest{}, fmt.Errorf("made by a newer version: format %d, and this version knows up to %d; upgrade", m.Format, backupFormat)
	case !slices.ContainsFunc(got, func(f manifestFile) bool { return f.Name == backupLive }):
		return manifest{}, fmt.Errorf("%w: it holds no database", ErrDamaged)
	}
	for _, want := range m.Files {
		i := slices.IndexFunc(got, func(f manifestFile) bool { return f.Name == want.Name })
		if i < 0 || got[i] != want {
			return manifest{}, fmt.Errorf("%w: %s is not as the manifest says", ErrDamaged, want.Name)
		}
	}
	if len(got) != len(m.Files) {
		return manifest{}, fmt.Errorf("%w: it holds files that the manifest does not name", ErrDamaged)
	}
	return m, nil
}
