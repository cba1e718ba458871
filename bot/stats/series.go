package stats

import (
	"math"
	"slices"
	"time"
)

const (
	// newLogin is by how much the computed beginning of a login moves when it is
	// another login, and not the rounding of its age.
	newLogin = 30 * time.Second

	// lateReset is how long after its boundary a counter may still start again.
	lateReset = 10 * time.Minute
)

// A Series says how to read samples.
type Series struct {
	Dictionary Dictionary
	Vendor     *time.Location // the vendor's day, in which daily counters start again
	Hours      *time.Location // the zone of the hourly buckets
	Every      time.Duration  // between two polls of an agent, as it really was
}

// A Summary is what happened to one agent, or to a team, in a window. Totals
// never overstate: what cannot be known to have happened inside the window is
// not counted, and Unseen bounds the time it may have happened in.
type Summary struct {
	From, To  time.Time
	First     time.Time         // tick of the first sample; zero: there are none
	Last      time.Time         // tick of the last sample
	Polled    int               // samples
	Observed  time.Duration     // time within two polls of a sample
	Unseen    time.Duration     // time whose events are not counted: before the first sample, after the last, and before resets
	LastCall  time.Time         // tick by which the last answered call was counted; zero: none was
	Totals    map[string]Number // by the name of a metric, "answered" and "miss_rate" and "calls_per_hour" included
	Hours     []Hour            // in order, every hour of the window
	Agents    int               // 1, or of a team: how many are in it
	Reporting int               // how many of them have samples

	weights map[string]float64 // of the averages in Totals
	sums    map[string]float64 // average × weight
}

// An Hour is one bucket of a summary.
type Hour struct {
	Start    time.Time // the civil hour, or the beginning of the window
	Offered  Number
	Missed   Number
	Observed time.Duration
}

// Coverage is the share of the window that was observed, from 0 to 1.
func (s Summary) Coverage() float64 {
	if length := s.To.Sub(s.From); length > 0 {
		return min(1, float64(s.Observed)/float64(length))
	}
	return 0
}

// Late reports whether the first sample came so late that the summary is one
// "since" then.
func (s Summary) Late(every time.Duration) bool {
	return !s.First.IsZero() && s.First.Sub(s.From) > 2*every
}

// Summarize reads one agent's samples, in the order of their ticks. Those
// outside the window are left out, so that it counts only between two samples
// inside it.
func (s Series) Summarize(samples []Sample, from, to time.Time) Summary {
	r := s.reader(from, to)
	for _, sample := range samples {
		if !sample.Tick.Before(from) && !sample.Tick.After(to) {
			r.add(sample)
		}
	}
	return r.finish()
}

// A reader goes through one agent's samples.
type reader struct {
	Series
	out             Summary
	tracks          []track
	before          Sample // the last sample that had values
	lastTick        time.Time
	offered, missed int  // tracks of the two, -1 for none
	login           bool // the last answer said "logged in"
}

// A track follows one counter, or the sum behind one average.
type track struct {
	metric Metric
	at     int // where its key was in the last sample
	weight int // averages: where its weight is
	total  Number
	last   float64
	known  bool      // last is set
	due    time.Time // when a reset was due that has not been seen yet
}

func (s Series) reader(from, to time.Time) *reader {
	r := &reader{Series: s, offered: -1, missed: -1}
	r.out = Summary{From: from, To: to, Agents: 1, Totals: map[string]Number{}, weights: map[string]float64{}, sums: map[string]float64{}}
	for _, m := range s.Dictionary {
		switch m.Name {
		case "offered":
			r.offered = len(r.tracks)
		case "missed":
			r.missed = len(r.tracks)
		}
		if m.Kind == Counter || m.Kind == Average || m.Kind == Map {
			r.tracks = append(r.tracks, track{metric: m})
		}
	}
	r.out.Hours = hours(from, to, s.Hours)
	return r
}

// hours returns the empty buckets of a window: civil hours, the first and last
// cut to it.
func hours(from, to time.Time, zone *time.Location) []Hour {
	var list []Hour
	for t := from; t.Before(to) && len(list) < 24*8; {
		list = append(list, Hour{Start: t})
		local := t.In(zone)
		t = t.Add(time.Hour - time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second - time.Duration(local.Nanosecond()))
	}
	return list
}

// asOf is the time that a sample is about.
func (s Sample) asOf() time.Time {
	if s.Date.IsZero() {
		return s.Tick
	}
	return s.Date
}

// add takes the next sample.
func (r *reader) add(s Sample) {
	if !s.Tick.After(r.lastTick) && !r.lastTick.IsZero() {
		return // the same poll again
	}
	r.observe(s.Tick)
	r.out.Polled++
	if r.out.First.IsZero() {
		r.out.First = s.Tick
	}
	r.out.Last, r.lastTick = s.Tick, s.Tick
	if s.Out || !r.before.Tick.IsZero() && s.asOf().Before(r.before.asOf()) {
		return // no values, or an answer older than the last
	}
	r.compare(s)
	r.before = s
}

// observe adds the time since the last sample, as far as it is within two polls.
func (r *reader) observe(tick time.Time) {
	since := r.lastTick
	if since.IsZero() {
		since = r.out.From
	}
	seen := min(tick.Sub(since), 2*r.Every)
	if r.lastTick.IsZero() && tick.Sub(since) > 2*r.Every {
		seen = 0
	}
	r.out.Observed += seen
	if h := r.bucket(tick); h != nil {
		h.Observed += seen
	}
}

// bucket returns the hour that a time belongs to: an hour's end is part of it,
// because a sample tells of the time before it.
func (r *reader) bucket(t time.Time) *Hour {
	for i := len(r.out.Hours) - 1; i >= 0; i-- {
		if r.out.Hours[i].Start.Before(t) {
			return &r.out.Hours[i]
		}
	}
	if len(r.out.Hours) > 0 {
		return &r.out.Hours[0]
	}
	return nil
}

// compare adds what happened between the last sample and this one.
func (r *reader) compare(s Sample) {
	first := r.before.Tick.IsZero()
	midnight := !first && !sameDate(r.before.asOf(), s.asOf(), r.Vendor)
	login := !first && !s.Login.IsZero() && !r.before.Login.IsZero() && s.Login.Sub(r.before.Login) > newLogin
	unseen := false
	var offered, missed Number
	for i := range r.tracks {
		t := &r.tracks[i]
		value, ok := t.read(r, s)
		if !ok {
			continue
		}
		crossed := t.metric.Reset == Daily && midnight || t.metric.Reset == AtLogin && login
		delta := t.step(value, crossed, s.asOf())
		unseen = unseen || crossed && t.metric.Kind == Counter
		switch i {
		case r.offered:
			offered = delta
		case r.missed:
			missed = delta
		}
	}
	if unseen {
		r.out.Unseen += r.resetGap(s, midnight)
	}
	r.attribute(s, offered, missed)
}

// resetGap is the time between the last sample before a reset and the reset.
func (r *reader) resetGap(s Sample, midnight bool) time.Duration {
	at := s.Login
	if midnight {
		y, m, d := s.asOf().In(r.Vendor).Date()
		at = time.Date(y, m, d, 0, 0, 0, 0, r.Vendor) // at worst an hour off, where midnight does not exist
	}
	return max(0, min(at.Sub(r.before.asOf()), s.asOf().Sub(r.before.asOf())))
}

// read returns the track's value in a sample: the counter, the sum of a map's
// counters, or an average times its weight.
func (t *track) read(r *reader, s Sample) (float64, bool) {
	switch t.metric.Kind {
	case Map:
		return s.sum(t.metric.Key + ".")
	case Average:
		a, ok := t.find(s, t.metric.Key)
		n, known := r.weightOf(s, t.metric.Weight)
		return a * n, ok && known
	}
	return t.find(s, t.metric.Key)
}

// weightOf reads the count that an average is over.
func (r *reader) weightOf(s Sample, name string) (float64, bool) {
	if name != "answered" {
		m, ok := r.Dictionary.ByName(name)
		n, known := s.Value(m.Key)
		return n, ok && known
	}
	if r.offered < 0 || r.missed < 0 {
		return 0, false
	}
	offered, ok1 := r.tracks[r.offered].find(s, r.tracks[r.offered].metric.Key)
	missed, ok2 := r.tracks[r.missed].find(s, r.tracks[r.missed].metric.Key)
	return offered - missed, ok1 && ok2 && missed <= offered
}

// find looks a key up, first where it was in the last sample.
func (t *track) find(s Sample, key string) (float64, bool) {
	if t.at < len(s.Values) && s.Values[t.at].Key == key {
		return s.Values[t.at].N, true
	}
	i := slices.IndexFunc(s.Values, func(v Value) bool { return v.Key == key })
	if i < 0 {
		return 0, false
	}
	t.at = i
	return s.Values[i].N, true
}

// sum adds up the values under a prefix.
func (s Sample) sum(prefix string) (total float64, ok bool) {
	for _, v := range s.Values {
		if len(v.Key) > len(prefix) && v.Key[:len(prefix)] == prefix {
			total, ok = total+v.N, true
		}
	}
	return total, ok
}

// step takes the next value and returns what it adds.
//
// Without a boundary a rise is counted, and a fall is a correction of earlier
// counts by the vendor, which is taken back. Across the counter's own boundary a
// fall is the reset: what the counter shows now has happened since. A rise
// across the boundary tells nothing about the reset, so only the rise is
// counted, and a fall soon after is taken for the late reset and counts nothing.
func (t *track) step(value float64, crossed bool, asOf time.Time) Number {
	if !t.known {
		t.known, t.last, t.total = true, value, Number{0, Exact}
		return Number{0, Exact}
	}
	delta := Number{value - t.last, Exact}
	late := !t.due.IsZero() && asOf.Sub(t.due) <= lateReset && value <= t.last/2
	switch {
	case crossed && value < t.last:
		delta = Number{value, Estimated}
	case crossed:
		delta.Quality, t.due = Estimated, asOf
	case value < t.last && late:
		delta, t.due = Number{0, Estimated}, time.Time{}
	case value < t.last:
		delta.Quality = Estimated
	}
	t.last = value
	t.total.Value += delta.Value
	t.total.Quality = min(t.total.Quality, delta.Quality)
	return delta
}

// attribute puts what was offered and missed into the hours. Across a longer gap
// nobody knows when it happened: it is spread over the hours of the gap.
func (r *reader) attribute(s Sample, offered, missed Number) {
	if answered := offered.Value - missed.Value; offered.Known() && missed.Known() && answered > 0 {
		r.out.LastCall = s.Tick
	}
	from := r.before.Tick
	if from.IsZero() {
		from = s.Tick
	}
	if s.Tick.Sub(from) <= 2*r.Every {
		if h := r.bucket(s.Tick); h != nil {
			h.Offered, h.Missed = plus(h.Offered, offered), plus(h.Missed, missed)
		}
		return
	}
	for i := range r.out.Hours {
		h := &r.out.Hours[i]
		end := r.out.To
		if i+1 < len(r.out.Hours) {
			end = r.out.Hours[i+1].Start
		}
		overlap := minTime(end, s.Tick).Sub(maxTime(h.Start, from))
		if overlap > 0 {
			share := float64(overlap) / float64(s.Tick.Sub(from))
			h.Offered, h.Missed = plus(h.Offered, part(offered, share)), plus(h.Missed, part(missed, share))
		}
	}
}

// part is an estimated share of a number.
func part(n Number, share float64) Number {
	if !n.Known() {
		return n
	}
	return Number{n.Value * share, Estimated}
}

// plus adds two numbers; a missing one adds nothing.
func plus(a, b Number) Number {
	switch {
	case !a.Known():
		return b
	case !b.Known():
		return a
	}
	return Number{a.Value + b.Value, min(a.Quality, b.Quality)}
}

// finish closes the summary.
func (r *reader) finish() Summary {
	s := r.out
	if s.Polled > 0 {
		s.Reporting = 1
		if tail := s.To.Sub(s.Last); tail <= 2*r.Every {
			s.Observed += tail
			if h := r.bucket(s.To); h != nil {
				h.Observed += tail
			}
		}
		s.Unseen += s.First.Sub(s.From) + s.To.Sub(s.Last)
	} else {
		s.Unseen = s.To.Sub(s.From)
	}
	for _, t := range r.tracks {
		if t.known && t.metric.Kind != Average {
			s.Totals[t.metric.Name] = Number{max(0, t.total.Value), t.total.Quality}
		}
	}
	for i := range s.Hours {
		s.Hours[i].Offered.Value, s.Hours[i].Missed.Value = max(0, s.Hours[i].Offered.Value), max(0, s.Hours[i].Missed.Value)
	}
	s.derive()
	for _, t := range r.tracks {
		if t.known && t.metric.Kind == Average {
			s.average(t.metric, t.total.Value)
		}
	}
	return s
}

// average records the sum behind an average, if enough was counted for it.
func (s *Summary) average(m Metric, sum float64) {
	n := s.Totals[m.Weight]
	if !n.Known() || sum < 0 {
		return
	}
	s.sums[m.Name], s.weights[m.Name] = sum, n.Value
	if n.Value >= minWeight {
		s.Totals[m.Name] = Number{sum / n.Value, Estimated}
	}
}

// derive computes the numbers that come from others.
func (s *Summary) derive() {
	offered, missed := s.Totals["offered"], s.Totals["missed"]
	quality := min(offered.Quality, missed.Quality)
	if quality == Missing || missed.Value > offered.Value {
		return
	}
	answered := Number{offered.Value - missed.Value, quality}
	s.Totals["answered"] = answered
	if offered.Value > 0 {
		s.Totals["miss_rate"] = Number{missed.Value / offered.Value, quality}
	}
	if observed := s.Observed.Hours(); observed > 0 {
		s.Totals["calls_per_hour"] = Number{answered.Value / observed, quality}
	}
}

// Combine returns the summary of a team from its agents' summaries of one
// window: counts are added, averages weighted, hours added up.
func (d Dictionary) Combine(agents []Summary) Summary {
	var team Summary
	if len(agents) == 0 {
		return team
	}
	team = Summary{From: agents[0].From, To: agents[0].To, Totals: map[string]Number{}, weights: map[string]float64{}, sums: map[string]float64{}}
	for _, h := range agents[0].Hours {
		team.Hours = append(team.Hours, Hour{Start: h.Start})
	}
	var observed time.Duration
	for _, a := range agents {
		team.merge(a, d)
		observed += a.Observed
	}
	team.Observed = observed
	team.derive()
	team.Observed = observed / time.Duration(len(agents)) // the mean, so that Coverage is the team's
	for _, m := range d {
		if n := team.weights[m.Name]; m.Kind == Average && n >= minWeight {
			team.Totals[m.Name] = Number{team.sums[m.Name] / n, Estimated}
		}
	}
	return team
}

// merge adds one agent to a team.
func (s *Summary) merge(a Summary, d Dictionary) {
	s.Agents += a.Agents
	s.Reporting += a.Reporting
	s.Polled += a.Polled
	s.Unseen = max(s.Unseen, a.Unseen)
	if s.First.IsZero() || !a.First.IsZero() && a.First.Before(s.First) {
		s.First = a.First
	}
	s.Last, s.LastCall = maxTime(s.Last, a.Last), maxTime(s.LastCall, a.LastCall)
	for _, m := range d {
		if m.Kind == Counter || m.Kind == Map {
			if n := plus(s.Totals[m.Name], a.Totals[m.Name]); n.Known() {
				s.Totals[m.Name] = n
			}
		}
		s.sums[m.Name] += a.sums[m.Name]
		s.weights[m.Name] += a.weights[m.Name]
	}
	for i := range min(len(s.Hours), len(a.Hours)) {
		h := &s.Hours[i]
		h.Offered, h.Missed = plus(h.Offered, a.Hours[i].Offered), plus(h.Missed, a.Hours[i].Missed)
		h.Observed += a.Hours[i].Observed
	}
}

// Median returns the middle of the known numbers, and a missing one if fewer
// than least are known.
func Median(numbers []Number, least int) Number {
	var known []float64
	for _, n := range numbers {
		if n.Known() {
			known = append(known, n.Value)
		}
	}
	if len(known) < max(1, least) {
		return Number{}
	}
	slices.Sort(known)
	mid := len(known) / 2
	if len(known)%2 == 1 {
		return Number{known[mid], Exact}
	}
	return Number{(known[mid-1] + known[mid]) / 2, Exact}
}

// Increase is what a counter rose by between the samples in (to−w, to], as rules
// read it: never across a gap of more than two polls, and missing until four
// fifths of the window are polled.
func (s Series) Increase(samples []Sample, metric string, w time.Duration, to time.Time) Number {
	m, ok := s.Dictionary.ByName(metric)
	if !ok || m.Kind != Counter && m.Kind != Map {
		return Number{}
	}
	r := s.reader(to.Add(-w), to)
	t := track{metric: m}
	sum, covered := Number{0, Exact}, time.Duration(0)
	for _, x := range samples {
		if !x.Tick.After(to.Add(-w)) || x.Tick.After(to) || x.Out || !r.before.Tick.IsZero() && x.asOf().Before(r.before.asOf()) {
			continue
		}
		value, ok := t.read(r, x)
		if !ok {
			continue
		}
		gap := x.Tick.Sub(r.before.Tick)
		if r.before.Tick.IsZero() || gap > 2*s.Every {
			covered += s.Every
			t.known = false
		} else {
			covered += gap
		}
		midnight := t.known && m.Reset == Daily && !sameDate(r.before.asOf(), x.asOf(), s.Vendor)
		login := t.known && m.Reset == AtLogin && !x.Login.IsZero() && x.Login.Sub(r.before.Login) > newLogin
		delta := t.step(value, midnight || login, x.asOf())
		sum = Number{sum.Value + delta.Value, min(sum.Quality, delta.Quality)}
		r.before = x
	}
	if float64(covered) < 0.8*float64(w) {
		return Number{}
	}
	return Number{math.Max(0, sum.Value), sum.Quality}
}

func sameDate(a, b time.Time, zone *time.Location) bool {
	y1, m1, d1 := a.In(zone).Date()
	y2, m2, d2 := b.In(zone).Date()
	return y1 == y2 && m1 == m2 && d1 == d2
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
