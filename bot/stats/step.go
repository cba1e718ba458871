package stats

import "math"

// A moment is a new value of a track.
type moment struct {
	value       float64
	asOf, every int64
	verdict     verdict
}

// A step is what happened to a track between two samples. The zero step is that
// of the first value there is.
type step struct {
	delta float64 // what it counts
	short float64 // so many more there were at most, beside
	blind int64   //   those of so many seconds
	sure  bool    // delta is exact
	again bool    // it started again
	low   bool    // it fell, and the next value may be what it was before
}

// step decides what a new value of a track tells.
func (m *meter) step(p *trackPlan, t *track, at moment) step {
	turn, prev := &m.turns[p.cycle], m.prev
	if t.flag.has(gone) {
		prev = t.left
	}
	gap := at.asOf - prev
	behind := t.turn != turn.count
	unclear := true // whether a sum started again: then it tells nothing of an average
	var s step
	switch {
	case at.verdict == slip || t.flag.has(comesBack):
		s = t.comeBack(at.value)
	case behind && turn.seen:
		s, unclear = step{delta: at.value, blind: clip(turn.start-prev, gap), again: true}, false
	case behind:
		s = step{delta: at.value - t.last, short: t.last, blind: clip(turn.start-prev, gap)}
	case at.verdict == restart:
		s = step{delta: max(0, at.value-t.last), short: min(at.value, t.last), blind: gap, again: true, low: true}
	default:
		s, unclear = within(t.last, at.value, gap, at.every), false
	}
	if unclear && p.part.ofAverage() {
		s.delta = 0
	}
	if turn.guard != 0 {
		t.remember(s)
	}
	return s
}

// within is the step between two values of one turn, up or down.
func within(last, value float64, gap, every int64) step {
	switch delta := value - last; {
	case delta >= 0:
		return step{delta: delta, sure: true}
	case gap <= 2*every && value > last/2:
		return step{delta: delta, short: -delta, low: true}
	default: // perhaps it started again, and nobody saw
		return step{delta: delta, short: last, blind: gap, low: true}
	}
}

// comeBack is the step back to what was before a far fall, or beyond it.
func (t *track) comeBack(value float64) step {
	s := step{delta: value - t.held - t.since, short: t.held + t.since}
	switch {
	case math.IsNaN(t.held):
		s = step{delta: min(0, value-t.last), short: value}
	case t.flag.has(low): // the far fall came before the window: so may what exceeds the old value
		s = step{delta: min(0, s.delta), short: s.short + max(0, s.delta)}
	}
	t.flag = t.flag&^low | returned
	return s
}

// remember keeps, under a guard, what a slip would have to restore.
func (t *track) remember(s step) {
	if s.again {
		t.held, t.since = t.last, s.delta
	} else {
		t.since += s.delta
	}
}

// record adds a step to the window. With a value that has just fallen, a track
// does not begin to count: were that a slip, its end would look like a rise.
func (m *meter) record(p *trackPlan, t *track, s step, asOf int64) {
	t.delta = s.delta
	if s.again {
		t.flag |= restarted
	}
	if s.sure {
		t.flag |= sure
	}
	switch {
	case m.phase == outside:
	case m.phase == after:
		if t.flag.has(open) && s.sure {
			t.short, t.tail = t.short+s.delta, 0
		}
	case !t.flag.has(open) && s.low:
		t.flag |= waits
		m.wait = true
	case !t.flag.has(open):
		m.enter(t, s, asOf)
		if m.turns[p.cycle].guard != 0 {
			t.flag |= low
		}
	default:
		t.add(s)
	}
}

// enter begins to count a track from a value of the window on. What came before,
// since the window began, is lacking; a difference to a sample before the window
// bounds it.
func (m *meter) enter(t *track, s step, asOf int64) {
	switch {
	case t.flag.has(waits):
		t.flag = t.flag&^waits | estimated
		fallthrough
	case !s.sure:
		t.blind = max(0, asOf-m.from-m.away)
	default:
		t.short = s.delta
	}
	t.flag |= open
}

// add counts a step. A sum may be below 0 for a time: what a slip takes away, it
// brings back.
func (t *track) add(s step) {
	t.total += s.delta
	t.short += s.short
	t.blind += s.blind
	if !s.sure {
		t.flag |= estimated
	}
}

// clip returns d, at least 0 and at most limit.
func clip(d, limit int64) int64 { return max(0, min(d, limit)) }
