package slack

import (
	"strings"
	"testing"
	"time"

	"floorwalker/bot/chat"
)

func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"Asha Rao":           "Asha Rao",
		"AT&T <b>":           "AT&amp;T &lt;b&gt;",
		"<!channel>":         "&lt;!channel&gt;",
		"`rm`":               "ˋrmˋ",
		"*all* ~none~":       "∗all∗ ∼none∼",
		"_all_ user_id a_":   "ˍallˍ user_id aˍ",
		":x: and :+1:":       ":\u200bx: and :\u200b+1:",
		"::x::y:":            "::\u200bx::\u200by:",
		"09:00–17:00":        "09:00–17:00",
		"4:12":               "4:12",
		"up\u202edown\x00\r": "updown \n",
	} {
		if got := inert(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestMrkdwn(t *testing.T) {
	at := time.Date(2026, 3, 2, 14, 5, 0, 0, time.UTC)
	for _, test := range []struct {
		text chat.Text
		want string
	}{
		{chat.Strong("a*b"), "*a∗b*"},
		{chat.Strong(" two\nlines "), " *two*\n*lines* "},
		{chat.Strong("  "), "  "},
		{chat.Code("/floor `x` *y*"), "`/floor ˋxˋ ∗y∗`"},
		{chat.Join(chat.T("a"), chat.Strong("b"), chat.T("c")), "a\u200b*b*\u200bc"},
		{chat.Join(chat.Strong("a"), chat.Code("b")), "*a*\u200b`b`"},
		{chat.Join(chat.T("a "), chat.Strong("b"), chat.T(", c")), "a *b*, c"},
		{chat.At(at, chat.Clock), "<!date^1772460300^{time}|14:05>"},
		{chat.At(at, chat.DayClock), "<!date^1772460300^{date_short_pretty} {time}|Mon 2 Mar 14:05>"},
		{chat.At(at, chat.Ago), "<!date^1772460300^{ago}|14:05>"},
		{chat.Text{{Kind: chat.SpanTime, Time: at, Text: "a|b>"}}, "<!date^1772460300^{time}|a/b&gt;>"},
		{chat.Link("a|b", "https://x.example/?a=1&b=<|>"), "<https://x.example/?a=1&amp;b=%3C%7C%3E|a/b>"},
		{chat.Link("click", "javascript:alert(1)"), "click (javascript:alert(1))"},
		{chat.Link("", "https://x.example"), "<https://x.example|https://x.example>"},
		{chat.Mention(person("U0ASHA"), "Asha"), "<@U0ASHA>"},
		{chat.Channel(person("C0SUPPORT")), "<#C0SUPPORT>"},
		{chat.Channel(person("U0ASHA")), "slack:U0ASHA"},
		{chat.Channel(chat.Address{Network: chat.Discord, ID: "1"}), "discord:1"},
		{chat.Mention(person("U0> <!channel"), "Asha"), "@Asha"},
		{chat.Mention(chat.Address{Network: chat.Discord, ID: "1"}, "Asha"), "@Asha"},
	} {
		if got := (place{}).mrkdwn(test.text); got != test.want {
			t.Errorf("%+v becomes %q, want %q", test.text, got, test.want)
		}
	}
	if got := (place{public: true}).mrkdwn(chat.Mention(person("U0ASHA"), "Asha")); got != "@Asha" {
		t.Errorf("a mention in a channel is %q", got)
	}
}

// What is promised for a text is never less than what it takes.
func TestSizesAreEnough(t *testing.T) {
	for _, s := range append(hostile, endless...) {
		for kind := chat.SpanPlain; kind <= chat.SpanChannel; kind++ {
			span := chat.Span{Kind: kind, Text: s, URL: "https://example.com/" + s, Address: person("U0ASHA"), Time: time.Unix(1e9, 0)}
			text := chat.Text{{Text: "a"}, span, {Text: "b"}}
			room := 2
			for range 1 {
				room += (place{}).spanSize(span)
			}
			if got := units((place{}).mrkdwn(text)); got > room {
				t.Errorf("kind %d of %.40q takes %d, promised %d", kind, s, got, room)
			}
		}
		sum := 0
		for c := range chat.Characters(s) {
			sum += roomFor(c)
		}
		if sum != roomFor(s) {
			t.Errorf("the size of %.40q is not the sum over its characters", s)
		}
	}
}

func TestCommandsMustDiffer(t *testing.T) {
	_, err := New(Config{Commands: map[string]string{"mystats": "/fw", "floor": "/fw"}})
	if err == nil || !strings.Contains(err.Error(), "/fw") {
		t.Errorf("two commands of one name: %v", err)
	}
	for _, u := range []string{"slack.com/api", "ftp://slack.com/", "https://"} {
		if _, err := New(Config{APIURL: u}); err == nil {
			t.Errorf("%q is taken for the address of an API", u)
		}
	}
	a, err := New(Config{APIURL: "https://slack.com/api"})
	if err != nil || a.base.String() != DefaultAPIURL {
		t.Errorf("the address is %v, %v", a.base, err)
	}
}
