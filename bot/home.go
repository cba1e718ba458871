package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// The home page is what networks show that have one: the person's numbers, what
// fires, quiet hours, and what they can do here. It is made of the answers that
// the commands give, so it says nothing that they do not, and grants no right of
// its own.

// homePage is the ID of the page's buttons whose answer is the page. What such a
// button does is its Value, a command with its words; none makes the page anew.
const homePage = "home"

// pageAlerts is how many open alerts the page shows with their buttons.
const pageAlerts = 5

// routeHome finds the handler of what happened on the home page: of its opening,
// or of a button whose answer is the page.
func (b *Bot) routeHome(r *request) (string, handler) {
	if len(r.args) == 0 {
		return homePage, func(b *Bot, ctx context.Context, r *request) (chat.Reply, error) { return b.page(ctx, r, nil) }
	}
	here := r.args[len(r.args)-1] == "here"
	r.Command, r.args = r.args[0], r.args[1:]
	name, run := b.descend(r, b.commands, r.Command, "")
	return name, func(b *Bot, ctx context.Context, r *request) (chat.Reply, error) {
		reply, err := run(b, ctx, r)
		switch {
		case err != nil:
			m, _ := b.explain(ctx, r, err)
			reply = chat.Show(m)
		case reply.Message == nil:
			return reply, nil // a form
		case here:
			reply.Message = nil // the card that the button is on stands on the page
		}
		return b.page(ctx, r, reply.Message)
	}
}

// page answers with the home page, below what came of a button unless said is
// nil. Numbers that are not there at once follow, as for /mystats.
func (b *Bot) page(ctx context.Context, r *request, said *chat.Message) (chat.Reply, error) {
	reply, err := b.mystats(ctx, r.bare())
	return b.pageAround(ctx, r, said, reply, err)
}

// bare returns the request without words.
func (r *request) bare() *request {
	bare := *r
	bare.args = nil
	return &bare
}

// pageAround puts the page around an answer about the person's numbers.
func (b *Bot) pageAround(ctx context.Context, r *request, said *chat.Message, numbers chat.Reply, err error) (chat.Reply, error) {
	var page chat.Reply
	var own chat.Message
	if err != nil {
		own, _ = b.explain(ctx, r, err)
	} else {
		own = pageNumbers(*numbers.Message)
		if then := numbers.Then; then != nil {
			page.Then = func(ctx context.Context) (chat.Reply, error) {
				next, err := then(ctx)
				return b.pageAround(ctx, r, said, next, err)
			}
		}
	}
	if said != nil {
		notice := *said
		notice.Actions = nil // they would act on a message, and there is none
		page.Page = append(page.Page, notice)
	}
	alerts, err := b.pageAlerts(r)
	if err != nil {
		return chat.Reply{}, err
	}
	if r.may(supervisor) { // their first question is what burns
		page.Page = append(append(page.Page, alerts...), own)
	} else {
		page.Page = append(append(page.Page, own), alerts...)
	}
	rest, err := b.pageRest(ctx, r)
	page.Page = append(page.Page, rest...)
	onePrimary(page.Page)
	return page, err
}

// onePrimary leaves the page one button that stands out, the first.
func onePrimary(page []chat.Message) {
	found := false
	for _, m := range page {
		for i, a := range m.Actions {
			if a.Style == chat.Primary && found {
				m.Actions[i].Style = chat.Default
			}
			found = found || a.Style == chat.Primary
		}
	}
}

// pageNumbers is a card of numbers as it stands on the page: refreshed with it,
// other views in windows of their own.
func pageNumbers(m chat.Message) chat.Message {
	if len(m.Actions) == 0 { // numbers that are waited for
		return m
	}
	m.Actions = []chat.Action{
		{ID: homePage, Label: "Refresh", Replace: true},
		{ID: "mystats", Value: "shift", Label: "Shift"},
		{ID: "mystats", Value: "week", Label: "Week"},
		{ID: "mystats", Value: "help", Label: "What the numbers mean"},
	}
	return m
}

// pageAlerts are the open alerts that a supervisor may handle, each with its
// buttons, and for others those that name them.
func (b *Bot) pageAlerts(r *request) ([]chat.Message, error) {
	if !r.may(supervisor) {
		return b.pageAlertsAbout(r)
	}
	var cards []chat.Message
	err := b.lookAtDesk(time.Now(), func(d *desk) {
		lines := d.linesFor(r.From, d.mine(r.From, nil))
		slices.SortStableFunc(lines, func(a, b line) int { return int(b.severity) - int(a.severity) })
		for _, l := range lines[:min(len(lines), pageAlerts)] {
			m := d.draw(r.From, []line{l})
			m.Actions = pageActions(m.Actions)
			cards = append(cards, m)
		}
		if more := len(lines) - pageAlerts; more > 0 {
			cards = append(cards, note("", chat.T("And "+plural(more, "more alert")+"."), nil, chat.Action{ID: "floor", Value: "alerts", Label: "Show all"}))
		}
	})
	if len(cards) == 0 {
		cards = append(cards, note("Open alerts", chat.T("Nothing fires now."), nil))
	}
	if err != nil {
		return nil, err
	}
	if about := b.aboutSupervisor(r); len(about) > 0 {
		cards = append(cards, note("", chat.Lines(about...), nil))
	}
	return cards, nil
}

// pageAlertsAbout are the alerts that name the person, none if they have no
// agent.
func (b *Bot) pageAlertsAbout(r *request) ([]chat.Message, error) {
	reply, err := b.alertsAbout(r)
	switch {
	case errors.Is(err, ErrNotLinked):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []chat.Message{*reply.Message}, nil
}

// pageActions are an alert's buttons as they stand on the page: those whose
// answer was the card have the page for it.
func pageActions(actions []chat.Action) []chat.Action {
	var list []chat.Action
	for _, a := range actions {
		switch {
		case strings.HasSuffix(a.Value, " here"):
			a.ID, a.Value = homePage, a.ID+" "+a.Value
		case a.Replace:
			continue // the page is refreshed whole
		}
		list = append(list, a)
	}
	return list
}

// pageRest is what seldom changes.
func (b *Bot) pageRest(ctx context.Context, r *request) ([]chat.Message, error) {
	var cards []chat.Message
	if r.may(supervisor) {
		quiet, err := b.quietShow(r.bare())
		if err != nil {
			return nil, err
		}
		m := *quiet.Message
		m.Footer = chat.Join(chat.T("Change them with "), chat.Code(r.config.typed(r.From.Network, "floor", "quiet 22:00-07:00")))
		cards = append(cards, m)
	}
	account, err := b.pageAccount(r)
	if err != nil {
		return nil, err
	}
	help, err := b.help(ctx, r.bare())
	if err != nil {
		return nil, err
	}
	help.Message.Actions = nil // the numbers are above
	return append(append(cards, account...), *help.Message), nil
}

// pageAccount says how the person's link stands; there is nothing to say if they
// have none, because the answer about their numbers has said it.
func (b *Bot) pageAccount(r *request) ([]chat.Message, error) {
	agent, err := b.own(r)
	switch {
	case errors.Is(err, ErrNotLinked):
		return nil, nil
	case err != nil:
		return nil, err
	}
	text := chat.T("Linked since " + agent.LinkedAt.In(r.config.zoneOf(r.From)).Format("2 Jan 2006") + ": " + describe(agent) + ".")
	return []chat.Message{note("Your account", text, nil,
		chat.Action{ID: "floor", Value: "whoami", Label: "Who I am here"},
		chat.Action{ID: "floor", Value: "export", Label: "What is stored about me"})}, nil
}
