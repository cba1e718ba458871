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
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
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
	case "newday":
		return beginDayAtLimit(s)
	case "rekey":
		return rekeyForEver(s)
	case "deliver":
		return deliverForEver(s, args[1])
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

// deliverForEver promises messages, sends them by saying so, and keeps samples,
// one step after the other.
func deliverForEver(s *Store, round string) int {
	linked, err := s.Link(linkOf("slack:U1", pair("17", "tok-1")))
	if err == nil {
		_, err = s.Recover(noon)
	}
	for i := 0; err == nil; i++ {
		key := fmt.Sprintf("k%sx%d", round, i)
		if err = s.Update(func(tx bot.Tx) error {
			_, err := tx.Enqueue(rowTo(key, fmt.Sprint("slack:U", i%3), bot.LaneAlert))
			return err
		}); err != nil {
			break
		}
		fmt.Println("promised", key)
		tick, _ := strconv.Atoi(round)
		if err = s.AppendHistory(minutes(linked.Agent.ID, noon.Add(time.Duration(1000*tick+i)*time.Minute), 1)); err != nil {
			break
		}
		fmt.Println("kept", linked.Agent.ID)
		if i%50 == 49 {
			s.history.compactEnded(noon.AddDate(1, 0, 0))
		}
		err = deliverDue(s)
	}
	fmt.Println(err)
	return 1
}

// deliverDue sends what is due.
func deliverDue(s *Store) error {
	rows, _, err := s.Lease(chat.Slack, noon, noon.Add(time.Hour), 2)
	for _, r := range rows {
		if err != nil {
			return err
		}
		fmt.Printf("sending %s %v\n", r.Key, r.InDoubt)
		err = s.Settle(r.Key, bot.Outcome{State: bot.RowSent, At: noon, Attempt: r.Attempts})
		fmt.Println("settled", r.Key)
	}
	return err
}

// TestKillDelivery kills a deliverer at random moments. What it promised is
// delivered, and twice only if the second time it is in doubt. What it kept is
// there.
func TestKillDelivery(t *testing.T) {
	c := testConfig(t)
	promised, sent, kept := map[string]bool{}, map[string]int{}, 0
	id := bot.AgentID("")
	sending := func(key string, inDoubt bool) {
		if sent[key]++; sent[key] > 1 && !inDoubt {
			t.Errorf("%s sent again without a doubt", key)
		}
	}
	for round := range 8 {
		cmd := command(t, "deliver", c.Path, fmt.Sprint(round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		kill := 10 + rand.IntN(200)
		for n := 0; lines.Scan(); n++ {
			switch words := strings.Fields(lines.Text()); {
			case len(words) == 2 && words[0] == "promised":
				promised[words[1]] = true
			case len(words) == 2 && words[0] == "kept":
				id = bot.AgentID(words[1])
				kept++
			case len(words) == 3 && words[0] == "sending":
				sending(words[1], words[2] == "true")
			case len(words) != 2 || words[0] != "settled":
				t.Fatalf("round %d: the deliverer says: %s", round, lines.Text())
			}
			if n == kill {
				time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait() // killed, says its error
	}

	s := open(t, c)
	if _, err := s.Recover(noon); err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		rows, _, err := s.Lease(chat.Slack, noon, noon.Add(time.Hour), 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			sending(r.Key, r.InDoubt)
			settle(t, s, r.Key, bot.Outcome{State: bot.RowSent, At: noon})
		}
		more = len(rows) > 0
	}
	for key := range promised {
		if r := rowOf(t, s, key); r.State != bot.RowSent || sent[key] == 0 {
			t.Errorf("%s is %s, and was sent %d times", key, r.State, sent[key])
		}
	}
	if n, err := readAll(s, id); n < kept || err != nil || kept < 50 {
		t.Errorf("%d samples, %v, of %d that were kept", n, err, kept)
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

// beginDayAtLimit makes the first file of a history where no file may have a page,
// and again when the limit is lifted.
func beginDayAtLimit(s *Store) int {
	signal.Ignore(syscall.SIGXFSZ)
	linked, err := s.Link(linkOf("slack:U1", pair("17", "tok-1")))
	limit := syscall.Rlimit{Cur: 1, Max: math.MaxUint64}
	if err := errors.Join(err, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)); err != nil {
		fmt.Println(err)
		return 1
	}
	samples := minutes(linked.Agent.ID, noon, 3)
	full := s.AppendHistory(samples)
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("not saved:", errors.Is(full, bot.ErrNotSaved), "failed:", s.Err() != nil, "then:", s.AppendHistory(samples))
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
