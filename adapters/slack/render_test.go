package slack

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// hostile are names as somebody who wants to do harm, or only has an unusual
// name, would have them.
var hostile = []string{
	"", " ", "Asha Rao", "<!channel>", "<!here> & <!everyone>", "<@U1>", "<@W1|boss>", "<#C1|general>",
	"<https://evil.example|click me>", "https://evil.example", "&lt;!channel&gt;", "@channel", "*bold* _it_ ~no~ `code`",
	"```", "`", "* ", " *", "_", "__init__", "user_id", ":x:", ":x::y:", "9:41:00", ":100:", "a|b", "<!date^1^{time}|x>",
	"\u202egnp.exe", "محمد \u2066علي\u2069", "👩‍👩‍👧‍👦👍🏽🇮🇳", "line\nbreak\r\nand\tmore", "\x00\x1b[31m", string([]byte{0xff, 0xfe}),
	strings.Repeat("\n", 20), "–", ">", "quote\n> quote",
}

// endless are names of 5,000 characters.
var endless = []string{
	strings.Repeat("x", 5000), strings.Repeat("&", 5000), strings.Repeat("😀", 5000), strings.Repeat("<!channel>", 500),
	strings.Repeat(":x:", 1667), strings.Repeat("e\u0301", 2500),
}

// A dealer makes random cards.
type dealer struct{ *rand.Rand }

func (d dealer) name() string {
	if d.IntN(200) == 0 {
		return endless[d.IntN(len(endless))]
	}
	s := hostile[d.IntN(len(hostile))]
	if d.IntN(3) == 0 {
		s += hostile[d.IntN(len(hostile))]
	}
	return s
}

// few returns a number that is mostly small and at times far over every limit.
func (d dealer) few(most int) int {
	if d.IntN(10) == 0 {
		return d.IntN(most)
	}
	return d.IntN(5)
}

func (d dealer) text() chat.Text {
	var t chat.Text
	for range d.few(30) {
		t = append(t, chat.Span{
			Kind: chat.SpanKind(d.IntN(6)), Text: d.name(), URL: d.name(),
			Address: chat.Address{Network: chat.Slack, ID: d.name()},
			Time:    time.Unix(d.Int64N(4e9), 0), Style: chat.TimeStyle(d.IntN(3)),
		})
	}
	return t
}

func (d dealer) block() chat.Block {
	switch d.IntN(5) {
	case 0, 1:
		return chat.Paragraph{Text: d.text(), Quiet: d.IntN(2) == 0}
	case 2:
		var f chat.Fields
		for range d.few(100) {
			f = append(f, chat.Field{Label: d.name(), Value: d.name(), Note: d.name()})
		}
		return f
	case 3:
		t := chat.Table{More: d.IntN(3)}
		for range d.few(40) {
			t.Columns = append(t.Columns, chat.Column{Title: d.name(), Numeric: d.IntN(2) == 0})
		}
		for range d.few(150) {
			row := make([]string, len(t.Columns))
			for i := range row {
				row[i] = d.name()
			}
			t.Rows = append(t.Rows, row)
		}
		return t
	default:
		return d.chart()
	}
}

func (d dealer) chart() chat.Chart {
	c := chat.Chart{Title: d.name(), Kind: chat.ChartKind(d.IntN(2)), Unit: d.name(), Alt: d.name()}
	for i := range d.few(40) {
		c.Labels = append(c.Labels, fmt.Sprint(i, d.name()))
	}
	for i := range d.few(12) {
		s := chat.Series{Name: fmt.Sprint(i, d.name())}
		for range c.Labels {
			s.Points = append(s.Points, chat.Point{Value: d.Float64(), Missing: d.IntN(20) == 0})
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func (d dealer) message() chat.Message {
	m := chat.Message{Title: d.name(), Tone: chat.Tone(d.IntN(4)), Footer: d.text()}
	for range d.few(80) {
		m.Blocks = append(m.Blocks, d.block())
	}
	for i := range d.few(40) {
		a := chat.Action{ID: "mystats.show", Value: fmt.Sprint(i), Label: d.name(), Style: chat.Style(d.IntN(3))}
		if a.Style == chat.Primary {
			a.Style = chat.Default
		}
		switch d.IntN(4) {
		case 0:
			a.Confirm = &chat.Confirm{Title: d.name(), Text: d.name(), Yes: d.name(), No: d.name()}
		case 1:
			a.URL = "https://example.com/" + d.name()
		}
		m.Actions = append(m.Actions, a)
	}
	return m
}

// Whatever a message holds, what is drawn is within Slack's limits, and nothing
// in it that came from outside means anything to Slack.
func TestDrawnCardsAreValid(t *testing.T) {
	t.Parallel()
	d := dealer{rand.New(rand.NewPCG(1, 2))}
	for i := range 120 {
		m := d.message()
		for _, as := range []drawing{
			{}, {place: place{public: true}}, {noTables: true, noCharts: true},
			{surface: inModal}, {surface: inHome},
		} {
			c := as.draw(m)
			var problems []string
			switch as.surface {
			case inMessage:
				problems = c.problems()
			case inModal:
				problems = viewProblems(messageView(m))
			case inHome:
				problems = homeProblems(c.blocks)
			}
			if len(problems) > 0 {
				t.Fatalf("card %d drawn as %+v:\n%s", i, as, strings.Join(problems, "\n"))
			}
			if as.public && strings.Contains(everyText(t, c), "<@") {
				t.Fatalf("card %d: a mention in a channel", i)
			}
		}
		if problems := (card{text: textOnly(m)}).problems(); len(problems) > 0 {
			t.Fatalf("card %d as text only:\n%s", i, strings.Join(problems, "\n"))
		}
	}
}

// everyText returns all there is to read in mrkdwn.
func everyText(t *testing.T, c card) string {
	var all []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if v["type"] == "mrkdwn" {
				all = append(all, v["text"].(string))
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	b, err := json.Marshal([][]slack.Block{c.blocks, c.bar})
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	walk(v)
	return strings.Join(append(all, c.text), "\n")
}
