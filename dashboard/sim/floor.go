package sim

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// A floor knows what every agent does at any time. It is a pure function of the
// seed, the agent and the time; sessions are only kept so as not to draw them
// again for every request.
type floor struct {
	seed  uint64
	start time.Time // of the first shift; zero: round the clock, always
	shift time.Duration
	zone  *time.Location

	mu       sync.Mutex // guards sessions
	sessions map[shiftOf]session
}

// shiftOf is a key: one agent's shift of one day.
type shiftOf struct {
	agent int
	day   int // days since 1970 in the floor's zone
}

const maxSessions = 50_000 // kept at a time; a few kilobytes each

// dayOf returns the number of t's day.
func (f *floor) dayOf(t time.Time) int {
	y, m, d := t.In(f.zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// midnight returns the beginning of a day in the floor's zone, which is when
// the counters start again.
func (f *floor) midnight(day int) time.Time {
	return time.Date(1970, 1, 1+day, 0, 0, 0, 0, f.zone)
}

// session returns an agent's work of the shift that begins on a day.
func (f *floor) session(agent, day int) session {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := shiftOf{agent, day}
	s, ok := f.sessions[key]
	if !ok {
		if len(f.sessions) >= maxSessions {
			clear(f.sessions)
		}
		s = f.draw(agent, day)
		f.sessions[key] = s
	}
	return s
}

// draw makes up a session.
func (f *floor) draw(agent, day int) session {
	own := rand.New(rand.NewPCG(f.seed, uint64(agent)+2)) // the same every day
	h := habitsOf(own)
	morning := time.Duration(5*3600+own.IntN(8*3600)) * time.Second
	r := rand.New(rand.NewPCG(f.seed^uint64(agent+1)<<32, uint64(day)))
	s := session{web: r.IntN(5) > 0}
	if f.start.IsZero() {
		// Everybody is always logged in, and logs in anew once a day.
		start := f.midnight(day).Add(morning)
		whole := span{start, start.AddDate(0, 0, 1)}
		s.logins = []span{whole}
		s.calls = draw(r, h, whole, func(t time.Time) float64 {
			return roundTheClock().at(t.Sub(f.midnight(f.dayOf(t))).Hours() / 24)
		})
		return s
	}
	if day < f.dayOf(f.start) {
		return session{}
	}
	s.logins = f.logins(r, day)
	whole := span{s.logins[0].start, s.logins[len(s.logins)-1].end}
	for _, c := range draw(r, h, whole, func(t time.Time) float64 {
		return oneShift().at(float64(t.Sub(whole.start)) / float64(f.shift))
	}) {
		if s.loggedIn(c.end) {
			s.calls = append(s.calls, c)
		}
	}
	return s
}

// logins makes up when an agent is logged in during a shift: from a few minutes
// around its start to a few minutes after its end, in one shift of three with a
// short break of the login in the middle.
func (f *floor) logins(r *rand.Rand, day int) []span {
	y, m, d := f.midnight(day).Date()
	hour, minute, second := f.start.In(f.zone).Clock()
	start := time.Date(y, m, d, hour, minute, second, 0, f.zone)
	whole := span{
		start.Add(time.Duration(r.IntN(300)-120) * time.Second),
		start.Add(f.shift + time.Duration(180+r.IntN(420))*time.Second),
	}
	out := whole.start.Add(time.Duration((0.4 + 0.2*r.Float64()) * float64(f.shift))).Truncate(time.Second)
	back := out.Add(time.Duration(40+r.IntN(80)) * time.Second)
	if r.IntN(3) > 0 || !back.Before(whole.end) {
		return []span{whole}
	}
	return []span{{whole.start, out}, {back, whole.end}}
}

// loggedIn reports whether the agent is logged in at t.
func (s session) loggedIn(t time.Time) bool {
	_, ok := s.login(t)
	return ok
}

// login returns when the login of t began.
func (s session) login(t time.Time) (time.Time, bool) {
	for _, l := range s.logins {
		if l.holds(t) {
			return l.start, true
		}
	}
	return time.Time{}, false
}

// tally is what the counters have counted since midnight.
type tally struct {
	offered, missed int
	talk, hold      time.Duration
	kinds           map[string]int
	campaigns       map[string]int
	last            time.Time // end of the last call, or the login
}

// add counts the calls of a session that ended in the span.
func (n *tally) add(s session, today span) {
	for _, c := range s.calls {
		if c.end.After(today.end) {
			return
		}
		n.last = c.end
		if c.end.Before(today.start) {
			continue
		}
		n.offered++
		if c.missed {
			n.missed++
		}
		n.talk += c.talk
		n.hold += c.hold
		n.kinds[c.kind]++
		n.campaigns[c.campaign]++
	}
}

// row returns an agent's row at a time, in the order of the vendor's sample, and
// false when they are not logged in. A shift that began yesterday may still run
// today; its calls count from midnight on.
func (f *floor) row(agent int, at time.Time) (row, bool) {
	day := f.dayOf(at)
	n := tally{kinds: map[string]int{}, campaigns: map[string]int{}}
	var login time.Time
	var current session
	in := false
	for _, d := range []int{day - 1, day} {
		s := f.session(agent, d)
		n.add(s, span{f.midnight(day), at})
		if start, ok := s.login(at); ok {
			login, current, in = start, s, true
		}
	}
	if !in {
		return nil, false
	}
	if n.last.Before(login) {
		n.last = login
	}
	return n.row(login, at, current.web), true
}

// row lays the tally out as the API does.
func (n tally) row(login, at time.Time, web bool) row {
	answered := n.offered - n.missed
	average := 0
	if answered > 0 {
		average = int((n.talk / time.Duration(answered)).Round(time.Second).Seconds())
	}
	kind, mobile := "Web", "No"
	if !web {
		kind, mobile = "Mobile", "Yes"
	}
	return row{
		{"TH", n.offered},
		{"MH", n.missed},
		{"aTT", average},
		{"C", answered},
		{"tC", n.offered},
		{"HT", int(n.hold.Seconds())},
		{"callType", n.kinds},
		{"cmpId", n.campaigns},
		{"I", strconv.Itoa(int(at.Sub(n.last).Minutes()))},
		{"l", row{{"type", kind}, {"duration", clock(at.Sub(login))}}},
		{"ml", mobile},
		{"ATT", true},
	}
}

// clock returns hours, minutes and seconds as the API does: three strings.
func clock(d time.Duration) []string {
	s := int(d.Seconds())
	return []string{strconv.Itoa(s / 3600), strconv.Itoa(s / 60 % 60), strconv.Itoa(s % 60)}
}
