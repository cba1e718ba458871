package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/schedule"
	"floorwalker/store"
)

// TestStall stops the real program for longer than a rule waits, as a machine that
// sleeps does, while an agent is beyond the limit. The time in which nobody looked
// proves two polls at most: the alert begins later than that, and once.
func TestStall(t *testing.T) {
	s := newKillSite(t, 1)
	s.warmUp()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := s.start()
	s.stir(true)
	w := s.watched[1]
	if !s.waitFor(ctx, s.askedAgain(2)) {
		t.Fatalf("nobody is watched\n%s", s.lastLog())
	}
	w.missed = 20
	s.stir(true)
	if !s.waitFor(ctx, s.askedAgain(1)) {
		t.Fatal("nobody is watched any more")
	}
	s.stop(cmd, 4*time.Second)
	c := s.office(ctx)
	if c == nil || !s.waitFor(ctx, func() bool { return s.promised(ctx, c) }) {
		t.Fatalf("the alert is not told\n%s", s.lastLog())
	}
	c.close()
	s.end(cmd, syscall.SIGTERM)
	s.open(func(st *store.Store) { s.judgeStall(st, w) })
}

// waitFor waits until something is so; false if ctx ends before.
func (s *killSite) waitFor(ctx context.Context, so func() bool) bool {
	for ctx.Err() == nil {
		if so() {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// promised reports whether the alert that needs time is in the outbox: with those
// that need none, it is the third of the agent.
func (s *killSite) promised(ctx context.Context, c *clerk) bool {
	table, err := ask[outboxTable](ctx, c, "outbox", outboxArgs{All: true})
	if err != nil {
		s.t.Error(err)
		return true
	}
	episodes := map[string]bool{}
	for _, r := range table.Rows {
		if id, _, _, ok := alert.ParseKey(r.Key); ok {
			episodes[id] = true
		}
	}
	return len(episodes) == 3
}

// judgeStall compares when the alert began with the polls that showed the agent
// beyond the limit: half of the time must be theirs.
func (s *killSite) judgeStall(st *store.Store, w *watchedAgent) {
	s.t.Helper()
	var standing standingForm
	err := st.View(func(tx bot.Tx) (err error) {
		standing, _, err = bot.ReadRecord[standingForm](tx, bot.RecordAlerts, string(w.id))
		return err
	})
	e := standing.Rules["missed-long"].Episode
	if err != nil || e == nil {
		s.t.Fatalf("no alert is open: %v, %+v", err, standing)
	}
	polls := 0
	span := schedule.Span{Start: e.Began.Add(-time.Minute), End: e.Began.Add(time.Second)}
	for sample, err := range st.History(w.id, span) {
		if err != nil {
			s.t.Fatal(err)
		}
		for _, v := range sample.Values {
			if v.Key == "MH" && v.N >= 20 && !sample.Tick.After(e.Began) {
				polls++
			}
		}
	}
	if polls < 3 {
		s.t.Errorf("the alert began with poll %d beyond the limit: what nobody has seen was counted for it", polls)
	}
	if n := strings.Count(s.lastLog(), "panic"); n > 0 {
		s.t.Errorf("%d panics", n)
	}
	s.t.Logf("the alert began with poll %d beyond the limit", polls)
}
