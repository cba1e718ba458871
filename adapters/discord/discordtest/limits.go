package discordtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// A Limit is how often a route may be called: N times in each window of length
// Per. Routes with the same Bucket share one limit.
type Limit struct {
	N      int
	Per    time.Duration
	Bucket string // default the route's own
}

// usual is the limit of most routes.
var usual = Limit{N: 5, Per: 5 * time.Second}

// perSecond is how often a bot may call everything together.
var perSecond = Limit{N: 50, Per: time.Second}

// A bucket counts the calls in the current window.
type bucket struct {
	start time.Time
	used  int
}

// take uses the bucket once, or returns how long to wait.
func (b *bucket) take(now time.Time, l Limit) (wait time.Duration) {
	if now.Sub(b.start) >= l.Per {
		b.start, b.used = now, 0
	}
	if b.used >= l.N {
		return b.start.Add(l.Per).Sub(now)
	}
	b.used++
	return 0
}

// SetLimit replaces the limit of a route, named as for [Server.Fail]. It is
// enforced with [Options.RateLimits] only, and told in the headers always.
func (s *Server) SetLimit(route string, l Limit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRoute(route)
	s.limits[route] = l
}

// limit counts a call, tells in the headers what is left, and returns the 429 if
// there is nothing. s.mu is held.
func (s *Server) limit(rt route, q *request) *failure {
	if s.o.RateLimits && !rt.exempt {
		if wait := s.global.take(q.at, perSecond); wait > 0 {
			return tooMany(wait, "global")
		}
	}
	l := s.limits[rt.pattern]
	l.N, l.Per = cmp.Or(l.N, rt.limit.N, usual.N), cmp.Or(l.Per, rt.limit.Per, usual.Per)
	name := bucketName(cmp.Or(l.Bucket, rt.pattern))
	key := name + "/" + q.params[rt.major]
	b := s.buckets[key]
	if b == nil {
		b = &bucket{}
		s.buckets[key] = b
	}
	if !s.o.RateLimits {
		*b = bucket{}
	}
	wait := b.take(q.at, l)
	h := q.w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(l.N))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(l.N-b.used))
	ends := b.start.Add(l.Per)
	h.Set("X-RateLimit-Reset", fmt.Sprintf("%.3f", float64(ends.UnixMilli())/1000))
	h.Set("X-RateLimit-Reset-After", fmt.Sprintf("%.3f", max(0, ends.Sub(q.at).Seconds())))
	h.Set("X-RateLimit-Bucket", name)
	if wait > 0 {
		return tooMany(wait, "user")
	}
	return nil
}

// exhausted tells in the headers that a route's bucket is empty. Which headers
// stay depends on the kind of 429.
func (s *Server) exhausted(rt route, h http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.limits[rt.pattern]
	h.Set("X-RateLimit-Limit", strconv.Itoa(cmp.Or(l.N, rt.limit.N, usual.N)))
	h.Set("X-RateLimit-Remaining", "0")
	h.Set("X-RateLimit-Bucket", bucketName(cmp.Or(l.Bucket, rt.pattern)))
}

// bucketName is the opaque name that the headers give a bucket.
func bucketName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}

func tooMany(wait time.Duration, scope string) *failure {
	return &failure{status: http.StatusTooManyRequests, message: "You are being rate limited.", retry: wait, scope: scope}
}

// retryHeaders writes what a 429 says in its headers.
func (f *failure) retryHeaders(h http.Header) {
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.retry.Seconds()))))
	if f.html {
		for _, key := range []string{"Limit", "Remaining", "Bucket"} {
			h.Del("X-RateLimit-" + key)
		}
		return
	}
	h.Set("X-RateLimit-Scope", cmp.Or(f.scope, "user"))
	if f.scope == "global" {
		h.Set("X-RateLimit-Global", "true")
		for _, key := range []string{"Limit", "Remaining", "Reset", "Bucket"} {
			h.Del("X-RateLimit-" + key)
		}
	}
	if f.bare {
		h.Del("X-RateLimit-Reset-After")
		return
	}
	h.Set("X-RateLimit-Reset-After", fmt.Sprintf("%.3f", f.retry.Seconds()))
}
