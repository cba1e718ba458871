package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/dashboard"
)

// mystats answers /mystats: the person's own numbers, fresh if the API answers
// within [patience], else the stored ones first and the fresh ones after.
func (b *Bot) mystats(ctx context.Context, r *request) (chat.Reply, error) {
	view, err := parseView(r)
	if err != nil {
		return chat.Reply{}, err
	}
	if view == "help" {
		return chat.Show(b.explainNumbers(r)), nil
	}
	agent, err := b.own(r)
	if err != nil {
		return chat.Reply{}, err
	}
	if agent.State == LinkRelink || agent.State == LinkSuspended {
		if _, ok := b.dead.allow(string(agent.ID), deadTries, time.Now()); !ok {
			return chat.Reply{}, deadLink(agent)
		}
	}
	seen, err := b.store.Seen(agent.ID)
	if err != nil {
		return chat.Reply{}, fmt.Errorf("read the last counters of %s: %w", agent.ID, err)
	}
	c := card{r: r, agent: agent, view: view, seen: seen, asked: time.Now()}

	quick, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now, err := b.fetch(quick, agent, dashboard.Query{})
	if err != nil && quick.Err() != nil && ctx.Err() == nil {
		waiting, err := b.waiting(c, time.Now())
		if err != nil {
			return chat.Reply{}, err
		}
		return chat.Reply{Message: &waiting, Then: func(ctx context.Context) (chat.Reply, error) {
			now, err := b.fetch(ctx, agent, dashboard.Query{}) // joins the call that is under way
			return b.numbers(ctx, c, now, err)
		}}, nil
	}
	return b.numbers(ctx, c, now, err)
}

// deadTries is how often in ten minutes a credential that was refused is tried
// again because its owner asks.
const deadTries = 3

// deadLink is the error of an agent whose credential was refused.
func deadLink(a Agent) error {
	if a.State == LinkSuspended {
		return &dashboard.Error{Class: dashboard.ClassAccount}
	}
	return &dashboard.Error{Class: dashboard.ClassCredential}
}

func parseView(r *request) (string, error) {
	view := "today"
	if len(r.args) > 0 {
		view = strings.ToLower(r.args[0])
		r.args = r.args[1:]
	}
	var names []string
	for _, v := range views() {
		names = append(names, v.Value)
	}
	if !slices.Contains(names, view) {
		p := &problem{text: fmt.Sprintf("I don't know “%s”.", cut(view, 30)), next: chat.T("Say one of " + strings.Join(names, ", ") + ".")}
		if near := nearest(view, names); near != "" {
			p.next = chat.Join(chat.T("Did you mean "), chat.Code(r.config.typed(r.From.Network, "mystats", near)), chat.T("?"))
		}
		return "", p
	}
	return view, r.noMore()
}

// fetch asks the API for an agent's counters, in the way that a query says. An
// answer of a few seconds ago will do, unless it is to be fresh.
func (b *Bot) fetch(ctx context.Context, agent Agent, how dashboard.Query) (dashboard.Counters, error) {
	credential, err := b.store.Credential(agent.ID)
	if err != nil {
		return dashboard.Counters{}, fmt.Errorf("open the credential of %s: %w", agent.ID, err)
	}
	how.Agent, how.Credential = string(agent.ID), credential
	return b.src.Counters(ctx, how)
}

// numbers makes the answer from what the API said, and keeps it.
func (b *Bot) numbers(ctx context.Context, c card, now dashboard.Counters, err error) (chat.Reply, error) {
	b.noteHealth(ctx, c, err)
	if err != nil {
		if last := c.seen.Last; transient(err) && !last.At.IsZero() {
			m, _ := b.explain(ctx, c.r, err)
			return b.stale(c, time.Now(), m) // m says why there are no fresh ones
		}
		return chat.Reply{}, err
	}
	if !now.At.Equal(c.seen.Last.At) { // else the cached answer, which is kept already
		c.before = c.seen.Last
		c.seen = c.seen.with(now, c.r.config)
		if err := b.store.SaveSeen(c.agent.ID, c.seen); err != nil {
			b.log.ErrorContext(ctx, "counters not kept", "request", c.r.id, "agent", c.agent.ID, "err", err)
		}
	}
	return b.show(c, time.Now())
}

// transient reports whether stored numbers are the better answer.
func transient(err error) bool {
	e, ok := errors.AsType[*dashboard.Error](err)
	return ok && (e.Class == dashboard.ClassTransient || e.Class == dashboard.ClassOffShift) || cancelled(err)
}

// noteHealth keeps in the store whether the agent's credential works.
func (b *Bot) noteHealth(ctx context.Context, c card, err error) {
	agent := c.agent
	state, reason := linkState(agent.State, err)
	if state == agent.State {
		return
	}
	if err := b.saveLinkState(agent, state, reason, c.asked); err != nil && !errors.Is(err, ErrNotLinked) {
		b.log.ErrorContext(ctx, "link state not kept", "agent", agent.ID, "state", state, "err", err)
	}
}

// linkState is how an agent's link stands after an answer of the API.
func linkState(was LinkState, err error) (state LinkState, reason string) {
	class, failed := dashboard.ClassOf(err)
	switch {
	case err == nil:
		return LinkActive, ""
	case failed && class == dashboard.ClassCredential:
		return LinkRelink, "the dashboard refuses the credential"
	case failed && class == dashboard.ClassAccount:
		return LinkSuspended, "the dashboard suspended the account or denies it"
	}
	return was, ""
}

// with returns s with a newer answer. The first answer of the vendor's day, and
// one whose counters start again, begins a new count; one that the vendor dated
// before the last is dropped.
func (s Seen) with(now dashboard.Counters, c *Config) Seen {
	switch newer, begins := s.takes(now, c); {
	case !newer:
		return s
	case begins:
		return Seen{First: now, Last: now}
	}
	return Seen{First: s.First, Last: now}
}

// takes reports whether an answer is newer than what was seen, and whether it
// begins a new count. It looks at times only.
func (s Seen) takes(now dashboard.Counters, c *Config) (newer, begins bool) {
	if !now.Date.IsZero() && now.Date.Before(s.Last.Date) {
		return false, false
	}
	return true, s.First.At.IsZero() || !sameDay(s.First.At, now.At, c.Zone)
}

func sameDay(a, b time.Time, zone *time.Location) bool {
	a, b = a.In(zone), b.In(zone)
	return a.YearDay() == b.YearDay() && a.Year() == b.Year()
}
