package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
)

var seconds = flag.Int("seconds", 3, "rounds of TestSecondProcess, at most 12: run it several times for more")

// TestSecondProcess starts a second serve on the same database, while the first
// one runs and while it is stopped. It is refused each time, says by whom, and
// takes nothing from the first: neither its socket nor its pid file, nor does it
// send anything twice.
func TestSecondProcess(t *testing.T) {
	s := newSlackSite(t, "")
	first := s.process("serve")
	s.awaitSockets(1)
	pid := filepath.Join(s.dir, "floorwalker.db.pid")
	for round := range *seconds {
		for _, stopped := range []bool{false, true} {
			if stopped {
				tell(t, first, syscall.SIGSTOP)
			}
			out, err := s.refused("serve")
			if err == nil || err.ExitCode() != exitFailed || !strings.Contains(out, fmt.Sprintf("floorwalker.db is in use by process %d", first.Process.Pid)) {
				t.Fatalf("round %d, the first one stopped: %v: the second ends with %v and says\n%s", round, stopped, err, out)
			}
			if text, err := os.ReadFile(pid); err != nil || strings.TrimSpace(string(text)) != fmt.Sprint(first.Process.Pid) {
				t.Fatalf("round %d: the pid file holds %q (%v)", round, text, err)
			}
			if stopped {
				tell(t, first, syscall.SIGCONT)
			}
		}
		a := s.floor.Agents()[round]
		user := fmt.Sprintf("slack:U0AGENT%d", round)
		s.slack.AddUser(slacktest.User{ID: strings.TrimPrefix(user, "slack:"), Real: a.Name})
		if out, status := s.command("user_id="+a.UserID+"\ntoken="+a.Token+"\n", "link", user); status != 0 {
			t.Fatalf("round %d: the first one does not answer any more: %s", round, out)
		}
		if _, err := s.slack.WaitMessage(s.ctx, strings.TrimPrefix(user, "slack:"), nil); err != nil {
			t.Fatalf("round %d: nobody is told: %v\n%s", round, err, s.log.String())
		}
	}
	tell(t, first, syscall.SIGTERM)
	if err := first.Wait(); err != nil {
		t.Errorf("the first one ends with %v\n%s", err, s.log.String())
	}
	for round := range *seconds {
		if n := len(s.slack.Messages(fmt.Sprintf("U0AGENT%d", round))); n != 1 {
			t.Errorf("round %d: %d messages", round, n)
		}
	}
}

// process starts the real program.
func (s *slackSite) process(args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := exec.Command("floorwalker", append(args, "--config", s.config)...)
	cmd.Env = append(os.Environ(), "FLOORWALKER_STORE_KEY="+killKey)
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

// refused runs the real program to its end, which must not be long in coming.
func (s *slackSite) refused(args ...string) (string, *exec.ExitError) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "floorwalker", append(args, "--config", s.config)...)
	cmd.Env = append(os.Environ(), "FLOORWALKER_STORE_KEY="+killKey)
	out, err := cmd.CombinedOutput()
	exit, _ := err.(*exec.ExitError)
	return string(out), exit
}

func (s *slackSite) awaitSockets(n int) {
	s.t.Helper()
	if _, err := s.slack.WaitSockets(s.ctx, n); err != nil {
		s.t.Fatalf("serve did not connect: %v\n%s", err, s.log.String())
	}
}

func tell(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}
