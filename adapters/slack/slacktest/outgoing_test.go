package slacktest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
)

// An app takes HTTP requests and answers as it is told.
type app struct {
	*httptest.Server
	mu      sync.Mutex
	seen    []seen
	answers []func(http.ResponseWriter) // in turn, the last one for ever
}

type seen struct {
	path   string
	header http.Header
	body   []byte
}

func newApp(t *testing.T, answers ...func(http.ResponseWriter)) *app {
	a := &app{answers: answers}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		a.seen = append(a.seen, seen{r.URL.Path, r.Header, body})
		answer := a.answers[min(len(a.seen), len(a.answers))-1]
		a.mu.Unlock()
		answer(w)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *app) requests() []seen {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen
}

func (a *app) endpoints() slacktest.Endpoints {
	return slacktest.Endpoints{Command: a.URL + "/command", Interact: a.URL + "/interact", Event: a.URL + "/event"}
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

func says(kind, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", kind)
		io.WriteString(w, body)
	}
}

func TestCommandOverHTTP(t *testing.T) {
	a := newApp(t, says("application/json", `{"text":"42 calls"}`), says("text/plain", "plain words"), status(500))
	s := start(t, slacktest.Options{})
	s.UseHTTP(a.endpoints())
	for n, want := range []string{"42 calls", "plain words"} {
		i := s.Slash("U1", "C1", "/mystats", "today & more")
		if _, err := i.WaitAck(soon(t)); err != nil {
			t.Fatal(err)
		}
		if m := s.Ephemerals("U1"); len(m) != n+1 || m[n].Plain() != want {
			t.Errorf("the person sees %v, want %q", m, want)
		}
	}
	r := a.requests()[0]
	form, err := url.ParseQuery(string(r.body))
	if err != nil || r.path != "/command" || form.Get("text") != "today & more" || form.Get("trigger_id") == "" || form.Get("is_enterprise_install") != "false" {
		t.Errorf("request %s %s", r.path, r.body)
	}
	i := s.Slash("U1", "C1", "/mystats", "")
	if err := i.WaitOver(soon(t)); err != nil {
		t.Fatal(err)
	}
	if i.Failure() != "http_service_error" || len(a.requests()) != 3 {
		t.Errorf("failure %q after %d requests: a command is not tried again", i.Failure(), len(a.requests()))
	}
}

func TestSignature(t *testing.T) {
	a := newApp(t, status(200))
	s := start(t, slacktest.Options{SigningSecret: "shh"})
	s.UseHTTP(a.endpoints())
	before := time.Now().Add(-time.Second)
	if _, err := s.Slash("U1", "C1", "/mystats", "").WaitAck(soon(t)); err != nil {
		t.Fatal(err)
	}
	r := a.requests()[0]
	ts, err := strconv.ParseInt(r.header.Get("X-Slack-Request-Timestamp"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if sent := time.Unix(ts, 0); sent.Before(before.Truncate(time.Second)) || sent.After(time.Now()) {
		t.Errorf("stamped %v", sent)
	}
	if want := slacktest.Sign("shh", time.Unix(ts, 0), r.body).Get("X-Slack-Signature"); r.header.Get("X-Slack-Signature") != want {
		t.Errorf("signature %q, want %q", r.header.Get("X-Slack-Signature"), want)
	}
}

// The example of Slack's documentation: secret, time, body and signature.
func TestSignDocumentedExample(t *testing.T) {
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
		"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=" +
		"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN" +
		"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	h := slacktest.Sign("8f742231b10e8888abcd99yyyzzz85a5", time.Unix(1531420618, 0), []byte(body))
	const want = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	if got := h.Get("X-Slack-Signature"); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestEventRetries(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Retry: []time.Duration{0, 0, 0}}})
	elsewhere := func(w http.ResponseWriter) { w.Header().Set("Location", "/elsewhere"); w.WriteHeader(302) }
	a := newApp(t, status(500), elsewhere, status(404))
	s.UseHTTP(a.endpoints())
	if err := s.Event(obj{"type": "tokens_revoked"}).WaitOver(soon(t)); err != nil {
		t.Fatal(err)
	}
	r := a.requests()
	if len(r) != 4 {
		t.Fatalf("%d requests, want the first and three retries", len(r))
	}
	for n, reason := range []string{"", "http_error", "http_error", "http_error"} {
		num := ""
		if n > 0 {
			num = string(rune('0' + n))
		}
		if h := r[n].header; h.Get("X-Slack-Retry-Num") != num || h.Get("X-Slack-Retry-Reason") != reason {
			t.Errorf("request %d: retry %q, reason %q", n, h.Get("X-Slack-Retry-Num"), h.Get("X-Slack-Retry-Reason"))
		}
		if !bytes.Equal(r[n].body, r[0].body) || r[n].path != "/event" {
			t.Errorf("request %d differs: %s %s", n, r[n].path, r[n].body)
		}
	}
	stop := newApp(t, func(w http.ResponseWriter) { w.Header().Set("X-Slack-No-Retry", "1"); w.WriteHeader(500) })
	s.UseHTTP(stop.endpoints())
	if err := s.Event(obj{"type": "x"}).WaitOver(soon(t)); err != nil || len(stop.requests()) != 1 {
		t.Errorf("%d requests in spite of x-slack-no-retry, %v", len(stop.requests()), err)
	}
}

func TestSlowApp(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Retry: []time.Duration{0}, Ack: 20 * time.Millisecond}})
	released := make(chan struct{})
	a := newApp(t, func(http.ResponseWriter) { <-released })
	s.UseHTTP(a.endpoints())
	event, command := s.Event(obj{"type": "x"}), s.Slash("U1", "C1", "/mystats", "")
	for _, i := range []*slacktest.Interaction{event, command} {
		if err := i.WaitOver(soon(t)); err != nil {
			t.Fatal(err)
		}
		if i.Failure() != "operation_timeout" {
			t.Errorf("failure %q", i.Failure())
		}
	}
	close(released)
	for _, r := range a.requests() {
		if h := r.header; h.Get("X-Slack-Retry-Num") != "" && h.Get("X-Slack-Retry-Reason") != "http_timeout" {
			t.Errorf("retried for %q", h.Get("X-Slack-Retry-Reason"))
		}
	}
	if d := event.Deliveries(); len(d) != 2 || d[1].Reason != "timeout" || len(command.Deliveries()) != 1 {
		t.Errorf("event %v, command %v", d, command.Deliveries())
	}
}

func TestInteractionOverHTTP(t *testing.T) {
	a := newApp(t, status(200))
	s := start(t, slacktest.Options{})
	s.UseHTTP(a.endpoints())
	call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x", "blocks": list{actions(button("b", "B"))}}).wants("")
	i, err := s.Press("U1", s.Messages("C1")[0], "B")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.WaitAck(soon(t)); err != nil {
		t.Fatal(err)
	}
	form, err := url.ParseQuery(string(a.requests()[0].body))
	if err != nil {
		t.Fatal(err)
	}
	var payload obj
	if err := json.Unmarshal([]byte(form.Get("payload")), &payload); err != nil || payload["type"] != "block_actions" || a.requests()[0].path != "/interact" {
		t.Errorf("payload %v, %v", payload, err)
	}
}

func TestProbes(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Slack-Signature") == "" {
			t.Error("a probe is not signed")
		}
		var body struct{ Type, Challenge string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Type != "url_verification" {
			t.Errorf("body %+v, %v", body, err)
		}
		switch r.URL.Path {
		case "/plain":
			io.WriteString(w, body.Challenge)
		case "/json":
			json.NewEncoder(w).Encode(map[string]string{"challenge": body.Challenge})
		default:
			io.WriteString(w, "hello")
		}
	}))
	defer echo.Close()
	s := start(t, slacktest.Options{})
	for path, ok := range map[string]bool{"/plain": true, "/json": true, "/other": false} {
		if err := s.VerifyURL(soon(t), echo.URL+path); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
	a := newApp(t, status(200), status(500))
	for _, ok := range []bool{true, false} {
		if err := s.CheckSSL(soon(t), a.URL); (err == nil) != ok {
			t.Errorf("probe: %v, want ok %v", err, ok)
		}
	}
	if form, err := url.ParseQuery(string(a.requests()[0].body)); err != nil || form.Get("ssl_check") != "1" {
		t.Errorf("probe %v, %v", form, err)
	}
}
