package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"floorwalker/bot"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// A clerk carries requests to an office.
type clerk struct {
	http  *http.Client
	close func() error
}

// openClerk returns a clerk: to the running serve if there is one, else to an
// office of this process, which then owns the database until close. It makes no
// database: a mistyped path would look like lost data.
func (p *program) openClerk(cmd *cobra.Command) (*clerk, error) {
	cfg, log, err := p.load(cmd, false)
	if err != nil {
		return nil, err
	}
	return clerkFor(cmd.Context(), cfg, existing, log)
}

// Whether a command may make a database where there is none.
const (
	existing = true  // it may not
	anew     = false // it may
)

// clerkFor is openClerk with the configuration at hand.
func clerkFor(ctx context.Context, cfg *Config, existing bool, log *slog.Logger) (*clerk, error) {
	path, err := socketPath(cfg.Store.Path)
	if err != nil {
		return nil, usageError{err}
	}
	if c := dialOffice(ctx, path); c != nil {
		return c, nil
	}
	config := storeConfig(cfg, log)
	config.Existing = existing
	st, err := store.Open(config)
	if err != nil {
		return nil, err
	}
	client, err := dashboard.New(clientConfig(cfg, log))
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	b := bot.New(botConfig(cfg), client, st, discard{}, log)
	o := &office{bot: b, store: st, source: client, log: log}
	o.config.Store(cfg)
	return inProcess(o, st.Close), nil
}

// ask sends one request and reads its answer.
func ask[R any](ctx context.Context, c *clerk, name string, args any) (R, error) {
	var result R
	resp, err := c.post(ctx, name, args)
	if err != nil {
		return result, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxOffice))
	if err != nil {
		return result, fmt.Errorf("read the answer of the running serve: %w", err)
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		return result, errors.New("the answer of the running serve is not readable: is it of another version?")
	}
	return result, nil
}

// post sends one request. The answer is a good one, and its body the caller's to
// close; a refusal is an error with the office's sentence.
func (c *clerk) post(ctx context.Context, name string, args any) (*http.Response, error) {
	body, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://office/"+name, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the running serve: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	var f failure
	if json.NewDecoder(io.LimitReader(resp.Body, maxOffice)).Decode(&f) != nil || f.Error == "" {
		return nil, fmt.Errorf("the running serve answered with status %d: is it of another version?", resp.StatusCode)
	}
	return nil, errors.New(f.Error)
}

// inProcess is a clerk to an office of this process.
func inProcess(o *office, close func() error) *clerk {
	return &clerk{http: &http.Client{Transport: direct{o.handler()}}, close: close}
}

// direct calls a handler in this process, where a client would use a network.
type direct struct{ handler http.Handler }

// RoundTrip starts the handler and returns once its answer begins. The body ends
// when the handler does.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	body, in := io.Pipe()
	w := &written{header: http.Header{}, body: in, status: make(chan int, 1)}
	go func() {
		defer in.Close()
		d.handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
	}()
	return &http.Response{StatusCode: <-w.status, Header: w.header, Trailer: w.header, Body: body, Request: r}, nil
}

// written is a response on its way to a reader in this process.
type written struct {
	header http.Header
	body   *io.PipeWriter
	status chan int // gets the first one
	begun  bool
}

func (w *written) Header() http.Header { return w.header }

func (w *written) WriteHeader(status int) {
	if !w.begun {
		w.begun = true
		w.status <- status
	}
}

func (w *written) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// socketPath returns where serve listens for administrators. A Unix socket's
// path has at most 103 bytes on the systems we run on.
func socketPath(store string) (string, error) {
	path := store + ".sock"
	if len(path) > 103 {
		return "", fmt.Errorf("store.path: %q is too long by %d bytes for its socket: choose a shorter path", store, len(path)-103)
	}
	return path, nil
}

// dialOffice returns a clerk to a running serve, nil if none answers there.
func dialOffice(ctx context.Context, path string) *clerk {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil
	}
	conn.Close()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "unix", path)
	}}
	return &clerk{http: &http.Client{Transport: transport}, close: func() error { transport.CloseIdleConnections(); return nil }}
}

// listenOffice opens the socket for administrators. Call it with the store's
// lock held: a socket that is there already is then a dead one's.
func listenOffice(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the stale socket: %w", err)
	}
	// The socket is made under a name nobody connects to, so that there is no
	// moment in which others may open it.
	private := path + ".new"
	os.Remove(private)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: private, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on the socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(private, 0o600), os.Rename(private, path)); err != nil {
		l.Close()
		return nil, fmt.Errorf("place the socket: %w", err)
	}
	return l, nil
}

// discard counts nothing.
type discard struct{}

func (discard) Command(string, string, time.Duration) {}
func (discard) Delivery(string, string, string)       {}
