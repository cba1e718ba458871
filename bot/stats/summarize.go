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
	p := newPlan(s)
	r := reader{tally: newTally(p, &layout{}), dial: newDial(from, to, p.Hours)}
	first := slices.IndexFunc(samples, func(s Sample) bool { return !s.Tick.Before(from) })
	if first < 0 {
		first = len(samples)
	}
	for _, sample := range samples[max(0, first-neighbours):first] {
		r.tally.add(sample)
	}
	r.begin(from, to)
	i := first
	for ; i < len(samples) && !samples[i].Tick.After(to); i++ {
		r.add(samples[i])
	}
	r.dial.observe(r.rest(to.Unix()))
	r.close(to)
	for _, sample := range samples[i:min(len(samples), i+neighbours)] {
		if sample.asOf() >= ceil(to) && r.tally.add(sample) && !sample.Out {
			break
		}
	}
	out := r.summary(from, to)
	out.Hours = r.dial.close()
	return out
}

// A reader goes through one agent's samples of a window.
type reader struct {
	tally
	dial dial
}

// add takes the next sample of the window.
func (r *reader) add(s Sample) {
	covers, c := r.covers(s.Tick.Unix()), change{span: span{a: r.prev}}
	offered, missed := r.track(r.plan.offered), r.track(r.plan.missed)
	for _, t := range []*track{offered, missed} {
		if t.flag&(open|gone) == open|gone {
			c.a = min(c.a, t.left)
		}
	}
	c.offered, c.missed = offered.total, missed.total
	polled := r.polled
	if !r.tally.add(s) || r.polled == polled || len(r.dial.hours) == 0 {
		return
	}
	for _, span := range covers {
		r.dial.observe(span)
	}
	if s.Out {
		return
	}
	c.b, c.wide = r.prev, r.prev-c.a > 2*r.every
	c.offered, c.missed = offered.total-c.offered, missed.total-c.missed
	c.known = [2]bool{offered.flag.present(), missed.flag.present()}
	c.exact = offered.flag&missed.flag&sure != 0
	c.since = r.turns[byDay].start
	if c.a == 0 {
		c.a = c.b
	}
	r.dial.add(c)
}
