package chart

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// density is how many pixels a point has, each way.
const density = 2

// A canvas is a picture in the making. Lengths are in points, y grows downwards.
//
// A pixel is an ink at a level. Shapes of one ink that overlap join. A shape of
// another ink covers what is below it with a hard edge, so a shape that crosses
// others is first cut free, which is smooth.
type canvas struct {
	image *image.Paletted
	pen   vector.Rasterizer
}

// A spot is a place on a canvas.
type spot struct{ x, y float64 }

// newCanvas returns an empty card.
func newCanvas(width, height int) *canvas {
	return &canvas{image: image.NewPaletted(image.Rect(0, 0, width*density, height*density), palette())}
}

// encode returns the picture as a PNG file.
func (c *canvas) encode() ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, c.image)
	return b.Bytes(), err
}

// pixel returns the edge between pixels that is nearest to a length in points,
// snap the same in points.
func pixel(v float64) int    { return int(math.Round(v * density)) }
func snap(v float64) float64 { return math.Round(v*density) / density }

// rectangle fills the area between two corners, its edges on whole pixels.
func (c *canvas) rectangle(k ink, from, to spot) {
	r := image.Rect(pixel(from.x), pixel(from.y), pixel(to.x), pixel(to.y)).Intersect(c.image.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.image.Pix[c.image.PixOffset(r.Min.X, y):][:r.Dx()]
		for i := range row {
			row[i] = put(row[i], k, levels)
		}
	}
}

// clear takes the lines of the grid out of the area between two corners.
func (c *canvas) clear(from, to spot) {
	r := image.Rect(pixel(from.x), pixel(from.y), pixel(to.x), pixel(to.y)).Intersect(c.image.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.image.Pix[c.image.PixOffset(r.Min.X, y):][:r.Dx()]
		for i := range row {
			if k, _ := split(row[i]); k == gridInk {
				row[i] = 0
			}
		}
	}
}

// fill fills the shape with the corners. A strength below 1 tints.
func (c *canvas) fill(k ink, strength float64, corners []spot) {
	low, high := corners[0], corners[0]
	for _, p := range corners {
		low, high = spot{min(low.x, p.x), min(low.y, p.y)}, spot{max(high.x, p.x), max(high.y, p.y)}
	}
	box := c.start(low.x*density, low.y*density, high.x*density, high.y*density)
	for i, p := range corners {
		x, y := float32(p.x*density-float64(box.Min.X)), float32(p.y*density-float64(box.Min.Y))
		if i == 0 {
			c.pen.MoveTo(x, y)
		} else {
			c.pen.LineTo(x, y)
		}
	}
	c.pen.ClosePath()
	c.finish(k, strength, box)
}

// outline fills a glyph of the font whose origin is at a place in pixels.
func (c *canvas) outline(k ink, at spot, glyph sfnt.Segments) {
	b := glyph.Bounds()
	box := c.start(at.x+float64(b.Min.X)/64, at.y+float64(b.Min.Y)/64, at.x+float64(b.Max.X)/64, at.y+float64(b.Max.Y)/64)
	on := func(p fixed.Point26_6) (x, y float32) {
		return float32(at.x + float64(p.X)/64 - float64(box.Min.X)), float32(at.y + float64(p.Y)/64 - float64(box.Min.Y))
	}
	for _, s := range glyph {
		x, y := on(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			c.pen.ClosePath()
			c.pen.MoveTo(x, y)
		case sfnt.SegmentOpLineTo:
			c.pen.LineTo(x, y)
		case sfnt.SegmentOpQuadTo:
			endX, endY := on(s.Args[1])
			c.pen.QuadTo(x, y, endX, endY)
		}
	}
	c.pen.ClosePath()
	c.finish(k, 1, box)
}

// start prepares the pen for a shape between two corners, in pixels, and returns
// the pixels it may touch.
func (c *canvas) start(left, top, right, bottom float64) image.Rectangle {
	box := image.Rect(int(math.Floor(left)), int(math.Floor(top)), int(math.Ceil(right)), int(math.Ceil(bottom)))
	c.pen.Reset(box.Dx(), box.Dy())
	c.pen.DrawOp = draw.Src
	return box
}

// finish puts ink where the shape that was given to the pen covers the canvas.
func (c *canvas) finish(k ink, strength float64, box image.Rectangle) {
	if box.Empty() {
		return
	}
	mask := image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
	c.pen.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	seen := box.Intersect(c.image.Rect)
	for y := seen.Min.Y; y < seen.Max.Y; y++ {
		row := c.image.Pix[c.image.PixOffset(seen.Min.X, y):]
		cover := mask.Pix[mask.PixOffset(seen.Min.X-box.Min.X, y-box.Min.Y):]
		for i := range seen.Dx() {
			if cover[i] > 0 {
				level := float64(cover[i]) / 255 * strength * float64(levels)
				row[i] = put(row[i], k, int(math.Round(level)))
			}
		}
	}
}

// put returns what a pixel becomes when ink comes onto it. The ink of the card
// takes away what was drawn of series, but no lines of the grid.
func put(old uint8, k ink, level int) uint8 {
	below, had := split(old)
	switch {
	case level == 0:
		return old
	case k == cardInk && below < firstInk:
		return old
	case k == cardInk:
		return join(below, min(had, levels-level))
	case below == k:
		return join(k, max(had, level))
	case below >= firstInk && 2*level < had:
		return old
	default:
		return join(k, level)
	}
}

// join returns the place in the palette of an ink at a level.
func join(k ink, level int) uint8 {
	if k == cardInk || level == 0 {
		return 0
	}
	return uint8((int(k)-1)*levels + level)
}

// split returns the ink and the level of a place in the palette.
func split(place uint8) (k ink, level int) {
	if place == 0 {
		return cardInk, 0
	}
	return ink((int(place)-1)/levels + 1), (int(place)-1)%levels + 1
}

// regular returns the corners of a regular shape on a circle, the first of them
// in a direction: 0 is right, positive is clockwise.
func regular(at spot, radius float64, corners int, direction float64) []spot {
	all := make([]spot, corners)
	for i := range all {
		all[i] = at.away(radius, direction+2*math.Pi*float64(i)/float64(corners))
	}
	return all
}

// away returns the spot at a distance in a direction.
func (s spot) away(distance, direction float64) spot {
	sin, cos := math.Sincos(direction)
	return spot{s.x + distance*cos, s.y + distance*sin}
}

// stroke returns the shape of a straight line with round ends.
func stroke(from, to spot, width float64) []spot {
	const half = 12 // sides of a round end
	along := math.Atan2(to.y-from.y, to.x-from.x)
	var all []spot
	for i, end := range []spot{to, from} {
		for j := range half + 1 {
			all = append(all, end.away(width/2, along+math.Pi*(float64(i)-0.5+float64(j)/half)))
		}
	}
	return all
}

// rounded returns a rectangle whose corners at the top and at the bottom are
// rounded with a radius.
func rounded(from, to spot, top, bottom float64) []spot {
	const quarter = 8 // sides of a round corner
	var all []spot
	for i, middle := range []spot{
		{to.x - bottom, to.y - bottom}, {from.x + bottom, to.y - bottom},
		{from.x + top, from.y + top}, {to.x - top, from.y + top},
	} {
		radius := bottom
		if i >= 2 {
			radius = top
		}
		for j := range quarter + 1 {
			all = append(all, middle.away(radius, math.Pi/2*(float64(i)+float64(j)/quarter)))
		}
	}
	return all
}
