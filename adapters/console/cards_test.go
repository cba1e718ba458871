package console

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); run with -update if this is right\n%s", name, diff)
	}
}

var noon = time.Date(2026, 3, 3, 14, 5, 0, 0, time.FixedZone("IST", 5*3600+1800))

// points returns points, where a negative one is missing.
func points(values ...float64) []chat.Point {
	var p []chat.Point
	for _, v := range values {
		p = append(p, chat.Point{Value: v, Missing: v < 0})
	}
	return p
}

var hours = strings.Fields("09 10 11 12 13 14 15 16 17")

func stats() chat.Message {
	return chat.Message{
		Title: "Asha Rao · today", Private: true,
		Blocks: []chat.Block{
			chat.Fields{
				{Label: "Calls offered", Value: "42", Note: "▲ 3 since 11:40"}, {Label: "Answered", Value: "39", Note: "93 %"}, {Label: "Missed", Value: "3", Note: "▲ 1"},
				{Label: "Average talk time", Value: "4:12", Note: "▼ 0:08"}, {Label: "Logged in", Value: "5:31:07"}, {Label: "Follow-ups", Value: "–", Note: "not in the payload"},
			},
			chat.Chart{Title: "Answered per hour", Unit: "calls", Labels: hours, Series: []chat.Series{{Name: "you", Points: points(3, 7, 9, 6, 0, 5, 8, 1, -1)}}, Alt: "09: 3"},
			chat.Paragraph{Text: chat.Join(chat.T("You are "), chat.Strong("2 calls ahead"), chat.T(" of your own median at this time of a Tuesday."))},
		},
		Footer: chat.Join(chat.T("Since midnight · read at "), chat.At(noon, chat.Clock), chat.T(" · type "), chat.Code("/mystats help"), chat.T(" for what the numbers mean")),
		Actions: []chat.Action{
			{ID: "refresh", Label: "Refresh", Style: chat.Primary, Replace: true}, {ID: "shift", Label: "Shift"},
			{ID: "unlink", Label: "Unlink", Style: chat.Danger, Confirm: &chat.Confirm{Title: "Unlink?", Text: "Your credential and your history are deleted.", Yes: "Delete", No: "Keep"}},
			{Label: "Open the dashboard", URL: "https://dashboard.example/agents/4711/and/a/longer/path?with=parameters&and=more"},
		},
	}
}

func team() chat.Message {
	return chat.Message{
		Title: "Support · now", Tone: chat.Warning, Private: true,
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.T("12 of 14 agents reported. 3 need a look.")},
			chat.Table{
				Columns: []chat.Column{{Title: "Agent"}, {Title: "State"}, {Title: "Offered", Numeric: true}, {Title: "Missed", Numeric: true}, {Title: "Talk", Numeric: true}},
				Rows:    [][]string{{"José Álvarez-Montenegro", "ready", "31", "7", "5:02"}, {"王小明", "on a call", "28", "4", "4:40"}, {"Asha Rao", "break", "42", "3", "4:12"}, {"Vikram Subramanian-Iyer", "logged out", "–", "–", "–"}},
				More:    8,
			},
		},
		Footer: chat.Join(chat.T("Worst first · read at "), chat.At(noon, chat.Clock)),
	}
}

func alarm() chat.Message {
	return chat.Message{
		Title: "Missed calls: Asha Rao", Tone: chat.Critical, Private: true,
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.Join(chat.Mention(chat.Address{Network: chat.Console, ID: "asha"}, "Asha Rao"), chat.T(" missed 4 calls in 30 minutes; the limit is 3. It has lasted for 2 minutes."))},
			chat.Fields{{Label: "Missed in 30 min", Value: "4", Note: "▲ 2"}, {Label: "Talk", Value: "4:12"}},
		},
		Footer:  chat.Join(chat.T("missed-burst · since "), chat.At(noon, chat.DayClock)),
		Actions: []chat.Action{{ID: "ack", Label: "Acknowledge", Style: chat.Primary, Replace: true}, {ID: "silence", Value: "1h", Label: "Silence 1 h"}},
	}
}

func digest() chat.Message {
	return chat.Message{
		Title: "Support · day shift, Tue 3 Mar", Tone: chat.Good,
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.Lines(chat.T("412 calls, 18 more than a usual Tuesday, and 96 % of them answered."), chat.T("The peak was at 11 with 61 calls."))},
			chat.Fields{{Label: "Offered", Value: "412", Note: "▲ 18"}, {Label: "Answered", Value: "396", Note: "96 %"}, {Label: "Missed", Value: "16", Note: "▼ 4"}, {Label: "Average talk", Value: "≈ 4:31"}},
			chat.Chart{Title: "Calls per hour", Unit: "calls", Labels: hours, Alt: "answered at 09: 40",
				Series: []chat.Series{{Name: "answered", Points: points(40, 52, 58, 49, 30, 41, 45, 38, 30)}, {Name: "missed", Points: points(1, 2, 3, 4, 0, 1, 2, -1, 3)}}},
		},
		Footer: chat.T("09:00–18:00 · 97 % of the time observed · 7 of 14 agents"),
	}
}

func failure() chat.Message {
	return chat.Message{
		Title: "The dashboard does not answer", Tone: chat.Critical, Private: true,
		Blocks:  []chat.Block{chat.Paragraph{Text: chat.T("I asked for your numbers and got no answer within 10 seconds. Try again in a minute.")}},
		Actions: []chat.Action{{ID: "mystats", Label: "Try again", Replace: true}},
		Footer:  chat.Join(chat.T("Request 7f3a9c · "), chat.Link("status page", "https://status.example")),
	}
}

func help() chat.Message {
	row := func(c, s string) chat.Text { return chat.Join(chat.Code(c), chat.T("  "+s)) }
	return chat.Message{
		Title: "What you can do here", Private: true,
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.Lines(row("/mystats", "your own numbers, for you alone"), row("/floor link", "connect your dashboard account"))},
			chat.Paragraph{Quiet: true, Text: chat.T("Only you see the answers.")},
		},
	}
}

func cards() []chat.Message {
	return []chat.Message{stats(), team(), alarm(), digest(), failure(), help()}
}

// draw returns a message as a card, in a terminal of the width.
func draw(m chat.Message, width int, color bool) string {
	var b strings.Builder
	for _, l := range drawCard("asha · only you see this", chat.Fit(m, limits(width)), nil, width) {
		b.WriteString(l.paint(color) + "\n")
	}
	return b.String()
}

func TestCards(t *testing.T) {
	for _, look := range []struct {
		name  string
		width int
		color bool
	}{{"cards-80.txt", 80, false}, {"cards-80-color.txt", 80, true}, {"cards-40.txt", 40, false}, {"cards-100.txt", 100, false}} {
		var all strings.Builder
		for _, m := range cards() {
			all.WriteString(draw(m, look.width, look.color))
		}
		golden(t, look.name, all.String())
	}
}

// everywhere returns a message with the text in every place.
func everywhere(s string) chat.Message {
	return chat.Message{
		Title: s, Tone: chat.Good, Footer: chat.T(s),
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.Join(chat.T(s), chat.Strong(s), chat.Code(s), chat.Link(s, s), chat.Mention(chat.Address{}, s))},
			chat.Fields{{Label: s, Value: s, Note: s}, {Label: s, Value: s}, {Value: s}},
			chat.Table{Columns: []chat.Column{{Title: s}, {Title: s, Numeric: true}, {Title: "n"}}, Rows: [][]string{{s, s, s}, {}}},
			chat.Chart{Title: s, Unit: s, Alt: s, Labels: []string{s, "b"}, Series: []chat.Series{{Name: s, Points: points(1, 2)}, {Name: s, Points: points(3)}}},
		},
		Actions: []chat.Action{{Label: s, URL: s}, {Label: s}},
	}
}

func TestFramesHold(t *testing.T) {
	all := cards()
	for _, s := range chattest.Hostile() {
		all = append(all, everywhere(s))
	}
	for _, width := range []int{narrowest, 31, 64, 80, widest} {
		for _, m := range all {
			checkFrames(t, draw(m, width, false), width)
		}
	}
}

func FuzzFramesHold(f *testing.F) {
	for i, s := range chattest.Hostile() {
		f.Add(s, 30+7*i)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		width = min(max(width, narrowest), widest)
		checkFrames(t, draw(everywhere(s), width, false), width)
	})
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 5, ""},
		{"one two three", 7, "one two|three"},
		{"one two three", 8, "one two|three"},
		{"one  two", 4, "one|two"},
		{"abcdefgh", 3, "abc|def|gh"},
		{"a bcdefgh", 3, "a|bcd|efg|h"},
		{"  indented text", 10, "  indented|text"},
		{"a\n\nb", 5, "a||b"},
		{"王小明", 4, "王小|明"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301|e\u0301"},
	} {
		var got []string
		for _, l := range wrap([]run{{test.text, plain}}, test.width) {
			got = append(got, l.paint(false))
		}
		if s := strings.Join(got, "|"); s != test.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", test.text, test.width, s, test.want)
		}
	}
}

func TestParts(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 9, ""},
		{"7 % · ▲ 1", 9, "7 % · ▲ 1"},
		{"7 % of offered · ▲ 1 since 13:45", 20, "7 % of offered|▲ 1 since 13:45"},
		{"7 % of offered · ▲ 1", 10, "7 % of|offered|▲ 1"},
	} {
		var got []string
		for _, l := range parts(test.text, plain, test.width) {
			got = append(got, l.paint(false))
		}
		if s := strings.Join(got, "|"); s != test.want {
			t.Errorf("parts(%q, %d) = %q, want %q", test.text, test.width, s, test.want)
		}
	}
}

func TestPaint(t *testing.T) {
	l := wrap(spans(chat.Join(chat.T("a "), chat.Strong("b c"), chat.Code("d")), dim), 4)
	var got []string
	for _, l := range l {
		got = append(got, l.paint(true))
	}
	want := "\x1b[2ma \x1b[0m\x1b[2;1mb\x1b[0m|\x1b[2;1mc\x1b[0m\x1b[36md\x1b[0m"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got %q, want %q", s, want)
	}
}

// TestNoBlankFacts: notes stand behind their values where that fits. Where no
// fact of a row has one, no line is kept for it, and so a card neither has a gap
// nor ends in a blank line.
func TestNoBlankFacts(t *testing.T) {
	m := chat.Message{Title: "How I am doing", Blocks: []chat.Block{
		chat.Fields{{Label: "Watching", Value: "12 polls"}, {Label: "Waiting", Value: "0"}, {Label: "Not delivered", Value: "0"}, {Label: "Idle", Value: "1 min"}},
		chat.Fields{{Label: "Offered", Value: "67", Note: "▲ 3"}, {Label: "Missed", Value: "5", Note: "7% of offered"}},
		chat.Fields{{Label: "Talk", Value: "4:12", Note: "▲ 0:20 · ≈ 2:34:42 in all"}, {Label: "Hold", Value: "8:32"}},
	}}
	var b strings.Builder
	for _, l := range drawCard("", m, nil, 60) {
		b.WriteString(strings.TrimRight(l.paint(false), " ") + "\n")
	}
	want := `╭──────────────────────────────────────────────────────────╮
│ ▌ How I am doing                                         │
│                                                          │
│ Watching                     Waiting                     │
│ 12 polls                     0                           │
│                                                          │
│ Not delivered                Idle                        │
│ 0                            1 min                       │
│                                                          │
│ Offered                      Missed                      │
│ 67 ▲ 3                       5 · 7% of offered           │
│                                                          │
│ Talk                         Hold                        │
│ 4:12                         8:32                        │
│ ▲ 0:20 · ≈ 2:34:42 in all                                │
╰──────────────────────────────────────────────────────────╯
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
