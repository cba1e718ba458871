package chart

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	"floorwalker/bot/chat"
)

// What a chart may have. The message vocabulary promises no more, and Slack's
// own charts take no more.
const (
	maxLabels = 20
	maxSeries = 6
)

// Sizes of strings, in characters: longer ones end in an ellipsis.
const (
	maxTitle = 80
	maxUnit  = 20
	maxLabel = 32
	maxName  = 32
	maxBytes = 1 << 10 // of any string that is looked at, since one character may have many
)

// maxValue bounds values so that a double counts up to it exactly and no scale
// overflows. No counter comes near.
const maxValue = 1e15

// check says in one sentence why a chart cannot be drawn. It repeats no text of
// the chart.
func check(c chat.Chart) error {
	switch {
	case c.Kind != chat.Bars && c.Kind != chat.Curves:
		return fmt.Errorf("chart is of the unknown kind %d", c.Kind)
	case len(c.Labels) > maxLabels:
		return fmt.Errorf("chart has %d labels; at most %d can be drawn", len(c.Labels), maxLabels)
	case len(c.Series) > maxSeries:
		return fmt.Errorf("chart has %d series; at most %d can be drawn", len(c.Series), maxSeries)
	}
	for i, s := range c.Series {
		if len(s.Points) != len(c.Labels) {
			return fmt.Errorf("series %d of the chart has %d points for %d labels", i+1, len(s.Points), len(c.Labels))
		}
		for j, p := range s.Points {
			if !p.Missing && !sound(p.Value) {
				return fmt.Errorf("point %d of series %d of the chart is %v, which cannot be drawn", j+1, i+1, p.Value)
			}
		}
	}
	return nil
}

// sound reports whether v is a number to show to people.
func sound(v float64) bool { return math.Abs(v) <= maxValue } // false for NaN too

// tidy returns a copy of the chart that every form can show: strings on one line
// and of bounded size, as many points in each series as there are labels, and a
// value that is not sound as missing. It cuts labels and series to what a chart
// may have.
func tidy(c chat.Chart) chat.Chart {
	labels, series := c.Labels[:min(len(c.Labels), maxLabels)], c.Series[:min(len(c.Series), maxSeries)]
	c.Title, c.Unit, c.Alt = line(c.Title, maxTitle), line(c.Unit, maxUnit), ""
	c.Labels, c.Series = make([]string, len(labels)), make([]chat.Series, len(series))
	for i, l := range labels {
		c.Labels[i] = line(l, maxLabel)
	}
	for i, s := range series {
		points := make([]chat.Point, len(labels))
		for j := range points {
			points[j].Missing = j >= len(s.Points) || s.Points[j].Missing || !sound(s.Points[j].Value)
			if !points[j].Missing {
				points[j].Value = s.Points[j].Value
			}
		}
		c.Series[i] = chat.Series{Name: line(s.Name, maxName), Points: points}
	}
	return c
}

// leftOut says what tidy cuts from the chart, as "+5 more", "" for nothing.
func leftOut(c chat.Chart) string {
	var parts []string
	if n := len(c.Labels) - maxLabels; n > 0 {
		parts = append(parts, fmt.Sprintf("+%d more", n))
	}
	if n := len(c.Series) - maxSeries; n > 0 {
		parts = append(parts, fmt.Sprintf("+%d more series", n))
	}
	return strings.Join(parts, ", ")
}

// line returns the beginning of s on one line of at most limit characters.
func line(s string, limit int) string {
	return chat.Clip(chat.OneLine(s[:min(len(s), maxBytes)]), limit, nil)
}

// extent returns the lowest and the highest value of a tidy chart, zero
// included, and whether it has any.
func extent(c chat.Chart) (low, high float64, some bool) {
	for _, s := range c.Series {
		for _, p := range s.Points {
			if !p.Missing {
				low, high, some = min(low, p.Value), max(high, p.Value), true
			}
		}
	}
	return low, high, some
}

// unobserved reports whether no series has a value at the label i.
func unobserved(c chat.Chart, i int) bool {
	for _, s := range c.Series {
		if !s.Points[i].Missing {
			return false
		}
	}
	return true
}

// says reports whether the text has the words in it, so that a unit or a name is
// not repeated beside a title that names it.
func says(text, words string) bool {
	plain := func(s string) string {
		return " " + strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsPunct(r)
		}), " ") + " "
	}
	return strings.Contains(plain(text), plain(words))
}

// unitOf returns the unit to name beside the title: none if the title has it or
// if values are written as times.
func unitOf(c chat.Chart) string {
	if c.Unit == seconds || says(c.Title, c.Unit) {
		return ""
	}
	return c.Unit
}
