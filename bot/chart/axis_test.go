package chart

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// ticks returns an axis as its numbers are written.
func (a axis) ticks(unit string) string {
	var all []string
	for k := a.low; k <= a.high; k++ {
		all = append(all, number(k*a.step, unit))
	}
	return strings.Join(all, " ")
}

func TestAxis(t *testing.T) {
	tenth, fifth := 0.1, 0.2 // their sum is a little more than 0.3
	for _, c := range []struct {
		low, high float64
		unit      string
		want      string
	}{
		{0, 0, "", "0 1"},
		{0, 1, "", "0 1"},
		{0, 3.4, "", "0 1 2 3 4"},
		{0, 6, "", "0 2 4 6"},
		{0, 8, "", "0 2 4 6 8"},
		{0, 12, "", "0 5 10 15"},
		{0, 42, "", "0 10 20 30 40 50"},
		{0, 51, "", "0 20 40 60"},
		{0, 110, "", "0 25 50 75 100 125"},
		{0, 12345, "", "0 2,500 5,000 7,500 10,000 12,500"},
		{1000, 1008, "", "0 250 500 750 1,000 1,250"},
		{0, 0.3, "", "0 0.1 0.2 0.3"},
		{0, 0.031, "", "0 0.01 0.02 0.03 0.04"},
		{0, tenth + fifth, "", "0 0.1 0.2 0.3"},
		{-tenth - fifth, 0, "", "−0.3 −0.2 −0.1 0"},
		{0, 1e-9, "", "0 1"},
		{-12, 20, "", "−20 −10 0 10 20"},
		{-3, -1, "", "−3 −2 −1 0"},
		{0, 300, seconds, "0:00 1:00 2:00 3:00 4:00 5:00"},
		{0, 42, seconds, "0:00 0:10 0:20 0:30 0:40 0:50"},
		{0, 20000, seconds, "0:00 2:00:00 4:00:00 6:00:00"},
		{0, 1e15, "", "0 200T 400T 600T 800T 1000T"},
	} {
		if got := axisFor(c.low, c.high, c.unit, 5).ticks(c.unit); got != c.want {
			t.Errorf("%v to %v %s: %s, want %s", c.low, c.high, c.unit, got, c.want)
		}
	}
}

// TestAxisCovers tries values of every size: the axis has zero, reaches over the
// values with at most the intervals, and wastes no more than a step at an end.
func TestAxisCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		size := func() float64 { return math.Pow(10, 15*r.Float64()-2) * r.Float64() }
		low, high := 0.0, size()
		if r.IntN(4) == 0 {
			low = -size()
		}
		unit := []string{"", seconds}[r.IntN(2)]
		intervals := 2 + r.IntN(4)
		a := axisFor(low, high, unit, intervals)
		about := fmt.Sprintf("%v to %v %s in %d: %+v", low, high, unit, intervals, a)
		if a.low > 0 || a.high < 0 || a.low == a.high || a.high-a.low > float64(intervals) {
			t.Fatal(about)
		}
		if s := a.share(low); s < -1e-6 || s > 1 {
			t.Fatal(about, s)
		}
		if s := a.share(high); s < 0 || s > 1+1e-6 {
			t.Fatal(about, s)
		}
		if (a.high-1)*a.step > high+1e-6*a.step || (a.low+1)*a.step < low-1e-6*a.step {
			t.Fatal(about, "has an empty interval")
		}
		if unit == "" && high-low >= 1 && a.step != math.Trunc(a.step) {
			t.Fatal(about, "has fractions")
		}
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{0, "", "0"},
		{math.Copysign(0, -1), "", "0"},
		{42, "calls", "42"},
		{-3, "", "−3"},
		{1.5, "", "1.5"},
		{2.0 / 3, "", "0.67"},
		{0.004, "", "0.004"},
		{-0.0004, "", "−0.0004"},
		{12.34, "", "12.3"},
		{99.96, "", "100"},
		{999.6, "", "1000"},
		{1000, "", "1,000"},
		{12345, "", "12,345"},
		{12345.6, "", "12,346"},
		{999_999, "", "999,999"},
		{1_234_567, "", "1.23M"},
		{123_456_789, "", "123M"},
		{2.5e9, "", "2.5B"},
		{1e15, "", "1000T"},
		{0, seconds, "0:00"},
		{252.4, seconds, "4:12"},
		{-59.6, seconds, "−1:00"},
		{-0.2, seconds, "0:00"},
		{3852, seconds, "1:04:12"},
		{1e6, seconds, "1M"},
	} {
		if got := number(c.v, c.unit); got != c.want {
			t.Errorf("%v %s is %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}
