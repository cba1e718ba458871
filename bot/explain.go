package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/dashboard"
)

// A problem is an error that speaks for itself: what is wrong, and what to do.
type problem struct {
	text    string
	next    chat.Text
	actions []chat.Action
}

// Error returns the text.
func (p *problem) Error() string { return p.text }

// explain turns an error into what the person reads, and says how to count it:
// "refused" when it is theirs to mend, "failed" when it is not. No other place
// does. What the person cannot mend carries the request's id, which the log has
// too.
func (b *Bot) explain(ctx context.Context, r *request, err error) (chat.Message, string) {
	if p, ok := errors.AsType[*problem](err); ok {
		return note("", chat.T(p.text), p.next, p.actions...), "refused"
	}
	if e, ok := errors.AsType[*dashboard.Error](err); ok {
		return b.explainAPI(ctx, r, e)
	}
	switch {
	case errors.Is(err, ErrNotLinked):
		return howToLink(r), "refused"
	case errors.Is(err, ErrHeld):
		return note("", chat.T("That dashboard account is already linked to somebody else here."),
			chat.T("If it is yours, ask an administrator to unlink it there first.")), "refused"
	case errors.Is(err, ErrDone):
		return note("", chat.T("That is already done."), nil), "ok"
	case errors.Is(err, ErrNotSaved):
		b.log.ErrorContext(ctx, "not saved", "request", r.id, "err", err)
		return b.blame(r, chat.Critical, "Not saved: my disk is full.", "Nothing was changed. Tell an administrator, then try again."), "failed"
	case cancelled(err):
		b.log.WarnContext(ctx, "request ran out of time", "request", r.id, "err", err)
		return b.blame(r, chat.Warning, "That took too long, so I stopped.", "Try again in a minute."), "failed"
	}
	b.log.ErrorContext(ctx, "request failed", "request", r.id, "err", err)
	return b.mishap(r), "failed"
}

// explainAPI turns each class of the counters API's errors into advice. A
// refused credential reads the same whatever the code was, so that nobody can
// find out which user ids exist.
func (b *Bot) explainAPI(ctx context.Context, r *request, e *dashboard.Error) (chat.Message, string) {
	switch e.Class {
	case dashboard.ClassCredential:
		return note("Link again", chat.T("The dashboard does not accept your credential any more; it may have expired."),
			chat.Join(chat.T("Your account needs a new one. "), linkAdvice(r)), linkAction(r)...), "refused"
	case dashboard.ClassAccount:
		return note("", chat.T("The dashboard says that your account is suspended or not allowed to read counters."),
			chat.T("Your administrator can change that in the dashboard; it works here again as soon as it does there.")), "refused"
	case dashboard.ClassOffShift:
		return note("Not logged in", chat.T("You are not logged in to the dashboard at the moment."),
			chat.T("Your numbers appear here once you are.")), "refused"
	case dashboard.ClassFault:
		b.log.ErrorContext(ctx, "the API refuses our call", "request", r.id, "code", e.Code, "message", e.Message, "status", e.Status)
		return b.mishap(r), "failed"
	}
	b.log.WarnContext(ctx, "the API is not answering", "request", r.id, "code", e.Code, "status", e.Status, "err", e)
	text := "The dashboard is not answering at the moment."
	if e.Code != 0 {
		text = fmt.Sprintf("The dashboard is not answering at the moment (code %d).", e.Code)
	}
	next := "Try again in a minute."
	if e.After > time.Minute {
		next = fmt.Sprintf("It asks to wait %s; try again then.", roughly(e.After))
	}
	return b.blame(r, chat.Warning, text, next), "failed"
}

// howToLink is what somebody reads who has no agent.
func howToLink(r *request) chat.Message {
	return note("Not linked yet", chat.T("I don't know which dashboard account is yours."),
		linkAdvice(r), linkAction(r)...)
}

// linkAdvice says how this person, on this network, connects their account.
func linkAdvice(r *request) chat.Text {
	if r.linksHere() {
		return chat.Join(chat.T("Press the button or type "), chat.Code(r.config.typed(r.From.Network, "floor", "link")), chat.T(" to connect your account. It takes a minute."))
	}
	return chat.Join(chat.T("Ask an administrator to run "), chat.Code("floorwalker link "+r.From.String()), chat.T(" for you."))
}

func linkAction(r *request) []chat.Action {
	if !r.linksHere() {
		return nil
	}
	return []chat.Action{{ID: "floor", Value: "link", Label: "Link my account", Style: chat.Primary, Form: r.config.LinkPage == ""}}
}

// linksHere reports whether the person can link by themselves: on a page, or in a
// form.
func (r *request) linksHere() bool { return r.config.LinkPage != "" || r.SecretForms }

// mishap is the answer to what should not have happened.
func (b *Bot) mishap(r *request) chat.Message {
	return b.blame(r, chat.Warning, "Something went wrong on my side.", "It is in the log. If it happens again, tell an administrator.")
}

// blame is the answer to a failure that the person cannot mend.
func (b *Bot) blame(r *request, tone chat.Tone, text, next string) chat.Message {
	m := note("That did not work", chat.T(text), chat.T(next))
	m.Tone = tone
	m.Footer = chat.T("Request " + r.id)
	return m
}

// note is a short private answer: a sentence and the next step.
func note(title string, text, next chat.Text, actions ...chat.Action) chat.Message {
	m := chat.Message{Title: title, Private: true, Actions: actions, Blocks: []chat.Block{chat.Paragraph{Text: text}}}
	if len(next) > 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: next})
	}
	return m
}

// refuseSecret answers text that looks like a secret. It is not echoed.
func refuseSecret(b *Bot, _ context.Context, r *request) (chat.Reply, error) {
	return chat.Reply{}, &problem{
		text: "That looks like a password, token or session id, so I did not read it.",
		next: chat.Join(chat.T("Commands can end up in logs: if it is a real one, replace it in the dashboard. "), linkAdvice(r)), actions: linkAction(r),
	}
}
