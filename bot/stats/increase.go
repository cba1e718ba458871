package stats

import (
	"slices"
	"time"
)

// minCovered is the share of its window that must be observed before an increase
// is known.
const minCovered = 0.8

// A rise is what a counter had changed by, in all, with a sample. Times are Unix
// seconds.
type rise struct {
	prev, at uint32 // the ticks of the sample before and of this one
	total    float64
	sure     bool // the change is exact
}

// A run is a time in which no two samples were more than two polls apart.
type run struct{ first, last uint32 }

// rises are what a counter changed by in the past, as far back as rules look:
// samples that show a change, and runs that say where the others were.
type rises struct {
	list  []rise
	runs  []run
	total float64 // with the newest sample
	base  float64 // before the first of the list
}

// add takes a sample: next.total is what it adds. More than reach seconds since
// the last one are a gap: what rose in it is not counted, but what fell in it was
// counted before.
func (r *rises) add(next rise, reach, size uint32) {
	n := len(r.runs)
	if n > 0 {
		next.prev = r.runs[n-1].last
	}
	if n == 0 || next.at-next.prev > reach {
		r.drop(next.at - size)
		r.runs = append(r.runs, run{next.at, next.at})
		next.total, next.sure = min(0, next.total), next.total >= 0
	} else {
		r.runs[n-1].last = next.at
	}
	if next.total == 0 && next.sure {
		return
	}
	r.trim(next.at - size)
	r.total += next.total
	next.total = r.total
	r.list = append(r.list, next)
}

// drop forgets the runs that lie before a time.
func (r *rises) drop(before uint32) {
	for len(r.runs) > 0 && r.runs[0].last < before {
		r.runs = slices.Delete(r.runs, 0, 1)
	}
}

// trim forgets the rises that lie before a time, when the list is full.
func (r *rises) trim(before uint32) {
	if len(r.list) < cap(r.list) {
		return
	}
	n := 0
	for n < len(r.list) && r.list[n].at+lateReset < before {
		r.base = r.list[n].total
		n++
	}
	r.list = slices.Delete(r.list, 0, n)
}

// in returns the differences between the samples in (from, to].
//
// What was taken back shortly before is taken off again: a slip across the
// beginning of the window would look like a rise.
func (r *rises) in(from, to uint32) (sum float64, sure bool) {
	first, last := r.total, r.total
	sure = true
	for i := len(r.list) - 1; i >= 0; i-- {
		x, before := r.list[i], r.base
		if i > 0 {
			before = r.list[i-1].total
		}
		switch {
		case x.at > to:
			first, last = before, before
		case x.prev > from:
			first, sure = before, sure && x.sure
		case x.at+lateReset > from && before > first:
			first, sure = before, false
		case x.at+lateReset > from:
		default:
			i = 0
		}
	}
	return max(0, last-first), sure
}

// covered returns how much of (from, to] was observed.
func (r *rises) covered(from, to uint32) (n uint32) {
	for _, x := range r.runs {
		if a, b := max(x.first, from), min(x.last, to); a < b {
			n += b - a
		}
	}
	return n
}

// increase returns what a counter rose by between the samples of a window that
// ends at a time: never extrapolated, never across a gap, and missing until four
// fifths of the window are observed.
func (t *Tracker) increase(name string, window time.Duration, at time.Time) Number {
	i, ok := t.watch.increases[name]
	size := uint32(window / time.Second)
	if !ok || size > t.watch.windows[i].size {
		return Number{}
	}
	to := uint32(at.Unix())
	from := to - size
	if float64(t.rises[i].covered(from, to)) < minCovered*float64(size) {
		return Number{}
	}
	sum, sure := t.rises[i].in(from, to)
	if !sure {
		return Number{sum, Estimated}
	}
	return Number{sum, Exact}
}
