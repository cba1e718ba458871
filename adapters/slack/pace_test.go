package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"floorwalker/bot/chat"
)

// Opens are spaced, the pace slows down while connections die young, and a
// connection that lived resets it.
func TestGate(t *testing.T) {
	g := newGate()
	now := time.Unix(0, 0)
	open := func() time.Duration {
		wait := g.reserve(now)
		now = now.Add(wait)
		return wait
	}
	if open() != 0 || open() != gateMin || open() != gateMin {
		t.Error("opens are not two seconds apart")
	}
	want := gateMin
	for range 10 {
		open()
		if g.closed(time.Second) {
			break
		}
		want = min(2*want, gateMax)
		open()
		if got := open(); got != want {
			t.Errorf("after a connection that died young the next waits %v, want %v", got, want)
		}
	}
	if want != gateMax {
		t.Errorf("the pace is %v, want %v", want, gateMax)
	}
	g.closed(gateGood)
	open()
	if got := open(); got > gateMin {
		t.Errorf("after a connection that lived the next waits %v", got)
	}
	g.failed()
	open()
	if got := open(); got != 2*gateMin {
		t.Errorf("after a failed open the next waits %v", got)
	}
	g.hold(now, time.Hour)
	if got := open(); got != time.Hour {
		t.Errorf("after a 429 the next waits %v, want as long as it said", got)
	}
}

// A hold holds those too who have their place already.
func TestGateHoldsThoseInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, start := newGate(), time.Now()
		if err := g.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { g.hold(time.Now(), time.Minute) })
		if err := g.wait(t.Context()); err != nil || time.Since(start) < time.Minute {
			t.Errorf("passed after %v: %v", time.Since(start), err)
		}
	})
}

// So many connections in a row that die at once are no accident; one that lives
// a little is.
func TestGateGivesUp(t *testing.T) {
	g := newGate()
	for i := range 3 * hopeless {
		lived := time.Second
		if i%(hopeless-1) == 0 {
			lived = atOnce
		}
		if g.closed(lived) {
			t.Fatal("gave up although some connections lived")
		}
	}
	for i := range hopeless {
		if i == 0 {
			g.closed(atOnce)
		}
		if got := g.closed(0); got != (i == hopeless-1) {
			t.Errorf("after %d connections that died at once: %v", i+1, got)
		}
	}
}

func TestGatePerMinute(t *testing.T) {
	g := newGate()
	start := time.Unix(0, 0)
	for i := range 5 {
		g.reserve(start.Add(time.Duration(i) * 15 * time.Second))
	}
	if n := g.perMinute(start.Add(time.Minute)); n != 4 {
		t.Errorf("%d opens in the last minute, want 4", n)
	}
}

// A channel gets a message a second; others do not wait for it.
func TestOneMessageASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		start := time.Now()
		for range 5 {
			if err := l.wait(t.Context(), "chat.postMessage", "C1", noHurry); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("five messages took %v, want 4s", took)
		}
		start = time.Now()
		for _, c := range []string{"C2", "C3", "C4"} {
			if err := l.wait(t.Context(), "chat.postMessage", c, noHurry); err != nil || time.Since(start) != 0 {
				t.Errorf("%s waited %v: %v", c, time.Since(start), err)
			}
		}
	})
}

// A wait that is longer than the caller has is refused at once, and takes no
// place from others.
func TestWaitIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		start := time.Now()
		for range 10 {
			err := l.wait(t.Context(), "chat.postMessage", "C1", 0)
			if retry, ok := errors.AsType[*chat.RetryError](err); (err != nil) != ok || ok && retry.After != time.Second {
				t.Fatalf("%v, want to wait a second", err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
		defer cancel()
		if _, ok := errors.AsType[*chat.RetryError](l.wait(ctx, "chat.postMessage", "C1", noHurry)); !ok {
			t.Error("a wait past the deadline is not refused")
		}
		if time.Since(start) != 0 {
			t.Errorf("refusing took %v", time.Since(start))
		}
		if err := l.wait(t.Context(), "chat.postMessage", "C1", noHurry); err != nil || time.Since(start) != time.Second {
			t.Errorf("the next message waits %v: the refused ones took places", time.Since(start))
		}
	})
}

// A 429 holds up everybody who waits for its key, and everything if it is the
// workspace's.
func TestPauseHoldsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		start := time.Now()
		l.wait(t.Context(), "chat.postMessage", "C1", noHurry) // the others wait a second
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				if err := l.wait(t.Context(), "chat.postMessage", "C1", noHurry); err != nil || time.Since(start) < 30*time.Second {
					t.Errorf("somebody went on after %v: %v", time.Since(start), err)
				}
			})
		}
		synctest.Wait()
		l.hold(callKey("chat.postMessage", "C1"), 30*time.Second)
		waiting.Wait()
		l.hold(everything, time.Hour)
		start = time.Now()
		if err := l.wait(t.Context(), "users.info", "", noHurry); err != nil || time.Since(start) != time.Hour {
			t.Errorf("another method waited %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		l.hold(everything, time.Hour)
		why := errors.New("going home")
		time.AfterFunc(time.Minute, func() { cancel(why) })
		if err := l.wait(ctx, "users.info", "", noHurry); !errors.Is(err, why) {
			t.Errorf("a cancelled wait returned %v", err)
		}
	})
}

// Channels come and go; the limiter does not grow with them.
func TestLimiterForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		for i := range 3 * maxBuckets {
			if err := l.wait(t.Context(), "chat.postMessage", string(rune('A'+i)), noHurry); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(l.buckets); n > maxBuckets+1 {
			t.Errorf("%d buckets are kept", n)
		}
	})
}

// While the network is away nothing reaches Slack, and the pace slows down a little
// only: we are back seconds after the network, however long it was away, and knock
// at a proxy that refuses us four times a minute. Whom Slack refuses asks less and
// less often.
func TestPaceThroughAnOutage(t *testing.T) {
	var text strings.Builder
	a := &Adapter{gate: newGate(), log: slog.New(slog.NewTextHandler(&text, nil))}
	l := &line{session: &session{Adapter: a}, stop: t.Context()}
	refused := func(why error, backoff time.Duration) (again bool) {
		again, err := l.refused(socketmode.Event{Type: socketmode.EventTypeConnectionError, Data: &slack.ConnectionErrorEvent{Backoff: backoff, ErrorObj: why}})
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	unsent := &url.Error{Op: "Post", URL: "https://slack.com/", Err: fmt.Errorf("%w: no route to host", errUnsent)}
	for i := range 20 {
		if again := refused(unsent, time.Second<<i); again != (time.Second<<i > longPause) {
			t.Errorf("the library would wait %v: started afresh: %v", time.Second<<i, again)
		}
	}
	if a.gate.gap != gateAway {
		t.Errorf("after an outage, opens are %v apart", a.gate.gap)
	}
	refused(errors.New("internal_error"), time.Second)
	if a.gate.gap != 2*gateAway {
		t.Errorf("after a refusal, opens are %v apart", a.gate.gap)
	}
	text.Reset()
	a.gate.hold(time.Now(), time.Hour)
	refused(unsent, time.Second)
	if !strings.Contains(text.String(), "in=1h0m0s") && !strings.Contains(text.String(), "in=59m59.") {
		t.Errorf("it is not said when it is tried again: %s", text.String())
	}
}
