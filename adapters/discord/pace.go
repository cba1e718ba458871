package discord

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"floorwalker/bot/chat"
)

const (
	patience   = 2 * time.Second // how long a call that will be made again waits for its turn
	noHurry    = -1              // as long as the context allows
	maxBuckets = 4096            // then idle ones are dropped

	// Discord allows a bot 50 calls a second: so many at once, and then so many
	// a second.
	globalRate  = 40
	globalBurst = 10
)

// A limiter keeps the calls within Discord's limits, which are known from the
// headers of its answers only: one bucket for each X-RateLimit-Bucket and channel
// or server, and until that is known for each route. Calls of a bucket are made
// one after another. Answers to interactions have no part in it: Discord exempts
// them from the limit of the whole bot, each has a bucket of its own, and they
// are in a hurry.
type limiter struct {
	global  *rate.Limiter
	invalid invalid

	mu      sync.Mutex        // guards the rest
	names   map[string]string // of buckets, by route
	buckets map[string]*bucket
	paused  time.Time // all calls but answers, until then
	banned  time.Time // all calls, until then
}

// A bucket is what is left of one of Discord's limits.
type bucket struct {
	turn  chan struct{} // of size one; waiters are served in order
	users int           // guarded by the limiter's mu, as is the rest
	spent bool          // nothing is left until reset
	reset time.Time
}

func newLimiter() *limiter {
	return &limiter{
		global: rate.NewLimiter(globalRate, globalBurst),
		names:  map[string]string{}, buckets: map[string]*bucket{},
	}
}

// errPaced is the reason of a [chat.RetryError] that is ours and not Discord's.
var errPaced = errors.New("discord: too many calls at once")

// A turn is the right to make one call. Its zero value is nobody's.
type turn struct {
	l     *limiter
	route string
	major string
	b     *bucket
}

// take waits until the call may be made. It returns the context's cause when ctx
// ends first, and a [chat.RetryError] when the turn would come after the call's
// budget or the context's deadline.
func (l *limiter) take(ctx context.Context, k call) (turn, error) {
	start := time.Now()
	if k.lane == laneReply {
		return turn{}, l.await(ctx, start, k, func(now time.Time) time.Duration { return l.ban(now) })
	}
	t := turn{l: l, route: k.route, major: k.major, b: l.join(k)}
	if err := t.queue(ctx, k.budget); err != nil {
		l.leave(t.b)
		return turn{}, err
	}
	err := l.await(ctx, start, k, func(now time.Time) time.Duration { return l.delay(now, k.lane, t.b) })
	if err == nil {
		err = l.spend(ctx, start, k)
	}
	if err != nil {
		<-t.b.turn
		l.leave(t.b)
		return turn{}, err
	}
	return t, nil
}

// queue waits until the bucket's other calls are done.
func (t turn) queue(ctx context.Context, budget time.Duration) error {
	var late <-chan time.Time
	if budget >= 0 {
		timer := time.NewTimer(budget)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case t.b.turn <- struct{}{}:
		return context.Cause(ctx)
	case <-late:
		return &chat.RetryError{After: time.Second, Err: errPaced}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// await sleeps until there is no delay any more.
func (l *limiter) await(ctx context.Context, start time.Time, k call, delay func(time.Time) time.Duration) error {
	for {
		now := time.Now()
		d := delay(now)
		if d <= 0 {
			return context.Cause(ctx)
		}
		if tooLong(ctx, now, d, now.Sub(start)+d, k.budget) {
			return &chat.RetryError{After: d, Err: errPaced}
		}
		if err := sleep(ctx, d); err != nil {
			return err
		}
	}
}

// tooLong reports whether a delay from now is more than the caller can wait;
// total is with what they have waited already.
func tooLong(ctx context.Context, now time.Time, delay, total, budget time.Duration) bool {
	if budget >= 0 && total > budget {
		return true
	}
	deadline, ok := ctx.Deadline()
	return ok && now.Add(delay).After(deadline)
}

// spend takes one call from the limit of the whole bot.
func (l *limiter) spend(ctx context.Context, start time.Time, k call) error {
	now := time.Now()
	r := l.global.ReserveN(now, 1)
	d := r.DelayFrom(now)
	if d > 0 && tooLong(ctx, now, d, now.Sub(start)+d, k.budget) {
		r.CancelAt(now)
		return &chat.RetryError{After: d, Err: errPaced}
	}
	return sleep(ctx, d)
}

// delay returns how long a bucket's next call has to wait.
func (l *limiter) delay(now time.Time, in lane, b *bucket) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := max(l.banned.Sub(now), l.paused.Sub(now))
	if b.spent {
		d = max(d, b.reset.Sub(now))
	}
	return max(d, l.invalid.pause(now, in))
}

// ban returns how long nothing at all may be sent.
func (l *limiter) ban(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.banned.Sub(now)
}

// join returns the bucket of a call and keeps it from being dropped.
func (l *limiter) join(k call) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(time.Now(), l.key(k.route, k.major))
	b.users++
	return b
}

func (l *limiter) leave(b *bucket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.users--
}

// key returns what a bucket is known by; the caller holds mu.
func (l *limiter) key(route, major string) string {
	if name := l.names[route]; name != "" {
		route = name
	}
	return route + " " + major
}

// bucket returns the bucket of a key; the caller holds mu.
func (l *limiter) bucket(now time.Time, key string) *bucket {
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			for k, idle := range l.buckets {
				if idle.users == 0 && now.After(idle.reset) {
					delete(l.buckets, k)
				}
			}
		}
		b = &bucket{turn: make(chan struct{}, 1)}
		l.buckets[key] = b
	}
	return b
}

// end gives the turn back, and learns from the answer what is left.
func (t turn) end(got answer) {
	if t.l == nil {
		return
	}
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	now := time.Now()
	if name := got.header.Get("X-RateLimit-Bucket"); name != "" {
		t.l.names[t.route] = name
	}
	after := seconds(got.header.Get("X-RateLimit-Reset-After"))
	if got.header.Get("X-RateLimit-Global") == "" && got.header.Get("X-RateLimit-Scope") != scopeGlobal && after > 0 {
		b := t.l.bucket(now, t.l.key(t.route, t.major))
		b.spent = got.header.Get("X-RateLimit-Remaining") == "0"
		b.reset = now.Add(after)
	}
	t.b.users--
	<-t.b.turn
}

// learn draws the consequences of a call that failed: a limit pauses what it is
// about, for every goroutine.
func (l *limiter) learn(k call, e *Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if counts(e) {
		l.invalid.add(now)
	}
	if e.class != classLimited {
		return
	}
	until := now.Add(e.After)
	switch {
	case e.Scope == scopeAddress:
		l.banned = later(l.banned, until)
	case e.Scope == scopeGlobal:
		l.paused = later(l.paused, until)
	case k.lane != laneReply:
		b := l.bucket(now, l.key(k.route, k.major))
		b.spent, b.reset = true, later(b.reset, until)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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
