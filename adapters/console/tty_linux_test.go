package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/term"

	"floorwalker/bot/chat"
)

// openTTY returns a terminal and the side of it where its user sits.
func openTTY(t *testing.T) (user, tty *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { user.Close() })
	var number, unlocked uint32
	size := [4]uint16{40, 72}
	for request, arg := range map[uintptr]unsafe.Pointer{
		syscall.TIOCGPTN: unsafe.Pointer(&number), syscall.TIOCSPTLCK: unsafe.Pointer(&unlocked), syscall.TIOCSWINSZ: unsafe.Pointer(&size),
	} {
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, user.Fd(), request, uintptr(arg)); e != 0 {
			t.Skipf("no terminals here: %v", e)
		}
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { tty.Close() })
	return user, tty
}

// A watcher keeps what a terminal shows.
type watcher struct {
	*testing.T
	user *os.File
	mu   sync.Mutex // guards seen
	seen strings.Builder
}

func (w *watcher) watch() {
	b := make([]byte, 4096)
	for {
		n, err := w.user.Read(b)
		if err != nil {
			return
		}
		w.mu.Lock()
		w.seen.Write(b[:n])
		w.mu.Unlock()
	}
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.String()
}

// await waits until the terminal has shown the words n times.
func (w *watcher) await(words string, n int) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); strings.Count(w.String(), words) < n; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("waited in vain for %q, %d times:\n%q", words, n, w.String())
		}
	}
}

func (w *watcher) keys(s string) {
	if _, err := w.user.WriteString(s); err != nil {
		w.Fatal(err)
	}
}

func TestTerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	user, tty := openTTY(t)
	w := &watcher{T: t, user: user}
	go w.watch()
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	b := &bot{}
	b.c = New(Config{In: tty, Out: tty, People: people})
	ended := make(chan error, 1)
	go func() { ended <- b.c.Run(t.Context(), b) }()

	w.await("asha> ", 1)
	w.keys("/floor link\r")
	w.await("User id: ", 1)
	w.keys("\r") // needed, so it is asked for again
	w.await("User id: ", 2)
	w.keys("4711\r")
	w.await("Token (not shown): ", 1)
	w.keys("s3cret\r")
	w.await("Session (not shown): ", 1)
	w.keys("\r")
	w.await("You are linked", 1)
	if len(b.requests) != 2 || b.requests[1].Values["token"].Reveal() != "s3cret" || b.requests[1].Values["user"].Reveal() != "4711" {
		t.Errorf("the requests are %+v", b.requests)
	}

	w.keys("/half a line") // a post appears above it, and it stays
	w.await("/half a line", 1)
	b.send(t.Context(), "asha", chat.Message{Title: "news"})
	w.await("news", 1)
	w.await("/half a line", 2)
	w.keys("\x15/mystats\r")
	w.await("Calls offered", 1)

	w.keys("/floor link\r")
	w.await("User id: ", 3)
	w.keys("\x03") // Ctrl-C leaves the form, and at the prompt the console
	w.await("Nothing was sent", 1)
	w.keys("\x1b[A\r") // the history is kept
	w.await("User id: ", 4)
	w.keys("\x04")
	w.await("Nothing was sent", 2)
	w.keys("\x04")
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if strings.Contains(w.String(), "s3cret") {
		t.Error("the secret is echoed")
	}
	if !strings.Contains(w.String(), "\x1b[1m") {
		t.Error("a terminal has no colours")
	}
	if !strings.Contains(w.String(), strings.Repeat("─", 70)+"╯") {
		t.Error("cards are not as wide as the terminal")
	}
	if after, err := term.GetState(int(tty.Fd())); err != nil || *after != *before {
		t.Errorf("the terminal is not as it was: %v", err)
	}
}

func TestTerminalIsRestored(t *testing.T) {
	user, tty := openTTY(t)
	w := &watcher{T: t, user: user}
	go w.watch()
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NO_COLOR", "1")
	c := New(Config{In: tty, Out: tty, People: people})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, &bot{}) }()
	w.await("asha> ", 1)
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if after, err := term.GetState(int(tty.Fd())); err != nil || *after != *before {
		t.Errorf("the terminal is not as it was while a line was read: %v", err)
	}
	if strings.Contains(w.String(), "\x1b[1m") {
		t.Error("NO_COLOR is set, and there are colours")
	}
}
