package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack/socketmode"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
)

func holding(words string) func(slacktest.Message) bool {
	return func(m slacktest.Message) bool { return strings.Contains(m.Plain(), words) }
}

// Connections are renewed under load, each time without a warning to us: the
// library drops the one before it opens the next. What was on its way is
// delivered again, to the other connection.
func TestRecycledConnectionsLoseNothing(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{Times: slacktest.Times{
		Ack: 300 * time.Millisecond, Retry: []time.Duration{0, 0, 0, 0, 0, 0},
	}})
	a := adapter(t, srv)
	a.gate.max = 10 * time.Millisecond
	r := run(t, srv, a, &app{})
	var all []*slacktest.Interaction
	for i := range 200 {
		if i%10 == 0 {
			if open := srv.Sockets(); len(open) == clients {
				open[0].Disconnect("refresh_requested")
			}
		}
		all = append(all, srv.Slash(asha, support, "/mystats", fmt.Sprint(i)))
		time.Sleep(2 * time.Millisecond)
	}
	for i, act := range all {
		r.reply(act, fmt.Sprintf("mystats %d", i))
		if f := act.Failure(); f == "dispatch_failed" {
			t.Errorf("command %d met no connection", i)
		}
	}
	r.must(r.stop())
	for i, act := range all {
		if n := len(act.Replies()); n != 1 {
			t.Errorf("command %d has %d answers", i, n)
		}
	}
	if n := a.Stats().Connects; n < 10 {
		t.Fatalf("only %d connections were made: nothing was recycled", n)
	}
}

// What the library cannot read is read by us and acknowledged: an unknown kind,
// and a command with one field of another type.
func TestUnreadableEnvelopes(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	r := run(t, srv, adapter(t, srv), &app{})
	for _, kind := range []string{"an_envelope_of_tomorrow", "slash_commands", "interactive", "events_api"} {
		act := srv.Deliver(kind, "what is this?")
		if _, err := act.WaitAck(r.ctx); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	act := srv.Deliver("events_api", map[string]any{"type": "event_callback", "team_id": "T0TEAM", "event": map[string]any{"type": "brand_new"}})
	if _, err := act.WaitAck(r.ctx); err != nil {
		t.Error("an unknown event was not acknowledged")
	}

	model := srv.Slash(asha, support, "/mystats", "first")
	r.reply(model, "mystats first")
	payload, ok := model.Payload.(map[string]any)
	if !ok {
		t.Fatalf("the payload is a %T", model.Payload)
	}
	odd := map[string]any{}
	maps.Copy(odd, payload)
	odd["is_enterprise_install"], odd["channel_name"], odd["trigger_id"] = []int{5}, 7, "another"
	odd["text"] = "second"
	srv.Deliver("slash_commands", odd)
	r.reply(model, "mystats second")
}

// An acknowledgement never waits for a connection for ever, and no event waits
// for an acknowledgement: the library's queue holds twenty.
func TestAcknowledgingWithoutConnection(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapter(t, srv)
	a.timing.ack, a.timing.settle = 50*time.Millisecond, 0
	var handled atomic.Int64
	done := make(chan struct{})
	const n = 50
	s := a.session(&app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
		if handled.Add(1) == n {
			close(done)
		}
		return chat.Reply{}, chat.ErrDuplicate
	}}, identity{team: "T0TEAM"})
	l := &line{session: s, client: socketmode.New(a.api), stop: t.Context()}
	for i := range n {
		payload := fmt.Sprintf(`{"command":"/mystats","user_id":"U0ASHA","team_id":"T0TEAM","trigger_id":"t%d"}`, i)
		l.deliver(envelope{Type: "slash_commands", ID: fmt.Sprint("e", i), Payload: json.RawMessage(payload)})
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatalf("%d of %d commands were worked on", handled.Load(), n)
	}
	s.pool.Drain()
	s.acks.Wait()
	if st := a.Stats(); st.AckErrors != n-20 || st.Acks != 20 {
		t.Errorf("%d acknowledgements and %d errors, want 20 in the queue and %d", st.Acks, st.AckErrors, n-20)
	}
}

// Requests are bounded: what the pool has no place for is not acknowledged; over
// HTTP the answer is a word.
func TestFullPool(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{Times: slacktest.Times{Ack: time.Minute}})
	a := adapter(t, srv)
	release := make(chan struct{})
	var now, most atomic.Int64
	r := run(t, srv, a, &app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-release
		return chat.Reply{}, chat.ErrDuplicate
	}})
	const places = working + waiting
	for range places + 20 {
		srv.Slash(asha, support, "/mystats", "")
	}
	taken := func() int {
		return len(slices.DeleteFunc(srv.Acks(), func(a slacktest.Ack) bool { return bytes.Contains(a.Payload, []byte(busy)) }))
	}
	r.await("the pool to be full", func() bool { return taken() >= places })
	for a.Stats().Dropped < 20 {
		if r.ctx.Err() != nil {
			t.Fatalf("%d were dropped, want 20", a.Stats().Dropped)
		}
		time.Sleep(time.Millisecond)
	}
	if n := taken(); n != places {
		t.Errorf("%d were acknowledged, want %d", n, places)
	}
	close(release)
	r.must(r.stop())
	if most.Load() != working {
		t.Errorf("%d ran at once", most.Load())
	}
}

// A connection that goes silent is replaced, and so is one that is never
// greeted.
func TestSilentConnection(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{Times: slacktest.Times{Ping: 10 * time.Millisecond}})
	a := adapter(t, srv)
	a.timing.ping = 100 * time.Millisecond
	r := run(t, srv, a, &app{})
	before := srv.Sockets()
	before[0].Silence()
	r.await("a connection in its place", func() bool {
		now := srv.Sockets()
		return len(now) == clients && now[0].Number != before[0].Number
	})
}

func TestUngreetedConnection(t *testing.T) {
	l := &line{session: &session{Adapter: &Adapter{timing: timing{hello: time.Second}}}}
	start := time.Now()
	if l.silent(start.Add(time.Hour)) {
		t.Error("there is no connection to be silent")
	}
	l.since = start
	if l.silent(start.Add(time.Second)) || !l.silent(start.Add(time.Second+1)) {
		t.Error("a connection may take a second to greet, and no more")
	}
	l.greeted = true
	if l.silent(start.Add(time.Hour)) {
		t.Error("a quiet workspace is not a dead one")
	}
}

// An event that is too large to be one ends the connection, not the memory.
func TestReadLimit(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	r := run(t, srv, adapter(t, srv), &app{})
	before := srv.Sockets()[0]
	before.Send(map[string]any{"type": "slash_commands", "envelope_id": "large", "payload": strings.Repeat("x", readLimit)})
	r.await("the end of the connection", func() bool { _, closed := before.Closed(); return closed })
	if _, err := srv.WaitSockets(r.ctx, clients); err != nil {
		t.Error(err)
	}
	for _, ack := range srv.Acks() {
		if ack.EnvelopeID == "large" {
			t.Error("it was read")
		}
	}
}

// Reasons that no trying again mends end Run with ErrFinal; the library would
// try most of them for ever.
func TestFatalReasons(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"404", "invalid_auth", "account_inactive", "not_authed", "token_revoked", "token_expired",
		"not_allowed_token_type", "no_permission", "access_denied", "missing_scope", "forbidden_team",
	} {
		srv := workspace(t, slacktest.Options{})
		fault := slacktest.Fault{Error: code}
		if code == "404" {
			fault = slacktest.Fault{Status: http.StatusNotFound}
		}
		srv.Fail(methodOpen, fault, -1)
		a := adapter(t, srv)
		ended := make(chan error, 1)
		go func() { ended <- a.Run(t.Context(), &app{}) }()
		select {
		case err := <-ended:
			if !errors.Is(err, chat.ErrFinal) {
				t.Errorf("%s: Run returned %v, want ErrFinal", code, err)
			}
			if a.Healthy() == nil {
				t.Errorf("%s: healthy after it stopped for good", code)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: Run goes on", code)
		}
		if n := len(srv.Calls(methodOpen)); n > 2*clients {
			t.Errorf("%s: asked %d times", code, n)
		}
	}
}

// A workspace that switched Socket Mode off greets nobody. The reason never
// reaches us, so the pace of dying has to tell.
func TestRefusedConnections(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"link_disabled", "too_many_websockets"} {
		srv := workspace(t, slacktest.Options{})
		srv.RefuseSockets(reason)
		a := adapter(t, srv)
		r := begin(t, srv, a, &app{})
		r.await("the end of hope", func() bool { return len(srv.Calls(methodOpen)) >= hopeless })
		deadline := time.Now().Add(10 * time.Second)
		for a.Healthy() == nil && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		if err := r.stop(); !errors.Is(err, chat.ErrFinal) || !errors.Is(err, errHopeless) {
			t.Errorf("%s: Run returned %v", reason, err)
		}
		if n := len(srv.Calls(methodOpen)); n > hopeless+clients {
			t.Errorf("%s: %d connections were asked for", reason, n)
		}
	}
}

// A 429 on opening holds both clients as long as it says.
func TestOpeningIsRateLimited(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	srv.Fail(methodOpen, slacktest.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second}, 1)
	run(t, srv, adapter(t, srv), &app{})
	calls := srv.Calls(methodOpen)
	if got := calls[1].At.Sub(calls[0].At); got < 990*time.Millisecond {
		t.Errorf("the next connection was asked for %v after a 429 that said 1s", got)
	}
}

// At the end nothing new is taken, and everybody whose command was acknowledged
// gets an answer, before the connections go.
func TestShutdownAnswersTheAcknowledged(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{Times: slacktest.Times{Retry: []time.Duration{}, Ack: time.Minute}})
	a := adapter(t, srv)
	a.timing.settle = 200 * time.Millisecond
	r := run(t, srv, a, &app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
		time.Sleep(20 * time.Millisecond)
		first := chat.Show(note("stale", ""))
		first.Then = func(context.Context) (chat.Reply, error) {
			time.Sleep(20 * time.Millisecond)
			return chat.Show(note("fresh", "")), nil
		}
		return first, nil
	}})
	var all []*slacktest.Interaction
	stopped := make(chan error, 1)
	for i := range 150 {
		if i == 100 {
			r.await("half of the acknowledgements", func() bool { return len(srv.Acks()) >= 50 })
			go func() { stopped <- r.stop() }()
		}
		all = append(all, srv.Slash(asha, support, "/mystats", ""))
	}
	r.must(<-stopped)
	answered := 0
	_, err := srv.WaitSockets(r.ctx, 0) // every acknowledgement has arrived
	r.must(err)
	for i, act := range all {
		if overHTTP(t) {
			r.must(act.WaitOver(r.ctx))
		}
		_, acked := act.Ack()
		last := slacktest.Message{}
		if all := act.Replies(); len(all) > 0 {
			last = all[len(all)-1]
		}
		fresh := holding("fresh")(last)
		if acked != (fresh || holding(busy)(last)) { // what comes over HTTP too late is told so
			t.Errorf("command %d: acknowledged %v, answered %v", i, acked, fresh)
		}
		if fresh {
			answered++
		}
	}
	if answered < 50 {
		t.Errorf("only %d were answered: the test shows nothing", answered)
	}
}

// Who is still waited for when the grace has passed is told so.
func TestShutdownApologizes(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapter(t, srv)
	a.timing.grace = 10 * time.Millisecond
	asked := make(chan struct{})
	r := run(t, srv, a, &app{handle: func(ctx context.Context, _ chat.Request) (chat.Reply, error) {
		close(asked)
		<-ctx.Done()
		return chat.Reply{}, context.Cause(ctx)
	}})
	act := srv.Slash(asha, support, "/mystats", "")
	<-asked
	r.must(r.stop())
	r.reply(act, "restarted before I could answer")
}

// A panic costs one answer, and not even that without a word.
func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	r := run(t, srv, adapter(t, srv), &app{handle: func(context.Context, chat.Request) (chat.Reply, error) { panic("boom") }})
	r.reply(srv.Slash(asha, support, "/mystats", ""), "Please try again")
}
