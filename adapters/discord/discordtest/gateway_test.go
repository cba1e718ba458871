package discordtest_test

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"floorwalker/adapters/discord/discordtest"
)

func TestReady(t *testing.T) {
	s := start(t, discordtest.Options{})
	p := dial(t, s)
	if hello := p.op(10)["d"].(obj); hello["heartbeat_interval"] != 41250.0 {
		t.Errorf("hello %v", hello)
	}
	p.send(1, nil)
	p.op(11)
	p.send(2, identify(s))
	ready := answer{t: t, body: map[string]any(p.op(0))}
	if ready.str("t") != "READY" || ready.get("s") != 1.0 || ready.str("d", "user", "id") != s.Options().AppID ||
		ready.str("d", "guilds", 0, "id") != guild || ready.get("d", "guilds", 0, "unavailable") != true || ready.str("d", "session_id") == "" {
		t.Errorf("ready %v", ready.body)
	}
	create := answer{t: t, body: map[string]any(p.op(0))}
	if create.str("t") != "GUILD_CREATE" || create.get("s") != 2.0 || create.str("d", "name") != "Acme" || len(create.get("d", "channels").(list)) != 4 {
		t.Errorf("guild %v", create.body)
	}
	c := ok(s.WaitReady(soon(t), 0))(t)
	if beats, _ := c.Heartbeats(); beats != 1 || c.Version != "9" || c.Resumed() || s.Identifies() != 1 {
		t.Errorf("%d heartbeats, version %s", beats, c.Version)
	}
	c.AskHeartbeat()
	p.op(1)
	c.Deafen()
	p.send(1, 2)
	if err := s.Wait(soon(t), func() bool { n, _ := c.Heartbeats(); return n == 2 }); err != nil {
		t.Fatal(err)
	}
	s.Event("TYPING_START", obj{"x": 1})
	if f := p.op(0); f["t"] != "TYPING_START" { // and no ACK before it
		t.Errorf("frame %v", f)
	}
}

func TestIntents(t *testing.T) {
	s := start(t, discordtest.Options{})
	p := dial(t, s)
	p.op(10)
	p.send(2, with(identify(s), "intents", 0))
	p.event("READY")
	send(t, s, support, obj{"content": "x"}).wants(200, 0)
	s.RemoveChannel(floor)
	s.Event("LAST", nil)
	if f := p.op(0); f["t"] != "LAST" {
		t.Errorf("without intents came %v", f["t"])
	}
	q := dial(t, s)
	q.op(10)
	q.send(2, with(identify(s), "intents", 1<<9))
	q.event("READY")
	id := send(t, s, support, obj{"content": "x"}).str("id")
	call(t, s, "PATCH /channels/"+support+"/messages/"+id, obj{"content": "y"}).wants(200, 0)
	call(t, s, "DELETE /channels/"+support+"/messages/"+id, nil).wants(204, 0)
	for _, want := range []string{"MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"} {
		if f := q.op(0); f["t"] != want || f["d"].(obj)["guild_id"] != guild {
			t.Errorf("frame %v, want %s", f, want)
		}
	}
}

func TestCloseCodes(t *testing.T) {
	good := obj{"properties": obj{}, "intents": 1}
	for _, c := range []struct {
		name string
		o    discordtest.Options
		do   func(p *peer, s *discordtest.Server)
		code int
	}{
		{"unknown opcode", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(42, nil) }, 4001},
		{"no JSON", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.conn.WriteMessage(websocket.TextMessage, []byte("{")) }, 4002},
		{"too long", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(1, strings.Repeat("x", 4096)) }, 4002},
		{"no intents", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(2, with(identify(s), "intents", nil)) }, 4002},
		{"before identify", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(3, obj{}) }, 4003},
		{"wrong token", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(2, with(good, "token", "x")) }, 4004},
		{"identify twice", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(2, identify(s)); p.send(2, identify(s)) }, 4005},
		{"shard 2 of 2", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(2, with(identify(s), "shard", list{2, 2})) }, 4010},
		{"must shard", discordtest.Options{Sharding: true}, func(p *peer, s *discordtest.Server) { p.send(2, identify(s)) }, 4011},
		{"intent 30", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(2, with(identify(s), "intents", 1<<30)) }, 4013},
		{"privileged", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(2, with(identify(s), "intents", 1<<15)) }, 4014},
		{"resume with a wrong token", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(6, obj{"token": "x", "session_id": "x", "seq": 1}) }, 4004},
		{"resume without seq", discordtest.Options{}, func(p *peer, s *discordtest.Server) { p.send(6, obj{"token": s.Options().BotToken}) }, 4002},
		{"too many frames", discordtest.Options{}, func(p *peer, s *discordtest.Server) {
			for range 121 {
				p.send(1, nil)
			}
		}, 4008},
		{"resume twice", discordtest.Options{}, func(p *peer, s *discordtest.Server) {
			p.send(2, identify(s))
			ready := p.event("READY")["d"].(obj)
			p.send(6, obj{"token": s.Options().BotToken, "session_id": ready["session_id"], "seq": 1})
		}, 4005},
		{"by the test", discordtest.Options{}, func(p *peer, s *discordtest.Server) { s.Conns()[0].Close(4000) }, 4000},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.o)
			p := dial(t, s)
			p.op(10)
			c.do(p, s)
			p.closed(c.code)
		})
	}
	s := start(t, discordtest.Options{Privileged: 1 << 15})
	p := dial(t, s)
	p.op(10)
	p.send(2, with(identify(s), "intents", 1<<15))
	p.event("READY")
	url := strings.Replace(s.APIURL(), "http", "ws", 1)
	dialTo(t, strings.Replace(url, "/api/v9", "/gateway?v=6&encoding=json", 1)).closed(4012)
	dialTo(t, strings.Replace(url, "/api/v9", "/gateway?v=9&encoding=etf", 1)).closed(4002)
}

// resume sends a RESUME on a new connection.
func resume(t *testing.T, s *discordtest.Server, ready obj, seq int) *peer {
	t.Helper()
	p := dialTo(t, ready["resume_gateway_url"].(string)+"/?v=9&encoding=json")
	p.op(10)
	p.send(6, obj{"token": s.Options().BotToken, "session_id": ready["session_id"], "seq": seq})
	return p
}

func TestResume(t *testing.T) {
	s := start(t, discordtest.Options{AnyCommand: true})
	p, ready := connect(t, s)
	s.Conns()[0].Cut()
	p.closed(1006)
	if err := s.Wait(soon(t), func() bool { return len(s.Conns()) == 0 }); err != nil {
		t.Fatal(err)
	}
	missed := ok(s.Slash(asha, support, "x"))(t)
	p = resume(t, s, ready, 2)
	if f := p.op(0); f["t"] != "INTERACTION_CREATE" || f["s"] != 3.0 || f["d"].(obj)["id"] != missed.ID {
		t.Errorf("missed %v", f)
	}
	if f := p.op(0); f["t"] != "RESUMED" || f["s"] != 4.0 {
		t.Errorf("frame %v", f)
	}
	if c := ok(s.WaitReady(soon(t), 1))(t); !c.Resumed() || s.Identifies() != 1 || s.Resumes() != 1 {
		t.Errorf("%d identifies, %d resumes", s.Identifies(), s.Resumes())
	}
	respond(t, s, missed, 4, obj{"content": "in time"}, "").wants(204, 0)

	over := resume(t, s, ready, 4) // while the other still stands
	over.event("RESUMED")
	p.closed(1006)
	resume(t, s, ready, 999).closed(4007)
	if f := resume(t, s, ready, 4).op(9); f["d"] != false {
		t.Errorf("after 4007: %v", f)
	}
}

func TestSessionsEnd(t *testing.T) {
	for name, end := range map[string]func(p *peer, s *discordtest.Server){
		"closed with 1000": func(p *peer, s *discordtest.Server) {
			p.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""))
		},
		"closed with 1001": func(p *peer, s *discordtest.Server) {
			p.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1001, ""))
		},
		"forgotten":          func(p *peer, s *discordtest.Server) { s.EndSessions() },
		"timed out":          func(p *peer, s *discordtest.Server) { s.Conns()[0].Close(4009) },
		"said to be invalid": func(p *peer, s *discordtest.Server) { s.Conns()[0].Invalidate(false); p.op(9); p.conn.Close() },
		"4000, and it stays": func(p *peer, s *discordtest.Server) { s.Conns()[0].Close(4000) },
		"4200 of the app": func(p *peer, s *discordtest.Server) {
			p.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4200, ""))
		},
		"invalid, but resume": func(p *peer, s *discordtest.Server) { s.Conns()[0].Invalidate(true); p.op(9); p.conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, discordtest.Options{})
			p, ready := connect(t, s)
			end(p, s)
			if err := s.Wait(soon(t), func() bool { return len(s.Conns()) == 0 || strings.Contains(name, "4") }); err != nil {
				t.Fatal(err)
			}
			want := 9.0
			if strings.HasPrefix(name, "4") || strings.HasSuffix(name, "resume") {
				want = 0
			}
			if f, err := resume(t, s, ready, 2).next(); err != nil || f["op"] != want {
				t.Errorf("resumed with %v, %v, want opcode %v", f, err, want)
			}
		})
	}
}

func TestTurns(t *testing.T) {
	s := start(t, discordtest.Options{})
	begin := func() *peer {
		p := dial(t, s)
		p.op(10)
		p.send(2, identify(s))
		return p
	}
	s.OnIdentify(discordtest.Turn{Op: 7}, 1)
	begin().op(7)
	s.OnIdentify(discordtest.Turn{Op: 9}, 1)
	if f := begin().op(9); f["d"] != false {
		t.Errorf("frame %v", f)
	}
	s.OnIdentify(discordtest.Turn{Code: 4004}, 2)
	begin().closed(4004)
	begin().closed(4004)
	s.OnIdentify(discordtest.Turn{Cut: true}, 1)
	begin().closed(1006)
	p := begin()
	ready := p.event("READY")["d"].(obj)
	s.OnResume(discordtest.Turn{Op: 7}, 1)
	s.OnResume(discordtest.Turn{Op: 9, Resumable: true}, 1)
	resume(t, s, ready, 2).op(7)
	again := resume(t, s, ready, 2)
	if f := again.op(9); f["d"] != true {
		t.Errorf("frame %v", f)
	}
	again.send(6, obj{"token": s.Options().BotToken, "session_id": ready["session_id"], "seq": 2}) // it may, on the same connection
	again.event("RESUMED")
	s.OnResume(discordtest.Turn{Op: 9}, 1)
	again = resume(t, s, ready, 2)
	again.op(9)
	again.send(2, identify(s)) // as discordgo does
	again.event("READY")
	if s.Identifies() != 7 || s.Resumes() != 5-1 {
		t.Errorf("%d identifies, %d resumes", s.Identifies(), s.Resumes())
	}
	s.OnConnect(discordtest.Turn{Cut: true}, -1)
	dial(t, s).closed(1006)
	dial(t, s).closed(1006)
	s.Calm()
	begin().event("READY")
}

// silent fails the test unless nothing is said, not even in answer to a
// heartbeat, until the connection is cut.
func silent(t *testing.T, s *discordtest.Server, p *peer) {
	t.Helper()
	c := s.Conns()[len(s.Conns())-1]
	p.send(1, nil)
	p.send(42, nil)           // which would close it
	s.Event("SOMETHING", nil) // goes into the void
	c.Cut()
	p.closed(1006)
	if beats, _ := c.Heartbeats(); beats != 0 {
		t.Error("it heard a heartbeat")
	}
}

func TestSilence(t *testing.T) {
	s := start(t, discordtest.Options{})
	s.OnConnect(discordtest.Turn{Silent: true}, 1)
	silent(t, s, dial(t, s))

	s.OnIdentify(discordtest.Turn{Silent: true, After: true}, 1)
	p, ready := connect(t, s)
	silent(t, s, p)

	s.OnResume(discordtest.Turn{Silent: true}, 1)
	p = resume(t, s, ready, 2)
	if err := s.Wait(soon(t), func() bool { return s.Resumes() == 1 }); err != nil {
		t.Fatal(err)
	}
	silent(t, s, p)

	s.OnResume(discordtest.Turn{Silent: true, After: true}, 1)
	p = resume(t, s, ready, 2)
	p.event("RESUMED")
	silent(t, s, p)

	p = resume(t, s, ready, 2)
	p.event("RESUMED")
	c := s.Conns()[len(s.Conns())-1]
	c.Reconnect()
	p.op(7)
	c.Silence()
	silent(t, s, p)
	if code, closed := c.Closed(); !closed || code != 1006 {
		t.Errorf("ended with %d, %v", code, closed)
	}
}

func TestSessionStartLimit(t *testing.T) {
	s := start(t, discordtest.Options{Identifies: 2})
	remaining := func() any {
		return call(t, s, "GET /gateway/bot", nil).wants(200, 0).get("session_start_limit", "remaining")
	}
	if remaining() != 2.0 {
		t.Errorf("%v remain", remaining())
	}
	p, ready := connect(t, s)
	resume(t, s, ready, 2).event("RESUMED") // does not count
	if remaining() != 1.0 {
		t.Errorf("%v remain", remaining())
	}
	p.closed(1006)
	p = dial(t, s)
	p.op(10)
	p.send(2, with(identify(s), "intents", 1<<15))
	p.closed(4014)
	if remaining() != 0.0 {
		t.Errorf("%v remain", remaining())
	}
	p = dial(t, s)
	p.op(10)
	p.send(2, identify(s))
	p.closed(4004)
	call(t, s, "GET /users/@me", nil).wants(401, 0) // the token was reset
	if s.Identifies() != 3 {
		t.Errorf("%d identifies", s.Identifies())
	}
	other := start(t, discordtest.Options{Sharding: true})
	other.SetRemaining(49)
	if a := call(t, other, "GET /gateway/bot", nil); a.get("shards") != 4.0 || a.get("session_start_limit", "remaining") != 49.0 || a.get("session_start_limit", "total") != 1000.0 {
		t.Errorf("answer %s", a.raw)
	}
}

func TestCompression(t *testing.T) {
	s := start(t, discordtest.Options{})
	p := dial(t, s)
	p.op(10)
	p.send(2, with(identify(s), "compress", true))
	kind, data, err := p.conn.ReadMessage()
	if err != nil || kind != websocket.BinaryMessage {
		t.Fatalf("kind %d, %v", kind, err)
	}
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	var f obj
	if err != nil || json.Unmarshal(raw, &f) != nil || f["t"] != "READY" {
		t.Errorf("frame %s, %v", raw, err)
	}
}

func TestSend(t *testing.T) {
	s := start(t, discordtest.Options{})
	p, _ := connect(t, s)
	s.Conns()[0].Send(obj{"op": 77, "d": "x", "t": "ODD", "s": 5})
	if f := p.op(77); f["d"] != "x" || f["t"] != "ODD" || f["s"] != 5.0 {
		t.Errorf("frame %v", f)
	}
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
}
