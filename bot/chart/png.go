package chart

import (
	"fmt"
	"strconv"

	"floorwalker/bot/chat"
)

// Options are the size of a picture in points; a zero is the usual size. The
// file has twice as many pixels each way, for dense screens.
type Options struct {
	Width  int // 480 to 1200, 800 if zero
	Height int // 200 to 600, 260 if zero
}

// size returns the size with its defaults.
func (o Options) size() (width, height int, err error) {
	width, height = o.Width, o.Height
	if width == 0 {
		width = 800
	}
	if height == 0 {
		height = 260
	}
	if width < 480 || width > 1200 || height < 200 || height > 600 {
		return 0, 0, fmt.Errorf("a chart of %d × %d points cannot be drawn; from 480 × 200 to 1200 × 600 can", width, height)
	}
	return width, height, nil
}

// PNG draws the chart as a picture. A chart without values becomes a card that
// says "No data".
//
// The built-in font has Latin, Greek and Cyrillic letters. What it cannot draw
// is left to the words beside the picture: such a title is left out, such a
// label becomes "…", such a series "Series 1". Put no names of people into a
// picture. Labels and names are cut at 32 characters and titles at 80, or
// earlier where there is no room.
//
// It refuses, in one sentence, more than 20 labels or 6 series, a series that
// has not one point per label, and values that are infinite, not a number or
// beyond a thousand million million. [chat.Fit] brings a chart into the first of
// these bounds. Instead of a refused picture, show [Alt].
func PNG(c chat.Chart, o Options) ([]byte, error) {
	width, height, err := o.size()
	if err != nil {
		return nil, err
	}
	if err := check(c); err != nil {
		return nil, err
	}
	p, err := newPicture(tidy(c), width, height)
	if err != nil {
		return nil, err
	}
	p.draw()
	file, err := p.encode()
	if err != nil {
		return nil, fmt.Errorf("encode the chart: %w", err)
	}
	return file, nil
}

// drawable replaces what the font cannot draw.
func drawable(c chat.Chart, l *lettering) chat.Chart {
	c.Title, c.Unit = l.or(c.Title, ""), l.or(c.Unit, "")
	for i := range c.Labels {
		c.Labels[i] = l.or(c.Labels[i], chat.Ellipsis)
	}
	for i := range c.Series {
		name := "Series " + strconv.Itoa(i+1)
		if s := &c.Series[i]; s.Name == "" {
			s.Name = name
		} else {
			s.Name = l.or(s.Name, name)
		}
	}
	return c
}
