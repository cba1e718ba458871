package discordtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Sign returns the headers with which Discord signs the body of a request that
// is sent at a time.
func (s *Server) Sign(now time.Time, body []byte) http.Header {
	return sign(s.key, strconv.FormatInt(now.Unix(), 10), body)
}

func sign(key ed25519.PrivateKey, stamp string, body []byte) http.Header {
	h := http.Header{}
	h.Set("X-Signature-Timestamp", stamp)
	h.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(key, append([]byte(stamp), body...))))
	return h
}

// UseHTTP sends interactions to a URL as signed requests, and no longer over the
// gateway; "" goes back. Like the developer portal it first checks the endpoint:
// a PING must be answered, one with a bad signature refused with 401. The error
// tells which was not, and then nothing changes.
func (s *Server) UseHTTP(ctx context.Context, url string) error {
	if url != "" && !s.o.NoProbe {
		if err := s.probe(ctx, url); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoint = url
	return nil
}

// probe checks an endpoint.
func (s *Server) probe(ctx context.Context, url string) error {
	ping, err := json.Marshal(obj{"id": "1", "application_id": s.o.AppID, "type": KindPing, "token": "ping", "version": 1, "user": nil})
	if err != nil {
		return fmt.Errorf("discordtest: write PING: %w", err)
	}
	for _, bad := range []Forgery{Genuine, OtherKey} {
		a, err := s.send(ctx, url, ping, bad)
		if err != nil {
			return err
		}
		var pong struct{ Type int }
		if bad != Genuine && a.status != http.StatusUnauthorized {
			return fmt.Errorf("discordtest: a request with a bad signature was answered with %d, want 401", a.status)
		}
		if bad == Genuine && (a.status != http.StatusOK || json.Unmarshal(a.body, &pong) != nil || pong.Type != AnswerPong) {
			return fmt.Errorf("discordtest: PING was answered with %d %s, want a PONG", a.status, a.body)
		}
	}
	return nil
}

// A Forgery is what is wrong with a signed request.
type Forgery int

// The forgeries.
const (
	Genuine  Forgery = iota
	Tampered         // the body was changed after signing
	Unsigned         // no headers
	OtherKey         // signed by somebody else
	Stale            // signed ten minutes ago
	Early            // signed for ten minutes from now
	Garbled          // the signature is not hexadecimal
	Restamp          // another timestamp than the signed one
)

// An answered is what an endpoint said.
type answered struct {
	status int
	header http.Header
	body   []byte
}

// Post sends a body to the app's endpoint as Discord would, or as a forger would,
// and returns the answer.
func (s *Server) Post(ctx context.Context, url string, body []byte, bad Forgery) (status int, answer []byte, err error) {
	a, err := s.send(ctx, url, body, bad)
	return a.status, a.body, err
}

func (s *Server) send(ctx context.Context, url string, body []byte, bad Forgery) (answered, error) {
	h := s.forge(body, bad)
	if bad == Tampered {
		body = bytes.Replace(body, []byte("{"), []byte(`{"admin":true,`), 1)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answered{}, fmt.Errorf("discordtest: call the endpoint: %w", err)
	}
	req.Header = h
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Discord-Interactions/1.0 (+https://discord.com)")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answered{}, fmt.Errorf("discordtest: call the endpoint: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return answered{}, fmt.Errorf("discordtest: read the endpoint's answer: %w", err)
	}
	return answered{resp.StatusCode, resp.Header, answer}, nil
}

// forge returns the headers of a request, spoiled as bad says.
func (s *Server) forge(body []byte, bad Forgery) http.Header {
	now := time.Now()
	h := s.Sign(now, body)
	switch bad {
	case Unsigned:
		h = http.Header{}
	case OtherKey:
		seed := sha256.Sum256([]byte("somebody else than " + s.o.Seed))
		h = sign(ed25519.NewKeyFromSeed(seed[:]), strconv.FormatInt(now.Unix(), 10), body)
	case Stale:
		h = s.Sign(now.Add(-10*time.Minute), body)
	case Early:
		h = s.Sign(now.Add(10*time.Minute), body)
	case Garbled:
		h.Set("X-Signature-Ed25519", "not hexadecimal")
	case Restamp:
		h.Set("X-Signature-Timestamp", strconv.FormatInt(now.Unix()+1, 10))
	}
	return h
}

// deliver sends an interaction to the app's endpoint and takes the answer, which
// is the first one unless a callback came before it. 202 leaves it to a callback.
func (s *Server) deliver(i *Interaction, url string) {
	body, err := json.Marshal(i.Payload)
	if err != nil {
		panic(err) // what the tests deliver is JSON
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Times.Ack)
	defer cancel()
	a, err := s.send(ctx, url, body, Genuine)
	if err == nil && a.status == http.StatusAccepted {
		return
	}
	q := &request{at: time.Now(), params: map[string]string{}}
	var f *failure
	if err == nil && a.status == http.StatusOK {
		f = q.read(a.header.Get("Content-Type"), bytes.NewReader(a.body))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil || a.status != http.StatusOK || f != nil:
	case i.ack != nil:
		f = fail(40060)
	case i.over:
		f = fail(10062)
	default:
		f = s.respond(i, q, true)
	}
	if f != nil {
		i.refused = append(i.refused, fmt.Sprint(f.message, " ", f.errors))
		s.changed.ring()
	}
	if i.ack == nil {
		i.fail()
	}
}
