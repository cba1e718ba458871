package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
)

func (r *running) send(a *Adapter, to string, m chat.Message) chat.Ref {
	r.Helper()
	sent, err := a.Send(r.ctx, chat.Outgoing{To: person(to), Message: m, Key: "k"})
	r.must(err)
	return sent
}

// sending returns an adapter that only sends.
func sending(t *testing.T, o slacktest.Options) (*running, *Adapter) {
	t.Helper()
	srv := workspace(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return &running{T: t, ctx: ctx, srv: srv}, adapter(t, srv)
}

// The token stands in the header of every call and nowhere else: the library
// writes it into the body.
func TestTokenInHeaderOnly(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	r.send(a, asha, chat.Message{Title: "hello", Files: []chat.File{{Name: "a.txt", Data: []byte("a")}}})
	_, err := a.Lookup(r.ctx, asha)
	r.must(err)
	a.Check(r.ctx)
	calls := r.srv.Calls("")
	if len(calls) < 6 {
		t.Fatalf("only %d calls were made", len(calls))
	}
	for _, c := range calls {
		want := "xoxb-1"
		if c.Method == methodOpen {
			want = "xapp-1"
		}
		if c.Token != want {
			t.Errorf("%s was called with the token %q", c.Method, c.Token)
		}
		if body := fmt.Sprint(c.Args); strings.Contains(body, "xoxb") || strings.Contains(body, "xapp") || strings.Contains(body, "token:") {
			t.Errorf("%s has a token in its body", c.Method)
		}
	}
}

// A message says what it is to phones and screen readers, unfurls nothing, and
// can be found again by a hash of its key.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	m := chat.Message{Title: "Missed calls", Tone: chat.Critical, Blocks: []chat.Block{
		chat.Paragraph{Text: chat.T("Asha <b> missed 4 calls")}, chat.Fields{{Label: "Missed", Value: "4"}},
	}}
	out := chat.Outgoing{To: person(asha), Message: m, Key: "alert/1/fire/slack:U0ASHA", Resent: true}
	_, err := a.Send(r.ctx, out)
	r.must(err)
	sent := r.srv.Messages(asha)[0]
	if want := "(re-sent) Critical: Missed calls – Asha &lt;b&gt; missed 4 calls – Missed 4"; sent.Text != want {
		t.Errorf("the text is %q, want %q", sent.Text, want)
	}
	if sent.Unfurls {
		t.Error("links unfurl")
	}
	if meta := fmt.Sprint(sent.Metadata); strings.Contains(meta, asha) || !strings.Contains(meta, "floorwalker") {
		t.Errorf("the metadata is %s", meta)
	}
	if len(sent.Attachments) != 1 || sent.Attachments[0]["color"] != "#a30200" {
		t.Errorf("the bar is %v", sent.Attachments)
	}
	if sent.Metadata["event_payload"].(map[string]any)["key"] != keyed(out.Key).EventPayload["key"] {
		t.Error("the key's hash is not the same as before")
	}
}

// An edit takes everything of the message away that it does not say again.
func TestEditTakesTheBarAway(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	sent := r.send(a, support, chat.Message{Title: "fire", Tone: chat.Critical, Blocks: []chat.Block{chat.Paragraph{Text: chat.T("it burns")}}})
	r.must(a.Edit(r.ctx, sent, chat.Message{Title: "over"}))
	if m := r.srv.Messages(support)[0]; len(m.Attachments) != 0 || strings.Contains(m.Plain(), "burns") || m.Edits != 1 {
		t.Errorf("after the edit it reads\n%s", m.Plain())
	}
}

// Of the edits that wait for one message, only the newest is made.
func TestEditsAreCoalesced(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	sent := r.send(a, support, chat.Message{Title: "0"})
	release := make(chan struct{})
	r.srv.Fail("chat.update", slacktest.Fault{Delay: 300 * time.Millisecond}, 1)
	var edits sync.WaitGroup
	edit := func(n int) {
		edits.Go(func() {
			if n > 1 {
				<-release
			}
			if err := a.Edit(r.ctx, sent, chat.Message{Title: fmt.Sprint(n)}); err != nil {
				t.Errorf("edit %d: %v", n, err)
			}
		})
	}
	edit(1)
	waiting := func(n int) bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.edits[sent.ID] != nil && a.edits[sent.ID].users == n && len(a.edits[sent.ID].turn) == 1
	}
	for !waiting(1) {
		time.Sleep(time.Millisecond)
	}
	for n := 2; n <= 10; n++ {
		edit(n)
	}
	close(release)
	edits.Wait()
	calls := r.srv.Calls("chat.update")
	if len(calls) < 2 || len(calls) > 3 { // the first, perhaps one that began before the others, the newest
		t.Errorf("%d edits were made of 10", len(calls))
	}
	if len(a.edits) != 0 {
		t.Errorf("%d messages are still being edited", len(a.edits))
	}
}

// A workspace that has no charts yet gets the words, and is not asked again for
// a week.
func TestRefusedChart(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{NoCharts: true})
	points := []chat.Point{{Value: 3}, {Value: 5}}
	m := chat.Message{Title: "Day", Blocks: []chat.Block{chat.Chart{
		Title: "Calls", Labels: []string{"09", "10"}, Series: []chat.Series{{Name: "calls", Points: points}}, Alt: "three at nine, five at ten",
	}}}
	for range 2 {
		r.send(a, support, m)
	}
	if n := len(r.srv.Calls("chat.postMessage")); n != 3 {
		t.Errorf("%d calls, want one more than messages", n)
	}
	for _, sent := range r.srv.Messages(support) {
		if !strings.Contains(sent.Plain(), "three at nine") {
			t.Errorf("the chart's words are missing in\n%s", sent.Plain())
		}
	}
	if d := a.allowed(drawing{}, time.Now().Add(refusedFor)); d.noCharts {
		t.Error("after a week it is not tried again")
	}
}

// A form that is refused altogether is sent as text, before it is given up.
func TestRefusedForm(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	r.srv.Fail("chat.postMessage", slacktest.Fault{Error: "invalid_blocks"}, 1)
	r.send(a, support, chat.Message{Title: "hello", Tone: chat.Good})
	if m := r.srv.Messages(support)[0]; len(m.Blocks) != 0 || m.Text != "Good: hello" {
		t.Errorf("it was sent as %q with %d blocks", m.Text, len(m.Blocks))
	}
	r.srv.Fail("chat.postMessage", slacktest.Fault{Error: "msg_too_long"}, -1)
	_, err := a.Send(r.ctx, chat.Outgoing{To: person(support), Message: chat.Message{Title: "hello"}})
	if !errors.Is(err, chat.ErrRejected) {
		t.Errorf("Send returned %v, want ErrRejected", err)
	}
	if n := len(r.srv.Calls("chat.postMessage")); n != 4 {
		t.Errorf("%d calls, want two for each message", n)
	}
}

// Each of Slack's codes tells the caller what to do.
func TestErrorsOfSending(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault slacktest.Fault
		want  error // nil: none of the named ones
		after time.Duration
	}{
		{slacktest.Fault{Error: "is_archived"}, chat.ErrGone, 0},
		{slacktest.Fault{Error: "not_in_channel"}, chat.ErrBarred, 0},
		{slacktest.Fault{Error: "missing_scope", Extra: map[string]any{"needed": "chat:write"}}, chat.ErrRefused, 0},
		{slacktest.Fault{Error: "restricted_action"}, chat.ErrBarred, 0},
		{slacktest.Fault{Error: "token_revoked"}, chat.ErrFinal, 0},
		{slacktest.Fault{Error: "account_inactive"}, chat.ErrFinal, 0},
		{slacktest.Fault{Error: "fatal_error", Stored: true}, chat.ErrUnclear, 0},
		{slacktest.Fault{Error: "never_heard_of"}, chat.ErrUnclear, 0},
		{slacktest.Fault{Status: 503, Stored: true}, chat.ErrUnclear, 0},
		{slacktest.Fault{Reset: true, Stored: true}, chat.ErrUnclear, 0},
		{slacktest.Fault{Status: 429, RetryAfter: 7 * time.Second}, nil, 7 * time.Second},
		{slacktest.Fault{Error: "ratelimited"}, nil, time.Minute},
		{slacktest.Fault{Error: "message_limit_exceeded"}, nil, pauseUnknown},
		{slacktest.Fault{Status: 429}, nil, pauseUnknown},
		{slacktest.Fault{Error: "team_added_to_org"}, nil, 0},
		{slacktest.Fault{Status: 404}, nil, 0},
	} {
		r, a := sending(t, slacktest.Options{})
		r.srv.Fail("chat.postMessage", test.fault, 1)
		_, err := a.Send(r.ctx, chat.Outgoing{To: person(support), Message: chat.Message{Title: "hello"}})
		for _, class := range []error{chat.ErrGone, chat.ErrBarred, chat.ErrRefused, chat.ErrFinal, chat.ErrUnclear, chat.ErrRejected} {
			if errors.Is(err, class) != (class == test.want) {
				t.Errorf("%+v: %v", test.fault, err)
			}
		}
		retry, ok := errors.AsType[*chat.RetryError](err)
		if err == nil || ok != (test.after > 0) || ok && retry.After != test.after {
			t.Errorf("%+v: %v, want to wait %v", test.fault, err, test.after)
		}
		if needed, ok := test.fault.Extra["needed"].(string); ok && !strings.Contains(err.Error(), needed) {
			t.Errorf("%v does not name the scope %s", err, needed)
		}
	}
}

// What never left is no doubt.
func TestUnreachableSlack(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	r.srv.Close()
	_, err := a.Send(r.ctx, chat.Outgoing{To: person(support), Message: chat.Message{Title: "hello"}})
	if err == nil || errors.Is(err, chat.ErrUnclear) || errors.Is(err, chat.ErrFinal) || !errors.Is(err, errUnsent) {
		t.Errorf("Send returned %v", err)
	}
}

// After a 429 nobody calls that channel until the time is over; others are not
// held up.
func TestTooManyPausesTheChannel(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	r.srv.AddChannel(slacktest.Channel{ID: "C0OTHER"})
	r.srv.Fail("chat.postMessage", slacktest.Fault{Channel: support, Status: http.StatusTooManyRequests, RetryAfter: time.Hour}, 1)
	for range 3 {
		_, err := a.Send(r.ctx, chat.Outgoing{To: person(support), Message: chat.Message{Title: "hello"}})
		if retry, ok := errors.AsType[*chat.RetryError](err); !ok || retry.After < 59*time.Minute {
			t.Errorf("Send returned %v", err)
		}
	}
	r.send(a, "C0OTHER", chat.Message{Title: "hello"})
	if n := len(r.srv.Calls("chat.postMessage")); n != 2 {
		t.Errorf("%d calls, want one for each channel", n)
	}
}

// Direct messages are opened once for each person.
func TestDirectMessagesAreOpenedOnce(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	for range 3 {
		r.send(a, asha, chat.Message{Title: "hello"})
	}
	if n := len(r.srv.Calls("conversations.open")); n != 1 {
		t.Errorf("opened %d times", n)
	}
	for _, id := range []string{"U0GONE", "U0NODM"} {
		r.srv.AddUser(slacktest.User{ID: id, Deleted: id == "U0GONE", NoDM: true})
		_, err := a.Send(r.ctx, chat.Outgoing{To: person(id), Message: chat.Message{Title: "hello"}})
		if !errors.Is(err, chat.ErrGone) {
			t.Errorf("Send to %s: %v, want ErrGone", id, err)
		}
	}
}

// The message has arrived, so a file that could not be attached must not make
// it arrive again.
func TestMissingFileIsSaid(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	r.srv.SetScopes("chat:write", "im:write")
	r.send(a, support, chat.Message{Title: "hello", Files: []chat.File{{Name: "a.csv", Data: []byte("1")}, {Name: "empty"}}})
	all := r.srv.Messages(support)
	if len(all) != 3 || !strings.Contains(all[1].Plain(), "a.csv could not be attached: I lack the permission files:write") {
		t.Errorf("%d messages", len(all))
	}
}

// A mention in a channel would notify the person, so there the name stands.
func TestMentions(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	m := chat.Message{Blocks: []chat.Block{chat.Paragraph{Text: chat.Join(chat.T("by "), chat.Mention(person(meera), "Meera"))}}}
	r.send(a, support, m)
	r.send(a, asha, m)
	if sent := r.srv.Messages(support)[0]; len(sent.Live) != 0 || !strings.Contains(sent.Plain(), "by @Meera") {
		t.Errorf("in the channel: %q, live %q", sent.Plain(), sent.Live)
	}
	if sent := r.srv.Messages(asha)[0]; len(sent.Live) != 1 || len(sent.Pings) != 0 {
		t.Errorf("in the direct messages: live %q, pings %q", sent.Live, sent.Pings)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	r, a := sending(t, slacktest.Options{})
	r.srv.AddUser(slacktest.User{ID: "U0MARS", Real: "Mark", TZ: "Mars/Olympus"})
	r.srv.AddUser(slacktest.User{ID: "U0LEFT", Deleted: true})
	for id, want := range map[string]chat.Person{
		asha: {Name: "Asha Rao", Zone: "Asia/Kolkata"}, meera: {Name: "Meera"}, "U0MARS": {Name: "Mark"},
	} {
		if got, err := a.Lookup(r.ctx, id); err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", id, got, err, want)
		}
	}
	if _, err := a.Lookup(r.ctx, "U0LEFT"); !errors.Is(err, chat.ErrGone) {
		t.Errorf("a deactivated user: %v, want ErrGone", err)
	}
}

// A token that is revoked while the adapter runs stops it, whoever notices.
func TestRevokedWhileSending(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapter(t, srv)
	r := run(t, srv, a, &app{})
	srv.Revoke("token_revoked")
	if _, err := a.Send(r.ctx, chat.Outgoing{To: person(support), Message: chat.Message{Title: "x"}}); !errors.Is(err, chat.ErrFinal) {
		t.Errorf("Send returned %v", err)
	}
	for a.Healthy() == nil && r.ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if err := r.stop(); !errors.Is(err, chat.ErrFinal) {
		t.Errorf("Run returned %v", err)
	}
}

// Another workspace's database is not written to.
func TestForeignWorkspace(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapter(t, srv)
	other := errors.New("this database belongs to another workspace")
	a.config.Workspace = func(_ context.Context, id string) error {
		if id != "T0TEAM" {
			t.Errorf("the workspace is %q", id)
		}
		return other
	}
	if err := a.Run(t.Context(), &app{}); !errors.Is(err, chat.ErrFinal) || !errors.Is(err, other) {
		t.Errorf("Run returned %v", err)
	}
	if n := len(srv.Calls(methodOpen)); n != 0 {
		t.Errorf("%d connections were asked for", n)
	}
}
