package stats

import (
	"math"
	"slices"
	"strings"
	"time"
)

// A cycle is a set of counters that start again together: those with the same
// [Reset].
type cycle int

const (
	byDay cycle = iota
	byLogin
	forever
	cycles
)

// cycleOf returns the cycle of a reset.
func cycleOf(r Reset) cycle {
	switch r {
	case Daily:
		return byDay
	case AtLogin:
		return byLogin
	}
	return forever
}

// A plan is a Series made ready for counting. It is immutable.
type plan struct {
	Series
	tracks  []trackPlan
	witness [cycles][]int // the tracks whose sum shows that a cycle started again

	offered, missed, answered int // their tracks, -1 for none
	offeredKey, missedKey     int // their places in the dictionary, -1 for none
}

// A trackPlan says what a track follows.
type trackPlan struct {
	name   string
	metric int // its place in the dictionary
	part   part
	cycle  cycle

	over    int  // averages: the place of the weight, -1 for answered
	trusted bool // averages: the weight is confirmed
}

// part says which number of its metric a track follows. An average cannot be
// subtracted, but its weight and its product with the weight can.
type part uint8

const (
	whole      part = iota
	difference      // what was offered less what was missed; its metric is offered
	product
	weight
)

func (p part) ofAverage() bool { return p == product || p == weight }

// newPlan compiles a series and fills what was left out of it.
func newPlan(s Series) *plan {
	p := &plan{Series: s, offered: -1, missed: -1, answered: -1, offeredKey: -1, missedKey: -1}
	if p.Vendor == nil {
		p.Vendor = time.UTC
	}
	if p.Hours == nil {
		p.Hours = time.UTC
	}
	if p.Every <= 0 {
		p.Every = time.Minute
	}
	for i, m := range s.Dictionary {
		switch m.Kind {
		case Counter, Map:
			p.addCounter(i, m)
		case Average:
			t := trackPlan{name: m.Name, metric: i, cycle: cycleOf(m.Reset), trusted: s.Dictionary.Confirmed(m.Weight)}
			t.over = slices.IndexFunc(s.Dictionary, func(w Metric) bool { return w.Name == m.Weight })
			for _, t.part = range []part{product, weight} {
				p.tracks = append(p.tracks, t)
			}
		}
	}
	p.chooseWitnesses()
	p.addAnswered()
	return p
}

func (p *plan) addCounter(i int, m Metric) {
	switch m.Name {
	case "offered":
		p.offered, p.offeredKey = len(p.tracks), i
	case "missed":
		p.missed, p.missedKey = len(p.tracks), i
	}
	p.tracks = append(p.tracks, trackPlan{name: m.Name, metric: i, part: whole, cycle: cycleOf(m.Reset)})
}

// addAnswered follows what was answered by itself: the difference of two totals
// is not it when one of the two was missing in some sample.
func (p *plan) addAnswered() {
	if p.offered < 0 || p.missed < 0 || p.tracks[p.offered].cycle != p.tracks[p.missed].cycle {
		return
	}
	p.answered = len(p.tracks)
	p.tracks = append(p.tracks, trackPlan{name: "answered", metric: p.offeredKey, part: difference, cycle: p.tracks[p.offered].cycle, over: -1})
}

// chooseWitnesses takes the counts of each cycle, because seconds would drown
// them in a sum, and whatever there is in a cycle without counts.
func (p *plan) chooseWitnesses() {
	for _, counts := range []bool{true, false} {
		for c := range cycles {
			if len(p.witness[c]) > 0 {
				continue
			}
			for i, t := range p.tracks {
				if t.part == whole && t.cycle == c && (p.Dictionary[t.metric].Unit == Count) == counts {
					p.witness[c] = append(p.witness[c], i)
				}
			}
		}
	}
}

// A layout remembers which metric each of a sample's values belongs to. Keys
// rarely change from one sample to the next.
type layout struct {
	keys    []string
	metrics []int // places in the dictionary, -1 for none
}

// fit makes the layout one of the values.
func (l *layout) fit(d Dictionary, values []Value) {
	l.keys, l.metrics = l.keys[:0], l.metrics[:0]
	for _, v := range values {
		l.keys = append(l.keys, v.Key)
		l.metrics = append(l.metrics, d.owner(v.Key))
	}
}

// fits reports whether the layout is one of the values.
func (l *layout) fits(values []Value) bool {
	if len(values) != len(l.keys) {
		return false
	}
	for i := range values {
		if values[i].Key != l.keys[i] {
			return false
		}
	}
	return true
}

// owner returns the place of the metric that a sample's value belongs to, -1 if
// none wants it. To a map belong all values below its key.
func (d Dictionary) owner(key string) int {
	for i := range d {
		m := &d[i]
		if key == m.Key || m.Kind == Map && len(key) > len(m.Key) && key[len(m.Key)] == '.' && strings.HasPrefix(key, m.Key) {
			return i
		}
	}
	return -1
}

// read writes a sample's numbers to now, by place in the dictionary: NaN for
// what it lacks, and for a count that is negative. The layout may be nil.
func (p *plan) read(s *Sample, l *layout, now []float64) {
	if l != nil && !l.fits(s.Values) {
		l.fit(p.Dictionary, s.Values)
	}
	for i := range now {
		now[i] = math.NaN()
	}
	for j, v := range s.Values {
		i := 0
		if l != nil {
			i = l.metrics[j]
		} else {
			i = p.Dictionary.owner(v.Key)
		}
		if i < 0 {
			continue
		}
		if p.Dictionary[i].Kind == Map && !math.IsNaN(now[i]) {
			now[i] += v.N
		} else {
			now[i] = v.N
		}
	}
	for i, v := range now {
		if v < 0 && p.Dictionary[i].Kind != Gauge {
			now[i] = math.NaN()
		}
	}
}

// value returns the number that a track follows, NaN if it is not known.
func (p *plan) value(t *trackPlan, now []float64) float64 {
	v := now[t.metric]
	if t.part == whole || math.IsNaN(v) {
		return v
	}
	n := p.difference(now)
	if t.over >= 0 {
		n = now[t.over]
	}
	if t.part == product {
		return v * n
	}
	return n
}

// difference returns offered less missed, NaN if that is not known or cannot be.
func (p *plan) difference(now []float64) float64 {
	if p.offeredKey < 0 || p.missedKey < 0 {
		return math.NaN()
	}
	n := now[p.offeredKey] - now[p.missedKey]
	if n < 0 {
		return math.NaN()
	}
	return n
}
