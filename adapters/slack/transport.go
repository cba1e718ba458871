package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"floorwalker/bot/secret"
)

const (
	callTimeout   = 10 * time.Second // of one call, with its answer's body
	uploadTimeout = time.Minute      // of a file's bytes
	maxAnswer     = 4 << 20          // bytes of an answer; more is a fault
	methodOpen    = "apps.connections.open"
	methodUpload  = "upload" // how calls to upload addresses are counted
	methodHook    = "response_url"
)

// A transport carries every call to Slack's API. It puts the bot token into the
// Authorization header, for the API's own host only, and takes it out of the
// body, where the library writes it. It bounds time and size, spaces the opening
// of connections, and counts. It logs nothing.
type transport struct {
	base  http.RoundTripper
	api   *url.URL // ends in a slash
	token secret.Secret
	gate  *gate
	calls *counters
}

// errUnsent marks a call of which not one byte left: nothing can have arrived.
var errUnsent = errors.New("nothing was sent")

// RoundTrip makes one call and returns its answer with the body already read.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	method := t.method(req.URL)
	if method == methodOpen {
		if err := t.gate.wait(req.Context()); err != nil {
			return nil, fmt.Errorf("%w: %w", errUnsent, err)
		}
	}
	ours, err := t.prepare(req, method)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnsent, err)
	}
	resp, err := exchange(t.base, ours, timeoutOf(method))
	t.calls.add(method, resp)
	if method == methodOpen && resp != nil && resp.StatusCode == http.StatusTooManyRequests {
		t.gate.hold(time.Now(), retryAfter(resp.Header))
	}
	return resp, err
}

// method returns the name of the API method that u calls.
func (t *transport) method(u *url.URL) string {
	if t.isAPI(u) && strings.HasPrefix(u.Path, t.api.Path) {
		return path.Base(u.Path)
	}
	return methodUpload
}

func (t *transport) isAPI(u *url.URL) bool {
	return u.Scheme == t.api.Scheme && strings.EqualFold(u.Host, t.api.Host)
}

func timeoutOf(method string) time.Duration {
	if method == methodUpload {
		return uploadTimeout
	}
	return callTimeout
}

// prepare returns a copy of the request with the token where it belongs.
func (t *transport) prepare(req *http.Request, method string) (*http.Request, error) {
	req = req.Clone(req.Context())
	if !t.isAPI(req.URL) {
		return req, nil
	}
	if req.Header.Get("Authorization") == "" {
		req.Header.Set("Authorization", "Bearer "+t.token.Reveal())
	}
	if req.ContentLength == 0 {
		req.Header.Del("Content-Type") // no body is no JSON: a strict peer refuses it as such
	}
	if method == methodUpload || req.Body == nil || req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return req, nil
	}
	form, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(form))
	if err != nil {
		return nil, errors.New("the form cannot be read")
	}
	values.Del("token")
	setBody(req, []byte(values.Encode()))
	return req, nil
}

func setBody(req *http.Request, b []byte) {
	req.Body = io.NopCloser(bytes.NewReader(b))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	req.ContentLength = int64(len(b))
}

// exchange makes one call in the given time and reads its answer whole. An error
// that wraps errUnsent says that nothing left.
func exchange(base http.RoundTripper, req *http.Request, timeout time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), timeout)
	defer cancel()
	var mu sync.Mutex // guards sent: the trace runs on the connection's goroutine
	sent := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() {
		mu.Lock()
		defer mu.Unlock()
		sent = true
	}})
	resp, err := base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		mu.Lock()
		defer mu.Unlock()
		if !sent {
			return nil, fmt.Errorf("%w: %w", errUnsent, err)
		}
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// retryAfter returns how long a 429 says to wait, a minute if it does not.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 1 {
		return time.Minute
	}
	return time.Duration(seconds) * time.Second
}

// A hookTransport carries calls to addresses that are secrets themselves
// (response_url): it adds no token.
type hookTransport struct {
	base  http.RoundTripper
	calls *counters
}

// RoundTrip makes one call and returns its answer with the body already read.
func (t *hookTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := exchange(t.base, req, callTimeout)
	t.calls.add(methodHook, resp)
	return resp, err
}

// counters count calls by method.
type counters struct {
	mu      sync.Mutex // guards the maps
	calls   map[string]int64
	limited map[string]int64
}

func newCounters() *counters {
	return &counters{calls: map[string]int64{}, limited: map[string]int64{}}
}

func (c *counters) add(method string, resp *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[method]++
	if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
		c.limited[method]++
	}
}

// copy returns the counts as they are now.
func (c *counters) copy() (calls, limited map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.calls), maps.Clone(c.limited)
}
