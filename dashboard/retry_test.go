package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/dashboard"
)

// TestRetry checks how often each kind of failure is asked again.
func TestRetry(t *testing.T) {
	type answers []func() (*http.Response, error)
	ok := func() (*http.Response, error) { return reply(200, good), nil }
	code := func(c string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return refuse(c), nil }
	}
	broken := func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	for name, test := range map[string]struct {
		answers answers
		tries   int
		failed  bool
	}{
		"good":                    {answers{ok}, 1, false},
		"transient code, good":    {answers{code("1032"), ok}, 2, false},
		"network, good":           {answers{broken, ok}, 2, false},
		"two failures":            {answers{code("1032"), broken, ok}, 2, true},
		"credential":              {answers{code("1014"), ok}, 1, true},
		"account":                 {answers{code("1039"), ok}, 1, true},
		"off shift":               {answers{code("1043"), ok}, 1, true},
		"our fault":               {answers{code("1000"), ok}, 1, true},
		"transient, then expired": {answers{code("1501"), code("1014"), ok}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				c := client(t, server(func(*http.Request) (*http.Response, error) {
					tries++
					return test.answers[tries-1]()
				}))
				_, err := c.Counters(t.Context(), query("asha"))
				if tries != test.tries || (err != nil) != test.failed {
					t.Errorf("%d tries, %v; want %d, failed %v", tries, err, test.tries, test.failed)
				}
				if s := c.Stats(); s.Attempts != uint64(test.tries) || s.Retries != uint64(test.tries-1) {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestTimeout checks how long a call takes whose answers never come, and that
// the error says so.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, server(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		start := time.Now()
		_, err := c.Counters(t.Context(), query("asha"))
		expect(t, err, dashboard.ClassTransient)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 10s") {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took < 20*time.Second || took > 21*time.Second {
			t.Errorf("two attempts took %s", took)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if _, err := c.Counters(impatient, query("asha")); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		time.Sleep(time.Minute) // the flight that was left ends by itself
		if s := c.Stats(); s.InFlight != 0 || s.Waiting != 0 || s.Attempts != 4 {
			t.Errorf("%+v", s)
		}
	})
}

// TestWithin checks that a query's own limit ends a call that repeats itself and
// one that waits for its turn.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, server(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), func(cfg *dashboard.Config) { cfg.MaxInFlight = 1 })
		for _, within := range []time.Duration{4 * time.Second, 12 * time.Second, time.Hour} {
			q := fresh("asha")
			q.Within = within
			start := time.Now()
			_, err := c.Counters(t.Context(), q)
			expect(t, err, dashboard.ClassTransient)
			if took, most := time.Since(start), min(within, 21*time.Second); !errors.Is(err, context.DeadlineExceeded) || took > most || took < most-time.Second {
				t.Errorf("within %s: after %s: %v", within, took, err)
			}
		}
		go c.Counters(t.Context(), fresh("ben")) // takes the only place, for twenty seconds
		synctest.Wait()
		q := fresh("asha")
		q.Within = 3 * time.Second
		start, sent := time.Now(), c.Stats().Attempts
		_, err := c.Counters(t.Context(), q)
		expect(t, err, dashboard.ClassTransient)
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != q.Within || c.Stats().Attempts != sent {
			t.Errorf("waiting for a place, after %s: %v", took, err)
		}
		time.Sleep(time.Minute) // until the call that has the place is over
		if s := c.Stats(); s.InFlight != 0 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestLimits sends a crowd at once and checks the rate and the number in flight.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		c := client(t, server(func(*http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return reply(200, good), nil
		}), func(cfg *dashboard.Config) { cfg.MaxInFlight, cfg.RequestsPerSecond = 4, 10 })
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				if _, err := c.Counters(t.Context(), query(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if most.Load() != 4 {
			t.Errorf("%d at the same time, want 4", most.Load())
		}
		if took := time.Since(start); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("40 calls of a second, 4 at a time, took %s", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := client(t, server(func(*http.Request) (*http.Response, error) { return reply(200, good), nil }),
			func(cfg *dashboard.Config) { cfg.RequestsPerSecond = 10 })
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 101 {
			wg.Go(func() {
				if _, err := c.Counters(t.Context(), query(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took < 10*time.Second-time.Millisecond || took > 10*time.Second+time.Millisecond {
			t.Errorf("101 calls at 10 a second took %s", took)
		}
	})
}

// TestTooBusy checks that a call whose turn would come too late says so at once.
func TestTooBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, server(func(*http.Request) (*http.Response, error) { return reply(200, good), nil }),
			func(cfg *dashboard.Config) { cfg.RequestsPerSecond, cfg.MaxInFlight = 0.01, 1 })
		if _, err := c.Counters(t.Context(), query("asha")); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 3 { // nobody may keep the only place in flight
			_, err := c.Counters(t.Context(), query("ben"))
			expect(t, err, dashboard.ClassTransient)
			if err == nil || !strings.Contains(err.Error(), "requests_per_second") || time.Since(start) > 0 {
				t.Errorf("after %s: %v", time.Since(start), err)
			}
		}
		if s := c.Stats(); s.Attempts != 1 || s.Breaker != "closed" {
			t.Errorf("%+v", s)
		}
	})
}

// TestBreaker lets the API fail until the breaker opens, and then recover.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sick := true
		c := client(t, server(func(*http.Request) (*http.Response, error) {
			if sick {
				return reply(502, "<html>"), nil
			}
			return reply(200, good), nil
		}))
		for range 5 { // two attempts each
			_, err := c.Counters(t.Context(), query("asha"))
			expect(t, err, dashboard.ClassTransient)
		}
		_, err := c.Counters(t.Context(), query("ben"))
		expect(t, err, dashboard.ClassTransient)
		if err == nil || !strings.Contains(err.Error(), "the last calls all failed") {
			t.Errorf("%v", err)
		}
		if s := c.Stats(); s.Attempts != 10 || s.Breaker != "open" {
			t.Errorf("%+v", s)
		}
		time.Sleep(16 * time.Second)
		_, err = c.Counters(t.Context(), query("ben")) // still sick: one attempt
		expect(t, err, dashboard.ClassTransient)
		if e, ok := errors.AsType[*dashboard.Error](err); !ok || e.Status != 502 {
			t.Errorf("the failure of the request that was sent is not told: %v", err)
		}
		if s := c.Stats(); s.Attempts != 11 || s.Breaker != "open" {
			t.Errorf("%+v", s)
		}
		sick = false
		time.Sleep(16 * time.Second)
		for range 3 {
			if _, err := c.Counters(t.Context(), fresh("ben")); err != nil {
				t.Error(err)
			}
		}
		if s := c.Stats(); s.Breaker != "closed" {
			t.Errorf("%+v", s)
		}
	})
}

// TestBreakerIgnores checks that what is wrong with agents, or with us, does not
// open the breaker, and does not keep it from closing.
func TestBreakerIgnores(t *testing.T) {
	for _, code := range []string{"1014", "1039", "1043", "1000"} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := refuse(code)
				c := client(t, server(func(*http.Request) (*http.Response, error) { return answer, nil }))
				for range 30 {
					answer = refuse(code)
					c.Counters(t.Context(), query("asha"))
				}
				if s := c.Stats(); s.Attempts != 30 || s.Breaker != "closed" {
					t.Fatalf("%+v", s)
				}
				for range 5 {
					answer = reply(500, "")
					c.Counters(t.Context(), query("asha"))
				}
				time.Sleep(16 * time.Second)
				for range 5 {
					answer = refuse(code)
					_, err := c.Counters(t.Context(), query("asha"))
					if e, ok := errors.AsType[*dashboard.Error](err); !ok || fmt.Sprint(e.Code) != code {
						t.Errorf("while half open: %v", err)
					}
				}
				answer = reply(200, good)
				if _, err := c.Counters(t.Context(), query("asha")); err != nil || c.Stats().Breaker != "closed" {
					t.Errorf("%v, %+v", err, c.Stats())
				}
			})
		})
	}
}

// TestBreakerIgnoresCallers checks that callers who give up do not open it. Of a
// context that has ended, net/http reports the cause.
func TestBreakerIgnoresCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, server(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}))
		for i := range 20 {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(errors.New("the store is gone")) })
			q := fresh("asha")
			if i%2 == 0 {
				q.Agent = ""
			}
			start := time.Now()
			_, err := c.Counters(ctx, q)
			expect(t, err, dashboard.ClassTransient)
			if !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
				t.Errorf("after %s: %v", time.Since(start), err)
			}
		}
		if s := c.Stats(); s.Attempts != 20 || s.Breaker != "closed" {
			t.Errorf("%+v", s)
		}
	})
}

// TestRetryAfter checks that a 429 is obeyed by the call that met it and by all
// others, and that they do not all go at once when it is over.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var sent []time.Duration
		c := client(t, server(func(*http.Request) (*http.Response, error) {
			sent = append(sent, time.Since(start))
			if len(sent) == 1 {
				return reply(429, `{"status":"error"}`, "Retry-After", "7"), nil
			}
			return reply(200, good), nil
		}), func(cfg *dashboard.Config) { cfg.RequestsPerSecond = 10 })
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				if _, err := c.Counters(t.Context(), query(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(2 * time.Second)
		if paused := c.Stats().Paused; paused != 5*time.Second {
			t.Errorf("2 s into a pause of 7 s, %s are left", paused)
		}
		wg.Wait()
		if len(sent) != 6 {
			t.Fatalf("sent at %v", sent)
		}
		for i, at := range sent[1:] {
			if least := 7*time.Second + time.Duration(i)*100*time.Millisecond - time.Millisecond; at < least {
				t.Errorf("request %d went at %s, not before %s: %v", i+1, at, least, sent)
			}
		}
	})
}

// TestRetryAfterForms checks how long a pause each answer makes.
func TestRetryAfterForms(t *testing.T) {
	for _, test := range []struct {
		status int
		header string
		want   time.Duration
	}{
		{429, "60", time.Minute}, {429, " 60 ", time.Minute}, {429, "", time.Second}, {429, "0", 0}, {429, "soon", time.Second}, {429, "-5", time.Second},
		{429, "Sat, 01 Jan 2000 00:01:00 GMT", time.Minute}, {429, "Fri, 31 Dec 1999 00:00:00 GMT", 0},
		{429, "86400", 10 * time.Minute}, {429, "99999999999999999999", time.Second}, {429, "4000000000", 10 * time.Minute},
		{503, "60", time.Minute}, {503, "", 0}, {502, "60", 0}, {200, "60", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, server(func(*http.Request) (*http.Response, error) {
				return reply(test.status, `{"status":"error"}`, "Retry-After", test.header), nil
			}), func(cfg *dashboard.Config) { cfg.Timeout = 100 * time.Millisecond })
			_, err := c.Counters(t.Context(), query("asha"))
			e, ok := errors.AsType[*dashboard.Error](err)
			if !ok || e.After != test.want {
				t.Errorf("%d with %q asks for %v, want %s", test.status, test.header, err, test.want)
			}
			start := time.Now()
			_, err = c.Counters(t.Context(), query("ben"))
			if e, ok := errors.AsType[*dashboard.Error](err); test.want > 300*time.Millisecond && (!ok || e.Status != 0 || e.After == 0 || time.Since(start) > 0) {
				t.Errorf("during a pause of %s: %v after %s", test.want, err, time.Since(start))
			}
		})
	}
}
