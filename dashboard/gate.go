package dashboard

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// Why an attempt was not made.
var (
	errBusy   = errors.New("not asked: more calls are waiting than requests_per_second lets through in time")
	errPaused = errors.New("not asked: the API wants to be left alone")
	errOpen   = errors.New("not asked: the last calls all failed, trying again soon")
)

// A gate lets attempts through one by one: at most so many at a time, at most so
// many a second, and none while the API has asked for a pause.
type gate struct {
	places  *semaphore.Weighted
	limiter *rate.Limiter
	waiting atomic.Int64

	mu    sync.Mutex // guards until
	until time.Time  // end of the pause
}

// newGate returns an open gate. Bursts are a tenth of a second's worth: polls
// are spread over their interval, and a person's request need not queue behind
// a handful of them.
func newGate(inFlight int, perSecond float64) *gate {
	burst := max(1, int(math.Min(perSecond/10, 1000)))
	return &gate{
		places:  semaphore.NewWeighted(int64(inFlight)),
		limiter: rate.NewLimiter(rate.Limit(perSecond), burst),
	}
}

// enter waits for its turn, until a time at most; who has entered leaves again.
// It fails at once when the turn would come after that time or the end of ctx.
func (g *gate) enter(ctx context.Context, until time.Time) error {
	if ctx.Err() == nil && g.places.TryAcquire(1) {
		if g.pausedFor() <= 0 && g.limiter.Allow() {
			return nil // as a rule, and without a timer
		}
		g.leave()
	}
	g.waiting.Add(1)
	defer g.waiting.Add(-1)
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if g.places.Acquire(ctx, 1) != nil {
		return gaveUp(ctx)
	}
	if err := g.turn(ctx); err != nil {
		g.leave()
		return err
	}
	return nil
}

// leave makes room for the next.
func (g *gate) leave() { g.places.Release(1) }

// turn waits for the limiter and for the end of a pause. Whoever has waited
// through a pause queues again: else all of them would go at its end.
func (g *gate) turn(ctx context.Context) error {
	for {
		if err := g.limiter.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return gaveUp(ctx)
			}
			return &Error{Err: errBusy}
		}
		left := g.pausedFor()
		if left <= 0 {
			return nil
		}
		if err := sleep(ctx, left); err != nil {
			return err
		}
	}
}

// sleep waits for d, or fails at once if ctx ends earlier.
func sleep(ctx context.Context, d time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return &Error{After: d, Err: errPaused}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}

// pause closes the gate for d from now, unless it is closed for longer.
func (g *gate) pause(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.until) {
		g.until = until
	}
}

// pausedFor returns how long the pause lasts from now.
func (g *gate) pausedFor() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, time.Until(g.until))
}
