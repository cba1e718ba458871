package slacktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"floorwalker/adapters/slack/slacktest"
)

// A pipes listener hands out in-memory connections, so that a bubble's clock
// runs for both ends.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (p *pipes) Addr() net.Addr { return p }

func (p *pipes) Network() string { return "pipe" }

func (p *pipes) String() string { return "slack.test:80" }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, errors.New("refused")
	}
}

// A bubble is a workspace with Slack's own durations, on the clock of a synctest
// bubble.
type bubble struct {
	t *testing.T
	l *pipes
	s *slacktest.Server
}

func newBubble(t *testing.T) *bubble {
	l := newPipes()
	s := slacktest.Serve(l, slacktest.Options{})
	t.Cleanup(s.Close)
	s.AddUser(slacktest.User{ID: "U1"})
	return &bubble{t, l, s}
}

// post returns the body of the answer.
func (b *bubble) post(url, token, body string) string {
	b.t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: b.l.dial, DisableKeepAlives: true}}
	req, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
	resp, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(answer)
}

// connect opens a socket and returns the moment of each frame after the hello,
// and of the end; pings counts.
func (b *bubble) connect() (frames <-chan time.Time, pings *atomic.Int64) {
	b.t.Helper()
	var opened struct{ URL string }
	if err := json.Unmarshal([]byte(b.post(b.s.APIURL()+"apps.connections.open", "xapp-1", "")), &opened); err != nil {
		b.t.Fatal(err)
	}
	dialer := websocket.Dialer{NetDialContext: b.l.dial}
	conn, _, err := dialer.Dial(opened.URL, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close() })
	pings = new(atomic.Int64)
	conn.SetPingHandler(func(string) error { pings.Add(1); return nil })
	moments := make(chan time.Time, 100)
	go func() {
		for {
			_, _, err := conn.ReadMessage()
			moments <- time.Now()
			if err != nil {
				return
			}
		}
	}()
	<-moments // the hello
	return moments, pings
}

// Nobody acknowledges: a delivery fails after 3 s, and comes again at once,
// after a minute and after five. The socket is pinged every 10 s.
func TestSlackRetryTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		frames, pings := b.connect()
		began := time.Now()
		i := b.s.Slash("U1", "", "/mystats", "")
		for n, want := range []time.Duration{0, 3 * time.Second, 66 * time.Second, 369 * time.Second} {
			if got := (<-frames).Sub(began); got != want {
				t.Errorf("delivery %d after %v, want %v", n, got, want)
			}
		}
		if err := i.WaitOver(t.Context()); err != nil || pings.Load() != 37 {
			t.Errorf("%d pings in 372 s, want one every 10 s; %v", pings.Load(), err)
		}
		began = time.Now()
		b.s.Sockets()[0].Disconnect("warning")
		if warned, closed := <-frames, <-frames; !warned.Equal(began) || closed.Sub(began) != 10*time.Second {
			t.Errorf("warned after %v, closed after %v, want 0 and 10 s", warned.Sub(began), closed.Sub(began))
		}
	})
}

func TestSlackLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		i := b.s.Slash("U1", "", "/mystats", "")
		open := func() string {
			return b.post(b.s.APIURL()+"views.open", "xoxb-1", `{"trigger_id":"`+i.TriggerID+
				`","view":{"type":"modal","title":{"type":"plain_text","text":"x"},"blocks":[]}}`)
		}
		time.Sleep(3*time.Second + 1)
		if got := open(); !strings.Contains(got, "expired_trigger_id") {
			t.Errorf("a trigger after more than 3 s: %s", got)
		}
		began := time.Now()
		i = b.s.Slash("U1", "", "/mystats", "")
		time.Sleep(3 * time.Second)
		if got := open(); !strings.Contains(got, `"ok":true`) {
			t.Errorf("a trigger after 3 s: %s", got)
		}
		for _, c := range []struct {
			at   time.Duration
			want string
		}{{30 * time.Minute, ""}, {30*time.Minute + 1, "expired_url\n"}} {
			time.Sleep(time.Until(began.Add(c.at)))
			if got := b.post(i.ResponseURL, "", `{"text":"x"}`); got != c.want {
				t.Errorf("a response_url after %v: %q, want %q", c.at, got, c.want)
			}
		}
	})
}
