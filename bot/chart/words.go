package chart

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"floorwalker/bot/chat"
)

// maxAlt is the longest description, in characters: what Slack's adapter shows,
// and a little less than Discord takes.
const maxAlt = 1000

// Alt returns the chart in words, made from its data: "Offered, 09 to 17:
// highest 42 at 11, lowest 8 at 17; no data at 13." It is what [chat.Chart] has
// its Alt for, and at most 1000 characters. A value that is infinite or not a
// number counts as no data.
//
// The title is not repeated, because it stands before the words wherever they
// replace a picture: [chat.PlainBlock] writes both, and is what a description
// that stands alone wants, such as that of an attached picture.
func Alt(c chat.Chart) string {
	more := leftOut(c)
	c = tidy(c)
	parts := describe(c)
	gaps := places(c.Labels, func(i int) bool { return unobserved(c, i) })
	switch {
	case len(parts) == 0:
		parts = []string{"no data"}
	case gaps != "":
		parts = append(parts, "no data "+gaps)
	}
	if more != "" {
		parts = append(parts, more)
	}
	words := strings.Join(parts, "; ") + "."
	if about := subject(c); about != "" {
		words = about + ": " + words
	}
	first, n := utf8.DecodeRuneInString(words)
	return chat.Clip(string(unicode.ToUpper(first))+words[n:], maxAlt, nil)
}

// subject says what the numbers are: of which series if there is one only and
// the title does not tell, of which hours or days, in which unit.
func subject(c chat.Chart) string {
	var parts []string
	if len(c.Series) == 1 && c.Series[0].Name != "" && !says(c.Title, c.Series[0].Name) {
		parts = append(parts, c.Series[0].Name)
	}
	if n := len(c.Labels); n > 1 {
		parts = append(parts, label(c.Labels, 0)+" to "+label(c.Labels, n-1))
	}
	if u := unitOf(c); u != "" {
		parts = append(parts, "in "+u)
	}
	return strings.Join(parts, ", ")
}

// describe describes each series, after its name where there are several, or
// nothing if none has a value.
func describe(c chat.Chart) []string {
	var all []string
	if _, _, some := extent(c); !some {
		return nil
	}
	for i, s := range c.Series {
		name := ""
		if len(c.Series) > 1 {
			name = s.Name + " "
			if s.Name == "" {
				name = fmt.Sprintf("series %d ", i+1)
			}
		}
		own := places(c.Labels, func(i int) bool { return s.Points[i].Missing && !unobserved(c, i) })
		text := name + extremes(c, s)
		if own != "" && !strings.HasSuffix(text, "no data") {
			text += ", no data " + own
		}
		all = append(all, text)
	}
	return all
}

// extremes tells the highest and the lowest value of a series and where they
// are.
func extremes(c chat.Chart, s chat.Series) string {
	var values []float64
	for _, p := range s.Points {
		if !p.Missing {
			values = append(values, p.Value)
		}
	}
	at := func(v float64) string {
		return number(v, c.Unit) + " " + places(c.Labels, func(i int) bool { return !s.Points[i].Missing && s.Points[i].Value == v })
	}
	if len(values) == 0 {
		return "no data"
	}
	low, high := slices.Min(values), slices.Max(values)
	switch {
	case low < high:
		return "highest " + at(high) + ", lowest " + at(low)
	case len(values) == 1:
		return at(low)
	default:
		return number(low, c.Unit) + " throughout"
	}
}

// places names the labels for which the function is true: "at 13", "at 12 to 14
// and 17", "at 7 of 20 points" where that would be a long list, "" for none.
func places(labels []string, is func(i int) bool) string {
	const most = 3
	var runs []string
	count := 0
	for i := 0; i < len(labels); i++ {
		if !is(i) {
			continue
		}
		first := i
		for i+1 < len(labels) && is(i+1) {
			i++
		}
		count += i + 1 - first
		switch i - first {
		case 0:
			runs = append(runs, label(labels, i))
		case 1:
			runs = append(runs, label(labels, first), label(labels, i))
		default:
			runs = append(runs, label(labels, first)+" to "+label(labels, i))
		}
	}
	switch n := len(runs); {
	case n == 0:
		return ""
	case n > most:
		return fmt.Sprintf("at %d of %d points", count, len(labels))
	case n == 1:
		return "at " + runs[0]
	default:
		return "at " + strings.Join(runs[:n-1], ", ") + " and " + runs[n-1]
	}
}

// label returns the label i, or what to call it if it has none.
func label(labels []string, i int) string {
	if labels[i] == "" {
		return fmt.Sprintf("point %d", i+1)
	}
	return labels[i]
}
