package stats_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"floorwalker/bot/stats"
)

// seeds is how many worlds of each kind are tried.
func seeds() uint64 {
	if raceEnabled || testing.Short() {
		return 40
	}
	return 400
}

// kinds are the worlds. Each adds one thing that a vendor does, and the last ones
// do everything.
func kinds() map[string]habits {
	return map[string]habits{
		"honest":    {},
		"lost":      {lost: 0.4},
		"stale":     {stale: 0.2, lost: 0.1},
		"lacking":   {lacking: 0.2},
		"undated":   {undated: 0.3},
		"shuffled":  {shuffled: true, lost: 0.1},
		"alone":     {alone: true, lost: 0.2},
		"shared":    {shared: true, lost: 0.1},
		"late":      {late: true, lost: 0.1},
		"corrected": {false_: 0.1, lost: 0.1},
		"slips":     {slips: 3, lost: 0.1},
		"surprise":  {surprise: true, lost: 0.1},
		"bad":       {lost: 0.3, stale: 0.1, undated: 0.1, false_: 0.1, late: true, shuffled: true, alone: true},
		"worse":     {lost: 0.2, stale: 0.1, lacking: 0.05, false_: 0.05, late: true, surprise: true, shuffled: true, shared: true, slips: 1},
	}
}

// TestNeverOverstates: in no world does a total, an hour or a derived count show
// more than happened; what may be lacking is stated; exact is exact.
func TestNeverOverstates(t *testing.T) {
	for name, h := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range seeds() {
				w := newWorld(seed, h)
				s := w.series().Summarize(w.samples, time.Unix(w.from, 0), time.Unix(w.to, 0))
				if err := w.judge(s); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

// judge compares a summary with what happened.
func (w *world) judge(s stats.Summary) error {
	got := w.accepted()
	for _, check := range []func(stats.Summary, []stats.Sample) error{w.judgeTotals, w.judgeExact, w.judgeHours, w.judgeCoverage} {
		if err := check(s, got); err != nil {
			return err
		}
	}
	return nil
}

// ends returns what the first and the last values of the window are about.
func ends(got []stats.Sample) (first, last int64) {
	for _, s := range got {
		if s.Out {
			continue
		}
		if first == 0 {
			first = asOf(s)
		}
		last = asOf(s)
	}
	return first, last
}

// hidden is how many calls were taken back from a to b and had been counted by
// the first sample: a call of the same minute hides each.
func (w *world) hidden(first, a, b int64) (n float64) {
	for _, c := range w.calls {
		if c.back > a && c.back <= b && c.at <= first {
			n++
		}
	}
	return n
}

// judgeTotals: total ≤ truth ≤ total + what is lacking.
func (w *world) judgeTotals(s stats.Summary, got []stats.Sample) error {
	first, last := ends(got)
	whole := slices.DeleteFunc(slices.Clone(got), func(s stats.Sample) bool {
		return w.lacked[s.Tick.Unix()] || w.slipped[s.Tick.Unix()] || s.Login.IsZero()
	})
	_, shown := ends(whole) // what was taken back later, not every counter shows
	truth, certain := w.truth(w.from-1, max(w.to, last), shown), w.truth(w.from-1, w.to, math.MaxInt64)
	for name, true_ := range truth {
		n, known := s.Totals[name], s.Totals[name].Known()
		if !known {
			continue
		}
		if n.Value > true_+1e-6 {
			return fmt.Errorf("%s is %v, and %v happened", name, n.Value, true_)
		}
		lack, ok := s.Lacks[name]
		if !ok {
			return fmt.Errorf("%s states no bound", name)
		}
		if w.surprise || name == "hold" {
			continue
		}
		unseen := 0.0
		if lack.Time > 0 {
			unseen = lack.Time.Seconds()/spacing + float64(4+2*w.slips+len(w.sessions))
		}
		true_ = certain[name]
		if most := n.Value + lack.Count + unseen + w.hidden(first, w.from-9*w.every, w.to+9*w.every); true_ > most+1e-6 {
			return fmt.Errorf("%s is %v, %v happened, and %+v lacks", name, n.Value, true_, lack)
		}
	}
	return nil
}

// judgeExact: an exact total is what happened between its first and last sample.
func (w *world) judgeExact(s stats.Summary, got []stats.Sample) error {
	first, last := ends(got)
	truth := w.truth(first, last, last)
	for name, true_ := range truth {
		n := s.Totals[name]
		if n.Quality != stats.Exact || w.lacking > 0 || w.surprise || name == "hold" && w.false_ > 0 || name == "login_calls" && w.undated > 0 {
			continue
		}
		if math.Abs(n.Value-true_) > w.hidden(first, first, last)+1e-6 {
			return fmt.Errorf("%s is exactly %v, and %v happened", name, n.Value, true_)
		}
	}
	return nil
}

// judgeCoverage: observed is what lies within one poll of a sample.
func (w *world) judgeCoverage(s stats.Summary, got []stats.Sample) error {
	if s.Polled != len(got) {
		return fmt.Errorf("%d polls, and there were %d", s.Polled, len(got))
	}
	var observed, reach int64 = 0, w.from
	for _, x := range got {
		tick := x.Tick.Unix()
		a, b := max(reach, tick-w.every), min(w.to, tick+w.every)
		observed += max(0, b-a)
		reach = max(reach, b)
	}
	if s.Observed != time.Duration(observed)*time.Second {
		return fmt.Errorf("observed %v, and it was %v", s.Observed, time.Duration(observed)*time.Second)
	}
	var hours time.Duration
	for _, h := range s.Hours {
		hours += h.Observed
		if h.Observed > time.Hour {
			return fmt.Errorf("hour %v was observed for %v", h.Start, h.Observed)
		}
	}
	if hours != s.Observed {
		return fmt.Errorf("observed %v, and in the hours %v", s.Observed, hours)
	}
	return nil
}

// judgeHours: the hours add up to the total; an exact hour is what happened in
// it; any other shows at most what happened in the intervals that touch it.
func (w *world) judgeHours(s stats.Summary, got []stats.Sample) error {
	var offered, missed float64
	for i, h := range s.Hours {
		offered, missed = offered+h.Offered.Value, missed+h.Missed.Value
		if h.Offered.Value < 0 || h.Missed.Value < 0 || h.Missed.Value > h.Offered.Value+1e-6 && s.Totals["answered"].Known() {
			return fmt.Errorf("hour %v: %+v", h.Start, h)
		}
		end := w.to
		if i+1 < len(s.Hours) {
			end = s.Hours[i+1].Start.Unix()
		}
		if err := w.judgeHour(h, session{h.Start.Unix(), end}, got); err != nil {
			return err
		}
	}
	if n := s.Totals["offered"]; n.Known() && s.Totals["answered"].Known() && math.Abs(offered-n.Value) > 1e-6 {
		return fmt.Errorf("hours have %v offered, the total is %v", offered, n.Value)
	}
	if n := s.Totals["missed"]; n.Known() && missed > n.Value+1e-6 {
		return fmt.Errorf("hours have %v missed, the total is %v", missed, n.Value)
	}
	return nil
}

func (w *world) judgeHour(h stats.Hour, span session, got []stats.Sample) error {
	touched, last := span, int64(0)
	for _, s := range got {
		if s.Out || w.slipped[s.Tick.Unix()] {
			continue
		}
		if at := asOf(s); last != 0 && last < span.end && at > span.start {
			touched.start, touched.end = min(touched.start, last), max(touched.end, at)
		}
		last = asOf(s)
	}
	most := w.truth(touched.start, touched.end, math.MaxInt64)
	most["offered"] += float64(3 * w.slips) // a few calls look taken back, and then look like new ones
	most["missed"] += float64(3 * w.slips)
	for _, c := range w.calls {
		if c.back > 0 && c.at > touched.start && c.at <= touched.end {
			most["offered"]++
			if c.missed {
				most["missed"]++
			}
		}
	}
	if w.lacking == 0 && (h.Offered.Value > most["offered"]+1e-6 || h.Missed.Value > most["missed"]+1e-6) {
		return fmt.Errorf("hour %v shows %v, %v, and at most %v, %v happened around it", h.Start, h.Offered, h.Missed, most["offered"], most["missed"])
	}
	return nil
}
