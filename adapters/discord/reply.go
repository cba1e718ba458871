package discord

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"floorwalker/bot/chat"
)

// The kinds of first responses.
const (
	respondPong    = 1 // to a PING, over HTTP
	respondMessage = 4 // a message
	respondLater   = 5 // the same, promised
	respondNothing = 6 // the message that the button is on is edited: promised
	respondUpdate  = 7 // the same, at once
	respondChoices = 8
	respondForm    = 9
)

const (
	firstWithin = 3 * time.Second  // Discord forgets an interaction that has no response by then
	tries       = 4                // of a call that is worth repeating
	longWait    = 20 * time.Second // the longest 429 that is waited for
)

// A response is a first response.
type response struct {
	Type int `json:"type"`
	Data any `json:"data,omitempty"`

	files []chat.File
}

// A firstResponse carries the first response to an interaction: over the gateway
// as a call of its own, over HTTP as the answer to the request.
type firstResponse func(ctx context.Context, i interaction, r response) error

// callback is the firstResponse of the gateway.
func (s *session) callback(ctx context.Context, i interaction, r response) error {
	k := at("POST", "/interactions/{}/{}/callback", i.ID, i.Token.Reveal()).with(r).in(laneReply, noHurry)
	k.files = r.files
	_, err := s.call(ctx, k)
	return err
}

// A responder brings the answers to one interaction to the person. The goroutine
// that works on the request calls show; a timer may promise an answer before. The
// first response is given by whichever claims it.
type responder struct {
	s     *session
	in    interaction
	first firstResponse
	since time.Time
	manner

	timer   *time.Timer
	claimed atomic.Bool
	settled sync.Once
	acked   chan struct{} // closed when the first response is given; what follows is constant then
	ackErr  error
	promise int  // the kind of promise that it was, 0 for none
	exposed bool // others see the message that was responded with

	shown    int      // answers so far
	followUp string   // the id of the message that later answers edit, "" for the first
	dm       chat.Ref // the answer, once it is in the direct messages
}

// manner is how an interaction is answered. It is fixed before anything runs,
// because Discord fixes it with a promise.
type manner struct {
	hide    bool // every answer is for the person alone
	open    bool // a promise is for everybody
	replace bool // answers take the place of the message that the button is on
	atOnce  bool // no promise: the answer may be a form, which must be the first response
}

func (s *session) responder(i interaction, first firstResponse) *responder {
	return &responder{s: s, in: i, first: first, since: time.Now(), acked: make(chan struct{})}
}

// arm starts the timer of the promise. From now on the manner is constant.
func (r *responder) arm() {
	if !r.atOnce {
		r.timer = time.AfterFunc(r.s.timing.answer, r.later)
	}
}

// hush stops the timer.
func (r *responder) hush() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

// serve works on the interaction.
func (r *responder) serve(ctx context.Context, work func(context.Context)) {
	defer r.close(ctx)
	work(ctx)
}

// close waits for a promise that is being given, and takes back one that nobody
// keeps: the interaction was answered by an earlier delivery of it.
func (r *responder) close(ctx context.Context) {
	r.hush()
	if !r.claimed.Load() {
		return
	}
	<-r.acked
	if r.promise == respondLater && r.ackErr == nil && r.shown == 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		_, err := r.s.call(ctx, r.webhook("DELETE", "/messages/{}", original))
		r.s.must(ctx, err)
	}
}

func (r *responder) claim() bool { return r.claimed.CompareAndSwap(false, true) }

// settle says how the first response went; the first word counts. A promise is
// the kind of one, or 0.
func (r *responder) settle(err error, promise int, exposed bool) {
	r.settled.Do(func() {
		r.ackErr, r.promise, r.exposed = err, promise, exposed
		close(r.acked)
	})
}

// later promises an answer.
func (r *responder) later() {
	if !r.claim() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), firstWithin)
	defer cancel()
	promise := response{Type: respondLater}
	exposed := r.open && r.in.inChannel()
	switch {
	case r.replace:
		promise.Type, exposed = respondNothing, r.cardExposed()
	case !r.open:
		promise.Data = flagged{flagEphemeral}
	}
	r.s.health.note(func(st *Stats) { st.Promised++ })
	err := r.respond(ctx, promise)
	if classOf(err) == classAnswered {
		err = nil
	}
	r.settle(err, promise.Type, exposed)
}

// flagged is the data of a promise.
type flagged struct {
	Flags int `json:"flags"`
}

// cardExposed reports whether others see the message that the button is on.
func (r *responder) cardExposed() bool { return r.in.inChannel() && !r.in.ephemeral() }

// show brings an answer: the first one, or what takes its place.
func (r *responder) show(ctx context.Context, reply chat.Reply) error {
	if reply.Form != nil {
		return r.ask(ctx, *reply.Form)
	}
	return r.say(ctx, *reply.Message)
}

// say shows a message.
func (r *responder) say(ctx context.Context, m chat.Message) error {
	return r.tell(ctx, draw(m, false))
}

// tell shows a card.
func (r *responder) tell(ctx context.Context, c card) error {
	var err error
	if r.claim() {
		err = r.begin(ctx, c)
	} else {
		select {
		case <-r.acked:
			err = r.revise(ctx, c)
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	return r.arrived(ctx, c.said, err)
}

// arrived counts an answer, and finds another way for one that did not arrive.
func (r *responder) arrived(ctx context.Context, m chat.Message, err error) error {
	if err = r.orDM(ctx, m, err); err == nil {
		r.shown++
	}
	return err
}

// begin gives the first response: the answer itself.
func (r *responder) begin(ctx context.Context, drawn card) error {
	defer r.settle(errPanicked, 0, false)
	m := drawn.said
	kind, alone := respondMessage, r.hide || m.Private
	if r.replace && !(m.Private && r.cardExposed()) {
		kind = respondUpdate
	}
	_, err := degrade(ctx, r.s.Adapter, drawn, func(c card) (struct{}, error) {
		if kind == respondMessage && alone {
			c.Flags = flagEphemeral
		}
		return struct{}{}, r.respond(ctx, response{Type: kind, Data: c.payload, files: c.files})
	})
	exposed := r.in.inChannel() && !alone
	if kind == respondUpdate {
		exposed = r.cardExposed()
	}
	if classOf(err) != classAnswered {
		r.settle(err, 0, exposed)
		return err
	}
	r.settle(nil, 0, exposed)
	return r.revise(ctx, drawn)
}

// respond gives a first response. It is safe to repeat: Discord takes one.
func (r *responder) respond(ctx context.Context, c response) error {
	try := 0
	return r.persist(ctx, r.since.Add(firstWithin), true, func() error {
		try++
		err := r.first(ctx, r.in, c)
		if try > 1 && classOf(err) == classAnswered {
			return nil // the try before had arrived
		}
		return err
	})
}

// revise shows an answer once there was a first response.
func (r *responder) revise(ctx context.Context, c card) error {
	switch {
	case !r.dm.IsZero():
		return r.s.Edit(ctx, r.dm, c.said)
	case r.ackErr != nil:
		return r.ackErr
	case time.Since(r.since) > r.s.timing.life:
		return errExpired
	case c.said.Private && r.exposed && r.followUp == "":
		return r.beside(ctx, c)
	}
	target := original
	if r.followUp != "" {
		target = r.followUp
	}
	return r.edit(ctx, target, c)
}

// original names the message of the first response: for an update that is the one
// that the button is on.
const original = "@original"

// errExpired is that an answer comes after the interaction's life.
var errExpired = &Error{Route: "interaction", Err: errors.New("its life is over"), class: classLate}

func (r *responder) webhook(method, template string, ids ...string) call {
	ids = append([]string{r.s.config.ApplicationID, r.in.Token.Reveal()}, ids...)
	return at(method, "/webhooks/{}/{}"+template, ids...).in(laneReply, noHurry)
}

func (r *responder) edit(ctx context.Context, target string, drawn card) error {
	_, err := degrade(ctx, r.s.Adapter, drawn, func(c card) (struct{}, error) {
		return struct{}{}, r.persist(ctx, r.since.Add(r.s.timing.life), true, func() error {
			_, err := r.s.call(ctx, r.webhook("PATCH", "/messages/{}", target).carrying(c))
			return err
		})
	})
	return err
}

// beside shows a private message when what was responded with is seen by others.
func (r *responder) beside(ctx context.Context, drawn card) error {
	if r.promise == respondLater {
		// The first message after a promise would be the promised one, and seen.
		if err := r.edit(ctx, original, draw(chat.Message{Title: "Answered in private"}, false)); err != nil {
			return err
		}
	}
	sent, err := degrade(ctx, r.s.Adapter, drawn, func(c card) (sent posted, err error) {
		c.Flags = flagEphemeral
		// Without a nonce a repetition could be seen twice.
		err = r.persist(ctx, r.since.Add(r.s.timing.life), false, func() error {
			sent, err = ask[posted](ctx, r.s.Adapter, r.webhook("POST", "").carrying(c))
			return err
		})
		return sent, err
	})
	r.followUp = sent.ID
	return err
}

// persist makes a call again while that is worth it: nothing arrived, or it does
// no harm to repeat it.
func (r *responder) persist(ctx context.Context, until time.Time, harmless bool, do func() error) error {
	pause := r.s.timing.retry
	for try := 1; ; try++ {
		err := do()
		if err == nil {
			return nil
		}
		wait := pause
		retry, limited := errors.AsType[*chat.RetryError](err)
		switch c := classOf(err); {
		case limited && retry.After <= longWait:
			wait = retry.After
		case !limited && (c == classLater || c == classUnclear && harmless):
			pause *= 2
		default:
			return err
		}
		if try == tries || time.Now().Add(wait).After(until) || sleep(ctx, wait) != nil {
			return err
		}
	}
}

// orDM sends a message to the direct messages when its own place is closed or
// does not answer.
func (r *responder) orDM(ctx context.Context, m chat.Message, err error) error {
	if err == nil || errors.Is(err, chat.ErrFinal) || errors.Is(err, chat.ErrRejected) || ctx.Err() != nil {
		return err
	}
	if card := r.in.ref(); r.replace && !card.IsZero() && !(m.Private && r.cardExposed()) {
		if r.s.Edit(ctx, card, m) == nil {
			return nil
		}
	}
	r.s.met(r.in)
	to := chat.Address{Network: chat.Discord, ID: r.in.from().ID}
	dm, sent := r.s.send(ctx, chat.Outgoing{To: to, Message: m}, noHurry)
	if sent != nil {
		return errors.Join(err, sent)
	}
	r.dm = dm
	return nil
}

// ask shows a form, or says why it cannot.
func (r *responder) ask(ctx context.Context, f chat.Form) error {
	m, err := drawForm(f)
	switch {
	case r.in.Type == interactionForm:
		return r.say(ctx, wrong(f))
	case errors.Is(err, errSecretForm):
		return r.say(ctx, note(f.Title, "On Discord I may not ask for credentials. Ask your administrator to link your account."))
	case err != nil:
		r.s.log.ErrorContext(ctx, "discord: a form cannot be shown", "form", f.ID, "err", err)
		return r.say(ctx, unshown(f))
	case !r.claim():
		return r.say(ctx, note(f.Title, "That took too long to show you a form. Please try again."))
	}
	defer r.settle(errPanicked, 0, false)
	err = r.respond(ctx, response{Type: respondForm, Data: m})
	if errors.Is(err, chat.ErrRejected) {
		r.s.log.ErrorContext(ctx, "discord: a form was refused", "form", f.ID, "err", err)
		return r.arrived(ctx, unshown(f), r.begin(ctx, draw(unshown(f), false)))
	}
	r.settle(err, 0, false)
	if err == nil {
		r.shown++
	}
	return err
}

func unshown(f chat.Form) chat.Message { return note(f.Title, "I cannot show that form on Discord.") }

// choices is the data of proposals.
type choices struct {
	Choices []choice `json:"choices"`
}

type choice struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// propose offers values for the option that is being typed. A value that Discord
// would cut is another value, so it is left out.
func (r *responder) propose(ctx context.Context, list []chat.Choice) error {
	data := choices{Choices: []choice{}}
	for _, c := range list {
		name := plain(c.Label, maxChoice)
		if name == "" {
			name = plain(c.Value, maxChoice)
		}
		if name != "" && c.Value != "" && units(c.Value) <= maxChoice && len(data.Choices) < maxOptions {
			data.Choices = append(data.Choices, choice{name, c.Value})
		}
	}
	return r.respond(ctx, response{Type: respondChoices, Data: data})
}
