package slacktest

import (
	"net/http"
	"time"
)

// Slack's tiers, in calls a minute. A method may be called as often as that at
// once. Tier 1 of apps.connections.open is "1+", with bursts; ten a minute is
// what a careful client stays under.
const (
	tier1 = 10
	tier3 = 50
	tier4 = 100
)

// chat.postMessage has limits of its own: about one a second for each channel,
// "short bursts" allowed, and a few hundred a minute in the workspace.
const (
	postBurst     = 3
	postWorkspace = 300 // a minute
)

// A bucket holds tokens that come back with time.
type bucket struct {
	tokens float64
	at     time.Time
}

// take takes a token, or returns how long it takes until there is one. The
// bucket holds at most size tokens and refills at rate a second.
func (b *bucket) take(now time.Time, size, rate float64) time.Duration {
	if b.at.IsZero() {
		b.tokens = size
	} else {
		b.tokens = min(size, b.tokens+now.Sub(b.at).Seconds()*rate)
	}
	b.at = now
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / rate * float64(time.Second))
	}
	b.tokens--
	return 0
}

// limit counts a call against its limits. s.mu is held.
func (s *Server) limit(name, channel string, perMinute int, now time.Time) *failure {
	if !s.o.RateLimits {
		return nil
	}
	if name == "chat.postMessage" {
		if wait := s.bucket(name+"/"+channel).take(now, postBurst, 1); wait > 0 {
			return tooMany(wait)
		}
		perMinute = postWorkspace
	}
	size := float64(perMinute)
	if wait := s.bucket(name).take(now, size, size/60); wait > 0 {
		return tooMany(wait)
	}
	return nil
}

func (s *Server) bucket(key string) *bucket {
	if s.buckets[key] == nil {
		s.buckets[key] = &bucket{}
	}
	return s.buckets[key]
}

func tooMany(wait time.Duration) *failure {
	return &failure{code: "ratelimited", status: http.StatusTooManyRequests, retry: max(wait, time.Second)}
}
