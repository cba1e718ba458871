package slack

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"floorwalker/bot/chat"
)

func TestPlainCommand(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "",
		"  today ":                             "today",
		"team add <@U0ASHA> support":           "team add <@slack:U0ASHA> support",
		"<@W0ASHA|asha.rao>":                   "<@slack:W0ASHA>",
		"<@nobody>":                            "@nobody",
		"<#C0SUPPORT|support>":                 "#support",
		"<#C0SUPPORT>":                         "#C0SUPPORT",
		"<!subteam^S1|@agents>":                "@agents",
		"<!channel> <!here|here>":              "@channel @here",
		"see <https://a.example/?x=1&amp;y=2>": "see https://a.example/?x=1&y=2",
		"<http://a.example|a.example>":         "a.example",
		"<mailto:a@b.example|a@b.example>":     "a@b.example",
		"a &lt; b &amp;&amp; c &gt; d":         "a < b && c > d",
		"&lt;@U0ASHA&gt;":                      "<@U0ASHA>",
		`silence "until 08:00"`:                `silence "until 08:00"`,
	} {
		if got := plainCommand(in); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
}

func FuzzPlainCommand(f *testing.F) {
	for _, s := range append(hostile, "<@U1|a>", "<#C1|b>", "<!subteam^S1|@x>", "<https://a|b>") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := plainCommand(s)
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q is read as %q", s, got)
		}
		// Only Slack's own token makes a mention out of angle brackets.
		if !strings.Contains(s, "<@") && !strings.Contains(s, "slack:") && strings.Contains(got, "<@slack:") {
			t.Errorf("%q mentions somebody: %q", s, got)
		}
	})
}

// Whatever is delivered, it is acknowledged exactly once or left to Slack, and
// nothing panics.
func FuzzTake(f *testing.F) {
	f.Add("slash_commands", `{"command":"/mystats","user_id":"U0ASHA","team_id":"T1","trigger_id":"1"}`)
	f.Add("interactive", `{"type":"block_actions","user":{"id":"U1","team_id":"T1"},"actions":[{"action_id":"rf0:a","value":"b"}]}`)
	f.Add("interactive", `{"type":"view_submission","user":{"id":"U1"},"team":{"id":"T1"},"view":{"id":"V1","callback_id":"form","private_metadata":"{}","state":{"values":{"in:a":{"value":{"value":null}}}}}}`)
	f.Add("interactive", `{"type":"view_closed","team":null,"enterprise":null}`)
	f.Add("events_api", `{"team_id":"T1","event_id":"E1","event":{"type":"app_home_opened","tab":"home","user":"U1"}}`)
	f.Add("events_api", `{"team_id":"T1","event":{"type":"channel_deleted","channel":{"id":[]}}}`)
	f.Add("hello", `null`)
	f.Fuzz(func(t *testing.T, kind, payload string) {
		a, err := New(Config{APIURL: "http://127.0.0.1:1/"})
		if err != nil {
			t.Fatal(err)
		}
		a.timing.form = 0
		s := a.session(&app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
			return chat.Reply{}, chat.ErrDuplicate
		}}, identity{team: "T1"})
		acks := make(chan any, 3)
		s.take(delivery{kind: kind, id: "1", payload: json.RawMessage(payload), ack: func(payload any) error {
			acks <- payload
			return errors.New("no connection")
		}})
		s.pool.Drain()
		s.acks.Wait()
		if len(acks) != 1 {
			t.Errorf("acknowledged %d times", len(acks))
		}
	})
}

func TestActionID(t *testing.T) {
	for _, a := range []chat.Action{
		{ID: "mystats.refresh", Value: "week"}, {ID: "a", Replace: true}, {ID: "a:b", Form: true}, {ID: "ü", Replace: true, Form: true},
	} {
		for _, i := range []int{0, 24} {
			got, ok := parseAction(actionID(i, a), a.Value)
			if !ok || got != a {
				t.Errorf("%+v came back as %+v, %v", a, got, ok)
			}
		}
	}
	for _, id := range []string{"", "0", "0:", "u0:", "u1:x", actionID(3, chat.Action{URL: "https://a.example"})} {
		if a, ok := parseAction(id, ""); ok {
			t.Errorf("%q is read as %+v", id, a)
		}
	}
}
