package store

import (
	"iter"
	"math"
	"slices"
	"time"

	"floorwalker/bot/stats"
)

// read reads what append wrote, less the columns of some keys, or returns
// [ErrDamaged].
func (c *chunk) read(b []byte, keys *keyTable, without ...string) error {
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
	next, last := 0, -1
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		key := c.readColumn(r, next, keys, without)
		if last >= 0 && keys.texts[last] >= keys.texts[key] {
			r.fail("keys out of order")
		}
		next, last = key+1, key
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
	c.changed = slices.Grow(c.changed[:0], len(c.ticks))[:len(c.ticks)]
	clear(c.changed)
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
func (c *chunk) readColumn(r *reading, next int, keys *keyTable, without []string) int {
	header := r.uvarint()
	key := int64(next) + unzigzag(header>>4)
	if key < 0 || key >= int64(len(keys.texts)) {
		r.fail("an unknown key")
		return 0
	}
	n := len(c.columns)
	col := c.grow(n, int(key))
	have := c.fullN
	if header&1 != 0 {
		col.there = append(col.there, c.full...)
		have = c.readThere(r, col)
	}
	c.ints = r.ints(c.ints, have)
	switch scale := int(header >> 1 & 7); {
	case slices.Contains(without, keys.texts[key]):
		c.columns = c.columns[:n]
	case have == len(c.ticks) && header&1 == 0:
		c.fillWhole(col, scale)
	default:
		c.fillSome(col, scale)
	}
	return int(key)
}

// fillWhole sets the values of a column that every sample has, and marks the
// samples at which it changes.
func (c *chunk) fillWhole(col *column, scale int) {
	col.there = append(col.there[:0], c.full...)
	col.values = slices.Grow(col.values, len(c.ints))[:len(c.ints)]
	was := c.ints[0]
	v := unscaled(was, scale)
	for i, x := range c.ints {
		if x != was {
			was, v, c.changed[i] = x, unscaled(x, scale), true
		}
		col.values[i] = v
	}
}

// fillSome is fillWhole of a column that some samples do not have.
func (c *chunk) fillSome(col *column, scale int) {
	if len(col.there) == 0 {
		col.there = append(col.there, c.full...)
	}
	col.values = slices.Grow(col.values, len(c.ticks))[:len(c.ticks)]
	clear(col.values)
	i, last := 0, -1
	for k, there := range col.there {
		if there {
			col.values[k] = unscaled(c.ints[i], scale)
			i++
		}
		if !c.full[k] {
			continue
		}
		if last >= 0 && (there != col.there[last] || math.Float64bits(col.values[k]) != math.Float64bits(col.values[last])) {
			c.changed[k] = true
		}
		last = k
	}
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

// begin marks the first sample with values as changed, and counts those that are.
func (c *chunk) begin() (changed int) {
	if i := slices.Index(c.full, true); i >= 0 {
		c.changed[i] = true
	}
	for _, is := range c.changed {
		if is {
			changed++
		}
	}
	return changed
}

// samples yields the samples of a chunk that was read. Those that follow each other with the same
// values share one slice of them, and so does the first with last, the values
// of the sample before.
func (c *chunk) samples(hour int64, keys *keyTable, last []stats.Value) iter.Seq[stats.Sample] {
	return func(yield func(stats.Sample) bool) {
		fresh := c.begin()
		space := make([]stats.Value, 0, fresh*len(c.columns)) // for all of them
		for i, tick := range c.ticks {
			at := hour + tick
			s := stats.Sample{
				Tick: time.Unix(at, 0).UTC(), Date: timeAt(c.dates[i], at), Login: timeAt(c.logins[i], hour),
				Out: c.states[i]&stateOut != 0,
			}
			if c.changed[i] {
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
