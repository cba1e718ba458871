package store

import (
	"fmt"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	gocmp "github.com/google/go-cmp/cmp"
)

// TestBacklog follows what is counted while rows come, are put off, are leased,
// outlive their lease and go.
func TestBacklog(t *testing.T) {
	s := open(t, testConfig(t))
	later := func(d time.Duration) time.Time { return noon.Add(d) }
	expect := func(what string, now time.Time, want ...Backlog) {
		t.Helper()
		got, err := s.Backlog(chat.Slack, now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", what, diff)
		}
	}
	expect("nothing", noon)

	putOff := rowTo("a2", "slack:U2", bot.LaneAlert)
	putOff.NotBefore = later(time.Minute)
	second := rowTo("a3", "slack:U1", bot.LaneAlert)
	second.Added = later(time.Second)
	elsewhere := rowTo("x1", "discord:U1", bot.LaneNotice)
	enqueue(t, s, rowTo("a1", "slack:U1", bot.LaneAlert), putOff, second, rowTo("d1", "slack:U3", bot.LaneDigest), elsewhere)
	expect("three alerts, one put off, and a digest", later(30*time.Second),
		Backlog{Lane: bot.LaneAlert, Pending: 3, Due: noon}, Backlog{Lane: bot.LaneDigest, Pending: 1, Due: noon})

	if got := lease(t, s, later(30*time.Second), 9); got != "a1 d1" {
		t.Fatalf("leased %q", got)
	}
	expect("under way: what is behind it is not late", later(40*time.Second),
		Backlog{Lane: bot.LaneAlert, Pending: 2, Leased: 1}, Backlog{Lane: bot.LaneDigest, Leased: 1})
	settle(t, s, "d1", bot.Outcome{State: bot.RowSent, At: later(40 * time.Second)})
	expect("the lease is over", later(2*time.Minute),
		Backlog{Lane: bot.LaneAlert, Pending: 2, Leased: 1, Due: later(time.Minute), Overrun: later(time.Minute)})

	settle(t, s, "a1", bot.Outcome{State: bot.RowPending, Next: later(10 * time.Minute), At: later(2 * time.Minute)})
	expect("to be tried again: nothing passes it, and it is not due", later(3*time.Minute),
		Backlog{Lane: bot.LaneAlert, Pending: 3, Due: later(time.Minute)})
	expect("and then it is", later(11*time.Minute), Backlog{Lane: bot.LaneAlert, Pending: 3, Due: later(time.Minute)})
	if got := lease(t, s, later(11*time.Minute), 9); got != "a1 a2" {
		t.Fatalf("leased %q", got)
	}
	for _, key := range []string{"a1", "a2"} {
		settle(t, s, key, bot.Outcome{State: bot.RowSent, At: later(11 * time.Minute)})
	}
	expect("the last one has been due since it came", later(11*time.Minute), Backlog{Lane: bot.LaneAlert, Pending: 1, Due: later(time.Second)})
}

// BenchmarkBacklog counts what readiness and metrics look at, with a burst of
// 10,000 messages waiting.
func BenchmarkBacklog(b *testing.B) {
	s := open(b, testConfig(b))
	var rows []bot.Row
	for i := range 10_000 {
		rows = append(rows, rowTo(fmt.Sprintf("alert/%d", i), fmt.Sprintf("slack:U%d", i%500), bot.LaneAlert))
	}
	enqueue(b, s, rows...)
	for b.Loop() {
		if _, err := s.Backlog(chat.Slack, noon); err != nil {
			b.Fatal(err)
		}
	}
}
