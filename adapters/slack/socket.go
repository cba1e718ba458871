package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"floorwalker/bot/chat"
)

const (
	readLimit = 1 << 20         // bytes of an event
	longPause = 5 * time.Second // more between two tries is for the gate to say, not for the library
)

// fatalToConnect are the reasons why a connection is not given that no trying
// again mends. The library knows four of them and tries the others for ever.
var fatalToConnect = []string{
	"invalid_auth", "account_inactive", "not_authed", "token_revoked", "token_expired",
	"not_allowed_token_type", "no_permission", "access_denied", "missing_scope", "forbidden_team",
}

// fatal reports whether an error of connecting is one of them.
func fatal(err error) bool {
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return slices.Contains(fatalToConnect, answer.Err)
	}
	status, ok := errors.AsType[slack.StatusCodeError](err)
	return ok && status.Code == http.StatusNotFound
}

// errHopeless is how a workspace looks that switched Socket Mode off, or an app
// that has ten connections already: Slack says why, but the library drops it.
var errHopeless = errors.New("slack ends every connection at once: is Socket Mode switched off in the app's settings, or does another program use the same app?")

// keep keeps the n-th connection until links ends. Once stop is done it takes
// nothing new. It returns an error only for what no trying again mends.
func (s *session) keep(links, stop context.Context, n int) error {
	if sleep(stop, time.Duration(n)*s.timing.stagger) != nil {
		return nil
	}
	for stop.Err() == nil {
		if err := s.runClient(links, stop, n); err != nil {
			return err
		}
	}
	return nil
}

// runClient runs one client of the library, which reconnects by itself, until
// links ends or it should be started afresh.
func (s *session) runClient(links, stop context.Context, n int) error {
	ctx, cancel := context.WithCancel(links)
	defer cancel()
	c := socketmode.New(s.api, socketmode.OptionPingInterval(s.timing.ping), socketmode.OptionReadLimit(readLimit),
		socketmode.OptionLog(log.New(io.Discard, "", 0)))
	ended := make(chan error, 1)
	go func() { ended <- c.RunContext(ctx) }()
	defer func() { // whatever ends this function, the client ends with it
		cancel()
		if ended != nil {
			drainUntil(c.Events, ended)
		}
		s.health.lost(n, time.Now())
	}()
	watch := time.NewTicker(s.timing.hello / 4)
	defer watch.Stop()
	line := &line{session: s, client: c, n: n, stop: stop}
	for {
		select {
		case e := <-c.Events:
			again, err := line.event(e)
			if err != nil || again {
				return err
			}
		case now := <-watch.C:
			if line.silent(now) {
				s.log.Warn("a connection was not greeted, making another", "client", n)
				return line.closed(now)
			}
		case err := <-ended:
			ended = nil
			if fatal(err) {
				return final(failure(methodOpen, err))
			}
			return line.closed(time.Now())
		}
	}
}

// final marks an error as one that only an operator mends.
func final(err error) error {
	if errors.Is(err, chat.ErrFinal) {
		return err
	}
	return fmt.Errorf("%w: %w", err, chat.ErrFinal)
}

// drainUntil reads events until the client has ended, so that it does not wait
// for a reader.
func drainUntil(events <-chan socketmode.Event, ended <-chan error) {
	for {
		select {
		case <-events:
		case <-ended:
			return
		}
	}
}

// A line is one client's connection, as its events tell. It belongs to the
// goroutine that reads them.
type line struct {
	*session
	client  *socketmode.Client
	n       int
	stop    context.Context
	since   time.Time // when it was connected; zero if it is not
	greeted bool
}

// event handles an event of the client. It reports whether the client should be
// started afresh; an error is final.
func (l *line) event(e socketmode.Event) (again bool, err error) {
	now := time.Now()
	switch e.Type {
	case socketmode.EventTypeConnecting:
		return false, l.closed(now)
	case socketmode.EventTypeConnected:
		l.since, l.greeted = now, false
		l.health.note(func(s *Stats) { s.Connects++ })
	case socketmode.EventTypeHello:
		l.greeted = true
		l.health.greeted(l.n, now)
		l.log.Info("connected", "client", l.n)
	case socketmode.EventTypeConnectionError:
		return l.refused(e)
	case socketmode.EventTypeErrorBadMessage:
		if bad, ok := e.Data.(*socketmode.ErrorBadMessage); ok {
			l.unread(bad.Message)
		}
	case socketmode.EventTypeErrorWriteFailed:
		l.health.note(func(s *Stats) { s.AckErrors++ })
		l.log.Warn("an acknowledgement did not leave", "client", l.n)
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
		l.deliver(envelope{e.Request.Type, e.Request.EnvelopeID, e.Request.Payload, e.Request.RetryAttempt})
	default:
		// An incoming_error is the end of a connection, which the next
		// "connecting" tells; invalid_auth comes with the client's own end.
		l.log.Debug("event of a connection", "client", l.n, "type", string(e.Type))
	}
	return false, nil
}

// closed notes that the connection has ended, if there was one.
func (l *line) closed(now time.Time) error {
	if l.since.IsZero() {
		return nil
	}
	lived := now.Sub(l.since)
	l.since, l.greeted = time.Time{}, false
	l.health.lost(l.n, now)
	l.log.Info("connection ended", "client", l.n, "lived", lived.Round(time.Millisecond))
	if hopeless := l.gate.closed(lived); hopeless && l.health.alone() {
		return final(errHopeless)
	}
	return nil
}

// refused handles that no connection was given.
func (l *line) refused(e socketmode.Event) (again bool, err error) {
	failed, ok := e.Data.(*slack.ConnectionErrorEvent)
	if !ok {
		return false, nil
	}
	if fatal(failed.ErrorObj) {
		return false, final(failure(methodOpen, failed.ErrorObj))
	}
	if l.stop.Err() != nil {
		return false, nil
	}
	if errors.Is(failed.ErrorObj, errUnsent) {
		l.gate.unsent()
	} else {
		l.gate.failed()
	}
	_, limited := errors.AsType[*slack.RateLimitedError](failed.ErrorObj)
	again = failed.Backoff > longPause && !limited
	wait := l.gate.ahead(time.Now())
	if !again {
		wait = max(wait, failed.Backoff)
	}
	l.log.Warn("no connection, trying again", "client", l.n, "err", redacted(failed.ErrorObj), "in", wait.Round(time.Millisecond))
	return again, nil
}

// silent reports whether a connection was made and never greeted: then it gets
// no events, but pings keep it open.
func (l *line) silent(now time.Time) bool {
	return !l.since.IsZero() && !l.greeted && now.Sub(l.since) > l.timing.hello
}

// envelope is what all deliveries come in.
type envelope struct {
	Type    string          `json:"type"`
	ID      string          `json:"envelope_id"`
	Payload json.RawMessage `json:"payload"`
	Retry   int             `json:"retry_attempt"`
}

// unread handles a message that the library could not read, which is no more
// than one field of a type it does not expect.
func (l *line) unread(message json.RawMessage) {
	var e envelope
	if err := json.Unmarshal(message, &e); err != nil {
		var id struct {
			ID string `json:"envelope_id"`
		}
		if json.Unmarshal(message, &id) != nil {
			id.ID = ""
		}
		e = envelope{ID: id.ID}
	}
	if e.ID != "" {
		l.deliver(e)
	}
}

// deliver takes an envelope, to be acknowledged on this connection.
func (l *line) deliver(e envelope) {
	l.take(delivery{kind: e.Type, id: e.ID, payload: e.Payload, retry: e.Retry, ack: func(payload any) error {
		ctx, cancel := context.WithTimeout(context.Background(), l.timing.ack)
		defer cancel()
		return l.client.AckCtx(ctx, e.ID, payload)
	}})
}
