package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard/sim"
	"floorwalker/store"
)

var (
	syncs = flag.Int("syncs", 4, "how many syncs TestSyncFails lets fail, one in each run of the program")
	fills = flag.Int("fills", 1, "how often TestDiskFull fills the disk")
)

// A diskSite is the program on files that go wrong. It serves no network; people
// are linked through its office, one after the other.
type diskSite struct {
	t      *testing.T
	dir    string // of the files
	config string
	ops    string
	floor  *sim.Sim
	saved  []chat.Address // acknowledged
	next   int
	output *syncBuffer // of the last start
}

func newDiskSite(t *testing.T, dir string) *diskSite {
	s := &diskSite{t: t, dir: dir, config: filepath.Join(t.TempDir(), "config.yaml"), ops: freeAddress(t)}
	s.floor = sim.New(sim.Config{Seed: 1, Agents: 1000})
	api := httptest.NewServer(s.floor)
	t.Cleanup(api.Close)
	text := fmt.Sprintf(`
dashboard: {base_url: %q, poll_interval: 1s, cache_for: 0s}
ops: {listen: %q}
store: {path: %s, key: %s}
teams:
  - name: support
    shifts: [{name: all, days: [mon-sun], start: "00:00", end: "00:00"}]
`, api.URL, s.ops, s.database(), killKey)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *diskSite) database() string { return filepath.Join(s.dir, "floorwalker.db") }

// start starts a program that serves, perhaps under another one.
func (s *diskSite) start(program string, under ...string) *exec.Cmd {
	s.t.Helper()
	s.output = &syncBuffer{}
	args := append(under, program, "serve", "--config", s.config)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stdout, cmd.Stderr = s.output, s.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	return cmd
}

// office waits until the program is there.
func (s *diskSite) office(ctx context.Context) *clerk {
	s.t.Helper()
	for ctx.Err() == nil {
		if c := dialOffice(ctx, s.database()+".sock"); c != nil {
			return c
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatalf("the program does not start\n%s", s.output.String())
	return nil
}

// waitRed waits until readiness names a part as not well, or does not.
func (s *diskSite) waitRed(ctx context.Context, part string, want bool) {
	s.t.Helper()
	for ; ; time.Sleep(20 * time.Millisecond) {
		var state struct{ Reasons []string }
		resp, err := http.Get("http://" + s.ops + "/readyz")
		if err == nil {
			err = json.NewDecoder(resp.Body).Decode(&state)
			resp.Body.Close()
		}
		named := slices.ContainsFunc(state.Reasons, func(r string) bool { return strings.HasPrefix(r, part+": ") })
		if err == nil && named == want {
			return
		}
		if ctx.Err() != nil {
			s.t.Fatalf("readiness names %s, want %t: %v %q\n%s", part, want, err, state.Reasons, s.output.String())
		}
	}
}

// link links the next agent of the floor, and notes it if that is acknowledged.
func (s *diskSite) link(ctx context.Context, c *clerk) error {
	a := s.floor.Agents()[s.next]
	who := chat.Address{Network: chat.Slack, ID: fmt.Sprintf("U0P%04d", s.next)}
	s.next++
	args := linkArgs{User: who.String(), Name: a.Name, Teams: []string{"support"}, UserID: a.UserID, Token: a.Token, NoVerify: true, Actor: "cli:0"}
	if _, err := ask[linkResult](ctx, c, "link", args); err != nil {
		return err
	}
	s.saved = append(s.saved, who)
	return nil
}

// judge opens the files: whatever was acknowledged is there, and at most so many
// more.
func (s *diskSite) judge(more int) {
	s.t.Helper()
	st, err := store.Open(store.Config{Path: s.database(), Key: secret.New(killKey), Existing: true})
	if err != nil {
		s.t.Fatal(err)
	}
	defer st.Close()
	for _, who := range s.saved {
		if _, err := st.AgentAt(who); err != nil {
			s.t.Errorf("%s was acknowledged, and is not there: %v", who, err)
		}
	}
	n := 0
	for _, err := range st.Agents() {
		if err != nil {
			s.t.Error(err)
		}
		n++
	}
	if extra := n - len(s.saved); extra > more {
		s.t.Errorf("%d agents are there, %d were acknowledged, at most %d have no answer", n, len(s.saved), more)
	}
}

// staticProgram builds the program as it is installed: without C, so that strace
// sees all of its system calls from one place.
func staticProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "floorwalker")
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// TestSyncFails lets one sync of the database fail, of a program that links
// people: it must acknowledge nothing afterwards and end with status 1, and all
// that it acknowledged before is there when it starts again.
//
// strace counts the syncs of each thread, and Go changes threads: which sync
// fails is not certain, so a run in which none did proves nothing, and says so.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	if err := command("strace", "-o", "/dev/null", "true"); err != nil {
		t.Skipf("skipped: no strace here: %v", err)
	}
	program := staticProgram(t)
	failed := 0
	s := newDiskSite(t, t.TempDir())
	s.plant(program, 1)
	for n := 1; n <= *syncs; n++ {
		if s.failSync(program, n) {
			failed++
		}
		s.judge(n) // each run leaves at most one without an answer
	}
	if failed == 0 {
		t.Errorf("in %d runs no sync failed: this proves nothing", *syncs)
	}
	t.Logf("%d runs, in %d a sync failed; %d links acknowledged", *syncs, failed, len(s.saved))
}

// plant makes the database, with some links.
func (s *diskSite) plant(program string, links int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	cmd := s.start(program, "env")
	c := s.office(ctx)
	var err error
	for range links {
		err = errors.Join(err, s.link(ctx, c))
	}
	c.close()
	if err := errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		s.t.Fatalf("%v\n%s", err, s.output.String())
	}
}

// failSync runs the program with one failing sync and says whether it met it.
func (s *diskSite) failSync(program string, n int) bool {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	cmd := s.start(program, "strace", "-f", "-qq", "-o", "/dev/null", "-P", s.database(), "-e", "trace=fdatasync,fsync",
		"-e", fmt.Sprintf("inject=fdatasync,fsync:error=EIO:when=%d", n), "env")
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	acknowledged := s.linkUntil(ctx, 3*n, ended)
	if acknowledged {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // in vain if a sync of its own has failed meanwhile
	}
	err := <-ended
	switch code := cmd.ProcessState.ExitCode(); {
	case code == 0 && acknowledged:
		return false
	case code != exitFailed:
		s.t.Errorf("after sync %d failed, the program ended with %v\n%s", n, err, s.output.String())
	}
	return true
}

// linkUntil links so many people, and says whether all of it was acknowledged.
// After one that was not, nothing may be. The program may end before it can be
// asked.
func (s *diskSite) linkUntil(ctx context.Context, most int, ended chan error) bool {
	s.t.Helper()
	var c *clerk
	for c == nil {
		if c = dialOffice(ctx, s.database()+".sock"); c != nil {
			break
		}
		select {
		case err := <-ended:
			ended <- err
			return false
		case <-ctx.Done():
			s.t.Fatalf("the program does not start\n%s", s.output.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	defer c.close()
	for range most {
		if s.link(ctx, c) == nil {
			continue
		}
		if s.link(ctx, c) == nil {
			s.t.Error("after a failed sync, something was acknowledged")
		}
		return false
	}
	return true
}

// TestDiskFull fills the disk under the program: it says that nothing is saved,
// is not ready, stays up, and works again when there is space.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mountMemory(t, dir, "1m")
	s := newDiskSite(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := s.start("floorwalker", "env")
	c := s.office(ctx)
	defer c.close()
	if err := s.link(ctx, c); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	for range *fills {
		s.waitRed(ctx, "disk", false)
		if err := os.WriteFile(filler, make([]byte, 2<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("the disk is not full: %v", err)
		}
		refused := 0
		for range 400 { // until the free pages of the file are used up
			err := s.link(ctx, c)
			if err == nil {
				continue
			}
			if refused++; !strings.Contains(err.Error(), "not saved") {
				t.Errorf("on a full disk: %v", err)
			}
			if refused == 3 {
				break
			}
		}
		if refused == 0 {
			t.Error("the disk was full, and everything was acknowledged")
		}
		s.waitRed(ctx, "disk", true) // although free pages of the file may do for polls
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if err := s.link(ctx, c); err != nil {
			t.Errorf("with space again: %v", err)
		}
	}
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		t.Errorf("%v\n%s", err, s.output.String())
	}
	s.judge(0)
}

// TestDiskFullWithoutPolls: a full disk that only a command has met is not ready
// until there is room again, also if something small is saved in between.
func TestDiskFullWithoutPolls(t *testing.T) {
	dir := t.TempDir()
	mountMemory(t, dir, "1m")
	st, err := store.Open(store.Config{Path: filepath.Join(dir, "floor.db"), Key: secret.New(killKey)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	health := &Health{}
	b := bot.New(bot.Config{}, nil, st, discard{}, slog.New(slog.DiscardHandler))
	l := &lookout{health: health, bot: b, store: st, house: &beat{}, began: time.Now()}
	ready := func(when string, want bool) {
		t.Helper()
		l.look(time.Now())
		if reasons := health.Reasons(time.Now()); (reasons["disk"] == "") != want {
			t.Errorf("%s: not ready for %q", when, reasons)
		}
	}
	ready("before", true)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 2<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	ready("full, and nobody has met it", true)
	large := bot.AuditEntry{Actor: "cli:0", Action: "backup", Detail: strings.Repeat("x", 512<<10)}
	if err := st.Record(large); !errors.Is(err, bot.ErrNotSaved) {
		t.Fatalf("on a full disk: %v", err)
	}
	ready("met by a command", false)
	if err := st.Record(bot.AuditEntry{Actor: "cli:0", Action: "backup"}); err != nil {
		t.Fatalf("free pages do not do for a small one: %v", err)
	}
	ready("after a small one", false)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	ready("with room again", true)
	if files, err := filepath.Glob(filepath.Join(dir, "*.new-*")); err != nil || len(files) > 0 {
		t.Errorf("left over: %q, %v", files, err)
	}
}

// TestPageDamaged overwrites one page of the database after the other: the
// program must refuse it in one sentence or have every link, and never begin
// with an empty one. With one of the two pages at the beginning, of which each
// commit writes the other, the last commit may go.
func TestPageDamaged(t *testing.T) {
	t.Parallel()
	s := newDiskSite(t, t.TempDir())
	s.plant("floorwalker", 40)
	sound, err := os.ReadFile(s.database())
	if err != nil {
		t.Fatal(err)
	}
	page, refused := os.Getpagesize(), 0
	for at := 0; at < len(sound); at += page {
		damaged := bytes.Clone(sound)
		copy(damaged[at:], bytes.Repeat([]byte{0x5a}, page))
		if err := os.WriteFile(s.database(), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		status := run(t.Context(), []string{"links", "--config", s.config}, streams{strings.NewReader(""), &out, &out})
		missing := 0
		for _, who := range s.saved {
			if !strings.Contains(out.String(), who.String()) {
				missing++
			}
		}
		switch {
		case status == 0 && (missing > 1 || missing == 1 && at >= 2*page):
			t.Errorf("page %d is damaged, and the program does not know %d of %d people", at/page, missing, len(s.saved))
		case status == exitFailed:
			refused++
		case status != 0:
			t.Errorf("page %d is damaged, and the program ends with status %d\n%s", at/page, status, out.String())
		}
	}
	if refused == 0 {
		t.Error("no damage was noticed")
	}
	t.Logf("%d pages, %d refused", len(sound)/page, refused)
}
