package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/stats"
)

// The model: a simulated day of one agent whose true history is known, and a
// vendor that shows it through counters, badly. Times are Unix seconds.

// A call is one that the vendor counted. A false one was never there, and the
// vendor takes it back at some time.
type call struct {
	at     int64
	missed bool
	talk   float64
	hold   float64
	kind   int
	back   int64 // when it is taken back, 0 for a true call
}

// spacing is the least time between two calls.
const spacing = 15

// A restart is when the daily counters start again, and from when on they then
// count.
type restart struct{ at, base int64 }

type session struct{ start, end int64 }

// habits says what a world does wrong.
type habits struct {
	lost     float64 // share of polls that fail
	stale    float64 // share of answers that are older than one before
	lacking  float64 // share of answers that lack a key
	undated  float64 // share of answers without a Date and without the login's age
	false_   float64 // share of calls that are taken back later
	slips    int     // answers in which all counters are 0
	late     bool    // the day's counters start again up to nine minutes late
	surprise bool    // they start again when nobody expects it
	shuffled bool    // samples come twice, and out of order
	alone    bool    // there are no samples outside the window
	shared   bool    // unchanged samples share their values
}

type world struct {
	habits
	r        *rand.Rand
	vendor   *time.Location
	hours    *time.Location
	every    int64
	from, to int64
	calls    []call
	sessions []session
	restarts []restart
	midnight []int64
	slipped  map[int64]bool // ticks
	lacked   map[int64]bool // ticks
	samples  []stats.Sample
}

func zones() []string {
	return []string{"Asia/Kolkata", "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago"}
}

// newWorld makes up a day.
func newWorld(seed uint64, h habits) *world {
	w := &world{habits: h, r: rand.New(rand.NewPCG(seed, 7)), slipped: map[int64]bool{}, lacked: map[int64]bool{}}
	w.vendor, w.hours = w.zone(), w.zone()
	w.every = []int64{30, 60, 60, 120}[w.r.IntN(4)]
	day := time.Date(2026, time.Month(1+w.r.IntN(12)), 1+w.r.IntN(28), w.r.IntN(24), w.r.IntN(2)*30, 0, 0, w.vendor)
	if w.r.IntN(2) == 0 { // a night shift
		day = time.Date(day.Year(), day.Month(), day.Day(), 21, 30, 0, 0, w.vendor)
	}
	w.from = day.Unix()
	w.to = w.from + int64(2+w.r.IntN(6))*3600 + int64(w.r.IntN(3))*1700
	w.makeSessions()
	w.makeRestarts()
	w.makeCalls()
	w.makeSamples()
	return w
}

func (w *world) zone() *time.Location {
	zone, err := time.LoadLocation(zones()[w.r.IntN(len(zones()))])
	if err != nil {
		panic(err)
	}
	return zone
}

func (w *world) chance(p float64) bool { return w.r.Float64() < p }

// between returns a time in [a, b).
func (w *world) between(a, b int64) int64 { return a + w.r.Int64N(max(1, b-a)) }

func (w *world) makeSessions() {
	begin, end := w.from-5*3600, w.to+2*3600
	for at := begin; at < end; {
		s := session{at, w.between(at+1800, end+3600)}
		if w.r.IntN(3) == 0 {
			s.end = end
		}
		w.sessions = append(w.sessions, s)
		at = s.end + w.between(45, 2400)
	}
}

// session returns the session of a time.
func (w *world) session(at int64) (session, bool) {
	for _, s := range w.sessions {
		if s.start <= at && at < s.end {
			return s, true
		}
	}
	return session{}, false
}

func (w *world) makeRestarts() {
	first := time.Unix(w.from, 0).In(w.vendor)
	for d := -1; d < 3; d++ {
		midnight := time.Date(first.Year(), first.Month(), first.Day()+d, 0, 0, 0, 0, w.vendor)
		if midnight.Hour() > 12 { // the clocks skip it
			midnight = midnight.Add(time.Hour)
		}
		at := midnight.Unix()
		w.midnight = append(w.midnight, at)
		r := restart{at, at}
		if w.late && w.r.IntN(2) == 0 {
			r.at += w.between(1, 540)
			// Not counted anew, but set to zero. A slip just then would hide which.
			if w.r.IntN(2) == 0 || w.slips > 0 {
				r.base = r.at
			}
		}
		w.restarts = append(w.restarts, r)
	}
	if w.surprise {
		at := w.between(w.from, w.to)
		w.restarts = append(w.restarts, restart{at, at})
		slices.SortFunc(w.restarts, func(a, b restart) int { return int(a.at - b.at) })
	}
}

func (w *world) makeCalls() {
	gap := float64(60 + w.r.IntN(600))
	missing := w.r.Float64() * 0.4
	for at := w.from - 5*3600; at < w.to+2*3600; {
		at += spacing + int64(w.r.ExpFloat64()*gap)
		if _, in := w.session(at); !in {
			continue
		}
		c := call{at: at, missed: w.chance(missing), kind: w.r.IntN(3)}
		if !c.missed {
			c.talk, c.hold = float64(10+w.r.IntN(500)), float64(w.r.IntN(60))
		}
		if w.chance(w.false_) {
			c.back = at + 1 + int64(w.r.ExpFloat64()*2000)
		}
		w.calls = append(w.calls, c)
	}
}

// values returns what the vendor's counters show at a time.
func (w *world) values(at int64, zero bool) []stats.Value {
	base := w.from - 5*3600
	for _, r := range w.restarts {
		if r.at <= at {
			base = r.base
		}
	}
	s, _ := w.session(at)
	var offered, missed, hold, talk, login float64
	var kinds [3]float64
	for i := range w.calls {
		c := &w.calls[i]
		if c.at > at || zero {
			break
		}
		if c.back != 0 && c.back <= at {
			continue
		}
		if c.at >= s.start {
			login++
		}
		if c.at < base {
			continue
		}
		offered++
		hold += c.hold
		kinds[c.kind]++
		if c.missed {
			missed++
		} else {
			talk += c.talk
		}
	}
	average := 0.0
	if offered > missed {
		average = math.Round(100*talk/(offered-missed)) / 100
	}
	values := make([]stats.Value, 0, 11)
	values = append(values, stats.Value{Key: "C", N: offered - missed}, stats.Value{Key: "HT", N: hold},
		stats.Value{Key: "I", N: float64(w.r.IntN(9))}, stats.Value{Key: "LC", N: login}, stats.Value{Key: "MH", N: missed},
		stats.Value{Key: "TH", N: offered}, stats.Value{Key: "aTT", N: average})
	if kinds == [3]float64{} {
		values = append(values, stats.Value{Key: "callType."})
	}
	for i, n := range kinds {
		if n > 0 {
			values = append(values, stats.Value{Key: callTypes()[i], N: n})
		}
	}
	return values
}

func callTypes() [3]string { return [3]string{"callType.back", "callType.in", "callType.out"} }

// A poll is what will go wrong with one poll.
type poll struct {
	tick, date       int64 // date: of what the answer is about
	undated, lacking bool
	slip             bool
	shown            bool // it is accepted, and has all
}

// makeSamples polls the vendor.
func (w *world) makeSamples() {
	polls := w.makePolls()
	w.showTakeBacks(polls)
	for _, p := range polls {
		w.samples = append(w.samples, w.sample(p))
	}
	if w.shuffled {
		for range 20 {
			if i, j := w.r.IntN(len(w.samples)+1), w.r.IntN(len(w.samples)+1); i < j {
				w.samples = slices.Insert(w.samples, j, w.samples[i])
			}
		}
	}
}

func (w *world) makePolls() []poll {
	begin, end := w.from-4*w.every, w.to+4*w.every
	if w.alone {
		begin, end = w.from, w.to
	}
	outage := session{}
	if w.r.IntN(3) == 0 {
		outage.start = w.between(w.from, w.to)
		outage.end = w.between(outage.start, w.to)
	}
	var polls []poll
	newest := int64(0)
	for at := begin + w.r.Int64N(w.every); at <= end; at += w.every {
		if w.chance(w.lost) || at >= outage.start && at < outage.end {
			continue
		}
		p := poll{tick: at, date: at + w.r.Int64N(3), lacking: w.chance(w.lacking)}
		switch {
		case w.chance(w.stale):
			p.date = at - w.r.Int64N(40*60)
		case w.chance(w.undated):
			p.date, p.undated = at, true
		}
		_, in := w.session(p.date)
		p.shown = in && p.date >= newest && !p.lacking
		newest = max(newest, p.date)
		polls = append(polls, p)
	}
	first := slices.IndexFunc(polls, func(p poll) bool { return p.shown })
	for range w.slips { // a slip in the first answer could not be told from the truth
		if first >= 0 && len(polls) > first+1 {
			p := &polls[first+1+w.r.IntN(len(polls)-first-1)]
			p.slip, p.shown = true, false
			w.slipped[p.tick] = true
		}
	}
	return polls
}

// showTakeBacks makes a false call a true one, if no good answer lies between
// its being taken back and the next restart: nobody can know of it. In the
// minutes of a late restart a correction looks like the restart.
func (w *world) showTakeBacks(polls []poll) {
	for i := range w.calls {
		c := &w.calls[i]
		next := int64(math.MaxInt64)
		for _, r := range w.restarts {
			if r.at > c.at || r.base > c.at {
				next = min(next, r.at, r.base)
			}
		}
		for _, m := range w.midnight {
			if m > c.at {
				next = min(next, m)
			}
		}
		if s, ok := w.session(c.at); ok {
			next = min(next, s.end)
		}
		if !slices.ContainsFunc(polls, func(p poll) bool { return c.back <= p.date && p.date < next && p.shown }) {
			c.back = 0
		}
	}
}

// sample is what a poll brings.
func (w *world) sample(p poll) stats.Sample {
	s := stats.Sample{Tick: time.Unix(p.tick, 0).UTC(), Date: time.Unix(p.date, 0).UTC()}
	in, ok := w.session(p.date)
	if !ok {
		s.Out = true
		return s
	}
	s.Login = time.Unix(in.start+w.r.Int64N(3)-1, 0).UTC()
	if p.undated {
		s.Date, s.Login = time.Time{}, time.Time{}
	}
	s.Values = w.values(p.date, p.slip)
	if p.lacking {
		w.lacked[p.tick] = true
		key, _, _ := strings.Cut(s.Values[w.r.IntN(len(s.Values))].Key, ".")
		s.Values = slices.DeleteFunc(s.Values, func(v stats.Value) bool { return v.Key == key || strings.HasPrefix(v.Key, key+".") })
	}
	if n := len(w.samples); w.shared && n > 0 && slices.Equal(w.samples[n-1].Values, s.Values) {
		s.Values = w.samples[n-1].Values
	}
	return s
}

// accepted returns the samples of the window that are not dropped, by a second
// reading of the rule: ticks go up, and answers do not get older.
func (w *world) accepted() []stats.Sample {
	var out []stats.Sample
	var tick, date int64
	for _, s := range w.samples {
		t, d := s.Tick.Unix(), asOf(s)
		if t <= tick || d < date {
			continue
		}
		tick, date = t, d
		if t >= w.from && t <= w.to && d >= w.from {
			out = append(out, s)
		}
	}
	return out
}

func asOf(s stats.Sample) int64 {
	if s.Date.IsZero() {
		return s.Tick.Unix()
	}
	return s.Date.Unix()
}

// series is how the world's samples are read.
func (w *world) series() stats.Series {
	d, faults := stats.Defaults().Merge([]stats.Metric{
		{Key: "TH", Confirmed: true}, {Key: "MH", Confirmed: true},
		{Key: "LC", Name: "login_calls", Kind: stats.Counter, Unit: stats.Count, Reset: stats.AtLogin},
	})
	for _, err := range faults {
		if err != nil {
			panic(err)
		}
	}
	return stats.Series{Dictionary: d, Vendor: w.vendor, Hours: w.hours, Every: time.Duration(w.every) * time.Second}
}

// A truth counts calls of (a, b] by the name of a counter. Those taken back by
// then do not count.
func (w *world) truth(a, b, by int64) map[string]float64 {
	out := map[string]float64{"offered": 0, "missed": 0, "answered": 0, "calls": 0, "hold": 0, "calls_by_type": 0, "login_calls": 0}
	for _, c := range w.calls {
		if c.at <= a || c.at > b || c.back != 0 && c.back <= by {
			continue
		}
		out["offered"]++
		out["calls_by_type"]++
		out["login_calls"]++
		out["hold"] += c.hold
		if c.missed {
			out["missed"]++
		} else {
			out["answered"]++
			out["calls"]++
		}
	}
	return out
}
