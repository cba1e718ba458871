package discord

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Stats is what an adapter did since it was made, for metrics. Counts only grow,
// except those that say otherwise.
type Stats struct {
	Connected  bool      // the gateway has a session that works; in HTTP mode, Discord has taken the token
	LastReady  time.Time // when it last began or went on; zero if it never did
	LastHeard  time.Time // when anything last came from the gateway, a heartbeat's answer included; in HTTP mode, a genuine request
	Connects   int64     // connections that were opened
	Identifies int       // sign-ins today (UTC), those of earlier processes included; Discord allows 1,000
	Opens      int       // new direct messages today (UTC), likewise

	Interactions int64 // that came in
	Promised     int64 // of them, answered with a promise first
	Dropped      int64 // of them, not understood or refused for want of room
	Unsigned     int64 // requests over HTTP that Discord did not sign

	Calls   map[string]int64 // of the API, by method and template
	Limited map[string]int64 // of them, answered with 429
	Invalid int              // answers of 401, 403 and 429 in the last ten minutes; Discord bans from 10,000
}

// Stats returns the counts as they are now.
func (a *Adapter) Stats() Stats {
	now := time.Now()
	s := a.health.copy()
	s.Calls, s.Limited = a.calls.copy()
	s.Identifies, s.Opens = a.notes.today(keyIdentify, now), a.notes.today(keyOpen, now)
	a.limits.mu.Lock()
	defer a.limits.mu.Unlock()
	s.Invalid = a.limits.invalid.count(now)
	return s
}

const (
	silence = 2 * time.Minute // how long there may be no session before that is a fault
	deaf    = 2 * time.Minute // or nothing heard on it: heartbeats are answered every 41 seconds
)

// Healthy returns nil while Run has a gateway session that is heard from, or had
// one a moment ago. A quiet server is healthy: heartbeats are answered there too.
// In HTTP mode it returns nil once Discord has taken the token: who does not call
// cannot be told from who has nothing to say.
func (a *Adapter) Healthy() error { return a.health.judge(time.Now()) }

// health is what the connection and the sessions note down.
type health struct {
	mu      sync.Mutex // guards the rest
	stats   Stats
	running bool
	listens bool      // it keeps no session, Discord calls it
	since   time.Time // when there was last a session, or Run began
	trouble error     // why there is none
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
	return h.stats
}

func (h *health) begin(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Connected, h.running, h.listens, h.since, h.trouble, h.err = false, true, false, now, nil, nil
}

// listen says that there will be no session of the gateway, and need not be.
func (h *health) listen() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listens = true
}

func (h *health) end(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Connected, h.running, h.err = false, false, err
}

// up says that the gateway has a session that works.
func (h *health) up(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Connected, h.stats.LastReady, h.stats.LastHeard, h.trouble = true, now, now, nil
}

// down says that it has none any more, and why.
func (h *health) down(now time.Time, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stats.Connected {
		h.since = now
	}
	h.stats.Connected, h.trouble = false, why
}

// heard says that something came from the gateway.
func (h *health) heard(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.LastHeard = now
}

func (h *health) judge(now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.err != nil:
		return h.err
	case !h.running:
		return errors.New("discord: not running")
	case h.stats.Connected && !h.listens && now.Sub(h.stats.LastHeard) > deaf:
		return fmt.Errorf("discord: nothing heard for %v", now.Sub(h.stats.LastHeard).Round(time.Second))
	case !h.stats.Connected && h.listens && now.Sub(h.since) > silence && h.trouble != nil:
		return fmt.Errorf("discord: the token is not checked: %w", h.trouble)
	case !h.stats.Connected && now.Sub(h.since) > silence && h.trouble != nil:
		return fmt.Errorf("discord: no session for %v: %w", now.Sub(h.since).Round(time.Second), h.trouble)
	case !h.stats.Connected && now.Sub(h.since) > silence:
		return fmt.Errorf("discord: no session for %v", now.Sub(h.since).Round(time.Second))
	default:
		return nil
	}
}

// counters count calls by route.
type counters struct {
	mu      sync.Mutex // guards the maps
	calls   map[string]int64
	limited map[string]int64
}

func newCounters() *counters {
	return &counters{calls: map[string]int64{}, limited: map[string]int64{}}
}

func (c *counters) add(route string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[route]++
	if status == http.StatusTooManyRequests {
		c.limited[route]++
	}
}

// copy returns the counts as they are now.
func (c *counters) copy() (calls, limited map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.calls), maps.Clone(c.limited)
}
