package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// end ends the program by a signal, and waits until it is gone.
func (s *killSite) end(cmd *exec.Cmd, by syscall.Signal) {
	s.t.Helper()
	if err := cmd.Process.Signal(by); err != nil {
		s.t.Errorf("the program ended by itself: %v", err)
	}
	err := cmd.Wait()
	s.output.Close()
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus); {
	case by == syscall.SIGKILL && (!failed || !status.Signaled() || status.Signal() != by):
		s.t.Errorf("the program was not killed, but ended: %v", err)
	case by != syscall.SIGKILL && err != nil:
		s.t.Errorf("told to stop, the program ended with %v (%v)", err, exit)
	}
}

// killSomehow kills the program: sometimes while it reads its configuration anew,
// sometimes while it ends. That may come first, and if it has only just begun it
// does not know these signals yet, and dies of them.
func (s *killSite) killSomehow(cmd *exec.Cmd) {
	s.t.Helper()
	signal := []os.Signal{nil, nil, syscall.SIGHUP, syscall.SIGTERM}[s.rnd.IntN(4)]
	if signal == nil {
		s.end(cmd, syscall.SIGKILL)
		return
	}
	if err := cmd.Process.Signal(signal); err != nil {
		s.t.Errorf("the program ended by itself: %v", err)
	}
	time.Sleep(rand.N(60 * time.Millisecond))
	cmd.Process.Kill() // it may be gone
	err := cmd.Wait()
	s.output.Close()
	if status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus); err != nil && !status.Signaled() {
		s.t.Errorf("told to stop, the program ended with %v", err)
	}
}

// stop stops the program for a time.
func (s *killSite) stop(cmd *exec.Cmd, d time.Duration) {
	s.t.Helper()
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(d)
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		s.t.Fatal(err)
	}
}
