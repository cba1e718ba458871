package store

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A column of integers is written as its first number, a slope, and the steps
// that are not the slope. Counters stand still most of the time, ticks and idle
// minutes rise evenly: either takes two or three bytes an hour, and one or two
// for each exception.
//
//	first     varint
//	header    uvarint: exceptions × 2, + 1 if there is a slope
//	slope     varint, if there is one
//	exception uvarint: n × 16 + gap, where n is the zigzag form of the step less
//	          the slope, or 0 if that is too large, and the gap is how many
//	          steps before it were regular, or 15 for more
//	          uvarint: gap − 15, if the gap is 15
//	          uvarint: the zigzag form, if n is 0
//
// Differences wrap around, so that any two numbers have one.

// appendInts writes a column. The reader must know how many numbers it has.
func appendInts(b []byte, column []int64) []byte {
	if len(column) == 0 {
		return b
	}
	b = binary.AppendVarint(b, column[0])
	slope, exceptions := slopeOf(column)
	if slope == 0 {
		b = binary.AppendUvarint(b, uint64(exceptions)<<1)
	} else {
		b = binary.AppendUvarint(b, uint64(exceptions)<<1|1)
		b = binary.AppendVarint(b, slope)
	}
	gap := 0
	for i := 1; exceptions > 0; i++ {
		step := column[i] - column[i-1] - slope
		if step == 0 {
			gap++
			continue
		}
		b = appendException(b, zigzag(step), gap)
		exceptions--
		gap = 0
	}
	return b
}

func appendException(b []byte, step uint64, gap int) []byte {
	n := step
	if n >= 1<<60 {
		n = 0
	}
	b = binary.AppendUvarint(b, n<<4|uint64(min(gap, 15)))
	if gap >= 15 {
		b = binary.AppendUvarint(b, uint64(gap-15))
	}
	if n == 0 {
		b = binary.AppendUvarint(b, step)
	}
	return b
}

// slopeOf returns the commonest step if most steps are the same, else 0 or any
// other, whichever makes for fewer exceptions, and how many there are.
func slopeOf(column []int64) (slope int64, exceptions int) {
	votes, moves := 0, 0
	for i := 1; i < len(column); i++ {
		step := column[i] - column[i-1]
		if step != 0 {
			moves++
		}
		switch {
		case votes == 0:
			slope, votes = step, 1
		case step == slope:
			votes++
		default:
			votes--
		}
	}
	for i := 1; i < len(column); i++ {
		if column[i]-column[i-1] != slope {
			exceptions++
		}
	}
	if moves <= exceptions {
		return 0, moves
	}
	return slope, exceptions
}

func zigzag(x int64) uint64   { return uint64(x)<<1 ^ uint64(x>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// A reading is what is left to read of a record. Its first fault ends it: what
// is read then is zero, and no loop runs on it.
type reading struct {
	rest []byte
	err  error
}

func (r *reading) fail(what string) {
	if r.err == nil {
		r.err, r.rest = fmt.Errorf("%w: %s", ErrDamaged, what), nil
	}
}

func (r *reading) uvarint() uint64 {
	u, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail("cut short")
		return 0
	}
	r.rest = r.rest[n:]
	return u
}

func (r *reading) varint() int64 { return unzigzag(r.uvarint()) }

// ints reads a column of n numbers into the space of dst.
func (r *reading) ints(dst []int64, n int) []int64 {
	dst = slices.Grow(dst[:0], n)[:n]
	if n == 0 {
		return dst
	}
	x := r.varint()
	header := r.uvarint()
	var slope int64
	if header&1 != 0 {
		slope = r.varint()
	}
	dst[0] = x
	at := 1
	for range header >> 1 {
		step, gap := r.exception()
		if gap >= uint64(n-at) || r.err != nil {
			r.fail("too many steps")
			break
		}
		x = run(dst[at:at+int(gap)], x, slope) + slope + step
		at += int(gap) + 1
		dst[at-1] = x
	}
	run(dst[at:], x, slope)
	return dst
}

// run fills a stretch of a column that rises evenly from x, and returns its last
// number.
func run(dst []int64, x, slope int64) int64 {
	for i := range dst {
		x += slope
		dst[i] = x
	}
	return x
}

func (r *reading) exception() (step int64, gap uint64) {
	u := r.uvarint()
	gap = u & 15
	if gap == 15 {
		if gap += r.uvarint(); gap < 15 {
			r.fail("an endless gap")
		}
	}
	if u >>= 4; u == 0 {
		u = r.uvarint()
	}
	return unzigzag(u), gap
}
