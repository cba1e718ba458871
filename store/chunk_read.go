package store

import (
	"iter"
	"math"
	"slices"
	"time"

	"floorwalker/bot/stats"
)

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
