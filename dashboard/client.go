package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Config says whom to ask and how politely. Zero fields take the default named
// beside them.
type Config struct {
	BaseURL           string            // the customer's host, see [Endpoint]; required
	Timeout           time.Duration     // for one attempt, from sending to the last byte; 10 s
	MaxInFlight       int               // attempts, and so connections, at the same time; 32
	RequestsPerSecond float64           // attempts a second; 50
	CacheFor          time.Duration     // how long an answer is served again; 15 s, negative for never
	Logger            *slog.Logger      // for what no caller is told: new keys, pauses, the breaker; silent
	Transport         http.RoundTripper // an own, tuned connection pool
}

// withDefaults returns the configuration with its zero fields filled.
func (c Config) withDefaults() Config {
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	c.MaxInFlight = cmp.Or(c.MaxInFlight, 32)
	c.RequestsPerSecond = cmp.Or(c.RequestsPerSecond, 50)
	c.CacheFor = cmp.Or(c.CacheFor, 15*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c
}

// check reports a number that makes no sense.
func (c Config) check() error {
	switch {
	case c.Timeout < 0:
		return fmt.Errorf("timeout is %s; it must be more than zero", c.Timeout)
	case c.MaxInFlight < 0:
		return fmt.Errorf("max_in_flight is %d; it must be at least 1", c.MaxInFlight)
	case !(c.RequestsPerSecond > 0):
		return fmt.Errorf("requests_per_second is %g; it must be more than zero", c.RequestsPerSecond)
	}
	return nil
}

// A Client reads counters from one base URL. It is safe for concurrent use.
//
// A call that reaches the API takes at most three times Config.Timeout: waiting
// for its turn, a first attempt, and one repetition if that attempt failed in a
// way that may pass. What would have to wait for longer gives up at once. A call
// that others may share runs in a goroutine of its own, which ends with it.
type Client struct {
	caller  *caller
	flights singleflight.Group
	cache   *cache
	log     *slog.Logger

	answers, cacheHits, shared atomic.Uint64
	failed                     [len(classes)]atomic.Uint64 // by class
}

// New returns a client, or an error that says which setting is wrong. It makes
// no call.
func New(cfg Config) (*Client, error) {
	endpoint, err := Endpoint(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	caller, err := newCaller(endpoint, cfg)
	if err != nil {
		return nil, err
	}
	return &Client{
		caller: caller,
		cache:  newCache(cfg.CacheFor),
		log:    cfg.Logger,
	}, nil
}

// A Query asks for one agent's counters.
type Query struct {
	Agent      string        // key of cache and flight; "" for nobody known yet (at link): neither cached nor shared
	Credential Credential    // whose counters come back
	Fresh      bool          // ask the API, whatever is cached or on its way; the answer is cached
	Within     time.Duration // what a call that this starts may take at most, waiting included; 0: as long as any
}

// Counters returns the agent's counters: from the cache if they are young
// enough, from a shared call that is already on its way for this agent and
// credential, or by starting one. A query that is fresh, or of nobody known yet,
// is a call of its own and ends with ctx.
//
// A shared call does not depend on any caller's context: whoever gives up
// leaves it to the others, and its answer to the cache. The error is always an
// [Error]; a context that ended is one of class transient and still matches
// context.Canceled or context.DeadlineExceeded.
func (c *Client) Counters(ctx context.Context, q Query) (Counters, error) {
	if err := q.Credential.Validate(); err != nil {
		return Counters{}, &Error{Class: ClassCredential, Err: err}
	}
	if ctx.Err() != nil {
		return Counters{}, gaveUp(ctx)
	}
	if q.Agent == "" {
		return c.fly(ctx, q)
	}
	owner := q.Credential.fingerprint()
	if q.Fresh {
		return c.fetch(ctx, q, owner)
	}
	if counters, ok := c.cache.get(q.Agent, owner); ok {
		c.cacheHits.Add(1)
		return counters, nil
	}
	return c.join(ctx, q, owner)
}

// join waits for the flight of this agent and credential and starts it if there
// is none.
func (c *Client) join(ctx context.Context, q Query, owner fingerprint) (Counters, error) {
	ours := false
	flight := c.flights.DoChan(q.Agent+"\x00"+string(owner[:]), func() (any, error) {
		ours = true // read only after the flight has landed
		return c.fetch(context.WithoutCancel(ctx), q, owner)
	})
	select {
	case landed := <-flight:
		if !ours {
			c.shared.Add(1)
		}
		if landed.Err != nil {
			return Counters{}, landed.Err
		}
		return landed.Val.(Counters), nil
	case <-ctx.Done():
		return Counters{}, gaveUp(ctx)
	}
}

// fetch makes one call and caches its answer.
func (c *Client) fetch(ctx context.Context, q Query, owner fingerprint) (Counters, error) {
	epoch := c.cache.now()
	counters, err := c.fly(ctx, q)
	if err == nil {
		c.cache.put(q.Agent, cached{counters, owner, epoch, time.Now()})
	}
	return counters, err
}

// fly makes one call and counts how it ended. A panic becomes an error: in a
// shared flight nobody else could stop it from ending the program.
func (c *Client) fly(ctx context.Context, q Query) (counters Counters, err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value itself is not logged: it may hold anything.
			c.log.Error("panic while reading counters", "agent", q.Agent, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = &Error{Class: ClassFault, Err: fmt.Errorf("panic while reading counters (%T)", p)}
		}
		if class, failed := ClassOf(err); failed {
			c.failed[class].Add(1)
		} else {
			c.answers.Add(1)
		}
	}()
	return c.caller.call(ctx, q)
}

// gaveUp is the error of a caller whose context ended.
func gaveUp(ctx context.Context) *Error {
	err := ctx.Err()
	if why := context.Cause(ctx); why != err {
		err = fmt.Errorf("%w: %w", err, why)
	}
	return &Error{Class: ClassTransient, Err: err}
}

// Forget drops what is cached of an agent, at unlink. A call that is on its way
// does not bring it back.
func (c *Client) Forget(agent string) { c.cache.forget(agent) }

// Close closes idle connections. Calls on their way end by themselves.
func (c *Client) Close() {
	if t, ok := c.caller.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Stats are the client's counters since it was made, and its state now.
type Stats struct {
	Answers   uint64           // calls that brought counters
	Errors    map[Class]uint64 // calls that did not; every class has an entry
	CacheHits uint64           // queries served from the cache
	Shared    uint64           // queries that joined the call of another
	Attempts  uint64           // requests sent, repetitions included
	Retries   uint64           // repetitions
	Dials     uint64           // connections opened by the own transport
	NewKeys   uint64           // different keys seen that the vendor's document does not have
	ExtraRows uint64           // answers with more than one row
	Took      time.Duration    // time of all attempts together
	InFlight  int              // attempts on their way
	Waiting   int              // attempts waiting for their turn
	Breaker   string           // "closed" is good, "open" lets nothing through, "half-open" tries one
	Paused    time.Duration    // how long the API still wants to be left alone
}

// Stats returns the counters for metrics. They are read one by one, so they
// need not agree with each other to the last call.
func (c *Client) Stats() Stats {
	s := c.caller.stats()
	s.Answers, s.CacheHits, s.Shared = c.answers.Load(), c.cacheHits.Load(), c.shared.Load()
	s.Errors = make(map[Class]uint64, len(classes))
	for _, class := range classes {
		s.Errors[class] = c.failed[class].Load()
	}
	return s
}
