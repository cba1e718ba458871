package slack

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// An answer is bounded in size and time, and what failed after it left is not
// said never to have left.
func TestExchangeIsBounded(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-hold
		}
		io.WriteString(w, strings.Repeat("x", maxAnswer+1)) // the client may have gone
	}))
	defer srv.Close()
	defer close(hold)
	for _, path := range []string{"/slow", "/large"} {
		req, err := http.NewRequest(http.MethodPost, srv.URL+path, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := exchange(http.DefaultTransport, req, 200*time.Millisecond); err == nil || errors.Is(err, errUnsent) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The token goes to the API's host and nowhere else.
func TestTokenStaysHome(t *testing.T) {
	t.Parallel()
	var got []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	a := adapterWith(t, Config{BotToken: secret.New("xoxb-1"), APIURL: "https://slack.com/api/"})
	req, err := http.NewRequest(http.MethodPost, elsewhere.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	wire := &transport{base: http.DefaultTransport, api: a.base, token: a.config.BotToken, gate: a.gate, calls: a.calls}
	if _, err := wire.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != "" {
		t.Errorf("another host was sent %q", got)
	}
}

// An event that names an address which is not Slack's is answered in the direct
// messages.
func TestOnlySlackIsCalledBack(t *testing.T) {
	t.Parallel()
	a := adapterWith(t, Config{})
	for hook, want := range map[string]bool{
		"https://hooks.slack.com/commands/1/2": true, "https://hooks.slack-gov.com/x": true, "https://slack.com/api/x": true,
		"http://hooks.slack.com/x": false, "https://hooks.slack.com.evil.example/x": false, "https://evilslack.com/": false,
		"http://169.254.169.254/": false, "": false, "://": false,
	} {
		if got := a.mayCall(hook); got != want {
			t.Errorf("may %q be called: %v", hook, got)
		}
	}
	var called atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer elsewhere.Close()
	srv := workspace(t, slacktest.Options{})
	r := run(t, srv, adapter(t, srv), &app{})
	srv.Deliver("slash_commands", map[string]any{
		"command": "/mystats", "user_id": asha, "team_id": "T0TEAM", "channel_id": support, "response_url": elsewhere.URL,
	})
	r.dm(asha, "mystats")
	if called.Load() != 0 {
		t.Error("an address that is not Slack's was called")
	}
}

// A response_url is not called more often than Slack allows, nor later.
func TestResponseURLIsUsedUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		uses  int
		since time.Duration
	}{{hookUses, 0}, {0, hookLife + time.Second}} {
		r, a := sending(t, slacktest.Options{})
		act := r.srv.Slash(asha, support, "/mystats", "")
		to := a.session(&app{}, identity{}).responder(asha, act.ResponseURL, "")
		to.uses, to.since = test.uses, time.Now().Add(-test.since)
		r.must(to.show(r.ctx, chat.Show(note("hello", ""))))
		r.dm(asha, "hello")
		if n := len(r.srv.Calls("response_url")); n != 0 {
			t.Errorf("%+v: called %d times", test, n)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	h := &health{}
	start := time.Now()
	if h.judge(start) == nil {
		t.Error("healthy before it runs")
	}
	h.begin(start)
	if err := h.judge(start.Add(silence)); err != nil {
		t.Errorf("connecting takes a moment: %v", err)
	}
	if h.judge(start.Add(silence+1)) == nil {
		t.Error("healthy without ever a connection")
	}
	h.greeted(0, start)
	h.greeted(1, start)
	h.lost(0, start.Add(time.Hour))
	if err := h.judge(start.Add(24 * time.Hour)); err != nil {
		t.Errorf("one connection is enough: %v", err)
	}
	h.lost(1, start.Add(24*time.Hour))
	if err := h.judge(start.Add(24*time.Hour + silence)); err != nil {
		t.Errorf("a refresh takes a moment: %v", err)
	}
	if h.judge(start.Add(24*time.Hour+silence+1)) == nil || !h.alone() {
		t.Error("healthy without a connection")
	}
	h.end(chat.ErrFinal)
	if err := h.judge(start); !errors.Is(err, chat.ErrFinal) {
		t.Errorf("stopped for good, and the reason is %v", err)
	}
	h.begin(start)
	h.listen()
	if err := h.judge(start.Add(24 * time.Hour)); err != nil {
		t.Errorf("who is called needs no connection: %v", err)
	}
	h.begin(start)
	if h.judge(start.Add(24*time.Hour)) == nil {
		t.Error("healthy without a connection after a run that needed none")
	}
}
