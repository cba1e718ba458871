package chart

import (
	"image/color"
	"math"
	"testing"
)

// linear returns a colour's share of light in each channel.
func linear(c color.RGBA) [3]float64 {
	var v [3]float64
	for i, s := range []uint8{c.R, c.G, c.B} {
		if x := float64(s) / 255; x <= 0.04045 {
			v[i] = x / 12.92
		} else {
			v[i] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	return v
}

// luminance and contrast are WCAG 2's.
func luminance(c color.RGBA) float64 {
	v := linear(c)
	return 0.2126*v[0] + 0.7152*v[1] + 0.0722*v[2]
}

func contrast(a, b color.RGBA) float64 {
	high, low := max(luminance(a), luminance(b)), min(luminance(a), luminance(b))
	return (high + 0.05) / (low + 0.05)
}

// sight is what a kind of colour-blindness makes of light: Machado, Oliveira and
// Fernandes 2009, table 1, severity 1.
type sight [3][3]float64

var (
	full   = sight{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	deutan = sight{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}
	protan = sight{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}
	tritan = sight{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}
)

// lab returns a colour as it is seen, in CIE L*a*b*.
func (s sight) lab(c color.RGBA) [3]float64 {
	var v [3]float64
	for i, row := range s {
		for j, x := range linear(c) {
			v[i] += row[j] * x
		}
		v[i] = min(max(v[i], 0), 1)
	}
	f := func(t float64) float64 {
		if t > 0.008856 {
			return math.Cbrt(t)
		}
		return 7.787*t + 16.0/116
	}
	x := f((0.4124*v[0] + 0.3576*v[1] + 0.1805*v[2]) / 0.9505)
	y := f(0.2126*v[0] + 0.7152*v[1] + 0.0722*v[2])
	z := f((0.0193*v[0] + 0.1192*v[1] + 0.9505*v[2]) / 1.089)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// difference returns how far two colours are apart (CIE 1976); 2 is just seen.
func (s sight) difference(a, b color.RGBA) float64 {
	p, q := s.lab(a), s.lab(b)
	return math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2])
}

// TestColors measures what the theme promises.
func TestColors(t *testing.T) {
	c := colors()
	if got := contrast(c[textInk], c[cardInk]); got < 7 {
		t.Errorf("text has a contrast of %.1f to the card, want 7", got)
	}
	if got := contrast(c[quietInk], c[cardInk]); got < 4.5 {
		t.Errorf("quiet text has a contrast of %.1f to the card, want 4.5", got)
	}
	if got := contrast(c[firstInk], c[firstInk+1]); got < 1.5 {
		t.Errorf("the first two series have a contrast of %.2f, want 1.5", got)
	}
	for a := firstInk; a < inks; a++ {
		if got := contrast(c[a], c[cardInk]); got < 3 {
			t.Errorf("series %d has a contrast of %.1f to the card, want 3", a-firstInk+1, got)
		}
		for b := firstInk; b < a; b++ {
			for name, s := range map[string]struct {
				sight
				least float64
			}{"full": {full, 30}, "deuteranopia": {deutan, 30}, "protanopia": {protan, 30}, "tritanopia": {tritan, 7}} {
				if got := s.difference(c[a], c[b]); got < s.least {
					t.Errorf("series %d and %d differ by %.1f with %s sight, want %v", b-firstInk+1, a-firstInk+1, got, name, s.least)
				}
			}
		}
	}
}

// TestPalette fails if a picture would need more than a byte per pixel, or a
// level were not between the card and its ink.
func TestPalette(t *testing.T) {
	p, c := palette(), colors()
	if len(p) > 256 || len(p) != 1+levels*(int(inks)-1) {
		t.Fatalf("%d colours", len(p))
	}
	for place := range p {
		k, level := split(uint8(place))
		if join(k, level) != uint8(place) {
			t.Errorf("place %d is ink %d at level %d, which is place %d", place, k, level, join(k, level))
		}
		if level == levels && p[place] != color.Color(c[k]) {
			t.Errorf("ink %d is %v in the palette, want %v", k, p[place], c[k])
		}
	}
}
