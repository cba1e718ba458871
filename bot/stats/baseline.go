package stats

import (
	"slices"
	"time"
)

// enough is how many earlier windows make a median worth comparing with.
const enough = 3

// Median returns the middle of the known numbers, and a missing one if fewer
// than least are known. It is as good as the worst of them.
func Median(numbers []Number, least int) Number {
	var values []float64
	quality := Exact
	for _, n := range numbers {
		if n.Known() {
			values, quality = append(values, n.Value), min(quality, n.Quality)
		}
	}
	if len(values) < max(1, least) {
		return Number{}
	}
	slices.Sort(values)
	mid := len(values) / 2
	if len(values)%2 == 1 {
		return Number{values[mid], quality}
	}
	return Number{(values[mid-1] + values[mid]) / 2, quality}
}

// A Baseline is the summaries of earlier windows of one agent, or one team, that
// a number is compared with. To compare a shift that still runs, cut the earlier
// ones to the same length: summarize each from its beginning to as long after it
// as the running one has lasted.
type Baseline []Summary

// Week returns the summaries of windows that began in the seven days before one
// that begins at a time.
func (b Baseline) Week(begin time.Time) Baseline {
	return b.filter(func(s Summary) bool {
		return s.From.Before(begin) && s.From.After(begin.Add(-7*24*time.Hour-2*time.Hour)) // 2h: the clocks may have changed
	})
}

// Weekday returns the summaries of earlier windows that began on the same day of
// the week, in a zone.
func (b Baseline) Weekday(begin time.Time, zone *time.Location) Baseline {
	day := begin.In(zone).Weekday()
	return b.filter(func(s Summary) bool { return s.From.Before(begin) && s.From.In(zone).Weekday() == day })
}

// Covered returns the summaries that were observed enough to be compared with:
// what was not seen would make every median low.
func (b Baseline) Covered(least float64) Baseline {
	return b.filter(func(s Summary) bool { return s.Coverage() >= least })
}

func (b Baseline) filter(keep func(Summary) bool) Baseline {
	var kept Baseline
	for _, s := range b {
		if keep(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// Median returns the median of a total, missing with fewer than three.
func (b Baseline) Median(name string) Number {
	var numbers []Number
	for _, s := range b {
		numbers = append(numbers, s.Totals[name])
	}
	return Median(numbers, enough)
}

// A Pace compares a number with what it usually is at this point.
type Pace struct {
	Now, Usual Number
	Ahead      Number // Now less Usual
	Ratio      Number // Now over Usual; missing if that is 0
}

// Pace compares a total of a summary with the median of the baseline.
func (b Baseline) Pace(s Summary, name string) Pace {
	p := Pace{Now: s.Totals[name], Usual: b.Median(name)}
	if quality := min(p.Now.Quality, p.Usual.Quality); quality != Missing {
		p.Ahead = Number{p.Now.Value - p.Usual.Value, quality}
		if p.Usual.Value > 0 {
			p.Ratio = Number{p.Now.Value / p.Usual.Value, quality}
		}
	}
	return p
}
