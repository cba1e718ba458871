package stats_test

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"floorwalker/bot/stats"
)

// windows are the increases that the tests ask for.
func windows() map[string]time.Duration {
	return map[string]time.Duration{"offered": time.Hour, "missed": time.Hour, "answered": time.Hour}
}

// lookEvery is after how many samples a world is looked at.
const lookEvery = 29

// follow feeds a world's samples to a tracker and calls look now and then.
func (w *world) follow(t *stats.Tracker, samples []stats.Sample, look func(seen []stats.Sample, at time.Time) error) error {
	t.Begin(time.Unix(w.from, 0), time.Unix(w.to, 0))
	for i, s := range samples {
		t.Observe(s, 0)
		if at := s.Tick; i%lookEvery == 0 && at.Unix() >= w.from && at.Unix() <= w.to {
			if err := look(samples[:i+1], at); err != nil {
				return fmt.Errorf("at %v: %w", at, err)
			}
		}
	}
	return nil
}

// ordered returns the samples of a world in the order of their ticks, as history
// gives them.
func (w *world) ordered() []stats.Sample {
	samples := slices.Clone(w.samples)
	slices.SortStableFunc(samples, func(a, b stats.Sample) int { return a.Tick.Compare(b.Tick) })
	return samples
}

// TestTrackerTotals: what a tracker counts sample by sample is what a summary of
// the same samples says.
func TestTrackerTotals(t *testing.T) {
	for name, h := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range seeds() / 4 {
				h.alone = true
				w := newWorld(seed, h)
				series := w.series()
				tracker := series.Watch(nil).Tracker()
				err := w.follow(tracker, w.ordered(), func(seen []stats.Sample, at time.Time) error {
					want := series.Summarize(seen, time.Unix(w.from, 0), at)
					got := tracker.Shift(at)
					if !maps.Equal(got.Totals, want.Totals) || !maps.Equal(got.Lacks, want.Lacks) {
						return fmt.Errorf("shift so far: %v, %v; want %v, %v", got.Totals, got.Lacks, want.Totals, want.Lacks)
					}
					if got.Observed != want.Observed || got.Polled != want.Polled || got.Unseen != want.Unseen || !got.LastCall.Equal(want.LastCall) {
						return fmt.Errorf("shift so far: %+v, want %+v", got, want)
					}
					return nil
				})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

// TestIncrease: an increase is at most what happened in its window, is known
// when and only when four fifths of the window are observed, and is exactly what
// happened between the samples if it says so.
func TestIncrease(t *testing.T) {
	for name, h := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range seeds() / 4 {
				w := newWorld(seed, h)
				tracker := w.series().Watch(windows()).Tracker()
				err := w.follow(tracker, w.ordered(), func(seen []stats.Sample, at time.Time) error {
					runs, last := w.runs(seen)
					for name := range windows() {
						for _, size := range []time.Duration{10 * time.Minute, 30 * time.Minute, time.Hour} {
							x := increase{name, at.Unix() - int64(size/time.Second), at.Unix(), tracker.Value(name, size, at)}
							if err := w.judgeIncrease(x, runs, last); err != nil {
								return fmt.Errorf("increase(%s, %v): %w", name, size, err)
							}
						}
					}
					return nil
				})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

// An increase is what a tracker says of (from, to].
type increase struct {
	name     string
	from, to int64
	n        stats.Number
}

func (w *world) judgeIncrease(x increase, runs []stretch, last int64) error {
	name, from, to, n := x.name, x.from, x.to, x.n
	covered, events := 0.0, 0.0
	for _, r := range runs {
		if a, b := max(r.ticks.start, from), min(r.ticks.end, to); a < b {
			covered += float64(b - a)
		}
	}
	if known := covered >= 0.8*float64(to-from); w.lacking == 0 && w.slips == 0 && n.Known() != known {
		return fmt.Errorf("is %v, and %v s are observed", n, covered)
	}
	if !n.Known() {
		return nil
	}
	by := last
	if len(runs) > 1 && runs[len(runs)-1].ticks.start > from {
		by = from // a gap may hide that a call was taken back
	}
	most := w.truth(from-1, max(to, last), by)[name]
	for i, r := range runs { // an old answer tells of a time before its tick
		if r.ticks.end > from && i > 0 {
			most = max(most, w.truth(min(from-1, r.first), max(to, last), by)[name])
			break
		}
	}
	if n.Value > most+1e-6 {
		return fmt.Errorf("is %v, and %v happened", n, most)
	}
	if n.Quality == stats.Exact && w.lacking == 0 && !w.surprise && w.false_ == 0 && w.slips == 0 {
		for _, r := range runs {
			a, b := r.inside(from, to)
			if a < b {
				events += w.truth(a, b, math.MaxInt64)[name]
			}
		}
		if n.Value != events {
			return fmt.Errorf("is %v, and %v happened between the samples", n, events)
		}
	}
	return nil
}

// A stretch is a time without a gap of more than two polls.
type stretch struct {
	ticks session
	first int64   // what the first sample is about
	all   []int64 // ticks, and
	about []int64 //   what they are about
}

// inside returns what the first and the last sample in (from, to] are about.
func (r stretch) inside(from, to int64) (a, b int64) {
	for i, tick := range r.all {
		if tick > from && tick <= to {
			if a == 0 {
				a = r.about[i]
			}
			b = r.about[i]
		}
	}
	return a, b
}

// runs finds the stretches of a world's accepted samples with values.
func (w *world) runs(seen []stats.Sample) (runs []stretch, last int64) {
	var tick, date int64
	for _, s := range seen {
		t, d := s.Tick.Unix(), asOf(s)
		if t <= tick || d < date {
			continue
		}
		tick, date = t, d
		if s.Out {
			continue
		}
		if n := len(runs); n == 0 || t-runs[n-1].ticks.end > 2*w.every || d-last > 2*w.every {
			runs = append(runs, stretch{ticks: session{t, t}, first: d})
		}
		r := &runs[len(runs)-1]
		r.ticks.end, r.all, r.about = t, append(r.all, t), append(r.about, d)
		last = d
	}
	return runs, last
}

// names are what agents' rules read.
func names() []string {
	return []string{"offered", "missed", "avg_talk", "hold", "calls", "calls_by_type", "idle", "login_calls", "login_age", "answered",
		"miss_rate", "calls_per_hour", "minutes_since_call", "login_hours", "logged_in", "logged_in_before", "shift_minutes", "shift_left", "nonsense"}
}

// TestTrackerRestart: a tracker that is given the samples since the shift began,
// or since as long ago as a window, reads as one that never stopped.
func TestTrackerRestart(t *testing.T) {
	for name, h := range kinds() {
		if h.slips > 0 || h.surprise || h.lacking > 0 {
			continue // what is remembered of a slip may be from before the shift
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range seeds() / 8 {
				w := newWorld(seed, h)
				watch := w.series().Watch(windows())
				tracker := watch.Tracker()
				err := w.follow(tracker, w.ordered(), func(seen []stats.Sample, at time.Time) error {
					since := min(w.from-5*w.every, at.Unix()-3600-600)
					again := watch.Tracker()
					again.Begin(time.Unix(w.from, 0), time.Unix(w.to, 0))
					for _, s := range seen {
						if s.Tick.Unix() >= since {
							again.Observe(s, 0)
						}
					}
					for _, name := range names() {
						if a, b := tracker.Value(name, 0, at), again.Value(name, 0, at); a != b {
							return fmt.Errorf("%s is %v, and %v after a restart", name, a, b)
						}
					}
					for name := range windows() {
						for _, size := range []time.Duration{30 * time.Minute, time.Hour} {
							a, b := tracker.Value(name, size, at), again.Value(name, size, at)
							if a.Known() && b.Known() && a.Value != b.Value {
								return fmt.Errorf("increase(%s, %v) is %v, and %v after a restart", name, size, a, b)
							}
						}
					}
					return nil
				})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

// TestTrackerValues: every name, in a shift of three answers.
func TestTrackerValues(t *testing.T) {
	d := stats.Defaults()
	tracker := stats.Series{Dictionary: d}.Watch(nil).Tracker()
	for _, name := range names() {
		if n := tracker.Value(name, 0, at("09:00:00")); n.Known() {
			t.Errorf("before any sample, %s is %v", name, n)
		}
	}
	tracker.Begin(at("09:00:00"), at("18:00:00"))
	answer := func(clock string, fields map[string]string) {
		c := row(fields)
		c.At, c.Date = at(clock), at(clock)
		if !tracker.Observe(d.Sample(c, at(clock)), 0) {
			t.Fatalf("%s was dropped", clock)
		}
		tracker.Note(c)
	}
	answer("09:01:00", map[string]string{"TH": "10", "MH": "2", "ml": `"Yes"`, "l": `{"duration":["1","0","0"]}`})
	answer("09:02:00", map[string]string{"TH": "12", "MH": "3", "ml": `"Yes"`, "l": `{"duration":["1","1","0"]}`})
	answer("09:03:00", map[string]string{"TH": "12", "MH": "3", "I": `"7"`, "aTT": "180", "ml": `"Yes"`, "callType": `{"in":5,"out":7}`, "l": `{"duration":["1","2","0"]}`})
	for name, want := range map[string]float64{
		"offered": 12, "missed": 3, "answered": 9, "miss_rate": 0.25, "idle": 7, "avg_talk": 180, "calls_by_type": 12, "mobile_login": 1,
		"login_age": 3720, "login_hours": 3720.0 / 3600, "calls_per_hour": 30, "minutes_since_call": 1,
		"logged_in": 1, "logged_in_before": 1, "shift_minutes": 4, "shift_left": 536,
	} {
		if n := tracker.Value(name, 0, at("09:04:00")); n != (stats.Number{Value: want, Quality: stats.Exact}) {
			t.Errorf("%s is %v, want exactly %v", name, n, want)
		}
	}
	for _, name := range []string{"hold", "att_flag", "login_type", "nonsense", "agents"} {
		if n := tracker.Value(name, 0, at("09:04:00")); n.Known() {
			t.Errorf("%s is %v, want missing", name, n)
		}
	}

	tracker.Observe(stats.Sample{Tick: at("09:05:00"), Date: at("09:05:00"), Out: true}, 0)
	for _, name := range names() {
		want := slices.Contains([]string{"logged_in", "logged_in_before", "shift_minutes", "shift_left", "calls_per_hour"}, name)
		if n := tracker.Value(name, 0, at("09:05:00")); n.Known() != want {
			t.Errorf("logged out, %s is %v", name, n)
		}
	}
	if n := tracker.Value("logged_in", 0, at("09:05:00")); n.Value != 0 {
		t.Errorf("logged out, logged_in is %v", n)
	}
}

// TestTrackerShift: another shift starts from nothing, its end may move, and
// what comes after it does not count.
func TestTrackerShift(t *testing.T) {
	tracker := stats.Series{Dictionary: stats.Defaults()}.Watch(nil).Tracker()
	observe := func(clock string, offered, missed float64) {
		tracker.Observe(stats.Sample{Tick: at(clock), Values: []stats.Value{{Key: "MH", N: missed}, {Key: "TH", N: offered}}}, 0)
	}
	tracker.Begin(at("09:00:00"), at("09:10:00"))
	observe("09:01:00", 5, 1)
	observe("09:02:00", 7, 1)
	tracker.Begin(at("09:00:00"), at("09:03:00"))
	observe("09:03:00", 8, 1)
	observe("09:04:00", 9, 1)
	if s := tracker.Shift(at("09:05:00")); s.Totals["offered"].Value != 3 || !s.To.Equal(at("09:03:00")) || s.Coverage() != 1 {
		t.Errorf("the shift until its end: %+v", s)
	}
	tracker.Begin(at("09:05:00"), at("09:10:00"))
	if n := tracker.Value("calls_per_hour", 0, at("09:05:00")); n.Known() {
		t.Errorf("calls per hour of a new shift: %v", n)
	}
	if n := tracker.Value("logged_in_before", 0, at("09:05:00")); n.Value != 0 || !n.Known() {
		t.Errorf("logged in before in a new shift: %v", n)
	}
	observe("09:05:00", 10, 1)
	observe("09:06:00", 10, 1)
	if n := tracker.Value("minutes_since_call", 0, at("09:06:00")); n != (stats.Number{Value: 1, Quality: stats.Estimated}) {
		t.Errorf("minutes since a call, with none in the shift: %v", n)
	}
	if s := tracker.Shift(at("09:06:00")); s.Totals["offered"] != (stats.Number{Quality: stats.Exact}) || s.Lacks["offered"] != (stats.Lack{Count: 1}) {
		t.Errorf("the second shift: %+v", s)
	}
}

// TestRestarted: a tracker tells when a counter starts again, and only then.
func TestRestarted(t *testing.T) {
	tracker := stats.Series{Dictionary: stats.Defaults()}.Watch(nil).Tracker()
	day := time.Date(2026, 3, 2, 23, 58, 0, 0, time.UTC)
	var got []bool
	for i, offered := range []float64{30, 31, 0, 1, 1} {
		tracker.Observe(stats.Sample{Tick: day.Add(time.Duration(i) * time.Minute), Values: []stats.Value{{Key: "TH", N: offered}}}, 0)
		got = append(got, tracker.Restarted("offered"))
	}
	if want := []bool{false, false, true, false, false}; !reflect.DeepEqual(got, want) {
		t.Errorf("started again: %v, want %v", got, want)
	}
	if tracker.Restarted("missed") || tracker.Restarted("nonsense") {
		t.Error("a counter without values has not started again")
	}
}
