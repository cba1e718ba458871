package stats

import (
	"math"
	"time"
)

// A Team is the agents of a team that are on shift, for the rules about the team
// as a whole. Nil stands for one of whom nothing is known.
type Team []*Tracker

// Value returns what a team rule reads: counts, gauges, hours logged in and
// increases are summed over the agents with fresh data, flags count those for
// whom they are true. Averages are weighted by what they are averages over, the
// miss rate is that of all calls, calls per hour are those of an agent's hour,
// minutes since the last call are those since anybody's, and the clock of the
// shift is the longest.
//
// A sum that lacks agents is estimated, and missing if nobody has the value. It
// is the caller's to compare reporting with agents.
func (team Team) Value(name string, window time.Duration, at time.Time) Number {
	if window == 0 {
		switch name {
		case "agents":
			return Number{float64(len(team)), Exact}
		case "reporting":
			return Number{float64(team.reporting(at)), Exact}
		case "miss_rate":
			return team.ratio(at, func(t *Tracker) (float64, float64) {
				missed := t.Value("missed", 0, at).Value
				return missed, missed + t.plan.difference(t.now)
			})
		case "calls_per_hour":
			return team.ratio(at, func(t *Tracker) (float64, float64) { return max(0, t.calls), float64(t.rateTime) / 3600 })
		case "minutes_since_call":
			return team.pick(name, at, math.Min)
		case "shift_minutes", "shift_left":
			return team.pick(name, at, math.Max)
		}
		if track, ok := team.average(name); ok {
			return team.ratio(at, func(t *Tracker) (float64, float64) {
				p := t.plan.tracks
				return t.plan.value(&p[track], t.now), t.plan.value(&p[track+1], t.now)
			})
		}
	}
	return team.sum(name, window, at)
}

func (team Team) reporting(at time.Time) (n int) {
	for _, t := range team {
		if t.Fresh(at) {
			n++
		}
	}
	return n
}

// average returns the track of an average.
func (team Team) average(name string) (track int, ok bool) {
	for _, t := range team {
		if t != nil {
			track, ok = t.watch.averages[name]
			return track, ok
		}
	}
	return 0, false
}

// sum adds up a value.
func (team Team) sum(name string, window time.Duration, at time.Time) Number {
	var sum Number
	lacking := false
	for _, t := range team {
		if !t.Fresh(at) {
			lacking = true
			continue
		}
		n := t.Value(name, window, at)
		sum = plus(sum, n)
		lacking = lacking || !n.Known() && !t.out
	}
	if lacking {
		sum.Quality = min(sum.Quality, Estimated)
	}
	return sum
}

// ratio divides the sums of two numbers, over the agents who have both.
func (team Team) ratio(at time.Time, parts func(*Tracker) (above, below float64)) Number {
	var above, below float64
	quality := Exact
	for _, t := range team {
		if !t.Fresh(at) {
			quality = Estimated
			continue
		}
		if a, b := parts(t); !math.IsNaN(a + b) {
			above, below = above+a, below+b
		} else if !t.out {
			quality = Estimated
		}
	}
	if below <= 0 {
		return Number{}
	}
	return Number{above / below, quality}
}

// pick chooses among the agents' values.
func (team Team) pick(name string, at time.Time, better func(a, b float64) float64) Number {
	var best Number
	for _, t := range team {
		if !t.Fresh(at) {
			continue
		}
		n := t.Value(name, 0, at)
		switch {
		case !best.Known():
			best = n
		case n.Known():
			best = Number{better(best.Value, n.Value), min(best.Quality, n.Quality)}
		}
	}
	return best
}
