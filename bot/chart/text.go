package chart

import (
	"math"
	"strings"

	"floorwalker/bot/chat"
)

// Widths of a chart in text, in columns of a terminal.
const (
	narrowest  = 20
	broadest   = 80
	leastBar   = 8  // below which series stand one under another
	longestBar = 40 // beyond which a bar tells no more
	columnGap  = 2
)

// Text returns the chart as rows of block characters for a terminal, one row to
// a label, with the values beside the bars. Several series stand side by side on
// one scale, under their names. A missing point is "·", and a chart without
// values the words "No data". Values below zero have pale bars.
//
//	    Offered                 Missed
//	09  18 ████████▌             1 ▌
//	10  31 ██████████████▋       3 █▍
//	11   ·                       ·
//
// Lines end in "\n" except the last and are at most width columns wide, which is
// taken as 20 to 80. Title and unit are left to the caller, who may want them in
// bold. Like [Alt] it shows whatever it is given.
func Text(c chat.Chart, width int) string {
	more := leftOut(c)
	c = tidy(c)
	low, high, some := extent(c)
	if !some {
		return "No data"
	}
	r := newRows(c, min(max(width, narrowest), broadest), max(high, -low))
	var lines []string
	for from := 0; from < len(c.Series); from += r.across {
		if from > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, r.block(c.Series[from:min(from+r.across, len(c.Series))])...)
	}
	if more != "" {
		lines = append(lines, more)
	}
	return strings.Join(lines, "\n")
}

// rows is the layout of a chart in text.
type rows struct {
	chart  chat.Chart
	most   float64 // the value, or its opposite, of the longest bar
	label  int     // columns of the labels
	value  int     // of a value
	bar    int     // of the longest bar
	across int     // series side by side
}

func newRows(c chat.Chart, width int, most float64) rows {
	r := rows{chart: c, most: most}
	for _, l := range c.Labels {
		r.label = min(max(r.label, chat.Width(l)), width/4)
	}
	for _, s := range c.Series {
		for _, p := range s.Points {
			r.value = max(r.value, chat.Width(written(p, c.Unit)))
		}
	}
	fixed := columnGap + r.value + 1
	r.across = max(1, (width-r.label)/(fixed+leastBar))
	blocks := (len(c.Series) + r.across - 1) / r.across
	r.across = (len(c.Series) + blocks - 1) / blocks // the last block has as many as the others
	r.bar = min((width-r.label)/r.across-fixed, longestBar)
	return r
}

// block returns the rows of some series, under their names if the chart has
// several.
func (r rows) block(series []chat.Series) []string {
	var lines []string
	add := func(label string, cell func(s chat.Series) string) {
		row := []string{pad(label, r.label)}
		for _, s := range series {
			row = append(row, cell(s))
		}
		lines = append(lines, strings.TrimRight(strings.Join(row, ""), " "))
	}
	if len(r.chart.Series) > 1 {
		add("", func(s chat.Series) string {
			return strings.Repeat(" ", columnGap) + pad(s.Name, r.value+1+r.bar)
		})
	}
	for i, l := range r.chart.Labels {
		add(l, func(s chat.Series) string { return r.cell(s.Points[i]) })
	}
	return lines
}

// cell returns a value, aligned right, and its bar.
func (r rows) cell(p chat.Point) string {
	text := written(p, r.chart.Unit)
	space := strings.Repeat(" ", columnGap+r.value-chat.Width(text))
	return space + text + " " + pad(r.blocks(p), r.bar)
}

// blocks returns the bar of a value, to an eighth of a column. What is not zero
// shows.
func (r rows) blocks(p chat.Point) string {
	if p.Missing || p.Value == 0 {
		return ""
	}
	length := max(1, int(math.Round(math.Abs(p.Value)/r.most*float64(8*r.bar))))
	if p.Value < 0 {
		return strings.Repeat("░", (length+7)/8)
	}
	part := []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}
	return strings.Repeat("█", length/8) + part[length%8]
}

// written returns the value of a point, "·" for a missing one.
func written(p chat.Point, unit string) string {
	if p.Missing {
		return "·"
	}
	return number(p.Value, unit)
}

// pad returns s on exactly w columns.
func pad(s string, w int) string {
	s = chat.Clip(s, w, chat.Width)
	return s + strings.Repeat(" ", w-chat.Width(s))
}
