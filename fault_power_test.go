package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var cuts = flag.Int("cuts", 2, "rounds of TestPowerFailure, more if nothing was under way")

// spareCuts are rounds for when the power was always cut too early.
const spareCuts = 10

// TestPowerFailure is the kill loop with the power cut instead. The files lie on
// a file system in an image: the image holds what was synced, and not what the
// system still keeps in memory. A copy of it, made while the program stands
// still, is what a machine finds when the power is back. Everything that the kill
// loop judges must hold then, and the program must start on it by itself.
//
// It needs root, and a host that lends loop devices.
func TestPowerFailure(t *testing.T) {
	disk := newImage(t)
	s := newKillSite(t, *cuts+spareCuts)
	disk.move(s)
	s.warmUp()
	s.die = func(cmd *exec.Cmd) { disk.cut(s, cmd) }
	round := 0
	for ; round < *cuts || round < *cuts+spareCuts && !s.atStake(); round++ {
		s.round(round)
		if t.Failed() {
			t.Fatalf("round %d\n%s", round, s.lastLog())
		}
	}
	s.drain()
	s.judge()
	t.Logf("%d power cuts", round)
}

// An image is a file system in a file in memory, mounted.
type image struct {
	t     *testing.T
	file  string // in memory
	mount string
}

// newImage makes a file system and mounts it, and skips the test where that is
// not possible.
func newImage(t *testing.T) *image {
	dir := t.TempDir()
	ram := filepath.Join(dir, "ram")
	d := &image{t: t, file: filepath.Join(ram, "disk.img"), mount: filepath.Join(dir, "disk")}
	if err := errors.Join(os.Mkdir(ram, 0o700), os.Mkdir(d.mount, 0o700)); err != nil {
		t.Fatal(err)
	}
	mountMemory(t, ram, "320m")
	for _, args := range [][]string{{"truncate", "-s", "128M", d.file}, {"mkfs.ext4", "-q", "-F", d.file}} {
		if err := command(args...); err != nil {
			t.Skipf("skipped: no file system can be made here: %v", err)
		}
	}
	if err := d.attach(); err != nil {
		t.Skipf("skipped: this host lends no loop device: %v", err)
	}
	t.Cleanup(func() {
		if err := command("umount", d.mount); err != nil {
			t.Error(err)
		}
	})
	return d
}

// mountMemory mounts a file system in memory until the test ends, and skips the
// test where that is not possible.
func mountMemory(t *testing.T, dir, size string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("skipped: only root can mount")
	}
	if err := command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir); err != nil {
		t.Skipf("skipped: nothing can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := command("umount", dir); err != nil {
			t.Error(err)
		}
	})
}

// command runs a program; its error holds what the program said.
func command(args ...string) error {
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// attach mounts the image. Its journal is written when it must, and not before.
func (d *image) attach() error {
	return command("mount", "-o", "loop,commit=1000", d.file, d.mount)
}

// move moves a site onto the image.
func (d *image) move(s *killSite) {
	d.t.Helper()
	content, err := os.ReadFile(s.config)
	if err != nil {
		d.t.Fatal(err)
	}
	s.dir, s.config = d.mount, filepath.Join(d.mount, "config.yaml")
	if err := errors.Join(os.WriteFile(s.config, content, 0o600), command("sync", "-f", d.mount)); err != nil {
		d.t.Fatal(err)
	}
}

// cut cuts the power: what is on the image now is what is left.
func (d *image) cut(s *killSite, cmd *exec.Cmd) {
	d.t.Helper()
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		d.t.Fatalf("the program ended by itself: %v", err)
	}
	for deadline := time.Now().Add(30 * time.Second); !stands(cmd.Process.Pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatal("the program does not stand still")
		}
	}
	left := d.file + ".left"
	if err := command("cp", "--sparse=always", d.file, left); err != nil {
		d.t.Fatal(err)
	}
	s.end(cmd, syscall.SIGKILL)
	if err := errors.Join(command("umount", d.mount), os.Rename(left, d.file), d.attach()); err != nil {
		d.t.Fatal(err)
	}
}

// stands says whether every thread of a process is stopped.
func stands(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, thread := range threads {
		stat, failed := os.ReadFile(thread)
		_, state, found := strings.Cut(string(stat), ") ")
		if failed != nil || !found || !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return err == nil && len(threads) > 0
}
