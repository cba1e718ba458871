package stats

import "time"

// An Hour is one bucket of a summary.
type Hour struct {
	Start    time.Time // the civil hour, or the beginning of the window
	Offered  Number    // exact if no two samples with a call between them lie on both sides of an end of the hour
	Missed   Number    // likewise
	Observed time.Duration
}

// longest is the longest window that has hours.
const longest = 8 * 24 * time.Hour

// A dial is the hours of a window, and a hand that moves over them with the
// samples.
type dial struct {
	hours []Hour
	ends  []int64 // Unix seconds
	hand  int

	offered, missed float64 // what was taken back and found in no hour
}

// newDial returns the empty hours of a window: civil hours, the first and the
// last cut to it.
func newDial(from, to time.Time, zone *time.Location) dial {
	var d dial
	if to.Sub(from) > longest {
		return d
	}
	n := int(to.Sub(from)/time.Hour) + 2
	d.hours, d.ends = make([]Hour, 0, n), make([]int64, 0, n)
	for t := from; t.Before(to); {
		d.hours = append(d.hours, Hour{Start: t})
		_, east := t.In(zone).Zone()
		into := (t.Unix() + int64(east)) % 3600
		t = t.Add(time.Hour - time.Duration(into)*time.Second - time.Duration(t.Nanosecond()))
		d.ends = append(d.ends, min(t.Unix(), to.Unix()))
	}
	return d
}

// turn moves the hand to the hour of a time and returns its number. The end of
// an hour belongs to it, because a sample tells of the time before it. What lies
// outside belongs to the first or the last hour.
func (d *dial) turn(at int64) int {
	for d.hand > 0 && d.ends[d.hand-1] >= at {
		d.hand--
	}
	for d.hand < len(d.hours)-1 && d.ends[d.hand] < at {
		d.hand++
	}
	return d.hand
}

// start returns when an hour begins.
func (d *dial) start(i int) int64 {
	if i == 0 {
		return ceil(d.hours[0].Start)
	}
	return d.ends[i-1]
}

// share calls f with each hour that a span lies in, the last one first, and how
// much of the span that is.
func (d *dial) share(s span, f func(h *Hour, part int64)) {
	if s.length() == 0 {
		return
	}
	for i := d.turn(s.b); i >= 0; i-- {
		part := span{max(s.a, d.start(i)), min(s.b, d.ends[i])}
		if part.length() > 0 {
			f(&d.hours[i], part.length())
		}
		if d.start(i) <= s.a {
			return
		}
	}
}

// observe adds observed time.
func (d *dial) observe(s span) {
	if len(d.hours) == 0 {
		return
	}
	if s.a >= d.start(d.hand) && s.b <= d.ends[d.hand] {
		d.hours[d.hand].Observed += seconds(s.length())
		return
	}
	d.share(s, func(h *Hour, part int64) { h.Observed += seconds(part) })
}

// A change is what a sample added to the totals of the window.
type change struct {
	span            // from the last sample to this one
	offered, missed float64
	exact           bool
	known           [2]bool // whether offered and missed are
	wide            bool    // the samples are more than two polls apart
	since           int64   // when the counters last started again
}

// add puts a change into the hours. Across a longer gap nobody knows when it
// happened: it is spread over the hours of the gap.
func (d *dial) add(c change) {
	i := d.turn(c.b)
	d.know(i, c)
	if c.offered == 0 && c.missed == 0 {
		return
	}
	d.takeBack(i, c)
	offered, missed := repay(&d.offered, c.offered), repay(&d.missed, c.missed)
	if offered == 0 && missed == 0 {
		return
	}
	switch inside := c.a >= d.start(i); {
	case inside:
		d.hours[i].count(offered, missed, c.exact)
	case c.wide:
		c.span = c.clip(d.start(0), d.ends[len(d.ends)-1])
		whole := float64(c.length())
		d.share(c.span, func(h *Hour, part int64) {
			h.count(offered*float64(part)/whole, missed*float64(part)/whole, false)
		})
	default:
		d.share(c.span, func(h *Hour, _ int64) { h.count(0, 0, false) })
		d.hours[i].count(offered, missed, false)
	}
}

// repay returns what of a rise is left when the debt is paid.
func repay(debt *float64, rise float64) float64 {
	rise = max(0, rise)
	paid := min(*debt, rise)
	*debt -= paid
	return rise - paid
}

// know makes the hours of a change known: nothing counted is 0, not missing.
func (d *dial) know(i int, c change) {
	for ; i >= 0; i-- {
		h := &d.hours[i]
		if c.known[0] && !h.Offered.Known() {
			h.Offered = Number{0, Exact}
		}
		if c.known[1] && !h.Missed.Known() {
			h.Missed = Number{0, Exact}
		}
		if d.start(i) <= c.a {
			return
		}
	}
}

// close returns the hours. What was taken back from what was offered in an hour
// may have been the missed calls of another.
func (d *dial) close() []Hour {
	for i := len(d.hours) - 1; i >= 0; i-- {
		h := &d.hours[i]
		if taken := min(d.offered, h.Offered.Value); taken > 0 {
			d.offered -= taken
			h.count(-taken, 0, false)
		}
		if h.Missed.Known() && h.Missed.Value > h.Offered.Value {
			h.Missed = Number{h.Offered.Value, min(h.Offered.Quality, Estimated)}
		}
	}
	return d.hours
}

// count adds to an hour.
func (h *Hour) count(offered, missed float64, exact bool) {
	h.Offered, h.Missed = h.Offered.plus(offered, exact), h.Missed.plus(missed, exact)
}

// plus adds to a known number.
func (n Number) plus(v float64, exact bool) Number {
	switch {
	case !n.Known():
	case exact:
		n.Value += v
	default:
		n = Number{n.Value + v, Estimated}
	}
	return n
}

// takeBack removes corrected calls, the newest first: nobody knows which ones
// they were, so all hours back to when the counters started are estimated.
func (d *dial) takeBack(i int, c change) {
	offered, missed := max(0, -c.offered), max(0, -c.missed)
	if offered == 0 && missed == 0 {
		return
	}
	for now := i; i >= 0 && (offered > 0 || missed > 0 || d.ends[i] > c.since); i-- {
		h := &d.hours[i]
		m := min(missed, h.Missed.Value)
		o := min(offered, max(0, h.Offered.Value-h.Missed.Value+m))
		h.count(-o, -m, i < now && h.Offered.Value == 0)
		offered, missed = offered-o, missed-m
	}
	d.offered, d.missed = d.offered+offered, d.missed+missed
}
