package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A notified is a service manager as far as the program sees of it: a datagram
// socket. See sd_notify(3).
type notified struct {
	t    *testing.T
	path string
	conn *net.UnixConn
}

func newNotified(t *testing.T) *notified {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &notified{t, path, conn}
}

// drain returns what has come, without waiting.
func (n *notified) drain() (got []string) {
	raw, err := n.conn.SyscallConn()
	if err != nil {
		n.t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for read := 1; read > 0; {
		raw.Read(func(fd uintptr) bool {
			read, _, _ = syscall.Recvfrom(int(fd), buf, syscall.MSG_DONTWAIT)
			return true
		})
		if read > 0 {
			got = append(got, string(buf[:read]))
		}
	}
	return got
}

// until reads up to the first message that holds a text, and returns it.
func (n *notified) until(text string) string {
	n.t.Helper()
	buf := make([]byte, 4096)
	n.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	var before []string
	for {
		read, err := n.conn.Read(buf)
		if err != nil {
			n.t.Fatalf("no %q: %v; there came %q", text, err, before)
		}
		if got := string(buf[:read]); strings.Contains(got, text) {
			return got
		} else if !strings.HasPrefix(got, "WATCHDOG=1") {
			before = append(before, got)
		}
	}
}

// TestNotify runs the real program under a service manager: from its start over
// two reloads, of which one is refused, to its end.
func TestNotify(t *testing.T) {
	s, n := newSlackSite(t, ""), newNotified(t)
	cmd := exec.Command("floorwalker", "serve", "--config", s.config)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+n.path, "WATCHDOG_USEC=400000", "FLOORWALKER_STORE_KEY="+killKey)
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })

	n.until("STATUS=connecting")
	if got := n.until("READY=1"); got != "READY=1\nSTATUS=ready" {
		t.Errorf("it is ready: %q", got)
	}
	if out := s.scrape(); !strings.Contains(out, "floorwalker_ready 1") || strings.Contains(out, `floorwalker_network_connections{network="slack"} 0`) {
		t.Errorf("it says that it is ready before Slack is connected\n%s", out)
	}
	for range 3 {
		n.until("WATCHDOG=1")
	}
	if limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", cmd.Process.Pid)); err == nil {
		_, core, _ := strings.Cut(string(limits), "Max core file size")
		if fields := strings.Fields(core); len(fields) < 2 || fields[0] != "0" || fields[1] != "0" {
			t.Errorf("core files are not switched off: %.40s", core)
		}
	}

	reload := func(want string) {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		var usec int64
		if got := n.until("RELOADING=1"); !scanned(got, "RELOADING=1\nMONOTONIC_USEC=%d", &usec) || usec <= 0 {
			t.Errorf("it reloads: %q", got)
		}
		if got := n.until("READY=1"); got != want {
			t.Errorf("it has reloaded: %q, want %q", got, want)
		}
	}
	reload("READY=1\nSTATUS=ready")
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config, []byte("nonsense: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reload("READY=1\nSTATUS=ready (the last reload was refused: see the log)")
	if err := os.WriteFile(s.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	reload("READY=1\nSTATUS=ready")
	for _, want := range []string{`floorwalker_config_reloads_total{result="ok"} 2`, `floorwalker_config_reloads_total{result="refused"} 1`} {
		if !strings.Contains(s.scrape(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}

	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	n.until("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("told to stop, it ends with %v\n%s", err, s.log.String())
	}
}

func scanned(text, format string, into ...any) bool {
	n, err := fmt.Sscanf(text, format, into...)
	return err == nil && n == len(into)
}

// TestNotifyWhileAway: a network that is away delays the start and does not
// prevent it; a loop that stands still silences the watchdog, a condition that a
// restart does not mend does not; no manager, nothing happens.
func TestNotifyWhileAway(t *testing.T) {
	n := newNotified(t)
	t.Setenv("NOTIFY_SOCKET", n.path)
	t.Setenv("WATCHDOG_USEC", "20000000")
	synctest.Test(t, func(t *testing.T) {
		health := &Health{}
		m := newManager(health, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.run(ctx, func() bool { return false }) }()
		in := func(d time.Duration, want string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := strings.ReplaceAll(strings.Join(n.drain(), " | "), "\n", " "); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
		}
		in(29*time.Second, "STATUS=connecting to the networks")
		if health.Reasons(time.Now())["start"] == "" {
			t.Error("it is ready before it has begun")
		}
		in(2*time.Second, "READY=1 STATUS=ready | WATCHDOG=1")
		health.Set("connection to slack", "no connection\nfor 2m")
		in(5*time.Second, "WATCHDOG=1 | STATUS=not ready: connection to slack: no connection for 2m")
		health.set("watch", "a round is late", true)
		in(20*time.Second, "STATUS=not ready: connection to slack: no connection for 2m; watch: a round is late")
		health.set("watch", "", true)
		health.Set("connection to slack", "")
		in(5*time.Second, "WATCHDOG=1 | STATUS=ready")
		cancel()
		in(0, "STOPPING=1 STATUS=stopping")
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
