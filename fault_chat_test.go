package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/adapters/discord"
	"floorwalker/adapters/discord/discordtest"
	"floorwalker/adapters/slack"
	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/store"
)

// A post office is the outbox, its deliverer and a real adapter, with a proxy
// between that and a fake of the network.
type postOffice struct {
	t     *testing.T
	store *store.Store
	proxy *proxy
	log   syncBuffer
}

// newPostOffice returns one whose proxy leads to a listener, which is to be served
// by the network.
func newPostOffice(t *testing.T) (*postOffice, net.Listener) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &postOffice{t: t, proxy: newProxy(func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })}
	var serving errgroup.Group
	serving.Go(func() error { o.proxy.serve(front); return nil })
	t.Cleanup(func() { front.Close(); serving.Wait() })
	if o.store, err = store.Open(store.Config{Path: filepath.Join(memoryDir(t), "floor.db"), Key: secret.New(killKey)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.store.Close() })
	return o, fronted{l, front.Addr()}
}

// promise puts messages to an address into the outbox.
func (o *postOffice) promise(n int, to chat.Address) {
	o.t.Helper()
	err := o.store.Update(func(tx bot.Tx) error {
		for i := range n {
			key := fmt.Sprintf("alert/%d/fire/%s", i, to)
			m := chat.Message{Title: fmt.Sprintf("message %d", i)}
			if _, err := tx.Enqueue(bot.Row{Key: key, To: to, Lane: bot.LaneAlert, Message: m, Added: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// deliver runs an adapter and its deliverer until every row is settled.
func (o *postOffice) deliver(a chat.Adapter) {
	o.t.Helper()
	b := bot.New(bot.Config{Zone: time.UTC, PollInterval: time.Minute, RequestsPerSecond: 1, MaxInFlight: 1}, nil, o.store, discard{}, slog.New(slog.NewTextHandler(&o.log, nil)))
	ctx, cancel := context.WithCancel(o.t.Context())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.Run(ctx, b) })
	g.Go(func() error { return b.Deliver(ctx, a) })
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		waiting := 0
		for _, err := range o.store.Rows(bot.RowPending, bot.RowLeased) {
			if err != nil {
				o.t.Fatal(err)
			}
			waiting++
		}
		if waiting == 0 {
			break
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			o.t.Errorf("%d messages are not settled: %v\n%s", waiting, context.Cause(ctx), o.log.String())
			break
		}
	}
	cancel()
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		o.t.Error(err)
	}
}

// judge compares the outbox with what stands in a conversation, oldest first. In
// doubt, a message may stand there again, but marked if the network does not
// suppress it; the first of each come in the order of the promises.
func (o *postOffice) judge(to chat.Address, posts []string, again int) {
	o.t.Helper()
	first, resent := []string{}, 0
	for _, p := range posts {
		title, _, _ := strings.Cut(strings.TrimSpace(p), "\n")
		if slices.Contains(first, title) {
			if resent++; !strings.Contains(p, "(re-sent)") {
				o.t.Errorf("%s stands there twice without a mark", title)
			}
			continue
		}
		first = append(first, title)
	}
	n, tries := 0, 0
	for row, err := range o.store.Rows() {
		if err != nil {
			o.t.Fatal(err)
		}
		if row.To != to {
			continue
		}
		tries += row.Attempts
		if want := fmt.Sprintf("message %d", n); row.State != bot.RowSent || n >= len(first) || first[n] != want {
			o.t.Errorf("%s is %s (%s); the conversation has %q", row.Key, row.State, row.Reason, first)
			return
		}
		n++
	}
	if tries <= n {
		o.t.Errorf("%d messages took %d attempts: nothing has gone wrong", n, tries)
	}
	if n == 0 || n != len(first) || resent > again {
		o.t.Errorf("%d promises, %d messages, %d of them again, want at most %d", n, len(first), resent, again)
	}
}

// chatTrouble is what goes wrong on the way to a network, for a while.
var chatTrouble = map[string]trouble{
	"answers cut": {cut: 20},
	"resets":      {reset: true},
	"garbage":     {garbage: "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<html></html"},
	"502":         {garbage: "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"},
}

// TestSlackFaults delivers through a network that accepts and fails, limits, and
// goes away: nothing is lost, nothing stands twice without its mark, and the order
// is kept. A channel that is gone holds up nobody else.
func TestSlackFaults(t *testing.T) {
	faults := map[string]slacktest.Fault{
		"500 after accepting": {Status: 500, Stored: true},
		"reset after it":      {Reset: true, Stored: true},
		"limits":              {Status: 429, RetryAfter: time.Second},
		"nonsense":            {Error: "fatal_error"},
	}
	play := func(name string, fault *slacktest.Fault, wire trouble) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, l := newPostOffice(t)
			srv := slacktest.Serve(l, slacktest.Options{})
			t.Cleanup(srv.Close)
			room, gone := chat.Address{Network: chat.Slack, ID: "C0ROOM"}, chat.Address{Network: chat.Slack, ID: "C0GONE"}
			srv.AddChannel(slacktest.Channel{ID: room.ID})
			srv.AddChannel(slacktest.Channel{ID: gone.ID, Archived: true})
			o.promise(2, gone)
			o.promise(3, room)
			a, err := slack.New(slack.Config{BotToken: secret.New("xoxb-1"), AppToken: secret.New("xapp-1"), APIURL: srv.APIURL()})
			if err != nil {
				t.Fatal(err)
			}
			if fault != nil {
				fault.Channel = room.ID
				srv.Fail("chat.postMessage", *fault, 2)
			}
			o.during(wire, func() { o.deliver(a) })
			var posts []string
			for _, m := range srv.Messages(room.ID) {
				posts = append(posts, m.Plain())
			}
			o.judge(room, posts, 2)
			o.judgeDead(gone, 2)
		})
	}
	for name, fault := range faults {
		play(name, &fault, trouble{})
	}
	for name, wire := range chatTrouble {
		play(name, nil, wire)
	}
}

// TestDiscordFaults is the same on Discord, which suppresses what it has seen.
func TestDiscordFaults(t *testing.T) {
	faults := map[string]discordtest.Fault{
		"502 after accepting": {Status: 502, Stored: true},
		"reset after it":      {Reset: true, Stored: true},
		"limits":              {Status: 429, RetryAfter: time.Second},
		"limits of all":       {Status: 429, Scope: "global", RetryAfter: time.Second},
	}
	play := func(name string, fault *discordtest.Fault, wire trouble) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, l := newPostOffice(t)
			srv := discordtest.Serve(l, discordtest.Options{})
			t.Cleanup(srv.Close)
			guild := srv.AddGuild(discordtest.Guild{})
			room := chat.Address{Network: chat.Discord, ID: srv.AddChannel(discordtest.Channel{Guild: guild})}
			gone := chat.Address{Network: chat.Discord, ID: srv.AddChannel(discordtest.Channel{Guild: guild})}
			srv.RemoveChannel(gone.ID)
			o.promise(2, gone)
			o.promise(3, room)
			a, err := discord.New(discord.Config{BotToken: secret.New("fake-token"), ApplicationID: "1000000000000000001", APIURL: srv.APIURL()})
			if err != nil {
				t.Fatal(err)
			}
			if fault != nil {
				srv.Fail("POST /channels/{channel}/messages", *fault, 3) // two may go to the place that is gone
			}
			o.during(wire, func() { o.deliver(a) })
			var posts []string
			for _, m := range srv.Messages(room.ID) {
				posts = append(posts, m.Plain())
			}
			o.judge(room, posts, 0)
			o.judgeDead(gone, 2)
		})
	}
	for name, fault := range faults {
		play(name, &fault, trouble{})
	}
	for name, wire := range chatTrouble {
		play(name, nil, wire)
	}
}

// during makes trouble on the wire for the first two seconds of do.
func (o *postOffice) during(wire trouble, do func()) {
	o.proxy.set(wire)
	over := time.AfterFunc(2*time.Second, func() { o.proxy.set(trouble{}) })
	defer over.Stop()
	do()
}

// judgeDead: what is for a place that is gone is on record as such.
func (o *postOffice) judgeDead(to chat.Address, want int) {
	o.t.Helper()
	n := 0
	for row, err := range o.store.Rows(bot.RowDead) {
		if err != nil {
			o.t.Fatal(err)
		}
		if row.To == to && row.Reason != "" {
			n++
		}
	}
	if n != want {
		o.t.Errorf("%d messages to a place that is gone are recorded as such, want %d", n, want)
	}
}

var crowd = flag.Int("crowd", 60, "how many alerts come at once in TestChatCrowd")

// TestChatCrowd: many alerts come at once on a network that takes one message a
// second and is then away for ten minutes; and then as many people have to be
// written to. Everybody gets theirs, once, and the supervisor few messages.
func TestChatCrowd(t *testing.T) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		s := newBubble(t, dir, faultConfig, *crowd)
		defer s.end()
		s.missed(2, slices.Repeat([]int{1}, *crowd)...)
		var next time.Time
		away := time.Now().Add(14 * time.Minute)
		s.obstruct(func() error {
			now := time.Now()
			if now.Before(next) {
				return &chat.RetryError{Err: errors.New("one a second"), After: next.Sub(now)}
			}
			if left := away.Sub(now); 0 < left && left < 10*time.Minute {
				return errors.New("the gateway is away")
			}
			next = now.Add(time.Second)
			return nil
		})
		s.missed(30, slices.Repeat([]int{6}, *crowd)...)
		if err := s.floor.Fault("*", "expired", 0); err != nil {
			t.Fatal(err)
		}
		s.missed(20, slices.Repeat([]int{6}, *crowd)...)
		for i := range *crowd {
			if n := s.count(fmt.Sprintf("U0P%04d", i), "Link again", false); n != 1 {
				t.Errorf("agent %d is told %d times to link again", i, n)
			}
		}
		s.judgeCrowd()
	})
}

// judgeCrowd: nothing waits and nothing is lost, and the supervisor got few
// messages.
func (s *bubble) judgeCrowd() {
	s.t.Helper()
	states := map[bot.RowState]int{}
	for row, err := range s.store.Rows() {
		if err != nil {
			s.t.Fatal(err)
		}
		states[row.State]++
		if row.State == bot.RowDead || row.Reason == "the message to edit was not sent" || row.State == bot.RowLeased || row.State == bot.RowPending && row.Next.Before(time.Now().Add(-time.Minute)) {
			s.t.Errorf("%s is %s: %s", row.Key, row.State, row.Reason)
		}
	}
	if n := s.count("U0MEERA", "", false); n == 0 || n > 25 {
		s.t.Errorf("the supervisor got %d messages (%v):\n%s", n, states, s.transcript("U0MEERA"))
	}
}
