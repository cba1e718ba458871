package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"floorwalker/bot"
)

// breakFile puts a file that cannot be written in the place of the open one.
func breakFile(t *testing.T, path string) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
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
