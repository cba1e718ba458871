package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// linkTries is how often a person may try a credential in ten minutes. Each try
// is a live call, and nobody shall find out ids or tokens by trying.
const linkTries = 5

// link answers /floor link: with a page of the person's own where there are such
// pages, else with the form, and to the form with the result of a live call.
func (b *Bot) link(ctx context.Context, r *request) (chat.Reply, error) {
	if len(r.args) > 0 {
		return chat.Reply{}, &problem{
			text: "Never type a credential into a command: commands can end up in logs.",
			next: chat.Join(chat.T("I did not read it. "), linkAdvice(r)), actions: linkAction(r),
		}
	}
	if r.config.LinkPage != "" && r.Kind != chat.KindForm {
		return b.offerPage(r)
	}
	if !r.SecretForms {
		return chat.Reply{}, &problem{text: "I can't ask for a credential on this network.", next: linkAdvice(r)}
	}
	if r.Kind != chat.KindForm {
		return chat.Ask(linkForm(nil, r.Values)), nil
	}
	credential := dashboard.Credential{
		UserID: strings.TrimSpace(r.Values["user_id"].Reveal()),
		Token:  trimmed(r.Values["token"]),
		SSID:   trimmed(r.Values["ssid"]),
	}
	if faults := formFaults(credential); faults != nil {
		return chat.Ask(linkForm(faults, r.Values)), nil
	}
	if err := b.mayTry(r); err != nil {
		return chat.Reply{}, err
	}
	checking := note("Linking", chat.T("Checking with the dashboard…"), nil)
	return chat.Reply{Message: &checking, Then: func(ctx context.Context) (chat.Reply, error) {
		return b.finishLink(ctx, r, credential)
	}}, nil
}

// mayTry counts a try of a credential, or says how long to wait.
func (b *Bot) mayTry(r *request) error {
	wait, ok := b.attempts.allow(r.From.String(), linkTries, time.Now())
	if !ok {
		return &problem{text: "You have tried that several times now.", next: chat.T("Wait " + roughly(wait) + ", check the values in the dashboard, and try again.")}
	}
	return nil
}

func trimmed(s secret.Secret) secret.Secret { return secret.New(strings.TrimSpace(s.Reveal())) }

// linkForm asks for a credential.
func linkForm(faults map[string]string, values map[string]secret.Secret) chat.Form {
	return chat.Form{
		ID: "floor", Value: "link", Title: "Link your account", Submit: "Link", Errors: faults,
		Intro: chat.T("Your user id and API token are in the dashboard, under your profile. They are kept encrypted, sent only to the dashboard, and shown to nobody."),
		Fields: []chat.Input{
			{Name: "user_id", Label: "User id", Optional: true, Value: values["user_id"].Reveal()},
			{Name: "token", Label: "Token", Secret: true, Optional: true},
			{Name: "ssid", Label: "Session id instead", Secret: true, Optional: true, Hint: "To try it out: it ends when you log out"},
		},
	}
}

// formFaults says what is wrong with a credential, by field of the form.
func formFaults(c dashboard.Credential) map[string]string {
	switch {
	case c.UserID != "" && c.Token.IsZero():
		return map[string]string{"token": "Give the token too, or only a session id."}
	case c.UserID == "" && !c.Token.IsZero():
		return map[string]string{"user_id": "Give the user id too, or only a session id."}
	case c.UserID == "" && c.SSID.IsZero():
		return map[string]string{"user_id": "Give your user id and token, or only a session id."}
	}
	err := c.Validate()
	if err == nil {
		return nil
	}
	faults := map[string]string{}
	for line := range strings.Lines(err.Error()) { // each begins with the name of a part
		field, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		faults[field] = "This " + what + "."
	}
	return faults
}

// finishLink verifies and stores a credential, and shows the first numbers.
func (b *Bot) finishLink(ctx context.Context, r *request, credential dashboard.Credential) (chat.Reply, error) {
	linked, counters, err := b.Link(ctx, LinkRequest{
		Address: r.From, Name: r.Name, Credential: credential, Actor: r.From.String(), RequestID: r.ID,
	})
	if err != nil {
		return chat.Reply{}, linkProblem(err, credential)
	}
	return chat.Show(linkedMessage(r, linked, counters)), nil
}

// linkedMessage tells a person that they are linked, and what that means.
func linkedMessage(r *request, linked Linked, counters *dashboard.Counters) chat.Message {
	m := chat.Message{Title: "Linked", Tone: chat.Good, Private: true}
	what := "Your account is connected."
	switch {
	case linked.Joined:
		what = "This is now a second way to reach the account you had already linked."
	case linked.Relink:
		what = "Your new credential is in place."
	}
	m.Blocks = []chat.Block{chat.Paragraph{Text: chat.T(what)}}
	if counters == nil {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T("You are not logged in to the dashboard at the moment, so your numbers appear later.")})
	}
	m.Blocks = append(m.Blocks, chat.Paragraph{Quiet: true, Text: chat.Join(
		chat.T("Kept here: your name, this address, the credential (encrypted) and your counters. "),
		chat.Code(r.config.typed(r.From.Network, "floor", "export")), chat.T(" shows all of it, "),
		chat.Code(r.config.typed(r.From.Network, "floor", "unlink")), chat.T(" deletes it."))})
	m.Actions = []chat.Action{{ID: "mystats", Label: "My numbers", Style: chat.Primary}}
	return m
}

// linkProblem rewords the API's refusals for somebody who is linking. The
// answer is the same for an unknown user and for a wrong token.
func linkProblem(err error, credential dashboard.Credential) error {
	e, ok := errors.AsType[*dashboard.Error](err)
	if !ok {
		return err
	}
	switch e.Class {
	case dashboard.ClassCredential:
		if credential.UserID == "" {
			return &problem{text: "The dashboard does not accept that session id, so nothing was stored.",
				next: chat.T("It ends when you log out. Log in, and take the new one, or better your user id and token.")}
		}
		return &problem{text: "The dashboard does not accept that user id and token, so nothing was stored.",
			next:    chat.T("Check both in the dashboard, under your profile, and try again."),
			actions: []chat.Action{{ID: "floor", Value: "link", Label: "Try again", Form: true}}}
	case dashboard.ClassAccount:
		return &problem{text: "The dashboard says that this account is suspended or not allowed to read counters, so nothing was stored.",
			next: chat.T("Your administrator can change that in the dashboard.")}
	case dashboard.ClassTransient:
		return &problem{text: "The dashboard is not answering, so I could not check your credential and stored nothing.",
			next: chat.T("Try again in a few minutes.")}
	}
	return err
}

// A LinkRequest asks to connect an address with a credential.
type LinkRequest struct {
	Address    chat.Address
	Name       string
	Credential dashboard.Credential
	Teams      []string
	Actor      string // who asks, as in [AuditEntry]
	Detail     string // for the audit trail
	RequestID  string
	NoVerify   bool // store it unverified, without asking the API
}

// linkOf is what the store is asked for.
func (b *Bot) linkOf(l LinkRequest, state LinkState) Link {
	return Link{
		Address: l.Address, SamePerson: b.config.Load().samePerson(l.Address), Name: l.Name,
		Credential: l.Credential, State: state, Teams: l.Teams, RequestID: l.RequestID,
		Audit: AuditEntry{At: time.Now().UTC(), Actor: l.Actor, Action: "link", Object: l.Address.String(), Detail: l.Detail},
		Tell:  func(tx Tx, linked Linked) error { return b.tellLinked(tx, l, linked) },
	}
}

// LinkAll stores links that the caller has verified, each in its state of
// states, all or none, and promises to tell the people.
func (b *Bot) LinkAll(requests []LinkRequest, states []LinkState) ([]Linked, error) {
	var links []Link
	for i, l := range requests {
		links = append(links, b.linkOf(l, states[i])) // names as given: asking for thousands takes minutes
	}
	linked, err := b.store.LinkAll(links)
	if err != nil {
		return nil, err
	}
	for _, l := range linked {
		b.src.Forget(string(l.Agent.ID))
		b.left(l)
	}
	b.bells.ring()
	return linked, nil
}

// nameFor is the name to store for somebody: as an administrator gave it, else
// as their network calls them. What an event calls them is often a handle.
func (b *Bot) nameFor(ctx context.Context, l LinkRequest) string {
	lookup := b.config.Load().Lookup
	if lookup == nil || l.Name != "" && l.Actor != l.Address.String() {
		return l.Name
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	p, err := lookup(ctx, l.Address)
	if err != nil || p.Name == "" {
		return l.Name
	}
	return p.Name
}

// tellLinked tells a person who linked them, if it was not themselves, and the
// first address of an agent of a second one.
func (b *Bot) tellLinked(tx Tx, l LinkRequest, linked Linked) error {
	var rows []Row
	c := b.config.Load()
	add := func(what string, to chat.Address, m chat.Message) {
		key := strings.Join([]string{"notice", what, string(linked.Agent.ID), linked.Agent.LinkedAt.UTC().Format(time.RFC3339), l.Address.String(), to.String()}, "/")
		rows = append(rows, Row{Key: key, To: to, Message: m, GiveUp: time.Now().Add(keepUnmet)})
	}
	if l.Actor != l.Address.String() {
		who := "An administrator connected your dashboard account to this chat."
		if l.Actor == byItself {
			who = "An administrator has noted that this is you, too, so your dashboard account is connected to this chat."
		}
		add("linked", l.Address, note("You are linked", chat.T(who),
			chat.Join(chat.T("Kept are your name, this address, the credential (encrypted) and your numbers. "),
				chat.Code(c.typed(l.Address.Network, "mystats", "")), chat.T(" shows your numbers, to you alone; "),
				chat.Code(c.typed(l.Address.Network, "floor", "unlink")), chat.T(" deletes everything."))))
	}
	if first := linked.Agent.Addresses[0]; linked.Joined && first != l.Address {
		add("joined", first, note("A second address", chat.T(l.Address.String()+" was connected to your dashboard account and sees your numbers too."),
			chat.Join(chat.T("If that is not you, type "), chat.Code(c.typed(first.Network, "floor", "unlink")), chat.T(" and get a new token in the dashboard."))))
	}
	d := newDesk(tx, c, time.Now(), 0)
	for _, row := range rows {
		d.notice(row)
	}
	return d.err
}

// Link verifies a credential by one live call and stores it. It returns the
// counters of that call, nil if the agent is not logged in or nothing was
// asked. Nothing is stored if the API refuses the credential or does not
// answer: the error is then a [dashboard.Error].
func (b *Bot) Link(ctx context.Context, l LinkRequest) (Linked, *dashboard.Counters, error) {
	if err := l.Credential.Validate(); err != nil {
		return Linked{}, nil, &problem{text: err.Error()}
	}
	state, counters := LinkUnverified, (*dashboard.Counters)(nil)
	if !l.NoVerify {
		c, err := b.src.Counters(ctx, dashboard.Query{Credential: l.Credential})
		if err == nil {
			counters = &c
		} else if e, ok := errors.AsType[*dashboard.Error](err); !ok || e.Class != dashboard.ClassOffShift {
			return Linked{}, nil, err
		}
		state = LinkActive
	}
	l.Name = b.nameFor(ctx, l)
	linked, err := b.store.Link(b.linkOf(l, state))
	if err != nil {
		return Linked{}, nil, fmt.Errorf("store the link of %s: %w", l.Address, err)
	}
	b.src.Forget(string(linked.Agent.ID))
	b.left(linked)
	b.bells.ring()
	if counters != nil {
		if err := b.store.SaveSeen(linked.Agent.ID, Seen{First: *counters, Last: *counters}); err != nil {
			b.log.ErrorContext(ctx, "counters not kept", "agent", linked.Agent.ID, "err", err)
		}
	}
	return linked, counters, nil
}
