package stats

import (
	"math"
	"slices"
	"time"

	"floorwalker/dashboard"
)

// A Watch is what the trackers of a floor share: how samples are read, and which
// increases the rules ask for. It is immutable and safe for concurrent use.
type Watch struct {
	plan      *plan
	metrics   map[string]int // place in the dictionary, by name
	averages  map[string]int // their product's track, by name; the weight's is the next
	increases map[string]int // place in windows, by name
	windows   []window
}

// A window is how far back rules look at a track.
type window struct {
	track int
	size  uint32 // seconds
}

// Watch prepares for tracking. Windows holds, by the name of a counter, the
// longest window of any increase that a rule reads; other names are ignored.
func (s Series) Watch(windows map[string]time.Duration) *Watch {
	w := &Watch{plan: newPlan(s), metrics: map[string]int{}, averages: map[string]int{}, increases: map[string]int{}}
	for i, m := range s.Dictionary {
		if m.Kind != Text {
			w.metrics[m.Name] = i
		}
	}
	for i, t := range w.plan.tracks {
		switch {
		case t.part == product:
			w.averages[t.name] = i
		case t.part != weight && windows[t.name] > 0:
			w.increases[t.name] = len(w.windows)
			w.windows = append(w.windows, window{i, uint32(windows[t.name] / time.Second)})
		}
	}
	return w
}

// A Tracker follows one agent in one shift at a time, and answers what rules
// read. Its state follows from the samples: after a restart, Begin the shift and
// Observe those since a few polls before it began, or since as long ago as the
// longest window, whichever is earlier. It is not safe for concurrent use.
//
// An agent of several teams needs a tracker for each of their shifts.
type Tracker struct {
	tally
	watch *Watch
	rises []rises // like the watch's windows
}

// Tracker returns a tracker that has seen nothing yet.
func (w *Watch) Tracker() *Tracker {
	return &Tracker{tally: newTally(w.plan, nil), watch: w, rises: make([]rises, len(w.windows))}
}

// Begin says which shift runs: the one that began last. Samples from then on
// count for it. With the same beginning, it only moves the end.
func (t *Tracker) Begin(from, to time.Time) {
	if t.phase == inside && t.from == ceil(from) {
		t.to = to.Unix()
		return
	}
	t.begin(from, to)
}

// Observe takes the next sample and the time between two polls as it is now (0:
// the series'). It reports false for a sample that it drops: one that is not
// newer than the last, or whose answer is older.
func (t *Tracker) Observe(s Sample, every time.Duration) bool {
	if t.every = int64(every / time.Second); t.every <= 0 {
		t.every = int64(t.plan.Every / time.Second)
	}
	prev := t.prev
	if !t.add(&s) {
		return false
	}
	if s.Out {
		return true
	}
	for i, w := range t.watch.windows {
		track := &t.tracks[w.track]
		if !track.flag.has(known) || track.flag.has(gone) {
			continue
		}
		next := rise{at: uint32(t.tick), sure: true}
		if t.moved {
			next.total, next.sure = track.delta, track.flag.has(sure)
		}
		reach := uint32(2 * t.every)
		if t.prev-prev > 2*t.every || t.moved && track.flag.has(returned) {
			reach = 0 // nobody knows when that was which came since an old answer, or before a slip
		}
		t.rises[i].add(next, reach, w.size)
	}
	return true
}

// Note adds what the newest answer says and a sample does not keep, such as
// flags. It belongs behind Observe of that answer's sample.
func (t *Tracker) Note(c dashboard.Counters) {
	if t.out || t.tick == 0 {
		return
	}
	for i := range t.plan.Dictionary { // in place: a metric is large
		if math.IsNaN(t.now[i]) {
			if n := t.plan.Dictionary[i].Read(c); n.Known() {
				t.now[i] = n.Value
			}
		}
	}
}

// Restarted reports whether a counter has started again with the newest sample.
func (t *Tracker) Restarted(name string) bool {
	i := slices.IndexFunc(t.plan.tracks, func(p trackPlan) bool { return p.name == name && p.part == whole })
	return i >= 0 && t.moved && t.tracks[i].flag.has(restarted)
}

// Fresh reports whether the newest sample is at most three polls old.
func (t *Tracker) Fresh(at time.Time) bool {
	return t != nil && t.tick != 0 && at.Unix()-t.tick <= 3*t.every
}

// Shift returns what was counted in the shift until now, without hours.
func (t *Tracker) Shift(at time.Time) Summary {
	now := t.tally
	now.tracks = slices.Clone(t.tracks)
	if end := clock(t.to); at.After(end) {
		at = end
	}
	now.close(at)
	return now.summary(clock(t.from), at)
}

// Value returns what a rule reads at a time: with a window, what a counter rose
// by in it; without one, a metric's newest value or a computed number. A flag is
// 1 or 0. What is not known is missing; while the agent is logged out, all that
// their counters tell.
//
// Minutes since the last call, when there was none in the shift, are those since
// the first sample with values, and estimated.
func (t *Tracker) Value(name string, window time.Duration, at time.Time) Number {
	if window > 0 {
		return t.increase(name, window, at)
	}
	switch name {
	case "logged_in":
		return exactly(flag(!t.out), t.tick != 0)
	case "logged_in_before":
		return exactly(flag(t.wasIn), t.phase == inside)
	case "shift_minutes":
		return exactly(float64(at.Unix()-t.from)/60, t.phase == inside && at.Unix() >= t.from)
	case "shift_left":
		return exactly(float64(t.to-at.Unix())/60, t.phase == inside)
	case "login_hours":
		return exactly(float64(t.prev-t.login)/3600, t.login != 0 && !t.out)
	case "answered":
		return exactly(number(t.plan.difference(t.now)))
	case "miss_rate":
		answered, missed := t.plan.difference(t.now), t.Value("missed", 0, at)
		return exactly(missed.Value/(answered+missed.Value), missed.Known() && answered+missed.Value > 0)
	case "calls_per_hour":
		return t.rate()
	case "minutes_since_call":
		return t.sinceCall()
	}
	i, ok := t.watch.metrics[name]
	if !ok {
		return Number{}
	}
	if name == "login_age" && math.IsNaN(t.now[i]) {
		return exactly(float64(t.prev-t.login), t.login != 0 && !t.out)
	}
	return exactly(number(t.now[i]))
}

// number returns v and whether it is one.
func number(v float64) (float64, bool) { return v, !math.IsNaN(v) }

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// rate returns the answered calls per hour of the shift so far.
func (t *Tracker) rate() Number {
	if t.rateTime == 0 {
		return Number{}
	}
	n := Number{max(0, t.calls) * 3600 / float64(t.rateTime), Exact}
	if t.track(t.plan.answered).flag.has(estimated) {
		n.Quality = Estimated
	}
	return n
}

func (t *Tracker) sinceCall() Number {
	if t.callAt == 0 || t.out {
		return Number{}
	}
	if t.lastCall == 0 {
		return Number{float64(t.tick-t.begun) / 60, Estimated}
	}
	return Number{float64(t.tick-t.lastCall) / 60, Exact}
}
