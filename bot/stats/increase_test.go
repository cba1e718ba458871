package stats

import (
	"testing"
	"time"
)

// TestRises: a day of rises keeps only what windows can reach, and says the same
// as one that keeps all.
func TestRises(t *testing.T) {
	const size, every = 1800, 60
	var kept, all rises
	for i := range uint32(1440) {
		next := rise{at: 1_000_000 + i*every, total: float64(i % 3), sure: true}
		kept.add(next, 2*every, size)
		all.add(next, 2*every, 1<<19)
		if i < 40 {
			continue
		}
		for _, w := range []uint32{600, 1200, size} {
			a, _ := kept.in(next.at-w, next.at)
			b, _ := all.in(next.at-w, next.at)
			if a != b || a == 0 {
				t.Fatalf("after %d samples, an increase in %d s of %v, and of %v when all is kept", i, w, a, b)
			}
		}
	}
	if n := len(kept.list); n > 2*(size+lateReset)/every || len(all.list) < 900 {
		t.Errorf("%d rises are kept of %d", n, len(all.list))
	}
}

// TestRuns: runs end with a gap, and old ones go.
func TestRuns(t *testing.T) {
	var r rises
	for i := range uint32(100) {
		r.add(rise{at: 1_000_000 + i*600, sure: true}, 120, 1800)
	}
	if len(r.runs) > 5 {
		t.Errorf("%d runs are kept", len(r.runs))
	}
	r = rises{runs: []run{{100, 200}, {300, 400}, {700, 900}}}
	for _, test := range []struct{ from, to, want uint32 }{{0, 1000, 400}, {150, 350, 100}, {200, 300, 0}, {750, 800, 50}} {
		if got := r.covered(test.from, test.to); got != test.want {
			t.Errorf("of (%d, %d], %d s are covered, want %d", test.from, test.to, got, test.want)
		}
	}
}

// TestIncreaseAcross: what lies across the beginning of a window is not in it.
func TestIncreaseAcross(t *testing.T) {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	tracker := Series{Dictionary: Defaults()}.Watch(map[string]time.Duration{"missed": 10 * time.Minute}).Tracker()
	for i, missed := range []float64{3, 3, 3, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5} {
		at := start.Add(time.Duration(i) * time.Minute)
		tracker.Observe(Sample{Tick: at, Values: []Value{{"MH", missed}}}, 0)
		switch n := tracker.Value("missed", 10*time.Minute, at); i {
		case 11: // from the sample with 3 on
			if n != (Number{1, Estimated}) {
				t.Errorf("a slip of a few in the window: %v", n)
			}
		case 12: // from the sample with 0 on
			if n != (Number{1, Estimated}) {
				t.Errorf("a slip of a few as the window begins: %v", n)
			}
		case 13: // from the first sample with 4 on
			if n != (Number{1, Exact}) {
				t.Errorf("a slip of a few before the window: %v", n)
			}
		}
	}
	if n := tracker.Value("missed", 20*time.Minute, start.Add(21*time.Minute)); n.Known() {
		t.Errorf("an increase in a longer window than is kept: %v", n)
	}
}
