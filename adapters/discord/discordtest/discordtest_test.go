package discordtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"floorwalker/adapters/discord/discordtest"
)

// Ids of the people and places of most tests.
const (
	asha, meera, dev, nobody   = "80351110224678911", "80351110224678912", "80351110224678913", "80351110224678919"
	guild                      = "80351110224678920"
	support, floor, ops, group = "80351110224678930", "80351110224678931", "80351110224678932", "80351110224678933"
)

// start makes a network with some people and channels.
func start(t *testing.T, o discordtest.Options) *discordtest.Server {
	t.Helper()
	s := discordtest.New(o)
	t.Cleanup(s.Close)
	s.AddUser(discordtest.User{ID: asha, Name: "asha", Global: "Asha Rao"})
	s.AddUser(discordtest.User{ID: meera, Name: "meera"})
	s.AddUser(discordtest.User{ID: dev, Name: "dev", NoDM: true})
	s.AddGuild(discordtest.Guild{ID: guild, Name: "Acme", Admins: []string{meera}})
	s.AddUser(discordtest.User{ID: nobody, Name: "nobody"})
	s.AddChannel(discordtest.Channel{ID: support, Name: "support"})
	s.AddChannel(discordtest.Channel{ID: floor, Name: "floor", Deny: discordtest.SendMessages})
	s.AddChannel(discordtest.Channel{ID: ops, Name: "ops", Deny: discordtest.ViewChannel, Members: []string{meera}})
	s.AddChannel(discordtest.Channel{ID: group, Name: "Places", Type: 4})
	return s
}

// soon ends waiting that has become hopeless.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// obj and list keep the bodies below short.
type obj = map[string]any

type list = []any

// answer is what the REST API says.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	raw    []byte
	body   any
}

// get follows a path of keys and indexes.
func (a answer) get(path ...any) any {
	v := a.body
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(obj)
			v = m[p]
		case int:
			l, _ := v.(list)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (a answer) str(path ...any) string {
	s, _ := a.get(path...).(string)
	return s
}

// wants fails the test unless the answer has this status and code; 0 is none.
func (a answer) wants(status, code int) answer {
	a.t.Helper()
	n, _ := a.get("code").(float64)
	if _, ok := a.body.(obj); !ok || a.status < 300 {
		n = 0
	}
	if a.status != status || int(n) != code {
		a.t.Fatalf("answer %d %s, want %d with code %d", a.status, a.raw, status, code)
	}
	return a
}

// wrong fails the test unless the answer is an invalid form with this error.
func (a answer) wrong(path, code string) {
	a.t.Helper()
	a.wants(400, 50035)
	v := a.get("errors")
	for p := range strings.SplitSeq(path, ".") {
		m, _ := v.(obj)
		if p != "" {
			v = m[p]
		}
	}
	m, _ := v.(obj)
	l, _ := m["_errors"].(list)
	for _, e := range l {
		if e.(obj)["code"] == code {
			return
		}
	}
	a.t.Fatalf("answer %s, want %s at %s", a.raw, code, path)
}

// call calls a route with a JSON body and the bot's token: "POST /channels/…".
func call(t *testing.T, s *discordtest.Server, route string, body any) answer {
	t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r = bytes.NewReader(b)
	}
	return do(t, request(t, s, route, "application/json", r))
}

func request(t *testing.T, s *discordtest.Server, route, kind string, body io.Reader) *http.Request {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	req, err := http.NewRequestWithContext(soon(t), method, s.APIURL()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "DiscordBot (https://example.com, 1)")
	req.Header.Set("Authorization", "Bot "+s.Options().BotToken)
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	return req
}

func do(t *testing.T, req *http.Request) answer {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a := answer{t: t, status: resp.StatusCode, header: resp.Header}
	if a.raw, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(a.raw, &a.body); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// ok fails the test unless err is nil, and returns the value.
func ok[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// peer is a client of the gateway: gorilla and nothing else.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
}

// dial connects and reads the hello.
func dial(t *testing.T, s *discordtest.Server) *peer {
	t.Helper()
	url := call(t, s, "GET /gateway", nil).wants(200, 0).str("url")
	return dialTo(t, url+"/?v=9&encoding=json")
}

func dialTo(t *testing.T, url string) *peer {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.DialContext(soon(t), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &peer{t, conn}
}

func (p *peer) send(op int, d any) {
	p.t.Helper()
	if err := p.conn.WriteJSON(obj{"op": op, "d": d}); err != nil {
		p.t.Fatal(err)
	}
}

// next reads a frame.
func (p *peer) next() (obj, error) {
	p.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	var frame obj
	err := p.conn.ReadJSON(&frame)
	return frame, err
}

// op reads a frame with this opcode.
func (p *peer) op(op int) obj {
	p.t.Helper()
	f, err := p.next()
	if err != nil || f["op"] != float64(op) {
		p.t.Fatalf("frame %v, %v, want opcode %d", f, err, op)
	}
	return f
}

// event reads frames up to this event.
func (p *peer) event(kind string) obj {
	p.t.Helper()
	for {
		f, err := p.next()
		if err != nil {
			p.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if f["t"] == kind {
			return f
		}
	}
}

// closed reads until the connection ends and wants this code; 1006 is a cut.
func (p *peer) closed(code int) {
	p.t.Helper()
	for {
		_, err := p.next()
		if err == nil {
			continue
		}
		got := 1006
		if e, ok := errors.AsType[*websocket.CloseError](err); ok {
			got = e.Code
		}
		if got != code {
			p.t.Fatalf("ended with %v, want %d", err, code)
		}
		return
	}
}

func identify(s *discordtest.Server) obj {
	return obj{"token": s.Options().BotToken, "intents": 1, "properties": obj{"os": "linux", "browser": "test", "device": "test"}}
}

// connect logs a peer in and returns it with its READY.
func connect(t *testing.T, s *discordtest.Server) (*peer, obj) {
	t.Helper()
	p := dial(t, s)
	p.op(10)
	p.send(2, identify(s))
	ready := p.event("READY")
	p.event("GUILD_CREATE")
	return p, ready["d"].(obj)
}

// hostOf returns the host and port of a network.
func hostOf(s *discordtest.Server) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(s.APIURL(), "http://"), "/")
	return host
}

func row(children ...any) obj { return obj{"type": 1, "components": children} }

func button(id, label string) obj {
	return obj{"type": 2, "style": 2, "custom_id": id, "label": label}
}

func input(id, label string) obj {
	return obj{"type": 4, "style": 1, "custom_id": id, "label": label}
}

func form(components ...any) obj {
	return obj{"custom_id": "form", "title": "Form", "components": components}
}

// respond calls the callback of an interaction.
func respond(t *testing.T, s *discordtest.Server, i *discordtest.Interaction, kind int, data obj, query string) answer {
	t.Helper()
	return call(t, s, "POST /interactions/"+i.ID+"/"+i.Token+"/callback"+query, obj{"type": kind, "data": data})
}
