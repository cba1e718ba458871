package chat

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// hostile are texts that broke some chat program once.
var hostile = []string{
	"", " ", "Asha Rao", "<!channel>", "@everyone <@U1> &amp; *bold* `code`",
	strings.Repeat("x", 5000), strings.Repeat("wide 王小明 ", 100),
	"مرحبا بالعالم", "abc\u202edcba\u2066", "👨‍👩‍👧‍👦👍🏽🇮🇳❤️‍🔥", strings.Repeat("👨‍👩‍👧‍👦", 100),
	"Z" + strings.Repeat("\u0301\u0336", 300), "bad \xff\xc0\xaf utf-8", "\x1b[2J\x07\x00\x9b31m",
	"two\nlines\r\nand\u2028more", "</script><img src=x>", "\u200d\ufe0f\u0301",
}

func utf16Size(s string) int { return len(utf16.Encode([]rune(s))) }

// escapedSize counts as Slack does: & < > are written as entities.
func escapedSize(s string) int {
	return len(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s))
}

// tight are limits like those of real networks, and some that are tighter.
var tight = map[string]Limits{
	"none": {},
	"discord": {
		Total: 5500, Title: 256, Footer: 2048, Blocks: 20, Paragraph: 1000, Facts: 24, Label: 256, Value: 256, Note: 700,
		Tables: 1, Table: 1000, Rows: 20, Columns: 4, Cell: 20, Charts: 1, Points: 20, Series: 6, ChartTitle: 50, ChartLabel: 20, Alt: 1024,
		Actions: 25, ActionLabel: 80, Files: 10, FileSize: 100, Size: utf16Size,
	},
	"slack": {
		Total: 11000, Title: 150, Footer: 2000, Blocks: 40, Paragraph: 3000, Facts: 40, Label: 300, Value: 300, Note: 1000,
		Tables: 1, Rows: 100, Columns: 20, Cell: 200, Charts: 2, Points: 20, Series: 6, ChartTitle: 50, ChartLabel: 20, Alt: 2000,
		Actions: 25, ActionLabel: 75, ConfirmTitle: 100, ConfirmText: 300, ConfirmButton: 30, Size: escapedSize,
		SpanSize: func(s Span) int {
			switch s.Kind {
			case SpanStrong, SpanCode:
				return escapedSize(s.Text) + 2
			case SpanLink:
				return escapedSize(s.URL+s.Text) + 3
			default:
				return escapedSize(s.Plain())
			}
		},
	},
	"drawn": {Total: 900, Blocks: 3, Table: 200, BlockSize: func(b Block) int { return utf8.RuneCountInString(PlainBlock(b)) + 7 }},
	"tiny":  {Total: 400, Title: 5, Footer: 5, Blocks: 2, Paragraph: 30, Facts: 1, Label: 3, Value: 3, Note: 3, Tables: 1, Table: 40, Rows: 1, Columns: 1, Cell: 3, Charts: 1, Points: 2, Series: 1, ChartTitle: 3, ChartLabel: 2, Alt: 10, Actions: 1, ActionLabel: 4, ConfirmTitle: 3, ConfirmText: 3, ConfirmButton: 3, Files: 1, FileSize: 2},
}

// A source makes messages out of texts and chance.
type source struct {
	*rand.Rand
	texts []string
}

// text returns one of the texts, a long one seldom.
func (s source) text() string {
	t := s.texts[s.IntN(len(s.texts))]
	if len(t) > 100 && s.IntN(4) > 0 {
		return Clip(t, 70, nil)
	}
	return t
}

func (s source) spans() Text {
	var t Text
	for range s.IntN(5) {
		t = append(t, Span{
			Kind: SpanKind(s.IntN(7)), Text: s.text(), URL: "https://example.com/" + strings.Repeat("u", s.IntN(40)),
			Address: Address{Slack, "U1"}, Time: time.Unix(int64(s.IntN(1e9)), 0), Style: TimeStyle(s.IntN(3)),
		})
	}
	return t
}

// few is usually small and sometimes more than any network takes.
func (s source) few() int {
	if s.IntN(4) == 0 {
		return s.IntN(40)
	}
	return s.IntN(5)
}

func list[T any](n int, one func() T) []T {
	var l []T
	for range n {
		l = append(l, one())
	}
	return l
}

func (s source) block() Block {
	switch s.IntN(4) {
	case 0:
		return Paragraph{Text: s.spans(), Quiet: s.IntN(2) == 0}
	case 1:
		return Fields(list(s.few(), func() Field { return Field{s.text(), s.text(), s.text()} }))
	case 2:
		return Table{
			Columns: list(s.few()%25, func() Column { return Column{s.text(), s.IntN(2) == 0, s.IntN(2) == 0} }),
			Rows:    list(s.few(), func() []string { return list(s.few()%7, s.text) }),
			More:    s.IntN(3),
		}
	default:
		return Chart{
			Title: s.text(), Unit: s.text(), Alt: s.text(), Labels: list(s.few(), s.text),
			Series: list(s.few()%9, func() Series {
				return Series{s.text(), list(s.few(), func() Point { return Point{Value: s.Float64()} })}
			}),
		}
	}
}

func (s source) message() Message {
	return Message{
		Title: s.text(), Tone: Tone(s.IntN(4)), Word: s.text(), Blocks: list(s.few()%60, s.block), Footer: s.spans(),
		Actions: list(s.few()%40, func() Action {
			return Action{Label: s.text(), Confirm: &Confirm{s.text(), s.text(), s.text(), s.text()}}
		}),
		Files: list(s.few()%15, func() File { return File{Name: s.text(), Alt: s.text(), Data: make([]byte, s.IntN(200))} }),
	}
}

func TestFitProperties(t *testing.T) {
	for name, l := range tight {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(12) {
				m := source{rand.New(rand.NewPCG(seed, 1)), hostile}.message()
				checkFit(t, m, l)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

func FuzzFit(f *testing.F) {
	for i, s := range hostile[:6] {
		f.Add(s, hostile[len(hostile)-1-i], uint64(i))
	}
	f.Fuzz(func(t *testing.T, a, b string, seed uint64) {
		m := source{rand.New(rand.NewPCG(seed, 2)), []string{a, b}}.message()
		for _, l := range tight {
			checkFit(t, m, l)
		}
	})
}

// checkFit checks everything that Fit promises.
func checkFit(t *testing.T, m Message, l Limits) {
	t.Helper()
	before := m.Plain()
	got := Fit(m, l)
	if m.Plain() != before {
		t.Error("Fit changed its argument")
	}
	if diff := cmp.Diff(got, Fit(got, l)); diff != "" {
		t.Errorf("fitting again changes something (-once +twice)\n%s", diff)
	}
	c := checker{t: t, f: fitter{l: l}}
	c.message(got)
	c.said(m, got)
}

type checker struct {
	t *testing.T
	f fitter
}

func (c checker) within(what string, n, max int) {
	c.t.Helper()
	if max > 0 && n > max {
		c.t.Errorf("%s: %d is over %d", what, n, max)
	}
}

func (c checker) string(what, s string, max int, lines bool) {
	c.t.Helper()
	c.within(what, c.f.size(s), max)
	if s != Clean(s) || !lines && s != OneLine(s) {
		c.t.Errorf("%s: %q is not clean", what, s)
	}
}

func (c checker) message(m Message) {
	l := c.f.l
	c.string("title", m.Title, l.Title, false)
	c.within("footer", c.f.textSize(m.Footer), l.Footer)
	c.within("blocks", len(m.Blocks), l.Blocks)
	c.within("actions", len(m.Actions), l.Actions)
	c.within("files", len(m.Files), l.Files)
	for _, a := range m.Actions {
		c.string("action", a.Label, l.ActionLabel, false)
		c.string("confirm", a.Confirm.Title, l.ConfirmTitle, false)
		c.string("confirm", a.Confirm.Text, l.ConfirmText, true)
		c.string("confirm", a.Confirm.Yes, l.ConfirmButton, false)
	}
	for _, f := range m.Files {
		c.within("file", len(f.Data), l.FileSize)
	}
	total, facts, tables, charts := c.f.fixedSize(m), 0, 0, 0
	for _, b := range m.Blocks {
		total += c.f.blockSize(b)
		switch b := b.(type) {
		case Paragraph:
			c.within("paragraph", c.f.textSize(b.Text), l.Paragraph)
		case Fields:
			facts += len(b)
			for _, f := range b {
				c.string("label", f.Label, l.Label, false)
				c.string("value", f.Value, l.Value, false)
				c.string("note", f.Note, l.Note, false)
			}
		case Table:
			tables++
			c.table(b)
		case Chart:
			charts++
			c.chart(b)
		}
	}
	c.within("total", total, l.Total)
	c.within("facts", facts, l.Facts)
	c.within("tables", tables, l.Tables)
	c.within("charts", charts, l.Charts)
}

func (c checker) table(b Table) {
	l := c.f.l
	c.within("table", c.f.blockSize(b), l.Table)
	c.within("rows", len(b.Rows), l.Rows)
	c.within("columns", len(b.Columns), l.Columns)
	for _, row := range b.Rows {
		if len(row) != len(b.Columns) {
			c.t.Errorf("a row of %d cells under %d columns", len(row), len(b.Columns))
		}
		for _, s := range row {
			c.string("cell", s, l.Cell, false)
		}
	}
}

func (c checker) chart(b Chart) {
	l := c.f.l
	c.string("chart title", b.Title, l.ChartTitle, false)
	c.string("alt", b.Alt, l.Alt, true)
	c.within("points", len(b.Labels), l.Points)
	c.within("series", len(b.Series), l.Series)
	for _, s := range b.Series {
		c.string("series", s.Name, l.ChartLabel, false)
		if len(s.Points) != len(b.Labels) {
			c.t.Errorf("%d points for %d labels", len(s.Points), len(b.Labels))
		}
	}
}

// said checks that what is missing is announced.
func (c checker) said(m, got Message) {
	plain := got.Plain()
	expect := func(missing bool, mark string) {
		c.t.Helper()
		if missing && !strings.Contains(plain, mark) {
			c.t.Errorf("something is missing, and there is no %q in\n%.2000s", mark, plain)
		}
	}
	if c.f.l.Paragraph > 0 && c.f.l.Paragraph < 100 { // the note itself is cut
		expect(len(got.Actions) < len(m.Actions) || len(got.Files) < len(m.Files), "+")
		return
	}
	expect(len(got.Actions) < len(m.Actions), "more button")
	expect(len(got.Files) < len(m.Files), "more file")
	full := Fit(m, Limits{}).Plain()
	if plain != full && !strings.Contains(plain, Ellipsis) && !strings.Contains(plain, " more") {
		c.t.Errorf("something was left out silently\n%.2000s", plain)
	}
}

func TestFitSays(t *testing.T) {
	facts := Fields(list(7, func() Field { return Field{Label: "Calls", Value: "1"} }))
	rows := list(9, func() []string { return []string{"Asha", "1", "2"} })
	columns := []Column{{Title: "Name"}, {Title: "A", Numeric: true}, {Title: "B", Numeric: true}}
	chart := Chart{Title: "c", Alt: "in words", Labels: []string{"1", "2", "3"}, Series: []Series{{Points: []Point{{Value: 1}}}, {}}}
	for _, test := range []struct {
		name string
		l    Limits
		m    Message
		want string
	}{
		{"facts over all grids", Limits{Facts: 9}, Message{Blocks: []Block{facts, facts}},
			strings.Repeat("Calls: 1\n", 9) + "+5 more facts"},
		{"rows", Limits{Rows: 1}, Message{Blocks: []Block{Table{Columns: columns, Rows: rows, More: 2}}},
			"Name  A  B\nAsha  1  2\n+10 more"},
		{"columns", Limits{Columns: 2, Rows: 1}, Message{Blocks: []Block{Table{Columns: columns, Rows: rows[:1]}}},
			"Name  A\nAsha  1\n+1 more column"},
		{"a whole table", Limits{Table: 26}, Message{Blocks: []Block{Table{Columns: columns, Rows: rows}}},
			"Name  A  B\nAsha  1  2\nAsha  1  2\n+7 more"},
		{"a table too small for a row", Limits{Table: 8}, Message{Title: "t", Blocks: []Block{Table{Columns: columns, Rows: rows}}},
			"t\n+1 more part"},
		{"second table", Limits{Tables: 1}, Message{Blocks: []Block{Table{Columns: columns, Rows: rows[:1]}, Table{Columns: columns, Rows: rows[:1]}}},
			"Name  A  B\nAsha  1  2\nName  A  B\nAsha  1  2"},
		{"second chart", Limits{Charts: 1}, Message{Blocks: []Block{chart, chart}}, "c: in words\nc: in words"},
		{"points and series", Limits{Points: 2, Series: 1}, Message{Blocks: []Block{chart}}, "c: in words\n+1 more point, +1 more series"},
		{"blocks", Limits{Blocks: 2}, Message{Blocks: []Block{Paragraph{Text: T("a")}, Paragraph{Text: T("b")}, Paragraph{Text: T("c")}}},
			"a\n+2 more parts"},
		{"buttons and files", Limits{Actions: 1, FileSize: 1}, Message{Actions: []Action{{Label: "A"}, {Label: "B"}}, Files: []File{{Name: "x", Data: make([]byte, 2)}}},
			"+1 more button, +1 more file\n[A]"},
		{"a long sentence", Limits{Paragraph: 13}, Message{Blocks: []Block{Paragraph{Text: Join(T("12345"), Strong("6789"), Mention(Address{Slack, "U1"}, "Asha"))}}},
			"123456789…"},
		{"a link keeps its target", Limits{Paragraph: 26, SpanSize: func(s Span) int { return len(s.Text) + len(s.URL) }}, Message{Blocks: []Block{Paragraph{Text: Link("documentation", "https://x.example")}}},
			"docume (https://x.example)…"},
		{"no space before the mark", Limits{Paragraph: 5}, Message{Blocks: []Block{Paragraph{Text: T("one two")}}}, "one…"},
		{"empty things", Limits{}, Message{Title: "t", Blocks: []Block{Fields{}, Paragraph{Text: T(" \n")}, Table{}, Fields{{Label: "Calls"}}}},
			"t\nCalls: –"},
	} {
		got := Fit(test.m, test.l).Plain()
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.name, diff)
		}
	}
}

func TestFitWhole(t *testing.T) {
	long := func(s string) Block { return Paragraph{Text: T(strings.Repeat(s, 300))} }
	m := Message{Title: "t", Blocks: []Block{long("a"), long("b"), long("c")}}
	got := Fit(m, Limits{Total: 500})
	if len(got.Blocks) != 3 {
		t.Fatalf("%d blocks, want two and a note", len(got.Blocks))
	}
	first, second := PlainBlock(got.Blocks[0]), PlainBlock(got.Blocks[1])
	if len(first) != 300 || len(second) < 50 || !strings.HasSuffix(second, "b…") {
		t.Errorf("the first block has %d characters, the second is %q", len(first), second)
	}
	if note := PlainBlock(got.Blocks[2]); note != "+1 more part" {
		t.Errorf("the note is %q", note)
	}
}

func TestFitCountsTheNoteAndTheFrame(t *testing.T) {
	frame := func(b Block) int { return len(PlainBlock(b)) + 300 }
	m := Message{Blocks: []Block{
		Paragraph{Text: T(strings.Repeat("a", 800))},
		Fields{{Label: "A", Value: "1"}, {Label: "B", Value: "2"}},
	}}
	for total := 1000; total < 2000; total += 7 {
		got, n := Fit(m, Limits{Total: total, Facts: 1, BlockSize: frame}), 0
		for _, b := range got.Blocks {
			n += frame(b)
		}
		if n > total {
			t.Fatalf("the limit is %d, and the body has %d:\n%s", total, n, got.Plain())
		}
	}
}

func TestFitLeavesAlone(t *testing.T) {
	m := card()
	got := Fit(m, Limits{Total: 5000, Blocks: 10, Rows: 10}).Plain()
	if diff := cmp.Diff(m.Plain(), got); diff != "" {
		t.Errorf("a message within the limits changed (-was +is)\n%s", diff)
	}
}

func ExampleFit() {
	m := Message{Title: "Support", Blocks: []Block{Fields{{Label: "Calls", Value: "42"}, {Label: "Missed", Value: "3"}, {Label: "Talk", Value: "4:12"}}}}
	fmt.Println(Fit(m, Limits{Facts: 2}).Plain())
	// Output:
	// Support
	// Calls: 42
	// Missed: 3
	// +1 more fact
}
