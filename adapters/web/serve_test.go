package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// soon is how long what must happen may take on a slow machine.
const soon = 30 * time.Second

// A running stand serves on this machine.
type running struct {
	*stand
	t    *testing.T
	addr string
	stop context.CancelFunc
	done chan error
}

func serve(t *testing.T, st *stand) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{stand: st, t: t, addr: l.Addr().String(), stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- st.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		r.ended()
	})
	return r
}

// ended waits until Serve has returned.
func (r *running) ended() {
	r.t.Helper()
	select {
	case err := <-r.done:
		r.done <- err
		if err != nil {
			r.t.Errorf("serve: %v", err)
		}
	case <-time.After(soon):
		r.t.Fatal("serve did not end")
	}
}

// dial opens a connection that waits as long as soon.
func (r *running) dial() net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(soon))
	r.t.Cleanup(func() { c.Close() })
	return c
}

const look = "GET /link/x HTTP/1.1\r\nHost: floor.example\r\n\r\n"

// ask sends a request and returns the status.
func (r *running) ask(c net.Conn, request string) int {
	r.t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		r.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode
}

// closed waits until the other side has closed a connection.
func (r *running) closed(c net.Conn) {
	r.t.Helper()
	if _, err := io.Copy(io.Discard, c); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		r.t.Error("the connection stays open")
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// TestConnections: one more than there may be waits until another is closed.
func TestConnections(t *testing.T) {
	st := newStand(t)
	st.limits.connections = 2
	r := serve(t, st)
	first, second, third := r.dial(), r.dial(), r.dial()
	r.ask(first, look)
	r.ask(second, look)
	io.WriteString(third, look)
	third.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := third.Read(make([]byte, 1)); n != 0 || !isTimeout(err) {
		t.Errorf("a third connection is answered: %v", err)
	}
	third.SetReadDeadline(time.Now().Add(soon))
	first.Close()
	if resp, err := http.ReadResponse(bufio.NewReader(third), nil); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("after one is closed, the third is answered with %v", err)
	}
}

// TestStopWhileFull: a listener that waits for a place stops, too, and a request
// that does not end is cut off when its grace is over.
func TestStopWhileFull(t *testing.T) {
	began, cut := make(chan struct{}), make(chan struct{})
	st := newStand(t, Callback{Path: "/slack/command", Methods: "POST", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(cut)
	})})
	st.limits.connections, st.limits.grace = 1, 100*time.Millisecond
	r := serve(t, st)
	io.WriteString(r.dial(), "POST /slack/command HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	<-began
	r.dial()
	r.stop()
	r.ended()
	select {
	case <-cut:
	case <-time.After(soon):
		t.Error("the request goes on")
	}
}

// TestSlow: who does not get to the point is cut off.
func TestSlow(t *testing.T) {
	st := newStand(t, echo("/slack/command"))
	st.limits.read = 200 * time.Millisecond
	r := serve(t, st)
	for _, start := range []string{"GET /link/x HTTP/1.1\r\nHost:", "POST /slack/command HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"} {
		c := r.dial()
		io.WriteString(c, start)
		r.closed(c)
	}
}

// TestLargeHeaders are refused.
func TestLargeHeaders(t *testing.T) {
	r := serve(t, newStand(t))
	request := func(n int) string {
		return fmt.Sprintf("GET /link/x HTTP/1.1\r\nHost: x\r\nX-A: %s\r\n\r\n", strings.Repeat("a", n))
	}
	if got := r.ask(r.dial(), request(8<<10)); got != http.StatusNotFound {
		t.Errorf("8 KiB of headers: status %d", got)
	}
	c := r.dial()
	io.WriteString(c, request(24<<10))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil && resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge { // or it is cut off before the answer is read
		t.Errorf("24 KiB of headers: status %d", resp.StatusCode)
	}
	if isTimeout(err) {
		t.Error("24 KiB of headers: no answer")
	}
}

// TestAsterisk: what the standard library would answer by itself is nothing that
// is served either.
func TestAsterisk(t *testing.T) {
	r := serve(t, newStand(t))
	if got := r.ask(r.dial(), "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"); got != http.StatusNotFound {
		t.Errorf("OPTIONS *: status %d", got)
	}
}

// TestDrain: when the listener stops, what is under way is answered, and nothing
// new is taken.
func TestDrain(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	st := newStand(t, Callback{Path: "/slack/command", Methods: "POST", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-goOn
		io.WriteString(w, "done")
	})})
	r := serve(t, st)
	c := r.dial()
	io.WriteString(c, "POST /slack/command HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	<-began
	r.stop()
	for deadline := time.Now().Add(soon); ; time.Sleep(10 * time.Millisecond) {
		late, err := net.Dial("tcp", r.addr)
		if err != nil {
			break // it listens no more
		}
		late.Close()
		if time.Now().After(deadline) {
			t.Fatal("it still listens")
		}
	}
	select {
	case <-r.done:
		t.Fatal("it ended with a request under way")
	default:
	}
	close(goOn)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "done" {
		t.Errorf("what was under way is answered with %q, %v", body, err)
	}
	r.ended()
}

// TestLargeBodies: only a few large bodies are held at once, whoever sends them,
// and those that are small get through beside them.
func TestLargeBodies(t *testing.T) {
	st := newStand(t, echo("/slack/event"))
	st.limits.small, st.places = 1000, make(chan struct{}, 2)
	r := serve(t, st)
	request := func(n int) string {
		return fmt.Sprintf("POST /slack/event HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("a", n))
	}
	unfinished := []net.Conn{r.dial(), r.dial()}
	for _, c := range unfinished {
		io.WriteString(c, request(5000)[:4000])
	}
	for deadline := time.Now().Add(soon); len(st.places) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("two large bodies have no places")
		}
	}
	if status := r.ask(r.dial(), request(5000)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a third large body: status %d", status)
	}
	if status := r.ask(r.dial(), request(1000)); status != http.StatusOK {
		t.Errorf("a small body beside large ones: status %d", status)
	}
	for _, c := range unfinished {
		if status := r.ask(c, request(5000)[4000:]); status != http.StatusOK {
			t.Errorf("a large body with a place: status %d", status)
		}
	}
	if status := r.ask(r.dial(), request(5000)); status != http.StatusOK || len(st.places) != 0 {
		t.Errorf("a large body after the others: status %d, %d places are taken", status, len(st.places))
	}
}
