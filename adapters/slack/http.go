package slack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/time/rate"
)

// The paths that Slack calls in HTTP mode, below the public address.
const (
	pathCommand  = "/slack/command"
	pathInteract = "/slack/interact"
	pathEvent    = "/slack/event"
)

// Handler returns what Slack calls in HTTP mode: POST /slack/command,
// /slack/interact and /slack/event. It may be mounted before [Adapter.Run] runs
// and after; then people are told to try again.
//
// A request is read up to 1 MiB, and nothing of it is parsed before its
// signature holds: the answer to any other is 401, or 413. The one exception is
// the probe of a certificate, which Slack does not sign: it gets an empty 200
// and does nothing. A request that comes twice is acknowledged twice and
// answered once. The answer itself never waits for Slack's API nor for the
// bot: it is an empty 200, except for forms, which say within timing.form what
// becomes of their window. What the person reads goes the ways of Socket Mode.
func (a *Adapter) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathCommand, probe)
	mux.HandleFunc("POST "+pathCommand, a.signed("slash_commands", formObject))
	mux.HandleFunc("POST "+pathInteract, a.signed("interactive", formPayload))
	mux.HandleFunc("POST "+pathEvent, a.signed("events_api", func(body []byte) json.RawMessage { return body }))
	return mux
}

// probe answers the check of the certificate that Slack makes now and then.
func probe(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("ssl_check") != "1" {
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
	}
}

// isProbe reports whether a form is that check, without parsing it: no value
// holds an ampersand.
func isProbe(body []byte) bool {
	return slices.ContainsFunc(bytes.Split(body, []byte("&")), func(pair []byte) bool { return string(pair) == "ssl_check=1" })
}

// signed returns the handler of one kind of deliveries, which read takes out of
// a body. What read cannot read is nil, as is what no parser understands.
func (a *Adapter) signed(kind string, read func(body []byte) json.RawMessage) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, readLimit))
		switch _, large := errors.AsType[*http.MaxBytesError](err); {
		case large:
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		case err != nil:
			http.Error(w, "the body ended early", http.StatusBadRequest)
			return
		case kind == "slash_commands" && isProbe(body):
			return
		}
		now := time.Now()
		if err := verify(r.Header, body, a.config.SigningSecret, now); err != nil {
			a.unsigned(r, err)
			http.Error(w, "not signed", http.StatusUnauthorized)
			return
		}
		a.health.note(func(s *Stats) { s.LastHello = now })
		sum := sha256.Sum256([]byte(r.Header.Get(headerSignature)))
		d := delivery{kind: kind, id: hex.EncodeToString(sum[:8]), payload: read(body), again: !a.replays.Add(string(sum[:]), now)}
		if n, err := strconv.Atoi(r.Header.Get("X-Slack-Retry-Num")); err == nil {
			d.retry = n
		}
		if challenge := challengeOf(d); challenge != "" {
			answerJSON(w, map[string]string{"challenge": challenge})
			return
		}
		a.admit(w, r, d)
	}
}

// unsigned notes a request that is not Slack's. It is logged once a minute:
// anybody can send them.
func (a *Adapter) unsigned(r *http.Request, err error) {
	a.health.note(func(s *Stats) { s.Unsigned++ })
	a.door.complaints.Do(func() {
		a.log.WarnContext(r.Context(), "a request was refused: "+err.Error(), "path", r.URL.Path, "from", r.RemoteAddr)
	})
}

// formObject returns a form as a JSON object, which is how Socket Mode brings a
// command.
func formObject(body []byte) json.RawMessage {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	object := map[string]string{}
	for name := range form {
		object[name] = form.Get(name)
	}
	b, err := json.Marshal(object)
	if err != nil {
		return nil
	}
	return b
}

// formPayload returns what a form holds as its payload.
func formPayload(body []byte) json.RawMessage {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	return json.RawMessage(form.Get("payload"))
}

// challengeOf returns what is to be echoed when an address is entered in the
// app's settings; "" for anything else.
func challengeOf(d delivery) string {
	var p struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if d.kind != "events_api" || json.Unmarshal(d.payload, &p) != nil || p.Type != "url_verification" {
		return ""
	}
	return p.Challenge
}

// admit gives a delivery to the session and writes the acknowledgement.
func (a *Adapter) admit(w http.ResponseWriter, r *http.Request, d delivery) {
	s := a.door.enter()
	if s == nil {
		a.excuse(w, r, d)
		return
	}
	v := &visit{answer: make(chan any, 1), left: make(chan struct{}), gone: make(chan struct{})}
	d.ack, d.drop = v.ack, sync.OnceFunc(func() { close(v.left) })
	s.take(d)
	select {
	case payload := <-v.answer:
		v.err = acknowledgement(w, payload)
	case <-v.left:
	case <-r.Context().Done():
		v.err = errHungUp
	}
	close(v.gone)
	a.door.leave()
	select {
	case <-v.left:
		a.excuse(w, r, d)
	default:
	}
}

var errHungUp = errors.New("slack hung up before it was acknowledged")

// A visit is a request that waits for its acknowledgement.
type visit struct {
	answer chan any      // its payload; of size one
	left   chan struct{} // closed if nobody will work on it
	gone   chan struct{} // closed when the answer was written, or nobody waits for it
	err    error         // why it was not; read once gone is closed
}

func (v *visit) ack(payload any) error {
	v.answer <- payload // called once, so there is space
	<-v.gone
	return v.err
}

// acknowledgement writes an acknowledgement and sends it off.
func acknowledgement(w http.ResponseWriter, payload any) error {
	if payload == nil {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
	} else if err := answerJSON(w, payload); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}

// answerJSON writes v with its length, so that a reader need not wait for the
// end of the connection.
func answerJSON(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, err = w.Write(b)
	return err
}

const busy = "I am busy or just restarting. Please try again in a moment."

// excuse answers what nobody will work on: people are told, with a 200, and an
// event is left to Slack, which delivers it again.
func (a *Adapter) excuse(w http.ResponseWriter, r *http.Request, d delivery) {
	var p interaction
	switch {
	case d.kind == "events_api":
		http.Error(w, "busy", http.StatusServiceUnavailable)
	case d.kind == "slash_commands":
		answerJSON(w, map[string]string{"response_type": slack.ResponseTypeEphemeral, "text": busy})
	case json.Unmarshal(d.payload, &p) != nil:
	case p.Type == "view_submission":
		answerJSON(w, busyWindow(p.View))
	case p.ResponseURL != "" && !d.again:
		w.Header().Set("Connection", "close") // the sender shall not wait behind this one
		if acknowledgement(w, nil) != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), lastWords)
		defer cancel()
		body := `{"response_type":"ephemeral","replace_original":false,"text":"` + busy + `"}`
		if err := a.callHook(ctx, p.ResponseURL, []byte(body)); err != nil {
			a.log.WarnContext(ctx, "somebody pressed a button in vain and could not be told", "err", err)
		}
	}
}

// busyWindow leaves a form as it is, with a word at its first input.
func busyWindow(v view) any {
	inputs := slices.Sorted(maps.Keys(v.State.Values))
	if len(inputs) == 0 {
		window := messageView(note("Not now", busy))
		return slack.NewUpdateViewSubmissionResponse(&window)
	}
	return slack.NewErrorsViewSubmissionResponse(map[string]string{inputs[0]: busy})
}

// A door lets what comes over HTTP in to the session that runs. The zero door is
// shut.
type door struct {
	mu         sync.Mutex // guards the rest
	session    *session   // nil while none runs
	inside     sync.WaitGroup
	complaints rate.Sometimes // about who stands before it without a signature
}

// enter returns the session, and nil if there is none. Who got one leaves.
func (d *door) enter() *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session != nil {
		d.inside.Add(1)
	}
	return d.session
}

func (d *door) leave() { d.inside.Done() }

// open lets requests in to s; shut lets no more in.
func (d *door) open(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = s
}

func (d *door) shut() { d.open(nil) }

// receive takes what comes over HTTP until ctx is done or there is no point in
// going on. Then it takes nothing new and answers what it has acknowledged.
func (s *session) receive(ctx context.Context) error {
	s.health.listen()
	s.door.open(s)
	var err error
	select {
	case err = <-s.final:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.door.shut()
	s.pool.Drain()
	s.door.inside.Wait()
	s.acks.Wait()
	return err
}
