package bot

import (
	"testing"
	"time"
)

// TestNap looks at a clock that goes on, and that is set.
func TestNap(t *testing.T) {
	for name, c := range map[string]struct {
		before, left, wait time.Duration
		ok                 bool
	}{
		"soon":               {10 * time.Second, 10 * time.Second, 10 * time.Second, true},
		"far away":           {time.Hour, time.Hour, 30 * time.Second, true},
		"on its way":         {time.Hour, time.Hour - 30*time.Second, 30 * time.Second, true},
		"come":               {time.Second, 0, 0, true},
		"overslept":          {time.Second, -time.Hour, 0, true},
		"set forward":        {time.Hour, time.Minute, 30 * time.Second, true},
		"a little back":      {time.Minute, 2 * time.Minute, 30 * time.Second, true},
		"set back":           {time.Minute, 2*time.Minute + 1, 0, false},
		"set back by a year": {time.Minute, 365 * 24 * time.Hour, 0, false},
		"back while late":    {-time.Second, time.Hour, 0, false},
	} {
		if wait, ok := nap(c.before, c.left); wait != c.wait || ok != c.ok {
			t.Errorf("%s: %v, %v; want %v, %v", name, wait, ok, c.wait, c.ok)
		}
	}
}

// TestClockSetBack follows a clock that loses an hour while a poll is waited for:
// the wait must end at the next look, and not an hour late.
func TestClockSetBack(t *testing.T) {
	due := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	clock := due.Add(-5 * time.Minute)
	before, looks := due.Sub(clock), 0
	for ok := true; ok; looks++ {
		left := due.Sub(clock)
		var wait time.Duration
		if wait, ok = nap(before, left); wait == 0 && ok {
			t.Fatal("the time has come without the clock getting there")
		}
		before, clock = left, clock.Add(wait)
		if looks == 3 {
			clock = clock.Add(-time.Hour)
		}
	}
	if looks != 5 {
		t.Errorf("noticed at look %d, want the one after the step", looks)
	}
}
