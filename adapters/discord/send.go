package discord

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"floorwalker/bot/chat"
)

// Send posts a message to a channel, or to the direct messages of a person who
// has used a command before. Anybody else is [chat.ErrGone]: Discord suspends
// bots that write to people unasked.
//
// It waits at most two seconds for its turn; then, or after a 429, it returns a
// [chat.RetryError]. A form that Discord refuses is sent once more as text before
// it is [chat.ErrRejected]. Within a few minutes Discord suppresses a second
// message of the same key.
func (a *Adapter) Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error) {
	return a.send(ctx, out, patience)
}

// send is Send with another time to wait for the turn.
func (a *Adapter) send(ctx context.Context, out chat.Outgoing, budget time.Duration) (chat.Ref, error) {
	if out.To.Network != chat.Discord {
		return chat.Ref{}, fmt.Errorf("discord: %q is no address of this network: %w", out.To, chat.ErrRejected)
	}
	if !isID(out.To.ID) {
		return chat.Ref{}, fmt.Errorf("discord: %q is no channel's and no person's id: %w", out.To.ID, chat.ErrGone)
	}
	channel, person, err := a.place(ctx, out.To.ID, budget)
	if err != nil {
		return chat.Ref{}, err
	}
	if out.Message.Private && !person {
		return chat.Ref{}, fmt.Errorf("discord: a private message for the channel %s: %w", channel, chat.ErrRejected)
	}
	nonce := nonceOf(out.To, out.Key)
	posted, err := degrade(ctx, a, draw(out.Message, true), func(c card) (posted, error) {
		c.Nonce, c.EnforceNonce = nonce, true
		return ask[posted](ctx, a, at("POST", "/channels/{}/messages", channel).carrying(c).in(laneSend, budget))
	})
	if err != nil {
		return chat.Ref{}, a.unreachable(out.To.ID, person, err)
	}
	return ref(channel, posted.ID), nil
}

// posted is a message that Discord has taken.
type posted struct {
	ID string `json:"id"`
}

// nonceOf returns what Discord recognises a message by, wherever it looks for it.
// A key holds names, so it is a hash.
func nonceOf(to chat.Address, key string) string {
	if key == "" {
		return rand.Text()[:maxNonce]
	}
	sum := sha256.Sum256([]byte(to.String() + "\x00" + key))
	return hex.EncodeToString(sum[:])[:maxNonce]
}

// Edit replaces a message, its files included.
func (a *Adapter) Edit(ctx context.Context, r chat.Ref, m chat.Message) error {
	channel, id, ok := parseRef(r)
	if !ok {
		return fmt.Errorf("discord: %q names no message: %w", r.ID, chat.ErrGone)
	}
	_, err := degrade(ctx, a, draw(m, true), func(c card) ([]byte, error) {
		return a.call(ctx, at("PATCH", "/channels/{}/messages/{}", channel, id).carrying(c).in(laneCall, patience))
	})
	return err
}

// ref names a message by its channel and its id.
func ref(channel, id string) chat.Ref {
	return chat.Ref{Network: chat.Discord, ID: channel + ":" + id}
}

func parseRef(r chat.Ref) (channel, id string, ok bool) {
	channel, id, ok = strings.Cut(r.ID, ":")
	return channel, id, ok && r.Network == chat.Discord && isID(channel) && isID(id)
}

// place returns the channel to post to, and whether it is a person's direct
// messages. An id that nobody has spoken under is a channel's own.
func (a *Adapter) place(ctx context.Context, id string, budget time.Duration) (channel string, person bool, err error) {
	channel, spoken, err := a.notes.person(id)
	if err != nil || !spoken {
		return id, false, err
	}
	if channel == "" {
		channel, err = a.open(ctx, id, budget)
	}
	return channel, true, err
}

// unreachable adds to an error what an administrator needs to know about an
// address, and forgets direct messages that are no more.
func (a *Adapter) unreachable(id string, person bool, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != 10003 {
		return err
	}
	if person {
		a.notes.close(id)
		return err
	}
	return fmt.Errorf("discord: there is no channel %s that I can see, and nobody with that id has used a command of mine yet: %w", id, err)
}

const (
	opensPerDay = 20               // new direct messages; more look like advertising
	opensPause  = 10 * time.Minute // after Discord said that it is too fast; doubles
	opensPauses = 6                // doublings
)

// opens paces new direct messages.
type opens struct {
	mu      sync.Mutex // guards the rest
	next    time.Time  // no earlier
	tooFast int        // in a row
}

// open opens somebody's direct messages. They have spoken to the bot.
func (a *Adapter) open(ctx context.Context, user string, budget time.Duration) (string, error) {
	now := time.Now()
	if n := a.notes.today(keyOpen, now); n >= opensPerDay {
		tomorrow := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
		return "", &chat.RetryError{After: tomorrow.Sub(now), Err: fmt.Errorf("discord: %d new direct messages were opened today, the rest waits", n)}
	}
	if err := a.opens.wait(ctx, a.timing.open, budget); err != nil {
		return "", err
	}
	type recipient struct {
		ID string `json:"recipient_id"`
	}
	dm, err := ask[posted](ctx, a, at("POST", "/users/@me/channels").with(recipient{user}).in(laneSend, budget))
	if err == nil && !isID(dm.ID) {
		err = errors.New("discord: direct messages were opened without an id")
	}
	if err != nil {
		return "", a.opens.failed(err)
	}
	a.opens.worked()
	a.notes.add(keyOpen, now)
	a.notes.meet(user, dm.ID)
	return dm.ID, nil
}

// wait takes the next turn to open direct messages.
func (o *opens) wait(ctx context.Context, gap, budget time.Duration) error {
	o.mu.Lock()
	now := time.Now()
	at := later(now, o.next)
	d := at.Sub(now)
	if d > 0 && tooLong(ctx, now, d, d, budget) {
		o.mu.Unlock()
		return &chat.RetryError{After: d, Err: errPaced}
	}
	o.next = at.Add(gap)
	o.mu.Unlock()
	return sleep(ctx, d)
}

// failed returns the error, after a longer pause each time that Discord says it
// is too fast.
func (o *opens) failed(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != 40003 {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	pause := max(e.After, opensPause<<min(o.tooFast, opensPauses))
	o.tooFast++
	o.next = later(o.next, time.Now().Add(pause))
	return &chat.RetryError{After: pause, Err: e}
}

func (o *opens) worked() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tooFast = 0
}

// degrade has a card sent as it is meant, and as text if Discord refuses its form.
func degrade[T any](ctx context.Context, a *Adapter, c card, send func(card) (T, error)) (T, error) {
	a.remember(c.said.Actions)
	result, err := try(ctx, a, c, send)
	if !errors.Is(err, chat.ErrRejected) {
		return result, err
	}
	return try(ctx, a, textOnly(c.said), send)
}

// try sends a card, unless our own checks refuse it.
func try[T any](ctx context.Context, a *Adapter, c card, send func(card) (T, error)) (result T, err error) {
	if problems := c.problems(); len(problems) > 0 {
		a.log.ErrorContext(ctx, "discord: a card breaks Discord's limits", "problems", problems)
		return result, fmt.Errorf("discord: %s: %w", problems[0], chat.ErrRejected)
	}
	result, err = send(c)
	if errors.Is(err, chat.ErrRejected) {
		a.log.ErrorContext(ctx, "discord: a message's form was refused", "err", err)
	}
	return result, err
}
