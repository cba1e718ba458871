package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"floorwalker/bot"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

func TestMaxSize(t *testing.T) {
	c := testConfig(t)
	c.MaxSize = 4 << 20
	s := open(t, c)
	n := 0
	var err error
	for ; err == nil && n < 1000; n++ {
		err = s.Record(bot.AuditEntry{At: noon, Detail: strings.Repeat("x", 30000)})
	}
	if !errors.Is(err, bot.ErrNotSaved) || n < 20 {
		t.Fatalf("after %d entries: %v, want ErrNotSaved", n, err)
	}
	if s.Err() != nil {
		t.Errorf("a full disk has stopped the store: %v", s.Err())
	}
	if err := s.Trim(noon.Add(1000*keepDone), keepDone); err != nil {
		t.Fatalf("deleting on a full disk: %v", err)
	}
	mustLink(t, s, linkOf("slack:U1", pair("17", "t1")))
	checkSound(t, reopen(t, s))
}

func TestIsFull(t *testing.T) {
	for _, full := range []error{
		bolterrors.ErrMaxSizeReached,
		&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC},
		&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT},
		fmt.Errorf("file resize error: %s", &fs.PathError{Op: "truncate", Path: "x", Err: syscall.EFBIG}),
	} {
		if !isFull(full) {
			t.Errorf("%v is a full disk", full)
		}
	}
	for _, other := range []error{syscall.EIO, fs.ErrClosed, errors.New("no luck")} {
		if isFull(other) {
			t.Errorf("%v is not a full disk", other)
		}
	}
}

func TestVisible(t *testing.T) {
	s := open(t, testConfig(t))
	tx, err := s.db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	id := tx.ID()
	if err := tx.Bucket([]byte(bucketMeta)).Put([]byte("x"), []byte("y")); err != nil {
		t.Fatal(err)
	}
	if visible(s.db, id) {
		t.Error("visible before the commit")
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if !visible(s.db, id) {
		t.Error("not visible after the commit")
	}
	var closed bolt.DB
	if !visible(&closed, id) {
		t.Error("what cannot be read must count as written")
	}
}
