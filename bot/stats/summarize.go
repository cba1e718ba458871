package stats

import "time"

// neighbours is how many samples beside the window are looked at for one with
// values, which bounds what happened before the first and after the last.
const neighbours = 5

// Summarize reads one agent's samples, which are in the order of their ticks. It
// counts between two samples of the window, from and to included. Of the others
// only those next to the window are of use: they bound what may be lacking.
func (s Series) Summarize(samples []Sample, from, to time.Time) Summary {
	p := newPlan(s)
	r := reader{tally: newTally(p, &layout{}), dial: newDial(from, to, p.Hours)}
	first := 0
	for first < len(samples) && samples[first].Tick.Before(from) {
		first++
	}
	for i := max(0, first-neighbours); i < first; i++ {
		r.tally.add(&samples[i])
	}
	r.begin(from, to)
	i := first
	for ; i < len(samples) && !samples[i].Tick.After(to); i++ {
		r.add(&samples[i])
	}
	r.dial.observe(r.rest(to.Unix()))
	r.close(to)
	for end := min(len(samples), i+neighbours); i < end; i++ {
		if s := &samples[i]; s.asOf() >= ceil(to) && r.tally.add(s) && !s.Out {
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
