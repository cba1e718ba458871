package slack

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// stale is an answer that is replaced when release is closed.
func stale(release <-chan struct{}) chat.Reply {
	first := chat.Show(note("stale", "old numbers"))
	first.Then = func(ctx context.Context) (chat.Reply, error) {
		select {
		case <-release:
			return chat.Show(note("fresh", "new numbers")), nil
		case <-ctx.Done():
			return chat.Reply{}, context.Cause(ctx)
		}
	}
	return first
}

// Where Slack does not let a command replace its answer, the second one stands
// below the first: nothing is lost.
func TestThenWithoutReplacing(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	release := make(chan struct{})
	r := run(t, srv, adapter(t, srv), replies(stale(release)))
	act := srv.Slash(asha, support, "/mystats", "")
	r.reply(act, "old numbers")
	close(release)
	r.reply(act, "new numbers")
	for _, m := range act.Replies() {
		if !m.Ephemeral() {
			t.Errorf("an answer is for everybody: %s", m.Plain())
		}
		if m.Unfurls {
			t.Errorf("links of an answer unfurl: %s", m.Plain())
		}
	}
	for _, c := range srv.Calls("response_url") {
		if c.Args["response_type"] != "ephemeral" || c.Token != "" {
			t.Errorf("response_url was called with type %q and token %q", c.Args["response_type"], c.Token)
		}
	}
}

// An answer whose response_url is too old goes to the direct messages, and is
// edited there.
func TestLateAnswerGoesToDM(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	release, asked := make(chan struct{}), make(chan struct{})
	first := stale(release)
	r := run(t, srv, adapter(t, srv), &app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
		<-asked
		return first, nil
	}})
	act := srv.Slash(asha, support, "/mystats", "")
	_, err := act.WaitAck(r.ctx)
	r.must(err)
	act.Expire()
	close(asked)
	m := r.dm(asha, "old numbers")
	close(release)
	if edited := r.dm(asha, "new numbers"); edited.TS != m.TS {
		t.Error("the second answer is another message")
	}
}

// A response_url that fails without a clear answer is called once more; one that
// keeps failing leaves the answer to the direct messages.
func TestFailingResponseURL(t *testing.T) {
	for name, test := range map[string]struct {
		fault slacktest.Fault
		times int
		dm    bool
	}{
		"503 once":   {slacktest.Fault{Status: 503}, 1, false},
		"reset once": {slacktest.Fault{Reset: true}, 1, false},
		"429 once":   {slacktest.Fault{Status: 429, RetryAfter: time.Second}, 1, false},
		"503":        {slacktest.Fault{Status: 503}, -1, true},
		"refused":    {slacktest.Fault{Status: 400, Error: "invalid_blocks"}, -1, true},
		"used":       {slacktest.Fault{Status: 404, Error: "used_url"}, -1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := workspace(t, slacktest.Options{})
			srv.Fail("response_url", test.fault, test.times)
			r := run(t, srv, adapter(t, srv), &app{})
			act := srv.Slash(asha, support, "/mystats", "today")
			if test.dm {
				r.dm(asha, "mystats today")
			} else {
				r.reply(act, "mystats today")
			}
			r.must(r.stop())
			if n := len(srv.Messages(asha)) + len(act.Replies()); n != 1 {
				t.Errorf("%d answers", n)
			}
		})
	}
}

// A table that the workspace refuses in an answer is sent as text.
func TestRefusedFormOfAnswer(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	srv.Fail("response_url", slacktest.Fault{Status: 400, Error: "invalid_blocks"}, 1)
	m := note("team", "now")
	m.Blocks = append(m.Blocks, chat.Table{Columns: []chat.Column{{Title: "Name"}}, Rows: [][]string{{"Asha Rao"}}})
	r := run(t, srv, adapter(t, srv), replies(chat.Show(m)))
	answer := r.reply(srv.Slash(asha, support, "/mystats", ""), "Asha Rao")
	if strings.Contains(fmt.Sprint(answer.Blocks), "type:table") {
		t.Error("the table was sent again")
	}
}

func TestForeignersAreRefused(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	srv.AddUser(slacktest.User{ID: "U0ELSE", Team: "T0ELSE"})
	srv.AddChannel(slacktest.Channel{ID: "C0SHARED", Members: []string{asha, "U0ELSE"}})
	bot := &app{}
	a := adapter(t, srv)
	r := run(t, srv, a, bot)
	r.reply(srv.Slash("U0ELSE", "C0SHARED", "/mystats", ""), "can only answer people of that workspace")

	_, err := a.Send(r.ctx, chat.Outgoing{To: person("C0SHARED"), Message: withButton(chat.Action{ID: "x", Label: "Press"})})
	r.must(err)
	press, err := srv.Press("U0ELSE", srv.Messages("C0SHARED")[0], "Press")
	r.must(err)
	r.reply(press, "can only answer people of that workspace")
	if n := len(bot.requests()); n != 0 {
		t.Errorf("the bot was asked %d times", n)
	}
}

func withButton(a chat.Action) chat.Message {
	return chat.Message{Title: "card", Actions: []chat.Action{a}}
}

func TestOrganisation(t *testing.T) {
	t.Parallel()
	who := identity{team: "T1", enterprise: "E1"}
	srv := workspace(t, slacktest.Options{})
	s := adapter(t, srv).session(&app{}, who)
	for _, test := range []struct {
		team, enterprise string
		want             bool
	}{
		{"T1", "", true}, {"T1", "E1", true}, {"E1", "E1", true},
		{"T2", "", false}, {"T2", "E2", false},
		{"T2", "E1", false}, // asha's profile names no organisation
	} {
		if got := s.ours(t.Context(), asha, test.team, test.enterprise); got != test.want {
			t.Errorf("a person of %s in %s: %v", test.team, test.enterprise, got)
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	r := run(t, srv, adapter(t, srv), &app{})
	r.reply(srv.Slash(asha, support, "/stats", ""), "/floor help")
}

// A file of an answer is for the person alone, so it goes to the direct
// messages, and the answer says so.
func TestFilesOfAnswer(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	m := note("export", "everything")
	m.Files = []chat.File{{Name: `../my\me.json`, Type: "application/json", Data: []byte(`{"a":1}`)}}
	r := run(t, srv, adapter(t, srv), replies(chat.Show(m)))
	r.reply(srv.Slash(asha, support, "/floor", "export"), "I sent ..-my-me.json to our direct messages")
	files := srv.Files()
	if len(files) != 1 || !bytes.Contains(files[0].Data, []byte(`{"a":1}`)) || !slices.Equal(files[0].Channels, []string{srv.DM(asha)}) {
		t.Errorf("the files are %+v", files)
	}

	srv.SetScopes("commands", "chat:write", "im:write")
	r.reply(srv.Slash(asha, support, "/floor", "export"), "I lack the permission files:write")
}

// A press acts on the message with its own way of answering, and a link button
// is only acknowledged.
func TestPresses(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapter(t, srv)
	bot := &app{}
	r := run(t, srv, a, bot)
	m := chat.Message{Title: "card", Actions: []chat.Action{
		{ID: "ack", Value: "1", Label: "Replace", Replace: true},
		{ID: "ack", Value: "2", Label: "Add"},
		{Label: "Open", URL: "https://example.com/"},
	}}
	sent, err := a.Send(r.ctx, chat.Outgoing{To: person(support), Message: m})
	r.must(err)
	press := func(label string) *slacktest.Interaction {
		act, err := srv.Press(asha, srv.Messages(support)[0], label)
		r.must(err)
		_, err = act.WaitAck(r.ctx)
		r.must(err)
		return act
	}
	press("Open")
	if m := r.reply(press("Add"), "answer"); !m.Ephemeral() {
		t.Error("the answer to a press is for everybody")
	}
	if m := r.reply(press("Replace"), "answer"); m.TS != strings.TrimPrefix(sent.ID, support+":") {
		t.Error("the answer did not take the message's place")
	}
	got := bot.requests()
	if len(got) != 2 || got[0].Action.Value != "2" || got[1].Action.Value != "1" || got[1].Ref != sent || got[1].In != person(support) {
		t.Errorf("the requests are %+v", got)
	}
}

// The home page is published, also over a newer one of our own.
func TestHome(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	pages := 0
	r := run(t, srv, adapter(t, srv), &app{handle: func(_ context.Context, req chat.Request) (chat.Reply, error) {
		if req.Kind != chat.KindHome || req.From != person(asha) {
			return chat.Reply{}, fmt.Errorf("unexpected %+v", req)
		}
		pages++
		return chat.Show(note(fmt.Sprintf("page %d", pages), "home")), nil
	}})
	page := func(n int) slacktest.View {
		v, err := srv.WaitHome(r.ctx, asha, func(v slacktest.View) bool { return strings.Contains(v.Plain(), fmt.Sprintf("page %d", n)) })
		r.must(err)
		return v
	}
	srv.OpenHome(asha)
	page(1)
	srv.OpenHome(asha)
	page(2)
	srv.Event(map[string]any{"type": "app_home_opened", "user": asha, "tab": "home", "view": map[string]any{"hash": "an old one"}})
	page(3)
	// The page is seen a moment before its call is on record.
	r.must(srv.Wait(r.ctx, func() bool { return len(srv.Calls("views.publish")) >= 4 }))
	calls, conflicts, guarded := srv.Calls("views.publish"), 0, 0
	for _, c := range calls { // on record in the order in which they ended
		if c.Error == "hash_conflict" {
			conflicts++
		}
		if c.Args["hash"] != "" {
			guarded++
		}
	}
	if len(calls) != 4 || conflicts != 1 || guarded < 2 {
		t.Errorf("views.publish was called %d times, %d with a hash, %d in conflict; want a conflict and another try", len(calls), guarded, conflicts)
	}
}

// A button of the home page is answered in a window, unless its answer is the
// page.
func TestPressOnHome(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	home := note("home", "page")
	home.Actions = []chat.Action{{ID: "more", Label: "More"}, {ID: "refresh", Label: "Refresh", Replace: true}}
	r := run(t, srv, adapter(t, srv), &app{handle: func(_ context.Context, req chat.Request) (chat.Reply, error) {
		if req.Kind == chat.KindHome {
			return chat.Show(home), nil
		}
		first := chat.Show(note(req.Action.ID, "old numbers"))
		first.Then = func(context.Context) (chat.Reply, error) { return chat.Show(note(req.Action.ID, "new numbers")), nil }
		return first, nil
	}})
	srv.OpenHome(asha)
	page, err := srv.WaitHome(r.ctx, asha, nil)
	r.must(err)
	_, err = srv.Press(asha, page, "More")
	r.must(err)
	r.shows("new numbers")
	if v, _ := srv.Home(asha); !strings.Contains(v.Plain(), "page") {
		t.Errorf("the page became\n%s", v.Plain())
	}
	_, err = srv.Press(asha, page, "Refresh")
	r.must(err)
	_, err = srv.WaitHome(r.ctx, asha, func(v slacktest.View) bool { return strings.Contains(v.Plain(), "new numbers") })
	r.must(err)
}

// Channels that go away are reported; a token that was revoked ends Run.
func TestEvents(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	bot := &app{}
	a := adapter(t, srv)
	r := run(t, srv, a, bot)
	for _, e := range []map[string]any{
		{"type": "channel_deleted", "channel": "C1"},
		{"type": "group_left", "channel": map[string]any{"id": "C2"}},
		{"type": "tokens_revoked", "tokens": map[string]any{"oauth": []string{asha}}},
	} {
		_, err := srv.Event(e).WaitAck(r.ctx)
		r.must(err)
	}
	srv.Deliver("events_api", map[string]any{"team_id": "T0ELSE", "event": map[string]any{"type": "app_uninstalled"}})
	_, err := srv.WaitCall(r.ctx, "auth.test", nil)
	r.must(err)
	for len(srv.Calls("auth.test")) < 2 && r.ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if a.Healthy() != nil {
		t.Fatal("somebody's token was revoked, not ours")
	}
	srv.Revoke("token_revoked")
	srv.Event(map[string]any{"type": "app_uninstalled"})
	for a.Healthy() == nil && r.ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if a.Healthy() == nil {
		t.Fatal("Run goes on")
	}
	bot.mu.Lock()
	defer bot.mu.Unlock()
	gone := func(id string) chat.Event { return chat.Event{Kind: chat.EventGone, Gone: person(id), By: chat.Slack} }
	removed := chat.Event{Kind: chat.EventRemoved, By: chat.Slack}
	for _, want := range []chat.Event{gone("C1"), gone("C2"), removed} {
		if !slices.Contains(bot.events, want) {
			t.Errorf("%+v is missing among %+v", want, bot.events)
		}
	}
	if len(bot.events) != 3 {
		t.Errorf("%d events, want three: %+v", len(bot.events), bot.events)
	}
}

// No log line holds a token, a response_url, what somebody typed, or what they
// entered into a form, whatever fails.
func TestLogsHoldNoSecret(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{Times: slacktest.Times{Ack: time.Second}})
	var logged syncBuffer
	a := adapterWith(t, Config{
		BotToken: secret.New("xoxb-1"), AppToken: secret.New("xapp-1"), APIURL: srv.APIURL(),
		Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	r := run(t, srv, a, &app{handle: func(_ context.Context, req chat.Request) (chat.Reply, error) {
		if req.Text == "link" {
			return chat.Ask(linkForm()), nil
		}
		return chat.Show(note("answer", "to "+req.Text)), nil
	}})
	srv.Slash(asha, support, "/floor", "link")
	_, err := srv.WaitView(r.ctx, asha, nil)
	r.must(err)
	form, err := srv.SubmitView(asha, map[string]string{inputPrefix + "token": "h1dden-token"})
	r.must(err)
	_, err = form.WaitAck(r.ctx)
	r.must(err)
	for _, fault := range []slacktest.Fault{{Reset: true}, {Status: 500}, {Status: 400, Error: "invalid_blocks"}, {Status: 404}} {
		srv.Fail("response_url", fault, -1)
		srv.Fail("chat.postMessage", slacktest.Fault{Error: "invalid_blocks"}, 3)
		_, err := srv.Slash(asha, support, "/mystats", "my s3cret words").WaitAck(r.ctx)
		r.must(err)
	}
	srv.Deliver("interactive", map[string]any{"type": 7, "value": "h1dden-token"})
	r.must(r.stop())
	for _, hidden := range []string{"xoxb-1", "xapp-1", "/response/", "s3cret", "h1dden"} {
		if i := bytes.Index(logged.bytes(), []byte(hidden)); i >= 0 {
			t.Errorf("%q is in the log: …%s", hidden, logged.bytes()[max(0, i-200):i+20])
		}
	}
	if len(logged.bytes()) < 1000 {
		t.Error("next to nothing was logged: the test shows nothing")
	}
}
