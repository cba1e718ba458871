package slacktest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Endpoints are the request URLs of an app that takes HTTP instead of Socket
// Mode.
type Endpoints struct {
	Command  string
	Interact string
	Event    string
}

// UseHTTP delivers everything that follows as signed HTTP requests.
func (s *Server) UseHTTP(e Endpoints) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints = &e
}

// Sign returns the headers that make a request one of Slack's: the time and the
// v0 signature of both it and the body.
func Sign(secret string, at time.Time, body []byte) http.Header {
	ts := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", ts, body)
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", ts)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return h
}

// An outgoing request of Slack's.
type outgoing struct {
	url  string
	kind string // Content-Type
	body []byte
	more http.Header
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// outgoing makes the request for an interaction.
func (e *Endpoints) outgoing(i *Interaction) (outgoing, error) {
	payload, err := json.Marshal(i.Payload)
	if err != nil {
		return outgoing{}, err
	}
	values := url.Values{}
	switch i.Kind {
	case "slash_commands":
		for k, v := range form(i.Payload) {
			values.Set(k, v)
		}
		return outgoing{url: e.Command, kind: formType, body: []byte(values.Encode())}, nil
	case "interactive":
		values.Set("payload", string(payload))
		return outgoing{url: e.Interact, kind: formType, body: []byte(values.Encode())}, nil
	default:
		return outgoing{url: e.Event, kind: jsonType, body: payload}, nil
	}
}

// send sends a signed request and returns the answer with at most 1 MiB of its
// body. Redirects are not followed.
func (s *Server) send(ctx context.Context, o outgoing) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.url, bytes.NewReader(o.body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = Sign(s.o.SigningSecret, time.Now(), o.body)
	for k := range o.more {
		req.Header.Set(k, o.more.Get(k))
	}
	req.Header.Set("Content-Type", o.kind)
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp, body, err
}

// tryHTTP makes one attempt over HTTP. Only events are tried again.
func (s *Server) tryHTTP(e *Endpoints, i *Interaction, attempt int, reason string) (failure string, again bool) {
	o, err := e.outgoing(i)
	if err != nil {
		return "dispatch_failed", false
	}
	if attempt > 0 {
		o.more = http.Header{}
		o.more.Set("X-Slack-Retry-Num", strconv.Itoa(attempt))
		o.more.Set("X-Slack-Retry-Reason", strings.Replace(reason, "timeout", "http_timeout", 1))
	}
	d := s.expect(i, attempt, reason)
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Times.Ack)
	defer cancel()
	resp, body, err := s.send(ctx, o)
	again = i.Kind == "events_api"
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "operation_timeout", again
	case err != nil:
		return "dispatch_failed", again
	case resp.StatusCode != http.StatusOK:
		return "http_service_error", again && resp.Header.Get("X-Slack-No-Retry") != "1"
	}
	now := time.Now()
	s.acknowledge(Ack{EnvelopeID: d.EnvelopeID, Payload: answer(body), Size: len(body), At: now, Took: now.Sub(d.At), Attempt: attempt}, d)
	return "", false
}

// expect records an attempt over HTTP.
func (s *Server) expect(i *Interaction, attempt int, reason string) *delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &delivery{i: i, acked: make(chan struct{})}
	d.Delivery = Delivery{EnvelopeID: s.id("request-"), Attempt: attempt, Reason: reason, At: time.Now()}
	i.deliveries = append(i.deliveries, d.Delivery)
	i.changed.ring()
	return d
}

// answer is a body as the payload of an ack; plain text becomes a JSON string.
func answer(body []byte) json.RawMessage {
	if json.Valid(body) || len(body) == 0 {
		return body
	}
	quoted, err := json.Marshal(string(body))
	if err != nil {
		return nil
	}
	return quoted
}

// VerifyURL does what Slack does when an event URL is entered: it sends a
// challenge and wants it back.
func (s *Server) VerifyURL(ctx context.Context, target string) error {
	challenge := rand.Text()
	body, err := json.Marshal(obj{"token": "legacy", "challenge": challenge, "type": "url_verification"})
	if err != nil {
		return err
	}
	resp, got, err := s.send(ctx, outgoing{url: target, kind: jsonType, body: body})
	if err != nil {
		return err
	}
	var echoed struct{ Challenge string }
	if string(bytes.TrimSpace(got)) == challenge || json.Unmarshal(got, &echoed) == nil && echoed.Challenge == challenge {
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("slacktest: your URL didn't respond with the value of the challenge parameter (status %d)", resp.StatusCode)
}

// CheckSSL does what Slack does now and then with the URL of a command: a probe
// that wants a 200.
func (s *Server) CheckSSL(ctx context.Context, target string) error {
	resp, _, err := s.send(ctx, outgoing{url: target, kind: formType, body: []byte("ssl_check=1&token=legacy")})
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("slacktest: the probe was answered with status %d", resp.StatusCode)
	}
	return nil
}
