package web

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// ticket is one that a desk knows.
var ticket = strings.Repeat("Tt-_", 10) + "abc"

// A desk is a small bot: it hands out one ticket, takes the token "good" for it,
// and counts what it is asked.
type desk struct {
	mu        sync.Mutex
	offer     Offer
	good      bool // the ticket is
	looks     int
	submitted []Submission
	result    func(Submission) Result // instead
}

func newDesk() *desk {
	return &desk{good: true, offer: Offer{
		Who: chat.Address{Network: chat.Slack, ID: "U0ASHA"}, Name: "Asha Rao", Workspace: "Northwind Support", Command: "/floor",
		Expires: time.Date(2026, 3, 2, 10, 10, 0, 0, time.FixedZone("IST", 5*3600+1800)), Tries: 5,
	}}
}

func (d *desk) Offer(_ context.Context, t secret.Secret) (Offer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looks++
	if t.Reveal() != ticket || !d.good {
		return Offer{}, ErrGone
	}
	return d.offer, nil
}

func (d *desk) Redeem(_ context.Context, t secret.Secret, s Submission) (Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.submitted = append(d.submitted, s)
	if t.Reveal() != ticket || !d.good {
		return Result{}, ErrGone
	}
	if d.result != nil {
		return d.result(s), nil
	}
	return d.judge(s), nil
}

func (d *desk) judge(s Submission) Result {
	faults := map[string]string{}
	if !s.Confirmed {
		faults["confirm"] = "Confirm that these are your numbers and your chat account."
	}
	if s.UserID != "" && s.Token.IsZero() {
		faults["token"] = "Give the token too, or only a session id."
	}
	if s.UserID == "" && s.SSID.IsZero() {
		faults["user_id"] = "Give your user id and token, or only a session id."
	}
	if len(faults) > 0 {
		return Result{Offer: d.offer, Faults: faults}
	}
	if s.Token.Reveal() != "good" {
		d.offer.Tries--
		return Result{Offer: d.offer, Message: chat.Message{Blocks: []chat.Block{
			chat.Paragraph{Text: chat.T("The dashboard does not accept that user id and token, so nothing was stored.")},
			chat.Paragraph{Text: chat.T("Check both in the dashboard, under your profile, and try again.")},
		}}}
	}
	d.good = false
	return Result{Offer: d.offer, Linked: true, Message: chat.Message{Title: "Linked", Tone: chat.Good, Blocks: []chat.Block{
		chat.Paragraph{Text: chat.T("Your account is connected.")},
		chat.Paragraph{Quiet: true, Text: chat.T("Kept here: …")},
	}}}
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A stand is a server with a desk and a log, at https://floor.example.
type stand struct {
	*Server
	desk *desk
	logs syncBuffer
}

func newStand(t *testing.T, callbacks ...Callback) *stand {
	t.Helper()
	st := &stand{desk: newDesk()}
	var err error
	st.Server, err = New(Config{
		PublicURL: "https://floor.example", Links: st.desk, Callbacks: callbacks,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
		Logger:         slog.New(slog.NewTextHandler(&st.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// do answers a request as the network would have it.
func (st *stand) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	st.ServeHTTP(w, r)
	return w
}

// get asks for a path.
func (st *stand) get(path string) *httptest.ResponseRecorder {
	return st.do(httptest.NewRequest("GET", "https://floor.example"+path, nil))
}

// entry is what somebody enters, as a browser sends it from the page itself.
func entry(path string, fields ...string) *http.Request {
	values := url.Values{}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		values.Add(k, v)
	}
	r := httptest.NewRequest("POST", "https://floor.example"+path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", "null") // what no-referrer makes of it
	return r
}
