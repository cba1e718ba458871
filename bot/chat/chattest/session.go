package chattest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/bot/chat"
)

// patience is how long the suite waits for what must happen. It bounds a
// failure; nothing is measured.
const patience = 20 * time.Second

// A session is a running adapter in one part of the suite.
type session struct {
	*testing.T
	Harness
	app  *app
	stop func() error // ends Run and returns what it returned

	mu     sync.Mutex // guards events
	events int
}

// open runs the harness's adapter until the test ends.
func open(t *testing.T, h Harness) *session {
	s := &session{T: t, Harness: h, app: &app{}}
	s.app.answer(func(_ context.Context, r chat.Request) (chat.Reply, error) {
		return say("answer to " + r.Command + " " + r.Text), nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Adapter.Run(ctx, s.app) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return fmt.Errorf("Run did not return within %v after its context ended", patience)
		}
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s
}

// do makes a person act.
func (s *session) do(a Act) {
	s.Helper()
	s.mu.Lock()
	s.events++
	if a.Event == "" {
		a.Event = fmt.Sprintf("event-%d", s.events)
	}
	s.mu.Unlock()
	if a.User == "" {
		a.User = s.User
	}
	if err := s.Do(a); err != nil {
		s.Fatalf("%+v: %v", a, err)
	}
}

// command makes the user type a command in a direct message.
func (s *session) command(name, text string) {
	s.Helper()
	s.do(Act{Kind: chat.KindCommand, Command: name, Text: text})
}

// press makes the user press a button of what they see.
func (s *session) press(on Seen, label string) {
	s.Helper()
	s.do(Act{Kind: chat.KindAction, On: on.ID, In: on.In, Label: label})
}

// await waits until the condition holds.
func (s *session) await(what string, holds func() bool) {
	s.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("waited in vain for %s; %s sees:\n%s", what, s.User, screen(s.Sees(s.User)))
		}
	}
}

// awaitSeen waits until the user sees something with these words, and returns
// it.
func (s *session) awaitSeen(words string) Seen {
	s.Helper()
	return s.awaitSeenBy(s.User, words)
}

func (s *session) awaitSeenBy(user, words string) Seen {
	s.Helper()
	var found []Seen
	s.await(fmt.Sprintf("%q", words), func() bool {
		found = holding(s.Sees(user), words)
		return len(found) > 0
	})
	return found[0]
}

// awaitRequest waits until the app has had n requests, and returns the last.
func (s *session) awaitRequest(n int) chat.Request {
	s.Helper()
	s.await(fmt.Sprintf("request %d", n), func() bool { return len(s.app.requests()) >= n })
	return s.app.requests()[n-1]
}

// never ends the adapter, so that nothing more can come, and checks that a
// person does not see the words.
func (s *session) never(user, words string) {
	s.Helper()
	s.end()
	if found := holding(s.Sees(user), words); len(found) > 0 {
		s.Errorf("%s sees what they should not:\n%s", user, screen(found))
	}
}

// end ends the adapter and checks that it ended well.
func (s *session) end() {
	s.Helper()
	if err := s.stop(); err != nil {
		s.Errorf("Run: %v", err)
	}
}

func (s *session) address(id string) chat.Address {
	return chat.Address{Network: s.Adapter.Network(), ID: id}
}

// send delivers a message and fails the test if that fails.
func (s *session) send(to string, m chat.Message) chat.Ref {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ref, err := s.Adapter.Send(ctx, chat.Outgoing{To: s.address(to), Message: m, Key: "key/" + m.Title})
	if err != nil {
		s.Fatalf("Send to %s: %v", to, err)
	}
	return ref
}

// holding returns those that hold the words.
func holding(all []Seen, words string) []Seen {
	var found []Seen
	for _, x := range all {
		if strings.Contains(x.Text, words) {
			found = append(found, x)
		}
	}
	return found
}

// screen returns what is seen, for an error message.
func screen(all []Seen) string {
	if len(all) == 0 {
		return "(nothing)"
	}
	var b strings.Builder
	for _, x := range all {
		fmt.Fprintf(&b, "--- %s in %q, private %v, form %v, buttons %q, pings %q\n%.3000s\n", x.ID, x.In, x.Private, x.Form, x.Buttons, x.Pings, x.Text)
	}
	return b.String()
}

// say returns a private reply of one title.
func say(title string) chat.Reply { return chat.Show(chat.Message{Title: title, Private: true}) }

// An app is the bot that the suite puts behind the adapter.
type app struct {
	mu     sync.Mutex // guards what follows
	got    []chat.Request
	handle func(context.Context, chat.Request) (chat.Reply, error)
}

// Commands returns the commands that the suite uses. Their names are those of
// the bot, because adapters are configured for them.
func (*app) Commands() []chat.Command { return Commands() }

// Commands returns the commands that [Run] has people type, for a fake that is
// told of commands before the adapter runs.
func Commands() []chat.Command {
	return []chat.Command{
		{Name: "mystats", Summary: "Your own numbers", Private: true, Options: []chat.Option{{Name: "view", Summary: "What to show"}}},
		{Name: "floor", Summary: "Everything else", Private: true, Sub: []chat.Command{
			{Name: "note", Summary: "Says something", Private: true, Options: []chat.Option{{Name: "words", Summary: "What to say"}, {Name: "more", Summary: "What else"}}},
			{Name: "post", Summary: "Says something to all"},
			{Name: "link", Summary: "Asks for something", Private: true, Form: true},
			{Name: "team", Summary: "Teams", Private: true, Sub: []chat.Command{
				{Name: "add", Summary: "Adds a person", Private: true, Options: []chat.Option{
					{Name: "person", Summary: "Who", Kind: chat.OptionPerson, Required: true},
					{Name: "team", Summary: "Where", Required: true},
				}},
			}},
		}},
	}
}

// Handle records the request and answers as the test says.
func (a *app) Handle(ctx context.Context, r chat.Request) (chat.Reply, error) {
	a.mu.Lock()
	a.got = append(a.got, r)
	handle := a.handle
	a.mu.Unlock()
	return handle(ctx, r)
}

// Complete offers nothing.
func (*app) Complete(context.Context, chat.Request, string) []chat.Choice { return nil }

// Event ignores events.
func (*app) Event(context.Context, chat.Event) {}

// answer sets how requests are answered from now on.
func (a *app) answer(handle func(context.Context, chat.Request) (chat.Reply, error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handle = handle
}

// reply sets a constant answer.
func (a *app) reply(r chat.Reply) {
	a.answer(func(context.Context, chat.Request) (chat.Reply, error) { return r, nil })
}

// requests returns the requests so far.
func (a *app) requests() []chat.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]chat.Request(nil), a.got...)
}
