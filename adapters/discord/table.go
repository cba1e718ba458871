package discord

import (
	"fmt"
	"strings"

	"floorwalker/bot/chat"
)

// A table is drawn as one on a phone's screen if it is narrow enough, with
// letters of one width. A wider one would wrap, so its rows become lines with
// their column's titles.

const fence = "```"

func table(t chat.Table) string {
	text := codeText(chat.PlainBlock(t))
	for line := range strings.Lines(text) {
		if chat.Width(strings.TrimRight(line, "\n")) > phoneColumns {
			return list(t)
		}
	}
	return fence + "\n" + text + "\n" + fence
}

// list returns a table with a line for each row.
func list(t chat.Table) string {
	var lines []string
	for _, cells := range t.Rows {
		lines = append(lines, listLine(t.Columns, cells))
	}
	if t.More > 0 {
		lines = append(lines, fmt.Sprintf("%s+%d more", smallMark, t.More))
	}
	return strings.Join(lines, "\n")
}

// listLine returns a row as a line: what it is about and its numbers stand out. A
// cell that says nothing is left out; one that is missing says so itself.
func listLine(columns []chat.Column, cells []string) string {
	var parts []string
	for i, cell := range cells {
		text := inert(cell)
		if columns[i].Numeric {
			text = strings.ReplaceAll(text, " ", "\u00a0") // a number keeps its unit
		}
		if i == 0 || columns[i].Numeric {
			text = marked("**", text)
		}
		title := inert(columns[i].Title)
		switch {
		case i == 0:
			parts = append(parts, or(text, "–"))
		case text != "" && title != "":
			parts = append(parts, title+" "+text)
		case text != "":
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " · ")
}

// tableSize returns at least what a table takes, whichever way it is drawn. It
// is the sum over its rows, so that it grows with each.
func tableSize(t chat.Table) int {
	header := make([]string, len(t.Columns))
	titles := 0
	for i, c := range t.Columns {
		header[i] = c.Title
		titles += roomFor(c.Title) + len(" **** · –")
	}
	n := 2*len(fence) + 2 + rowSize(header, 0) + len(smallMark+"+1000000 more\n")
	for _, cells := range t.Rows {
		n += rowSize(cells, titles)
	}
	return n
}

// rowSize is the larger of a row's sizes in both forms.
func rowSize(cells []string, titles int) int {
	listed, aligned := titles+1, phoneColumns+1
	for _, c := range cells {
		listed += roomFor(c)
		aligned += max(0, units(c)-chat.Width(c)) // what takes units but no columns
	}
	return max(listed, aligned)
}
