package discord

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"floorwalker/bot/chat"
)

const (
	pathInteractions = "/discord/interactions" // below the public address
	bodyLimit        = 1 << 20
	skew             = 5 * time.Minute // between the time in a signed request and ours
)

const (
	headerSignature = "X-Signature-Ed25519"
	headerTimestamp = "X-Signature-Timestamp"
)

var (
	errUnsigned = errors.New("it bears no signature of Discord's")
	errForged   = errors.New("its signature is not made with the key of discord.public_key")
)

// Handler returns what Discord calls in HTTP mode: POST /discord/interactions.
// It may be mounted before [Adapter.Run] runs and after; then people are told to
// try again.
//
// A request is read up to 1 MiB, and nothing of it is parsed before its signature
// holds: the answer to any other is 401, or 413. A PING is answered with a PONG,
// whether Run runs or not. An interaction is answered with 202 and no body, at
// once, and its first response goes the way that it goes over the gateway, as a
// call of its own: Discord documents the two together. An interaction that comes
// twice is answered once.
func (a *Adapter) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathInteractions, a.interact)
	return mux
}

// interact takes an interaction.
func (a *Adapter) interact(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	switch _, large := errors.AsType[*http.MaxBytesError](err); {
	case large:
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, "the body ended early", http.StatusBadRequest)
		return
	}
	now := time.Now()
	if err := verify(r.Header, body, a.key, now); err != nil {
		a.unsigned(r, err)
		http.Error(w, "not signed", http.StatusUnauthorized)
		return
	}
	a.health.heard(now)
	var i interaction
	if decode(body, &i) != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	switch {
	case i.Type == interactionPing:
		answerJSON(w, response{Type: respondPong})
	case !a.replays.Add(i.ID, now), a.door.admit(body):
		w.WriteHeader(http.StatusAccepted)
	default:
		answerJSON(w, closed(i))
	}
}

// verify returns nil for a request that Discord signed with the key at about now:
// Ed25519 over time and body. Nothing is accepted without a key.
func verify(h http.Header, body []byte, key ed25519.PublicKey, now time.Time) error {
	stamp := h.Get(headerTimestamp)
	signature, err := hex.DecodeString(h.Get(headerSignature))
	if err != nil || len(signature) != ed25519.SignatureSize || len(key) != ed25519.PublicKeySize {
		return errUnsigned
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errUnsigned
	}
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > skew {
		return fmt.Errorf("its time is %v off: is this machine's clock right", off.Round(time.Second))
	}
	if !ed25519.Verify(key, append([]byte(stamp), body...), signature) {
		return errForged
	}
	return nil
}

// unsigned notes a request that is not Discord's. It is logged once a minute:
// anybody can send them, and Discord itself sends one now and then, to see that
// it is refused.
func (a *Adapter) unsigned(r *http.Request, err error) {
	a.health.note(func(st *Stats) { st.Unsigned++ })
	a.door.complaints.Do(func() {
		a.log.WarnContext(r.Context(), "discord: a request was refused: "+err.Error(), "path", r.URL.Path, "from", r.RemoteAddr)
	})
}

// closed is the response to who comes while nobody works.
func closed(i interaction) response {
	if i.Type == interactionComplete {
		return response{Type: respondChoices, Data: choices{Choices: []choice{}}}
	}
	c := draw(apology(chat.ErrShutdown), false)
	c.Flags = flagEphemeral
	return response{Type: respondMessage, Data: c.payload}
}

func answerJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "no answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b) // an error is a caller who is gone
}

// A door lets what comes over HTTP in to the session that runs. The zero door is
// shut.
type door struct {
	mu      sync.RWMutex // guards session; whoever goes in holds it
	session *session     // nil while none runs

	complaints rate.Sometimes // about who stands before it without a signature
}

// admit gives an interaction to the session and reports whether there is one.
func (d *door) admit(raw []byte) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.session == nil {
		return false
	}
	d.session.take(raw, d.session.callback)
	return true
}

// open lets interactions in to s; nil lets no more in.
func (d *door) open(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = s
}

// listen takes what comes over HTTP until ctx is done. It returns an error that
// wraps [chat.ErrFinal] when there is no point in going on.
func (s *session) listen(ctx context.Context) error {
	s.health.listen()
	s.door.open(s)
	defer s.door.open(nil)
	pause := pause{first: s.timing.gateway.first, longest: s.timing.longest, lasting: s.timing.lasting}
	for {
		app, err := ask[application](ctx, s.Adapter, at("GET", "/applications/@me"))
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, chat.ErrFinal):
			return err
		case err == nil:
			return s.receive(ctx, app)
		}
		s.health.down(time.Now(), err)
		wait := pause.next(0)
		if retry, ok := errors.AsType[*chat.RetryError](err); ok {
			wait = max(wait, retry.After)
		}
		s.log.WarnContext(ctx, "discord: the token could not be checked, trying again", "err", err, "in", wait.Round(time.Millisecond))
		if sleep(ctx, wait) != nil {
			return nil
		}
	}
}

// receive waits for the end, once it is known as what Discord calls us.
func (s *session) receive(ctx context.Context, app application) error {
	switch {
	case app.ID != s.config.ApplicationID:
		return fmt.Errorf("discord: the bot token is of the application %s, not of %s: correct discord.application_id: %w", app.ID, s.config.ApplicationID, chat.ErrFinal)
	case !s.keyed(app):
		return fmt.Errorf("discord: discord.public_key is not this application's: copy Public Key from General Information in the developer portal: %w", chat.ErrFinal)
	case app.Endpoint == "":
		s.log.WarnContext(ctx, "discord: no interactions arrive yet: set Interactions Endpoint URL in the developer portal", "to", s.config.endpoint())
	}
	s.isApp(app.Name)
	s.health.up(time.Now())
	s.log.InfoContext(ctx, "discord: interactions are taken over HTTP", "application", app.Name, "endpoint", app.Endpoint)
	s.locate(ctx)
	<-ctx.Done()
	return nil
}

// keyed reports whether the key that we verify with is the application's.
func (a *Adapter) keyed(app application) bool {
	return app.Key == "" || strings.EqualFold(app.Key, a.config.PublicKey)
}

// endpoint is where Discord finds Handler.
func (c Config) endpoint() string {
	if c.PublicURL == "" {
		return "the public https address of this program, with " + pathInteractions
	}
	return strings.TrimSuffix(c.PublicURL, "/") + pathInteractions
}
