package store

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot/stats"
)

// randomSeed returns a source of random numbers and logs how to get the same.
func randomSeed(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestInts(t *testing.T) {
	r := randomSeed(t)
	extremes := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 59, -1 << 59, 1<<58 - 1}
	for range 2000 {
		column := make([]int64, r.IntN(70))
		slope, x := int64(r.IntN(5)-2)*int64(r.IntN(40)), int64(r.Uint64()>>r.IntN(64))
		for i := range column {
			x += slope
			switch r.IntN(12) {
			case 0:
				x += int64(r.IntN(2000)) - 1000
			case 1:
				x = extremes[r.IntN(len(extremes))]
			}
			column[i] = x
		}
		b := appendInts([]byte("before"), column)
		in := &reading{rest: b[len("before"):]}
		got := in.ints(nil, len(column))
		if in.err != nil || len(in.rest) > 0 || !slices.Equal(got, column) {
			t.Fatalf("%v came back as %v, %v, with %d bytes left", column, got, in.err, len(in.rest))
		}
	}
}

func TestIntsAreShort(t *testing.T) {
	for name, test := range map[string]struct {
		at   func(i int) int64
		want int
	}{
		"standing still":        {func(i int) int64 { return 42 }, 2},
		"rising evenly":         {func(i int) int64 { return int64(60 * i) }, 4},
		"a call every ten":      {func(i int) int64 { return int64(i / 10) }, 2 + 5},
		"idle between calls":    {func(i int) int64 { return int64(i % 5) }, 3 + 22},
		"one gap":               {func(i int) int64 { return int64(60 * (i + i/40)) }, 4 + 3},
		"a step to and fro":     {func(i int) int64 { return int64(i / 30 % 2) }, 2 + 2},
		"a large step, in time": {func(i int) int64 { return int64(i/40) << 40 }, 2 + 8},
	} {
		column := make([]int64, 60)
		for i := range column {
			column[i] = test.at(i)
		}
		if b := appendInts(nil, column); len(b) > test.want {
			t.Errorf("%s: %d bytes, want at most %d: %x", name, len(b), test.want, b)
		}
	}
}

// keysOf returns a table with all the keys of samples, in any order.
func keysOf(r *rand.Rand, samples []stats.Sample) *keyTable {
	table := &keyTable{numbers: map[string]int{}}
	var all []string
	for _, s := range samples {
		for _, v := range s.Values {
			if !slices.Contains(all, v.Key) {
				all = append(all, v.Key)
			}
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, key := range all {
		table = table.with(key)
	}
	return table
}

// randomSamples makes up samples of an hour, in order: counters that stand still,
// rise and fall, keys that come and go, gaps, logins, and numbers of every sort.
func randomSamples(r *rand.Rand, hour time.Time) []stats.Sample {
	var all []stats.Sample
	login := hour.Add(-time.Duration(r.IntN(40000)) * time.Second)
	values := map[string]float64{}
	odd := []float64{math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), 1 << 53, 1<<53 + 2, 185.5, 0.1, 1e-9, math.Pi, math.MaxFloat64, -12.345678}
	for tick := r.IntN(60); tick < chunkSeconds; tick += []int{60, 60, 60, 1, 61, 600, 7}[r.IntN(7)] {
		s := stats.Sample{Tick: hour.Add(time.Duration(tick) * time.Second), Out: r.IntN(12) == 0}
		if r.IntN(20) > 0 {
			s.Date = s.Tick.Add(time.Duration(r.IntN(4)-1) * time.Second)
		}
		if r.IntN(20) > 0 {
			s.Login = login.Add(time.Duration(r.IntN(2)) * time.Second)
		}
		for range r.IntN(3) {
			key := "key." + string(rune('a'+r.IntN(10)))
			switch r.IntN(8) {
			case 0:
				delete(values, key)
			case 1:
				values[key] = odd[r.IntN(len(odd))]
			case 2:
				values[key] += 0.25
			default:
				values[key] += float64(r.IntN(3))
			}
		}
		if !s.Out || r.IntN(10) == 0 {
			for key, n := range values {
				s.Values = append(s.Values, stats.Value{Key: key, N: n})
			}
			slices.SortFunc(s.Values, func(a, b stats.Value) int { return strings.Compare(a.Key, b.Key) })
		}
		all = append(all, s)
	}
	return all
}

// differs returns how two lists of samples differ, "" if they are equal bit by
// bit.
func differs(got, want []stats.Sample) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d samples, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if g.Tick != w.Tick || g.Date != w.Date || g.Login != w.Login || g.Out != w.Out || !same(g.Values, w.Values) {
			return fmt.Sprintf("sample %d of %d:\n got %+v\nwant %+v", i, len(got), g, w)
		}
	}
	return ""
}

// TestChunk compares with a plain slice: samples are added in any order, some
// twice, and the chunk is written and read in between.
func TestChunk(t *testing.T) {
	r := randomSeed(t)
	hour := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var c chunk
	for range 400 {
		want := randomSamples(r, hour)
		keys := keysOf(r, want)
		order := r.Perm(len(want))
		if r.IntN(2) == 0 {
			slices.Sort(order)
		}
		added := map[int]bool{}
		c.reset()
		for _, i := range order {
			for range 1 + r.IntN(2) {
				if ok := c.add(want[i], hour.Unix(), keys); ok == added[i] {
					t.Fatalf("sample %d added: %v, and it was there: %v", i, ok, added[i])
				}
				added[i] = true
			}
			if r.IntN(4) == 0 {
				if err := c.read(c.append(nil), keys); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(want) == 0 {
			continue
		}
		var again chunk
		if err := again.read(c.append(nil), keys); err != nil {
			t.Fatal(err)
		}
		got := slices.Collect(again.samples(hour.Unix(), keys, nil))
		if d := differs(got, want); d != "" {
			t.Fatal(d)
		}
		checkShared(t, got)
	}
}

// checkShared fails the test unless samples share their values exactly where
// they have the same.
func checkShared(t *testing.T, samples []stats.Sample) {
	t.Helper()
	var last []stats.Value
	for i, s := range samples {
		if len(s.Values) == 0 {
			if s.Values != nil {
				t.Fatalf("sample %d has empty values", i)
			}
			continue
		}
		if shared := len(last) > 0 && &s.Values[0] == &last[0]; shared != same(s.Values, last) {
			t.Fatalf("sample %d shares its values: %v", i, shared)
		}
		if cap(s.Values) != len(s.Values) {
			t.Fatalf("appending to the values of sample %d changes others", i)
		}
		last = s.Values
	}
}

// FuzzChunk reads anything. What it accepts it must write again as it was, or
// shorter, and read as the same samples.
func FuzzChunk(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	hour := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	keys := &keyTable{numbers: map[string]int{}}
	for _, key := range []string{"key.b", "key.a", "key.c", "key.f", "key.e", "key.d", "key.j", "key.h", "key.i", "key.g"} {
		keys = keys.with(key)
	}
	for range 20 {
		var c chunk
		for _, s := range randomSamples(r, hour) {
			c.add(s, hour.Unix(), keys)
		}
		f.Add(c.append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var c, again chunk
		if err := c.read(b, keys); err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		all := slices.Collect(c.samples(hour.Unix(), keys, nil))
		if err := again.read(c.append(nil), keys); err != nil {
			t.Fatal(err)
		}
		if d := differs(slices.Collect(again.samples(hour.Unix(), keys, nil)), all); d != "" {
			t.Fatal(d)
		}
	})
}

func TestChunkRefuses(t *testing.T) {
	hour := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	keys := (&keyTable{numbers: map[string]int{}}).with("B").with("A").with("C")
	fresh := func() *chunk {
		c := &chunk{}
		for i := range 5 {
			c.add(stats.Sample{Tick: hour.Add(time.Duration(i) * time.Minute), Out: i == 2,
				Values: []stats.Value{{Key: "A", N: float64(i * i)}, {Key: "B", N: 1.5}}[:2*boolInt(i != 2)]}, hour.Unix(), keys)
		}
		return c
	}
	for name, spoil := range map[string]func(c *chunk){
		"no samples":         func(c *chunk) { c.reset() },
		"ticks out of order": func(c *chunk) { c.ticks[1], c.ticks[2] = c.ticks[2], c.ticks[1] },
		"a tick twice":       func(c *chunk) { c.ticks[2] = c.ticks[1] },
		"a tick too early":   func(c *chunk) { c.ticks[0] = -1 },
		"a tick too late":    func(c *chunk) { c.ticks[4] = chunkSeconds },
		"an unknown state":   func(c *chunk) { c.states[1] = 4 },
		"an unknown key":     func(c *chunk) { c.columns[1].key = 3 },
		"a key twice":        func(c *chunk) { c.columns[1].key = c.columns[0].key },
		"keys out of order":  func(c *chunk) { c.columns[0], c.columns[1] = c.columns[1], c.columns[0] },
	} {
		c := fresh()
		spoil(c)
		if err := (&chunk{}).read(c.append(nil), keys); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole := fresh().append(nil)
	if err := (&chunk{}).read(append(slices.Clone(whole), 0), keys); !errors.Is(err, ErrDamaged) {
		t.Errorf("with something after its end: %v", err)
	}
	for n := range whole {
		if err := (&chunk{}).read(whole[:n], keys); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes of %d: %v", n, len(whole), err)
		}
	}
}
