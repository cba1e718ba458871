package stats

import "time"

// A tally counts one agent in one window, sample by sample. Times are Unix
// seconds.
type tally struct {
	meter
	to    int64 // the window's end; its beginning is the meter's from
	every int64 // between two polls, as of the newest sample

	tick   int64 // of the newest sample, 0 for none
	asOf   int64 // of the newest sample
	out    bool  // the newest sample says that the agent is logged out
	wasIn  bool  // a sample of the window says that they are logged in
	polled int   // samples in the window, and
	first  int64 //   the ticks of the first,
	last   int64 //   and the last of them
	begun  int64 // tick of the first one with values
	since  int64 // when the login of the last one with values began, 0 if not known or logged out

	observed int64   // see Summary.Observed; without what lies after last
	lastCall int64   // see Summary.LastCall
	callAt   int64   // asOf of the newest sample that tells what was answered
	calls    float64 // answered between samples at most two polls apart, and
	rateTime int64   //   the time between those samples
}

func newTally(p *plan, l *layout) tally {
	return tally{meter: newMeter(p, l), every: int64(p.Every / time.Second)}
}

// begin opens a window, from and to included. What was seen before bounds what
// may have happened before the first sample in it.
func (t *tally) begin(from, to time.Time) {
	t.to = to.Unix()
	t.open(ceil(from))
	t.wasIn, t.polled, t.first, t.last, t.begun, t.since = false, 0, 0, 0, 0, 0
	t.observed, t.lastCall, t.callAt, t.calls, t.rateTime = 0, 0, 0, 0, 0
}

// ceil returns the first whole second at or after a time.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// asOf is the time that a sample is about: its Date, unless that lies in the
// future, which would make all answers to come look old.
func (s *Sample) asOf() int64 {
	tick := s.Tick.Unix()
	if s.Date.IsZero() {
		return tick
	}
	if date := s.Date.Unix(); date-tick <= lateReset {
		return date
	}
	return tick
}

// add takes the next sample and reports whether it did: not one whose tick is
// not newer than the last one's, and not one whose answer is older.
func (t *tally) add(s *Sample) bool {
	tick, asOf := s.Tick.Unix(), s.asOf()
	if t.tick != 0 && (tick <= t.tick || asOf < t.asOf) {
		return false
	}
	phase := t.phase
	if phase == inside && (min(tick, asOf) < t.from || tick > t.to) { // an old answer tells of a time before the window
		t.phase = outside
	}
	if t.phase == inside {
		t.note(s, tick)
	}
	if s.Out {
		t.forget()
		t.moved = false
	} else {
		t.observe(s, asOf, t.every)
		t.away = 0
		if t.phase == inside {
			t.count(tick, asOf)
		}
	}
	t.tick, t.asOf, t.out, t.phase = tick, asOf, s.Out, phase
	return true
}

// note notes that there is a sample in the window.
func (t *tally) note(s *Sample, tick int64) {
	for _, span := range t.covers(tick) {
		t.observed += span.length()
	}
	if s.Out && t.out && t.last != 0 && tick-t.last <= 2*t.every {
		t.away += tick - t.last
	}
	t.polled++
	t.wasIn = t.wasIn || !s.Out
	if t.first == 0 {
		t.first = tick
	}
	if t.begun == 0 && !s.Out {
		t.begun = tick
	}
	t.last = tick
	if s.Out {
		t.since = 0
	} else if !s.Login.IsZero() {
		t.since = s.Login.Unix()
	}
}

// A span is a time from a up to b.
type span struct{ a, b int64 }

func (s span) length() int64 { return max(0, s.b-s.a) }

// clip returns the part of s from a to b.
func (s span) clip(a, b int64) span { return span{max(s.a, a), min(s.b, b)} }

// covers returns the time that the next sample of the window shows: all within
// one poll of it or of the sample before it, and after that one.
func (t *tally) covers(tick int64) [2]span {
	switch {
	case t.last == 0:
		return [2]span{{max(t.from, tick-t.every), tick}}
	case tick-t.last <= 2*t.every:
		return [2]span{{t.last, tick}}
	}
	return [2]span{{t.last, t.last + t.every}, {tick - t.every, tick}}
}

// rest returns the time after the last sample that it shows.
func (t *tally) rest(to int64) span {
	if t.last == 0 {
		return span{}
	}
	return span{t.last, min(t.last+t.every, to)}
}

// count notes what was answered.
func (t *tally) count(tick, asOf int64) {
	answered := t.track(t.plan.answered)
	if !answered.flag.present() {
		return
	}
	if t.callAt != 0 {
		delta := 0.0
		if t.moved {
			delta = answered.delta
		}
		if delta > 0 {
			t.lastCall = tick
		}
		if gap := asOf - t.callAt; gap <= 2*t.every {
			t.calls += delta
			t.rateTime += gap
		} else {
			t.calls += min(0, delta) // taken back of what was counted
		}
	}
	t.callAt = asOf
}

// close ends the window: what happened in the rest of it is lacking, unless the
// next sample with values bounds it.
func (t *tally) close(to time.Time) {
	t.phase = after
	for i := range t.tracks {
		track, seen := &t.tracks[i], t.prev
		if track.flag.has(gone) {
			seen = track.left
		}
		track.tail = max(0, ceil(to)-seen-t.away)
	}
}

// summary returns what was counted in the window after it was closed.
func (t *tally) summary(from, to time.Time) Summary {
	s := Summary{
		From: from, To: to, Agents: 1, Polled: t.polled,
		First: clock(t.first), Last: clock(t.last), LastCall: clock(t.lastCall), Login: clock(t.since),
		Observed: seconds(t.observed + t.rest(to.Unix()).length()),
		Totals:   make(map[string]Number, 2*len(t.tracks)), Lacks: make(map[string]Lack, len(t.tracks)),
		sums: map[string]float64{}, weights: map[string]float64{},
		calls: t.calls, rateTime: seconds(t.rateTime),
	}
	if t.polled > 0 {
		s.Reporting = 1
	}
	for i := range t.tracks {
		t.total(&s, i)
	}
	s.derive()
	for name := range s.weights {
		s.average(name)
	}
	if len(s.Lacks) == 0 {
		s.Unseen = max(0, to.Sub(from)-seconds(t.away))
	}
	return s
}

// total puts a track into a summary.
func (t *tally) total(s *Summary, i int) {
	p, track := &t.plan.tracks[i], &t.tracks[i]
	switch {
	case !track.flag.has(open):
		return
	case p.part == product && p.trusted:
		s.sums[p.name] = track.total
		return
	case p.part == weight && p.trusted:
		s.weights[p.name] = track.total
		return
	case p.part.ofAverage():
		return
	}
	n := Number{max(0, track.total), Exact}
	if track.flag.has(estimated) {
		n.Quality = Estimated
	}
	lack := Lack{track.short, seconds(track.blind + track.tail)}
	s.Totals[p.name], s.Lacks[p.name] = n, lack
	s.Unseen = max(s.Unseen, lack.Time)
}

// clock returns the time of Unix seconds, and the zero time for 0.
func clock(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(at, 0).UTC()
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }
