package stats

import (
	"slices"
	"time"
)

// neighbours is how many samples beside the window are looked at for one with
// values, which bounds what happened before the first and after the last.
const neighbours = 5

// Summarize reads one agent's samples, which are in the order of their ticks. It
// counts between two samples of the window, from and to included. Of the others
// only those next to the window are of use: they bound what may be lacking.
func (s Series) Summarize(samples []Sample, from, to time.Time) Summary {
	r := s.Reader(from, to)
	for i := range samples {
		r.Add(samples[i])
	}
	return r.Summary()
}

// A Reader is Summarize for samples that come one by one, of which it keeps none
// but a few.
type Reader struct {
	reader
	start, end time.Time
	before     []Sample // the last ones before the window; nil in it and behind it
	behind     int      // how many samples behind the window were looked at, -1 in and before it
}

// Reader begins to read a window, from and to included.
func (s Series) Reader(from, to time.Time) *Reader {
	p := newPlan(s)
	return &Reader{
		reader: reader{tally: newTally(p, &layout{}), dial: newDial(from, to, p.Hours)},
		start:  from, end: to, before: make([]Sample, 0, neighbours), behind: -1,
	}
}

// Add takes the next sample.
func (r *Reader) Add(s Sample) {
	switch {
	case r.before != nil && s.Tick.Before(r.start):
		if len(r.before) == neighbours {
			r.before = slices.Delete(r.before, 0, 1)
		}
		r.before = append(r.before, s)
		return
	case r.before != nil:
		r.enter()
	}
	switch {
	case r.behind < 0 && !s.Tick.After(r.end):
		r.add(&s)
		return
	case r.behind < 0:
		r.leave()
	}
	if r.behind < neighbours {
		if r.behind++; s.asOf() >= ceil(r.end) && r.tally.add(&s) && !s.Out {
			r.behind = neighbours // what it bounds is bounded
		}
	}
}

// enter begins the window.
func (r *Reader) enter() {
	for i := range r.before {
		r.tally.add(&r.before[i])
	}
	r.before = nil
	r.begin(r.start, r.end)
}

// leave ends the window.
func (r *Reader) leave() {
	r.behind = 0
	r.dial.observe(r.rest(r.end.Unix()))
	r.close(r.end)
}

// Summary returns what was read. It ends the reading.
func (r *Reader) Summary() Summary {
	if r.before != nil {
		r.enter()
	}
	if r.behind < 0 {
		r.leave()
	}
	out := r.summary(r.start, r.end)
	out.Hours = r.dial.close()
	return out
}

// A reader goes through one agent's samples of a window.
type reader struct {
	tally
	dial dial
}

// add takes the next sample of the window.
func (r *reader) add(s *Sample) {
	polled, covers, before := r.polled, r.covers(s.Tick.Unix()), r.prev
	offered, missed := r.track(r.plan.offered), r.track(r.plan.missed)
	was := [2]float64{offered.total, missed.total}
	since := min(offered.seen(before), missed.seen(before))
	if !r.tally.add(s) || r.polled == polled || len(r.dial.hours) == 0 {
		return
	}
	for _, span := range covers {
		r.dial.observe(span)
	}
	if s.Out {
		return
	}
	c := change{span: span{since, r.prev}, offered: offered.total - was[0], missed: missed.total - was[1]}
	if before == 0 {
		c.a = c.b
	}
	c.known = [2]bool{offered.flag.present(), missed.flag.present()}
	c.exact = (offered.flag & missed.flag).has(sure)
	c.wide = c.length() > 2*r.every
	c.since = r.turns[byDay].start
	r.dial.add(c)
}
