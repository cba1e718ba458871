package slacktest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"floorwalker/adapters/slack/slacktest"
)

func TestCommandOverSocket(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	if n := p.want("hello")["num_connections"]; n != 1.0 {
		t.Errorf("num_connections = %v, want 1", n)
	}
	i := s.Slash("U1", "C1", "/mystats", "today")
	e := p.want("slash_commands")
	payload := e["payload"].(obj)
	for key, want := range map[string]string{"command": "/mystats", "text": "today", "user_id": "U1", "channel_id": "C1",
		"team_id": "T0TEAM", "trigger_id": i.TriggerID, "response_url": i.ResponseURL} {
		if payload[key] != want {
			t.Errorf("payload[%s] = %v, want %s", key, payload[key], want)
		}
	}
	p.ack(e, obj{"text": "42 calls"})
	a, err := i.WaitAck(soon(t))
	if err != nil || a.Attempt != 0 || a.Ignored != "" {
		t.Fatalf("ack %+v, %v", a, err)
	}
	if m := s.Ephemerals("U1"); len(m) != 1 || m[0].Plain() != "42 calls" || m[0].Channel != "C1" {
		t.Errorf("the person sees %v, want the text of the ack", m)
	}
	if len(s.Messages("C1")) != 0 || len(s.Ephemerals("U2")) != 0 {
		t.Error("others see an ephemeral answer")
	}
}

func TestSocketURLIsUsedOnce(t *testing.T) {
	s := start(t, slacktest.Options{})
	url := socketURL(t, s)
	for n, want := range []int{http.StatusSwitchingProtocols, http.StatusBadRequest} {
		conn, resp, err := websocket.DefaultDialer.Dial(url, nil)
		if resp == nil || resp.StatusCode != want {
			t.Fatalf("dial %d: %v, %v, want status %d", n, resp, err, want)
		}
		if err == nil {
			defer conn.Close()
		}
	}
}

func TestOneOfManySockets(t *testing.T) {
	s := start(t, slacktest.Options{})
	a, b := connect(t, s), connect(t, s)
	a.want("hello")
	b.want("hello")
	if _, err := s.WaitSockets(soon(t), 2); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.Slash("U1", "C1", "/mystats", "a")
		s.Slash("U1", "C1", "/mystats", "b")
		for _, p := range []*peer{a, b} {
			p.ack(p.want("slash_commands"), nil)
		}
	}
	if err := s.Wait(soon(t), func() bool { return len(s.Acks()) == 4 }); err != nil {
		t.Fatal(err)
	}
}

func TestAtMostTenSockets(t *testing.T) {
	s := start(t, slacktest.Options{})
	for range 10 {
		connect(t, s).want("hello")
	}
	if _, err := s.WaitSockets(soon(t), 10); err != nil {
		t.Fatal(err)
	}
	p := connect(t, s)
	if r := p.want("disconnect")["reason"]; r != "too_many_websockets" {
		t.Errorf("the eleventh got %v", r)
	}
}

func TestRedelivery(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Ack: 30 * time.Millisecond, Retry: []time.Duration{0}}})
	p := connect(t, s)
	p.want("hello")
	i := s.Slash("U1", "C1", "/mystats", "")
	first := p.want("slash_commands")
	second := p.want("slash_commands")
	if second["retry_attempt"] != 1.0 || second["retry_reason"] != "timeout" || first["retry_attempt"] != nil {
		t.Errorf("first %v, second %v", first, second)
	}
	if first["envelope_id"] == second["envelope_id"] {
		t.Error("the envelope id came back")
	}
	if first["payload"].(obj)["trigger_id"] != second["payload"].(obj)["trigger_id"] {
		t.Error("the trigger id changed")
	}
	if err := i.WaitOver(soon(t)); err != nil {
		t.Fatal(err)
	}
	if d := i.Deliveries(); len(d) != 2 || i.Failure() != "operation_timeout" {
		t.Errorf("%d deliveries, failure %q", len(d), i.Failure())
	}
	p.ack(first, nil)
	if err := s.Wait(soon(t), func() bool { return len(s.Acks()) == 1 }); err != nil {
		t.Fatal(err)
	}
	if _, ok := i.Ack(); ok || s.Acks()[0].Ignored != "late" {
		t.Errorf("a late ack counts: %+v", s.Acks())
	}
}

func TestNoSocketNoCommand(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Retry: []time.Duration{time.Hour}}})
	i := s.Slash("U1", "C1", "/mystats", "")
	if err := i.WaitOver(soon(t)); err != nil { // for an hour, if it were tried again
		t.Fatal(err)
	}
	if i.Failure() != "dispatch_failed" || len(i.Deliveries()) != 0 {
		t.Errorf("failure %q, deliveries %v", i.Failure(), i.Deliveries())
	}
}

func TestAckThatDoesNotCount(t *testing.T) {
	s := start(t, slacktest.Options{})
	a, b := connect(t, s), connect(t, s)
	a.want("hello")
	b.want("hello")
	if _, err := s.WaitSockets(soon(t), 2); err != nil {
		t.Fatal(err)
	}
	s.Slash("U1", "C1", "/mystats", "")
	s.Slash("U1", "C1", "/mystats", "")
	e, other := a.want("slash_commands"), b.want("slash_commands")
	for _, c := range []struct {
		want string
		send func()
	}{
		{"too large", func() { a.ack(e, obj{"text": strings.Repeat("x", 20_480)}) }},
		{"unknown envelope", func() { a.ack(obj{"envelope_id": "no such"}, nil) }},
		{"other connection", func() { a.ack(other, nil) }},
		{"", func() { a.ack(e, nil) }},
		{"unknown envelope", func() { a.ack(e, nil) }},
	} {
		n := len(s.Acks())
		c.send()
		if err := s.Wait(soon(t), func() bool { return len(s.Acks()) > n }); err != nil {
			t.Fatal(err)
		}
		if got := s.Acks()[n].Ignored; got != c.want {
			t.Errorf("ignored %q, want %q", got, c.want)
		}
	}
}

// The limit is on the whole frame, byte for byte.
func TestAckLimitToTheByte(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	s.Slash("U1", "C1", "/mystats", "")
	e := p.want("slash_commands")
	id := e["envelope_id"].(string)
	frame := func(size int) []byte {
		head, tail := `{"envelope_id":"`+id+`","payload":{"text":"`, `"}}`
		return []byte(head + strings.Repeat("x", size-len(head)-len(tail)) + tail)
	}
	for n, size := range []int{20_480, 20_479} {
		if err := p.conn.WriteMessage(websocket.TextMessage, frame(size)); err != nil {
			t.Fatal(err)
		}
		if err := s.Wait(soon(t), func() bool { return len(s.Acks()) > n }); err != nil {
			t.Fatal(err)
		}
		a := s.Acks()[n]
		if a.Size != size || (a.Ignored == "") != (size < 20_480) {
			t.Errorf("frame of %d bytes: %d, ignored %q", size, a.Size, a.Ignored)
		}
	}
}

func TestRecycling(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Warning: 20 * time.Millisecond}})
	for _, reason := range []string{"warning", "refresh_requested", "link_disabled"} {
		p := connect(t, s)
		p.want("hello")
		open, err := s.WaitSockets(soon(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		open[0].Disconnect(reason)
		if reason == "warning" { // it still works for a while
			s.Slash("U1", "C1", "/mystats", "")
			if r := p.want("disconnect")["reason"]; r != reason {
				t.Errorf("reason %v", r)
			}
			p.ack(p.want("slash_commands"), nil)
		} else if r := p.want("disconnect")["reason"]; r != reason {
			t.Errorf("reason %v, want %s", r, reason)
		}
		if _, _, err := p.conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			t.Errorf("%s: then %v, want a close frame", reason, err)
		}
		if _, err := s.WaitSockets(soon(t), 0); err != nil {
			t.Fatal(err)
		}
		if code, closed := open[0].Closed(); !closed || code != websocket.CloseNormalClosure {
			t.Errorf("%s: closed with %d", reason, code)
		}
	}
}

// A connection that Slack is closing gets no more deliveries, even if the app
// takes its time.
func TestClosingSocketIsPassedOver(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Retry: []time.Duration{}}})
	a, b := connect(t, s), connect(t, s)
	a.want("hello")
	b.want("hello")
	s.Sockets()[0].Disconnect("refresh_requested")
	for range 3 {
		s.Slash("U1", "C1", "/mystats", "")
		b.ack(b.want("slash_commands"), nil)
	}
}

// What a silent connection still sends does not count.
func TestSilentSocketDoesNotHear(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	s.Slash("U1", "C1", "/mystats", "")
	e := p.want("slash_commands")
	s.Sockets()[0].Silence()
	p.ack(e, nil)
	p.conn.Close() // after the ack
	if _, err := s.WaitSockets(soon(t), 0); err != nil {
		t.Fatal(err)
	}
	if a := s.Acks(); len(a) != 0 {
		t.Errorf("acks %+v", a)
	}
}

func TestRefusal(t *testing.T) {
	s := start(t, slacktest.Options{})
	s.RefuseSockets("link_disabled")
	if r := connect(t, s).want("disconnect")["reason"]; r != "link_disabled" {
		t.Errorf("reason %v", r)
	}
	s.RefuseSockets("")
	connect(t, s).want("hello")
}

func TestPingsAndSilence(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Ping: 5 * time.Millisecond, Ack: 20 * time.Millisecond, Retry: []time.Duration{}}})
	p := connect(t, s)
	p.want("hello")
	pongs := make(chan string, 100)
	p.conn.SetPongHandler(func(data string) error { pongs <- data; return nil })
	go func() { // answers pings, until the test ends
		for {
			if _, _, err := p.conn.ReadMessage(); err != nil {
				close(pongs)
				return
			}
		}
	}()
	open, err := s.WaitSockets(soon(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	c := open[0]
	if err := s.Wait(soon(t), func() bool { return c.Pongs() >= 2 }); err != nil {
		t.Fatal(err)
	}
	ping := func(data string) {
		p.conn.WriteControl(websocket.PingMessage, []byte(data), time.Now().Add(time.Second))
	}
	ping("hello")
	if got := <-pongs; got != "hello" {
		t.Errorf("pong %q", got)
	}
	c.Silence()
	ping("anyone?")
	i := s.Slash("U1", "C1", "/mystats", "") // Slack believes that the connection lives
	if err := i.WaitOver(soon(t)); err != nil {
		t.Fatal(err)
	}
	if d := i.Deliveries(); len(d) != 1 || d[0].Socket != c.Number || i.Failure() != "operation_timeout" {
		t.Errorf("deliveries %v, failure %q", d, i.Failure())
	}
	c.Cut()
	if data, open := <-pongs; open {
		t.Errorf("a silent connection answered %q", data)
	}
	if code, _ := c.Closed(); code != 0 && code != websocket.CloseAbnormalClosure {
		t.Errorf("cut with code %d", code)
	}
}

func TestOddEnvelopes(t *testing.T) {
	s := start(t, slacktest.Options{})
	p := connect(t, s)
	p.want("hello")
	unknown := s.Deliver("brand_new", obj{"x": 1})
	p.ack(p.want("brand_new"), nil)
	if _, err := unknown.WaitAck(soon(t)); err != nil {
		t.Error(err)
	}
	inner := s.Event(obj{"type": "unheard_of"})
	e := p.want("events_api")
	if e["retry_attempt"] != 0.0 || e["payload"].(obj)["event"].(obj)["type"] != "unheard_of" || e["payload"].(obj)["event_id"] == nil {
		t.Errorf("event %v", e)
	}
	p.ack(e, nil)
	if _, err := inner.WaitAck(soon(t)); err != nil {
		t.Error(err)
	}
	s.Deliver("slash_commands", obj{"command": 7})
	if c := p.want("slash_commands")["payload"].(obj)["command"]; c != 7.0 {
		t.Errorf("command %v", c)
	}
	open := s.Sockets()
	open[0].Send(obj{"type": "who knows"})
	p.want("who knows")
}

// An event that happens while nobody is connected comes later, as a retry.
func TestEventWaitsForASocket(t *testing.T) {
	s := start(t, slacktest.Options{Times: slacktest.Times{Retry: slices.Repeat([]time.Duration{10 * time.Millisecond}, 1000)}})
	i := s.Event(obj{"type": "tokens_revoked"})
	if err := s.Wait(soon(t), func() bool { return i.Failure() == "dispatch_failed" }); err != nil {
		t.Fatal(err)
	}
	p := connect(t, s)
	p.want("hello")
	e := p.want("events_api")
	if e["retry_attempt"].(float64) < 1 || e["retry_reason"] != "connection_failed" {
		t.Errorf("event %v", e)
	}
	p.ack(e, nil)
	if _, err := i.WaitAck(soon(t)); err != nil {
		t.Error(err)
	}
}
