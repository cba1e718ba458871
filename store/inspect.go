package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrDamaged is a record or a file that is not as the store wrote it: damaged,
// or changed or moved by somebody else who can write the file.
var ErrDamaged = errors.New("damaged or tampered with")

// inspect reads a database file whole, without changing it, and returns
// [ErrDamaged] if it is not a sound database. bbolt trusts its pages: a damaged
// one makes it panic, fault, or follow a circle until memory is full.
//
// A damaged meta page is no fault here: it looks like that of a commit that was
// cut short, and the one before counts.
func inspect(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return fmt.Errorf("%w: the file is empty", ErrDamaged)
	}
	// Read-only, bbolt looks at the meta pages and no further.
	db, err := bolt.Open(path, 0, &bolt.Options{ReadOnly: true, Timeout: lockWait})
	if err != nil {
		return notDatabase(err)
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: the file is cut short", ErrDamaged)
		}
		size := int64(db.Info().PageSize)
		c := checker{f, size, make([]bool, tx.Size()/size)}
		return c.bucket(uint64(tx.Cursor().Bucket().RootPage()))
	})
}

// notDatabase tells what bbolt says about the contents of a file from errors of
// the system and of the lock.
func notDatabase(err error) error {
	_, system := errors.AsType[*fs.PathError](err)
	_, errno := errors.AsType[syscall.Errno](err)
	if system || errno || errors.Is(err, bolterrors.ErrTimeout) {
		return err
	}
	return fmt.Errorf("%w: not a database (%w)", ErrDamaged, err)
}

// A checker follows the pages of a bbolt file. Numbers in it are in the byte
// order of the machine that wrote it.
//
//	page            id 8 | flags 2 | count 2 | overflow 4 | elements, then their keys and values
//	branch element  pos 4 | key size 4 | page 8
//	leaf element    flags 4 | pos 4 | key size 4 | value size 4
//	bucket, the value of a leaf element with flag 1   root page 8 | sequence 8 | page, if the root is 0
//
// An overflow is the number of pages by which a page is longer; a pos counts
// from the start of its element.
type checker struct {
	file     io.ReaderAt
	pageSize int64
	used     []bool // by page id: seen already
}

const (
	pageHeader  = 16
	elementSize = 16
	branchPage  = 0x01
	leafPage    = 0x02
	bucketLeaf  = 0x01
)

// bucket checks the tree that starts at a page.
func (c *checker) bucket(root uint64) error { return c.child(root, nil, nil) }

// child reads a page and checks the tree under it.
func (c *checker) child(id uint64, from, to []byte) error {
	page, err := c.read(id)
	if err == nil {
		err = c.tree(page, from, to)
	}
	if err != nil {
		return fmt.Errorf("%w: page %d", err, id)
	}
	return nil
}

// read returns a page with its overflow. No page is read twice.
func (c *checker) read(id uint64) ([]byte, error) {
	if id >= uint64(len(c.used)) {
		return nil, fmt.Errorf("%w: outside the file", ErrDamaged)
	}
	header := make([]byte, pageHeader)
	if _, err := c.file.ReadAt(header, int64(id)*c.pageSize); err != nil {
		return nil, err
	}
	pages := uint64(binary.NativeEndian.Uint32(header[12:])) + 1
	if binary.NativeEndian.Uint64(header) != id || pages > uint64(len(c.used))-id {
		return nil, fmt.Errorf("%w: wrong header", ErrDamaged)
	}
	for i := id; i < id+pages; i++ {
		if c.used[i] {
			return nil, fmt.Errorf("%w: used twice", ErrDamaged)
		}
		c.used[i] = true
	}
	page := make([]byte, int64(pages)*c.pageSize)
	_, err := c.file.ReadAt(page, int64(id)*c.pageSize)
	return page, err
}

// tree checks a page and everything under it, whose keys must ascend in the
// half-open range. A nil limit is none.
func (c *checker) tree(page []byte, from, to []byte) error {
	if len(page) < pageHeader {
		return fmt.Errorf("%w: too short", ErrDamaged)
	}
	flags, count := binary.NativeEndian.Uint16(page[8:]), int(binary.NativeEndian.Uint16(page[10:]))
	if flags != branchPage && flags != leafPage || flags == branchPage && count == 0 {
		return fmt.Errorf("%w: wrong type", ErrDamaged)
	}
	entries := make([]entry, count)
	for i := range entries {
		e, err := entryOf(page, i, flags == branchPage)
		if err != nil {
			return err
		}
		if i > 0 && bytes.Compare(entries[i-1].key, e.key) >= 0 || bytes.Compare(e.key, from) < 0 || to != nil && bytes.Compare(e.key, to) >= 0 {
			return fmt.Errorf("%w: keys out of order", ErrDamaged)
		}
		entries[i] = e
	}
	for i, e := range entries {
		end := to
		if i+1 < len(entries) {
			end = entries[i+1].key
		}
		if err := c.below(e, flags, end); err != nil {
			return err
		}
	}
	return nil
}

// below checks what an entry points to.
func (c *checker) below(e entry, flags uint16, to []byte) error {
	switch {
	case flags == branchPage:
		return c.child(e.page, e.key, to)
	case !e.bucket:
		return nil
	case len(e.value) < 16:
		return fmt.Errorf("%w: a bucket without a header", ErrDamaged)
	}
	if root := binary.NativeEndian.Uint64(e.value); root != 0 {
		return c.bucket(root)
	}
	return c.tree(e.value[16:], nil, nil)
}

// An entry is an element of a page.
type entry struct {
	key    []byte
	page   uint64 // of a branch
	value  []byte // of a leaf
	bucket bool   // the value is one
}

// entryOf reads element i of a page.
func entryOf(page []byte, i int, branch bool) (entry, error) {
	start := pageHeader + i*elementSize
	if start+elementSize > len(page) {
		return entry{}, fmt.Errorf("%w: too many elements", ErrDamaged)
	}
	element := page[start:]
	word := func(n int) uint64 { return uint64(binary.NativeEndian.Uint32(element[4*n:])) }
	if branch {
		pos, size := word(0), word(1)
		if pos+size > uint64(len(element)) {
			return entry{}, fmt.Errorf("%w: a key outside its page", ErrDamaged)
		}
		return entry{key: element[pos : pos+size], page: binary.NativeEndian.Uint64(element[8:])}, nil
	}
	pos, keySize, valueSize := word(1), word(2), word(3)
	if pos+keySize+valueSize > uint64(len(element)) {
		return entry{}, fmt.Errorf("%w: a value outside its page", ErrDamaged)
	}
	data := element[pos : pos+keySize+valueSize]
	return entry{key: data[:keySize], value: data[keySize:], bucket: word(0)&bucketLeaf != 0}, nil
}
