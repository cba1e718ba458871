package chart

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"floorwalker/bot/chat"
)

// drawn returns the picture of a chart as a reader of the file gets it.
func drawn(t testing.TB, c chat.Chart) *image.Paletted {
	t.Helper()
	file, err := PNG(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := m.(*image.Paletted)
	if !ok || p.Bounds() != image.Rect(0, 0, 1600, 520) {
		t.Fatalf("a picture of %T %v, want a paletted one of 1600 × 520", m, m.Bounds())
	}
	return p
}

// laidOut returns where a chart's picture has its data.
func laidOut(t testing.TB, c chat.Chart) *picture {
	t.Helper()
	p, err := newPicture(tidy(c), 800, 260)
	if err != nil {
		t.Fatal(err)
	}
	p.draw()
	return p
}

// inkRows returns the first and the last row of pixels that have an ink at more
// than half strength in a column, -1 if none has.
func inkRows(m *image.Paletted, x int, k ink) (first, last int) {
	first, last = -1, -1
	for y := range m.Rect.Dy() {
		if i, level := split(m.ColorIndexAt(x, y)); i == k && 2*level > levels {
			if last = y; first < 0 {
				first = y
			}
		}
	}
	return first, last
}

// sketch returns a picture as letters: for each 10 × 20 pixels the ink that
// matters most.
func sketch(m *image.Paletted) string {
	var b strings.Builder
	for y := 0; y < m.Rect.Dy(); y += 20 {
		var row []byte
		for x := 0; x < m.Rect.Dx(); x += 10 {
			row = append(row, " -=tTABCDEF"[mainInk(m, x, y)])
		}
		b.WriteString(strings.TrimRight(string(row), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func mainInk(m *image.Paletted, x, y int) ink {
	var sum [inks]int
	for dy := range 20 {
		for _, place := range m.Pix[m.PixOffset(x, y+dy):][:10] {
			if place != 0 {
				k, level := split(place)
				sum[k] += level
			}
		}
	}
	best := cardInk
	for k := range inks {
		if sum[k] > 15*levels && (sum[k] >= sum[best] || best < textInk) {
			best = k
		}
	}
	return best
}

// TestBarsStandOnZero fails if the axis begins anywhere but at zero: twice the
// value must be twice the height, and all bars stand on one line.
func TestBarsStandOnZero(t *testing.T) {
	for _, values := range [][]float64{{10, 20, 40}, {1000, 1001, 1002}, {252, 241, 300}, {0.2, 0.21, 0.19}, {-5, 10, -20}} {
		c := one("a b c", chat.Bars, values...)
		m, p := drawn(t, c), laidOut(t, c)
		zero := pixel(p.y(0))
		unit := 0.0 // pixels per one, from the first bar
		for i, v := range values {
			first, last := inkRows(m, pixel(p.x(i)), firstInk)
			if v < 0 {
				first, last = last, first
			}
			if first < 0 || math.Abs(float64(last-zero)) > 2 {
				t.Errorf("%v: bar %d spans rows %d to %d; zero is at %d", values, i, first, last, zero)
			}
			height := math.Abs(float64(first - zero))
			if unit == 0 {
				unit = height / math.Abs(v)
			}
			if math.Abs(height-math.Abs(v)*unit) > 2+math.Abs(v/values[0]) {
				t.Errorf("%v: bar %d is %v pixels high, want about %v", values, i, height, math.Abs(v)*unit)
			}
		}
	}
}

// TestAxisIncludesZero looks for the zero line in the pixels of both kinds.
func TestAxisIncludesZero(t *testing.T) {
	for _, kind := range []chat.ChartKind{chat.Bars, chat.Curves} {
		c := one(hours, kind, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008)
		m, p := drawn(t, c), laidOut(t, c)
		first, last := inkRows(m, pixel(p.left)+2, zeroInk)
		if want := pixel(p.y(0)); first < want-2 || last > want+1 || math.Abs(p.y(0)-p.bottom) > 0.01 {
			t.Errorf("kind %v: zero line at rows %d to %d, want %d, the lowest", kind, first, last, want)
		}
	}
}

// TestGapIsBackground fails if a missing point is drawn as a zero, or joined by
// a line.
func TestGapIsBackground(t *testing.T) {
	for _, kind := range []chat.ChartKind{chat.Bars, chat.Curves} {
		for _, c := range []chat.Chart{
			one(hours, kind, 18, 31, 42, 38, na, 29, 35, 12, 8),
			two(hours, kind, []float64{18, 31, 42, 38, na, 29, 35, 12, 8}, []float64{1, 3, 6, 2, na, 0, 4, 0, 1}),
		} {
			m, p := drawn(t, c), laidOut(t, c)
			near := int(p.slot() * density * 0.4)
			for x := pixel(p.x(4)) - near; x < pixel(p.x(4))+near; x++ {
				for y := range m.Rect.Dy() {
					if k, _ := split(m.ColorIndexAt(x, y)); k >= firstInk {
						t.Fatalf("kind %v, %d series: ink %d at %d,%d in the gap", kind, len(c.Series), k, x, y)
					}
				}
			}
		}
	}
}

// TestZeroIsNoGap fails if a zero cannot be told from a missing point.
func TestZeroIsNoGap(t *testing.T) {
	for _, kind := range []chat.ChartKind{chat.Bars, chat.Curves} {
		c := one("09 10 11", kind, 5, 0, na)
		m, p := drawn(t, c), laidOut(t, c)
		first, last := inkRows(m, pixel(p.x(1)), firstInk)
		if zero := pixel(p.y(0)); first < zero-12 || last > zero+12 {
			t.Errorf("kind %v: zero drawn at rows %d to %d, want near %d", kind, first, last, zero)
		}
		if first, _ := inkRows(m, pixel(p.x(2)), firstInk); first >= 0 {
			t.Errorf("kind %v: the missing point is drawn", kind)
		}
	}
}

// TestSmallShows fails if a call in a busy week vanishes.
func TestSmallShows(t *testing.T) {
	c := one("a b", chat.Bars, 100_000, 1)
	m, p := drawn(t, c), laidOut(t, c)
	if first, last := inkRows(m, pixel(p.x(1)), firstInk); first < 0 || last-first < 2 {
		t.Errorf("one in 100,000 is drawn at rows %d to %d", first, last)
	}
}

// TestLabelsStayInside has labels that are wider than their places.
func TestLabelsStayInside(t *testing.T) {
	for _, label := range []string{"09:30–10:00 ", "WWWWWWWWWWWWWWWW "} {
		for n := 1; n <= maxLabels; n++ {
			file, err := PNG(one(strings.Repeat(label, n), chat.Bars, make([]float64, n)...), Options{Width: 480, Height: 200})
			if err != nil {
				t.Fatal(err)
			}
			checkPicture(t, file)
		}
	}
}

func TestRefused(t *testing.T) {
	many := func(n int) []string { return strings.Fields(strings.Repeat("x ", n)) }
	for want, c := range map[string]chat.Chart{
		"chart has 21 labels; at most 20 can be drawn":                     {Labels: many(21)},
		"chart has 7 series; at most 6 can be drawn":                       {Series: make([]chat.Series, 7)},
		"series 1 of the chart has 1 points for 2 labels":                  {Labels: many(2), Series: []chat.Series{{Points: points(1)}}},
		"point 1 of series 1 of the chart is NaN, which cannot be drawn":   {Labels: many(1), Series: []chat.Series{{Points: []chat.Point{{Value: math.NaN()}}}}},
		"point 1 of series 1 of the chart is -Inf, which cannot be drawn":  {Labels: many(1), Series: []chat.Series{{Points: points(math.Inf(-1))}}},
		"point 2 of series 1 of the chart is 2e+15, which cannot be drawn": {Labels: many(2), Series: []chat.Series{{Points: points(1, 2e15)}}},
		"chart is of the unknown kind 2":                                   {Kind: 2},
	} {
		if _, err := PNG(c, Options{}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for _, o := range []Options{{Width: 479}, {Width: 1201}, {Height: 199}, {Height: 601}, {Width: -1}} {
		if _, err := PNG(chat.Chart{}, o); err == nil {
			t.Errorf("%+v drew a picture", o)
		}
	}
}

// TestDrawable decides what becomes of text that the font cannot draw.
func TestDrawable(t *testing.T) {
	l, err := newLettering(labelSize)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Calls":         "Calls",
		"É–−·▲ Ωж 4:12": "É–−·▲ Ωж 4:12",
		"U\u0308ber":    "Über",
		"📊 Calls 👨‍👩‍👧": "Calls",
		"❤\ufe0f":       "!",
		"":              "!",
		"आशा":           "!",
		"आशा R.":        "!",
		"漢字":            "!",
		"q\u0301":       "!", // no such letter, and nothing places the mark
		"₹5":            "!",
	} {
		if got := l.or(text, "!"); got != want {
			t.Errorf("%+q is drawn as %+q, want %+q", text, got, want)
		}
	}
	if name, err := l.font.GlyphName(&l.buffer, l.glyph('0')); name != "zero.empty" {
		t.Errorf("0 is drawn by glyph %q (%v), want zero.empty", name, err)
	}
}

// TestSameBytes holds the promises of being a function and safe for concurrent
// use.
func TestSameBytes(t *testing.T) {
	all := samples()[:8]
	files := make([][]byte, 2*len(all))
	var wg sync.WaitGroup
	for i := range files {
		wg.Go(func() {
			file, err := PNG(all[i%len(all)].chart, Options{Width: 480, Height: 200})
			if err != nil {
				t.Error(err)
			}
			files[i] = file
		})
	}
	wg.Wait()
	for i, file := range files {
		if !bytes.Equal(file, files[i%len(all)]) {
			t.Errorf("%s has different bytes each time", all[i%len(all)].name)
		}
	}
}

// TestArguments fails if a form changes the chart it is given.
func TestArguments(t *testing.T) {
	c := chat.Chart{Title: " a ", Unit: "\x00", Labels: []string{"आ", "b\nb"}, Series: []chat.Series{{Name: "📞", Points: points(1, na)}}}
	labels, series := slices.Clone(c.Labels), slices.Clone(c.Series)
	drawn(t, c)
	Text(c, 40)
	Alt(c)
	if !slices.Equal(c.Labels, labels) || c.Series[0].Name != series[0].Name || c.Series[0].Points[0].Value != 1 {
		t.Errorf("the chart became %+v", c)
	}
}

func BenchmarkPNG(b *testing.B) {
	for _, s := range samples() {
		if s.name == "day" || s.name == "week" || s.name == "campaign curves" {
			b.Run(strings.ReplaceAll(s.name, " ", "-"), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := PNG(s.chart, Options{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
