package sim

import (
	"math"
	"math/rand/v2"
	"time"
)

// A session is one agent's work of one shift: when they are logged in and the
// calls that come. It is fixed by the seed, the agent and the shift's day.
type session struct {
	logins []span // in order; the gap between two is a short log-out
	calls  []call // by end
	web    bool   // logged in by the web, not by the mobile app
}

// span is a time from start up to end.
type span struct{ start, end time.Time }

// holds reports whether t is in the span.
func (s span) holds(t time.Time) bool { return !t.Before(s.start) && t.Before(s.end) }

// call is one call offered to an agent. Counters move when it ends.
type call struct {
	end        time.Time
	missed     bool
	talk, hold time.Duration // zero if missed; hold is apart from talk
	kind       string
	campaign   string
}

// habits are what makes one agent different from the next.
type habits struct {
	gap     time.Duration // mean pause between two calls at an average hour
	talk    time.Duration // median length of a call
	missing float64       // share of calls they miss
}

// habitsOf draws an agent's habits.
func habitsOf(r *rand.Rand) habits {
	return habits{
		gap:     time.Duration(110+r.IntN(130)) * time.Second,
		talk:    time.Duration(120+r.IntN(140)) * time.Second,
		missing: 0.02 + 0.06*r.Float64(),
	}
}

// A curve is a line through points of equal distance over [0, 1].
type curve []float64

// at returns the curve's height at x.
func (c curve) at(x float64) float64 {
	x = min(max(x, 0), 1) * float64(len(c)-1)
	i := min(int(x), len(c)-2)
	return c[i] + (c[i+1]-c[i])*(x-float64(i))
}

// roundTheClock is how busy a whole day is, midnight to midnight, and oneShift
// how busy a shift is: a slow start, two peaks, a dip at lunch.
func roundTheClock() curve { return curve{.6, .45, .45, .9, 1.3, .9, 1.3, .9, .6} }
func oneShift() curve      { return curve{.7, 1.3, 1.2, .7, 1.1, 1.3, .8} }

// draw makes up the work of a shift. busy says how busy it is at a time.
func draw(r *rand.Rand, h habits, shift span, busy func(time.Time) float64) []call {
	var calls []call
	bad := badPatch(r, shift)
	for t := shift.start; ; {
		t = t.Add(time.Duration(r.ExpFloat64() * float64(h.gap) / busy(t))).Truncate(time.Second)
		missing := h.missing
		if bad.holds(t) {
			missing = 0.5
		}
		c := drawCall(r, h, missing)
		t = t.Add(ring(r) + c.talk + c.hold)
		if !t.Before(shift.end) {
			return calls
		}
		c.end = t
		calls = append(calls, c)
		t = t.Add(time.Duration(5+r.IntN(30)) * time.Second) // notes after the call
	}
}

// badPatch is a quarter of an hour in which an agent misses half of their calls.
// One shift in three has one.
func badPatch(r *rand.Rand, shift span) span {
	start := shift.start.Add(time.Duration(r.Float64() * float64(shift.end.Sub(shift.start))))
	if r.IntN(3) > 0 {
		return span{}
	}
	return span{start, start.Add(15 * time.Minute)}
}

// ring is how long a call rings.
func ring(r *rand.Rand) time.Duration { return time.Duration(3+r.IntN(15)) * time.Second }

// drawCall makes up one call. Lengths are log-normal, as real ones are.
func drawCall(r *rand.Rand, h habits, missing float64) call {
	c := call{
		kind:     weighted(r, []string{"Inbound", "Outbound", "Callback"}, 12, 6, 2),
		campaign: weighted(r, []string{"101", "104", "117", "130"}, 9, 6, 3, 2),
		missed:   r.Float64() < missing,
	}
	if c.missed {
		return c
	}
	talk := float64(h.talk) * math.Exp(0.55*r.NormFloat64())
	c.talk = time.Duration(min(max(talk, float64(10*time.Second)), float64(40*time.Minute))).Truncate(time.Second)
	if r.IntN(4) == 0 {
		c.hold = time.Duration(8+r.IntN(80)) * time.Second
	}
	return c
}

// weighted picks one of the options.
func weighted(r *rand.Rand, options []string, weights ...int) string {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := r.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return options[i]
		}
	}
	return options[0]
}
