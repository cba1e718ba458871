package stats

import "math"

// A meter follows the counters of one agent from sample to sample: it is the
// difference rule that the package's documentation states. Times are Unix
// seconds.
type meter struct {
	plan   *plan
	layout *layout   // nil: samples are not compared with the one before, and gauges are wanted
	now    []float64 // the newest number of each metric of the dictionary, NaN for none
	tracks []track
	turns  [cycles]turn
	phase  phase
	moved  bool // the newest sample may have moved a track, and
	wait   bool //   the next one will
	told   bool // the newest sample tells which login it belongs to, if any counter asks

	prev     int64 // asOf of the newest sample with values, 0 for none
	login    int64 // when the newest login began, 0 if not known
	midnight int64 // the next one in the vendor's zone after prev
	from     int64 // the window's beginning
	away     int64 // time logged out, as two polls in a row saw, since the last values or from

	values []Value // of the newest sample, if there is a layout
}

// phase says what becomes of what a meter counts.
type phase uint8

const (
	outside phase = iota // nothing: the window has not begun
	inside               // it is in the totals
	after                // it bounds what happened after the last sample of the window
)

// A track follows one number.
type track struct {
	last  float64 // its newest value
	delta float64 // what the newest sample added
	held  float64 // its value before a far fall, and
	since float64 //   what was counted from then on; of use while the turn has a guard

	total float64 // counted in the window
	short float64 // so many more there were at most, beside
	blind int64   //   those of so many seconds,
	tail  int64   //   and of so many after the last sample of the window

	left int64  // when it was last seen, while it is gone
	turn uint32 // of its newest value
	flag trackFlag
}

type trackFlag uint16

const (
	known     trackFlag = 1 << iota // last is set
	gone                            // the newest sample lacks it
	open                            // it counts for the window
	waits                           // not yet, though it has had a value in it
	low                             // it began to do so under a guard
	estimated                       // total is not exact
	comesBack                       // it was gone when its cycle came back from a slip
	sure                            // the newest delta is exact
	restarted                       // it started again with the newest sample, or
	returned                        //   came back from a slip
)

func (f trackFlag) has(g trackFlag) bool { return f&g != 0 }

// present reports whether the newest sample has a value, and the window a total.
func (f trackFlag) present() bool { return f&(open|gone) == open }

func newMeter(p *plan, l *layout) meter {
	m := meter{plan: p, layout: l, now: make([]float64, len(p.Dictionary)), tracks: make([]track, len(p.tracks))}
	m.forget()
	return m
}

// forget makes all numbers of the newest sample unknown.
func (m *meter) forget() {
	m.values = nil
	for i := range m.now {
		m.now[i] = math.NaN()
	}
}

// seen returns what the newest value of a track in the window is about.
func (t *track) seen(newest int64) int64 {
	if t.flag&(open|gone) == open|gone {
		return t.left
	}
	return newest
}

// track returns a track, and an empty one for -1.
func (m *meter) track(i int) *track {
	if i < 0 {
		return new(track)
	}
	return &m.tracks[i]
}

// open begins a window: every track counts from its next value on.
func (m *meter) open(from int64) {
	m.phase, m.from, m.away = inside, from, 0
	m.values = nil // the next sample is looked at, even if nothing moved
	for i := range m.tracks {
		t := &m.tracks[i]
		t.total, t.short, t.blind, t.tail = 0, 0, 0, 0
		t.flag &^= open | waits | low | estimated
	}
}

// observe takes the next sample that has values.
func (m *meter) observe(s *Sample, asOf, every int64) {
	turned, still := m.turnOver(s, asOf), m.still(s.Values)
	if !still {
		m.plan.read(s, m.layout, m.now)
	}
	if m.values = nil; m.layout != nil && m.phase == inside {
		m.values = s.Values
	}
	told := m.told
	m.told = !s.Login.IsZero() || len(m.plan.witness[byLogin]) == 0
	if m.moved = turned || !still || m.wait || !m.told || !told || m.guarded(); m.moved {
		m.move(asOf, every)
	}
	m.prev = asOf
}

// still reports whether values say the same of all counters as those of the last
// sample. Unchanged samples of history share their values.
func (m *meter) still(values []Value) bool {
	if len(values) == 0 || len(values) != len(m.values) {
		return false
	}
	if &values[0] == &m.values[0] {
		return true
	}
	for i := range values {
		v, was := &values[i], &m.values[i]
		if v.Key != was.Key {
			return false
		}
		if v.N != was.N && m.layout.metrics[i] >= 0 && m.plan.Dictionary[m.layout.metrics[i]].Kind != Gauge {
			return false
		}
	}
	return true
}

func (m *meter) guarded() bool {
	return m.turns[byDay].guard|m.turns[byLogin].guard|m.turns[forever].guard != 0
}

// move moves all tracks by the newest numbers.
func (m *meter) move(asOf, every int64) {
	m.wait = false
	var verdicts [cycles]verdict
	for c := range cycles {
		if len(m.plan.witness[c]) > 0 {
			verdicts[c] = m.judge(c, asOf)
		}
	}
	for i := range m.tracks {
		p, t := &m.plan.tracks[i], &m.tracks[i]
		v := m.value(p)
		if v >= t.last && verdicts[p.cycle] == steady && m.plain(p.cycle, t) {
			t.delta = v - t.last
			t.total, t.last = t.total+t.delta, v
			continue
		}
		t.delta, t.flag = 0, t.flag&^(sure|restarted|returned)
		switch {
		case math.IsNaN(v):
			m.lose(t, verdicts[p.cycle])
		case !t.flag.has(known):
			t.flag |= known
			m.record(p, t, step{}, asOf)
			t.last, t.turn = v, m.turns[p.cycle].count
		default:
			at := moment{v, asOf, every, verdicts[p.cycle]}
			m.record(p, t, m.step(p, t, at), asOf)
			t.last, t.turn = v, m.turns[p.cycle].count
			t.flag &^= gone | comesBack
		}
	}
}

// value returns the newest number that a track follows, NaN if it is not known.
// Nothing is known of the counters of a login without the login.
func (m *meter) value(p *trackPlan) float64 {
	if p.cycle == byLogin && !m.told {
		return math.NaN()
	}
	return m.plan.value(p, m.now)
}

// plain reports whether a rise of a track is just that, as nearly always: it
// counts, and is sure, as the last one was.
func (m *meter) plain(c cycle, t *track) bool {
	turn := &m.turns[c]
	return m.phase == inside && t.flag&(known|gone|open|sure|restarted|returned) == known|open|sure && t.turn == turn.count && turn.guard == 0
}

// lose notes that the newest sample lacks a track, and what its cycle does.
func (m *meter) lose(t *track, v verdict) {
	if t.flag.has(known) && !t.flag.has(gone) {
		t.flag |= gone
		t.left = m.prev
	}
	switch v {
	case reset, restart:
		t.held = math.NaN()
	case slip:
		t.flag |= comesBack
	}
}
