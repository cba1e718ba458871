package alert

import (
	"testing"
	"time"
)

// t0 is when the stories in these tests begin.
var t0 = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// A story steps one rule through samples at given minutes.
type story struct {
	t     testing.TB
	rule  *Rule
	state State
	round Round // Now is set for each sample
}

// see steps a fresh sample with a value of calls.
func (s *story) see(minute, calls float64) Change {
	return s.step(minute, Sample{}, table{{Metric: "calls"}: calls})
}

// lack steps a sample that brought no fresh data.
func (s *story) lack(minute float64, d Data) Change {
	return s.step(minute, Sample{Data: d}, nil)
}

func (s *story) step(minute float64, x Sample, v Values) Change {
	if x.At.IsZero() {
		x.At = at(minute)
	}
	x.Subject, x.Round = "a1", s.round
	x.Round.Now = at(minute)
	var c Change
	s.state, c = s.rule.Step(s.state, s.rule.Judge(x, v))
	return c
}

// at returns t0 and some minutes.
func at(minutes float64) time.Time { return t0.Add(time.Duration(minutes * float64(time.Minute))) }

// want compares a change with "from>to reason", with "fire" or "resolve" added
// when the change says so, or "" for no change.
func want(t testing.TB, c Change, s string) {
	t.Helper()
	got := ""
	if !c.None() {
		got = c.From.String() + ">" + c.To.String() + " " + string(c.Reason)
	}
	if c.Fire {
		got += " fire"
	}
	if c.Resolve {
		got += " resolve"
	}
	if got != s {
		t.Errorf("got %q, want %q", got, s)
	}
}
