package discord

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
)

// An app answers as the test says, and answers no request twice.
type app struct {
	handle   func(context.Context, chat.Request) (chat.Reply, error)
	complete func(r chat.Request, option string) []chat.Choice
	commands []chat.Command // nil is those of the conformance test

	mu     sync.Mutex // guards the rest
	seen   map[string]bool
	got    []chat.Request
	events []chat.Event
}

func (a *app) Commands() []chat.Command {
	if a.commands != nil {
		return a.commands
	}
	return chattest.Commands()
}

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

func (a *app) Complete(_ context.Context, r chat.Request, option string) []chat.Choice {
	if a.complete == nil {
		return nil
	}
	return a.complete(r, option)
}

func (a *app) Event(_ context.Context, e chat.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, e)
}

func (a *app) requests() []chat.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.got)
}

func (a *app) told() []chat.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.events)
}

// replies returns an app that gives the same answer to everything.
func replies(r chat.Reply) *app {
	return &app{handle: func(context.Context, chat.Request) (chat.Reply, error) { return r, nil }}
}

// A running adapter.
type running struct {
	*testing.T
	ctx  context.Context // ends when the test waits in vain
	srv  *discordtest.Server
	a    *Adapter
	stop func() error // ends Run and returns its error
	over chan struct{}
}

// begin runs an adapter against a fake until the test ends.
func begin(t *testing.T, srv *discordtest.Server, a *Adapter, app chat.App) *running {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	if overHTTP(t) {
		endpoint(t, srv, a)
	}
	r := &running{T: t, ctx: ctx, srv: srv, a: a, over: make(chan struct{})}
	stopping, stop := context.WithCancel(context.Background())
	var err error
	go func() {
		defer close(r.over)
		err = a.Run(stopping, app)
	}()
	r.stop = func() error {
		stop()
		return r.end(&err)
	}
	t.Cleanup(func() {
		defer cancel()
		if err := r.stop(); err != nil && !errors.Is(err, chat.ErrFinal) {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

// end waits until Run has ended.
func (r *running) end(err *error) error {
	select {
	case <-r.over:
		return *err
	case <-time.After(30 * time.Second):
		return errors.New("Run does not end")
	}
}

// run is begin, and waits for the gateway, if there is one, and the commands.
func run(t *testing.T, srv *discordtest.Server, a *Adapter, app chat.App) *running {
	t.Helper()
	before := srv.Connections()
	r := begin(t, srv, a, app)
	if overHTTP(t) {
		r.must(reachable(r.ctx, srv, a))
		return r
	}
	r.ready(before)
	r.await("one session and the commands", func() bool { return len(srv.Ready()) == 1 && len(srv.Commands("")) > 0 })
	return r
}

// reachable waits until an adapter takes what people do: its commands are there,
// and it knows of a connection, or that Discord calls it.
func reachable(ctx context.Context, srv *discordtest.Server, a *Adapter) error {
	if err := srv.Wait(ctx, func() bool { return len(srv.Commands("")) > 0 }); err != nil {
		return err
	}
	return connected(ctx, a)
}

// connected waits until an adapter knows of a connection.
func connected(ctx context.Context, a *Adapter) error {
	for !a.Stats().Connected {
		if err := sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// started is run with an adapter whom Asha and Meera know.
func started(t *testing.T, app chat.App) *running {
	t.Helper()
	srv := network(t, discordtest.Options{})
	return run(t, srv, adapter(t, srv, acquainted()), app)
}

// must ends the test on an error.
func (r *running) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// await waits until something holds of the network.
func (r *running) await(what string, holds func() bool) {
	r.Helper()
	if err := r.srv.Wait(r.ctx, holds); err != nil {
		r.Fatalf("waited in vain for %s", what)
	}
}

// ready waits until there is a session on a newer connection than the one with
// the number, and the adapter knows.
func (r *running) ready(after int) *discordtest.Conn {
	r.Helper()
	c, err := r.srv.WaitReady(r.ctx, after)
	r.must(err)
	r.connected()
	return c
}

// connected waits until the adapter says that it is.
func (r *running) connected() {
	r.Helper()
	r.must(connected(r.ctx, r.a))
}

// paused waits until there is no session, and the adapter waits to try again.
func (r *running) paused() {
	r.Helper()
	for {
		r.a.health.mu.Lock()
		trouble := r.a.health.trouble
		r.a.health.mu.Unlock()
		if trouble != nil {
			return
		}
		r.must(sleep(r.ctx, time.Millisecond))
	}
}

// slash makes Asha use a command in a channel, "" for direct messages.
func (r *running) slash(channel, name string, options ...discordtest.Option) *discordtest.Interaction {
	r.Helper()
	i, err := r.srv.Slash(asha, channel, name, options...)
	r.must(err)
	return i
}

// reply waits for the answer to an interaction that holds the words.
func (r *running) reply(i *discordtest.Interaction, words string) discordtest.Message {
	r.Helper()
	m, err := i.WaitReply(r.ctx, saying(words))
	if err != nil {
		r.Fatalf("no answer holds %q: %+v; %s", words, i.Replies(), i.Failure())
	}
	return m
}

// message waits for a message in a channel that holds the words.
func (r *running) message(channel, words string) discordtest.Message {
	r.Helper()
	m, err := r.srv.WaitMessage(r.ctx, channel, saying(words))
	if err != nil {
		r.Fatalf("no message in %s holds %q", channel, words)
	}
	return m
}

// answers checks that the adapter answers.
func (r *running) answers() {
	r.Helper()
	r.reply(r.slash("", "mystats"), "answer")
}

func saying(words string) func(discordtest.Message) bool {
	return func(m discordtest.Message) bool { return strings.Contains(m.Plain(), words) }
}

// final waits until Run has ended by itself, for good.
func (r *running) final() error {
	r.Helper()
	select {
	case <-r.over:
	case <-r.ctx.Done():
		r.Fatal("Run goes on")
	}
	err := r.stop()
	if !errors.Is(err, chat.ErrFinal) {
		r.Errorf("Run: %v, want a final error", err)
	}
	return err
}
