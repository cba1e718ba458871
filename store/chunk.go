package store

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/stats"
)

// chunkSeconds is how much time a chunk spans: an hour.
const chunkSeconds = 3600

// A chunk holds the samples of one agent in one hour, by columns, in the order
// of the ticks. It is written as
//
//	uvarint    how many samples, at least one
//	integers   ticks, in seconds since the hour
//	integers   dates: the zigzag form of date − tick in seconds, + 1, or 0 for none
//	integers   logins: the zigzag form of login − hour in seconds, + 1, or 0 for none
//	integers   states, see stateOf
//	uvarint    how many keys
//	then for every key, in the order of their texts:
//	uvarint    its number's distance from the one after the last key's, in zigzag
//	           form, × 16, + scale × 2, + 1 if some samples that have values do
//	           not have this one
//	integers   1 and 0 for samples that have the value and that do not, if so
//	integers   the values, scaled
//
// Integers are written as appendInts does. A scale of 0 to 6 is the power of ten
// that makes all of the values whole; 7 says that they are the bits of floats.
// So every number comes back as it was, and whole ones are short.
//
// A chunk may be used again, which spares allocations: a round of polls reads
// and writes one for every agent.
type chunk struct {
	ticks, dates, logins, states []int64
	columns                      []column // by the texts of their keys

	ints    []int64 // for one column at a time
	full    []bool  // read: which samples have values
	fullN   int     // and how many
	changed []bool  // which have other values than the one with values before
}

// A column holds the values of one key.
type column struct {
	key    int       // its number
	values []float64 // one for every sample
	there  []bool    // whether the sample has it
}

// The bits of a sample's state.
const (
	stateOut = 0x01 // not logged in
	stateOdd = 0x02 // not logged in and with values, or logged in and without
)

// stateOf returns a sample's state: 0 for one with values, 1 for one of an agent
// who is not logged in.
func stateOf(s stats.Sample) (state int64) {
	if s.Out {
		state = stateOut
	}
	if s.Out == (len(s.Values) > 0) {
		state |= stateOdd
	}
	return state
}

// bare reports whether a sample of a state has no values.
func bare(state int64) bool { return state&stateOut != state&stateOdd>>1 }

const rawScale = 7

// reset makes an empty chunk, whose memory is used again.
func (c *chunk) reset() {
	c.ticks, c.dates, c.logins, c.states, c.columns = c.ticks[:0], c.dates[:0], c.logins[:0], c.states[:0], c.columns[:0]
}

// grow adds an empty column at a place among the others.
func (c *chunk) grow(at, key int) *column {
	n := len(c.columns)
	if n < cap(c.columns) {
		c.columns = c.columns[:n+1]
	} else {
		c.columns = append(c.columns, column{})
	}
	spare := c.columns[n] // with its memory
	copy(c.columns[at+1:], c.columns[at:n])
	spare.key, spare.values, spare.there = key, spare.values[:0], spare.there[:0]
	c.columns[at] = spare
	return &c.columns[at]
}

// add puts a sample of the chunk's hour into its place, and reports false if
// there is one of its tick. The sample's keys must be in the table.
func (c *chunk) add(s stats.Sample, hour int64, keys *keyTable) bool {
	tick := s.Tick.Unix() - hour
	at := len(c.ticks)
	if at > 0 && tick <= c.ticks[at-1] {
		i, found := slices.BinarySearch(c.ticks, tick)
		if found {
			return false
		}
		at = i
	}
	c.ticks = slices.Insert(c.ticks, at, tick)
	c.dates = slices.Insert(c.dates, at, distance(s.Date, s.Tick.Unix()))
	c.logins = slices.Insert(c.logins, at, distance(s.Login, hour))
	c.states = slices.Insert(c.states, at, stateOf(s))
	for i := range c.columns {
		c.columns[i].insert(at)
	}
	c.fill(at, s.Values, keys)
	return true
}

// insert makes room for a sample that does not have the value.
func (c *column) insert(at int) {
	if at == len(c.values) { // as a rule
		c.values, c.there = append(c.values, 0), append(c.there, false)
		return
	}
	c.values = slices.Insert(c.values, at, 0)
	c.there = slices.Insert(c.there, at, false)
}

// fill sets the values of a sample. They are sorted by key, as the columns are.
func (c *chunk) fill(at int, values []stats.Value, keys *keyTable) {
	i := 0
	for _, v := range values {
		order := 1
		for ; i < len(c.columns); i++ {
			if order = strings.Compare(keys.texts[c.columns[i].key], v.Key); order >= 0 {
				break
			}
		}
		if i == len(c.columns) || order > 0 {
			col := c.grow(i, keys.numbers[v.Key])
			for range c.ticks {
				col.insert(len(col.values))
			}
		}
		c.columns[i].values[at], c.columns[i].there[at] = v.N, true
	}
}

// distance is a time in seconds from another, in a form that is 0 for no time.
func distance(t time.Time, from int64) int64 {
	if t.IsZero() {
		return 0
	}
	return int64(zigzag(t.Unix()-from)) + 1
}

// timeAt is the inverse of distance.
func timeAt(d, from int64) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Unix(from+unzigzag(uint64(d-1)), 0).UTC()
}

// append writes the chunk.
func (c *chunk) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.ticks)))
	for _, column := range [][]int64{c.ticks, c.dates, c.logins, c.states} {
		b = appendInts(b, column)
	}
	b = binary.AppendUvarint(b, uint64(len(c.columns)))
	next := 0
	for i := range c.columns {
		b = c.appendColumn(b, &c.columns[i], next)
		next = c.columns[i].key + 1
	}
	return b
}

func (c *chunk) appendColumn(b []byte, col *column, next int) []byte {
	header := zigzag(int64(col.key-next)) << 4
	if c.gaps(col) {
		header |= 1
	}
	there := len(c.ints)
	scale := c.scale(col)
	b = binary.AppendUvarint(b, header|uint64(scale)<<1)
	return appendInts(appendInts(b, c.ints[:there]), c.ints[there:])
}

// gaps reports whether some samples that have values do not have a column's, and
// sets ints to which do if so, or else to nothing.
func (c *chunk) gaps(col *column) bool {
	c.ints = c.ints[:0]
	some := false
	for i, there := range col.there {
		some = some || there == bare(c.states[i])
	}
	if !some {
		return false
	}
	for i, there := range col.there {
		if !bare(c.states[i]) {
			c.ints = append(c.ints, boolInt(there))
		}
	}
	return true
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// scale adds a column's values to ints by the smallest scale that keeps them all,
// which the last one does, and returns it.
func (c *chunk) scale(col *column) (scale int) {
	before := len(c.ints)
	for !c.fits(col, scale) {
		c.ints = c.ints[:before]
		scale++
	}
	return scale
}

// fits adds values to ints up to the first that a scale does not keep, and reports
// whether there is none.
func (c *chunk) fits(col *column, scale int) bool {
	for i, there := range col.there {
		if !there {
			continue
		}
		x, ok := scaled(col.values[i], scale)
		if !ok {
			return false
		}
		c.ints = append(c.ints, x)
	}
	return true
}

// scaled returns the scaled form of a value, and whether the value comes back from
// it, bit by bit.
func scaled(v float64, scale int) (x int64, ok bool) {
	switch scale {
	case 0:
		x = int64(v)
	case rawScale:
		return int64(math.Float64bits(v)), true
	default:
		x = int64(math.RoundToEven(v * power(scale)))
	}
	return x, -1<<53 <= x && x <= 1<<53 && math.Float64bits(unscaled(x, scale)) == math.Float64bits(v)
}

func unscaled(x int64, scale int) float64 {
	switch scale {
	case 0:
		return float64(x)
	case rawScale:
		return math.Float64frombits(uint64(x))
	}
	return float64(x) / power(scale)
}

// power returns 10 to the scale, exactly.
func power(scale int) float64 { return [rawScale]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6}[scale] }
