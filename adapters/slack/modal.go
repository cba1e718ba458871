package slack

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// A submission is a form that was sent. Slack wants to know within three seconds
// what becomes of the window, and a handler may take longer, so the window first
// shows that it is being checked. What was answered is kept for a while: if the
// acknowledgement is lost, Slack delivers the form again, and gets the same
// answer.
type submission struct {
	s *session

	mu      sync.Mutex  // guards the rest
	check   *time.Timer // shows that it is being checked
	waiting []delivery  // of the same form, for its acknowledgement
	acked   bool
	at      time.Time // when it was acknowledged
	answer  any       // what the window shows, as the payload of an acknowledgement
}

// memory is how long a form that was sent is remembered: longer than Slack
// delivers again.
const memory = 10 * time.Minute

// submit has a form worked on, and acknowledges it with what comes of it.
func (s *session) submit(d delivery, r chat.Request, to *responder, work func(context.Context)) {
	s.mu.Lock()
	known := s.sent[r.ID]
	if known != nil {
		s.mu.Unlock()
		known.again(d)
		return
	}
	sub := &submission{s: s, waiting: []delivery{d}, answer: slack.NewUpdateViewSubmissionResponse(new(checkingView()))}
	s.sent[r.ID] = sub
	s.mu.Unlock()
	time.AfterFunc(memory, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sent, r.ID)
	})
	to.sent = sub
	sub.mu.Lock()
	sub.check = time.AfterFunc(s.timing.form, func() { sub.acknowledge(nil) })
	sub.mu.Unlock()
	if !s.pool.Go(func(ctx context.Context) {
		work(ctx)
		sub.acknowledge(nil) // if there was no answer at all
	}) {
		s.mu.Lock()
		delete(s.sent, r.ID)
		s.mu.Unlock()
		sub.forget()
	}
}

// acknowledge acknowledges the form, with an answer or with the one that it is
// being checked. It reports false if that was done before.
func (f *submission) acknowledge(answer any) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.acked {
		return false
	}
	f.acked, f.at = true, time.Now()
	if answer != nil {
		f.answer = answer
	}
	f.check.Stop()
	for _, d := range f.waiting {
		f.send(d)
	}
	return true
}

// forget leaves the form to Slack, which delivers it again.
func (f *submission) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acked = true
	f.check.Stop()
	for _, d := range f.waiting {
		f.s.drop(d)
	}
}

// send acknowledges a delivery with the answer; the caller holds mu.
func (f *submission) send(d delivery) {
	answer := f.answer
	f.s.acks.Go(func() { f.s.acknowledge(d, answer) })
}

// again answers a form that is delivered once more.
func (f *submission) again(d delivery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.acked:
		f.waiting = append(f.waiting, d)
	case f.at.IsZero(): // forgotten a moment ago
		f.s.drop(d)
	default:
		f.send(d)
	}
}

// now records what the window shows, and returns how long to wait until Slack
// has applied the acknowledgement, which would otherwise overwrite it.
func (f *submission) now(v slack.ModalViewRequest, settle time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = slack.NewUpdateViewSubmissionResponse(&v)
	return settle - time.Since(f.at)
}

// turn makes a modal show something else. With errors, which stand at the
// inputs they are about, a form that was sent stays as it is.
func (r *responder) turn(ctx context.Context, v slack.ModalViewRequest, errs map[string]string) error {
	r.s.complain(ctx, viewProblems(v))
	if r.sent == nil {
		return r.s.updateView(ctx, r.view.ID, v)
	}
	var answer any = slack.NewUpdateViewSubmissionResponse(&v)
	if len(errs) > 0 {
		answer = slack.NewErrorsViewSubmissionResponse(errs)
	}
	if ackable(answer) && r.sent.acknowledge(answer) {
		return nil
	}
	r.sent.acknowledge(nil)
	if err := sleep(ctx, r.sent.now(v, r.s.timing.settle)); err != nil {
		return err
	}
	return r.s.updateView(ctx, r.view.ID, v)
}

// ackable reports whether a payload is small enough for an acknowledgement:
// Slack drops larger ones without a word.
func ackable(payload any) bool {
	b, err := json.Marshal(payload)
	return err == nil && len(b) < maxAck
}

// ask shows a form: in the window that is open, or in a new one.
func (r *responder) ask(ctx context.Context, f chat.Form) error {
	v := formView(f, formMeta{Channel: r.channel, Home: r.home})
	if r.view.ID != "" && r.view.Type != "home" {
		var errs map[string]string
		if r.sent != nil && len(f.Errors) > 0 {
			errs = formErrors(f, r.view)
		}
		return r.orDM(ctx, r.closed(f), r.turn(ctx, v, errs))
	}
	err := r.open(ctx, v)
	if err == nil || errors.Is(err, chat.ErrFinal) {
		return err
	}
	if told := r.tell(ctx, r.late(f)); told != nil {
		return errors.Join(err, told)
	}
	return nil
}

// open shows a new window, which Slack allows once and soon after what the
// person did.
func (r *responder) open(ctx context.Context, v slack.ModalViewRequest) error {
	r.s.complain(ctx, viewProblems(v))
	return r.s.call(ctx, "views.open", "", r.soon(), func() error {
		opened, err := r.s.api.OpenViewContext(ctx, r.trigger, v)
		if err == nil {
			r.view = view{ID: opened.ID, Type: string(slack.VTModal)}
		}
		return err
	})
}

// soon returns how long a window can still be opened.
func (r *responder) soon() time.Duration { return max(0, 3*time.Second-time.Since(r.since)) }

// late says that the window came too late, with a way to try again.
func (r *responder) late(f chat.Form) chat.Message {
	m := note(f.Title, "Slack did not let me open the window in time. Please try again.")
	if r.action.ID != "" {
		again := r.action
		again.Label, again.Form = "Open it", true
		m.Actions = []chat.Action{again}
	}
	return m
}

// closed says that the form was closed before there was an answer to it.
func (r *responder) closed(f chat.Form) chat.Message {
	said := []string{"The window was closed before I could show this."}
	for _, name := range slices.Sorted(maps.Keys(f.Errors)) {
		said = append(said, f.Errors[name])
	}
	return note(f.Title, strings.Join(said, " "))
}

// updateView replaces what a modal shows.
func (s *session) updateView(ctx context.Context, id string, v slack.ModalViewRequest) error {
	return s.call(ctx, "views.update", "", noHurry, func() error {
		_, err := s.api.UpdateViewContext(ctx, v, "", "", id)
		return err
	})
}
