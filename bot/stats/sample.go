package stats

import (
	"slices"
	"strings"
	"time"

	"floorwalker/dashboard"
)

// A Sample is what one poll of an agent brought, reduced to what history keeps.
// A poll that failed leaves no sample: a gap is never a zero.
type Sample struct {
	Tick   time.Time // when the poll was due, whole seconds, UTC: with the agent, the sample's identity
	Date   time.Time // the answer's own date, zero if it had none
	Login  time.Time // when the login began, zero if not known
	Out    bool      // a good answer that said "not logged in"; there are then no values
	Values []Value   // the numbers, sorted by key
}

// A Value is a number of a sample.
type Value struct {
	Key string // the payload's key; with a dot a member of an object, such as "callType.inbound"; "callType." with 0 for an empty one
	N   float64
}

// Sample returns what history keeps of an answer: every number of the row, and
// of the objects in it, whether the dictionary knows it or not. A map of counts
// that is empty leaves a zero of its own: it is no missing map.
func (d Dictionary) Sample(c dashboard.Counters, tick time.Time) Sample {
	s := Sample{Tick: tick.UTC().Truncate(time.Second), Date: c.Date}
	s.Login, _ = d.LoginStart(c)
	s.Values = make([]Value, 0, len(c.Row)+len(c.Row)/2)
	for key, v := range c.Row {
		if n, ok := v.Number(); ok {
			s.Values = append(s.Values, Value{key, n})
			continue
		}
		before := len(s.Values)
		ok := v.EachCount(func(name string, n float64) { s.Values = append(s.Values, Value{key + "." + name, n}) })
		if ok && len(s.Values) == before && d.isMap(key) {
			s.Values = append(s.Values, Value{Key: key + "."})
		}
	}
	slices.SortFunc(s.Values, func(a, b Value) int { return strings.Compare(a.Key, b.Key) })
	return s
}

func (d Dictionary) isMap(key string) bool {
	for i := range d {
		if d[i].Key == key && d[i].Kind == Map {
			return true
		}
	}
	return false
}

// Value returns the number under a key.
func (s Sample) Value(key string) (n float64, ok bool) {
	i, ok := slices.BinarySearchFunc(s.Values, key, func(v Value, key string) int { return strings.Compare(v.Key, key) })
	if !ok {
		return 0, false
	}
	return s.Values[i].N, true
}
