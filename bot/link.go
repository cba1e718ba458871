package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
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
	err := c.Validate()
	if err == nil {
		return nil
	}
	field := "user_id"
	switch text := err.Error(); {
	case c.UserID != "" && c.Token.IsZero(), strings.HasPrefix(text, "token "):
		field = "token"
	case strings.HasPrefix(text, "ssid "):
		field = "ssid"
	}
	switch {
	case c.UserID != "" && c.Token.IsZero():
		return map[string]string{field: "Give the token too, or only a session id."}
	case c.UserID == "" && !c.Token.IsZero():
		return map[string]string{field: "Give the user id too, or only a session id."}
	case c.UserID == "" && c.SSID.IsZero():
		return map[string]string{field: "Give your user id and token, or only a session id."}
	}
	return map[string]string{field: strings.ReplaceAll(err.Error(), "\n", "; ")}
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
	}
}

// LinkAll stores links that the caller has verified, each in its state of
// states, all or none.
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
	for i, l := range linked {
		if err := b.tellLinked(requests[i], l); err != nil {
			return linked, fmt.Errorf("the links are stored, but not everybody was told: %w", err)
		}
	}
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
func (b *Bot) tellLinked(l LinkRequest, linked Linked) error {
	var rows []Row
	c := b.config.Load()
	add := func(what string, to chat.Address, m chat.Message) {
		key := strings.Join([]string{"notice", what, string(linked.Agent.ID), linked.Agent.LinkedAt.UTC().Format(time.RFC3339), l.Address.String(), to.String()}, "/")
		rows = append(rows, Row{Key: key, To: to, Message: m, GiveUp: time.Now().Add(keepUnmet)})
	}
	if l.Actor != l.Address.String() {
		who := "An administrator (" + l.Actor + ") connected your dashboard account to this chat."
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
	_, err := b.atDesk(time.Now(), func(d *desk) {
		for _, row := range rows {
			d.notice(row)
		}
	})
	return err
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
	if err := b.tellLinked(l, linked); err != nil {
		b.log.ErrorContext(ctx, "nobody was told of a link", "agent", linked.Agent.ID, "err", err)
	}
	if counters != nil {
		if err := b.store.SaveSeen(linked.Agent.ID, Seen{First: *counters, Last: *counters}); err != nil {
			b.log.ErrorContext(ctx, "counters not kept", "agent", linked.Agent.ID, "err", err)
		}
	}
	return linked, counters, nil
}

// unlink answers /floor unlink: it asks, and deletes when confirmed.
func (b *Bot) unlink(_ context.Context, r *request) (chat.Reply, error) {
	agent, err := b.own(r)
	if err != nil {
		return chat.Reply{}, err
	}
	confirmed := len(r.args) == 1 && strings.EqualFold(r.args[0], "confirm")
	if !confirmed {
		if err := r.noMore(); err != nil {
			return chat.Reply{}, err
		}
		return chat.Show(askUnlink(agent)), nil
	}
	if _, err := b.Unlink(agent, r.From.String(), r.ID); err != nil {
		return chat.Reply{}, err
	}
	return chat.Show(note("Unlinked", chat.T("Your credential and your numbers are deleted here. Nothing changed in the dashboard."),
		chat.Join(chat.T("You can come back with "), chat.Code(r.config.typed(r.From.Network, "floor", "link")), chat.T(".")))), nil
}

func askUnlink(agent Agent) chat.Message {
	m := note("Delete what is stored about you?",
		chat.T("Your credential, your stored numbers and your addresses are deleted here. Nothing changes in the dashboard."), nil)
	if n := len(agent.Addresses); n > 1 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T(fmt.Sprintf("That covers all %d addresses you linked.", n))})
	}
	m.Actions = []chat.Action{{ID: "floor", Value: "unlink confirm", Label: "Delete", Style: chat.Danger, Replace: true,
		Confirm: &chat.Confirm{Title: "Delete everything?", Text: "Your credential and numbers cannot be brought back.", Yes: "Delete", No: "Keep"}}}
	return m
}

// Unlink deletes an agent and everything stored about them.
func (b *Bot) Unlink(a Agent, actor, requestID string) (Agent, error) {
	id := a.ID
	agent, err := b.store.Unlink(id, AuditEntry{At: time.Now().UTC(), Actor: actor, Action: "unlink", Object: string(id), Detail: addresses(a)}, requestID)
	if err != nil {
		return Agent{}, fmt.Errorf("unlink %s: %w", id, err)
	}
	b.src.Forget(string(id))
	if err := b.forgetAddresses(agent.Addresses); err != nil {
		return Agent{}, fmt.Errorf("forget the addresses of %s: %w", id, err)
	}
	b.ringUnlinked()
	return agent, nil
}

// left carries on after a link: an agent that lost the last address is as good as
// unlinked.
func (b *Bot) left(linked Linked) {
	if linked.Deleted != "" {
		b.src.Forget(string(linked.Deleted))
		b.ringUnlinked()
	}
}

func (b *Bot) ringUnlinked() {
	select {
	case b.unlinked <- struct{}{}:
	default: // it rings already
	}
}

// forgetAddresses deletes what is kept of addresses beside the agent's records:
// that they typed a command, their quiet hours, and their link pages. Those who
// supervise or administer are still written to.
func (b *Bot) forgetAddresses(list []chat.Address) error {
	c := b.config.Load()
	return b.store.Update(func(tx Tx) error {
		for _, a := range list {
			if err := dropTicketOf(tx, a); err != nil {
				return err
			}
			if c.isAdmin(a) || len(c.supervises(a)) > 0 {
				continue
			}
			err := errors.Join(tx.DropRecord(RecordNetworks, string(a.Network)+"/user/"+a.ID), tx.DropRecord(RecordQuiet, a.String()))
			if err != nil {
				return err
			}
			b.met.Delete(a)
		}
		return nil
	})
}

// addresses lists an agent's addresses for the audit trail.
func addresses(a Agent) string {
	var list []string
	for _, addr := range a.Addresses {
		list = append(list, addr.String())
	}
	return strings.Join(list, ", ")
}

// Unlinked tells whoever keeps house that the history of an agent is to be
// deleted.
func (b *Bot) Unlinked() <-chan struct{} { return b.unlinked }

// whoami says who the bot thinks the person is.
func (b *Bot) whoami(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	var fields chat.Fields
	add := func(label, value string) {
		if value != "" {
			fields = append(fields, chat.Field{Label: label, Value: value})
		}
	}
	add("Address", r.From.String())
	agent, err := b.own(r)
	linked := err == nil
	if err != nil && !errors.Is(err, ErrNotLinked) {
		return chat.Reply{}, err
	}
	if linked {
		add("Name", cut(agent.Name, 60))
		add("Account", describe(agent))
		add("Linked", fmt.Sprintf("%s by %s", agent.LinkedAt.In(r.config.zoneOf(r.From)).Format("2 Jan 2006"), byWhom(agent, r.From)))
		for _, a := range agent.Addresses {
			if a != r.From {
				add("Also you", a.String())
			}
		}
		add("Teams", strings.Join(r.config.teamsOf(agent), ", "))
	} else {
		add("Account", "not linked")
		add("Teams", strings.Join(r.config.memberOf(r.From), ", "))
	}
	add("Supervisor of", strings.Join(r.config.supervises(r.From), ", "))
	if r.config.isAdmin(r.From) {
		add("Role", "administrator")
	}
	m := chat.Message{Title: "Who you are here", Private: true, Blocks: []chat.Block{fields}}
	if !linked {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: linkAdvice(r)})
		m.Actions = linkAction(r)
	}
	return chat.Show(m), nil
}

// TeamsOf returns the names of an agent's teams, configured and added, sorted.
func (b *Bot) TeamsOf(a Agent) []string { return b.config.Load().teamsOf(a) }

// describe says in words how an agent's link stands.
func describe(a Agent) string {
	kind := "user id " + a.UserID + " and token"
	if a.Credential == CredentialSSID {
		kind = "a session id"
	}
	switch a.State {
	case LinkRelink:
		return kind + ", refused: link again"
	case LinkSuspended:
		return kind + ", suspended by the dashboard"
	case LinkUnverified:
		return kind + ", not verified yet"
	}
	return kind + ", working"
}

func byWhom(a Agent, addr chat.Address) string {
	switch {
	case a.LinkedBy == addr.String():
		return "you"
	case strings.HasPrefix(a.LinkedBy, "cli:"):
		return "an administrator (" + a.LinkedBy + ")"
	}
	return a.LinkedBy
}

// Export is everything that is stored about an agent, but for the credential
// itself.
type Export struct {
	Agent      AgentID        `json:"agent"`
	Name       string         `json:"name"`
	Addresses  []chat.Address `json:"addresses"`
	UserID     string         `json:"user_id,omitempty"`
	Credential CredentialKind `json:"credential"` // kept sealed, not exported
	State      LinkState      `json:"state"`
	LinkedBy   string         `json:"linked_by"`
	LinkedAt   time.Time      `json:"linked_at"`
	Teams      []string       `json:"teams"`
	Counters   Seen           `json:"counters"`
	Audit      []AuditEntry   `json:"audit"`   // the entries about this agent
	Alerts     []ExportAlert  `json:"alerts"`  // those that named this agent
	History    []ExportSample `json:"history"` // one for each poll that is kept
}

// An ExportSample is one poll of the history.
type ExportSample struct {
	At     time.Time          `json:"at"`
	Values map[string]float64 `json:"values"` // by the payload's key; empty: not logged in
}

// export answers /floor export with a private file.
func (b *Bot) export(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	agent, err := b.own(r)
	if err != nil {
		return chat.Reply{}, err
	}
	e, err := b.Export(agent)
	if err != nil {
		return chat.Reply{}, err
	}
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return chat.Reply{}, fmt.Errorf("encode the export of %s: %w", agent.ID, err)
	}
	m := note("Everything stored about you", chat.T("It is in the file. Your credential is kept too, encrypted; it is never shown."), nil)
	m.Files = []chat.File{{Name: "floorwalker-export.json", Type: "application/json", Data: append(data, '\n')}}
	return chat.Show(m), nil
}

// Export gathers everything that is stored about an agent.
func (b *Bot) Export(agent Agent) (Export, error) {
	seen, err := b.store.Seen(agent.ID)
	if err != nil {
		return Export{}, fmt.Errorf("read the last counters of %s: %w", agent.ID, err)
	}
	e := Export{
		Agent: agent.ID, Name: agent.Name, Addresses: agent.Addresses, UserID: agent.UserID, Credential: agent.Credential,
		State: agent.State, LinkedBy: agent.LinkedBy, LinkedAt: agent.LinkedAt,
		Teams: b.config.Load().teamsOf(agent), Counters: seen, Audit: []AuditEntry{}, History: []ExportSample{},
	}
	about := map[string]bool{string(agent.ID): true}
	for _, a := range agent.Addresses {
		about[a.String()] = true
	}
	for entry, err := range b.store.AuditTrail(time.Time{}) {
		if err != nil {
			return Export{}, fmt.Errorf("read the audit trail: %w", err)
		}
		if about[entry.Object] || about[entry.Actor] {
			e.Audit = append(e.Audit, entry)
		}
	}
	if e.Alerts, err = b.exportAlerts(agent.ID); err != nil {
		return Export{}, fmt.Errorf("read the alerts about %s: %w", agent.ID, err)
	}
	for sample, err := range b.store.History(agent.ID, schedule.Span{Start: time.Now().AddDate(-3, 0, 0), End: time.Now().Add(time.Hour)}) {
		if err != nil {
			return Export{}, fmt.Errorf("read the history of %s: %w", agent.ID, err)
		}
		values := make(map[string]float64, len(sample.Values))
		for _, v := range sample.Values {
			values[v.Key] = v.N
		}
		e.History = append(e.History, ExportSample{sample.Tick, values})
	}
	return e, nil
}
