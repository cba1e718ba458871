package chat

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Plain returns the message as text without any markup. It is what tests
// compare, and the fallback for networks, notifications and screen readers.
//
// One part follows another, each on lines of its own: the title after the word
// of its tone, the blocks, the footer, files by name, and actions as [Label].
// It is the same for the same message, and holds no control character but
// newlines; an adapter still escapes it.
func (m Message) Plain() string {
	var parts []string
	add := func(s string) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	add(m.toned())
	for _, b := range m.Blocks {
		add(PlainBlock(b))
	}
	add(m.Footer.Plain())
	for _, f := range m.Files {
		add(f.plain())
	}
	var buttons []string
	for _, a := range m.Actions {
		buttons = append(buttons, "["+OneLine(a.Label)+"]")
	}
	add(strings.Join(buttons, " "))
	return strings.Join(parts, "\n")
}

// toned returns the title after the word of its tone.
func (m Message) toned() string {
	title := OneLine(m.Title)
	switch word := m.ToneWord(); {
	case word == "":
		return title
	case title == "":
		return word
	default:
		return word + ": " + title
	}
}

// PlainBlock returns one block as [Message.Plain] shows it.
func PlainBlock(b Block) string {
	switch b := b.(type) {
	case Paragraph:
		return b.Text.Plain()
	case Fields:
		var lines []string
		for _, f := range b {
			lines = append(lines, f.plain(": "))
		}
		return strings.Join(lines, "\n")
	case Table:
		return b.plain()
	case Chart:
		return joinNonEmpty(": ", OneLine(b.Title), Clean(b.Alt))
	default:
		return ""
	}
}

// plain returns the fact on one line: "Calls: 42 (▲ 3 since 09:00)".
func (f Field) plain(separator string) string {
	s := joinNonEmpty(separator, OneLine(f.Label), OneLine(f.Value))
	if note := OneLine(f.Note); note != "" {
		s += " (" + note + ")"
	}
	return s
}

// plain returns the file's name, with what a picture shows.
func (f File) plain() string {
	s := "File: " + OneLine(f.Name)
	if alt := OneLine(f.Alt); alt != "" {
		s += " (" + alt + ")"
	}
	return s
}

// plain returns the table with its columns aligned.
func (t Table) plain() string {
	if len(t.Columns) == 0 {
		return ""
	}
	header := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = c.Title
	}
	rows := [][]string{header}
	rows = append(rows, t.Rows...)
	widths := make([]int, len(t.Columns))
	for _, row := range rows {
		for i := range widths {
			widths[i] = max(widths[i], Width(cell(row, i)))
		}
	}
	var lines []string
	for _, row := range rows {
		cells := make([]string, len(widths))
		for i, w := range widths {
			cells[i] = pad(cell(row, i), w, t.Columns[i].Numeric)
		}
		lines = append(lines, strings.TrimRight(strings.Join(cells, "  "), " "))
	}
	if t.More > 0 {
		lines = append(lines, more(t.More))
	}
	return strings.Join(lines, "\n")
}

// cell returns the i-th cell of a row, "" where there is none.
func cell(row []string, i int) string {
	if i >= len(row) {
		return ""
	}
	return OneLine(row[i])
}

// pad fills s with spaces up to w columns.
func pad(s string, w int, right bool) string {
	space := strings.Repeat(" ", max(0, w-Width(s)))
	if right {
		return space + s
	}
	return s + space
}

// more says that n things were left out.
func more(n int) string { return fmt.Sprintf("+%d more", n) }

func joinNonEmpty(separator string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, separator)
}

// Plain returns the text without markup. A mention is "@name", a link is
// followed by its address.
func (t Text) Plain() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.Plain())
	}
	return b.String()
}

// Plain returns the span as [Text.Plain] shows it. An instant is shown in its
// own Location, and Ago as the clock time, so that the text never goes stale.
func (s Span) Plain() string {
	text := OneLine(s.Text)
	switch s.Kind {
	case SpanMention:
		if text == "" {
			text = OneLine(s.Address.String())
		}
		return "@" + strings.TrimPrefix(text, "@")
	case SpanChannel:
		return cmp.Or(text, OneLine(s.Address.String()))
	case SpanTime:
		switch {
		case text != "":
			return text
		case s.Style == DayClock:
			return s.Time.Format("Mon 2 Jan 15:04")
		default:
			return s.Time.Format("15:04")
		}
	case SpanLink:
		url := OneLine(s.URL)
		if text == "" || text == url {
			return url
		}
		return text + " (" + url + ")"
	default:
		return Clean(s.Text)
	}
}

const (
	headlineFacts = 3
	headlineRunes = 200 // about what a phone shows of a notification
)

// Headline returns the message in one line of at most 200 characters for a
// notification: the title after the word of its tone, the first sentence of the
// body, and up to three facts with their numbers.
func (m Message) Headline() string {
	s := joinNonEmpty(" – ", m.toned(), m.lead())
	if s == "" && len(m.Files) > 0 {
		s = m.Files[0].plain()
	}
	if utf8.RuneCountInString(s) > headlineRunes {
		return Clip(s, headlineRunes, nil)
	}
	return s
}

// lead returns the first sentence of the body and its first facts, on one line.
// Quiet text and charts count only if there is nothing else.
func (m Message) lead() string {
	var sentence, facts, rest string
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case Paragraph:
			line, _, _ := strings.Cut(strings.TrimSpace(b.Text.Plain()), "\n")
			if first(&rest, OneLine(line)); !b.Quiet {
				first(&sentence, OneLine(line))
			}
		case Fields:
			var leading []string
			for _, f := range b[:min(len(b), headlineFacts)] {
				leading = append(leading, f.plain(" "))
			}
			first(&facts, strings.Join(leading, ", "))
		case Chart:
			first(&rest, OneLine(PlainBlock(b)))
		}
	}
	if s := joinNonEmpty(" – ", sentence, facts); s != "" {
		return s
	}
	return rest
}

// first sets *s unless it is set.
func first(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// Plain returns the form as text: its title, what it says, one line for each
// field with what is wrong with it, and the button. It shows no secret.
func (f Form) Plain() string {
	lines := []string{OneLine(f.Title)}
	if intro := f.Intro.Plain(); intro != "" {
		lines = append(lines, intro)
	}
	for _, in := range f.Fields {
		lines = append(lines, in.plain())
		if wrong := OneLine(f.Errors[in.Name]); wrong != "" {
			lines = append(lines, "  ! "+wrong)
		}
	}
	if f.Submit != "" {
		lines = append(lines, "["+OneLine(f.Submit)+"]")
	}
	return strings.Join(lines, "\n")
}

// plain returns the field on one line: "Token (secret, optional; from your admin): ".
func (in Input) plain() string {
	var kind []string
	if in.Secret {
		kind = append(kind, "secret")
	}
	if in.Optional {
		kind = append(kind, "optional")
	}
	notes := joinNonEmpty("; ", strings.Join(kind, ", "), OneLine(in.Hint))
	s := OneLine(in.Label)
	if notes != "" {
		s += " (" + notes + ")"
	}
	if value := OneLine(in.Value); value != "" && !in.Secret {
		return s + ": " + value
	}
	return s + ":"
}
