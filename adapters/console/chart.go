package console

import (
	"math"
	"strconv"
	"strings"

	"floorwalker/bot/chat"
)

const (
	chartRows = 4 // the height of a chart of one series
	widestBar = 4 // columns
)

// eighths are bars of growing height, each an eighth of a row.
var eighths = []string{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}

// drawChart returns a chart in block characters: columns for one series, a row
// of small bars for each of several. A missing point is a dot, never a bar.
// It returns nil if there is nothing to draw or no space for it.
func drawChart(c chat.Chart, width int) []string {
	low, high := extent(c.Series)
	if len(c.Labels) == 0 || len(c.Series) == 0 || high <= low {
		return nil
	}
	scale := max(len(number(high)), len(number(low)))
	if len(c.Series) > 1 {
		scale = 0
		for _, s := range c.Series {
			scale = max(scale, min(chat.Width(s.Name), width/3))
		}
	}
	room := width - scale - 2
	if len(c.Series) > 1 {
		room -= len(" max ") + len(number(high))
	}
	step := min(widestBar+1, room/len(c.Labels))
	for _, l := range c.Labels {
		if chat.Width(l)+1 > step || step < 2 {
			return nil
		}
	}
	var rows []string
	if len(c.Series) == 1 {
		rows = columns(c.Series[0], low, high, scale, step)
	} else {
		for _, s := range c.Series {
			rows = append(rows, sparkline(s, low, high, scale, step))
		}
	}
	var axis strings.Builder
	axis.WriteString(strings.Repeat(" ", scale+2))
	for _, l := range c.Labels {
		axis.WriteString(pad(center(l, step-1), step))
	}
	return append(rows, strings.TrimRight(axis.String(), " "))
}

// extent returns the lowest and the highest value, zero included.
func extent(all []chat.Series) (low, high float64) {
	for _, s := range all {
		for _, p := range s.Points {
			if !p.Missing && !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
				low, high = min(low, p.Value), max(high, p.Value)
			}
		}
	}
	return low, high
}

// columns draws one series as columns with a scale at their left.
func columns(s chat.Series, low, high float64, scale, step int) []string {
	var rows []string
	for row := chartRows - 1; row >= 0; row-- {
		label := ""
		switch row {
		case chartRows - 1:
			label = number(high)
		case 0:
			label = number(low)
		}
		var b strings.Builder
		b.WriteString(strings.Repeat(" ", scale-len(label)) + label + " │")
		for _, p := range s.Points {
			part := height(p, low, high, 8*chartRows) - 8*row
			b.WriteString(pad(bar(p, part, row == 0, step-1), step))
		}
		rows = append(rows, strings.TrimRight(b.String(), " "))
	}
	return rows
}

// sparkline draws one of several series on a single row.
func sparkline(s chat.Series, low, high float64, scale, step int) string {
	var b strings.Builder
	b.WriteString(pad(chat.Clip(s.Name, scale, chat.Width), scale) + "  ")
	for _, p := range s.Points {
		b.WriteString(pad(bar(p, height(p, low, high, 8), true, step-1), step))
	}
	_, top := extent([]chat.Series{s})
	return b.String() + " max " + number(top)
}

// height returns the height of a point in eighths of a row. Anything above the
// lowest value shows.
func height(p chat.Point, low, high float64, full int) int {
	share := (p.Value - low) / (high - low)
	if p.Missing || math.IsNaN(share) {
		return 0
	}
	return min(max(int(math.Round(share*float64(full))), 1), full)
}

// bar returns a row's part of a column that is n characters wide.
func bar(p chat.Point, part int, bottom bool, n int) string {
	switch {
	case p.Missing && bottom:
		return center("·", n)
	case p.Missing:
		return ""
	case bottom && p.Value == 0:
		return strings.Repeat("_", n)
	default:
		return strings.Repeat(eighths[min(max(part, 0), 8)], n)
	}
}

// number writes a value of the scale in a few characters.
func number(v float64) string {
	if math.Abs(v) >= 10 {
		v = math.Round(v)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// center puts s in the middle of w columns, without filling up its right.
func center(s string, w int) string { return strings.Repeat(" ", max(0, w-chat.Width(s))/2) + s }

// pad fills s with spaces up to w columns.
func pad(s string, w int) string { return s + strings.Repeat(" ", max(0, w-chat.Width(s))) }
