package discord

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"floorwalker/bot/chat"
)

// A table is drawn as one on a phone's screen if it is narrow enough, with
// letters of one width. A wider one would wrap, so its rows become entries: what
// a row is about, and below it its other cells with their columns' titles.

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

// list returns a table with an entry for each row.
func list(t chat.Table) string {
	var entries []string
	for _, cells := range t.Rows {
		entries = append(entries, entry(t.Columns, cells))
	}
	if t.More > 0 {
		entries = append(entries, fmt.Sprintf("%s+%d more", smallMark, t.More))
	}
	return strings.Join(entries, "\n")
}

// entry returns a row as an entry. A number that only names the row stands before
// what it is about. A cell that says nothing is left out; one that is missing says
// so itself.
func entry(columns []chat.Column, cells []string) string {
	head := 1
	if len(cells) > 1 && columns[0].Title == "#" {
		head = 2
	}
	var about, facts []string
	for i, cell := range cells {
		switch {
		case inert(cell) == "":
		case i < head:
			about = append(about, inert(cell))
		default:
			facts = append(facts, fact(columns[i], cell))
		}
	}
	title := strings.Join(about, " ")
	if head == 2 {
		title = "#" + title // inside marks it begins no heading
	}
	return joined(or(marked("**", title), "–"), small(strings.Join(facts, " · ")))
}

// fact returns a cell after its column's title, unless it says by itself what it
// is.
func fact(c chat.Column, cell string) string {
	text := inert(cell)
	if c.Numeric {
		text = marked("**", strings.ReplaceAll(text, " ", "\u00a0")) // a number keeps its unit
	}
	if title := inert(c.Title); title != "" && !c.Evident {
		return lowerFirst(title) + "\u00a0" + text
	}
	return text
}

// lowerFirst returns a title as it stands within a line. AHT stays AHT.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if second, _ := utf8.DecodeRuneInString(s[n:]); !unicode.IsLower(second) {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

// tableSize returns at least what a table takes, whichever way it is drawn. It
// is the sum over its rows, so that it grows with each.
func tableSize(t chat.Table) int {
	header := make([]string, len(t.Columns))
	titles := 0
	for i, c := range t.Columns {
		header[i] = c.Title
		titles += roomFor(c.Title) + len("\u00a0**** · –")
	}
	titles += len("#\n" + smallMark)
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
