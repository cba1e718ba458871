package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"floorwalker/bot/schedule"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The buckets of a day's file, see the package comment. Its meta bucket is like
// that of the live file, with another record beside the compaction's.
const (
	bucketNames  = "names"
	bucketChunks = "chunks"

	keyDay = "day"

	dayFormat = 1
)

// dayForm says what a day's file is. It must stay readable by every version.
type dayForm struct {
	Format int           `json:"format"`
	Date   schedule.Date `json:"date"`
}

// The values of the compaction's record in a day's file.
const (
	compactLater = 0x01 // written to since the last one
	compactSoon  = 0x02 // samples of a forgotten agent may lie in free pages
)

// A day is a file of history: the samples with ticks on one UTC date.
type day struct {
	date schedule.Date
	path string
	keys atomic.Pointer[keyTable] // as of some transaction

	compacted bool // as far as this process knows; guarded by history.writing

	file     sync.RWMutex // guards what follows; held for reading as long as a transaction
	db       *bolt.DB     // nil: closed
	writable bool
	sound    bool  // inspected by this process
	gone     error // why the file cannot be opened any more
}

var (
	errDeleted = errors.New("the day is deleted")
	errClosed  = errors.New("the store is closed")
)

// start and end are the day's, in Unix seconds.
func (d *day) start() int64 { return int64(d.date) * 24 * 60 * 60 }
func (d *day) end() int64   { return int64(d.date+1) * 24 * 60 * 60 }

// open opens the file, to write if asked to. It never makes a file.
func (d *day) open(c Config, write bool) error {
	d.file.Lock()
	defer d.file.Unlock()
	switch {
	case d.gone != nil:
		return d.gone
	case d.db != nil && (d.writable || !write):
		return nil
	}
	if err := d.close(); err != nil {
		return err
	}
	if !d.sound {
		if err := inspect(d.path); err != nil {
			return err
		}
	}
	o := c.options()
	if !write {
		o = &bolt.Options{ReadOnly: true, Timeout: lockWait}
	}
	db, err := openBolt(d.path, existing(o))
	if errors.Is(err, bolterrors.ErrTimeout) {
		return &InUseError{Path: d.path}
	}
	if err != nil {
		return err
	}
	if err := db.View(d.gate); err != nil {
		return errors.Join(err, db.Close())
	}
	d.db, d.writable, d.sound = db, write, true
	return nil
}

// close closes the file, if it is open. Call it with d.file locked.
func (d *day) close() error {
	if d.db == nil {
		return nil
	}
	db := d.db
	d.db = nil
	return db.Close()
}

// gate refuses a file that is not this day's.
func (d *day) gate(tx *bolt.Tx) error {
	for _, name := range dayBuckets() {
		if tx.Bucket([]byte(name)) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	form, err := decode[dayForm](bucketMeta, keyDay, tx.Bucket([]byte(bucketMeta)).Get([]byte(keyDay)))
	switch {
	case err != nil:
		return err
	case form.Format > dayFormat:
		return fmt.Errorf("written by a newer version: format %d, and this version knows up to %d; upgrade", form.Format, dayFormat)
	case form.Date != d.date:
		return fmt.Errorf("%w: the file of %s under another name", ErrDamaged, form.Date)
	}
	return nil
}

func dayBuckets() []string { return []string{bucketMeta, bucketAgents, bucketNames, bucketChunks} }

// initialize writes an empty day.
func (d *day) initialize(tx *bolt.Tx) error {
	t := txn{Tx: tx}
	if err := t.create(dayBuckets()); err != nil {
		return err
	}
	form, err := encode(dayForm{dayFormat, d.date})
	if err != nil {
		return err
	}
	return t.put(bucketMeta, keyDay, form)
}

// A keyTable numbers the keys of values in the order in which they came. It does
// not change once others may see it.
type keyTable struct {
	texts   []string
	numbers map[string]int
}

// table returns the keys as of a transaction, which must not have added any.
func (d *day) table(tx *bolt.Tx) (*keyTable, error) {
	b := tx.Bucket([]byte(bucketNames))
	if known := d.keys.Load(); known != nil && uint64(len(known.texts)) == b.Sequence() {
		return known, nil // keys are only ever added
	}
	t := &keyTable{numbers: map[string]int{}}
	err := b.ForEach(func(number, text []byte) error {
		if len(number) != 4 || int(binary.BigEndian.Uint32(number)) != len(t.texts) {
			return fmt.Errorf("%w: the numbers of keys have a gap", ErrDamaged)
		}
		t.numbers[string(text)] = len(t.texts)
		t.texts = append(t.texts, string(text))
		return nil
	})
	if err == nil && uint64(len(t.texts)) != b.Sequence() {
		err = fmt.Errorf("%w: keys are missing", ErrDamaged)
	}
	if err == nil {
		d.keys.Store(t)
	}
	return t, err
}

// with returns the table with a key added.
func (t *keyTable) with(text string) *keyTable {
	next := &keyTable{append(slices.Clone(t.texts), text), maps.Clone(t.numbers)}
	next.numbers[text] = len(t.texts)
	return next
}

// existing lets bbolt open a file only if it is there.
func existing(o *bolt.Options) *bolt.Options {
	o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		return os.OpenFile(name, flag&^os.O_CREATE, mode)
	}
	return o
}

// remove deletes the file.
func (d *day) remove() error {
	d.file.Lock()
	defer d.file.Unlock()
	if err := d.close(); err != nil {
		return err
	}
	if err := os.Remove(d.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d.gone = errDeleted
	return syncDir(filepath.Dir(d.path))
}

// compact copies the records to a new file, for replace. No one may write
// meanwhile.
func (d *day) compact(c Config, src *bolt.DB) error {
	db, err := compacted(src, d.path+compactSuffix, c.options())
	if err != nil {
		return err
	}
	var size int64
	err = db.View(func(tx *bolt.Tx) error {
		size = tx.Size()
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return os.Truncate(d.path+compactSuffix, size) // it had room to grow
}

// replace puts the file that compact made in the place of the old one. A crash
// leaves one of the two, complete.
func (d *day) replace() error {
	d.file.Lock()
	defer d.file.Unlock()
	if err := d.close(); err != nil {
		return err
	}
	if err := os.Rename(d.path+compactSuffix, d.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(d.path))
}
