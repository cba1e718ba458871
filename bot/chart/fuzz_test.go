package chart

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"floorwalker/bot/chat"
)

// A deck deals a chart from bytes.
type deck struct{ rest []byte }

func (d *deck) byte() byte {
	if len(d.rest) == 0 {
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *deck) text() string {
	n := min(int(d.byte()), len(d.rest))
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}

func (d *deck) point() chat.Point {
	switch b := d.byte(); {
	case b < 40:
		return chat.Point{Missing: true, Value: math.NaN()}
	case b < 200:
		return chat.Point{Value: float64(b) - 60}
	case b < 220:
		return chat.Point{Value: math.Pow(10, float64(d.byte()%24)-6)}
	default:
		var bits [8]byte
		for i := range bits {
			bits[i] = d.byte()
		}
		return chat.Point{Value: math.Float64frombits(binary.LittleEndian.Uint64(bits[:]))}
	}
}

func (d *deck) chart() chat.Chart {
	c := chat.Chart{Title: d.text(), Kind: chat.ChartKind(d.byte() % 2), Unit: []string{"", "calls", seconds, d.text()}[d.byte()%4]}
	for range d.byte() % 22 {
		c.Labels = append(c.Labels, d.text())
	}
	for range d.byte() % 8 {
		s := chat.Series{Name: d.text()}
		for range len(c.Labels) - int(d.byte()/250) {
			s.Points = append(s.Points, d.point())
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// FuzzChart holds what every form promises of any chart.
func FuzzChart(f *testing.F) {
	f.Add([]byte("\x05Calls\x00\x01\x03\x0209\x0210\x0211\x02\x07Offered\x00dxx\x06Missed\x00=\x00="), 800, 260, 60)
	f.Add([]byte("\x03\xe0\xa4\x85\x01\x02\x13"+strings.Repeat("\x05label", 19)+"\x06"+strings.Repeat("\x01s\x00"+strings.Repeat("\xd0\x14<", 10), 6)), 480, 200, 20)
	f.Add([]byte("\x00\x01\x00\x02\x01a\x01b\x01\x01s\x00\xff\x01\x00\x00\x00\x00\x00\xf0\x7f\xff"), 1200, 600, 80)
	f.Add([]byte{}, 0, 0, 0)
	f.Fuzz(func(t *testing.T, data []byte, width, height, columns int) {
		c := (&deck{data}).chart()
		checkWords(t, Alt(c))
		checkText(t, Text(c, columns), min(max(columns, narrowest), broadest))
		file, err := PNG(c, Options{Width: width, Height: height})
		if err != nil {
			if check(c) == nil && (width == 0 || width >= 480 && width <= 1200) && (height == 0 || height >= 200 && height <= 600) {
				t.Errorf("refused: %v", err)
			}
			return
		}
		checkPicture(t, file)
	})
}

func checkWords(t *testing.T, s string) {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxAlt || s == "" || strings.ContainsFunc(s, unicode.IsControl) || strings.Contains(s, "Inf ") {
		t.Errorf("words: %q", s)
	}
}

func checkText(t *testing.T, s string, width int) {
	for line := range strings.SplitSeq(s, "\n") {
		if chat.Width(line) > width || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || strings.HasSuffix(line, " ") {
			t.Errorf("line of %d columns, at most %d are asked for: %q", chat.Width(line), width, line)
		}
	}
}

// checkPicture fails for a file that is no picture, or if anything is drawn so
// near the edge that it may be cut.
func checkPicture(t *testing.T, file []byte) {
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	const edge = 6 * density
	p, size := m.(*image.Paletted), m.Bounds().Size()
	for y := range size.Y {
		row := p.Pix[p.PixOffset(0, y):][:size.X]
		if y >= edge && y < size.Y-edge {
			row = slices.Concat(row[:edge], row[size.X-edge:])
		}
		if i := slices.IndexFunc(row, func(place uint8) bool { return place != 0 }); i >= 0 {
			t.Fatalf("something is drawn at the edge of row %d of %v", y, size)
		}
	}
}

// TestRandomCharts is a short walk through what the fuzzer tries, over charts
// that can be drawn.
func TestRandomCharts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	words := strings.Fields("09 10:30 Mon Calls Überland Customer-support आशा 12,345 W WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW")
	word := func() string { return words[r.IntN(len(words))] }
	for range 12 {
		c := chat.Chart{Title: word(), Kind: chat.ChartKind(r.IntN(2)), Unit: []string{"", "calls", seconds}[r.IntN(3)]}
		for range r.IntN(maxLabels + 1) {
			c.Labels = append(c.Labels, word())
		}
		scale, below := math.Pow(10, float64(r.IntN(18)-3)), float64(r.IntN(3)/2)
		for range r.IntN(maxSeries + 1) {
			s := chat.Series{Name: word()}
			for range c.Labels {
				s.Points = append(s.Points, chat.Point{Value: scale * (r.Float64() - below*0.5), Missing: r.IntN(5) == 0})
			}
			c.Series = append(c.Series, s)
		}
		file, err := PNG(c, Options{Width: 480 + r.IntN(721), Height: 200 + r.IntN(401)})
		if err != nil {
			t.Fatal(err)
		}
		checkPicture(t, file)
		checkWords(t, Alt(c))
		width := narrowest + r.IntN(broadest-narrowest)
		checkText(t, Text(c, width), width)
	}
}
