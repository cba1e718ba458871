package slacktest_test

import (
	"slices"
	"testing"

	"floorwalker/adapters/slack/slacktest"
)

func TestPings(t *testing.T) {
	s := start(t, slacktest.Options{})
	for name, c := range map[string]struct {
		arguments   obj
		live, pings []string
	}{
		"channel":        {obj{"text": "<!channel> hello"}, []string{"<!channel>"}, []string{"channel"}},
		"here, labelled": {obj{"text": "<!here|here>"}, []string{"<!here|here>"}, []string{"here"}},
		"escaped":        {obj{"text": "&lt;!channel&gt; @channel @here"}, nil, nil},
		"linked names":   {obj{"text": "@channel", "link_names": true}, []string{"<!channel>"}, []string{"channel"}},
		"parsed":         {obj{"text": "@everyone", "parse": "full"}, []string{"<!everyone>"}, []string{"everyone"}},
		"a member":       {obj{"text": "<@U1>"}, []string{"<@U1>"}, []string{"U1"}},
		"not a member":   {obj{"text": "<@U4>"}, []string{"<@U4>"}, nil},
		"a group":        {obj{"text": "<!subteam^S1>"}, []string{"<!subteam^S1>"}, []string{"S1"}},
		"a link":         {obj{"text": "<https://evil.example|click>"}, []string{"<https://evil.example|click>"}, nil},
		"a date":         {obj{"text": "<!date^1700000000^{time}|09:00>"}, nil, nil},
		"not markup":     {obj{"text": "a < b > c <3 <nothing>"}, nil, nil},
		"mrkdwn":         {obj{"text": "x", "blocks": list{section("<!channel>")}}, []string{"<!channel>"}, []string{"channel"}},
		"field":          {obj{"text": "x", "blocks": list{obj{"type": "section", "fields": list{mrkdwn("<@U2>")}}}}, []string{"<@U2>"}, []string{"U2"}},
		"plain_text":     {obj{"text": "x", "blocks": list{obj{"type": "section", "text": words("<!channel>")}}}, nil, nil},
		"rich text":      {obj{"text": "x", "blocks": list{rich(obj{"type": "broadcast", "range": "here"})}}, []string{"<!here>"}, []string{"here"}},
		"rich user":      {obj{"text": "x", "blocks": list{rich(obj{"type": "user", "user_id": "U1"})}}, []string{"<@U1>"}, []string{"U1"}},
		"attachment":     {obj{"text": "x", "attachments": list{obj{"blocks": list{section("<!channel>")}}}}, []string{"<!channel>"}, []string{"channel"}},
		"old attachment": {obj{"text": "x", "attachments": list{obj{"text": "<!channel>"}}}, []string{"<!channel>"}, []string{"channel"}},
	} {
		c.arguments["channel"] = "C1"
		ts := call(t, s, "chat.postMessage", c.arguments).wants("").str("ts")
		m, err := s.WaitMessage(soon(t), "C1", func(m slacktest.Message) bool { return m.TS == ts })
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(m.Live, c.live) || !slices.Equal(m.Pings, c.pings) {
			t.Errorf("%s: live %q, pings %q; want %q, %q", name, m.Live, m.Pings, c.live, c.pings)
		}
	}
	ts := call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x"}).str("ts")
	call(t, s, "chat.update", obj{"channel": "C1", "ts": ts, "text": "<!channel>"}).wants("")
	call(t, s, "chat.postEphemeral", obj{"channel": "C1", "user": "U1", "text": "<!channel>"}).wants("")
	edited, private := s.Messages("C1"), s.Ephemerals("U1")
	for _, m := range []slacktest.Message{edited[len(edited)-1], private[0]} {
		if len(m.Live) != 1 || len(m.Pings) != 0 {
			t.Errorf("an edit or an ephemeral message pings: live %q, pings %q", m.Live, m.Pings)
		}
	}
}

func TestLiveInViews(t *testing.T) {
	s := start(t, slacktest.Options{})
	call(t, s, "views.publish", obj{"user_id": "U1", "view": obj{"type": "home", "blocks": list{section("<https://evil.example|click> &lt;!here&gt;")}}}).wants("")
	if v, _ := s.Home("U1"); !slices.Equal(v.Live(), []string{"<https://evil.example|click>"}) {
		t.Errorf("live %q", v.Live())
	}
}

func TestPlain(t *testing.T) {
	s := start(t, slacktest.Options{})
	for text, want := range map[string]string{
		"*Ana* · Billing":                    "Ana · Billing",
		"*a* *b* _c_ ~d~":                    "a b c d",
		"2 * 3 * 4, snake_case_name":         "2 * 3 * 4, snake_case_name",
		"type `/mystats *today*`":            "type /mystats *today*",
		"&lt;!channel&gt; &amp; co":          "<!channel> & co",
		"&amp;lt;":                           "&lt;",
		"<@U1> and <@U9>":                    "@Asha Rao and @U9",
		"<https://example.com|here>":         "here",
		"<https://example.com>":              "https://example.com",
		"at <!date^1700000000^{time}|09:00>": "at 09:00",
		"<!channel>":                         "@channel",
		"*unclosed and *mid*word* nested":    "*unclosed and *mid*word* nested",
	} {
		call(t, s, "chat.postMessage", obj{"channel": "C1", "text": text}).wants("")
		m := s.Messages("C1")
		if got := m[len(m)-1].Plain(); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	call(t, s, "chat.postMessage", obj{"channel": "C2", "text": "not shown"}).wants("not_in_channel")
	call(t, s, "chat.postMessage", obj{"channel": "U1", "text": "not shown beside blocks", "blocks": list{
		obj{"type": "header", "text": words("My numbers")},
		with(section("*Good*"), "accessory", button("more", "More")),
		obj{"type": "section", "fields": list{mrkdwn("*Calls*\n42"), mrkdwn("*Missed*\n3")}},
		obj{"type": "divider"}, table(), lineChart(),
		obj{"type": "context", "elements": list{mrkdwn("Updated"), words("now")}},
		rich(obj{"type": "user", "user_id": "U2"}),
		actions(button("refresh", "Refresh"), button("week", "Week")),
	}, "attachments": list{obj{"color": "#a30200", "blocks": list{section("in an attachment")}}}}).wants("")
	m := s.Messages("U1")[0]
	const want = `My numbers
Good
[More]
Calls 42
Missed 3
---
Team
Agent | Calls
Asha | 42
(line chart: Calls)
Updated now
@meera
[Refresh] [Week]
in an attachment`
	if m.Plain() != want {
		t.Errorf("shown as\n%s\nwant\n%s", m.Plain(), want)
	}
	if b := m.Buttons(); !slices.Equal(b, []string{"More", "Refresh", "Week"}) {
		t.Errorf("buttons %q", b)
	}
}

func TestUnfurls(t *testing.T) {
	s := start(t, slacktest.Options{})
	for n, c := range []struct {
		arguments obj
		want      bool
	}{
		{obj{}, true},
		{obj{"unfurl_media": false}, false},
		{obj{"unfurl_media": "false", "unfurl_links": "false"}, false},
		{obj{"unfurl_media": false, "unfurl_links": true}, true},
	} {
		c.arguments["channel"], c.arguments["text"] = "C1", "https://example.com"
		call(t, s, "chat.postMessage", c.arguments).wants("")
		if got := s.Messages("C1")[n].Unfurls; got != c.want {
			t.Errorf("%v: unfurls %v", c.arguments, got)
		}
	}
}
