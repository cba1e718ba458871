package console

import (
	"strings"

	"floorwalker/bot/chat"
)

// A style is the parameters of an ANSI "select graphic rendition" sequence. The
// sixteen basic attributes suffice: terminals draw them in colours that their
// user chose to be readable.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	link   style = "4"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	blue   style = "34"
	cyan   style = "36"
)

// and returns both styles together.
func (s style) and(t style) style {
	if s == "" || t == "" {
		return s + t
	}
	return s + ";" + t
}

// A run is a stretch of text in one style. A line is one row of the terminal.
type (
	run struct {
		text  string
		style style
	}
	line []run
)

// text returns a line in one style.
func text(s string, st style) line { return line{{s, st}} }

func (l line) width() int {
	n := 0
	for _, r := range l {
		n += chat.Width(r.text)
	}
	return n
}

// padded returns the line with spaces up to the width.
func (l line) padded(width int) line {
	return append(l[:len(l):len(l)], run{strings.Repeat(" ", max(0, width-l.width())), plain})
}

// paint returns the line for the terminal, with colours or without.
func (l line) paint(color bool) string {
	var b strings.Builder
	for _, r := range l {
		if !color || r.style == plain || r.text == "" {
			b.WriteString(r.text)
			continue
		}
		b.WriteString("\x1b[" + string(r.style) + "m" + r.text + "\x1b[0m")
	}
	return b.String()
}

// A glyph is one character of a line while it is wrapped.
type glyph struct {
	char  string
	style style
}

// wrap breaks runs into lines of at most the width, between words where it can
// and between characters where it must.
func wrap(runs []run, width int) []line {
	var lines []line
	var row []glyph
	used, space := 0, -1 // columns of row; index of its last space
	end := func(n int) {
		rest := row[n:]
		lines = append(lines, join(row[:n]))
		for len(rest) > 0 && rest[0].char == " " {
			rest = rest[1:]
		}
		row, used, space = append([]glyph(nil), rest...), 0, -1
		for _, g := range row {
			used += chat.Width(g.char)
		}
	}
	for _, r := range runs {
		for c := range chat.Characters(r.text) {
			if c == "\n" {
				end(len(row))
				continue
			}
			w := chat.Width(c)
			switch {
			case used+w <= width:
			case c == " ":
				end(len(row))
				continue
			case space > 0:
				end(space)
			case len(row) > 0:
				end(len(row))
			}
			if c == " " {
				space = len(row)
			}
			row, used = append(row, glyph{c, r.style}), used+w
		}
	}
	return append(lines, join(row))
}

// join returns a row of glyphs as a line, without spaces at its end.
func join(row []glyph) line {
	for len(row) > 0 && row[len(row)-1].char == " " {
		row = row[:len(row)-1]
	}
	var l line
	for _, g := range row {
		if n := len(l); n > 0 && l[n-1].style == g.style {
			l[n-1].text += g.char
			continue
		}
		l = append(l, run{g.char, g.style})
	}
	return l
}

// spans returns a message's text as runs, on top of a style.
func spans(t chat.Text, base style) []run {
	var runs []run
	for _, s := range t {
		st := base
		switch s.Kind {
		case chat.SpanStrong, chat.SpanMention, chat.SpanChannel:
			st = base.and(bold)
		case chat.SpanCode:
			st = cyan // also in small print: it is there to be typed
		case chat.SpanLink:
			st = base.and(link)
		}
		runs = append(runs, run{s.Plain(), st})
	}
	return runs
}
