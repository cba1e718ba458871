package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot/chat"
)

func post(channel string) call {
	return at("POST", "/channels/{}/messages", channel).in(laneSend, noHurry)
}

// told is the answer to a call with what Discord says about its limit.
func told(status int, headers ...string) answer {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return answer{status: status, header: h, body: []byte("{}")}
}

// do makes a call that is answered after a while.
func (l *limiter) do(t *testing.T, k call, got answer, took time.Duration) error {
	t.Helper()
	turn, err := l.take(t.Context(), k)
	if err != nil {
		return err
	}
	time.Sleep(took)
	turn.end(got)
	if e, ok := errors.AsType[*Error](k.failure(got)); ok {
		l.learn(k, e)
	}
	return nil
}

// Discord allows the whole bot 50 calls in any second.
func TestGlobalLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		var mu sync.Mutex
		var made []time.Time
		var all sync.WaitGroup
		for i := range 300 {
			all.Go(func() {
				if _, err := l.take(t.Context(), post(fmt.Sprint(100000+i))); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				made = append(made, time.Now())
			})
		}
		all.Wait()
		for i := range made {
			n := 0
			for _, at := range made {
				if d := at.Sub(made[i]); d >= 0 && d < time.Second {
					n++
				}
			}
			if n > 50 {
				t.Fatalf("%d calls in a second", n)
			}
		}
		if d := made[len(made)-1].Sub(made[0]); d > 8*time.Second {
			t.Errorf("300 calls took %v", d)
		}
	})
}

// The calls of a bucket are made one after another, and as many as its headers
// allow. Other channels' go on.
func TestBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		start := time.Now()
		const a, b = "100001", "100002"
		last := told(200, "X-RateLimit-Bucket", "abc", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset-After", "5")
		if err := l.do(t, post(a), last, time.Second); err != nil {
			t.Fatal(err)
		}
		if err := l.do(t, post(b), told(200), time.Second); err != nil || time.Since(start) != 2*time.Second {
			t.Errorf("another channel waited until %v, %v", time.Since(start), err)
		}
		if err := l.do(t, post(a), told(200, "X-RateLimit-Remaining", "1", "X-RateLimit-Reset-After", "5"), 0); err != nil || time.Since(start) != 6*time.Second {
			t.Errorf("the same channel went on at %v, %v", time.Since(start), err)
		}
		if err := l.do(t, post(a), told(200), 0); err != nil || time.Since(start) != 6*time.Second {
			t.Errorf("with one call left it went on at %v, %v", time.Since(start), err)
		}

		var all sync.WaitGroup
		begun := time.Now()
		for range 3 {
			all.Go(func() { l.do(t, post(b), told(200), time.Second) })
		}
		all.Wait()
		if d := time.Since(begun); d != 3*time.Second {
			t.Errorf("three calls of a second in one channel took %v", d)
		}
	})
}

// Routes that Discord counts together are one bucket, once it has said so.
func TestSharedBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		const channel = "100001"
		patch := at("PATCH", "/channels/{}/messages/{}", channel, "1").in(laneCall, patience)
		same := func(left string) answer {
			return told(200, "X-RateLimit-Bucket", "one", "X-RateLimit-Remaining", left, "X-RateLimit-Reset-After", "60")
		}
		for _, k := range []call{post(channel), patch} {
			if err := l.do(t, k, same("1"), 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.do(t, post(channel), same("0"), 0); err != nil {
			t.Fatal(err)
		}
		if err := l.do(t, patch, same("0"), 0); err == nil {
			t.Error("the other route of the bucket goes on")
		}
	})
}

// A 429 pauses what it is about: its bucket, everything but answers to people, or
// everything.
func TestPauses(t *testing.T) {
	const a, b = "100001", "100002"
	reply := at("POST", "/interactions/{}/{}/callback", "1", "t").in(laneReply, noHurry)
	for _, test := range []struct {
		name                 string
		got                  answer
		same, other, replies time.Duration
	}{
		{"route", told(429, "Retry-After", "30", "X-RateLimit-Scope", "user"), 30 * time.Second, 0, 0},
		{"shared", told(429, "Retry-After", "30", "X-RateLimit-Scope", "shared"), 30 * time.Second, 0, 0},
		{"global", told(429, "Retry-After", "30", "X-RateLimit-Global", "true"), 30 * time.Second, 30 * time.Second, 0},
		{"page", answer{status: 429, header: http.Header{}, body: []byte("<html>")}, addressPause, addressPause, addressPause},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLimiter()
				if err := l.do(t, post(a), test.got, 0); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				var all sync.WaitGroup
				for k, want := range map[*call]time.Duration{new(post(a)): test.same, new(post(b)): test.other, &reply: test.replies} {
					all.Go(func() {
						if _, err := l.take(t.Context(), *k); err != nil {
							t.Error(err)
						}
						if d := time.Since(start); d < want || d > want+time.Second {
							t.Errorf("%s went on after %v, want %v", k.route, d, want)
						}
					})
				}
				all.Wait()
			})
		})
	}
}

// A call waits no longer than it may.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		const channel = "100001"
		if err := l.do(t, post(channel), told(200, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset-After", "60"), 0); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err := l.take(t.Context(), post(channel).in(laneSend, patience))
		if retry, ok := errors.AsType[*chat.RetryError](err); !ok || retry.After != 60*time.Second || time.Since(start) != 0 {
			t.Errorf("with little patience: %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := l.take(ctx, post(channel)); err == nil || time.Since(start) > 10*time.Second {
			t.Errorf("with a deadline: %v after %v", err, time.Since(start))
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if _, err := l.take(ctx, post(channel)); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		for _, b := range l.buckets {
			if b.users != 0 || len(b.turn) != 0 {
				t.Errorf("a place is kept by nobody: %+v", b)
			}
		}

		turn, err := l.take(t.Context(), post("100002"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.take(t.Context(), post("100002").in(laneSend, patience)); err == nil {
			t.Error("two calls at once in one channel")
		}
		turn.end(told(200))
	})
}

// Long before Discord bans our address we say less, and people are answered to
// the end.
func TestInvalidAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		bad := func(n int, got answer) {
			for range n {
				if e, ok := errors.AsType[*Error](post("1").failure(got)); ok {
					l.learn(post("1"), e)
				}
			}
		}
		stopped := func(in lane) bool { return l.delay(time.Now(), in, &bucket{}) > 0 }
		bad(3000, told(429, "X-RateLimit-Scope", "shared"))
		bad(3000, told(404))
		if stopped(laneSend) || l.invalid.count(time.Now()) != 0 {
			t.Error("what does not count was counted")
		}
		bad(invalidSome-1, told(403))
		if stopped(laneSend) {
			t.Error("stopped too early")
		}
		bad(1, told(401))
		if !stopped(laneSend) || stopped(laneCall) || stopped(laneReply) {
			t.Error("after some, want nothing said unasked")
		}
		time.Sleep(2 * time.Minute)
		bad(invalidMany, told(403))
		if !stopped(laneSend) || !stopped(laneCall) || stopped(laneReply) {
			t.Error("after many, want answers only")
		}
		time.Sleep(9 * time.Minute)
		if !stopped(laneCall) {
			t.Error("forgotten within ten minutes")
		}
		time.Sleep(2 * time.Minute)
		if stopped(laneSend) {
			t.Error("never forgotten")
		}
	})
}

// Buckets that are of no use any more are dropped.
func TestBucketsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		for i := range 3 * maxBuckets {
			k := at("PATCH", "/channels/{}/messages/{}", fmt.Sprint(i), "1").in(laneReply, noHurry)
			l.take(t.Context(), k)
		}
		if len(l.buckets) != 0 {
			t.Errorf("answers to interactions left %d buckets", len(l.buckets))
		}
		for i := range 3 * maxBuckets {
			b := l.join(post(fmt.Sprint(i)))
			l.leave(b)
			time.Sleep(time.Microsecond)
		}
		if len(l.buckets) > maxBuckets {
			t.Errorf("%d buckets", len(l.buckets))
		}
	})
}
