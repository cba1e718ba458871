package chat

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// card is a message with one of everything.
func card() Message {
	kolkata := time.FixedZone("IST", 5*3600+1800)
	now := time.Date(2026, 3, 2, 14, 5, 0, 0, kolkata)
	return Message{
		Title: "Support · now",
		Tone:  Warning,
		Blocks: []Block{
			Paragraph{Text: Join(Strong("2 of 3"), T(" agents reported at "), At(now, Clock), T(", "), At(now, DayClock), T(", "), At(now, Ago), T("."))},
			Fields{{"Calls offered", "42", "▲ 3 since 09:00"}, {Label: "Missed", Value: "–"}},
			Table{
				Columns: []Column{{Title: "Name"}, {Title: "Calls", Numeric: true}, {Title: "State"}},
				Rows:    [][]string{{"Asha Rao", "42", "ready"}, {"王小明", "7", "on a\ncall"}, {"José", "1234"}},
				More:    9,
			},
			Chart{Title: "Calls per hour", Alt: "09: 3, 10: 7"},
			Paragraph{Quiet: true, Text: Lines(Join(T("Type "), Code("/floor link")), Join(Link("Help", "https://example.com/h"), T(" "), Mention(Address{Slack, "U1"}, "Meera")))},
		},
		Footer:  T("Read just now"),
		Files:   []File{{Name: "export.json"}, {Name: "chart.png", Alt: "a chart"}},
		Actions: []Action{{Label: "Refresh"}, {Label: "Shift"}},
	}
}

func TestPlain(t *testing.T) {
	want := strings.TrimPrefix(`
Warning: Support · now
2 of 3 agents reported at 14:05, Mon 2 Mar 14:05, 14:05.
Calls offered: 42 (▲ 3 since 09:00)
Missed: –
Name      Calls  State
Asha Rao     42  ready
王小明        7  on a call
José       1234
+9 more
Calls per hour: 09: 3, 10: 7
Type /floor link
Help (https://example.com/h) @Meera
Read just now
File: export.json
File: chart.png (a chart)
[Refresh] [Shift]`, "\n")
	if diff := cmp.Diff(want, card().Plain()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPlainOfLittle(t *testing.T) {
	for _, test := range []struct {
		name string
		m    Message
		want string
	}{
		{"nothing", Message{}, ""},
		{"tone without title", Message{Tone: Critical, Footer: T("x")}, "Critical\nx"},
		{"tone with a word of its own", Message{Title: "x", Tone: Good, Word: "Recovered"}, "Recovered: x"},
		{"word without a tone", Message{Title: "x", Word: "Over\nnow"}, "Over now: x"},
		{"title of two lines", Message{Title: "a\nb"}, "a b"},
		{"terminal escape", Message{Title: "\x1b[31mred\x07"}, "[31mred"},
		{"direction override", Message{Title: "a\u202eb"}, "ab"},
		{"not UTF-8", Message{Title: "a\xffb"}, "a\uFFFDb"},
		{"mention without a name", Message{Footer: Mention(Address{Slack, "U1"}, "")}, "@slack:U1"},
		{"channel", Message{Footer: Join(T("to "), Channel(Address{Slack, "C1"}))}, "to slack:C1"},
		{"link that is its own text", Message{Footer: Link("https://x.example", "https://x.example")}, "https://x.example"},
		{"table without columns", Message{Title: "t", Blocks: []Block{Table{Rows: [][]string{{"a"}}}}}, "t"},
	} {
		if got := test.m.Plain(); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestHeadline(t *testing.T) {
	facts := Fields{{"Calls", "42", "▲ 3"}, {Label: "Missed", Value: "3"}, {Label: "Talk", Value: "4:12"}, {Label: "Hold", Value: "0:10"}}
	for _, test := range []struct {
		name string
		m    Message
		want string
	}{
		{"facts", Message{Title: "My stats", Blocks: []Block{Paragraph{Text: T("since 09:00"), Quiet: true}, facts}},
			"My stats – Calls 42 (▲ 3), Missed 3, Talk 4:12"},
		{"sentence", Message{Title: "Missed calls", Tone: Critical, Blocks: []Block{Paragraph{Text: T("Asha missed 4.\nMore.")}}},
			"Critical: Missed calls – Asha missed 4."},
		{"both", Message{Title: "Day", Blocks: []Block{Paragraph{Text: T("Busy.")}, facts[:1]}}, "Day – Busy. – Calls 42 (▲ 3)"},
		{"quiet only", Message{Blocks: []Block{Paragraph{Text: T("Nothing yet."), Quiet: true}}}, "Nothing yet."},
		{"file only", Message{Files: []File{{Name: "x.json"}}}, "File: x.json"},
	} {
		if got := test.m.Headline(); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	long := Message{Title: strings.Repeat("é", 500)}.Headline()
	if n := utf8.RuneCountInString(long); n != 200 || !strings.HasSuffix(long, "…") {
		t.Errorf("a long title gives %d characters, ending %q", n, long[len(long)-3:])
	}
}

func TestFormPlain(t *testing.T) {
	f := Form{
		Title: "Link", Intro: T("Once."), Submit: "Save",
		Fields: []Input{
			{Name: "id", Label: "User id", Value: "7"},
			{Name: "token", Label: "Token", Secret: true, Value: "hunter2", Hint: "from your admin"},
			{Name: "note", Label: "Note", Optional: true},
		},
		Errors: map[string]string{"id": "not a number"},
	}
	want := "Link\nOnce.\nUser id: 7\n  ! not a number\nToken (secret; from your admin):\nNote (optional):\n[Save]"
	if diff := cmp.Diff(want, f.Plain()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestJoint(t *testing.T) {
	for note, want := range map[string]string{"▲ 3": " ", "as usual": " ", "7% of offered": " · ", "≈ 1:02 in all": " · ", "": " "} {
		if got := (Field{Note: note}).Joint(); got != want {
			t.Errorf("before %q: %q, want %q", note, got, want)
		}
	}
}
