package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot/secret"
)

// pings is where heartbeats arrive: it notes when, and answers with an error if
// there is one.
type pings struct {
	mu   sync.Mutex // guards what follows
	at   []time.Time
	fail error
}

func (p *pings) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return nil, p.fail
	}
	p.at = append(p.at, time.Now())
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

// since returns how many arrived after a time.
func (p *pings) since(t time.Time) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.at {
		if at.After(t) {
			n++
		}
	}
	return n
}

func (p *pings) failing(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

// TestHeartbeat: one a minute while all is well, none while anything is wrong,
// at once when it is mended, and none at the end. Failures are counted, and the
// log says once that they begin.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log syncBuffer
		at, health := &pings{}, &Health{}
		h := newHeartbeat(secret.New("https://hc.example/S3CRET"), health, slog.New(slog.NewTextHandler(&log, nil)))
		h.via = at
		health.Set("start", "connecting")
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { h.run(ctx) })
		began := time.Now()
		in := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		expect := func(what string, n int) {
			t.Helper()
			if got := at.since(began); got != n {
				t.Errorf("%s: %d arrived, want %d", what, got, n)
			}
			began = time.Now()
		}
		in(10*time.Minute - time.Second)
		expect("not ready yet", 0)
		health.Set("start", "")
		in(5*time.Minute + 10*time.Second)
		expect("five minutes, beginning with the first one", 6)
		health.Set("store", "a commit failed")
		in(10 * time.Minute)
		expect("something is wrong", 0)
		health.Set("store", "")
		in(6 * time.Second)
		expect("it is mended", 1)

		at.failing(fmt.Errorf("no such host"))
		in(5 * time.Minute)
		at.failing(nil)
		in(time.Minute)
		if n := strings.Count(log.String(), "not delivered"); n != 1 || strings.Count(log.String(), "delivered again") != 1 {
			t.Errorf("%d lines say that it fails:\n%s", n, log.String())
		}
		if n := h.failed.Load(); n != 5 {
			t.Errorf("%d failures are counted", n)
		}
		began = time.Now()
		cancel()
		run.Wait()
		expect("the program stops", 0)
	})
}

// TestHeartbeatOnTheWire: what is sent, and that no answer brings the URL into
// the log or the program elsewhere.
func TestHeartbeatOnTheWire(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it went elsewhere") }))
	t.Cleanup(elsewhere.Close)
	var got syncBuffer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(&got, "%s %s %s", r.Method, r.URL.Path, body)
		switch r.URL.Path {
		case "/S3CRET/moved":
			http.Redirect(w, r, elsewhere.URL+"/S3CRET", http.StatusTemporaryRedirect)
		case "/S3CRET/strange":
			w.Header().Set("Location", "http://%zzS3CRET")
			w.WriteHeader(http.StatusFound)
		case "/S3CRET/gone":
			http.Error(w, "S3CRET", http.StatusNotFound)
		case "/S3CRET/silent":
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		case "/S3CRET/slow":
			<-r.Context().Done()
		}
	}))
	t.Cleanup(server.Close)
	for _, test := range []struct{ url, want string }{
		{server.URL + "/S3CRET", ""},
		{server.URL + "/S3CRET/moved", "HTTP 307"},
		{server.URL + "/S3CRET/strange", "HTTP 302"},
		{server.URL + "/S3CRET/gone", "HTTP 404"},
		{server.URL + "/S3CRET/silent", "EOF"},
		{server.URL + "/S3CRET/slow", "deadline"},
		{"http://127.0.0.1:1/S3CRET", "refused"},
		{"http://no host/S3CRET", "not a URL"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		if strings.HasSuffix(test.url, "/slow") {
			cancel()
			ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		}
		var log bytes.Buffer
		h := newHeartbeat(secret.New(test.url), &Health{}, slog.New(slog.NewTextHandler(&log, nil)))
		err := h.send(ctx)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.url, err, test.want)
		}
		cancel()
		if !strings.HasSuffix(test.url, "/slow") {
			h.beat(t.Context())
		}
		if strings.Contains(fmt.Sprintf("%v %+v %s", err, h.url, log.String()), "S3CRET") {
			t.Errorf("%s: the secret is printed: %v\n%s", test.url, err, log.String())
		}
	}
	if !strings.HasPrefix(got.String(), "POST /S3CRET floorwalker: all is well\n") {
		t.Errorf("it sent %s", got.String())
	}
}

// TestHeartbeatIsSecret: the URL is not printed, and may be in a file.
func TestHeartbeatIsSecret(t *testing.T) {
	clearEnvironment(t)
	cfg, _ := mustLoad(t, LoadOptions{Path: configFile(t, "config.yaml", small+"ops: {heartbeat_url: \"https://hc.example/S3CRET?x=S3CRET\"}\n")})
	if out := printed(t, cfg); strings.Contains(out, "S3CRET") || strings.Contains(out, "hc.example") {
		t.Errorf("got %s", out)
	}
	file := configFile(t, "config.yaml", small+"ops: {heartbeat_url_file: ping}\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "ping"), []byte("https://hc.example/S3CRET\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _ = mustLoad(t, LoadOptions{Path: file})
	if cfg.Ops.HeartbeatURL.Reveal() != "https://hc.example/S3CRET" {
		t.Error("it is not read from its file")
	}
}
