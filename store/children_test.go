package store

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"floorwalker/bot"
)

// child is the test binary in the role of another process.
func child(role string, args []string) int {
	s, err := Open(Config{Path: args[0], Key: testKey})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer s.Close()
	switch role {
	case "open":
		fmt.Println("opened")
		return 0
	case "write":
		return writeForEver(s, args[1])
	case "limited":
		return writeUntilLimit(s)
	}
	return 2
}

// command prepares a child.
func command(t testing.TB, role string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), "STORE_TEST_ROLE="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestSecondProcess(t *testing.T) {
	s := open(t, testConfig(t))
	out, err := command(t, "open", s.path).Output()
	if want := fmt.Sprintf("%s is in use by process %d\n", s.path, os.Getpid()); string(out) != want || err == nil {
		t.Errorf("second process: %q, %v; want %q", out, err, want)
	}
	if _, err := Open(s.config); err == nil {
		t.Error("opened twice in one process")
	} else if e, ok := errors.AsType[*InUseError](err); !ok || e.PID != os.Getpid() {
		t.Errorf("opened twice in one process: %v", err)
	}
	if err := os.Remove(s.config.pidPath()); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, "open", s.path).Output(); !strings.Contains(string(out), "in use by another process") || err == nil {
		t.Errorf("without a pid file: %q, %v", out, err)
	}

	// A pid file that a killed process left says nothing when the lock is free.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config.pidPath(), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, "open", s.path).Output(); string(out) != "opened\n" || err != nil {
		t.Errorf("with a stale pid file: %q, %v", out, err)
	}
	if _, err := os.Stat(s.config.pidPath()); err == nil {
		t.Error("the pid file is there after closing")
	}
}

// writeForEver links agents, deletes every third again, and says so after each.
func writeForEver(s *Store, round string) int {
	for i := 0; ; i++ {
		name := fmt.Sprintf("slack:U%sx%d", round, i)
		linked, err := s.Link(linkOf(name, pair(name, "tok-"+name)))
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("linked", name)
		if i%3 != 0 {
			continue
		}
		fmt.Println("unlinking", name)
		if _, err := s.Unlink(linked.Agent.ID, bot.AuditEntry{Action: "unlink"}, ""); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("unlinked", name)
	}
}

// TestKill kills a writer at random moments, compactions among them. What it
// acknowledged must be there.
func TestKill(t *testing.T) {
	c := testConfig(t)
	state := map[string]string{}
	for round := range 8 {
		cmd := command(t, "write", c.Path, fmt.Sprint(round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		kill := 2 + rand.IntN(30)
		for n := 0; lines.Scan(); n++ {
			verb, name, ok := strings.Cut(lines.Text(), " ")
			if !ok || !strings.HasPrefix(name, "slack:") {
				t.Fatalf("round %d: the writer says: %s", round, lines.Text())
			}
			state[name] = verb
			if n == kill {
				time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait() // killed, says its error

		s, err := Open(c)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		checkSound(t, s)
		for name, verb := range state {
			_, err := s.AgentAt(at(name))
			switch {
			case verb == "linked" && err != nil, verb == "unlinked" && !errors.Is(err, bot.ErrNotLinked):
				t.Errorf("round %d: %s was %s: %v", round, name, verb, err)
			}
		}
		s.Close()
		if left, err := filepath.Glob(c.Path + ".*"); err != nil || len(left) > 0 {
			t.Errorf("round %d: left over: %v, %v", round, left, err)
		}
	}
	if len(state) < 16 {
		t.Errorf("only %d links in all rounds", len(state))
	}
}

// writeUntilLimit fills the file up to a limit that the system enforces, and
// goes on when the limit is lifted.
func writeUntilLimit(s *Store) int {
	signal.Ignore(syscall.SIGXFSZ)
	info, err := os.Stat(s.path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	limit := syscall.Rlimit{Cur: uint64(info.Size()) + growth + growth/2, Max: math.MaxUint64}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	for i := 0; err == nil; i++ {
		err = s.Record(bot.AuditEntry{Detail: strings.Repeat("x", 30000)})
	}
	fmt.Println("not saved:", errors.Is(err, bot.ErrNotSaved), "failed:", s.Err() != nil)
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	if _, err := s.Link(linkOf("slack:U1", pair("17", "tok-1"))); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func TestFullDisk(t *testing.T) {
	s := open(t, testConfig(t))
	mustLink(t, s, linkOf("slack:U0", pair("16", "tok-0")))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, "limited", s.path).Output()
	if string(out) != "not saved: true failed: false\n" || err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	s = open(t, s.config)
	for _, addr := range []string{"slack:U0", "slack:U1"} {
		if _, err := s.AgentAt(at(addr)); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
	checkSound(t, s)
}
