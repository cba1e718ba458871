package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// breakFile puts a file that cannot be written in the place of the open one.
func breakFile(t *testing.T, path string) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("needs /proc")
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err != nil || to != path {
			continue
		}
		readOnly, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer readOnly.Close()
		var n int
		if _, err := fmt.Sscan(fd.Name(), &n); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Dup3(int(readOnly.Fd()), n, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("the database is not open")
}

func TestFailedCommitStopsTheStore(t *testing.T) {
	s := open(t, testConfig(t))
	mustLink(t, s, linkOf("slack:U1", pair("17", "t1")))
	select {
	case <-s.Failed():
		t.Fatal("failed before anything went wrong")
	default:
	}
	breakFile(t, s.path)
	err := s.Record(bot.AuditEntry{At: noon, Action: "lost"})
	if err == nil || errors.Is(err, bot.ErrNotSaved) {
		t.Fatalf("a write to a broken file: %v", err)
	}
	select {
	case <-s.Failed():
	default:
		t.Fatal("Failed is not closed")
	}
	if s.Err() == nil {
		t.Fatal("no reason given")
	}
	for _, next := range []error{
		s.Record(bot.AuditEntry{At: noon}),
		s.SetLinkState("x", bot.LinkRelink, "", noon),
	} {
		if next == nil || next.Error() != s.Err().Error() {
			t.Errorf("a later write: %v, want %v", next, s.Err())
		}
	}
	s.Close()
	s = open(t, s.config)
	if _, err := s.AgentAt(at("slack:U1")); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	checkSound(t, s)
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
