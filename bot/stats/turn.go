package stats

import "time"

const (
	// newLogin is by how many seconds the computed beginning of a login moves
	// when it is another login, and not the rounding of its age.
	newLogin = 30

	// lateReset is how many seconds after its boundary a counter may still start
	// again.
	lateReset = 10 * 60
)

// A turn is where a cycle stands.
type turn struct {
	count uint32 // boundaries that were crossed
	start int64  // the last of them
	seen  bool   // the counters have started again since
	guard int64  // until when the values from before a far fall may come back, 0: they may not
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
	if t.Hour() > 12 { // the clocks skip midnight, and Date took the hour before
		_, early := t.Zone()
		_, late := t.Add(3 * time.Hour).Zone()
		t = t.Add(time.Duration(late-early) * time.Second)
	}
	return t.Unix()
}
