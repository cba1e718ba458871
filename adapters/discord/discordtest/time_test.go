package discordtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"floorwalker/adapters/discord/discordtest"
)

// A pipes listener hands out in-memory connections, so that a bubble's clock
// runs for both ends.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (p *pipes) Addr() net.Addr { return p }

func (p *pipes) Network() string { return "pipe" }

func (p *pipes) String() string { return "discord.test:80" }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, errors.New("refused")
	}
}

// A bubble is a network with Discord's own durations, on the clock of a synctest
// bubble.
type bubble struct {
	t *testing.T
	l *pipes
	s *discordtest.Server
}

func inBubble(t *testing.T, o discordtest.Options, f func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		o.AnyCommand = true
		s := discordtest.Serve(l, o)
		defer s.Close()
		s.AddUser(discordtest.User{ID: asha})
		s.AddUser(discordtest.User{ID: meera})
		s.AddUser(discordtest.User{ID: dev})
		s.AddGuild(discordtest.Guild{ID: guild})
		s.AddChannel(discordtest.Channel{ID: support})
		f(&bubble{t, l, s})
	})
}

// call returns the status of the answer and Discord's code in it.
func (b *bubble) call(route string, body any) string {
	b.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequest(method, b.s.APIURL()+path, bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bot " + b.s.Options().BotToken}, "User-Agent": {"DiscordBot (x, 1)"}}
	client := http.Client{Transport: &http.Transport{DialContext: b.l.dial, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Code int }
	json.NewDecoder(resp.Body).Decode(&answer) // what is no object has no code
	return fmt.Sprint(resp.StatusCode, " ", answer.Code)
}

// wants calls a route and compares the answer.
func (b *bubble) wants(route string, body any, want string) {
	b.t.Helper()
	if got := b.call(route, body); got != want {
		b.t.Errorf("%s: %s, want %s", route, got, want)
	}
}

func (b *bubble) respond(i *discordtest.Interaction, want string) {
	b.t.Helper()
	b.wants("POST /interactions/"+i.ID+"/"+i.Token+"/callback", obj{"type": 5}, want)
}

// connect logs in and counts the frames that come, until the connection ends.
func (b *bubble) connect() *websocket.Conn {
	b.t.Helper()
	conn, _ := b.counted()
	return conn
}

func (b *bubble) counted() (*websocket.Conn, *atomic.Int32) {
	b.t.Helper()
	conn, frames := b.dial()
	if err := conn.WriteJSON(obj{"op": 2, "d": identify(b.s)}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.s.WaitReady(b.t.Context(), 0); err != nil {
		b.t.Fatal(err)
	}
	return conn, frames
}

func (b *bubble) dial() (*websocket.Conn, *atomic.Int32) {
	b.t.Helper()
	var frames atomic.Int32
	d := websocket.Dialer{NetDialContext: b.l.dial}
	conn, _, err := d.Dial("ws://discord.test:80/gateway?v=9&encoding=json", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	go func() {
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
			frames.Add(1)
		}
	}()
	return conn, &frames
}

// silent fails the test if anything is said to the app, or heard from it.
func (b *bubble) silent(conn *websocket.Conn, frames *atomic.Int32) {
	b.t.Helper()
	synctest.Wait()
	before, c := frames.Load(), b.s.Conns()[len(b.s.Conns())-1]
	b.s.Event("SOMETHING", nil)
	for _, op := range []int{1, 42} {
		if err := conn.WriteJSON(obj{"op": op}); err != nil {
			b.t.Fatal(err)
		}
	}
	c.Reconnect()
	c.Close(4000)
	synctest.Wait()
	beats, _ := c.Heartbeats()
	if _, closed := c.Closed(); closed || frames.Load() != before || beats != 0 {
		b.t.Errorf("said %d frames, heard %d heartbeats, closed: %v", frames.Load()-before, beats, closed)
	}
}

// Nothing is said on a silent connection, and nothing is heard.
func TestSaysNothing(t *testing.T) {
	inBubble(t, discordtest.Options{}, func(b *bubble) {
		conn, frames := b.counted()
		defer conn.Close()
		b.s.Event("ONE", nil)
		synctest.Wait()
		if n := frames.Load(); n != 4 { // hello, READY, GUILD_CREATE, ONE
			t.Fatalf("%d frames", n)
		}
		b.s.Conns()[0].Silence()
		b.silent(conn, frames)
	})
}

func TestSaysNothingAfterIdentify(t *testing.T) {
	inBubble(t, discordtest.Options{}, func(b *bubble) {
		b.s.OnIdentify(discordtest.Turn{Silent: true, After: true}, 1)
		conn, frames := b.counted()
		defer conn.Close()
		b.silent(conn, frames)
	})
}

func TestSaysNothingAfterResume(t *testing.T) {
	inBubble(t, discordtest.Options{}, func(b *bubble) {
		for n, after := range []bool{false, true} {
			first, _ := b.dial()
			defer first.Close()
			if err := first.WriteJSON(obj{"op": 2, "d": identify(b.s)}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			b.s.Conns()[0].Cut()
			synctest.Wait()
			b.s.OnResume(discordtest.Turn{Silent: true, After: after}, 1)
			conn, frames := b.dial()
			defer conn.Close()
			if err := conn.WriteJSON(obj{"op": 6, "d": obj{"token": b.s.Options().BotToken, "session_id": b.s.Sessions()[0], "seq": 2}}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if want := int32(1 + n); frames.Load() != want { // hello, and perhaps RESUMED
				t.Errorf("%d frames, want %d", frames.Load(), want)
			}
			b.silent(conn, frames)
			b.s.EndSessions()
			conn.Close()
			synctest.Wait()
		}
	})
}

// Who uses a command while no app is there is told so at once; a session between
// two connections has the three seconds.
func TestNobodyThere(t *testing.T) {
	inBubble(t, discordtest.Options{}, func(b *bubble) {
		if i := ok(b.s.Slash(asha, support, "a"))(t); i.Failure() == "" {
			t.Error("she waits for nobody")
		}
		conn := b.connect()
		b.s.Conns()[0].Cut()
		synctest.Wait()
		conn.Close()
		i := ok(b.s.Slash(asha, support, "a"))(t)
		time.Sleep(2 * time.Second)
		if i.Failure() != "" {
			t.Error("she gave a session up that may resume")
		}
	})
}

// An edit by the token of one interaction wakes those who wait for the message of
// another.
func TestWakes(t *testing.T) {
	inBubble(t, discordtest.Options{}, func(b *bubble) {
		conn := b.connect()
		defer conn.Close()
		first := ok(b.s.Slash(asha, support, "a"))(t)
		b.wants("POST /interactions/"+first.ID+"/"+first.Token+"/callback", obj{"type": 4, "data": rows(row(button("b", "B")))}, "204 0")
		press := ok(b.s.Press(asha, first.Replies()[0], "B"))(t)
		woken := make(chan error)
		go func() {
			_, err := first.WaitReply(b.t.Context(), says("fresh"))
			woken <- err
		}()
		synctest.Wait()
		b.wants("POST /interactions/"+press.ID+"/"+press.Token+"/callback", obj{"type": 7, "data": obj{"content": "fresh"}}, "204 0")
		if err := <-woken; err != nil {
			t.Error(err)
		}
	})
}

func TestThreeSeconds(t *testing.T) {
	inBubble(t, discordtest.Options{}, func(b *bubble) {
		conn := b.connect()
		defer conn.Close()
		in, late, button := ok(b.s.Slash(asha, support, "a"))(t), ok(b.s.Slash(asha, support, "b"))(t), b.s.Deliver(asha, support, 3, obj{})
		time.Sleep(3*time.Second - time.Millisecond)
		synctest.Wait()
		if late.Failure() != "" {
			t.Error("she gave up early")
		}
		b.respond(in, "204 0")
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if in.Failure() != "" || late.Failure() != "The application did not respond" || button.Failure() != "This interaction failed" {
			t.Errorf("she sees %q, %q, %q", in.Failure(), late.Failure(), button.Failure())
		}
		b.respond(late, "404 10062")

		slow := ok(b.s.Slash(asha, support, "c"))(t)
		b.s.Slow("POST /interactions/{interaction}/{token}/callback", 4*time.Second, 1)
		b.respond(slow, "404 10062") // it counts when it arrives

		path := "/webhooks/" + b.s.Options().AppID + "/" + in.Token
		time.Sleep(time.Until(in.At().Add(15 * time.Minute)))
		b.wants("PATCH "+path+"/messages/@original", obj{"content": "x"}, "200 0")
		b.wants("POST "+path, obj{"content": "x"}, "200 0")
		time.Sleep(time.Millisecond)
		b.wants("PATCH "+path+"/messages/@original", obj{"content": "x"}, "401 50027")
		b.wants("POST "+path, obj{"content": "x"}, "401 50027")
		b.wants("DELETE "+path+"/messages/@original", nil, "401 50027")
	})
}

func TestNonceIsForgotten(t *testing.T) {
	inBubble(t, discordtest.Options{}, func(b *bubble) {
		for _, c := range []struct {
			after time.Duration
			want  int
		}{{0, 1}, {5*time.Minute - 1, 1}, {1, 2}} {
			time.Sleep(c.after)
			b.wants("POST /channels/"+support+"/messages", obj{"content": "x", "nonce": "n", "enforce_nonce": true}, "200 0")
			if n := len(b.s.Messages(support)); n != c.want {
				t.Errorf("after %v: %d messages, want %d", c.after, n, c.want)
			}
		}
	})
}

func TestHeartStops(t *testing.T) {
	inBubble(t, discordtest.Options{}, func(b *bubble) {
		conn := b.connect()
		defer conn.Close()
		for range 3 {
			time.Sleep(41250 * time.Millisecond)
			if err := conn.WriteJSON(obj{"op": 1, "d": nil}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * 41250 * time.Millisecond)
		synctest.Wait()
		if len(b.s.Ready()) != 1 {
			t.Fatal("closed early")
		}
		time.Sleep(41250 * time.Millisecond)
		synctest.Wait()
		if len(b.s.Conns()) != 0 {
			t.Error("a connection without heartbeats stands")
		}
	})
}

func TestWindows(t *testing.T) {
	inBubble(t, discordtest.Options{RateLimits: true, Creates: 1, OpenLimit: 1, Identifies: 1}, func(b *bubble) {
		commands := "POST /applications/" + b.s.Options().AppID + "/commands"
		open := "POST /users/@me/channels"
		b.wants(commands, command("a"), "201 0")
		b.wants(commands, command("b"), "400 30034")
		b.wants(open, obj{"recipient_id": asha}, "200 0")
		b.wants(open, obj{"recipient_id": meera}, "403 40003")
		time.Sleep(10 * time.Minute)
		b.wants(open, obj{"recipient_id": meera}, "200 0")
		b.s.SetLimit("GET /users/@me", discordtest.Limit{N: 1000, Per: time.Hour})
		time.Sleep(time.Second)
		for range 50 {
			b.wants("GET /users/@me", nil, "200 0")
		}
		b.wants("GET /users/@me", nil, "429 0")
		b.wants("POST /interactions/1/x/callback", nil, "404 10062") // is exempt
		time.Sleep(time.Second)
		b.wants("GET /users/@me", nil, "200 0")
		time.Sleep(24 * time.Hour)
		b.wants(commands, command("b"), "201 0")
		if b.s.Invalid() != 0 {
			t.Errorf("%d invalid answers", b.s.Invalid())
		}
	})
}

func TestIdentifyLimits(t *testing.T) {
	inBubble(t, discordtest.Options{RateLimits: true, Identifies: 2}, func(b *bubble) {
		first := b.connect()
		defer first.Close()
		d := websocket.Dialer{NetDialContext: b.l.dial}
		again := func() float64 {
			t.Helper()
			conn, _, err := d.Dial("ws://discord.test:80/gateway?v=9&encoding=json", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.WriteJSON(obj{"op": 2, "d": identify(b.s)}); err != nil {
				t.Fatal(err)
			}
			var f obj
			for range 2 { // the hello, and the answer
				if err := conn.ReadJSON(&f); err != nil {
					t.Fatal(err)
				}
			}
			return f["op"].(float64)
		}
		if op := again(); op != 9 {
			t.Errorf("too soon: opcode %v", op)
		}
		time.Sleep(24 * time.Hour) // the count starts again
		if op := again(); op != 0 {
			t.Errorf("the next day: opcode %v", op)
		}
	})
}
