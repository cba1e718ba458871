package chart

import (
	"iter"
	"math"
)

// An axis is a scale in equal steps, all of them round numbers. Zero is one of
// them.
type axis struct {
	step      float64
	low, high float64 // in steps, whole numbers, low ≤ 0 ≤ high, not equal
}

// axisFor returns the axis with the smallest round step that reaches over the
// values, and zero, in at most the given number of intervals (2 or more). Steps
// are whole numbers unless all values are below one.
func axisFor(low, high float64, unit string, intervals int) axis {
	const least = 1e-6 // what is less is drawn like zero
	low, high = min(low, 0), max(high, 0)
	if high-low < least {
		high = 1
	}
	var a axis
	for step := range steps(high-low, unit) {
		if a = reach(low, high, step); a.high-a.low <= float64(intervals) {
			break
		}
	}
	return a
}

// steps yields round steps, ever larger: 1, 2, 5, 10, 20, 25, 50, 100 and so on,
// for times those of a clock first, for values below one smaller ones.
func steps(span float64, unit string) iter.Seq[float64] {
	clock, first := []float64(nil), 1.0
	switch {
	case unit == seconds:
		clock, first = []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800}, 3600
	case span < 1:
		first = math.Pow10(int(math.Floor(math.Log10(span))) - 1)
	}
	return func(yield func(float64) bool) {
		for _, step := range clock {
			if !yield(step) {
				return
			}
		}
		for power := first; ; power *= 10 {
			for _, m := range []float64{1, 2, 2.5, 5} {
				if m == 2.5 && power == first {
					continue // not a whole number
				}
				if !yield(m * power) {
					return
				}
			}
		}
	}
}

// reach returns the axis with the step that reaches over the values.
func reach(low, high, step float64) axis {
	const nearly = 1e-9 // (0.1+0.2)/0.1 is a little more than 3
	return axis{step: step, low: -math.Ceil(-low/step - nearly), high: math.Ceil(high/step - nearly)}
}

// share returns where v stands between the ends of the axis, 0 to 1.
func (a axis) share(v float64) float64 { return (v/a.step - a.low) / (a.high - a.low) }
