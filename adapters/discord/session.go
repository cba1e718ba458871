package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"floorwalker/bot/chat"
)

const (
	inQueue        = 4096
	requestTimeout = 5 * time.Minute
	completeWithin = 2500 * time.Millisecond // Discord shows proposals for three seconds
	lastWords      = 3 * time.Second         // to tell somebody that there will be no answer
	maxRefusals    = 32                      // people who are told so at once
)

// A session is one run of an adapter. It takes interactions, whichever way they
// come, and answers them.
type session struct {
	*Adapter
	app      chat.App
	pool     *chat.Pool
	refusals chan struct{} // one slot for each person who is told that there is no room
	asides   sync.WaitGroup

	mu     sync.Mutex      // guards guilds
	guilds map[string]bool // that the bot is in
}

// Run serves Discord until ctx is done. See [chat.Adapter].
func (a *Adapter) Run(ctx context.Context, app chat.App) (err error) {
	select {
	case <-a.final: // of an earlier run
	default:
	}
	a.health.begin(time.Now())
	defer func() { a.health.end(err) }()
	s := a.session(app)
	stop, stopped := context.WithCancelCause(ctx)
	defer stopped(nil)
	var work sync.WaitGroup
	work.Go(func() { s.register(stop) })
	work.Go(func() {
		if a.config.Mode == ModeHTTP {
			stopped(s.listen(stop))
		} else {
			stopped(s.keep(stop))
		}
	})
	select {
	case err := <-s.final:
		stopped(err)
	case <-stop.Done():
	}
	work.Wait() // nothing new comes in
	s.pool.Drain()
	s.asides.Wait()
	if err := context.Cause(stop); ctx.Err() == nil || errors.Is(err, chat.ErrFinal) {
		return err
	}
	return nil
}

func (a *Adapter) session(app chat.App) *session {
	return &session{
		Adapter: a, app: app, guilds: map[string]bool{}, refusals: make(chan struct{}, maxRefusals),
		pool: chat.NewPool(chat.PoolConfig{
			Running: a.timing.running, Waiting: inQueue, Timeout: requestTimeout, Grace: a.timing.grace,
			Panicked: func(value any, stack []byte) {
				a.log.Error("discord: a request panicked", "panic", fmt.Sprint(value), "stack", string(stack))
			},
		}),
	}
}

// event handles an event of the gateway. It returns at once.
func (s *session) event(kind string, raw json.RawMessage) {
	switch kind {
	case "INTERACTION_CREATE":
		s.take(raw, s.callback)
	case "READY":
		s.signedIn(raw)
	case "GUILD_CREATE", "GUILD_DELETE":
		s.guild(kind == "GUILD_CREATE", raw)
	case "CHANNEL_DELETE", "THREAD_DELETE":
		var gone posted
		if decode(raw, &gone) == nil && isID(gone.ID) {
			s.tell(chat.Event{Kind: chat.EventGone, Gone: chat.Address{Network: chat.Discord, ID: gone.ID}, By: chat.Discord})
		}
	}
}

// tell reports an event to the bot.
func (s *session) tell(e chat.Event) {
	if !s.pool.Go(func(ctx context.Context) { s.app.Event(ctx, e) }) {
		s.log.Warn("discord: too many requests at once, an event was lost", "kind", int(e.Kind), "destination", e.Gone.String())
	}
}

// guildData is a server. One that is unavailable has an outage.
type guildData struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Unavailable bool   `json:"unavailable"`
}

func (s *session) signedIn(raw json.RawMessage) {
	var ready struct {
		User        user        `json:"user"`
		Application posted      `json:"application"`
		Guilds      []guildData `json:"guilds"`
	}
	if decode(raw, &ready) != nil {
		return
	}
	s.mu.Lock()
	clear(s.guilds)
	for _, g := range ready.Guilds {
		s.guilds[g.ID] = true
	}
	s.mu.Unlock()
	s.isApp(ready.User.name())
	s.log.Info("discord: signed in", "bot", ready.User.name(), "id", ready.User.ID, "servers", len(ready.Guilds))
	if id := ready.Application.ID; id != "" && id != s.config.ApplicationID {
		s.log.Error("discord: the bot token is of another application: correct discord.application_id", "configured", s.config.ApplicationID, "token_of", id)
	}
}

// guild notes that the bot is in a server, or in it no more.
func (s *session) guild(in bool, raw json.RawMessage) {
	var g guildData
	if decode(raw, &g) != nil || g.ID == "" || !in && g.Unavailable {
		return
	}
	s.mu.Lock()
	if in {
		s.guilds[g.ID] = true
	} else {
		delete(s.guilds, g.ID)
	}
	removed := !in && (g.ID == s.config.GuildID || s.config.GuildID == "" && len(s.guilds) == 0)
	s.mu.Unlock()
	if in && g.ID == s.config.GuildID {
		s.isAt(g.Name)
	}
	if !in {
		s.log.Warn("discord: the bot was removed from a server", "id", g.ID)
	}
	if removed {
		s.tell(chat.Event{Kind: chat.EventRemoved, By: chat.Discord})
	}
}

// take handles an interaction. It returns at once.
func (s *session) take(raw json.RawMessage, first firstResponse) {
	i, ok := parse(raw)
	if !ok {
		// Not the payload: it holds a token, and what people wrote.
		s.log.Warn("discord: an interaction that I cannot answer")
		s.health.note(func(st *Stats) { st.Dropped++ })
		return
	}
	s.health.note(func(st *Stats) { st.Interactions++ })
	to := s.responder(i, first)
	work := s.work(i, to)
	to.arm()
	if !s.pool.Go(func(ctx context.Context) { to.serve(ctx, work) }) {
		to.hush()
		s.refuse(to)
	}
}

// work returns what is to be done for an interaction, and settles in which manner
// it is answered.
func (s *session) work(i interaction, to *responder) func(context.Context) {
	switch i.Type {
	case interactionCommand:
		r, spec, _ := i.command(s.app.Commands())
		// A command that is not known, or mistyped, is private.
		to.manner = manner{hide: spec == nil || spec.Private, open: spec != nil && !spec.Private, atOnce: spec != nil && spec.Form}
		return s.answering(r, to)
	case interactionPress:
		if p, ok := i.press(); ok {
			return s.pressed(i, p, to)
		}
		return s.saying(to, note("An old button", "I do not know this button any more. Please use the command again."))
	case interactionComplete:
		to.atOnce = true
		return func(ctx context.Context) { s.complete(ctx, i, to) }
	case interactionForm:
		if r, ok := i.form(); ok {
			return s.answering(r, to)
		}
		return s.saying(to, note("An old form", "I do not know this form any more. Please use the command again."))
	default:
		return s.saying(to, note("Not understood", "I do not know what to do with that. Please use a command."))
	}
}

func (s *session) answering(r chat.Request, to *responder) func(context.Context) {
	return func(ctx context.Context) {
		s.met(to.in)
		s.answer(ctx, r, to)
	}
}

func (s *session) saying(to *responder, m chat.Message) func(context.Context) {
	return func(ctx context.Context) { s.say(ctx, to, m) }
}

// pressed returns what is to be done for a button.
func (s *session) pressed(i interaction, p press, to *responder) func(context.Context) {
	r := i.request(chat.KindAction)
	r.Action, r.Ref = chat.Action{ID: p.ID, Value: p.Value}, i.ref()
	to.manner = manner{replace: p.Replace || p.yes || p.no, atOnce: p.Form && !p.ask}
	switch {
	case p.ask:
		to.replace = false
		return func(ctx context.Context) {
			s.met(i)
			s.must(ctx, to.tell(ctx, question(s.confirm(p.Action, i.label()), p, i)))
		}
	case p.no:
		return s.saying(to, note("Cancelled", "Nothing was changed."))
	case p.yes:
		r.Ref = chat.Ref{}
		if isID(p.about) && isID(i.ChannelID) {
			r.Ref = ref(i.ChannelID, p.about)
		}
	}
	return s.answering(r, to)
}

// met remembers who has spoken to the bot.
func (s *session) met(i interaction) {
	channel := ""
	if !i.inChannel() && isID(i.ChannelID) {
		channel = i.ChannelID
	}
	s.notes.meet(i.from().ID, channel)
}

// complete proposes values.
func (s *session) complete(ctx context.Context, i interaction, to *responder) {
	ctx, cancel := context.WithTimeout(ctx, completeWithin)
	defer cancel()
	r, _, focused := i.command(s.app.Commands())
	if err := to.propose(ctx, s.app.Complete(ctx, r, focused)); err != nil {
		s.log.DebugContext(ctx, "discord: proposals did not arrive", "err", err) // the person has typed on
	}
}

// answer has the bot answer a request.
func (s *session) answer(ctx context.Context, r chat.Request, to *responder) {
	defer func() {
		if value := recover(); value != nil {
			s.sorry(ctx, to, errPanicked)
			panic(value) // for the pool to report
		}
	}()
	err := chat.Answer(ctx, s.app, r, to.show)
	if err == nil {
		return
	}
	s.log.ErrorContext(ctx, "discord: a request was not answered as it should", "request", r.ID, "err", err)
	s.sorry(ctx, to, err)
}

var errPanicked = errors.New("panicked")

// sorry says that there is no answer, unless there was one: nobody is left
// waiting, not even when we are stopping.
func (s *session) sorry(ctx context.Context, to *responder, err error) {
	if to.shown > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	s.say(ctx, to, apology(err))
}

// say shows a message of the adapter's own.
func (s *session) say(ctx context.Context, to *responder, m chat.Message) {
	s.must(ctx, to.say(ctx, m))
}

// must logs an answer that did not arrive.
func (s *session) must(ctx context.Context, err error) {
	if err != nil {
		s.log.ErrorContext(ctx, "discord: an answer did not arrive", "err", err)
	}
}

// refuse tells somebody that there is no room for their request. If many are
// told already, Discord does: it says that the application did not respond.
func (s *session) refuse(to *responder) {
	s.health.note(func(st *Stats) { st.Dropped++ })
	s.log.Warn("discord: too many requests at once, one was refused")
	select {
	case s.refusals <- struct{}{}:
	default:
		return
	}
	s.asides.Go(func() {
		defer func() { <-s.refusals }()
		ctx, cancel := context.WithTimeout(context.Background(), lastWords)
		defer cancel()
		s.say(ctx, to, note("Busy", "Too many people are asking at the moment. Please try again in a minute."))
	})
}

func apology(err error) chat.Message {
	if errors.Is(err, chat.ErrShutdown) {
		return note("Restarting", "I was restarted before I could answer. Please try again in a moment.")
	}
	return note("No answer", "I could not answer in time. Please try again.")
}

// remember keeps what to ask before an action counts: Discord brings back nothing
// of it. After a restart the question is a general one.
func (a *Adapter) remember(actions []chat.Action) {
	const most = 500
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range actions {
		if x.Confirm == nil {
			continue
		}
		for k := range a.confirms {
			if len(a.confirms) < most {
				break
			}
			delete(a.confirms, k)
		}
		a.confirms[x.ID+"\x00"+x.Value] = *x.Confirm
	}
}

// confirm returns what to ask before an action whose button has the label.
func (a *Adapter) confirm(x chat.Action, label string) chat.Confirm {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q, ok := a.confirms[x.ID+"\x00"+x.Value]; ok {
		return q
	}
	return chat.Confirm{Title: label, Text: "Are you sure?", Yes: label, No: "Cancel"}
}
