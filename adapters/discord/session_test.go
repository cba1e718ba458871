package discord

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
)

// What nobody knows gets a polite word.
func TestUnknown(t *testing.T) {
	srv := network(t, discordtest.Options{AnyCommand: true})
	r := run(t, srv, adapter(t, srv, acquainted()), &app{})
	for kind, data := range map[int]map[string]any{
		99:               {"nobody": "knows"},
		interactionPress: {"custom_id": "somebody else's", "component_type": 2},
		interactionForm:  {"custom_id": "old", "components": []any{}},
	} {
		i := srv.Deliver(asha, support, kind, data)
		m := r.reply(i, "")
		if !m.Ephemeral() || !strings.Contains(m.Plain(), "use a") && !strings.Contains(m.Plain(), "use the") {
			t.Errorf("kind %d: %+v", kind, m)
		}
	}
	i := r.slash(support, "fllor", discordtest.Option{Name: "x", Value: "y"})
	if m := r.reply(i, "fllor y"); !m.Ephemeral() {
		t.Error("the answer to an unknown command is not private")
	}
}

// Proposals come from memory, for the option that is being typed.
func TestProposals(t *testing.T) {
	bot := &app{commands: []chat.Command{{Name: "floor", Summary: "x", Private: true, Sub: []chat.Command{
		{Name: "silence", Summary: "x", Private: true, Options: []chat.Option{
			{Name: "rule", Summary: "x", Complete: true}, {Name: "time", Summary: "x"},
		}},
	}}}}
	bot.complete = func(r chat.Request, option string) []chat.Choice {
		if r.Command != "floor" || r.Text != "silence 1h missed bu" || option != "rule" || r.From.ID != asha {
			t.Errorf("asked for %q after %s %q by %v", option, r.Command, r.Text, r.From)
		}
		list := []chat.Choice{{Label: strings.Repeat("long ", 40), Value: "v"}, {Value: strings.Repeat("v", 101)}, {Value: "bare"}}
		for i := range 40 {
			list = append(list, chat.Choice{Label: fmt.Sprint("rule ", i), Value: fmt.Sprint("r", i)})
		}
		return list
	}
	r := started(t, bot)
	i, err := r.srv.Suggest(asha, support, "floor silence", "rule",
		discordtest.Option{Name: "rule", Value: "missed bu"}, discordtest.Option{Name: "time", Value: "1h"})
	r.must(err)
	got, err := i.WaitChoices(r.ctx)
	r.must(err)
	if len(got) != maxOptions || !strings.HasSuffix(got[0].Name, chat.Ellipsis) || got[1].Name != "bare" {
		t.Errorf("%+v", got)
	}
	bot.complete = nil
	i, err = r.srv.Suggest(asha, support, "floor silence", "rule", discordtest.Option{Name: "rule", Value: "x"})
	r.must(err)
	if got, err := i.WaitChoices(r.ctx); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// With more requests than there is room for, people are told so.
func TestBusy(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, acquainted())
	release := make(chan struct{})
	s := a.session(&app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
		<-release
		return chat.Show(note("late", "x")), nil
	}})
	s.pool = chat.NewPool(chat.PoolConfig{Running: 1, Waiting: 1})
	got := make(chan response, 10)
	for i := range 3 {
		raw := fmt.Appendf(nil, `{"id": "8035111022467800%d", "type": 2, "token": "t", "user": {"id": %q}, "data": {"name": "mystats"}}`, i, asha)
		s.take(raw, func(_ context.Context, _ interaction, c response) error {
			got <- c
			return nil
		})
	}
	c := <-got
	if p, ok := c.Data.(payload); !ok || c.Type != respondMessage || p.Flags != flagEphemeral || !strings.Contains(p.Embeds[0].Title, "Busy") {
		t.Errorf("%+v", c)
	}
	close(release)
	s.pool.Drain()
	s.asides.Wait()
	if n := a.Stats().Dropped; n != 1 {
		t.Errorf("%d were dropped", n)
	}
}

// However many ask at once while the bot is slow, everybody has a first response
// before it is done, one answer, and none is lost.
func TestManyAtOnce(t *testing.T) {
	const people, running = 120, 30
	srv := network(t, discordtest.Options{Times: discordtest.Times{Ack: time.Minute}}) // machines for tests are slow
	a := adapter(t, srv, acquainted())
	a.timing.answer, a.timing.running = 200*time.Millisecond, running
	release := make(chan struct{})
	r := run(t, srv, a, &app{handle: func(_ context.Context, q chat.Request) (chat.Reply, error) {
		first := chat.Show(note("stale", q.Text+"."))
		first.Then = func(context.Context) (chat.Reply, error) {
			<-release
			return chat.Show(note("fresh", q.Text+".")), nil
		}
		return first, nil
	}})
	var all []*discordtest.Interaction
	for n := range people {
		all = append(all, r.slash("", "floor note", discordtest.Option{Name: "words", Value: fmt.Sprint(n)}))
	}
	for _, i := range all {
		_, err := i.WaitAck(r.ctx)
		r.must(err)
	}
	close(release)
	for _, i := range all {
		r.reply(i, "fresh")
	}
	r.must(r.stop())
	for n, i := range all {
		if got := i.Replies(); i.Failure() != "" || len(got) != 1 || !strings.Contains(got[0].Plain(), fmt.Sprintf("note %d.", n)) {
			t.Fatalf("request %d: %q, %+v", n, i.Failure(), got)
		}
	}
	if n := a.Stats().Promised; n < people-running {
		t.Errorf("%d were promised an answer; those that waited for their turn must be", n)
	}
}

// The bot hears of places that are gone.
func TestEvents(t *testing.T) {
	bot := &app{}
	r := started(t, bot)
	r.srv.Outage(acme, true)
	r.srv.Outage(acme, false)
	r.srv.RemoveChannel(floor)
	other := r.srv.AddGuild(discordtest.Guild{Name: "Other"})
	r.srv.RemoveGuild(other)
	r.srv.RemoveGuild(acme)
	want := []chat.Event{
		{Kind: chat.EventGone, Gone: chat.Address{Network: chat.Discord, ID: floor}, By: chat.Discord},
		{Kind: chat.EventRemoved, By: chat.Discord},
	}
	for len(bot.told()) < len(want) {
		r.must(sleep(r.ctx, time.Millisecond))
	}
	r.must(r.stop())
	got := bot.told()
	slices.SortFunc(got, func(a, b chat.Event) int { return int(a.Kind - b.Kind) })
	if !slices.Equal(got, want) {
		t.Errorf("told %+v, want %+v", got, want)
	}
}

// A panic leaves nobody waiting, and the program running.
func TestPanicAfterClaim(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, acquainted())
	s := a.session(&app{})
	raw := fmt.Appendf(nil, `{"id": "80351110224678000", "type": 2, "token": "t", "user": {"id": %q}, "data": {"name": "mystats"}}`, asha)
	s.take(raw, func(context.Context, interaction, response) error { panic("boom") })
	s.pool.Drain() // hangs if the request does
	if !slices.ContainsFunc(srv.Messages(asha), saying("could not answer")) {
		t.Error("the person was told nothing")
	}
	if errors.Is(a.Healthy(), chat.ErrFinal) {
		t.Error("it is over")
	}
}
