package chart

import (
	"math"

	"floorwalker/bot/chat"
)

// Lengths of the layout, in points.
const (
	titleSize = 20
	labelSize = 17
	capital   = 0.72 // height of a capital letter or a digit, of the size
	margin    = 20   // around everything
	head      = 26   // height of a line of the title or the legend
	gutter    = 12   // between texts, and between a text and what it names
	aboveBar  = 6    // between a bar and its value
)

// missing stands for a number that is not known.
const missing = "–"

// A picture is a chart being drawn: its data, its lettering, and where the data
// go.
type picture struct {
	*canvas
	chart                    chat.Chart // tidy, and with nothing that the lettering cannot draw
	title, label             *lettering
	width, height            float64
	left, right, top, bottom float64 // of the area of the data
	axis                     axis
}

func newPicture(c chat.Chart, width, height int) (*picture, error) {
	title, err := newLettering(titleSize)
	if err != nil {
		return nil, err
	}
	label, err := newLettering(labelSize)
	if err != nil {
		return nil, err
	}
	p := &picture{canvas: newCanvas(width, height), chart: drawable(c, label), title: title, label: label,
		width: float64(width), height: float64(height), left: margin, top: margin - 4}
	p.right, p.bottom = p.width-margin, p.height-margin
	return p, nil
}

// draw draws everything, from the edges inwards.
func (p *picture) draw() {
	low, high, some := extent(p.chart)
	taken := p.heading()
	if !some {
		const words = "No data"
		p.write(p.title, quietInk, spot{(p.width - p.title.width(words)) / 2, (p.top + p.bottom + titleSize*capital) / 2}, words)
		return
	}
	if len(p.chart.Series) > 1 {
		p.legend(taken)
	}
	p.top += labelSize + aboveBar // for the value over the highest
	p.bottom -= labelSize*capital + gutter
	if low < 0 {
		p.bottom -= labelSize // and below the lowest
	}
	p.axis = axisFor(low, high, p.chart.Unit, max(2, min(5, int((p.bottom-p.top)/28))))
	p.grid()
	p.labels()
	if p.chart.Kind == chat.Curves {
		p.curves()
	} else {
		p.bars()
	}
	p.gaps()
}

// heading writes the title and the unit, and returns how much of the line they
// take.
func (p *picture) heading() (taken float64) {
	title, unit := p.title.clip(p.chart.Title, p.right-p.left), unitOf(p.chart)
	if title == "" && unit == "" {
		return 0
	}
	p.top += head
	if title != "" {
		p.write(p.title, textInk, spot{p.left, p.top - 8}, title)
		taken = p.title.width(title) + gutter
	}
	if width := p.label.width(unit); unit != "" && taken+width <= p.right-p.left {
		p.write(p.label, quietInk, spot{p.left + taken, p.top - 8}, unit)
		taken += width + gutter
	}
	return taken
}

// legend names the series, at the right of the heading or, if there is no room,
// on a line of its own.
func (p *picture) legend(taken float64) {
	const sign = 24 // width of a series' sign with the space after it
	names, length := make([]string, len(p.chart.Series)), -float64(gutter)
	for i, s := range p.chart.Series {
		names[i] = p.label.clip(s.Name, (p.right-p.left+gutter)/float64(len(names))-sign-gutter)
		length += sign + p.label.width(names[i]) + gutter
	}
	x := p.right - length
	if taken == 0 || p.left+taken+gutter > x {
		p.top += head
		x = p.left
	}
	for i, name := range names {
		p.sign(i, spot{x, p.top - 14})
		p.write(p.label, textInk, spot{x + sign, p.top - 8}, name)
		x += sign + p.label.width(name) + gutter
	}
}

// sign draws a series' sign for the legend, the middle of its left end at a spot.
func (p *picture) sign(series int, at spot) {
	k := firstInk + ink(series)
	if p.chart.Kind == chat.Bars {
		p.fill(k, 1, rounded(spot{at.x + 2, at.y - 7}, spot{at.x + 16, at.y + 7}, 3, 3))
		return
	}
	p.fill(k, 1, stroke(spot{at.x + 1, at.y}, spot{at.x + 17, at.y}, 3))
	p.fill(k, 1, marker(series, spot{at.x + 9, at.y}, 5.5))
}

// grid draws the axis: lines at its steps with their values, at the left.
func (p *picture) grid() {
	width := 0.0
	for k := p.axis.low; k <= p.axis.high; k++ {
		width = max(width, p.label.width(number(k*p.axis.step, p.chart.Unit)))
	}
	p.left += width + gutter
	for k := p.axis.low; k <= p.axis.high; k++ {
		text, y := number(k*p.axis.step, p.chart.Unit), p.y(k*p.axis.step)
		p.write(p.label, quietInk, spot{p.left - gutter - p.label.width(text), y + labelSize*capital/2}, text)
		line := gridInk
		if k == 0 {
			line = zeroInk
		}
		p.rectangle(line, spot{p.left, y - 0.5}, spot{p.right, y + 0.5})
	}
}

// labels writes the categories below the area, each in the middle of its place.
// If they are too wide, every second, third and so on is written, or all of them
// are shortened where the places are wide enough for that to make sense.
func (p *picture) labels() {
	const useful = 64
	labels, widest := make([]string, len(p.chart.Labels)), 0.0
	for i, l := range p.chart.Labels {
		labels[i] = p.label.clip(l, max(useful, p.slot()-gutter))
		widest = max(widest, p.label.width(labels[i])+gutter/2)
	}
	for i := 0; i < len(labels); i += max(1, int(math.Ceil(widest/p.slot()))) {
		width := p.label.width(labels[i])
		x := min(p.x(i)-width/2, p.width-margin/2-width) // the last one may be wider than its place
		p.write(p.label, quietInk, spot{x, p.height - margin + 2}, labels[i])
	}
}

// gaps marks the labels at which nothing was observed.
func (p *picture) gaps() {
	for i := range p.chart.Labels {
		if unobserved(p.chart, i) {
			p.centred(p.x(i), p.y(0)-aboveBar, missing)
		}
	}
}

// centred writes a value with its middle at x and its base line at y, clear of
// the lines behind it.
func (p *picture) centred(x, y float64, text string) {
	half := p.label.width(text) / 2
	p.clear(spot{x - half - 2, y - labelSize*capital - 2}, spot{x + half + 2, y + 2})
	p.write(p.label, textInk, spot{x - half, y}, text)
}

// slot returns the width of the place of one label.
func (p *picture) slot() float64 { return (p.right - p.left) / float64(len(p.chart.Labels)) }

// x returns the middle of the place of a label. It is the edge of a pixel, so
// that areas which meet there leave no seam.
func (p *picture) x(label int) float64 { return snap(p.left + (float64(label)+0.5)*p.slot()) }

// y returns the height of a value.
func (p *picture) y(v float64) float64 { return p.bottom - p.axis.share(v)*(p.bottom-p.top) }
