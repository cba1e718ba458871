package bot

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// offerPage answers /floor link with the address of a page that is for this
// person alone. A page asked for before is not good any more.
func (b *Bot) offerPage(r *request) (chat.Reply, error) {
	now := time.Now()
	if wait, ok := b.pages.allow(r.From.String(), linkTries, now); !ok {
		return chat.Reply{}, &problem{text: "You have asked for several link pages now.", next: chat.T("Use the last one, or wait " + roughly(wait) + " and ask again.")}
	}
	words := newTicket()
	t := ticket{Address: r.From, Name: r.Name, Expires: now.Add(ticketLife).UTC()}
	if err := b.store.Update(func(tx Tx) error { return putTicket(tx, hashed(words), t) }); err != nil {
		return chat.Reply{}, err
	}
	b.offers.drop(t.Address) // it led to the page that is not good any more
	m := note("Link your account",
		chat.T("Open the page and enter your user id and API token there: they are in the dashboard, under your profile."), nil,
		chat.Action{Label: "Open my link page", Style: chat.Primary, URL: r.config.LinkPage + words.Reveal()})
	m.Footer = chat.Join(chat.T("For you alone: do not pass it on. It works once, until "),
		chat.At(t.Expires.In(r.config.zoneOf(r.From)), chat.Clock), chat.T("."))
	reply := chat.Show(m)
	if r.Kind == chat.KindCommand || r.From.Network == chat.Discord { // Slack replaces no answer to a button
		reply.Shown = func(again chat.Replacer) { b.offers.put(t.Address, t.Expires, again) }
	}
	return reply, nil
}

// offers hold what puts a message in the place of the answer with the address of a
// link page, by person. They may be lost: the person then gets a new message.
type offers struct {
	mu sync.Mutex
	m  map[chat.Address]pageOffer
}

type pageOffer struct {
	expires time.Time
	again   chat.Replacer
}

// drop forgets a person's.
func (o *offers) drop(who chat.Address) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.m, who)
}

// put keeps a person's newest, and drops those that are over.
func (o *offers) put(who chat.Address, expires time.Time, again chat.Replacer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.m == nil {
		o.m = map[chat.Address]pageOffer{}
	}
	maps.DeleteFunc(o.m, func(_ chat.Address, p pageOffer) bool { return !time.Now().Before(p.expires) })
	o.m[who] = pageOffer{expires, again}
}

// replace puts a message in the place of a person's answer, if that is there.
func (o *offers) replace(ctx context.Context, who chat.Address, m chat.Message) error {
	o.mu.Lock()
	p, found := o.m[who]
	delete(o.m, who)
	o.mu.Unlock()
	if !found {
		return chat.ErrGone
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replaceFor)
	defer cancel()
	return p.again(ctx, m)
}

// replaceFor is how long a link page waits for the answer in chat to be replaced.
const replaceFor = 3 * time.Second

// A LinkOffer is what a link page says before anybody has entered anything.
type LinkOffer struct {
	Address chat.Address // who will see the numbers
	Name    string       // how their network calls them; untrusted
	Command string       // what they type to the bot, such as /floor
	Expires time.Time    // in their zone
	Tries   int          // that are left
	Relink  bool         // they are linked, and would replace their credential
}

// A LinkSubmission is what somebody has entered on a link page.
type LinkSubmission struct {
	Credential dashboard.Credential
	Confirmed  bool // that they are the person of the offer, and the account is theirs
}

// A LinkResult is what came of a submission: Faults, or else Message.
type LinkResult struct {
	Offer   LinkOffer
	Faults  map[string]string // by field: user_id, token, ssid, confirm
	Message chat.Message      // for the person
	Linked  bool
}

// LinkOffer returns what a link page is for, or [ErrNoTicket]. It changes
// nothing, however often it is called: chat networks fetch every address that is
// posted. It may ask the network for the person's name, which takes seconds at
// most.
func (b *Bot) LinkOffer(ctx context.Context, words secret.Secret) (LinkOffer, error) {
	t, err := b.ticket(words)
	if err != nil {
		return LinkOffer{}, err
	}
	return b.offerOf(ctx, t), nil
}

// offerOf says what a ticket is for. The name is asked for anew each time, as what
// an event called somebody may be a name that they chose for one server.
func (b *Bot) offerOf(ctx context.Context, t ticket) LinkOffer {
	_, err := b.agentOf(t.Address)
	c := b.config.Load()
	return LinkOffer{
		Address: t.Address, Name: b.nameFor(ctx, LinkRequest{Address: t.Address, Name: t.Name, Actor: t.Address.String()}),
		Command: c.typed(t.Address.Network, "floor", ""), Expires: t.Expires.In(c.zoneOf(t.Address)),
		Tries: linkTries - t.Tried, Relink: err == nil,
	}
}

// ticket returns the ticket of some words.
func (b *Bot) ticket(words secret.Secret) (t ticket, err error) {
	err = b.store.View(func(tx Tx) error {
		t, err = readTicket(tx, hashed(words), time.Now())
		return err
	})
	return t, err
}

// RedeemLink verifies what was entered on a link page by one live call, links the
// person that the page is for, and tells them in chat. It returns [ErrNoTicket]
// if the page is not good any more, also because another submission, however
// close, has linked. What is wrong otherwise is in the result.
//
// A try counts before the call is made. That the page was used is stored in the
// transaction that links.
func (b *Bot) RedeemLink(ctx context.Context, words secret.Secret, s LinkSubmission) (LinkResult, error) {
	t, err := b.ticket(words)
	if err != nil {
		return LinkResult{}, err
	}
	if faults := s.faults(); faults != nil {
		return LinkResult{Offer: b.offerOf(ctx, t), Faults: faults}, nil
	}
	r := &request{Request: chat.Request{From: t.Address, Name: t.Name}, id: newID(4), config: b.config.Load()}
	began, gone := time.Now(), false
	reply, result := b.answer(ctx, r, func(*Bot, context.Context, *request) (chat.Reply, error) {
		m, err := b.redeem(ctx, r, hashed(words), s.Credential)
		if gone = errors.Is(err, ErrNoTicket) || errors.Is(err, ErrDone); gone {
			return chat.Show(m), nil
		}
		return chat.Show(m), err
	})
	if gone {
		result = "refused"
	}
	b.meter.Command("link page", result, time.Since(began))
	b.log.InfoContext(ctx, "request", "request", r.id, "command", "link page", "from", r.From.String(), "result", result, "took", time.Since(began))
	if gone {
		return LinkResult{}, ErrNoTicket
	}
	if left, err := b.ticket(words); left.Tried > 0 && (err == nil || errors.Is(err, ErrNoTicket)) {
		t = left
	}
	return LinkResult{Offer: b.offerOf(ctx, t), Message: *reply.Message, Linked: result == "ok"}, nil
}

// faults says what is wrong with a submission before anybody is asked.
func (s LinkSubmission) faults() map[string]string {
	faults := formFaults(s.Credential)
	if !s.Confirmed {
		if faults == nil {
			faults = map[string]string{}
		}
		faults["confirm"] = "Confirm that these are your numbers and your chat account."
	}
	return faults
}

// redeem makes one try of a ticket.
func (b *Bot) redeem(ctx context.Context, r *request, hash string, credential dashboard.Credential) (chat.Message, error) {
	if err := b.mayTry(r); err != nil {
		return chat.Message{}, err
	}
	var t ticket
	err := b.store.Update(func(tx Tx) (err error) {
		t, err = spendTry(tx, hash, time.Now())
		return err
	})
	if err != nil {
		return chat.Message{}, err
	}
	linked, counters, err := b.Link(ctx, LinkRequest{
		Address: t.Address, Name: t.Name, Credential: credential, Actor: t.Address.String(), Detail: "on a link page", RequestID: ticketPrefix + hash,
	})
	if err != nil {
		return chat.Message{}, linkProblem(err, credential)
	}
	m := linkedMessage(r, linked, counters)
	if err := b.tellRedeemed(ctx, t, m); err != nil {
		b.log.ErrorContext(ctx, "nobody was told in chat of a link", "request", r.id, "agent", linked.Agent.ID, "err", err)
	}
	return m, nil
}

// tellRedeemed deletes a ticket that was used, and tells its holder in chat: in the
// place of the answer that leads to the page, or else in a message of its own.
func (b *Bot) tellRedeemed(ctx context.Context, t ticket, m chat.Message) error {
	now := time.Now()
	shown := b.offers.replace(ctx, t.Address, m) == nil
	row := Row{
		Key: strings.Join([]string{"notice/link-page", now.UTC().Format(time.RFC3339Nano), t.Address.String()}, "/"),
		To:  t.Address, Lane: LaneNotice, Message: m, GiveUp: now.Add(24 * time.Hour),
	}
	err := b.store.Update(func(tx Tx) error {
		if !shown {
			if _, err := tx.Enqueue(row); err != nil {
				return err
			}
		}
		return dropTicketOf(tx, t.Address)
	})
	b.bells.ring()
	return err
}
