package slack

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Stats is what an adapter did since it was made, for metrics. Counts only grow.
type Stats struct {
	Open      int       // connections that were greeted and have not ended
	Connects  int64     // connections that were made
	LastHello time.Time // of a connection, in HTTP mode of a genuine request; zero if there was none
	PerMinute int       // connections asked for in the last minute; ten and more are alarming

	Calls   map[string]int64 // of the API, by method; uploads and response_urls by those names
	Limited map[string]int64 // of them, answered with 429

	Acks        int64 // events that were acknowledged
	AckErrors   int64 // acknowledgements that could not be handed to a connection
	Redelivered int64 // events that Slack delivered again
	Dropped     int64 // events that were left to Slack to deliver again: full, or stopping
	Unsigned    int64 // requests over HTTP that Slack did not sign
}

// Stats returns the counts as they are now.
func (a *Adapter) Stats() Stats {
	s := a.health.copy()
	s.Calls, s.Limited = a.calls.copy()
	s.PerMinute = a.gate.perMinute(time.Now())
	return s
}

// silence is how long there may be no connection before that is a fault: a
// refresh takes seconds, Slack's own hiccups a minute.
const silence = 90 * time.Second

// Healthy returns nil while Run has a connection, or had one a moment ago, and
// in HTTP mode while it runs. A quiet workspace is healthy: connections are
// watched by their pings, and who does not call cannot be told from who has
// nothing to say.
func (a *Adapter) Healthy() error { return a.health.judge(time.Now()) }

// health is what the connections and sessions note down.
type health struct {
	mu      sync.Mutex // guards the rest
	stats   Stats
	open    map[int]bool // by client
	running bool
	listens bool      // it keeps no connections, Slack calls it
	since   time.Time // when there was last a connection, or Run began
	err     error     // why Run ended
}

func (h *health) note(f func(*Stats)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.stats)
}

func (h *health) copy() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats
	s.Open = len(h.open)
	return s
}

func (h *health) begin(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open, h.running, h.listens, h.since, h.err = map[int]bool{}, true, false, now, nil
}

// listen says that there will be no connections, and need not be.
func (h *health) listen() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listens = true
}

func (h *health) end(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open, h.running, h.err = nil, false, err
}

// greeted says that a client's connection works.
func (h *health) greeted(client int, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open != nil {
		h.open[client] = true
	}
	h.stats.LastHello = now
}

// lost says that a client has no connection.
func (h *health) lost(client int, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open[client] {
		h.since = now
	}
	delete(h.open, client)
}

// alone reports whether no client has a connection.
func (h *health) alone() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.open) == 0
}

func (h *health) judge(now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.err != nil:
		return h.err
	case !h.running:
		return errors.New("slack: not running")
	case !h.listens && len(h.open) == 0 && now.Sub(h.since) > silence:
		return fmt.Errorf("slack: no connection for %v", now.Sub(h.since).Round(time.Second))
	default:
		return nil
	}
}
