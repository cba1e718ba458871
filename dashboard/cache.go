package dashboard

import (
	"sync"
	"time"
)

// A cache holds the last answer of each agent for a short time. An answer is
// served to the credential that fetched it and to no other: after a new link
// the same agent may be somebody else's account.
type cache struct {
	keep time.Duration // not positive: nothing is kept

	mu      sync.Mutex // guards what follows
	answers map[string]cached
	swept   time.Time // when old answers were last thrown out
	epoch   uint64    // counts forget
}

// cached is an answer of one agent.
type cached struct {
	counters Counters
	owner    fingerprint
	epoch    uint64 // of the cache when the call began
	stored   time.Time
}

// newCache returns a cache that keeps answers for the given time.
func newCache(keep time.Duration) *cache {
	return &cache{keep: keep, answers: map[string]cached{}, swept: time.Now()}
}

// now returns the current epoch.
func (c *cache) now() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch
}

// get returns the agent's answer if this credential fetched it recently.
func (c *cache) get(agent string, owner fingerprint) (Counters, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.answers[agent]
	if !ok || a.owner != owner || time.Since(a.stored) >= c.keep {
		return Counters{}, false
	}
	return a.counters, true
}

// put keeps an answer, unless something was forgotten since its call began: it
// might be that agent's. Losing an entry costs one call.
func (c *cache) put(agent string, a cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keep <= 0 || a.epoch != c.epoch {
		return
	}
	if a.stored.Sub(c.swept) > c.keep {
		c.sweep(a.stored)
	}
	c.answers[agent] = a
}

// sweep throws out what is too old to be served, so that the cache never holds
// more than was fetched lately. The caller holds mu.
func (c *cache) sweep(now time.Time) {
	for agent, a := range c.answers {
		if now.Sub(a.stored) >= c.keep {
			delete(c.answers, agent)
		}
	}
	c.swept = now
}

// forget drops the agent's answer and every answer that is on its way.
func (c *cache) forget(agent string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	delete(c.answers, agent)
}
