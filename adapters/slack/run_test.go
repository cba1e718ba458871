package slack

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
)

// An app answers as the test says, and answers no request twice.
type app struct {
	handle func(context.Context, chat.Request) (chat.Reply, error)

	mu     sync.Mutex // guards the rest
	seen   map[string]bool
	got    []chat.Request
	events []chat.Event
}

func (a *app) Commands() []chat.Command { return chattest.Commands() }

func (a *app) Handle(ctx context.Context, r chat.Request) (chat.Reply, error) {
	a.mu.Lock()
	again := a.seen[r.ID]
	if a.seen == nil {
		a.seen = map[string]bool{}
	}
	a.seen[r.ID] = true
	a.got = append(a.got, r)
	a.mu.Unlock()
	if again {
		return chat.Reply{}, chat.ErrDuplicate
	}
	if a.handle == nil {
		return chat.Show(note("answer", r.Command+" "+r.Text)), nil
	}
	return a.handle(ctx, r)
}

func (a *app) Complete(context.Context, chat.Request, string) []chat.Choice { return nil }

func (a *app) Event(_ context.Context, e chat.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, e)
}

func (a *app) requests() []chat.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]chat.Request(nil), a.got...)
}

// replies returns an app that gives the same answer to everything.
func replies(r chat.Reply) *app {
	return &app{handle: func(context.Context, chat.Request) (chat.Reply, error) { return r, nil }}
}

// A running adapter.
type running struct {
	*testing.T
	ctx  context.Context // ends when the test waits in vain
	srv  *slacktest.Server
	stop func() error // ends Run and returns its error
}

// run runs an adapter against a fake until the test ends, and waits until it
// can be reached.
func run(t *testing.T, srv *slacktest.Server, a *Adapter, app chat.App) *running {
	t.Helper()
	r := begin(t, srv, a, app)
	r.must(reachable(r.ctx, srv, a))
	return r
}

// reachable waits until an adapter takes what people do.
func reachable(ctx context.Context, srv *slacktest.Server, a *Adapter) error {
	if a.config.Mode != ModeHTTP {
		_, err := srv.WaitSockets(ctx, clients)
		return err
	}
	for ctx.Err() == nil {
		if s := a.door.enter(); s != nil {
			a.door.leave()
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return context.Cause(ctx)
}

// begin is run without waiting.
func begin(t *testing.T, srv *slacktest.Server, a *Adapter, app chat.App) *running {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	running := &running{T: t, ctx: ctx, srv: srv}
	stopping, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(stopping, app) }()
	running.stop = sync.OnceValue(func() error {
		stop()
		select {
		case err := <-ended:
			return err
		case <-time.After(20 * time.Second):
			return errors.New("Run does not end")
		}
	})
	t.Cleanup(func() {
		defer cancel()
		if err := running.stop(); err != nil && !errors.Is(err, chat.ErrFinal) {
			t.Errorf("Run: %v", err)
		}
	})
	return running
}

// must ends the test on an error.
func (r *running) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// await waits until something holds of the workspace.
func (r *running) await(what string, holds func() bool) {
	r.Helper()
	if err := r.srv.Wait(r.ctx, holds); err != nil {
		r.Fatalf("waited in vain for %s", what)
	}
}

// reply waits for the answer to an interaction that holds the words.
func (r *running) reply(i *slacktest.Interaction, words string) slacktest.Message {
	r.Helper()
	m, err := i.WaitReply(r.ctx, holding(words))
	if err != nil {
		r.Fatalf("no answer holds %q: %v", words, i.Replies())
	}
	return m
}

// dm waits for a direct message that holds the words.
func (r *running) dm(user, words string) slacktest.Message {
	r.Helper()
	m, err := r.srv.WaitMessage(r.ctx, user, holding(words))
	if err != nil {
		r.Fatalf("no direct message to %s holds %q", user, words)
	}
	return m
}

// TestOverHTTP runs what holds of both transports over the other one: answers,
// windows, the home page, the end.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"Conformance": TestConformance,

		"ThenWithoutReplacing": TestThenWithoutReplacing, "LateAnswerGoesToDM": TestLateAnswerGoesToDM,
		"FailingResponseURL": TestFailingResponseURL, "RefusedFormOfAnswer": TestRefusedFormOfAnswer,
		"ForeignersAreRefused": TestForeignersAreRefused, "UnknownCommand": TestUnknownCommand,
		"FilesOfAnswer": TestFilesOfAnswer, "Presses": TestPresses, "Home": TestHome, "PressOnHome": TestPressOnHome,
		"UnchangedPageIsNotPublished": TestUnchangedPageIsNotPublished, "PageInTwoHalves": TestPageInTwoHalves, "ButtonsOfPage": TestButtonsOfPage,
		"Events": TestEvents, "RevokedWhileSending": TestRevokedWhileSending, "ForeignWorkspace": TestForeignWorkspace,

		"SlowForm": TestSlowForm, "FormErrors": TestFormErrors, "ClosedForm": TestClosedForm, "LargeResultOfForm": TestLargeResultOfForm,
		"FormDeliveredAgain": TestFormDeliveredAgain, "ResultWaitsForAcknowledgement": TestResultWaitsForAcknowledgement,
		"LateForm": TestLateForm, "PressInModal": TestPressInModal, "FullPool": TestFullPool,
		"ShutdownAnswersTheAcknowledged": TestShutdownAnswersTheAcknowledged, "ShutdownApologizes": TestShutdownApologizes,
		"PanicIsAnswered": TestPanicIsAnswered, "ResponseURLIsUsedUp": TestResponseURLIsUsedUp,
	} {
		t.Run(name, test)
	}
}
