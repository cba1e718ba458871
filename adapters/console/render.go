package console

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"floorwalker/bot/chart"
	"floorwalker/bot/chat"
)

const (
	narrowest = 24  // columns; a terminal that is narrower wraps cards itself
	widest    = 100 // columns; longer lines are hard to read
	frame     = 4   // columns of a card's borders and their spaces
)

// limits are what a card of a width holds. They are wide: a terminal scrolls.
func limits(width int) chat.Limits {
	return chat.Limits{
		Total: 20000, Title: 300, Footer: 1000, Blocks: 60, Paragraph: 5000,
		Facts: 60, Label: 200, Value: 200, Note: 500,
		Rows: 200, Columns: max(1, (width-frame)/8), Cell: 200,
		Points: 20, Series: 6, ChartTitle: 100, ChartLabel: 20, Alt: 2000,
		Actions: 20, ActionLabel: 75, ConfirmTitle: 100, ConfirmText: 300, ConfirmButton: 30, Files: 10,
	}
}

// A drawing is a card in the making.
type drawing struct {
	width int // inside the borders
	body  []line
}

// drawCard returns a message as a card, with a heading in its border. The message
// was fitted; files are the lines that say where its files are.
func drawCard(heading string, m chat.Message, files []line, width int) []line {
	d := drawing{width: width - frame}
	if title := toned(m); len(title) > 0 {
		d.part(wrap(title, d.width))
	}
	for _, b := range m.Blocks {
		d.part(d.block(b))
	}
	if len(m.Footer) > 0 {
		d.part(wrap(spans(m.Footer, dim), d.width))
	}
	d.part(files)
	return framed(heading, d.body, d.buttons(m.Actions), width)
}

// part adds lines below a blank one.
func (d *drawing) part(lines []line) {
	if len(lines) == 0 {
		return
	}
	if len(d.body) > 0 {
		d.body = append(d.body, nil)
	}
	d.body = append(d.body, lines...)
}

// toneStyle returns the colour of a tone.
func toneStyle(t chat.Tone) style {
	switch t {
	case chat.Good:
		return green
	case chat.Warning:
		return yellow
	case chat.Critical:
		return red
	default:
		return blue
	}
}

// toned returns the title after the bar and the word of its tone.
func toned(m chat.Message) []run {
	tone := toneStyle(m.Tone)
	runs := []run{{"▌ ", tone}}
	if word := m.ToneWord(); word != "" {
		runs = append(runs, run{strings.ToUpper(word), tone.and(bold)}, run{"  ", plain})
	} else if m.Title == "" {
		return nil
	}
	return append(runs, run{m.Title, bold})
}

// framed puts a border around a card. Buttons stand below a rule.
func framed(heading string, body, buttons []line, width int) []line {
	inner := width - frame
	border := func(left, right, heading string) line {
		l := line{{left, dim}}
		if heading != "" {
			l = append(l, run{"─ ", dim}, run{chat.Clip(heading, inner-2, chat.Width), dim}, run{" ", dim})
		}
		return append(l, run{strings.Repeat("─", max(0, width-1-l.width())) + right, dim})
	}
	row := func(l line) line {
		out := append(line{{"│ ", dim}}, l.padded(inner)...)
		return append(out, run{" │", dim})
	}
	card := []line{border("╭", "╮", heading)}
	for _, l := range body {
		card = append(card, row(l))
	}
	if len(buttons) > 0 {
		card = append(card, border("├", "┤", ""))
		for _, l := range buttons {
			card = append(card, row(l))
		}
	}
	return append(card, border("╰", "╯", ""))
}

func (d *drawing) block(b chat.Block) []line {
	switch b := b.(type) {
	case chat.Paragraph:
		base := plain
		if b.Quiet {
			base = dim
		}
		return wrap(spans(b.Text, base), d.width)
	case chat.Fields:
		return d.fields(b)
	case chat.Table:
		return d.table(b)
	case chat.Chart:
		return d.chart(b)
	default:
		return nil
	}
}

// fields draws facts in a grid, each as its label, its value and its note.
func (d *drawing) fields(all chat.Fields) []line {
	across := max(1, min(3, d.width/17))
	if len(all) == 4 || len(all) < across {
		across = min(across, 2)
	}
	const gap = 2
	width := (d.width - gap*(across-1)) / across
	bands := []func(chat.Field) []line{
		func(f chat.Field) []line { return parts(f.Label, dim, width) },
		func(f chat.Field) []line { return parts(f.Value, bold, width) },
		func(f chat.Field) []line { return parts(f.Note, plain, width) },
	}
	if !slices.ContainsFunc(all, func(f chat.Field) bool { return chat.Width(f.Value+noted(f)) > width }) {
		bands = append(bands[:1], func(f chat.Field) []line { return wrap([]run{{f.Value, bold}, {noted(f), plain}}, width) })
	}
	var lines []line
	for row := range slices.Chunk(all, across) {
		if len(lines) > 0 {
			lines = append(lines, nil)
		}
		for _, band := range bands {
			lines = append(lines, facts(row, band, width, gap)...)
		}
	}
	return lines
}

// noted is the note as it stands behind its value.
func noted(f chat.Field) string {
	if f.Note == "" {
		return ""
	}
	return f.Joint() + f.Note
}

// facts draws one band of a row of the grid, such as its labels: no line for what
// none of the facts has. Values stand on one height, however long the labels are.
func facts(row chat.Fields, band func(chat.Field) []line, width, gap int) []line {
	var cells [][]line
	blank := true
	for _, f := range row {
		cell := band(f)
		cells = append(cells, cell)
		blank = blank && !slices.ContainsFunc(cell, func(l line) bool { return len(l.trimmed()) > 0 })
	}
	if blank {
		return nil
	}
	return beside(cells, width, gap)
}

// parts returns a text in lines. If it takes more than one, it is parted where
// it has a middle dot.
func parts(s string, st style, width int) []line {
	if chat.Width(s) <= width {
		return wrap([]run{{s, st}}, width)
	}
	var lines []line
	for part := range strings.SplitSeq(s, " · ") {
		lines = append(lines, wrap([]run{{part, st}}, width)...)
	}
	return lines
}

// beside puts blocks of lines next to each other.
func beside(cells [][]line, width, gap int) []line {
	height := 0
	for _, c := range cells {
		height = max(height, len(c))
	}
	lines := make([]line, height)
	for i := range lines {
		for _, c := range cells {
			var l line
			if i < len(c) {
				l = c[i]
			}
			lines[i] = append(lines[i], l.padded(width+gap)...)
		}
		lines[i] = lines[i].trimmed()
	}
	return lines
}

// trimmed returns the line without the spaces at its end.
func (l line) trimmed() line {
	for len(l) > 0 {
		last := len(l) - 1
		if s := strings.TrimRight(l[last].text, " "); s != "" {
			l[last].text = s
			return l
		}
		l = l[:last]
	}
	return l
}

// table draws columns side by side. Where they have no space the widest are cut.
func (d *drawing) table(t chat.Table) []line {
	const gap = 2
	widths := make([]int, len(t.Columns))
	total := gap * (len(widths) - 1)
	for i, c := range t.Columns {
		widths[i] = chat.Width(c.Title)
		for _, row := range t.Rows {
			widths[i] = max(widths[i], chat.Width(row[i]))
		}
		total += widths[i]
	}
	for ; total > d.width; total-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		widths[widest]--
	}
	draw := func(st style, cell func(i int) string) line {
		var b strings.Builder
		for i, w := range widths {
			s := chat.Clip(cell(i), w, chat.Width)
			if t.Columns[i].Numeric {
				b.WriteString(strings.Repeat(" ", w-chat.Width(s)) + s)
			} else {
				b.WriteString(pad(s, w))
			}
			b.WriteString(strings.Repeat(" ", gap))
		}
		return text(strings.TrimRight(b.String(), " "), st)
	}
	lines := []line{
		draw(dim, func(i int) string { return t.Columns[i].Title }),
		text(strings.Repeat("─", total), dim),
	}
	for _, row := range t.Rows {
		lines = append(lines, draw(plain, func(i int) string { return row[i] }))
	}
	if t.More > 0 {
		lines = append(lines, text(fmt.Sprintf("+%d more", t.More), dim))
	}
	return lines
}

// chart draws the picture, or says it in words where it cannot.
func (d *drawing) chart(c chat.Chart) []line {
	title := c.Title
	if c.Unit != "" && !strings.Contains(strings.ToLower(title), strings.ToLower(c.Unit)) {
		title += " (" + c.Unit + ")"
	}
	lines := wrap([]run{{title, bold}}, d.width)
	rows := strings.Split(chart.Text(c, d.width), "\n")
	second := math.MaxInt // the column in which the second series begins, under its name
	if len(c.Series) > 1 && c.Series[1].Name != "" {
		if i := strings.LastIndex(rows[0], c.Series[1].Name); i >= 0 {
			second = chat.Width(rows[0][:i])
		}
	}
	for _, row := range rows {
		lines = append(lines, painted(row, second))
	}
	return lines
}

// painted returns a row of a chart with its bars in colour, another one from the
// second series on, and the numbers as readable as any others.
func painted(row string, second int) line {
	var l line
	at := 0
	for row != "" {
		first, _ := utf8.DecodeRuneInString(row)
		n := strings.IndexFunc(row, func(r rune) bool { return block(r) != block(first) })
		if n < 0 {
			n = len(row)
		}
		st := plain
		if block(first) && at >= second {
			st = yellow
		} else if block(first) {
			st = blue
		}
		l = append(l, run{row[:n], st})
		at += chat.Width(row[:n])
		row = row[n:]
	}
	return l
}

// block reports whether r is one of the characters that bars are made of.
func block(r rune) bool { return r >= '▀' && r <= '▟' }

// noBreak keeps a number with its label while lines are wrapped.
const noBreak = "\u00a0"

// buttons draws actions with the numbers that press them.
func (d *drawing) buttons(actions []chat.Action) []line {
	var runs []run
	var pages []line
	for i, a := range actions {
		if i > 0 {
			runs = append(runs, run{"  ", plain})
		}
		st := plain
		switch a.Style {
		case chat.Primary:
			st = bold
		case chat.Danger:
			st = red
		}
		key := fmt.Sprintf("[%d]", i+1)
		runs = append(runs, run{key, cyan}, run{noBreak + strings.ReplaceAll(a.Label, " ", noBreak), st})
		if a.URL != "" {
			pages = append(pages, wrap([]run{{key + noBreak, dim}, {chat.OneLine(a.URL), link}}, d.width)...)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	lines := append(wrap(runs, d.width), pages...)
	for _, l := range lines {
		for i := range l {
			l[i].text = strings.ReplaceAll(l[i].text, noBreak, " ")
		}
	}
	return lines
}

// drawForm returns a form as a card. Its fields are asked for below it.
func drawForm(heading string, f chat.Form, width int) []line {
	d := drawing{width: width - frame}
	d.part(wrap([]run{{"▌ ", blue}, {chat.OneLine(f.Title), bold}}, d.width))
	if len(f.Intro) > 0 {
		d.part(wrap(spans(f.Intro, plain), d.width))
	}
	var fields []line
	for _, in := range f.Fields {
		runs := []run{{chat.OneLine(in.Label), bold}}
		if in.Optional {
			runs = append(runs, run{" (optional)", dim})
		}
		if in.Hint != "" {
			runs = append(runs, run{"  " + chat.OneLine(in.Hint), dim})
		}
		fields = append(fields, wrap(runs, d.width)...)
		if wrong := chat.OneLine(f.Errors[in.Name]); wrong != "" {
			fields = append(fields, wrap([]run{{"✗ " + wrong, red}}, d.width)...)
		}
	}
	d.part(fields)
	return framed(heading+" · form", d.body, nil, width)
}

// pad fills a string with spaces to a width.
func pad(s string, w int) string { return s + strings.Repeat(" ", max(0, w-chat.Width(s))) }
