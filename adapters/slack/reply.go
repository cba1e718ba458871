package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

const (
	hookUses  = 5                // of a response_url, as Slack allows
	hookLife  = 25 * time.Minute // of it; Slack allows 30
	hookPause = 10 * time.Second // the longest 429 that is waited for
)

// A responder brings the answers to one request to the person. It belongs to
// the goroutine that works on the request.
type responder struct {
	s       *session
	user    string
	channel string // where it happened, "" if unknown
	hook    string // the response_url: a secret; "" in views
	trigger string // opens one modal, for three seconds
	since   time.Time

	command string      // as typed; "" if it was none
	public  bool        // the command's answers may be for everybody
	action  chat.Action // pressed; zero if none was
	ref     chat.Ref    // the message it was on, where it can be edited
	view    view        // the modal or home it was on; zero if none
	home    bool        // it began on the home page
	sent    *submission // the form that was sent; nil if none was

	uses  int      // of the hook
	shown int      // answers so far
	dm    chat.Ref // the answer, once it is in the direct messages
}

func (s *session) responder(user, hook, trigger string) *responder {
	return &responder{s: s, user: user, hook: hook, trigger: trigger, since: time.Now()}
}

// show brings an answer: the first one, or what takes its place.
func (r *responder) show(ctx context.Context, reply chat.Reply) error {
	var err error
	switch {
	case reply.Form != nil:
		err = r.ask(ctx, *reply.Form)
	case reply.Page != nil:
		err = r.publish(ctx, reply.Page)
	default:
		err = r.tell(ctx, r.s.attach(ctx, r.user, *reply.Message))
	}
	if err == nil {
		r.shown++
	}
	return err
}

// tell shows a message.
func (r *responder) tell(ctx context.Context, m chat.Message) error {
	switch {
	case !r.dm.IsZero():
		return r.s.edit(ctx, r.dm, m, noHurry)
	case r.view.Type == "home" && r.action.ID != "" && !r.action.Replace:
		return r.orDM(ctx, m, r.open(ctx, messageView(m)))
	case r.view.Type == "home":
		return r.publish(ctx, []chat.Message{m})
	case r.view.ID != "":
		return r.orDM(ctx, m, r.turn(ctx, messageView(m), nil))
	case r.hook == "":
		return r.toDM(ctx, m)
	default:
		return r.orDM(ctx, m, r.post(ctx, m))
	}
}

// orDM sends a message to the direct messages when its own place is closed or
// does not answer.
func (r *responder) orDM(ctx context.Context, m chat.Message, err error) error {
	if err == nil || errors.Is(err, chat.ErrFinal) || context.Cause(ctx) != nil {
		return err
	}
	if r.action.Replace && !r.ref.IsZero() {
		if edited := r.s.edit(ctx, r.ref, m, noHurry); edited == nil {
			return nil
		}
	}
	if sent := r.toDM(ctx, m); sent != nil {
		return errors.Join(err, sent)
	}
	return nil
}

func (r *responder) toDM(ctx context.Context, m chat.Message) (err error) {
	r.dm, err = r.s.send(ctx, chat.Outgoing{To: person(r.user), Message: m}, noHurry)
	return err
}

// post sends a message to the response_url, drawn ever more plainly until Slack
// takes it.
func (r *responder) post(ctx context.Context, m chat.Message) error {
	// A command has no message that could be replaced, but its first answer may
	// be; a button's is the one it is on.
	replace := r.action.Replace || r.command != "" && r.shown > 0
	// Without a type it would be for the person alone as well, but an answer that
	// should be private does not depend on a default.
	kind := slack.ResponseTypeEphemeral
	if r.public && !m.Private {
		kind = slack.ResponseTypeInChannel
	}
	seen := place{public: !isDM(r.channel) && (kind == slack.ResponseTypeInChannel || r.action.Replace && !r.ref.IsZero())}
	return r.s.degrade(ctx, m, drawing{place: seen}, func(c card) error {
		msg := slack.WebhookMessage{
			Text: c.text, ResponseType: kind, ReplaceOriginal: replace,
			UnfurlLinks: new(bool), UnfurlMedia: new(bool),
		}
		if len(c.blocks) > 0 {
			msg.Blocks = &slack.Blocks{BlockSet: c.blocks}
		}
		msg.Attachments = c.attachments()
		return r.deliver(ctx, msg)
	})
}

// deliver calls the response_url. A call without a clear answer is made once
// more: an answer that comes twice is better than none.
func (r *responder) deliver(ctx context.Context, msg slack.WebhookMessage) error {
	body, err := json.Marshal(msg)
	if err != nil {
		return fmt.Errorf("slack: encode an answer: %w", err)
	}
	for try := 0; ; try++ {
		if r.uses >= hookUses || time.Since(r.since) > hookLife {
			return errHookEnded
		}
		err := r.s.callHook(ctx, r.hook, body)
		if c, _, _ := classify(err); err == nil || c != classLater {
			r.uses++
		}
		wait, again := hookRetry(err)
		if !again || try > 0 {
			return failure(methodHook, err)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

var errHookEnded = errors.New("slack: response_url: used up")

// hookRetry says whether and when a response_url is worth a second call.
func hookRetry(err error) (time.Duration, bool) {
	if err == nil {
		return 0, false
	}
	switch c, _, after := classify(err); c {
	case classLimited:
		return after, after <= hookPause
	case classUnclear, classLater:
		return 500 * time.Millisecond, true
	default:
		return 0, false
	}
}

// callHook posts to a response_url. The library's own function loses Slack's
// reason, which stands in the body.
func (a *Adapter) callHook(ctx context.Context, hook string, body []byte) error {
	if !a.mayCall(hook) {
		return slack.SlackErrorResponse{Err: "expired_url"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", errUnsent, redacted(err))
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.hooks.Do(req)
	if err != nil {
		return redacted(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return &slack.RateLimitedError{RetryAfter: retryAfter(resp.Header)}
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusInternalServerError {
		return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
	}
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone {
		return slack.SlackErrorResponse{Err: "expired_url"}
	}
	return slack.SlackErrorResponse{Err: hookError(answer)}
}

// hookError returns the code in the answer of a response_url: plain text, or
// JSON as in the API.
func hookError(answer []byte) string {
	var coded struct {
		Error string `json:"error"`
	}
	code := strings.TrimSpace(string(answer))
	if json.Unmarshal(answer, &coded) == nil {
		code = coded.Error
	}
	if code == "" || len(code) > 64 {
		return "unknown"
	}
	return code
}

// mayCall reports whether an address is Slack's: an event names it, and an event
// could be forged if a secret leaks.
func (a *Adapter) mayCall(hook string) bool {
	u, err := url.Parse(hook)
	if err != nil {
		return false
	}
	if u.Scheme == a.base.Scheme && u.Host == a.base.Host {
		return true
	}
	host := strings.ToLower(u.Hostname())
	return u.Scheme == "https" && (strings.HasSuffix(host, ".slack.com") || strings.HasSuffix(host, ".slack-gov.com"))
}

// attach uploads the files of a message to the person's direct messages, which
// is where files can go that are for them alone, and says so in the message.
func (s *session) attach(ctx context.Context, user string, m chat.Message) chat.Message {
	files := m.Files
	m.Files = nil
	for _, f := range files {
		text := "I sent " + fileName(f) + " to our direct messages."
		if err := s.uploadTo(ctx, person(user), f); err != nil {
			s.log.ErrorContext(ctx, "a file was not sent", "err", err)
			text = "I could not send " + fileName(f) + ": " + uploadAdvice(err)
		}
		m.Blocks = append(m.Blocks[:len(m.Blocks):len(m.Blocks)], chat.Paragraph{Text: chat.T(text)})
	}
	return m
}

func uploadAdvice(err error) string {
	if errors.Is(err, chat.ErrRefused) {
		return "I lack the permission files:write. Ask your administrator to add it."
	}
	return "please try again."
}
