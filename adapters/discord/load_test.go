package discord

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
)

// The benchmarks of this file are loads on the loopback: fake, adapter and
// measuring share one process. An operation is one command; there are fifty a
// second, and each is answered after eight seconds, when the bot has waited for a
// slow API. -benchtime 3000x is a minute. They fail if a command is lost,
// answered twice, or has no first response within three seconds.

func BenchmarkSlowSource(b *testing.B) { load(b) }

func BenchmarkSlowSourceOverHTTP(b *testing.B) { load(b) }

func load(b *testing.B) {
	const pace, slow = 20 * time.Millisecond, 8 * time.Second
	srv := network(b, discordtest.Options{Times: discordtest.Times{Ack: 3 * time.Second}})
	a := adapter(b, srv, acquainted())
	a.log = slog.New(slog.DiscardHandler)
	if overHTTP(b) {
		endpoint(b, srv, a)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- a.Run(ctx, &app{handle: func(ctx context.Context, r chat.Request) (chat.Reply, error) {
			if err := sleep(ctx, slow); err != nil {
				return chat.Reply{}, err
			}
			return chat.Show(note("answer", r.Text)), nil
		}})
	}()
	if err := reachable(ctx, srv, a); err != nil {
		b.Fatal(err)
	}
	all := make([]*discordtest.Interaction, 0, b.N)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	b.ResetTimer()
	for i := range b.N {
		act, err := srv.Slash(asha, support, "floor note", discordtest.Option{Name: "words", Value: fmt.Sprint(i)})
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, act)
		<-tick.C
	}
	judgeLoad(b, all)
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

// judgeLoad waits for the answers and reports how long first responses took.
func judgeLoad(b *testing.B, all []*discordtest.Interaction) {
	var acks []time.Duration
	lost, twice := 0, 0
	for _, act := range all {
		late, cancel := context.WithTimeout(b.Context(), 30*time.Second)
		_, err := act.WaitReply(late, saying("answer"))
		cancel()
		ack, acked := act.Ack()
		if err != nil || !acked || act.Failure() != "" {
			lost++
			continue
		}
		if len(act.Replies()) > 1 {
			twice++
		}
		acks = append(acks, ack.Took)
	}
	if lost > 0 || twice > 0 {
		b.Errorf("of %d commands %d are lost and %d answered twice", len(all), lost, twice)
	}
	if len(acks) == 0 {
		return
	}
	slices.Sort(acks)
	b.ReportMetric(float64(acks[len(acks)/2].Microseconds())/1000, "ms-first-median")
	b.ReportMetric(float64(acks[len(acks)*99/100].Microseconds())/1000, "ms-first-p99")
	b.ReportMetric(float64(acks[len(acks)-1].Microseconds())/1000, "ms-first-max")
}
