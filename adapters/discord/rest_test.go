package discord

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// A barrier holds calls until so many are on their way at once.
type barrier struct {
	wire  http.RoundTripper
	holds func(*http.Request) bool
	need  int

	mu   sync.Mutex // guards n
	n    int
	open chan struct{} // closed when they are
}

func (b *barrier) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.holds(req) {
		b.mu.Lock()
		if b.n++; b.n == b.need {
			close(b.open)
		}
		b.mu.Unlock()
		select {
		case <-b.open:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	return b.wire.RoundTrip(req)
}

// Answers to different people do not wait for one another. The library's own
// edits share one lock.
func TestEditsInParallel(t *testing.T) {
	const people = 10
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, acquainted())
	a.timing.answer = time.Millisecond // so that every answer is an edit
	edits := &barrier{wire: a.client.wire, need: people, open: make(chan struct{}), holds: func(req *http.Request) bool {
		return req.Method == "PATCH" && strings.HasSuffix(req.URL.Path, "/messages/@original")
	}}
	a.client.wire = edits
	release := make(chan struct{})
	r := run(t, srv, a, &app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
		<-release
		return chat.Show(note("at last", "x")), nil
	}})
	var all []*discordtest.Interaction
	for range people {
		all = append(all, r.slash("", "mystats"))
	}
	for _, i := range all {
		_, err := i.WaitAck(r.ctx)
		r.must(err)
	}
	close(release)
	for _, i := range all {
		r.reply(i, "at last")
	}
	if n := len(a.limits.buckets); n > 10 {
		t.Errorf("%d buckets after %d interactions", n, people)
	}
}

// The library sleeps through the end of a context.
func TestCallObeysContext(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, nil)
	ctx, cancel := context.WithCancel(t.Context())
	srv.Fail(postMessage, discordtest.Fault{Delay: time.Hour}, -1)
	a.client.wire = sent{a.client.wire, cancel}
	ended := make(chan error, 1)
	go func() {
		_, err := a.Send(ctx, toSupport("news"))
		ended <- err
	}()
	if err := <-ended; !errors.Is(err, chat.ErrUnclear) || !errors.Is(err, context.Canceled) {
		t.Errorf("a call that had left: %v, want unclear", err)
	}
	if _, err := a.Send(ctx, toSupport("news")); !errors.Is(err, context.Canceled) || errors.Is(err, chat.ErrUnclear) {
		t.Errorf("a call that never left: %v", err)
	}
}

// sent is a wire that tells when a call has left.
type sent struct {
	wire http.RoundTripper
	tell func()
}

func (s sent) RoundTrip(req *http.Request) (*http.Response, error) {
	return s.wire.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { s.tell() },
	})))
}

// One call is one request, whatever goes wrong: the library repeats a message
// after a 502, and a 429 for ever.
func TestOneRequestEach(t *testing.T) {
	for _, f := range []discordtest.Fault{{Status: 502}, {Status: 429, RetryAfter: time.Second}, {Status: 429, HTML: true}} {
		srv := network(t, discordtest.Options{})
		a := adapter(t, srv, nil)
		srv.Fail(postMessage, f, -1)
		if _, err := a.Send(t.Context(), toSupport("news")); err == nil {
			t.Error("no error")
		}
		if n := len(srv.Calls(postMessage)); n != 1 {
			t.Errorf("%+v: %d requests", f, n)
		}
	}
}

// The limits that Discord tells are kept, so that it need not refuse.
func TestLimitsAreKept(t *testing.T) {
	srv := network(t, discordtest.Options{RateLimits: true})
	srv.SetLimit(postMessage, discordtest.Limit{N: 3, Per: 200 * time.Millisecond})
	a := adapter(t, srv, nil)
	for i := range 10 {
		if _, err := a.Send(t.Context(), toSupport(fmt.Sprint("news ", i))); err != nil {
			t.Fatal(err)
		}
	}
	if s := a.Stats(); len(s.Limited) > 0 || s.Calls["POST /channels/{}/messages"] != 10 {
		t.Errorf("%+v", s)
	}
}

// Nothing is learnt of people, tokens or messages from logs and errors.
func TestNothingLeaks(t *testing.T) {
	const token, words = "b0t-s3cret", "Asha missed three calls"
	srv := network(t, discordtest.Options{BotToken: token, Times: discordtest.Times{Ack: 100 * time.Millisecond}})
	var out bytes.Buffer
	var errs []string
	a := adapter(t, srv, acquainted())
	a.log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a.notes.log = a.log
	a.timing.retry = time.Millisecond
	r := run(t, srv, a, &app{})
	var tokens []string
	for _, f := range []discordtest.Fault{{Status: 500}, {Reset: true}, {Status: 404}, {Code: 50035}, {Status: 429, HTML: true}} {
		srv.Fail("", f, -1)
		i, err := srv.Slash(asha, support, "floor note", discordtest.Option{Name: "words", Value: words})
		r.must(err)
		_, err = a.Send(r.ctx, chat.Outgoing{To: chat.Address{Network: chat.Discord, ID: floor}, Message: chat.Message{Title: words}, Key: "k3y"})
		errs = append(errs, fmt.Sprint(err))
		tokens = append(tokens, i.Token)
		r.must(i.WaitOver(r.ctx))
		srv.Heal()
	}
	srv.Event("INTERACTION_CREATE", map[string]any{"id": "1", "token": "t0ken", "type": 2, "data": words})
	r.must(r.stop())
	out.WriteString(strings.Join(errs, "\n"))
	for _, s := range append(tokens, token, words, "t0ken", "k3y") {
		if strings.Contains(out.String(), s) {
			t.Errorf("%q is printed:\n%s", s, out.String())
		}
	}
	if !strings.Contains(out.String(), "an answer did not arrive") {
		t.Errorf("nothing was printed, so the test sees nothing:\n%s", out.String())
	}
}

// An answer of more than a call can need, or of no JSON, is an error.
func TestOddAnswers(t *testing.T) {
	for name, body := range map[string]string{"endless": "{}" + strings.Repeat(" ", maxAnswer), "page": "<html>", "list": "[]"} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-RateLimit-Reset-After", "nonsense") // the library gives up on the answer for it
				io.WriteString(w, body)
			}))
			defer srv.Close()
			a, err := New(Config{BotToken: secret.New("x"), ApplicationID: "123456", APIURL: srv.URL})
			if err != nil {
				t.Fatal(err)
			}
			_, err = ask[posted](t.Context(), a, at("GET", "/gateway/bot"))
			if (err == nil) != (name == "list") {
				t.Errorf("%v", err)
			}
		})
	}
}

// The token goes to the API and nowhere else.
func TestNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("called elsewhere with %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	a, err := New(Config{BotToken: secret.New("x"), ApplicationID: "123456", APIURL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Send(t.Context(), toSupport("news")); err == nil {
		t.Error("a redirect is an answer")
	}
}

func TestNew(t *testing.T) {
	for _, c := range []Config{
		{ApplicationID: "123456", APIURL: "ftp://x"}, {ApplicationID: "123456", APIURL: "::"}, {ApplicationID: "app"},
		{}, {ApplicationID: "123456", GuildID: "our server"},
	} {
		if _, err := New(c); err == nil || !strings.HasPrefix(err.Error(), "discord: ") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
