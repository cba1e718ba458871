package slacktest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"floorwalker/adapters/slack/slacktest"
)

// start makes a workspace with some people and channels.
func start(t *testing.T, o slacktest.Options) *slacktest.Server {
	t.Helper()
	s := slacktest.New(o)
	t.Cleanup(s.Close)
	s.AddUser(slacktest.User{ID: "U1", Name: "asha", Real: "Asha Rao", Email: "asha@example.com", TZ: "Asia/Kolkata"})
	s.AddUser(slacktest.User{ID: "U2", Name: "meera"})
	s.AddUser(slacktest.User{ID: "U3", Deleted: true})
	s.AddUser(slacktest.User{ID: "U4", Team: "T0OTHER"})
	s.AddChannel(slacktest.Channel{ID: "C1", Name: "support", Members: []string{"U1", "U2"}})
	s.AddChannel(slacktest.Channel{ID: "C2", Without: true})
	s.AddChannel(slacktest.Channel{ID: "C3", Archived: true})
	s.AddChannel(slacktest.Channel{ID: "G1", Private: true, Without: true, Members: []string{"U1"}})
	return s
}

// soon ends waiting that has become hopeless.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// answer is what the Web API says.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   map[string]any
}

func (a answer) str(path ...string) string {
	a.t.Helper()
	var v any = a.body
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	s, _ := v.(string)
	return s
}

// wants fails the test unless the answer has this error, "" for ok.
func (a answer) wants(code string) answer {
	a.t.Helper()
	if got := a.str("error"); got != code || a.body["ok"] != (code == "") {
		a.t.Fatalf("answer %v, want error %q", a.body, code)
	}
	return a
}

// call calls a method with a JSON body and the bot's token.
func call(t *testing.T, s *slacktest.Server, method string, arguments map[string]any) answer {
	t.Helper()
	return callAs(t, s, s.Options().BotToken, method, arguments)
}

func callAs(t *testing.T, s *slacktest.Server, token, method string, arguments map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(soon(t), "POST", s.APIURL()+method, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return do(t, req)
}

func do(t testing.TB, req *http.Request) answer {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a := answer{t: t, status: resp.StatusCode, header: resp.Header}
	if err := json.NewDecoder(resp.Body).Decode(&a.body); err != nil {
		t.Fatal(err)
	}
	return a
}

// obj and list keep the arguments below short.
type obj = map[string]any

type list = []any

func section(text string) obj {
	return obj{"type": "section", "text": obj{"type": "mrkdwn", "text": text}}
}

func button(id, label string) obj {
	return obj{"type": "button", "action_id": id, "value": "v-" + id, "text": obj{"type": "plain_text", "text": label}}
}

func actions(buttons ...any) obj { return obj{"type": "actions", "elements": buttons} }

// peer is a Socket Mode client: gorilla and nothing else.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
}

func socketURL(t *testing.T, s *slacktest.Server) string {
	t.Helper()
	return callAs(t, s, s.Options().AppToken, "apps.connections.open", nil).wants("").str("url")
}

func connect(t *testing.T, s *slacktest.Server) *peer {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.DialContext(soon(t), socketURL(t, s), http.Header{"Origin": {"https://api.slack.com"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &peer{t, conn}
}

func (p *peer) read() obj {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	var frame obj
	if err := p.conn.ReadJSON(&frame); err != nil {
		p.t.Fatal(err)
	}
	return frame
}

// want reads a frame of this type.
func (p *peer) want(kind string) obj {
	p.t.Helper()
	f := p.read()
	if f["type"] != kind {
		p.t.Fatalf("frame %v, want type %q", f, kind)
	}
	return f
}

func (p *peer) ack(envelope obj, payload any) {
	p.t.Helper()
	if err := p.conn.WriteJSON(obj{"envelope_id": envelope["envelope_id"], "payload": payload}); err != nil {
		p.t.Fatal(err)
	}
}

// post calls a response_url.
func post(t *testing.T, url string, body obj) (status int, text, contentType string) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(url, "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var buf bytes.Buffer
	buf.ReadFrom(resp.Body)
	return resp.StatusCode, strings.TrimSpace(buf.String()), resp.Header.Get("Content-Type")
}

func TestWaitGivesUp(t *testing.T) {
	s := start(t, slacktest.Options{})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := s.WaitMessage(ctx, "C1", nil); !errors.Is(err, cause) {
		t.Errorf("waiting for nothing: %v, want the cause", err)
	}
}
