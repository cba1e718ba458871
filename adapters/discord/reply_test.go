package discord

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
)

// soon makes every answer one that was promised first.
const soon = 20 * time.Millisecond

// slowly starts an adapter that promises soon, with an app that answers when the
// test says.
func slowly(t *testing.T, reply chat.Reply) (r *running, answer func()) {
	t.Helper()
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, acquainted())
	a.timing.answer = soon
	release := make(chan struct{})
	r = run(t, srv, a, &app{handle: func(ctx context.Context, _ chat.Request) (chat.Reply, error) {
		select {
		case <-release:
			return reply, nil
		case <-ctx.Done():
			return chat.Reply{}, ctx.Err()
		}
	}})
	return r, sync.OnceFunc(func() { close(release) })
}

func public(title string, actions ...chat.Action) chat.Reply {
	return chat.Show(chat.Message{Title: title, Actions: actions})
}

// ack waits for the first response and checks its kind.
func (r *running) ack(i *discordtest.Interaction, kind, flags int) {
	r.Helper()
	ack, err := i.WaitAck(r.ctx)
	r.must(err)
	if ack.Type != kind || ack.Flags != flags {
		r.Errorf("the first response is of type %d with flags %d, want %d with %d", ack.Type, ack.Flags, kind, flags)
	}
}

// A promise is as private as the command, because Discord fixes it there.
func TestPromise(t *testing.T) {
	for _, test := range []struct {
		command, channel string
		flags            int
		seen             bool // by others
	}{
		{"mystats", support, flagEphemeral, false},
		{"floor note", support, flagEphemeral, false},
		{"floor post", support, 0, true},
		{"mystats", "", flagEphemeral, false},
	} {
		t.Run(test.command+test.channel, func(t *testing.T) {
			r, answer := slowly(t, public("the answer"))
			i := r.slash(test.channel, test.command)
			r.ack(i, respondLater, test.flags)
			answer()
			r.reply(i, "the answer")
			seen := slices.ContainsFunc(r.srv.Screen(meera), saying("the answer"))
			if seen != test.seen {
				t.Errorf("others see it: %v", seen)
			}
		})
	}
}

// An answer at once is as private.
func TestAtOnce(t *testing.T) {
	for command, private := range map[string]bool{"mystats": true, "floor note": true, "floor post": false} {
		r := started(t, replies(public("the answer")))
		if m := r.reply(r.slash(support, command), "the answer"); m.Ephemeral() != private {
			t.Errorf("%s: ephemeral is %v", command, m.Ephemeral())
		}
	}
}

// A private message is never shown to others, whatever was promised.
func TestPrivateAfterPublicPromise(t *testing.T) {
	r, answer := slowly(t, chat.Reply{
		Message: &chat.Message{Title: "for your eyes", Private: true},
		Then: func(context.Context) (chat.Reply, error) {
			return chat.Show(chat.Message{Title: "still for yours", Private: true}), nil
		},
	})
	i := r.slash(support, "floor post")
	r.ack(i, respondLater, 0)
	answer()
	m := r.reply(i, "still for yours")
	r.must(r.stop())
	if !m.Ephemeral() {
		t.Error("it is not ephemeral")
	}
	for _, m := range r.srv.Screen(meera) {
		if strings.Contains(m.Plain(), "yours") || strings.Contains(m.Plain(), "eyes") || m.Thinking() {
			t.Errorf("others see %q", m.Plain())
		}
	}
	if all := i.Replies(); len(all) != 2 {
		t.Errorf("%d answers: %+v", len(all), all)
	}
}

func TestPrivateAfterPublicAnswer(t *testing.T) {
	first := public("for everybody")
	first.Then = func(context.Context) (chat.Reply, error) {
		return chat.Show(chat.Message{Title: "for yours", Private: true}), nil
	}
	r := started(t, replies(first))
	i := r.slash(support, "floor post")
	if m := r.reply(i, "for yours"); !m.Ephemeral() {
		t.Error("it is not ephemeral")
	}
	r.must(r.stop())
	if !slices.ContainsFunc(r.srv.Screen(meera), saying("for everybody")) {
		t.Error("the first answer is gone")
	}
}

// A command that answers with a form is not promised anything: a form must be the
// first response.
func TestFormIsFirst(t *testing.T) {
	r, answer := slowly(t, chat.Ask(chat.Form{ID: "floor link", Value: "v", Title: "Link", Fields: []chat.Input{{Name: "user", Label: "User"}}}))
	i := r.slash("", "floor link")
	r.must(sleep(r.ctx, 10*soon))
	if ack, given := i.Ack(); given {
		t.Fatalf("it was given a response of type %d", ack.Type)
	}
	answer()
	m, err := i.WaitModal(r.ctx)
	r.must(err)
	sent, err := r.srv.Submit(asha, m, map[string]string{"user": "4711"})
	r.must(err)
	r.reply(sent, "correct this") // a form cannot answer a form
}

// The values of a form arrive in whichever shape Discord sends them.
func TestFormValues(t *testing.T) {
	form := chat.Form{ID: "silence", Value: "rule 1", Title: "Silence", Intro: chat.T("How long?"), Submit: "Save",
		Fields: []chat.Input{{Name: "for", Label: "For", Hint: "such as 1h", Value: "1h"}, {Name: "why", Label: "Why", Optional: true}}}
	bot := &app{}
	bot.handle = func(_ context.Context, r chat.Request) (chat.Reply, error) {
		if r.Kind == chat.KindForm {
			return chat.Show(note("saved", "")), nil
		}
		return chat.Ask(form), nil
	}
	r := started(t, bot)
	for n, shape := range []string{discordtest.ShapeLabels, discordtest.ShapeRows} {
		m, err := r.slash("", "floor link").WaitModal(r.ctx)
		r.must(err)
		for _, words := range []string{"Silence", "How long?", "For", "such as 1h", "Why"} {
			if !strings.Contains(m.Plain(), words) {
				t.Errorf("%q is missing in\n%s", words, m.Plain())
			}
		}
		m.Shape = shape
		i, err := r.srv.Submit(asha, m, map[string]string{"why": "a & b"})
		r.must(err)
		r.reply(i, "saved")
		got := bot.requests()[2*n+1]
		if got.Form != "silence" || got.Value != "rule 1" || got.Values["for"].Reveal() != "1h" || got.Values["why"].Reveal() != "a & b" || len(got.Values) != 2 {
			t.Errorf("%s: %+v", shape, got)
		}
	}
}

func TestFormsThatCannotBeShown(t *testing.T) {
	fields := func(n int, secret bool) []chat.Input {
		var list []chat.Input
		for i := range n {
			list = append(list, chat.Input{Name: fmt.Sprint("f", i), Label: "L", Secret: secret})
		}
		return list
	}
	for name, form := range map[string]chat.Form{
		"secret": {ID: "x", Title: "T", Fields: fields(1, true)},
		"many":   {ID: "x", Title: "T", Fields: fields(6, false)},
		"none":   {ID: "x", Title: "T"},
		"long":   {ID: strings.Repeat("x", 200), Title: "T", Fields: fields(1, false)},
	} {
		t.Run(name, func(t *testing.T) {
			r := started(t, replies(chat.Ask(form)))
			r.reply(r.slash("", "floor link"), "n Discord")
			if _, open := r.srv.Modal(asha); open {
				t.Error("it was shown")
			}
		})
	}
	r, answer := slowly(t, chat.Ask(chat.Form{ID: "x", Title: "T", Fields: fields(1, false)}))
	i := r.slash("", "mystats") // not known to ask for anything
	r.ack(i, respondLater, flagEphemeral)
	answer()
	r.reply(i, "took too long")
}

// An answer that takes the place of a card is promised without a word and edits
// the card.
func TestReplacePromised(t *testing.T) {
	r, answer := slowly(t, public("fresh"))
	ref, err := r.a.Send(r.ctx, chat.Outgoing{To: toSupport("").To, Message: chat.Message{Title: "stale", Actions: []chat.Action{{ID: "mystats", Label: "Refresh", Replace: true}}}})
	r.must(err)
	card := r.message(support, "stale")
	i, err := r.srv.Press(asha, card, "Refresh")
	r.must(err)
	r.ack(i, respondNothing, 0)
	answer()
	m := r.message(support, "fresh")
	if ref.ID != support+":"+m.ID || len(r.srv.Messages(support)) != 1 {
		t.Errorf("the answer is not in the card's place: %+v", r.srv.Messages(support))
	}
}

// A private answer does not take the place of a card that others see.
func TestPrivateReplace(t *testing.T) {
	for _, promised := range []bool{false, true} {
		r, answer := slowly(t, chat.Show(chat.Message{Title: "your own", Private: true}))
		if !promised {
			r.a.timing.answer = time.Minute
		}
		_, err := r.a.Send(r.ctx, chat.Outgoing{To: toSupport("").To, Message: chat.Message{Title: "the card", Actions: []chat.Action{{ID: "x", Label: "Mine", Replace: true}}}})
		r.must(err)
		i, err := r.srv.Press(asha, r.message(support, "the card"), "Mine")
		r.must(err)
		if promised {
			r.ack(i, respondNothing, 0)
		}
		answer()
		r.await("the answer", func() bool { return slices.ContainsFunc(r.srv.Ephemerals(asha), saying("your own")) })
		r.must(r.stop())
		if seen := r.srv.Screen(meera); len(seen) != 1 || !strings.Contains(seen[0].Plain(), "the card") {
			t.Errorf("promised %v: others see %+v", promised, seen)
		}
	}
}

// What can no longer be answered in its place arrives in the direct messages.
func TestTooLate(t *testing.T) {
	late := map[string]func(*running, *discordtest.Interaction){
		"expired":  func(_ *running, i *discordtest.Interaction) { i.Expire() },
		"life":     func(r *running, _ *discordtest.Interaction) { r.a.timing.life = 0 },
		"promised": func(*running, *discordtest.Interaction) {},
	}
	for name, spoil := range late {
		t.Run(name, func(t *testing.T) {
			ack, answer := time.Minute, soon // machines for tests are slow
			if name == "promised" {
				ack, answer = 300*time.Millisecond, time.Hour // no promise, so the interaction is forgotten
			}
			srv := network(t, discordtest.Options{Times: discordtest.Times{Ack: ack}})
			a := adapter(t, srv, acquainted())
			a.timing.answer = answer
			release := make(chan struct{})
			r := run(t, srv, a, &app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
				<-release
				first := chat.Show(note("after all", "x"))
				first.Then = func(context.Context) (chat.Reply, error) { return chat.Show(note("and fresh", "x")), nil }
				return first, nil
			}})
			i := r.slash(support, "mystats")
			if name == "promised" {
				r.must(i.WaitOver(r.ctx))
			} else {
				r.ack(i, respondLater, flagEphemeral)
			}
			spoil(r, i)
			close(release)
			r.message(asha, "and fresh")
			r.must(r.stop())
			if all := srv.Messages(asha); len(all) != 1 {
				t.Errorf("%d direct messages", len(all))
			}
			if slices.ContainsFunc(srv.Screen(meera), saying("fresh")) {
				t.Error("others see it")
			}
		})
	}
}

// A first response without a clear answer is given again; that it had arrived is
// no fault.
func TestFirstResponseTwice(t *testing.T) {
	const callback = "POST /interactions/{interaction}/{token}/callback"
	for _, f := range []discordtest.Fault{{Status: 502, Stored: true}, {Reset: true, Stored: true}, {Status: 502}, {Status: 429, RetryAfter: 50 * time.Millisecond}} {
		srv := network(t, discordtest.Options{})
		a := adapter(t, srv, acquainted())
		a.timing.retry = 5 * time.Millisecond
		r := run(t, srv, a, &app{})
		srv.Fail(callback, f, 1)
		i := r.slash(support, "mystats")
		r.reply(i, "answer")
		r.must(r.stop())
		if all := srv.Screen(asha); len(all) != 1 {
			t.Errorf("%+v: %d answers", f, len(all))
		}
	}
}

// A form whose first attempt had arrived is on the screen: nothing more is said.
func TestFormTwice(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, acquainted())
	a.timing.retry = 5 * time.Millisecond
	r := run(t, srv, a, replies(chat.Ask(chat.Form{ID: "x", Title: "T", Fields: []chat.Input{{Name: "a", Label: "A"}}})))
	srv.Fail("POST /interactions/{interaction}/{token}/callback", discordtest.Fault{Status: 502, Stored: true}, 1)
	_, err := r.slash(support, "floor link").WaitModal(r.ctx)
	r.must(err)
	r.must(r.stop())
	if all := srv.Screen(asha); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

// An interaction that somebody acknowledged is answered by an edit.
func TestAcknowledgedAlready(t *testing.T) {
	r := started(t, &app{})
	var mu sync.Mutex
	n := 0
	s := r.a.session(&app{})
	i := r.slash(support, "mystats")
	r.reply(i, "answer")
	raw := fmt.Appendf(nil, `{"id": %q, "type": 2, "token": %q, "guild_id": %q, "channel_id": %q, "member": {"user": {"id": %q}}, "data": {"name": "mystats"}}`,
		i.ID, i.Token, acme, support, asha)
	s.take(raw, func(ctx context.Context, i interaction, c response) error {
		mu.Lock()
		defer mu.Unlock()
		n++
		return s.callback(ctx, i, c)
	})
	s.pool.Drain()
	if all := i.Replies(); len(all) != 1 || all[0].Edits == 0 {
		t.Errorf("%+v", all)
	}
	if n != 1 {
		t.Errorf("%d first responses", n)
	}
}

// The first response may go another way, as over HTTP; all else is the same.
func TestOtherWay(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, acquainted())
	s := a.session(&app{})
	got := make(chan response, 2)
	raw := fmt.Appendf(nil, `{"id": "80351110224678000", "type": 2, "token": "t", "user": {"id": %q}, "data": {"name": "mystats"}}`, asha)
	s.take(raw, func(_ context.Context, i interaction, c response) error {
		got <- c
		return nil
	})
	s.pool.Drain()
	if c := <-got; c.Type != respondMessage || len(got) != 0 {
		t.Errorf("%+v", c)
	}
	if n := len(srv.Calls("")); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// A promise that nobody keeps is taken back: nobody reads "thinking…" for ever.
func TestNothingAfterPromise(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, acquainted())
	a.timing.answer = soon
	release := make(chan struct{})
	r := run(t, srv, a, &app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
		<-release
		return chat.Reply{}, chat.ErrDuplicate
	}})
	i := r.slash(support, "floor post")
	r.ack(i, respondLater, 0)
	close(release)
	r.await("the promise to go", func() bool { return len(srv.Screen(meera)) == 0 })
}

// A question before a press survives a restart, if not its words.
func TestConfirmAfterRestart(t *testing.T) {
	srv := network(t, discordtest.Options{})
	q := &chat.Confirm{Title: "Delete all?", Text: "It cannot be undone.", Yes: "Delete", No: "Keep"}
	card := chat.Message{Title: "the card", Actions: []chat.Action{{ID: "unlink", Value: "all", Label: "Unlink", Confirm: q, Replace: true}}}
	bot := &app{}
	r := run(t, srv, adapter(t, srv, acquainted()), bot)
	ref, err := r.a.Send(r.ctx, chat.Outgoing{To: toSupport("").To, Message: card})
	r.must(err)
	asked, err := srv.Press(asha, r.message(support, "the card"), "Unlink")
	r.must(err)
	m := r.reply(asked, "It cannot be undone.")
	if !m.Ephemeral() || !slices.Equal(m.Buttons(), []string{"Delete", "Keep"}) {
		t.Errorf("%+v", m)
	}
	no, err := srv.Press(asha, m, "Keep")
	r.must(err)
	if m := r.reply(no, "Nothing was changed"); len(m.Buttons()) != 0 {
		t.Errorf("there are still buttons: %q", m.Buttons())
	}
	r.must(r.stop())
	if n := len(bot.requests()); n != 0 {
		t.Fatalf("%d requests without a yes", n)
	}

	r = run(t, srv, adapter(t, srv, acquainted()), bot)
	asked, err = srv.Press(asha, r.message(support, "the card"), "Unlink")
	r.must(err)
	m = r.reply(asked, "Are you sure?")
	yes, err := srv.Press(asha, m, "Unlink")
	r.must(err)
	r.reply(yes, "answer")
	r.must(r.stop())
	if got := bot.requests(); len(got) != 1 || got[0].Action.ID != "unlink" || got[0].Action.Value != "all" || got[0].Ref != ref {
		t.Errorf("%+v", got)
	}
	if all := srv.Ephemerals(asha); slices.ContainsFunc(all, saying("Are you sure?")) {
		t.Errorf("the question is still there: %+v", all)
	}
}

// A message that one person sees cannot be edited by its name, so a press on it
// names none.
func TestEphemeralHasNoRef(t *testing.T) {
	bot := replies(chat.Show(chat.Message{Title: "yours", Private: true, Actions: []chat.Action{{ID: "x", Label: "Press"}}}))
	r := started(t, bot)
	i, err := r.srv.Press(asha, r.reply(r.slash(support, "mystats"), "yours"), "Press")
	r.must(err)
	r.reply(i, "yours")
	if got := bot.requests()[1]; !got.Ref.IsZero() || got.Action.ID != "x" {
		t.Errorf("%+v", got)
	}
}
