package discord

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
)

// hasty returns an adapter that gives up on a session soon: as late as a test can
// wait, because a slow machine must begin one by then.
func hasty(t *testing.T, srv *discordtest.Server) *Adapter {
	a := adapter(t, srv, acquainted())
	a.timing.gateway.open, a.timing.gateway.stuck = 2*time.Second, 1500*time.Millisecond
	return a
}

// TestGateway runs what mostly waits, all at once: the library alone sleeps a
// second whenever a connection ends.
func TestGateway(t *testing.T) {
	t.Parallel() // with what else mostly waits
	var all sync.WaitGroup
	for name, test := range map[string]func(*testing.T){
		"ReconnectAsFirstPacket":  reconnectAsFirstPacket,
		"InvalidSession":          invalidSession,
		"InvalidatedSession":      invalidatedSession,
		"SilenceAfterResume":      silenceAfterResume,
		"SilenceAfterIdentify":    silenceAfterIdentify,
		"Zombie":                  zombie,
		"QuietGateway":            quietGateway,
		"Resume":                  resume,
		"SessionEnded":            sessionEnded,
		"FatalCodeLater":          fatalCodeLater,
		"TokenRevoked":            tokenRevoked,
		"IdentifyPace":            identifyPace,
		"TokenRevokedForCalls":    tokenRevokedForCalls,
		"IdentifyBudget":          identifyBudget,
		"IdentifiesAreRemembered": identifiesAreRemembered,
		"StopDuringPause":         stopDuringPause,
		"StopWhileConnecting":     stopWhileConnecting,
		"EachItsOwn":              eachItsOwn,
	} {
		all.Go(func() { t.Run(name, test) })
	}
	all.Wait()
}

// The library deadlocks for ever when it is asked to reconnect in place of the
// first packet.
func reconnectAsFirstPacket(t *testing.T) {
	srv := network(t, discordtest.Options{})
	srv.OnIdentify(discordtest.Turn{Op: 7}, 1)
	r := run(t, srv, hasty(t, srv), &app{})
	r.answers()
	c := r.ready(0)
	srv.OnResume(discordtest.Turn{Op: 7}, 1)
	c.Cut()
	r.ready(c.Number)
	r.answers()
	if n := srv.Identifies(); n != 3 {
		t.Errorf("%d sign-ins, want one for each session that was lost, and the first", n)
	}
	if n := srv.Connections(); n != 4 {
		t.Errorf("%d connections: a session that is stuck was used again", n)
	}
}

// The library signs in again at once, and again, when a session is refused.
func invalidSession(t *testing.T) {
	srv := network(t, discordtest.Options{})
	const refused = 3
	srv.OnIdentify(discordtest.Turn{Op: 9}, refused)
	r := run(t, srv, adapter(t, srv, acquainted()), &app{})
	r.answers()
	if n, conns := srv.Identifies(), srv.Connections(); n != refused+1 || conns != refused+1 {
		t.Errorf("%d sign-ins over %d connections, want one each for %d", n, conns, refused+1)
	}
	c := r.ready(0)
	srv.EndSessions() // the resumption is refused
	r.ready(c.Number)
	r.answers()
	if n, resumes := srv.Identifies(), srv.Resumes(); n != refused+2 || resumes != 1 {
		t.Errorf("%d sign-ins and %d resumptions after one more session, want %d and 1", n, resumes, refused+2)
	}
}

// A session can become invalid in its midst. The library would wait for ever.
func invalidatedSession(t *testing.T) {
	srv := network(t, discordtest.Options{})
	r := run(t, srv, adapter(t, srv, acquainted()), &app{})
	c := r.ready(0)
	c.Invalidate(false)
	next := r.ready(c.Number)
	r.answers()
	if srv.Identifies() != 2 || next.Resumed() {
		t.Errorf("%d sign-ins, resumed %v; want a second session", srv.Identifies(), next.Resumed())
	}
}

// The library waits without an end for the first packet.
func silenceAfterResume(t *testing.T) {
	srv := network(t, discordtest.Options{})
	r := run(t, srv, hasty(t, srv), &app{})
	c := r.ready(0)
	before := srv.Identifies() // more than one where signing in takes longer than is waited for
	srv.OnResume(discordtest.Turn{Silent: true}, 1)
	c.Cut()
	next := r.ready(c.Number)
	r.answers()
	if !next.Resumed() || srv.Identifies() != before {
		t.Errorf("%d sign-ins, resumed %v; want the session to go on", srv.Identifies(), next.Resumed())
	}
}

func silenceAfterIdentify(t *testing.T) {
	srv := network(t, discordtest.Options{})
	srv.OnIdentify(discordtest.Turn{Silent: true}, 1)
	run(t, srv, hasty(t, srv), &app{}).answers()
}

// A connection on which nothing is heard is dead. The library would wait for five
// heartbeats, and then end the session.
func zombie(t *testing.T) {
	srv := network(t, discordtest.Options{Times: discordtest.Times{Heartbeat: 4 * time.Second}})
	a := adapter(t, srv, acquainted())
	a.timing.gateway.idle = 6 * time.Second
	r := run(t, srv, a, &app{})
	c := r.ready(0)
	c.Silence()
	next := r.ready(c.Number)
	r.answers()
	if !next.Resumed() || srv.Identifies() != 1 {
		t.Errorf("%d sign-ins, resumed %v; want the session to go on", srv.Identifies(), next.Resumed())
	}
}

func quietGateway(t *testing.T) {
	srv := network(t, discordtest.Options{Times: discordtest.Times{Heartbeat: 2 * time.Second}})
	a := adapter(t, srv, acquainted())
	a.timing.gateway.idle = 5 * time.Second
	r := run(t, srv, a, &app{})
	c := r.ready(0)
	r.await("heartbeats for longer than a silence may last", func() bool {
		n, _ := c.Heartbeats()
		return n > 3
	})
	if n := srv.Connections(); n != 1 {
		t.Errorf("%d connections: answered heartbeats do not keep one", n)
	}
}

// The library's log names the gateway, and not which of two sessions on it was
// lost. The other one goes on: it is the next one, when an old one is slow to
// notice its end.
func eachItsOwn(t *testing.T) {
	srv := network(t, discordtest.Options{})
	first := run(t, srv, adapter(t, srv, acquainted()), &app{})
	lost := first.ready(0)
	second := begin(t, srv, adapter(t, srv, acquainted()), &app{})
	kept := second.ready(lost.Number)
	lost.Cut()
	first.ready(kept.Number)
	before, _ := kept.Heartbeats()
	kept.AskHeartbeat()
	second.await("a heartbeat on the other connection", func() bool {
		n, _ := kept.Heartbeats()
		return n > before
	})
	if n := second.a.Stats().Connects; n != 1 {
		t.Errorf("%d connections for the session that was not lost", n)
	}
}

// What was missed while the connection was lost arrives when the session goes on.
func resume(t *testing.T) {
	srv := network(t, discordtest.Options{})
	r := run(t, srv, adapter(t, srv, acquainted()), &app{})
	c := r.ready(0)
	for _, lose := range map[string]func(*discordtest.Conn){
		"cut":    func(c *discordtest.Conn) { c.Cut() },
		"asked":  func(c *discordtest.Conn) { c.Reconnect() },
		"closed": func(c *discordtest.Conn) { c.Close(4000) },
	} {
		c.AskHeartbeat()
		lose(c)
		i := r.slash("", "mystats")
		next := r.ready(c.Number)
		r.reply(i, "answer")
		if !next.Resumed() {
			t.Error("the session did not go on")
		}
		c = next
	}
	if n := srv.Identifies(); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
}

func sessionEnded(t *testing.T) {
	srv := network(t, discordtest.Options{})
	r := run(t, srv, adapter(t, srv, acquainted()), &app{})
	c := r.ready(0)
	c.Close(4009)
	r.ready(c.Number)
	r.answers()
	if n := srv.Identifies(); n != 2 {
		t.Errorf("%d sign-ins, want a second session", n)
	}
}

// After these codes the library signs in twelve times in twelve seconds, and
// Discord resets the token at a thousand.
func TestFatalCodes(t *testing.T) {
	for _, code := range []int{4004, 4010, 4011, 4012, 4013, 4014} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			srv := network(t, discordtest.Options{})
			srv.OnIdentify(discordtest.Turn{Code: code}, -1)
			r := begin(t, srv, adapter(t, srv, nil), &app{})
			if err := r.final(); err == nil || !strings.Contains(err.Error(), strconv.Itoa(code)) {
				t.Errorf("Run: %v, which does not name the code", err)
			}
			if n := srv.Identifies(); n != 1 {
				t.Errorf("%d sign-ins", n)
			}
			if err := r.a.Healthy(); !errors.Is(err, chat.ErrFinal) {
				t.Errorf("Healthy: %v", err)
			}
		})
	}
}

// The library tells the code of a running connection in its log only.
func fatalCodeLater(t *testing.T) {
	srv := network(t, discordtest.Options{})
	r := run(t, srv, adapter(t, srv, nil), &app{})
	r.ready(0).Close(4014)
	r.final()
	if n, conns := srv.Identifies(), srv.Connections(); n != 1 || conns != 1 {
		t.Errorf("%d sign-ins over %d connections, want no other", n, conns)
	}
}

func tokenRevoked(t *testing.T) {
	srv := network(t, discordtest.Options{})
	r := run(t, srv, adapter(t, srv, nil), &app{})
	r.ready(0)
	srv.RevokeToken()
	r.final()
	if n := srv.Identifies(); n != 1 {
		t.Errorf("%d sign-ins with a token that was revoked", n)
	}
	if _, err := r.a.Send(t.Context(), chat.Outgoing{To: chat.Address{Network: chat.Discord, ID: support}, Message: chat.Message{Title: "x"}}); !errors.Is(err, chat.ErrFinal) {
		t.Errorf("Send: %v", err)
	}
}

// Sign-ins keep their distance: one that comes too early is refused, and counts.
func identifyPace(t *testing.T) {
	srv := network(t, discordtest.Options{RateLimits: true, Times: discordtest.Times{Identify: 300 * time.Millisecond}})
	srv.OnIdentify(discordtest.Turn{Op: 9}, 1)
	a := adapter(t, srv, nil)
	a.timing.identify = 500 * time.Millisecond
	run(t, srv, a, &app{})
	if n := srv.Identifies(); n != 2 {
		t.Errorf("%d sign-ins, want one that was refused and one more", n)
	}
}

// A call that is answered with 401 ends the adapter, too.
func tokenRevokedForCalls(t *testing.T) {
	srv := network(t, discordtest.Options{})
	r := run(t, srv, adapter(t, srv, nil), &app{})
	srv.Fail(postMessage, discordtest.Fault{Status: 401}, 1)
	if _, err := r.a.Send(r.ctx, toSupport("x")); !errors.Is(err, chat.ErrFinal) {
		t.Errorf("Send: %v", err)
	}
	r.final()
}

func identifyBudget(t *testing.T) {
	srv := network(t, discordtest.Options{})
	srv.SetRemaining(identifiesLeft - 1)
	r := begin(t, srv, adapter(t, srv, nil), &app{})
	r.paused()
	r.must(r.stop())
	if n := srv.Connections(); n != 0 {
		t.Errorf("%d connections with too few sign-ins left", n)
	}
}

func identifiesAreRemembered(t *testing.T) {
	srv := network(t, discordtest.Options{})
	memory := acquainted()
	for want := 1; want <= 2; want++ {
		r := run(t, srv, adapter(t, srv, memory), &app{})
		r.ready(want - 1)
		if n := r.a.Stats().Identifies; n != want {
			t.Errorf("%d sign-ins today, want %d", n, want)
		}
		r.must(r.stop())
	}
	k := &keeper{session: &session{Adapter: adapter(t, srv, memory)}}
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	memory.Save(keyIdentify, "2026-03-02 "+strconv.Itoa(identifiesPerDay))
	if err := k.budget(noon, gatewayInfo{}); err == nil {
		t.Error("there is no end to our own sign-ins in a day")
	}
	if err := k.budget(noon.Add(12*time.Hour), gatewayInfo{}); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

// Stopping while waiting for the next connection makes no other.
func stopDuringPause(t *testing.T) {
	srv := network(t, discordtest.Options{})
	srv.OnConnect(discordtest.Turn{Cut: true}, -1)
	a := adapter(t, srv, nil)
	a.timing.gateway.first, a.timing.gateway.longest = time.Hour, time.Hour
	r := begin(t, srv, a, &app{})
	r.paused()
	srv.Calm()
	r.must(r.stop())
	if n := srv.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func stopWhileConnecting(t *testing.T) {
	srv := network(t, discordtest.Options{})
	srv.OnConnect(discordtest.Turn{Silent: true}, -1)
	r := begin(t, srv, adapter(t, srv, nil), &app{})
	r.await("a connection", func() bool { return srv.Connections() > 0 })
	r.must(r.stop())
}

func TestPause(t *testing.T) {
	p := pause{first: time.Second, longest: 10 * time.Minute, lasting: 5 * time.Minute}
	within := func(d, most time.Duration) {
		t.Helper()
		if d < most/2 || d > most {
			t.Errorf("the pause is %v, want %v to %v", d, most/2, most)
		}
	}
	total := time.Duration(0)
	for n, most := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600} {
		d := p.next(time.Minute) // READY alone does not count
		within(d, most*time.Second)
		total += d
		if n > 300 && total < 24*time.Hour {
			t.Error("too many in a day")
		}
	}
	within(p.next(5*time.Minute), time.Second)
	within(p.next(0), 2*time.Second)
}

// Waiting for the gateway ends with the context.
func TestKeepEnds(t *testing.T) {
	srv := network(t, discordtest.Options{})
	srv.Fail("GET /gateway/bot", discordtest.Fault{Delay: time.Hour}, -1)
	a := adapter(t, srv, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.session(&app{}).keep(ctx); err != nil {
		t.Errorf("keep: %v", err)
	}
}

// What panics while an event is taken does not end the program: the library has
// nothing that would catch it.
func TestPanicInAnEvent(t *testing.T) {
	a := adapter(t, network(t, discordtest.Options{}), acquainted())
	var logged bytes.Buffer
	a.log = slog.New(slog.NewTextHandler(&logged, nil))
	k := &keeper{session: a.session(nil)} // no bot to ask for its commands
	k.guarded("INTERACTION_CREATE", []byte(`{"id":"80351110224678901","type":2,"token":"t","user":{"id":"80351110224678911"},"data":{"name":"mystats"}}`))
	if !strings.Contains(logged.String(), "an event panicked") {
		t.Errorf("nothing panicked: %s", logged.String())
	}
}
