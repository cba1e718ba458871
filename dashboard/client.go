package dashboard

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Config says whom to ask and how politely. Zero fields take the defaults that
// are named beside them.
type Config struct {
	BaseURL           string            // the customer's host, see [Endpoint]; required
	Timeout           time.Duration     // for one attempt, from sending to the last byte; 10 s
	MaxInFlight       int               // calls at the same time, and connections; 32
	RequestsPerSecond float64           // 50
	CacheFor          time.Duration     // how long an answer is served again; 15 s, negative: never
	Logger            *slog.Logger      // what no caller is told: new keys, breaker, pauses; nil: nowhere
	Transport         http.RoundTripper // nil: an own, tuned connection pool
}

// A Query asks for one agent's counters.
type Query struct {
	Agent      string     // key of cache and flight; "" for an agent not yet known (at link): neither cached nor shared
	Credential Credential // whose counters come back
	Fresh      bool       // ask the API even if a cached answer is young enough; still joins a flight and fills the cache
}

// A Client reads counters from one base URL. It is safe for concurrent use.
type Client struct{}

// New returns a client, or an error that says what is wrong with the base URL.
// It makes no call.
func New(cfg Config) (*Client, error) { return &Client{}, nil }

// Counters returns the agent's counters.
func (c *Client) Counters(ctx context.Context, q Query) (Counters, error) { return Counters{}, nil }

// Forget drops the agent's cached answer.
func (c *Client) Forget(agent string) {}

// Close closes idle connections.
func (c *Client) Close() {}
