package chat

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPoolIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolConfig{Running: 3, Waiting: 4})
		var running, most, ran atomic.Int32
		request := func(context.Context) {
			n := running.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(time.Second)
			running.Add(-1)
			ran.Add(1)
		}
		accepted := 0
		for range 20 {
			if p.Go(request) {
				accepted++
			}
		}
		if accepted != 7 {
			t.Errorf("%d requests were accepted, want 3 to run and 4 to wait", accepted)
		}
		time.Sleep(time.Minute)
		if most.Load() != 3 || ran.Load() != 7 {
			t.Errorf("%d ran, at most %d at once; want 7 and 3", ran.Load(), most.Load())
		}
		if !p.Go(request) {
			t.Error("an empty pool refused a request")
		}
		p.Drain()
	})
}

func TestPoolSurvivesPanic(t *testing.T) {
	var value any
	var stack string
	p := NewPool(PoolConfig{Running: 1, Panicked: func(v any, s []byte) { value, stack = v, string(s) }})
	p.Go(func(context.Context) { panic("boom") })
	ran := false
	p.Go(func(context.Context) { ran = true })
	p.Drain()
	if value != "boom" || !strings.Contains(stack, "TestPoolSurvivesPanic") {
		t.Errorf("the hook got %v and the stack\n%s", value, stack)
	}
	if !ran {
		t.Error("the slot of the request that panicked was lost")
	}
}

func TestPoolDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolConfig{Running: 1, Grace: 5 * time.Second})
		var mu sync.Mutex
		var ends []string
		work := func(name string, d time.Duration) func(context.Context) {
			return func(ctx context.Context) {
				select {
				case <-time.After(d):
				case <-ctx.Done():
					name += ": " + context.Cause(ctx).Error()
				}
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, name)
			}
		}
		p.Go(work("quick", time.Second))
		synctest.Wait() // it has the slot
		p.Go(work("slow", time.Minute))
		start := time.Now()
		p.Drain()
		if want := []string{"quick", "slow: chat: shutting down"}; !slices.Equal(ends, want) {
			t.Errorf("the requests ended as %q, want %q", ends, want)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("draining took %v, want the grace", took)
		}
		if p.Go(work("late", 0)) {
			t.Error("a drained pool accepted a request")
		}
	})
}

func TestPoolTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolConfig{Running: 1, Timeout: 10 * time.Second, Grace: time.Minute})
		p.Go(func(context.Context) { time.Sleep(8 * time.Second) })
		synctest.Wait()
		start := time.Now()
		p.Go(func(ctx context.Context) { <-ctx.Done() })
		p.Drain()
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("a request that waited 8s ended after %v, want 10s from when it came", took)
		}
	})
}

// scripted is an App whose answers are given.
type scripted struct {
	App
	reply Reply
	err   error
}

func (s scripted) Handle(context.Context, Request) (Reply, error) { return s.reply, s.err }

func TestAnswer(t *testing.T) {
	noted := ""
	said := func(s string, then func(context.Context) (Reply, error)) Reply {
		return Reply{Message: &Message{Title: s}, Then: then, Shown: func(Replacer) { noted += s }}
	}
	fail := errors.New("fail")
	third := func(context.Context) (Reply, error) { return said("3", nil), nil }
	second := func(context.Context) (Reply, error) { return said("2", third), nil }
	for _, test := range []struct {
		name  string
		app   scripted
		show  error
		shown string
		noted string // of it: those that Shown was called for
		want  error
	}{
		{"one", scripted{reply: said("1", nil)}, nil, "1", "1", nil},
		{"a chain", scripted{reply: said("1", second)}, nil, "123", "123", nil},
		{"error", scripted{err: fail}, nil, "", "", fail},
		{"duplicate", scripted{err: ErrDuplicate}, nil, "", "", nil},
		{"error of Then", scripted{reply: said("1", func(context.Context) (Reply, error) { return Reply{}, fail })}, nil, "1", "1", fail},
		{"showing the first fails", scripted{reply: said("1", second)}, fail, "123", "23", fail},
	} {
		shown := ""
		noted = ""
		err := Answer(t.Context(), test.app, Request{}, func(_ context.Context, r Reply) error {
			if shown += r.Message.Title; len(shown) == 1 {
				return test.show
			}
			return nil
		})
		if shown != test.shown || !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: shown %q and error %v, want %q and %v", test.name, shown, err, test.shown, test.want)
		}
		if noted != test.noted {
			t.Errorf("%s: %q counts as shown, want %q", test.name, noted, test.noted)
		}
	}
}
