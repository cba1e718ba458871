package slack

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
)

// The benchmarks of this file are loads on the loopback: fake, adapter and
// measuring share one process. An operation is one command, typed at a steady
// pace; -benchtime 12000x of the first is a minute. They fail if a command is
// lost or answered twice.

// load types b.N commands at a pace and reports how long acknowledgements and
// answers took. each is called before the i-th.
func load(b *testing.B, o slacktest.Options, pace time.Duration, handle func(context.Context, chat.Request) (chat.Reply, error), each func(int, *slacktest.Server)) {
	srv := slacktest.New(o)
	defer srv.Close()
	srv.AddUser(slacktest.User{ID: asha})
	srv.AddChannel(slacktest.Channel{ID: support, Members: []string{asha}})
	a := adapter(b, srv)
	a.log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, &app{handle: handle}) }()
	if err := reachable(b.Context(), srv, a); err != nil {
		b.Fatal(err)
	}
	all := make([]*slacktest.Interaction, 0, b.N)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	b.ResetTimer()
	for i := range b.N {
		each(i, srv)
		all = append(all, srv.Slash(asha, support, "/mystats", fmt.Sprint(i)))
		<-tick.C
	}
	var acks, answers []time.Duration
	lost, twice := 0, 0
	for _, act := range all {
		late, cancel := context.WithTimeout(b.Context(), 30*time.Second)
		m, err := act.WaitReply(late, nil)
		cancel()
		if err != nil {
			lost++
			continue
		}
		if len(act.Replies()) > 1 {
			twice++
		}
		answers = append(answers, m.At.Sub(act.Deliveries()[0].At))
		if ack, ok := act.Ack(); ok {
			acks = append(acks, ack.Took)
		}
	}
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	report(b, "ack", acks)
	report(b, "answer", answers)
	b.ReportMetric(float64(a.Stats().Connects), "connections")
	if lost > 0 || twice > 0 {
		b.Errorf("of %d commands %d were lost and %d answered twice", b.N, lost, twice)
	}
}

func report(b *testing.B, what string, took []time.Duration) {
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	at := func(p float64) float64 { return took[int(p*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), what+"-p50-ms")
	b.ReportMetric(at(0.99), what+"-p99-ms")
	b.ReportMetric(at(1), what+"-max-ms")
}

func said(_ context.Context, r chat.Request) (chat.Reply, error) {
	m := note("Asha Rao, today", "as of now")
	m.Blocks = append(m.Blocks, chat.Fields{{Label: "Calls offered", Value: "42"}, {Label: "Answered", Value: "40"}, {Label: "Missed", Value: "2"}})
	m.Footer = chat.T(r.Text)
	return chat.Show(m), nil
}

func nothing(int, *slacktest.Server) {}

// BenchmarkCommands types 200 commands a second.
func BenchmarkCommands(b *testing.B) {
	load(b, slacktest.Options{}, 5*time.Millisecond, said, nothing)
}

// BenchmarkCommandsOverHTTP is the same over the other transport.
func BenchmarkCommandsOverHTTP(b *testing.B) {
	load(b, slacktest.Options{}, 5*time.Millisecond, said, nothing)
}

// BenchmarkRecycled types 20 commands a second while every second the older
// connection is ended, so that Slack delivers again what was on its way.
func BenchmarkRecycled(b *testing.B) {
	load(b, slacktest.Options{Times: slacktest.Times{Retry: []time.Duration{0, 0, 0}}}, 50*time.Millisecond, said, func(i int, srv *slacktest.Server) {
		if open := srv.Sockets(); i%20 == 19 && len(open) > 0 {
			open[0].Disconnect("refresh_requested")
		}
	})
}

// BenchmarkSlowSource types 20 commands a second that take eight seconds each.
func BenchmarkSlowSource(b *testing.B) {
	load(b, slacktest.Options{}, 50*time.Millisecond, slowly, nothing)
}

// BenchmarkSlowSourceOverHTTP is the same over the other transport.
func BenchmarkSlowSourceOverHTTP(b *testing.B) {
	load(b, slacktest.Options{}, 50*time.Millisecond, slowly, nothing)
}

func slowly(ctx context.Context, r chat.Request) (chat.Reply, error) {
	select {
	case <-time.After(8 * time.Second):
		return said(ctx, r)
	case <-ctx.Done():
		return chat.Reply{}, context.Cause(ctx)
	}
}

// BenchmarkDraw draws a card, judges it, and leaves nothing to the network.
func BenchmarkDraw(b *testing.B) {
	r, err := said(b.Context(), chat.Request{Text: strings.Repeat("small print ", 5)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if problems := (drawing{}).draw(*r.Message).problems(); problems != nil {
			b.Fatal(problems)
		}
	}
}
