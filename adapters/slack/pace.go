package slack

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"floorwalker/bot/chat"
)

const (
	patience     = 2 * time.Second  // how long a call that may be repeated waits for its turn
	noHurry      = -1               // as long as the context allows
	pauseUnknown = 15 * time.Minute // a 429 that does not say how long is the workspace's own limit
	maxBuckets   = 4096             // then idle ones are dropped
)

// everything is the key that pauses all calls.
const everything = ""

// tiers are Slack's limits by method, stated per minute; chat.postMessage has a
// limit of the whole workspace that Slack calls "several hundred".
func tierOf(method string) *rate.Limiter {
	perMinute := func(n, burst int) *rate.Limiter { return rate.NewLimiter(rate.Limit(n)/60, burst) }
	switch method {
	case "chat.postMessage":
		return perMinute(300, 30)
	case "chat.update", "conversations.open":
		return perMinute(50, 20)
	default:
		return perMinute(100, 30)
	}
}

// A limiter keeps the calls within Slack's limits: one bucket per method, one of
// a message a second per method and channel. A 429 pauses its key for every
// goroutine.
type limiter struct {
	perChannel rate.Limit // a second; constant

	mu      sync.Mutex // guards the maps
	buckets map[string]*rate.Limiter
	paused  map[string]time.Time // until when
}

func newLimiter() *limiter {
	return &limiter{perChannel: 1, buckets: map[string]*rate.Limiter{}, paused: map[string]time.Time{}}
}

// wait blocks until a call may be made; channel is "" where it does not matter.
// It returns the context's cause when ctx ends first, and a [chat.RetryError] at
// once when the turn would come after the budget or after the context's
// deadline. A budget below zero is as long as the context allows.
func (l *limiter) wait(ctx context.Context, method, channel string, budget time.Duration) error {
	start := time.Now()
	turns, delay := l.reserve(start, method, channel)
	for {
		if tooLong(ctx, start, delay, budget) {
			for _, t := range turns {
				t.CancelAt(start)
			}
			return &chat.RetryError{After: delay, Err: errPaced}
		}
		if err := sleep(ctx, delay-time.Since(start)); err != nil {
			return err
		}
		// Somebody else may have met a 429 meanwhile.
		now := time.Now()
		pause := l.pause(now, method, channel)
		if pause <= 0 {
			return nil
		}
		delay = now.Sub(start) + pause
	}
}

var errPaced = errors.New("slack: too many messages at once")

// tooLong reports whether a delay, counted from start, is more than the caller
// can wait.
func tooLong(ctx context.Context, start time.Time, delay, budget time.Duration) bool {
	if budget >= 0 && delay > budget {
		return true
	}
	deadline, ok := ctx.Deadline()
	return ok && delay > 0 && start.Add(delay).After(deadline)
}

// reserve takes a turn in every bucket that counts the call and returns how long
// to wait for it.
func (l *limiter) reserve(now time.Time, method, channel string) ([]*rate.Reservation, time.Duration) {
	delay := l.pause(now, method, channel)
	l.mu.Lock()
	defer l.mu.Unlock()
	turns := []*rate.Reservation{l.bucket(now, method, func() *rate.Limiter { return tierOf(method) }).ReserveN(now, 1)}
	if channel != "" {
		one := func() *rate.Limiter { return rate.NewLimiter(l.perChannel, 1) }
		turns = append(turns, l.bucket(now, callKey(method, channel), one).ReserveN(now, 1))
	}
	for _, t := range turns {
		delay = max(delay, t.DelayFrom(now))
	}
	return turns, delay
}

// bucket returns the bucket of a key; the caller holds mu.
func (l *limiter) bucket(now time.Time, key string, make func() *rate.Limiter) *rate.Limiter {
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			for k, idle := range l.buckets {
				if idle.TokensAt(now) >= float64(idle.Burst()) {
					delete(l.buckets, k)
				}
			}
		}
		b = make()
		l.buckets[key] = b
	}
	return b
}

// hold pauses a call's key, or everything, for d.
func (l *limiter) hold(key string, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.paused[key]) {
		l.paused[key] = until
	}
}

// pause returns how long a call is still paused.
func (l *limiter) pause(now time.Time, method, channel string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var longest time.Duration
	for _, key := range []string{everything, callKey(method, channel)} {
		until, ok := l.paused[key]
		switch {
		case !ok:
		case !until.After(now):
			delete(l.paused, key)
		default:
			longest = max(longest, until.Sub(now))
		}
	}
	return longest
}

// callKey names what a 429 is about.
func callKey(method, channel string) string {
	if channel == "" {
		return method
	}
	return method + " " + channel
}
