package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
)

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}

func linkForm() chat.Form {
	return chat.Form{ID: "floor", Value: "link", Title: "Link", Submit: "Link", Fields: []chat.Input{
		{Name: "user", Label: "User id", Optional: true},
		{Name: "token", Label: "Token", Secret: true, Optional: true},
	}}
}

// asks returns an app that asks for a form and answers it as the test says.
func asks(answer func(context.Context, chat.Request) (chat.Reply, error)) *app {
	return &app{handle: func(ctx context.Context, r chat.Request) (chat.Reply, error) {
		if r.Kind != chat.KindForm {
			return chat.Ask(linkForm()), nil
		}
		return answer(ctx, r)
	}}
}

// opened types the command and waits for the window.
func (r *running) opened() {
	r.Helper()
	r.srv.Slash(asha, support, "/floor", "link")
	_, err := r.srv.WaitView(r.ctx, asha, nil)
	r.must(err)
}

func (r *running) submit(values map[string]string) *slacktest.Interaction {
	r.Helper()
	named := map[string]string{}
	for k, v := range values {
		named[inputPrefix+k] = v
	}
	act, err := r.srv.SubmitView(asha, named)
	r.must(err)
	return act
}

// shows waits until the window shows the words.
func (r *running) shows(words string) slacktest.View {
	r.Helper()
	v, err := r.srv.WaitView(r.ctx, asha, func(v slacktest.View) bool { return strings.Contains(v.Plain(), words) })
	if err != nil {
		v, _ := r.srv.View(asha)
		r.Fatalf("the window never says %q but\n%s", words, v.Plain())
	}
	return v
}

// A handler that takes long does not keep the window waiting: it shows that it
// is being checked, and then the result.
func TestSlowForm(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapter(t, srv)
	a.timing.form = 10 * time.Millisecond
	release := make(chan struct{})
	r := run(t, srv, a, asks(func(context.Context, chat.Request) (chat.Reply, error) {
		<-release
		return chat.Show(note("Linked", "well done")), nil
	}))
	r.opened()
	act := r.submit(map[string]string{"user": "1"})
	r.shows("Checking what you sent")
	if _, acked := act.Ack(); !acked {
		t.Error("the form was not acknowledged")
	}
	close(release)
	r.shows("well done")
}

// Errors stand at the inputs they are about, and what was entered stays.
func TestFormErrors(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	r := run(t, srv, adapter(t, srv), asks(func(_ context.Context, req chat.Request) (chat.Reply, error) {
		f := linkForm()
		f.Errors = map[string]string{"user": "that is no number", "token": "too short"}
		if req.Values["user"].Reveal() == "2" {
			f.Errors = map[string]string{"user": "still none", "elsewhere": "not on this form"}
		}
		return chat.Ask(f), nil
	}))
	r.opened()
	r.submit(map[string]string{"user": "1"})
	v := r.shows("that is no number")
	if v.Errors[inputPrefix+"user"] != "that is no number" || v.Errors[inputPrefix+"token"] != "too short" {
		t.Errorf("the errors are %v", v.Errors)
	}
	// One that is about no input would show as a failure of the app.
	r.submit(map[string]string{"user": "2"})
	if v := r.shows("not on this form"); v.Failure != "" {
		t.Errorf("the person reads %q", v.Failure)
	}
}

// The result of a form whose window was closed goes to the direct messages.
func TestClosedForm(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapter(t, srv)
	a.timing.form = 10 * time.Millisecond
	release := make(chan struct{})
	r := run(t, srv, a, asks(func(context.Context, chat.Request) (chat.Reply, error) {
		<-release
		return chat.Show(note("Linked", "well done")), nil
	}))
	r.opened()
	r.submit(nil)
	r.shows("Checking what you sent")
	_, err := srv.CloseView(asha)
	r.must(err)
	close(release)
	r.dm(asha, "well done")
}

// A result that is too large for an acknowledgement, which Slack would drop
// without a word, is brought by a call.
func TestLargeResultOfForm(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	m := note("Linked", "well done")
	for range 25 {
		m.Blocks = append(m.Blocks, chat.Fields{{Label: strings.Repeat("l", 100), Value: strings.Repeat("☃", 500), Note: "x"}})
	}
	r := run(t, srv, adapter(t, srv), asks(func(context.Context, chat.Request) (chat.Reply, error) { return chat.Show(m), nil }))
	r.opened()
	r.submit(nil)
	r.shows("well done")
	for _, ack := range srv.Acks() {
		if ack.Ignored != "" || ack.Size > maxAck {
			t.Errorf("an acknowledgement of %d bytes was ignored: %s", ack.Size, ack.Ignored)
		}
	}
	if len(srv.Calls("views.update")) != 1 {
		t.Error("the result fitted into the acknowledgement: the test shows nothing")
	}
}

// A form that is delivered again is not worked on again, and shows what it
// showed.
func TestFormDeliveredAgain(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	bot := asks(func(context.Context, chat.Request) (chat.Reply, error) {
		first := chat.Show(note("Linking", "checking"))
		first.Then = func(context.Context) (chat.Reply, error) { return chat.Show(note("Linked", "well done")), nil }
		return first, nil
	})
	r := run(t, srv, adapter(t, srv), bot)
	r.opened()
	act := r.submit(nil)
	r.shows("well done")
	again := srv.Deliver("interactive", act.Payload)
	ack, err := again.WaitAck(r.ctx)
	r.must(err)
	if !strings.Contains(string(ack.Payload), "well done") {
		t.Errorf("the second acknowledgement says %s", ack.Payload)
	}
	if n := len(bot.requests()); n != 2 {
		t.Errorf("%d requests, want the command and the form once", n)
	}
}

// The result waits until Slack has applied the acknowledgement, which would
// overwrite it.
func TestResultWaitsForAcknowledgement(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapter(t, srv)
	a.timing.settle = 200 * time.Millisecond
	r := run(t, srv, a, asks(func(context.Context, chat.Request) (chat.Reply, error) { return chat.Reply{}, chat.ErrDuplicate }))
	r.opened()
	act := r.submit(nil)
	payload, err := json.Marshal(act.Payload)
	r.must(err)
	first := chat.Show(note("Linking", "checking"))
	first.Then = func(context.Context) (chat.Reply, error) { return chat.Show(note("Linked", "well done")), nil }
	s := a.session(replies(first), identity{team: "T0TEAM"})
	var acked time.Time
	s.take(delivery{kind: "interactive", payload: payload, ack: func(any) error {
		acked = time.Now()
		return nil
	}})
	r.shows("well done")
	s.pool.Drain()
	s.acks.Wait()
	if got := srv.Calls("views.update")[0].At.Sub(acked); got < 190*time.Millisecond {
		t.Errorf("the result came %v after the acknowledgement", got)
	}
}

// Nothing is worked on before it is acknowledged.
func TestWorkWaitsForAcknowledgement(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	s := adapter(t, srv).session(&app{}, identity{})
	started, release := make(chan struct{}), make(chan struct{})
	s.begin(delivery{ack: func(any) error { <-release; return nil }}, func(context.Context) { close(started) })
	select {
	case <-started:
		t.Error("it was worked on before it was acknowledged")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	<-started
	s.pool.Drain()
}

// A window that comes too late is offered once more by a button.
func TestLateForm(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{Times: slacktest.Times{Trigger: time.Nanosecond}})
	a := adapter(t, srv)
	r := run(t, srv, a, asks(nil))
	r.reply(srv.Slash(asha, support, "/floor", "link"), "did not let me open the window")
	_, err := a.Send(r.ctx, chat.Outgoing{To: person(asha), Message: withButton(chat.Action{ID: "floor", Value: "link", Label: "Link", Form: true})})
	r.must(err)
	press, err := srv.Press(asha, srv.Messages(asha)[0], "Link")
	r.must(err)
	m := r.reply(press, "did not let me open the window")
	if len(m.Buttons()) != 1 {
		t.Fatalf("the buttons are %q", m.Buttons())
	}
	again, err := srv.Press(asha, m, m.Buttons()[0])
	r.must(err)
	if req := again.Payload.(map[string]any)["actions"].([]any)[0].(map[string]any); req["value"] != "link" {
		t.Errorf("the button's value is %v", req["value"])
	}
}

// A button in a window is answered in the window.
func TestPressInModal(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	linked := note("Linked", "well done")
	linked.Actions = []chat.Action{{ID: "mystats", Label: "My numbers"}}
	r := run(t, srv, adapter(t, srv), &app{handle: func(_ context.Context, req chat.Request) (chat.Reply, error) {
		switch req.Kind {
		case chat.KindCommand:
			return chat.Ask(linkForm()), nil
		case chat.KindForm:
			return chat.Show(linked), nil
		default:
			return chat.Show(note("Today", "42 calls")), nil
		}
	}})
	r.opened()
	r.submit(nil)
	_, err := srv.Press(asha, r.shows("well done"), "My numbers")
	r.must(err)
	r.shows("42 calls")
}
