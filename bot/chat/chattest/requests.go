package chattest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// The parts of the suite about what people do.

func testCommand(s *session) {
	before := time.Now()
	s.do(Act{Event: "first", Kind: chat.KindCommand, Command: "mystats", Text: "week"})
	r := s.awaitRequest(1)
	want := chat.Request{ID: r.ID, Kind: chat.KindCommand, From: s.address(s.User), Command: "mystats", Text: "week"}
	if r.ID == "" || r.Kind != want.Kind || r.From != want.From || r.Command != want.Command || r.Text != want.Text {
		s.Errorf("the request is %+v, want %+v", r, want)
	}
	if !r.In.IsZero() {
		s.Errorf("a direct message came from the channel %v", r.In)
	}
	if r.At.Before(before.Add(-time.Minute)) || r.At.After(time.Now().Add(time.Minute)) {
		s.Errorf("the request was received at %v", r.At)
	}
	if r.SecretForms != s.Can.SecretForms {
		s.Errorf("SecretForms is %v", r.SecretForms)
	}
	seen := s.awaitSeen("answer to mystats week")
	if !seen.Private {
		s.Errorf("a private answer is not private: %s", screen([]Seen{seen}))
	}
	s.command("mystats", "")
	if second := s.awaitRequest(2); second.ID == r.ID {
		s.Errorf("two requests have the id %q", r.ID)
	}
	s.never(s.Other, "answer to")
}

func testWords(s *session) {
	other := "<@" + s.address(s.Other).String() + ">"
	for i, test := range []struct{ command, text string }{
		{"mystats", ""},
		{"floor", "note one"},
		{"floor", `note "two words" three`},
		{"floor", "team add " + other + " support"},
	} {
		s.command(test.command, test.text)
		r := s.awaitRequest(i + 1)
		if r.Command != test.command || r.Text != test.text {
			s.Errorf("%s %s arrived as %s %s", test.command, test.text, r.Command, r.Text)
		}
	}
}

func testPrivateInChannel(s *session) {
	if s.Channel == "" {
		s.Skip("the network has no channels")
	}
	s.do(Act{Kind: chat.KindCommand, In: s.Channel, Command: "mystats"})
	if r := s.awaitRequest(1); r.In != s.address(s.Channel) {
		s.Errorf("the request came from %v, want the channel", r.In)
	}
	if seen := s.awaitSeen("answer to mystats"); !seen.Private {
		s.Errorf("a private answer is not private: %s", screen([]Seen{seen}))
	}
	s.app.reply(chat.Show(chat.Message{Title: "for everybody"}))
	s.do(Act{Kind: chat.KindCommand, In: s.Channel, Command: "floor", Text: "post"})
	if seen := s.awaitSeenBy(s.Other, "for everybody"); seen.Private {
		s.Errorf("a public answer is private: %s", screen([]Seen{seen}))
	}
	s.never(s.Other, "answer to")
}

func testAcknowledgesFirst(s *session) {
	if s.Acked == nil {
		s.Skip("the network wants no acknowledgement")
	}
	release := make(chan struct{})
	s.app.answer(func(context.Context, chat.Request) (chat.Reply, error) {
		<-release
		return say("at last"), nil
	})
	s.command("mystats", "")
	s.awaitRequest(1)
	s.await("the acknowledgement while the bot works", func() bool { return s.Acked() >= 1 })
	close(release)
	s.awaitSeen("at last")
}

func testThen(s *session) {
	release := make(chan struct{})
	first := say("old numbers")
	first.Then = func(ctx context.Context) (chat.Reply, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return say("fresh numbers"), ctx.Err()
	}
	s.app.reply(first)
	s.command("mystats", "")
	s.awaitSeen("old numbers")
	close(release)
	s.awaitSeen("fresh numbers")
	s.never(s.User, "old numbers")
	if all := holding(s.Sees(s.User), "fresh numbers"); len(all) != 1 {
		s.Errorf("the second answer is there %d times", len(all))
	}
}

// testReplacer: the answer to a command is replaced long after it.
func testReplacer(s *session) {
	shown := make(chan chat.Replacer, 1)
	first := say("the page is open")
	first.Shown = func(again chat.Replacer) { shown <- again }
	s.app.reply(first)
	s.command("floor", "note")
	s.awaitSeen("the page is open")
	if err := (<-shown)(context.Background(), *say("the page is used").Message); err != nil {
		s.Fatalf("replacing the answer: %v", err)
	}
	s.awaitSeen("the page is used")
	s.never(s.User, "the page is open")
	if all := holding(s.Sees(s.User), "the page is used"); len(all) != 1 {
		s.Errorf("what replaces it is there %d times", len(all))
	}
}

func testThenFails(s *session) {
	first := say("old numbers")
	first.Then = func(context.Context) (chat.Reply, error) { return chat.Reply{}, context.DeadlineExceeded }
	s.app.reply(first)
	s.command("mystats", "")
	s.awaitSeen("old numbers")
	s.end()
	if all := s.Sees(s.User); len(holding(all, "old numbers")) != 1 {
		s.Errorf("the first answer did not stay:\n%s", screen(all))
	}
}

func testNothingToShow(s *session) {
	s.app.answer(func(_ context.Context, r chat.Request) (chat.Reply, error) {
		if strings.Contains(r.Text, "none") {
			return say("nobody may see this"), context.Canceled
		}
		return say("and this"), nil
	})
	s.command("floor", "note none")
	s.awaitRequest(1)
	s.command("floor", "note some")
	s.awaitSeen("and this")
	s.never(s.User, "nobody may see this")
}

func testRedelivery(s *session) {
	if !s.Can.Redeliver {
		s.Skip("the network never delivers twice")
	}
	seen := map[string]bool{}
	s.app.answer(func(_ context.Context, r chat.Request) (chat.Reply, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if seen[r.ID] {
			return chat.Reply{}, chat.ErrDuplicate
		}
		seen[r.ID] = true
		return say(fmt.Sprintf("answer %d", len(seen))), nil
	})
	again := Act{Event: "the same", Kind: chat.KindCommand, Command: "mystats"}
	s.do(again)
	s.awaitSeen("answer 1")
	s.do(again)
	s.command("mystats", "") // so that there is something to wait for
	s.awaitSeen("answer 2")
	s.end()
	if all := holding(s.Sees(s.User), "answer"); len(all) != 2 {
		s.Errorf("two requests, one of them delivered twice, have %d answers:\n%s", len(all), screen(all))
	}
}

func testPanic(s *session) {
	s.app.answer(func(_ context.Context, r chat.Request) (chat.Reply, error) {
		if strings.Contains(r.Text, "boom") {
			panic("boom")
		}
		return say("still here"), nil
	})
	s.command("floor", "note boom")
	s.awaitRequest(1)
	s.command("floor", "note hello")
	s.awaitSeen("still here")
}

// card is a message with buttons.
func card(title string, actions ...chat.Action) chat.Message {
	return chat.Message{Title: title, Private: true, Actions: actions}
}

func testPress(s *session) {
	button := chat.Action{ID: "mystats.refresh", Value: "week, ü & <x>", Label: "Refresh"}
	ref := s.send(s.User, card("the card", chat.Action{ID: "x", Label: "Not this"}, button))
	s.press(s.awaitSeen("the card"), "Refresh")
	r := s.awaitRequest(1)
	if r.Kind != chat.KindAction || r.From != s.address(s.User) || r.ID == "" {
		s.Errorf("the request is %+v", r)
	}
	if r.Action.ID != button.ID || r.Action.Value != button.Value {
		s.Errorf("the action is %q %q, want %q %q", r.Action.ID, r.Action.Value, button.ID, button.Value)
	}
	if s.Can.Edit && r.Ref != ref {
		s.Errorf("the press is on %v, want %v, which Send returned", r.Ref, ref)
	}
	s.awaitSeen("answer to")
	s.awaitSeen("the card")
	s.never(s.Other, "answer to")
}

func testPressReplaces(s *session) {
	refresh := chat.Action{ID: "again", Label: "Refresh", Replace: true}
	s.app.answer(func(_ context.Context, r chat.Request) (chat.Reply, error) {
		return chat.Show(card(fmt.Sprintf("card after %d", len(s.app.requests())), refresh)), nil
	})
	s.command("mystats", "")
	s.press(s.awaitSeen("card after 1"), "Refresh")
	s.press(s.awaitSeen("card after 2"), "Refresh")
	s.awaitSeen("card after 3")
	s.end()
	if all := holding(s.Sees(s.User), "card after"); len(all) != 1 {
		s.Errorf("the answers did not replace each other:\n%s", screen(all))
	}
}

func testConfirm(s *session) {
	question := &chat.Confirm{Title: "Sure?", Text: "It is deleted.", Yes: "Delete", No: "Keep"}
	s.send(s.User, card("the card", chat.Action{ID: "delete", Value: "all", Label: "Delete it", Style: chat.Danger, Confirm: question}))
	s.press(s.awaitSeen("the card"), "Delete it")
	if !s.Can.Confirm {
		asked := s.awaitSeen(question.Text)
		if n := len(s.app.requests()); n != 0 {
			s.Fatal("the first press counted already")
		}
		if !slices.Contains(asked.Buttons, question.No) {
			s.Errorf("there is no %q among %q", question.No, asked.Buttons)
		}
		s.press(asked, question.Yes)
	}
	if r := s.awaitRequest(1); r.Action.ID != "delete" || r.Action.Value != "all" {
		s.Errorf("the action is %q %q", r.Action.ID, r.Action.Value)
	}
}

// question returns a form; without secrets unless the network allows them.
func (s *session) question() chat.Form {
	return chat.Form{
		ID: "floor link", Value: "v 1", Title: "Link", Submit: "Save", Intro: chat.T("Just once."),
		Fields: []chat.Input{
			{Name: "user", Label: "User id", Hint: "a number"},
			{Name: "token", Label: "Token", Secret: s.Can.SecretForms},
		},
	}
}

// fill makes the user send the open form.
func (s *session) fill(form Seen, user, token string) {
	s.Helper()
	s.do(Act{Kind: chat.KindForm, On: form.ID, Values: []Value{{"user", user}, {"token", token}}})
}

// awaitForm waits until the user has an open form.
func (s *session) awaitForm() Seen {
	s.Helper()
	var form Seen
	s.await("the form", func() bool {
		i := slices.IndexFunc(s.Sees(s.User), func(x Seen) bool { return x.Form })
		if i >= 0 {
			form = s.Sees(s.User)[i]
		}
		return i >= 0
	})
	return form
}

func testForm(s *session) {
	if !s.Can.Forms {
		s.Skip("the network has no forms")
	}
	s.app.answer(func(_ context.Context, r chat.Request) (chat.Reply, error) {
		if r.Kind != chat.KindForm {
			return chat.Ask(s.question()), nil
		}
		checking := say("checking")
		checking.Then = func(context.Context) (chat.Reply, error) { return say("all is linked"), nil }
		return checking, nil
	})
	s.command("floor", "link")
	form := s.awaitForm()
	for _, words := range []string{"Link", "User id", "Token"} {
		if !strings.Contains(form.Text, words) {
			s.Errorf("the form does not say %q:\n%s", words, form.Text)
		}
	}
	s.fill(form, "4711", "s3cret & ü")
	r := s.awaitRequest(2)
	if r.Kind != chat.KindForm || r.Form != "floor link" || r.Value != "v 1" || r.From != s.address(s.User) {
		s.Errorf("the request is %+v", r)
	}
	if user, token := r.Values["user"].Reveal(), r.Values["token"].Reveal(); user != "4711" || token != "s3cret & ü" {
		s.Errorf("the values are %q and %q", user, token)
	}
	s.awaitSeen("all is linked")
	s.never(s.User, "s3cret")
	if slices.ContainsFunc(s.Sees(s.User), func(x Seen) bool { return x.Form }) {
		s.Error("the form is still open")
	}
}

func testFormAgain(s *session) {
	if !s.Can.Forms {
		s.Skip("the network has no forms")
	}
	s.app.answer(func(_ context.Context, r chat.Request) (chat.Reply, error) {
		form := s.question()
		if r.Kind == chat.KindForm {
			form.Errors = map[string]string{"user": "That is no number."}
		}
		return chat.Ask(form), nil
	})
	s.command("floor", "link")
	s.fill(s.awaitForm(), "hello", "s3cret")
	s.awaitRequest(2)
	s.awaitSeen("That is no number.")
	if found := holding(s.Sees(s.User), "s3cret"); len(found) > 0 && s.Can.SecretForms {
		s.Errorf("the secret is shown again:\n%s", screen(found))
	}
}

func testFormRefused(s *session) {
	if s.Can.SecretForms {
		s.Skip("the network allows secrets in forms")
	}
	form := s.question()
	form.Fields[1].Secret = true
	s.app.reply(chat.Ask(form))
	s.command("floor", "link")
	s.awaitRequest(1)
	s.await("a word on why there is no form", func() bool {
		return slices.ContainsFunc(s.Sees(s.User), func(x Seen) bool { return !x.Form && x.Text != "" })
	})
	s.end()
	if slices.ContainsFunc(s.Sees(s.User), func(x Seen) bool { return x.Form }) {
		s.Error("the network's rules forbid to ask for a secret, and it was asked for")
	}
}

func testParallel(s *session) {
	const n = 100
	s.app.answer(func(_ context.Context, r chat.Request) (chat.Reply, error) {
		return say("echo " + strings.TrimPrefix(r.Text, "note ") + "."), nil
	})
	users := []string{s.User, s.Other}
	errs := make(chan error)
	for i := range n {
		go func() {
			errs <- s.Do(Act{
				Event: fmt.Sprintf("parallel-%d", i), Kind: chat.KindCommand,
				User: users[i%2], Command: "floor", Text: fmt.Sprintf("note %d", i),
			})
		}()
	}
	var failed error
	for range n {
		failed = errors.Join(failed, <-errs)
	}
	if failed != nil {
		s.Fatal(failed)
	}
	answers := func(i int) int { return len(holding(s.Sees(users[i%2]), fmt.Sprintf("echo %d.", i))) }
	for i := range n {
		s.await(fmt.Sprintf("answer %d", i), func() bool { return answers(i) > 0 })
	}
	s.end()
	for i := range n {
		if got := answers(i); got != 1 {
			s.Errorf("request %d was answered %d times", i, got)
		}
	}
	if got := len(s.app.requests()); got != n {
		s.Errorf("%d requests came out of %d", got, n)
	}
}

func testShutdown(s *session) {
	release, asked := make(chan struct{}), make(chan struct{})
	s.app.answer(func(context.Context, chat.Request) (chat.Reply, error) {
		close(asked)
		<-release
		return say("the last answer"), nil
	})
	s.command("mystats", "")
	<-asked
	ended := make(chan error, 1)
	go func() { ended <- s.stop() }()
	select {
	case err := <-ended:
		s.Fatalf("Run returned (%v) while a request was running", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	if err := <-ended; err != nil {
		s.Errorf("Run: %v", err)
	}
	s.awaitSeen("the last answer")
}
