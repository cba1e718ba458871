package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"floorwalker/bot/chat"
)

const (
	clients        = 2 // so that one is there while the other's connection is renewed
	requestTimeout = 2 * time.Minute
	working        = 256 // requests; one waits for seconds when the source is slow
	waiting        = 1000
	lastWords      = 3 * time.Second // to tell somebody that there will be no answer
)

// A session is one run of an adapter. It takes deliveries, whichever way they
// come, has each acknowledged, and answers it.
type session struct {
	*Adapter
	app  chat.App
	who  identity
	pool *chat.Pool
	acks sync.WaitGroup // acknowledgements on their way

	mu   sync.Mutex // guards sent
	sent map[string]*submission
}

// Run serves Slack until ctx is done. See [chat.Adapter].
func (a *Adapter) Run(ctx context.Context, app chat.App) (err error) {
	select {
	case <-a.final: // of an earlier run
	default:
	}
	a.health.begin(time.Now())
	defer func() { a.health.end(err) }()
	who, err := a.introduce(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	a.log.InfoContext(ctx, "signed in", "workspace", who.name, "id", who.id(), "bot", who.bot)
	s := a.session(app, who)
	if a.config.Mode == ModeHTTP {
		return ended(ctx, s.receive(ctx))
	}
	return ended(ctx, s.connect(ctx))
}

// ended returns the error of a run: none if it was asked to end.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, chat.ErrFinal) {
		return nil
	}
	return err
}

func (a *Adapter) session(app chat.App, who identity) *session {
	s := &session{Adapter: a, app: app, who: who, sent: map[string]*submission{}}
	s.pool = chat.NewPool(chat.PoolConfig{
		Running: working, Waiting: waiting, Timeout: requestTimeout, Grace: a.timing.grace,
		Panicked: func(value any, stack []byte) {
			a.log.Error("a request panicked", "panic", fmt.Sprint(value), "stack", string(stack))
		},
	})
	return s
}

// connect keeps the connections until ctx is done or there is no point in going
// on. Then it takes nothing new, answers what it has acknowledged, and only
// after that lets the connections go, because acknowledgements leave on them.
func (s *session) connect(ctx context.Context) error {
	stop, stopped := context.WithCancelCause(ctx)
	defer stopped(nil)
	links, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	var lines sync.WaitGroup
	for n := range clients {
		lines.Go(func() {
			if err := s.keep(links, stop, n); err != nil {
				stopped(err)
			}
		})
	}
	select {
	case err := <-s.final:
		stopped(err)
	case <-stop.Done():
	}
	s.pool.Drain()
	s.acks.Wait()
	time.Sleep(s.timing.settle) // the library does not say when an acknowledgement has left
	hangUp()
	lines.Wait()
	return context.Cause(stop)
}

// take handles a delivery. It returns at once.
func (s *session) take(d delivery) {
	if d.retry > 0 {
		s.health.note(func(st *Stats) { st.Redelivered++ })
	}
	var err error
	switch d.kind {
	case "slash_commands":
		err = s.takeCommand(d)
	case "interactive":
		err = s.takeInteraction(d)
	case "events_api":
		err = s.takeEvent(d)
	default:
		err = errUnreadable
	}
	if err != nil {
		// Slack would deliver it again and again: what we cannot read today we
		// cannot read in a second either. Not the payload, nor the decoder's
		// error, which quotes it.
		s.log.Warn("an event that I do not understand", "kind", d.kind, "envelope", d.id)
		s.begin(d, nil)
	}
}

// begin acknowledges a delivery and then has it worked on in the pool, unless it
// was before. One that the pool has no place for is not acknowledged: Slack
// delivers it again, or tells the person that the app did not respond, which is
// true.
func (s *session) begin(d delivery, work func(context.Context)) {
	if d.again {
		work = nil
	}
	acked := make(chan struct{})
	if work != nil {
		taken := s.pool.Go(func(ctx context.Context) {
			<-acked
			work(ctx)
		})
		if !taken {
			s.drop(d)
			return
		}
	}
	s.acks.Go(func() {
		defer close(acked)
		s.acknowledge(d, nil)
	})
}

func (s *session) drop(d delivery) {
	s.health.note(func(st *Stats) { st.Dropped++ })
	s.log.Warn("busy or stopping, an event was left to Slack", "kind", d.kind, "envelope", d.id)
	if d.drop != nil {
		d.drop()
	}
}

// acknowledge sends an acknowledgement. That it fails changes nothing: the work
// is done, and Slack delivers again what we then know already.
func (s *session) acknowledge(d delivery, payload any) {
	err := d.ack(payload)
	s.health.note(func(st *Stats) {
		if st.Acks++; err != nil {
			st.Acks--
			st.AckErrors++
		}
	})
	if err != nil {
		s.log.Warn("acknowledging failed", "kind", d.kind, "envelope", d.id, "err", err)
	}
}

func (s *session) takeCommand(d delivery) error {
	var p slashPayload
	if err := json.Unmarshal(d.payload, &p); err != nil || p.UserID == "" {
		return errUnreadable
	}
	r := p.request(d.id, s.slash)
	to := s.responder(p.UserID, p.ResponseURL, p.TriggerID)
	to.channel, to.command, to.public = p.ChannelID, p.Command, s.public(r)
	s.begin(d, func(ctx context.Context) {
		switch {
		case !s.ours(ctx, p.UserID, p.TeamID, p.EnterpriseID):
			s.say(ctx, to, foreign(s.who))
		case r.Command == "":
			s.say(ctx, to, unknownCommand(p.Command, s.config.Commands))
		default:
			s.answer(ctx, r, to)
		}
	})
	return nil
}

// public reports whether a command's answers may be for everybody. One that is
// not known, or mistyped, is private.
func (s *session) public(r chat.Request) bool {
	words := append([]string{r.Command}, strings.Fields(r.Text)...)
	list := s.app.Commands()
	for _, word := range words {
		i := slices.IndexFunc(list, func(c chat.Command) bool { return c.Name == word })
		if i < 0 {
			return false
		}
		if len(list[i].Sub) == 0 {
			return !list[i].Private
		}
		list = list[i].Sub
	}
	return false
}

var errUnreadable = errors.New("unreadable")

func (s *session) takeInteraction(d delivery) error {
	var p interaction
	if err := json.Unmarshal(d.payload, &p); err != nil {
		return errUnreadable
	}
	r, ok := p.request(d.id)
	if !ok {
		s.begin(d, nil)
		return nil
	}
	to := s.responder(p.User.ID, p.ResponseURL, p.TriggerID)
	to.channel, to.view, to.home = cmp.Or(p.Container.ChannelID, r.In.ID), p.View, p.atHome()
	answer := func(ctx context.Context) {
		if !s.ours(ctx, p.User.ID, cmp.Or(p.User.TeamID, p.Team.ID), p.Enterprise.ID) {
			s.say(ctx, to, foreign(s.who))
			return
		}
		s.answer(ctx, r, to)
		if r.Kind == chat.KindForm && to.home { // the page tells of what the form has changed
			s.openHome(ctx, p.User.ID, r.ID+" home", view{})
		}
	}
	if r.Kind == chat.KindForm {
		s.submit(d, r, to, answer)
		return nil
	}
	to.action, to.ref = r.Action, r.Ref
	s.begin(d, answer)
	return nil
}

func (s *session) takeEvent(d delivery) error {
	var p callback
	if err := json.Unmarshal(d.payload, &p); err != nil {
		return errUnreadable
	}
	if p.TeamID != s.who.team && (s.who.enterprise == "" || p.EnterpriseID != s.who.enterprise) {
		s.begin(d, nil) // another workspace's, in a shared channel
		return nil
	}
	s.begin(d, func(ctx context.Context) { s.happened(ctx, p, d.id) })
	return nil
}

// happened handles something that nobody typed.
func (s *session) happened(ctx context.Context, p callback, envelope string) {
	switch e := p.Event; e.Type {
	case "app_home_opened":
		user := idOf(e.User)
		if e.Tab != "home" || user == "" {
			return
		}
		s.openHome(ctx, user, cmp.Or(p.EventID, envelope), e.View)
	case "app_uninstalled", "tokens_revoked":
		// A member's token may be what was revoked, or the app may be back
		// already: only ours tells.
		if _, err := s.identify(ctx); errors.Is(err, chat.ErrFinal) {
			s.log.ErrorContext(ctx, "the app was removed", "err", err)
			s.app.Event(ctx, chat.Event{Kind: chat.EventRemoved, By: chat.Slack})
		}
	case "channel_deleted", "channel_archive", "channel_left", "group_deleted", "group_archive", "group_left":
		if gone := idOf(e.Channel); gone != "" {
			s.app.Event(ctx, chat.Event{Kind: chat.EventGone, Gone: channel(gone), By: chat.Slack})
		}
	}
}

// ours reports whether a person belongs to our workspace or organisation. In a
// shared channel others can press our buttons.
func (s *session) ours(ctx context.Context, user, team, enterprise string) bool {
	if team == s.who.team || s.who.enterprise != "" && team == s.who.enterprise {
		return true
	}
	if s.who.enterprise == "" || enterprise != s.who.enterprise {
		return false
	}
	// Another workspace in an event of our organisation: the person may be from
	// there, or a guest of that workspace from anywhere.
	u, err := s.user(ctx, user)
	return err == nil && !u.IsStranger && u.Enterprise.EnterpriseID == s.who.enterprise
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
	s.log.ErrorContext(ctx, "a request was not answered as it should", "request", r.ID, "err", err)
	s.sorry(ctx, to, err)
}

var errPanicked = errors.New("panicked")

// sorry says that there is no answer, unless there was one: what was
// acknowledged is not left unanswered, not even when we are stopping.
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
	if err := to.show(ctx, chat.Show(m)); err != nil {
		s.log.ErrorContext(ctx, "an answer did not arrive", "err", err)
	}
}

func foreign(who identity) chat.Message {
	return note("Not from here", "I belong to "+who.name+" and can only answer people of that workspace.")
}

func unknownCommand(typed string, commands map[string]string) chat.Message {
	return note("Unknown command", typed+" is not set up. Ask your administrator to give it to me, or try "+
		cmp.Or(commands["floor"], defaultCommands()["floor"])+" help.")
}

func apology(err error) chat.Message {
	if errors.Is(err, chat.ErrShutdown) {
		return note("Restarting", "I was restarted before I could answer. Please try again in a moment.")
	}
	return note("No answer", "I could not answer in time. Please try again.")
}

func note(title, text string) chat.Message {
	return chat.Message{Title: title, Private: true, Blocks: []chat.Block{chat.Paragraph{Text: chat.T(text)}}}
}
