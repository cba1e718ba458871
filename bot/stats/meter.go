package stats

import (
	"math"
	"time"
)

const (
	// newLogin is by how many seconds the computed beginning of a login moves
	// when it is another login, and not the rounding of its age.
	newLogin = 30

	// lateReset is how many seconds after its boundary a counter may still start
	// again.
	lateReset = 10 * 60

	// noise is the most by which the vendor corrects a count that then is half
	// of what it was, or less.
	noise = 3
)

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

// A turn is where a cycle stands.
type turn struct {
	count uint32 // boundaries that were crossed
	start int64  // the last of them
	seen  bool   // the counters have started again since
	guard int64  // until when the values from before a far fall may come back, 0: they may not
}

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

// turnOver notes the boundaries between the last sample and this one.
func (m *meter) turnOver(s *Sample, asOf int64) (turned bool) {
	switch {
	case m.midnight == 0:
		_, m.midnight = m.plan.day(asOf)
	case asOf >= m.midnight:
		var today int64
		today, m.midnight = m.plan.day(asOf)
		m.turns[byDay].next(today)
		turned = true
	}
	if s.Login.IsZero() {
		return turned
	}
	login := s.Login.Unix()
	if m.login != 0 && login-m.login > newLogin {
		m.turns[byLogin].next(login)
		turned = true
	}
	m.login = login
	return turned
}

func (t *turn) next(start int64) { t.count, t.start, t.seen = t.count+1, start, false }

// day returns when the vendor's day of a time began, and when the next begins.
func (p *plan) day(at int64) (today, tomorrow int64) {
	y, m, d := time.Unix(at, 0).In(p.Vendor).Date()
	return p.midnight(y, m, d), p.midnight(y, m, d+1)
}

// midnight returns the first instant of a date.
func (p *plan) midnight(y int, m time.Month, d int) int64 {
	t := time.Date(y, m, d, 0, 0, 0, 0, p.Vendor)
	if t.Hour() != 0 { // the clocks skip midnight, and Date took the hour before
		_, early := t.Zone()
		_, late := t.Add(3 * time.Hour).Zone()
		if t.Hour() > 12 {
			t = t.Add(time.Duration(late-early) * time.Second)
		}
	}
	return t.Unix()
}

// verdict says what became of a cycle between two samples.
type verdict uint8

const (
	steady  verdict = iota // differences count; tracks that are behind start again, or do not yet
	reset                  // the same, and now it shows that those start again
	restart                // far fallen, not across a boundary
	slip                   // back to what it was before the far fall
)

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

// A sum adds up the witnesses of a cycle that have a value in both samples.
type sum struct {
	last, now float64
	drop      float64 // the farthest fall of one of them
	behind    bool    // a boundary lies between the samples
}

func (s *sum) add(last, now float64) {
	s.last, s.now, s.drop = s.last+last, s.now+now, max(s.drop, last-now)
}

// judge decides what became of a cycle, by the sum of its witnesses.
func (m *meter) judge(c cycle, asOf int64) verdict {
	var all, guarded sum
	turn, held := &m.turns[c], 0.0
	for _, i := range m.plan.witness[c] {
		t, v := &m.tracks[i], m.value(&m.plan.tracks[i])
		if !t.flag.has(known) || math.IsNaN(v) {
			continue
		}
		all.add(t.last, v)
		all.behind = all.behind || t.turn != turn.count
		if !math.IsNaN(t.held) {
			guarded.add(t.last, v)
			held += t.held
		}
	}
	half := all.drop > 0 && all.now <= all.last/2
	far := half && all.drop > noise
	sure := asOf-turn.start > lateReset && (all.now < all.last || all.drop > noise)
	late := turn.count > 0 && !turn.seen && m.prev-turn.start <= lateReset
	switch {
	case turn.guard >= asOf && guarded.last <= held/2 && guarded.now-guarded.last > held/2:
		turn.guard = 0
		return slip
	case all.behind && (half || sure):
		turn.seen = true
		turn.protect(far, asOf+lateReset)
		return reset
	case all.behind:
	case late && (far || sure):
		turn.seen = true
		turn.protect(true, asOf+lateReset)
		return restart
	case far:
		turn.protect(true, math.MaxInt64)
		return restart
	case turn.guard < asOf || guarded.now > held/2:
		turn.guard = 0
	}
	return steady
}

// protect sets the guard against slips.
func (t *turn) protect(far bool, until int64) {
	t.guard = 0
	if far {
		t.guard = until
	}
}
