package stats

import (
	"math"
	"time"

	"floorwalker/dashboard"
)

// Quality says how far a number can be trusted.
type Quality int

// The qualities. The zero Number is missing.
const (
	Missing   Quality = iota // not known; never shown as 0
	Estimated                // computed from averages, or across a gap; shown with ≈
	Exact
)

// A Number is a value with its quality.
type Number struct {
	Value   float64
	Quality Quality
}

// Known reports whether there is a value.
func (n Number) Known() bool { return n.Quality != Missing }

// exactly returns a number of quality Exact if ok, else a missing one.
func exactly(v float64, ok bool) Number {
	if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
		return Number{}
	}
	return Number{v, Exact}
}

// Read returns the metric or derived number with the name as one snapshot gives
// it, for the span that the snapshot itself covers. Counts that are negative
// are missing. The derived ones that need a history are missing too.
func (d Dictionary) Read(c dashboard.Counters, name string) Number {
	switch name {
	case "answered":
		offered, missed := d.Read(c, "offered"), d.Read(c, "missed")
		ok := offered.Known() && missed.Known() && missed.Value <= offered.Value
		return exactly(offered.Value-missed.Value, ok)
	case "miss_rate":
		offered, missed := d.Read(c, "offered"), d.Read(c, "missed")
		ok := offered.Known() && missed.Known() && missed.Value <= offered.Value && offered.Value > 0
		return exactly(missed.Value/offered.Value, ok)
	case "login_hours":
		age := d.Read(c, "login_age")
		return exactly(age.Value/3600, age.Known())
	}
	m, ok := d.ByName(name)
	if !ok {
		return Number{}
	}
	return m.Read(c)
}

// Read returns the metric's number in a snapshot: seconds for a duration, the
// sum of the counts for a map, 1 or 0 for a flag, nothing for a text.
func (m Metric) Read(c dashboard.Counters) Number {
	v := c.Value(m.Key)
	switch m.Kind {
	case Text:
		return Number{}
	case Flag:
		on, ok := v.Flag()
		if !on {
			return exactly(0, ok)
		}
		return exactly(1, ok)
	case Map:
		counts, ok := v.Counts()
		sum := 0.0
		for _, n := range counts {
			sum += n
		}
		return exactly(sum, ok && sum >= 0)
	}
	if age, ok := v.Duration(); ok {
		return exactly(age.Seconds(), true)
	}
	n, ok := v.Number()
	return exactly(n, ok && (m.Kind == Gauge || n >= 0))
}

// LoginStart returns when the agent logged in, by the vendor's own clock: the
// answer's Date less the age of the login. The answer's arrival stands in for a
// missing Date.
func (d Dictionary) LoginStart(c dashboard.Counters) (time.Time, bool) {
	m, ok := d.ByName("login_age")
	if !ok {
		return time.Time{}, false
	}
	age, ok := c.Value(m.Key).Duration()
	if !ok {
		return time.Time{}, false
	}
	asOf := c.Date
	if asOf.IsZero() {
		asOf = c.At
	}
	return asOf.Add(-age).Truncate(time.Second), true
}
