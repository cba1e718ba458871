package chart

import (
	"image/color"
	"math"
)

// An ink is one of the colours a picture is drawn in.
type ink uint8

// The inks. The series' colours follow the last.
const (
	cardInk  ink = iota // the background
	gridInk             // lines at the axis's steps
	zeroInk             // the line at zero
	quietInk            // text of the axes, marks for gaps
	textInk             // title, legend, values
	firstInk            // of the first series
	inks     = firstInk + maxSeries
)

// levels is how many strengths an ink has on the card, for smooth edges. All
// inks at all levels and the card itself make a palette of at most 256 colours,
// and a picture of one byte per pixel, which is encoded four times as quickly.
const levels = 255 / (int(inks) - 1)

// colors returns the colour of every ink. Text stands out from the card by a
// contrast of more than 7:1, every series by more than 3:1. Any two series
// differ clearly, for people without red or green receptors too, and the first
// two differ in lightness as well.
func colors() [inks]color.RGBA {
	return [inks]color.RGBA{
		cardInk:      {0x22, 0x25, 0x2b, 0xff},
		gridInk:      {0x37, 0x3c, 0x46, 0xff},
		zeroInk:      {0x6c, 0x75, 0x85, 0xff},
		quietInk:     {0xa8, 0xb0, 0xbd, 0xff},
		textInk:      {0xee, 0xf1, 0xf5, 0xff},
		firstInk:     {0x4e, 0x9a, 0xf1, 0xff}, // blue
		firstInk + 1: {0xff, 0xb0, 0x3a, 0xff}, // orange
		firstInk + 2: {0xe4, 0xe8, 0xee, 0xff}, // white
		firstInk + 3: {0xd1, 0x47, 0x8c, 0xff}, // magenta
		firstInk + 4: {0xa1, 0x7c, 0x45, 0xff}, // brown
		firstInk + 5: {0xd6, 0xe6, 0x99, 0xff}, // lime
	}
}

// palette returns the card and then each ink at its levels, faintest first.
func palette() color.Palette {
	inks := colors()
	all := color.Palette{inks[cardInk]}
	for _, c := range inks[gridInk:] {
		for level := 1; level <= levels; level++ {
			all = append(all, blend(inks[cardInk], c, float64(level)/float64(levels)))
		}
	}
	return all
}

// blend returns the colour that lies the share of the way from a to b.
func blend(a, b color.RGBA, share float64) color.RGBA {
	mix := func(a, b uint8) uint8 {
		return uint8(math.Round(float64(a) + share*(float64(b)-float64(a))))
	}
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// marker returns the shape that marks the points of a series' curve, around a
// point of the given size: corners to the circle they stand on.
func marker(series int, at spot, size float64) []spot {
	switch series % maxSeries {
	case 1:
		return regular(at, size*1.15, 4, math.Pi/4) // a square
	case 2:
		return regular(at, size*1.3, 3, -math.Pi/2) // a triangle
	case 3:
		return regular(at, size*1.25, 4, 0) // a diamond
	case 4:
		return regular(at, size*1.3, 3, math.Pi/2) // a triangle on its tip
	case 5:
		return regular(at, size*1.15, 5, -math.Pi/2) // a pentagon
	default:
		return regular(at, size, 32, 0) // a circle
	}
}
