package chart

import "floorwalker/bot/chat"

// bars draws the series of each label side by side, in the legend's order.
func (p *picture) bars() {
	const between, widest = 3, 56
	n := float64(len(p.chart.Series))
	step := min(p.slot()*0.76/n, widest)
	width := step - min(between, step/4)
	room := step + between
	if n == 1 {
		room = p.slot()
	}
	valued := p.valued(room - between)
	for i := range p.chart.Labels {
		for j, s := range p.chart.Series {
			v := s.Points[i]
			middle := p.x(i) + (float64(j)-(n-1)/2)*step
			if !v.Missing {
				p.bar(firstInk+ink(j), middle-width/2, middle+width/2, v.Value)
			}
			if valued && !v.Missing {
				p.centred(middle, p.beyond(v.Value), number(v.Value, p.chart.Unit))
			}
		}
	}
}

// valued reports whether every value fits into the room.
func (p *picture) valued(room float64) bool {
	for _, s := range p.chart.Series {
		for _, v := range s.Points {
			if !v.Missing && p.label.width(number(v.Value, p.chart.Unit)) > room {
				return false
			}
		}
	}
	return true
}

// bar draws one bar from zero to v. A zero colours the line it stands on; what
// is more or less than zero shows.
func (p *picture) bar(k ink, left, right, v float64) {
	const line, least, radius = 0.5, 1.5, 4
	zero, end := p.y(0), p.y(v)
	left, right = snap(left), snap(right)
	switch {
	case v > 0:
		end = min(end, zero-least)
		round := min(radius, zero-end, (right-left)/2)
		p.fill(k, 1, rounded(spot{left, snap(end)}, spot{right, snap(zero + line)}, round, 0))
	case v < 0:
		end = max(end, zero+least)
		round := min(radius, end-zero, (right-left)/2)
		p.fill(k, 1, rounded(spot{left, snap(zero - line)}, spot{right, snap(end)}, 0, round))
	default:
		p.rectangle(k, spot{left, zero - line}, spot{right, zero + line})
	}
}

// beyond returns the base line of a value that stands at the end of its bar.
func (p *picture) beyond(v float64) float64 {
	if v < 0 {
		return p.y(v) + aboveBar + labelSize*capital
	}
	return p.y(v) - aboveBar
}

// curves draws each series as straight lines between marked points, the first
// series on top. A line ends at a gap.
func (p *picture) curves() {
	const line, mark, free = 3.5, 5.5, 2.5
	for i := len(p.chart.Series) - 1; i >= 0; i-- {
		s, k := p.chart.Series[i], firstInk+ink(i)
		p.lines(s, func(from, to spot) { p.fill(cardInk, 1, stroke(from, to, line+2*free)) })
		if len(p.chart.Series) == 1 {
			p.tint(k, s)
		}
		p.lines(s, func(from, to spot) { p.fill(k, 1, stroke(from, to, line)) })
		for j, v := range s.Points {
			if at := (spot{p.x(j), p.y(v.Value)}); !v.Missing {
				p.fill(cardInk, 1, marker(i, at, mark+free))
				p.fill(k, 1, marker(i, at, mark))
			}
		}
	}
	if len(p.chart.Series) == 1 && p.valued(p.slot()-gutter) {
		p.pointValues(p.chart.Series[0])
	}
}

// lines calls the function for each pair of neighbouring points.
func (p *picture) lines(s chat.Series, line func(from, to spot)) {
	for i := 1; i < len(s.Points); i++ {
		if a, b := s.Points[i-1], s.Points[i]; !a.Missing && !b.Missing {
			line(spot{p.x(i - 1), p.y(a.Value)}, spot{p.x(i), p.y(b.Value)})
		}
	}
}

// tint shades the area between a curve and zero.
func (p *picture) tint(k ink, s chat.Series) {
	p.lines(s, func(from, to spot) {
		p.fill(k, 0.16, []spot{from, to, {to.x, p.y(0)}, {from.x, p.y(0)}})
	})
}

// pointValues writes the values of the only curve: over its points, or under
// those from which it rises so steeply that it would run through them.
func (p *picture) pointValues(s chat.Series) {
	const over, under = 2 * aboveBar, 2*aboveBar + labelSize*capital
	for i, v := range s.Points {
		if v.Missing {
			continue
		}
		text, y := number(v.Value, p.chart.Unit), p.y(v.Value)
		up, down := p.steepness(s.Points, i, p.label.width(text)/2)
		if up > aboveBar && down < aboveBar && y+under < p.bottom {
			y += over + under
		}
		p.centred(p.x(i), y-over, text)
	}
}

// steepness returns how far the curve rises and falls from a point within a
// distance to either side.
func (p *picture) steepness(points []chat.Point, i int, distance float64) (up, down float64) {
	for _, j := range []int{i - 1, i + 1} {
		if j >= 0 && j < len(points) && !points[j].Missing {
			rise := (p.y(points[i].Value) - p.y(points[j].Value)) * distance / p.slot()
			up, down = max(up, rise), max(down, -rise)
		}
	}
	return up, down
}
