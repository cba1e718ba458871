package store

import (
	"encoding/binary"
	"iter"
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
	changed []bool  // see changes
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
	scale := scaleOf(col)
	header := zigzag(int64(col.key-next))<<4 | uint64(scale)<<1
	c.ints = c.ints[:0]
	gaps := int64(1)
	for i, there := range col.there {
		if !bare(c.states[i]) {
			c.ints = append(c.ints, boolInt(there))
			gaps &= boolInt(there)
		}
	}
	if gaps == 0 {
		b = appendInts(binary.AppendUvarint(b, header|1), c.ints)
	} else {
		b = binary.AppendUvarint(b, header)
	}
	c.ints = c.ints[:0]
	for i, there := range col.there {
		if there {
			c.ints = append(c.ints, scaled(col.values[i], scale))
		}
	}
	return appendInts(b, c.ints)
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// scaleOf returns the smallest scale that keeps all values of a column.
func scaleOf(col *column) int {
	for scale := range rawScale {
		if keepsAll(col, scale) {
			return scale
		}
	}
	return rawScale
}

func keepsAll(col *column, scale int) bool {
	for i, there := range col.there {
		if there && !keeps(col.values[i], scale) {
			return false
		}
	}
	return true
}

// keeps reports whether a value comes back from its scaled form, bit by bit.
func keeps(v float64, scale int) bool {
	x := math.RoundToEven(v * power(scale))
	return math.Abs(x) <= 1<<53 && math.Float64bits(unscaled(int64(x), scale)) == math.Float64bits(v)
}

func scaled(v float64, scale int) int64 {
	if scale == rawScale {
		return int64(math.Float64bits(v))
	}
	return int64(math.RoundToEven(v * power(scale)))
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

// read reads what append wrote, or returns [ErrDamaged].
func (c *chunk) read(b []byte, keys *keyTable) error {
	c.reset()
	r := &reading{rest: b}
	n := r.uvarint()
	if n == 0 || n > chunkSeconds {
		r.fail("a wrong number of samples")
		return r.err
	}
	for _, column := range []*[]int64{&c.ticks, &c.dates, &c.logins, &c.states} {
		*column = r.ints(*column, int(n))
	}
	c.check(r)
	next := 0
	for range r.uvarint() {
		if r.err != nil {
			break
		}
		next = c.readColumn(r, next, keys) + 1
	}
	if len(r.rest) > 0 {
		r.fail("something after its end")
	}
	return r.err
}

// check looks at the ticks, which must ascend, and at the states, which say what
// samples have values.
func (c *chunk) check(r *reading) {
	c.full, c.fullN = c.full[:0], 0
	for i, tick := range c.ticks {
		if tick < 0 || tick >= chunkSeconds || i > 0 && tick <= c.ticks[i-1] {
			r.fail("ticks out of order")
		}
		s := c.states[i]
		if s&^(stateOut|stateOdd) != 0 {
			r.fail("an unknown state")
		}
		c.full = append(c.full, !bare(s))
		if !bare(s) {
			c.fullN++
		}
	}
}

// readColumn reads the next column and returns the number of its key.
func (c *chunk) readColumn(r *reading, next int, keys *keyTable) int {
	header := r.uvarint()
	key := int64(next) + unzigzag(header>>4)
	if key < 0 || key >= int64(len(keys.texts)) {
		r.fail("an unknown key")
		return 0
	}
	if n := len(c.columns); n > 0 && keys.texts[c.columns[n-1].key] >= keys.texts[key] {
		r.fail("keys out of order")
		return 0
	}
	col := c.grow(len(c.columns), int(key))
	col.there = append(col.there, c.full...)
	have := c.fullN
	if header&1 != 0 {
		have = c.readThere(r, col)
	}
	c.ints = r.ints(c.ints, have)
	scale := int(header >> 1 & 7)
	col.values = slices.Grow(col.values, len(c.ticks))[:len(c.ticks)]
	i := 0
	for k, there := range col.there {
		if col.values[k] = 0; there {
			col.values[k] = unscaled(c.ints[i], scale)
			i++
		}
	}
	return int(key)
}

// readThere reads which samples with values have this one, and returns how many.
func (c *chunk) readThere(r *reading, col *column) (have int) {
	c.ints = r.ints(c.ints, c.fullN)
	i := 0
	for k, full := range c.full {
		if full {
			col.there[k] = c.ints[i] == 1
			have += int(c.ints[i] & 1)
			i++
		}
	}
	return have
}

// leaveOut takes the columns of some keys out, keeping their memory.
func (c *chunk) leaveOut(without []string, keys *keyTable) {
	if len(without) == 0 {
		return
	}
	kept := 0
	for i := range c.columns {
		if !slices.Contains(without, keys.texts[c.columns[i].key]) {
			c.columns[kept], c.columns[i] = c.columns[i], c.columns[kept]
			kept++
		}
	}
	c.columns = c.columns[:kept]
}

// samples yields the chunk's samples. Those that follow each other with the same
// values share one slice of them, and so does the first with last, the values
// of the sample before.
func (c *chunk) samples(hour int64, keys *keyTable, last []stats.Value) iter.Seq[stats.Sample] {
	return func(yield func(stats.Sample) bool) {
		changed, fresh := c.changes()
		space := make([]stats.Value, 0, fresh*len(c.columns)) // for all of them
		for i, tick := range c.ticks {
			at := hour + tick
			s := stats.Sample{
				Tick: time.Unix(at, 0).UTC(), Date: timeAt(c.dates[i], at), Login: timeAt(c.logins[i], hour),
				Out: c.states[i]&stateOut != 0,
			}
			if changed[i] {
				from := len(space)
				space = c.values(space, i, keys)
				if next := space[from:len(space):len(space)]; from > 0 || !same(next, last) {
					last = next
				}
			}
			if !bare(c.states[i]) && len(last) > 0 {
				s.Values = last
			}
			if !yield(s) {
				return
			}
		}
	}
}

// changes reports for each sample whether it has values that differ from those
// of the sample with values before it, and how many do. The first one does.
func (c *chunk) changes() (changed []bool, n int) {
	c.changed = slices.Grow(c.changed[:0], len(c.ticks))[:len(c.ticks)]
	last := -1
	for i, state := range c.states {
		c.changed[i] = !bare(state) && (last < 0 || c.differ(i, last))
		if c.changed[i] {
			n++
		}
		if !bare(state) {
			last = i
		}
	}
	return c.changed, n
}

// differ reports whether two samples have different values.
func (c *chunk) differ(i, j int) bool {
	for k := range c.columns {
		col := &c.columns[k]
		if col.there[i] != col.there[j] || math.Float64bits(col.values[i]) != math.Float64bits(col.values[j]) {
			return true
		}
	}
	return false
}

// values appends the values of a sample.
func (c *chunk) values(to []stats.Value, i int, keys *keyTable) []stats.Value {
	for k := range c.columns {
		if col := &c.columns[k]; col.there[i] {
			to = append(to, stats.Value{Key: keys.texts[col.key], N: col.values[i]})
		}
	}
	return to
}

// same reports whether two samples have the same values, bit by bit.
func same(a, b []stats.Value) bool {
	return slices.EqualFunc(a, b, func(x, y stats.Value) bool {
		return x.Key == y.Key && math.Float64bits(x.N) == math.Float64bits(y.N)
	})
}
