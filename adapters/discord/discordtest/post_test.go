package discordtest_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
)

// An app is an endpoint for interactions that keeps what it gets.
type app struct {
	url string

	mu  sync.Mutex // guards got
	got []received
}

type received struct {
	header http.Header
	body   []byte
}

func newApp(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, body []byte)) *app {
	a := &app{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller is gone
		}
		a.mu.Lock()
		a.got = append(a.got, received{r.Header.Clone(), body})
		a.mu.Unlock()
		answer(w, r, body)
	}))
	t.Cleanup(srv.Close)
	a.url = srv.URL
	return a
}

func (a *app) last() received {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got[len(a.got)-1]
}

// says200 answers every interaction with a body.
func says200(body string) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}
}

// verified wraps an endpoint that checks signatures.
func verified(key string, answer func(http.ResponseWriter, *http.Request, []byte)) func(http.ResponseWriter, *http.Request, []byte) {
	public, err := hex.DecodeString(key)
	if err != nil {
		panic(err)
	}
	return func(w http.ResponseWriter, r *http.Request, body []byte) {
		signature, err := hex.DecodeString(r.Header.Get("X-Signature-Ed25519"))
		if err != nil || !ed25519.Verify(public, append([]byte(r.Header.Get("X-Signature-Timestamp")), body...), signature) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var i struct{ Type int }
		if json.Unmarshal(body, &i) == nil && i.Type == discordtest.KindPing {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"type":1}`)
			return
		}
		answer(w, r, body)
	}
}

func TestUseHTTP(t *testing.T) {
	s := start(t, discordtest.Options{AnyCommand: true})
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request, []byte)
		want   string
	}{
		"everything is a pong": {says200(`{"type":1}`), "bad signature"},
		"no pong":              {says200(`{"type":4}`), "want a PONG"},
		"an error":             {func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(500) }, "want a PONG"},
	} {
		if err := s.UseHTTP(soon(t), newApp(t, c.answer).url); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := s.UseHTTP(soon(t), "http://127.0.0.1:1/"); err == nil {
		t.Error("an endpoint that is not there was accepted")
	}
	a := newApp(t, verified(s.PublicKey(), says200(`{"type":4,"data":{"content":"hello","flags":64}}`)))
	if err := s.UseHTTP(soon(t), a.url); err != nil {
		t.Fatal(err)
	}
	if got := call(t, s, "GET /applications/@me", nil).str("interactions_endpoint_url"); got != a.url {
		t.Errorf("the endpoint is %q", got)
	}
	p, _ := connect(t, s)
	i := ok(s.Slash(asha, support, "mystats"))(t)
	if m := ok(i.WaitReply(soon(t), nil))(t); m.Content != "hello" || m.For != asha {
		t.Errorf("reply %+v", m)
	}
	if ack, _ := i.Ack(); !ack.HTTP || ack.Flags != discordtest.FlagEphemeral {
		t.Errorf("ack %+v", ack)
	}
	s.Redeliver(i)
	if err := s.Wait(soon(t), func() bool { return len(i.Refused()) == 1 }); err != nil || len(s.Ephemerals(asha)) != 1 {
		t.Errorf("%v, she sees %v", err, s.Ephemerals(asha))
	}
	if err := s.UseHTTP(soon(t), ""); err != nil {
		t.Fatal(err)
	}
	j := ok(s.Slash(asha, support, "mystats"))(t)
	if e := p.event("INTERACTION_CREATE")["d"].(obj); e["id"] != j.ID {
		t.Error("an interaction came over the gateway as well")
	}
}

func TestHTTPAnswers(t *testing.T) {
	s := start(t, discordtest.Options{AnyCommand: true, NoProbe: true})
	answer := func(status int, kind, body string) *discordtest.Interaction {
		t.Helper()
		a := newApp(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			io.WriteString(w, body)
		})
		if err := s.UseHTTP(soon(t), a.url); err != nil {
			t.Fatal(err)
		}
		i := ok(s.Slash(asha, support, "x"))(t)
		return i
	}
	for name, c := range map[string]struct {
		status     int
		kind, body string
	}{
		"an error":          {500, "application/json", `{"type":4,"data":{"content":"x"}}`},
		"no JSON":           {200, "application/json", `hello`},
		"no content type":   {200, "text/plain", `{"type":4,"data":{"content":"x"}}`},
		"a bad message":     {200, "application/json", `{"type":4,"data":{}}`},
		"a pong":            {200, "application/json", `{"type":1}`},
		"nothing":           {200, "application/json", ``},
		"what has no sense": {200, "application/json", `{"type":7,"data":{"content":"x"}}`},
	} {
		i := answer(c.status, c.kind, c.body)
		if err := i.WaitOver(soon(t)); err != nil || i.Failure() != "The application did not respond" {
			t.Errorf("%s: %v, she sees %q", name, err, i.Failure())
		}
		if (c.status == 200) != (len(i.Refused()) == 1) {
			t.Errorf("%s: refused %q", name, i.Refused())
		}
	}
	multi := "--x\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n" + `{"type":4,"data":{"content":"with a file"}}` +
		"\r\n--x\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a.txt\"\r\n\r\nA\r\n--x--\r\n"
	m := ok(answer(200, "multipart/form-data; boundary=x", multi).WaitReply(soon(t), nil))(t)
	if m.Content != "with a file" || len(m.Attachments) != 1 || string(m.Attachments[0].Data) != "A" {
		t.Errorf("reply %+v", m)
	}
	later := answer(202, "text/plain", "")
	respond(t, s, later, 4, obj{"content": "by callback"}, "").wants(204, 0)
	if m := ok(later.WaitReply(soon(t), nil))(t); m.Content != "by callback" {
		t.Errorf("reply %+v", m)
	}
}

// The callback that comes before the answer to the request counts.
func TestHTTPCallbackFirst(t *testing.T) {
	s := start(t, discordtest.Options{AnyCommand: true, NoProbe: true})
	a := newApp(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
		var i struct{ ID, Token string }
		if err := json.Unmarshal(body, &i); err != nil {
			t.Error(err)
		}
		call(t, s, "POST /interactions/"+i.ID+"/"+i.Token+"/callback", obj{"type": 4, "data": obj{"content": "first"}}).wants(204, 0)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"type":4,"data":{"content":"second"}}`)
	})
	if err := s.UseHTTP(soon(t), a.url); err != nil {
		t.Fatal(err)
	}
	i := ok(s.Slash(asha, support, "x"))(t)
	ok(i.WaitReply(soon(t), says("first")))(t)
	if err := s.Wait(soon(t), func() bool { return len(i.Refused()) == 1 }); err != nil || !strings.Contains(i.Refused()[0], "already been acknowledged") {
		t.Errorf("%v, refused %q", err, i.Refused())
	}
	if m := s.Messages(support); len(m) != 1 {
		t.Errorf("the channel shows %v", m)
	}
}

func TestForgeries(t *testing.T) {
	s := start(t, discordtest.Options{})
	a := newApp(t, verified(s.PublicKey(), says200(`{"type":4}`)))
	for bad, want := range map[discordtest.Forgery]int{
		discordtest.Genuine: 200, discordtest.Tampered: 401, discordtest.Unsigned: 401, discordtest.OtherKey: 401,
		discordtest.Garbled: 401, discordtest.Restamp: 401, discordtest.Stale: 200, discordtest.Early: 200,
	} {
		status, _, err := s.Post(soon(t), a.url, []byte(`{"type":2}`), bad)
		if err != nil || status != want {
			t.Errorf("forgery %d: %d, %v, want %d", bad, status, err, want)
		}
		at, err := strconv.ParseInt(a.last().header.Get("X-Signature-Timestamp"), 10, 64)
		if age := time.Since(time.Unix(at, 0)); bad != discordtest.Unsigned && (err != nil || (age > 5*time.Minute) != (bad == discordtest.Stale) || (age < -5*time.Minute) != (bad == discordtest.Early)) {
			t.Errorf("forgery %d is %v old, %v", bad, age, err)
		}
	}
	if other := start(t, discordtest.Options{Seed: "x"}); other.PublicKey() == s.PublicKey() {
		t.Error("two seeds, one key")
	}
}
