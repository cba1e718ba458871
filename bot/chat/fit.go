package chat

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// Limits are what a network can show in one message. Zero means that there is
// no limit. The numbers of things count over the whole message unless they say
// otherwise; the rest are sizes of one string, as Size counts them.
type Limits struct {
	Total  int // title, body, footer and buttons together; give it 400 or more
	Title  int
	Footer int

	Blocks    int // number, at least 2
	Paragraph int

	Facts              int // number
	Label, Value, Note int // of a fact

	Tables  int // number; further tables become paragraphs
	Table   int // a whole table
	Rows    int // number in one table
	Columns int // number in one table
	Cell    int // headers too

	Charts     int // number; further charts become paragraphs
	Points     int // number in one series
	Series     int // number in one chart
	ChartTitle int
	ChartLabel int // names of series too
	Alt        int // of charts and files

	Actions                                  int // number
	ActionLabel                              int
	ConfirmTitle, ConfirmText, ConfirmButton int

	Files    int // number
	FileSize int // bytes of one

	// Size counts a string the way the network does, for example in UTF-16
	// units or after escaping; nil counts runes. The size of a text must be the
	// sum over its [Characters].
	Size func(string) int

	// SpanSize counts a span as the adapter draws it, markup included; nil is
	// Size of [Span.Plain]. It must not shrink as the span's text grows.
	SpanSize func(Span) int

	// BlockSize counts a block as the adapter draws it; nil is the sum of its
	// texts. It must not shrink as facts, rows or text are added.
	BlockSize func(Block) int
}

// Fit returns m within the limits of a network, and never says less without
// saying so: a text that was cut ends in "…", a table counts the rows that are
// missing, and everything else that was left out is counted in a last quiet
// paragraph, as in "+3 more facts, +1 more button".
//
// Things are dropped from the end of their list. Where the whole is too big,
// the last blocks go first, and the first block that has no space is shortened.
//
// Fit also puts m in order for drawing. Every string is as [Clean] returns it,
// titles, labels and cells are on one line, a missing value is "–", rows are as
// long as the header, series as long as the labels, and empty blocks are gone.
// Fitting again changes nothing. What m points to is not changed.
func Fit(m Message, l Limits) Message {
	f := fitter{l: l}
	m.Title = f.line(m.Title, l.Title)
	m.Word = f.line(m.Word, wordMost)
	m.Footer = f.text(m.Footer, l.Footer)
	m.Actions = f.actions(m.Actions)
	m.Files = f.files(m.Files)
	m.Blocks = f.blocks(m.Blocks)
	if !f.fits(m) {
		m = f.squeeze(m)
	}
	if note := f.note(); note != nil {
		m.Blocks = append(m.Blocks, note)
	}
	return m
}

// wordMost is the size of a message's word. The limits of titles leave room for it.
const wordMost = 20

// A fitter is one run of Fit.
type fitter struct {
	l                     Limits
	left                  leftOut
	facts, tables, charts int // so far
}

// note returns the paragraph that says what was left out, nil for nothing.
func (f *fitter) note() Block {
	if f.left == (leftOut{}) {
		return nil
	}
	return f.paragraph(f.left.note())
}

// leftOut counts what is no longer in the message.
type leftOut struct{ facts, columns, points, series, parts, buttons, files int }

// note says it.
func (o leftOut) note() Paragraph {
	var said []string
	say := func(n int, one, many string) {
		switch {
		case n == 1:
			said = append(said, more(n)+" "+one)
		case n > 1:
			said = append(said, more(n)+" "+many)
		}
	}
	say(o.facts, "fact", "facts")
	say(o.columns, "column", "columns")
	say(o.points, "point", "points")
	say(o.series, "series", "series")
	say(o.parts, "part", "parts")
	say(o.buttons, "button", "buttons")
	say(o.files, "file", "files")
	return Paragraph{Text: T(strings.Join(said, ", ")), Quiet: true}
}

// longestNote is a note that no real one is longer than.
var longestNote = leftOut{9e5, 9e5, 9e5, 9e5, 9e5, 9e5, 9e5}.note()

// limit returns n, or a very large number for "none".
func limit(n int) int {
	if n <= 0 {
		return math.MaxInt / 2
	}
	return n
}

// head returns a copy of the first items of a list and adds the number of the
// others to *left.
func head[T any](list []T, n int, left *int) []T {
	n = min(len(list), n)
	*left += len(list) - n
	return slices.Clone(list[:n])
}

func (f *fitter) size(s string) int {
	if f.l.Size != nil {
		return f.l.Size(s)
	}
	return utf8.RuneCountInString(s)
}

// line returns s on one line, cut to a limit.
func (f *fitter) line(s string, n int) string { return Clip(OneLine(s), limit(n), f.size) }

func (f *fitter) spanSize(s Span) int {
	if f.l.SpanSize != nil {
		return f.l.SpanSize(s)
	}
	return f.size(s.Plain())
}

func (f *fitter) textSize(t Text) int {
	n := 0
	for _, s := range t {
		n += f.spanSize(s)
	}
	return n
}

// text returns t cleaned and cut to a limit.
func (f *fitter) text(t Text, n int) Text {
	clean := make(Text, 0, len(t))
	for _, s := range t {
		if s.Text = Clean(s.Text); s.Kind != SpanPlain && s.Kind != SpanCode && s.Kind != SpanStrong {
			s.Text = OneLine(s.Text)
		}
		clean = append(clean, s)
	}
	return f.cut(clean, limit(n))
}

// cut returns t with its end replaced by an ellipsis if it is longer than room.
func (f *fitter) cut(t Text, room int) Text {
	if f.textSize(t) <= room {
		return t
	}
	room -= f.spanSize(Span{Text: Ellipsis})
	var kept Text
	for _, s := range t {
		n := f.spanSize(s)
		if n > room {
			if s.Text = f.prefix(s, room); s.Text != "" {
				kept = append(kept, s)
			}
			break
		}
		kept, room = append(kept, s), room-n
	}
	if room < 0 {
		return nil
	}
	return append(kept, Span{Text: Ellipsis})
}

// prefix returns as much of a span's text as fits. Instants and mentions are
// never cut: half a name is another name.
func (f *fitter) prefix(s Span, room int) string {
	if s.Kind == SpanTime || s.Kind == SpanMention || s.Kind == SpanChannel {
		return ""
	}
	ends := []int{0}
	for c := range Characters(s.Text) {
		ends = append(ends, ends[len(ends)-1]+len(c))
	}
	// The empty text is not asked about: for a link it would be the URL.
	n := sort.Search(len(ends)-1, func(i int) bool {
		short := s
		short.Text = s.Text[:ends[i+1]]
		return f.spanSize(short) > room
	})
	return strings.TrimRight(s.Text[:ends[n]], " ")
}

func (f *fitter) actions(list []Action) []Action {
	list = head(list, limit(f.l.Actions), &f.left.buttons)
	for i := range list {
		a := &list[i]
		a.Label = cmp.Or(f.line(a.Label, f.l.ActionLabel), Ellipsis)
		if a.Confirm != nil {
			a.Confirm = &Confirm{
				Title: f.line(a.Confirm.Title, f.l.ConfirmTitle),
				Text:  Clip(Clean(a.Confirm.Text), limit(f.l.ConfirmText), f.size),
				Yes:   f.line(a.Confirm.Yes, f.l.ConfirmButton),
				No:    f.line(a.Confirm.No, f.l.ConfirmButton),
			}
		}
	}
	return list
}

func (f *fitter) files(list []File) []File {
	small := slices.DeleteFunc(slices.Clone(list), func(x File) bool { return len(x.Data) > limit(f.l.FileSize) })
	f.left.files += len(list) - len(small)
	small = head(small, limit(f.l.Files), &f.left.files)
	for i := range small {
		small[i].Name = OneLine(small[i].Name)
		small[i].Alt = f.line(small[i].Alt, f.l.Alt)
	}
	return small
}

// blocks returns the blocks, each within its own limits.
func (f *fitter) blocks(list []Block) []Block {
	var fitted []Block
	for _, b := range list {
		if b = f.block(b); b != nil {
			fitted = append(fitted, b)
		}
	}
	return fitted
}

// block returns b within its limits, nil if it is empty or was left out.
func (f *fitter) block(b Block) Block {
	switch b := b.(type) {
	case Paragraph:
		return f.paragraph(b)
	case Fields:
		return f.fields(b)
	case Table:
		if len(b.Columns) == 0 {
			return nil
		}
		if f.tables++; f.tables > limit(f.l.Tables) {
			return f.paragraph(Paragraph{Text: T(PlainBlock(b))})
		}
		return f.table(b)
	case Chart:
		if f.charts++; f.charts > limit(f.l.Charts) {
			return f.paragraph(Paragraph{Text: T(PlainBlock(b))})
		}
		return f.chart(b)
	default:
		return nil
	}
}

func (f *fitter) paragraph(p Paragraph) Block {
	p.Text = f.text(p.Text, f.l.Paragraph)
	if strings.TrimSpace(p.Text.Plain()) == "" {
		return nil
	}
	return p
}

func (f *fitter) fields(list Fields) Block {
	list = head(list, limit(f.l.Facts)-f.facts, &f.left.facts)
	f.facts += len(list)
	for i, x := range list {
		list[i] = Field{
			Label: f.line(x.Label, f.l.Label),
			Value: cmp.Or(f.line(x.Value, f.l.Value), "–"),
			Note:  f.line(x.Note, f.l.Note),
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

func (f *fitter) table(t Table) Block {
	t.Columns = head(t.Columns, limit(f.l.Columns), &f.left.columns)
	for i := range t.Columns {
		t.Columns[i].Title = f.line(t.Columns[i].Title, f.l.Cell)
	}
	rows := head(t.Rows, limit(f.l.Rows), &t.More)
	for i, row := range rows {
		rows[i] = make([]string, len(t.Columns))
		for j := range rows[i] {
			rows[i][j] = f.line(cell(row, j), f.l.Cell)
		}
	}
	t.Rows = rows
	short := f.shorten(t, limit(f.l.Table))
	if short == nil {
		f.left.parts++
	}
	return short
}

func (f *fitter) chart(c Chart) Block {
	c.Title, c.Unit = f.line(c.Title, f.l.ChartTitle), f.line(c.Unit, f.l.ChartLabel)
	c.Alt = Clip(Clean(c.Alt), limit(f.l.Alt), f.size)
	c.Labels = head(c.Labels, limit(f.l.Points), &f.left.points)
	for i := range c.Labels {
		c.Labels[i] = f.line(c.Labels[i], f.l.ChartLabel)
	}
	c.Series = head(c.Series, limit(f.l.Series), &f.left.series)
	for i, s := range c.Series {
		points := slices.Clone(s.Points[:min(len(s.Points), len(c.Labels))])
		for len(points) < len(c.Labels) {
			points = append(points, Point{Missing: true})
		}
		c.Series[i] = Series{Name: f.line(s.Name, f.l.ChartLabel), Points: points}
	}
	return c
}
