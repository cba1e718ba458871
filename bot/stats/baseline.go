package stats

import "slices"

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

// Covered returns the summaries that were observed enough to be compared with:
// what was not seen would make every median low.
func (b Baseline) Covered(least float64) Baseline {
	var kept Baseline
	for _, s := range b {
		if s.Coverage() >= least {
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
