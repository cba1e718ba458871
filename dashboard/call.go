package dashboard

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"
)

const (
	maxBody     = 1 << 20          // bytes of an answer that are read; a real one has a few hundred
	maxTries    = 2                // attempts of one call
	maxCall     = 3                // time-outs that one call takes at most, waiting for its turn included
	retryDelay  = time.Second / 4  // before the second one, give or take a half
	tripAfter   = 10               // failures in a row that open the breaker
	openFor     = 15 * time.Second // how long it stays open, a quarter of a usual poll interval
	pauseFor    = time.Second      // after a 429 that does not say how long
	maxPauseFor = 10 * time.Minute // what a Retry-After may ask for
)

var (
	errTooLong   = errors.New("the answer is longer than 1 MiB")
	errHTTPError = errors.New("counters came under an HTTP error")
)

// A caller makes calls to one base URL: in turn, through a circuit breaker, with
// one repetition.
type caller struct {
	timeout   time.Duration     // of one attempt
	limit     time.Duration     // of one call
	transport http.RoundTripper // alone: a client would follow redirects, and keep cookies
	request   *http.Request     // without a body; what every request is a copy of
	gate      *gate
	breaker   *gobreaker.CircuitBreaker[Counters]
	notices   notices
	bodies    sync.Pool // of *bytes.Buffer, for answers; what is decoded is a copy

	attempts, retries, dials atomic.Uint64
	took, inFlight           atomic.Int64 // took in nanoseconds
}

// newCaller returns a caller; cfg has its defaults.
func newCaller(endpoint string, cfg Config) (*caller, error) {
	request, err := newRequest(endpoint)
	if err != nil {
		return nil, err
	}
	c := &caller{
		timeout:   cfg.Timeout,
		limit:     maxCall * cfg.Timeout,
		transport: cfg.Transport,
		request:   request,
		gate:      newGate(cfg.MaxInFlight, cfg.RequestsPerSecond),
		breaker:   newBreaker(cfg.Logger),
		notices:   notices{log: cfg.Logger},
	}
	if c.transport == nil {
		c.transport = newTransport(cfg, &c.dials)
	}
	return c, nil
}

// newRequest returns what every request is a copy of.
func newRequest(endpoint string) (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, endpoint, http.NoBody)
	if err != nil {
		return nil, errors.New("base URL cannot be called; it should look like https://brand.example")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "floorwalker")
	// A zero-length entry is not sent, but tells net/http that the request may
	// be repeated when a kept-alive connection turns out to be dead; for a POST
	// it would not be. Reading counters is safe to repeat.
	req.Header["X-Idempotency-Key"] = []string{}
	return req, nil
}

// newBreaker returns a circuit breaker that opens when the host is sick. What is
// wrong with one agent, or with us, says nothing about the host.
func newBreaker(log *slog.Logger) *gobreaker.CircuitBreaker[Counters] {
	return gobreaker.NewCircuitBreaker[Counters](gobreaker.Settings{
		Timeout:     openFor,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= tripAfter },
		IsExcluded: func(err error) bool {
			class, _ := ClassOf(err)
			return class != ClassTransient || errors.Is(err, context.Canceled)
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			log.Warn("counters API: circuit breaker", "from", from.String(), "to", to.String())
		},
	})
}

// call asks until there is an answer, an error that repeating does not mend, or
// no try or no time left. It returns the error of the last request that was sent:
// that one explains, and not that time then ran out.
func (c *caller) call(ctx context.Context, q Query) (Counters, error) {
	limit := c.limit
	if q.Within > 0 {
		limit = min(limit, q.Within)
	}
	until := time.Now().Add(limit)
	var why error
	tries := 0
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval = retryDelay
	counters, err := backoff.Retry(ctx, func() (Counters, error) {
		if tries++; tries > 1 {
			c.retries.Add(1)
		}
		counters, sent, err := c.try(ctx, q.Credential, until)
		if err != nil && (sent || why == nil) {
			why = err
		}
		return counters, retryable(err)
	}, backoff.WithBackOff(delay), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(limit))
	if err != nil {
		return Counters{}, why
	}
	return counters, nil
}

// retryable tells the retry loop what to do about an error.
func retryable(err error) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case err == nil:
		return nil
	case !ok || e.Class != ClassTransient, errors.Is(err, errOpen), errors.Is(err, errBusy), errors.Is(err, errPaused):
		return backoff.Permanent(err)
	}
	return err // after a 429 it is the gate that makes the next attempt wait
}

// try waits for its turn and makes one attempt, unless the breaker is open. It
// reports whether a request was sent.
func (c *caller) try(ctx context.Context, cred Credential, until time.Time) (counters Counters, sent bool, err error) {
	if err := c.gate.enter(ctx, until); err != nil {
		return Counters{}, false, err
	}
	defer c.gate.leave()
	counters, err = c.breaker.Execute(func() (Counters, error) {
		sent = true
		return c.attempt(ctx, cred, until)
	})
	switch {
	case errors.Is(err, gobreaker.ErrOpenState):
		err = &Error{Err: errOpen}
	case errors.Is(err, gobreaker.ErrTooManyRequests):
		err = &Error{Err: errors.New("not asked: waiting for the result of a first call after a failure")}
	}
	return counters, sent, err
}

// attempt sends one request and reads its answer, until a time at most.
func (c *caller) attempt(ctx context.Context, cred Credential, until time.Time) (Counters, error) {
	start := time.Now()
	if end := start.Add(c.timeout); end.Before(until) {
		until = end
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	req := c.ask(ctx, cred)
	c.attempts.Add(1)
	c.inFlight.Add(1)
	defer func() {
		c.inFlight.Add(-1)
		c.took.Add(int64(time.Since(start)))
	}()
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return Counters{}, &Error{Err: c.networkError(ctx, err, cred)}
	}
	defer resp.Body.Close()
	counters, e := c.read(ctx, resp, cred)
	if e != nil {
		e.Status = resp.StatusCode
		e.After = retryAfter(resp, start)
		c.gate.pause(e.After)
		return Counters{}, e
	}
	counters.At = start.UTC().Round(0) // without the monotonic reading, as it is stored
	c.notices.note(counters)
	return counters, nil
}

// ask returns the request for a credential, which is in the body only: errors
// and proxies print URLs. The header is shared by all requests.
func (c *caller) ask(ctx context.Context, cred Credential) *http.Request {
	body := cred.body()
	req := c.request.WithContext(ctx)
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body = io.NopCloser(bytes.NewReader(body))
	return req
}

// read reads an answer's body and date.
func (c *caller) read(ctx context.Context, resp *http.Response, cred Credential) (Counters, *Error) {
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return Counters{}, &Error{Class: ClassFault, Err: redirected(resp)}
	}
	body, _ := c.bodies.Get().(*bytes.Buffer)
	if body == nil {
		body = new(bytes.Buffer)
	}
	defer c.bodies.Put(body)
	body.Reset()
	_, err := body.ReadFrom(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return Counters{}, &Error{Err: c.networkError(ctx, err, cred)}
	case body.Len() > maxBody:
		return Counters{}, &Error{Err: errTooLong}
	}
	row, rows, e := decode(body.Bytes(), cred)
	switch {
	case e != nil:
		return Counters{}, e
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return Counters{}, &Error{Err: errHTTPError}
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		date = time.Time{}
	}
	return Counters{Row: row, Rows: rows, Date: date.UTC()}, nil
}

// redirected describes a redirect by the host it points to. The rest of the
// address is the server's and may hold anything.
func redirected(resp *http.Response) error {
	to, err := resp.Location()
	if err != nil {
		return errors.New("the API answered with a redirect; check dashboard.base_url")
	}
	return fmt.Errorf("the API redirects to %s://%s; redirects are not followed, check dashboard.base_url", to.Scheme, to.Host)
}

// networkError describes what net/http reported, which for a context that has
// ended is its cause, and that may be anything.
func (c *caller) networkError(ctx context.Context, err error, cred Credential) error {
	err = cmp.Or(ctx.Err(), err)
	text := clean(err.Error(), cred)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		text = fmt.Sprintf("no answer within %s", c.timeout)
	case errors.Is(err, io.ErrUnexpectedEOF):
		text = errCut.Error()
	}
	return newCause(text, err)
}

// retryAfter returns how long the API wants to be left alone: what a 429 or 503
// says, in seconds or as a date, and a second for a 429 that says nothing. A
// silly value does not silence the client for good.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	var after time.Duration
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		after = pauseFor
	case http.StatusServiceUnavailable:
	default:
		return 0
	}
	header := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		after = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		after = date.Sub(now)
	}
	return min(max(after, 0), maxPauseFor)
}

// stats returns the caller's part of [Stats].
func (c *caller) stats() Stats {
	return Stats{
		Attempts:  c.attempts.Load(),
		Retries:   c.retries.Load(),
		Dials:     c.dials.Load(),
		NewKeys:   c.notices.newKeys.Load(),
		ExtraRows: c.notices.extraRows.Load(),
		Took:      time.Duration(c.took.Load()),
		InFlight:  int(c.inFlight.Load()),
		Waiting:   int(c.gate.waiting.Load()),
		Breaker:   c.breaker.State().String(),
		Paused:    c.gate.pausedFor(),
	}
}
