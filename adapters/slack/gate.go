package slack

import (
	"context"
	"sync"
	"time"
)

// The pace of new connections. Slack counts apps.connections.open like the
// scarcest of its methods, and the library opens anew as fast as connections
// die: without a gate, a workspace that switched Socket Mode off is called
// several times a second for ever.
const (
	gateMin  = 2 * time.Second  // between two opens
	gateMax  = time.Minute      // the same, after many that were of no use
	gateAway = 15 * time.Second // the same, after many that never reached Slack
	gateGood = 5 * time.Minute  // a connection that lived so long resets the pace
	atOnce   = 10 * time.Second // one that lived less was refused, rather than lost
	hopeless = 10               // so many of them in a row, and an operator has to look
)

// A gate spaces the opening of connections, for all clients together.
type gate struct {
	min, max, good time.Duration // constant

	mu      sync.Mutex // guards the rest
	gap     time.Duration
	next    time.Time   // the next open may not be before
	held    time.Time   // nor may any that has a place already
	opens   []time.Time // of the last minute
	refused int         // connections in a row that died at once
}

func newGate() *gate {
	return &gate{min: gateMin, max: gateMax, good: gateGood, gap: gateMin}
}

// wait blocks until the caller may open a connection, or until ctx is done.
func (g *gate) wait(ctx context.Context) error {
	for {
		if err := sleep(ctx, g.reserve(time.Now())); err != nil || !g.isHeld(time.Now()) {
			return err
		}
	}
}

// isHeld reports whether a hold came while somebody waited for their place.
func (g *gate) isHeld(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return now.Before(g.held)
}

// reserve takes the next place in the queue and returns how long to wait for it.
func (g *gate) reserve(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := now
	if g.next.After(at) {
		at = g.next
	}
	g.next = at.Add(g.gap)
	g.opens = append(g.recent(now), at)
	return at.Sub(now)
}

// ahead returns how long whoever came now would wait.
func (g *gate) ahead(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, g.next.Sub(now))
}

// hold lets nobody open a connection for d.
func (g *gate) hold(now time.Time, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := now.Add(d); until.After(g.held) {
		g.held = until
	}
	if g.held.After(g.next) {
		g.next = g.held
	}
}

// failed says that an open led to no connection.
func (g *gate) failed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gap = min(2*g.gap, g.max)
}

// unsent says that an open never reached Slack, which costs nothing there: the
// pace slows down less, so that we are back soon after an outage.
func (g *gate) unsent() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gap = max(g.gap, min(2*g.gap, gateAway))
}

// closed says that a connection ended after it lived so long, and reports
// whether so many were refused in a row that there is no point in going on.
func (g *gate) closed(lived time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if lived >= g.good {
		g.gap = g.min
	} else {
		g.gap = min(2*g.gap, g.max)
	}
	if lived >= atOnce {
		g.refused = 0
	} else {
		g.refused++
	}
	return g.refused >= hopeless
}

// perMinute returns how many connections were opened in the last minute.
func (g *gate) perMinute(now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opens = g.recent(now)
	return len(g.opens)
}

// recent returns the opens of the last minute; the caller holds mu.
func (g *gate) recent(now time.Time) []time.Time {
	kept := g.opens[:0]
	for _, t := range g.opens {
		if now.Sub(t) < time.Minute {
			kept = append(kept, t)
		}
	}
	return kept
}

// sleep waits for d, or until ctx is done, and then returns its cause.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
