package stats

import "math"

const (
	// noise is the most by which the vendor corrects a count that then is half
	// of what it was, or less.
	noise = 3

	// longestSlip is after how many seconds low values are no slip any more.
	longestSlip = 24 * 3600
)

// verdict says what became of a cycle between two samples.
type verdict uint8

const (
	steady  verdict = iota // differences count; tracks that are behind start again, or do not yet
	reset                  // the same, and now it shows that those start again
	restart                // far fallen, not across a boundary
	slip                   // back to what it was before the far fall
)

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
	certain := asOf-turn.start > lateReset && (all.now < all.last || all.drop > noise)
	late := turn.count > 0 && !turn.seen && m.prev-turn.start <= lateReset
	switch {
	case turn.guard >= asOf && guarded.last <= held/2 && guarded.now-guarded.last > held/2 && guarded.now >= held*3/4:
		turn.guard = 0
		return slip
	case all.behind && (half || certain):
		turn.seen = true
		turn.protect(far, asOf+lateReset)
		return reset
	case all.behind:
	case late && (far || certain):
		turn.seen = true
		turn.protect(true, asOf+lateReset)
		return restart
	case far:
		turn.protect(true, asOf+longestSlip)
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
