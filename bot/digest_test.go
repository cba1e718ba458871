package bot_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// siteConfig is one team of one agent, asha, who works from nine to six on
// working days in London, and what the team is posted. It is polled every five
// minutes.
func siteConfig(t testing.TB, digests ...bot.Digest) bot.Config {
	d := stats.Defaults()
	for i := range d {
		d[i].Confirmed = true
	}
	rota := schedule.Rota{Team: "support", Zone: zone(t, "Europe/London"), Shifts: []schedule.Shift{{Name: "day", Days: days, Start: 9 * 60, End: 18 * 60}}}
	for i := range digests {
		digests[i].Schedule.Rota = rota
	}
	return bot.Config{
		Metrics: d, Zone: zone(t, "Asia/Kolkata"), PollInterval: 5 * time.Minute, RequestsPerSecond: 50, MaxInFlight: 32,
		Teams: []bot.Team{{
			Name: "support", Zone: rota.Zone, Channels: []chat.Address{person("#support")}, Rota: rota, Poll: true, MinCoverage: 0.8,
			Members: []bot.Person{{Addresses: []chat.Address{person("asha")}}}, Digests: digests,
		}},
	}
}

// atShiftEnd is a digest that is due when the shift ends.
func atShiftEnd() bot.Digest {
	return bot.Digest{Name: "end", Schedule: schedule.Digest{Shift: "day", CatchUp: 2 * time.Hour}}
}

// inSite runs a test in a bubble, on a site with asha linked that is opened on
// Monday 2 March 2026 at 17:00 and not started.
func inSite(t *testing.T, c bot.Config, test func(s *site)) {
	t.Helper()
	dir := t.TempDir()
	cryptotest.SetGlobalRandom(t, 1) // agents' ids fix when they are polled
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(utc(t, "2026-03-02 17:00")))
		s := newSite(t, dir, c)
		s.open()
		s.link("asha", 0)
		s.close()
		test(s)
	})
}

// calls makes the API count so many calls of asha's, none of them missed.
func (s *site) calls(n int) {
	s.t.Helper()
	if err := s.floor.Set(s.floor.Agents()[0].UserID, map[string]any{"TH": n, "MH": 0}); err != nil {
		s.t.Fatal(err)
	}
}

// expect checks what arrived last: how many messages in all, and that the last
// one says something.
func (s *site) expect(n int, says string) {
	s.t.Helper()
	got := s.arrived()
	switch {
	case len(got) != n:
		s.t.Errorf("%s: %d messages arrived, want %d: %+v", time.Now().UTC().Format(time.DateTime), len(got), n, got)
	case n > 0 && !strings.Contains(got[n-1].text, says):
		s.t.Errorf("%s: the last message lacks %q:\n%s", time.Now().UTC().Format(time.DateTime), says, got[n-1].text)
	}
}

// TestLastPoll: the poll at a shift's end is part of the shift's digest. Calls
// that came in after the poll before would else never be in any.
func TestLastPoll(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		s.calls(100)
		s.start()
		s.until("2026-03-02 17:59:59")
		s.calls(107)
		s.until("2026-03-02 18:00:10")
		s.expect(1, "Calls offered: 7")
		s.stop()
	})
}

// TestCoverageInShifts: a digest over a day or a week is about the shifts in it;
// that nobody is watched at night makes no part of it missing.
func TestCoverageInShifts(t *testing.T) {
	c := siteConfig(t, bot.Digest{Name: "two-days", Schedule: schedule.Digest{
		Days: schedule.On(time.Monday, time.Wednesday), Times: []schedule.TimeOfDay{19 * 60}, Covers: schedule.CoverSinceLast, CatchUp: 2 * time.Hour,
	}})
	inSite(t, c, func(s *site) {
		s.calls(100)
		s.start()
		s.until("2026-03-02 19:00:10")
		s.expect(1, "Partial: only ")
		s.until("2026-03-04 19:00:10")
		s.expect(2, "Mon 2 Mar 19:00 – Wed 4 Mar 19:00 Europe/London · 100% observed")
		s.stop()
	})
}

// daily is a digest that is due at times of its own.
func daily(times ...schedule.TimeOfDay) bot.Digest {
	return bot.Digest{Name: "daily", Schedule: schedule.Digest{Days: schedule.EveryDay, Times: times, CatchUp: 2 * time.Hour}}
}

// TestFirstDigest: what is owed is owed from the moment that a digest is first
// seen, so that not even its very first one is lost while the bot is down.
func TestFirstDigest(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		s.start()
		s.until("2026-03-02 17:59:50")
		s.kill()
		s.until("2026-03-02 18:00:20")
		s.start()
		s.until("2026-03-02 18:10")
		s.expect(1, "Mon 2 Mar 09:00–18:00 Europe/London")
		s.stop()
	})
}

// TestDigestNow: a digest that is due at the end of a shift is about that shift, also
// when it is asked for while the next one runs, and one about the day about the day.
func TestDigestNow(t *testing.T) {
	day := atShiftEnd()
	day.Name, day.Schedule.Covers = "whole", schedule.CoverDay
	c := siteConfig(t, atShiftEnd(), day)
	late := schedule.Shift{Name: "late", Days: days, Start: 18 * 60, End: 22 * 60}
	c.Teams[0].Rota.Shifts = append(c.Teams[0].Rota.Shifts, late)
	c.Admins = []chat.Address{person("dev")}
	inSite(t, c, func(s *site) {
		s.start()
		for _, step := range []struct{ at, end, whole string }{
			{"2026-03-02 17:30", "Mon 2 Mar 09:00–18:00", "Mon 2 Mar 00:00–17:30"},
			{"2026-03-02 18:30", "Mon 2 Mar 09:00–18:00", "Mon 2 Mar 00:00–18:30"},
		} {
			s.until(step.at)
			for name, want := range map[string]string{"support/end": step.end, "support/whole": step.whole} {
				m, err := s.bot.Preview(t.Context(), name, time.Now())
				if err != nil || !strings.Contains(m.Plain(), want) {
					t.Errorf("%s at %s: %v, no %q in\n%s", name, step.at, err, want, m.Plain())
				}
			}
		}
		s.says("dev", "floor digest now support/end", "Post support/end again?")
		ask := command("dev", "floor digest now support/end")
		ask.ID = "named"
		reply, err := s.bot.Handle(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		text := reply.Message.Blocks[0].(chat.Paragraph).Text
		if !slices.ContainsFunc(text, func(s chat.Span) bool { return s.Kind == chat.SpanChannel && s.Address == person("#support") }) {
			t.Errorf("the channel is not named as its network does: %+v", text)
		}
		s.stop()
	})
}

// TestLongDigestName: the button that posts once more fits a network, and works,
// however long the name is.
func TestLongDigestName(t *testing.T) {
	end, other := atShiftEnd(), atShiftEnd()
	end.Name, other.Name = strings.Repeat("सारांश ", 8)+"1", strings.Repeat("सारांश ", 8)+"2"
	c := siteConfig(t, other, end)
	c.Admins = []chat.Address{person("dev")}
	inSite(t, c, func(s *site) {
		s.start()
		s.until("2026-03-02 18:30")
		before := len(s.arrived())
		ask := command("dev", "floor digest now support/"+end.Name)
		ask.ID = "asked"
		reply, err := s.bot.Handle(t.Context(), ask)
		if err != nil || len(reply.Message.Actions) != 1 {
			t.Fatalf("%v: %+v", err, reply.Message)
		}
		a := reply.Message.Actions[0]
		if n := len(a.ID) + len(a.Value); n > 80 {
			t.Errorf("the button carries %d bytes: %s", n, a.Value)
		}
		s.says("dev", a.ID+" "+a.Value, "support/"+end.Name+" is on its way")
		s.until("2026-03-02 18:31")
		if n := len(s.arrived()); n != before+1 {
			t.Errorf("%d messages came of it", n-before)
		}
		s.stop()
	})
}

// TestEditedDigest: a digest whose times were edited owes nothing for the time
// before.
func TestEditedDigest(t *testing.T) {
	inSite(t, siteConfig(t, daily(17*60+5)), func(s *site) {
		s.start()
		s.until("2026-03-02 17:10")
		s.expect(1, "")
		s.config = siteConfig(t, daily(17*60+8))
		s.bot.Configure(s.config)
		s.until("2026-03-02 17:20")
		s.stop()
		s.start()
		s.until("2026-03-03 17:05")
		s.expect(1, "")
		s.until("2026-03-03 17:08:10")
		s.expect(2, "Tue 3 Mar 09:00–17:08 Europe/London")
		s.stop()
	})
}

// record puts an occurrence into the files, as an earlier life would have.
func (s *site) record(name string, nominal schedule.Civil, at time.Time) {
	s.t.Helper()
	err := s.store.Update(func(tx bot.Tx) error {
		_, err := tx.RecordOccurrence(bot.Occurrence{Team: "support", Name: name, Nominal: nominal, At: at})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// counting counts the occurrences that are recorded.
type counting struct {
	bot.Tx
	n *int
}

// RecordOccurrence records an occurrence.
func (c counting) RecordOccurrence(o bot.Occurrence) (bool, error) {
	*c.n++
	return c.Tx.RecordOccurrence(o)
}

// TestClockWasAhead: what was recorded while the clock was years ahead keeps no
// digest from running now that it is right again, and is not in the way of
// knowing what is settled.
func TestClockWasAhead(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		written := 0
		s.wrap = func(st bot.Store) bot.Store {
			return tampered{Store: st, update: func(tx bot.Tx) bot.Tx { return counting{tx, &written} }}
		}
		s.start()
		s.record("end", schedule.Civil{Date: schedule.NewDate(2036, 3, 3), Time: 18 * 60}, utc(t, "2036-03-03 18:00"))
		s.until("2026-03-03 18:10")
		s.expect(2, "Tue 3 Mar 09:00–18:00 Europe/London")
		s.stop()
		s.until("2026-03-03 21:00")
		s.start()
		written = 0
		s.until("2026-03-03 22:00")
		if written > 0 {
			t.Errorf("%d occurrences were recorded in an hour in which nothing was due", written)
		}
		s.stop()
	})
}

// TestRulesOfTheZoneChanged: a new time zone database that moves an instant makes
// nobody read a digest twice, and nothing is composed again and again for it.
func TestRulesOfTheZoneChanged(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		read := 0
		s.wrap = func(st bot.Store) bot.Store { return tampered{Store: st, history: func() { read++ }} }
		s.start()
		s.record("end", schedule.Civil{Date: schedule.NewDate(2026, 3, 2), Time: 18 * 60}, utc(t, "2026-03-02 17:00"))
		s.until("2026-03-02 19:00")
		s.expect(0, "")
		if read > 10 {
			t.Errorf("history was read %d times for a digest that was sent before", read)
		}
		s.stop()
	})
}

// refusing is a transaction in which nothing is enqueued, because the disk is
// full.
type refusing struct{ bot.Tx }

// Enqueue fails.
func (refusing) Enqueue(bot.Row) (bool, error) { return false, bot.ErrNotSaved }

// TestCoalesced: of two times that fall into one gap of the clocks one runs and
// one is skipped, in one transaction: that the disk was full in between loses
// neither.
func TestCoalesced(t *testing.T) {
	inSite(t, siteConfig(t, daily(60+15, 60+45)), func(s *site) {
		var full atomic.Bool
		full.Store(true)
		s.wrap = func(st bot.Store) bot.Store {
			return tampered{Store: st, update: func(tx bot.Tx) bot.Tx {
				if full.Load() {
					return refusing{tx}
				}
				return tx
			}}
		}
		s.until("2026-03-29 00:30")
		s.start()
		s.until("2026-03-29 01:01")
		s.expect(0, "")
		full.Store(false)
		s.until("2026-03-29 01:02")
		s.expect(1, "")
		var got []string
		for _, o := range s.occurrences("support", "daily") {
			got = append(got, o.Nominal.String()+" "+o.Skipped)
		}
		if want := "2026-03-29T01:45 coalesced"; len(got) != 1 || got[0] != want {
			t.Errorf("recorded %q, want %q", got, want)
		}
		s.stop()
	})
}

// TestStopWhileComposing: a bot that is told to stop while it composes a digest
// stops without an error, and the next one posts it.
func TestStopWhileComposing(t *testing.T) {
	inSite(t, siteConfig(t, daily(17*60+30)), func(s *site) {
		s.wrap = func(st bot.Store) bot.Store {
			return tampered{Store: st, history: func() { time.Sleep(time.Second) }}
		}
		s.start()
		s.until("2026-03-02 17:30:01")
		s.stop()
		s.expect(0, "")
		s.start()
		s.until("2026-03-02 17:31")
		s.expect(1, "")
		s.stop()
	})
}

// TestJustInTime: a digest that is composed at the very end of its catch-up is
// still attempted.
func TestJustInTime(t *testing.T) {
	inSite(t, siteConfig(t, daily(17*60+30)), func(s *site) {
		s.wrap = func(st bot.Store) bot.Store {
			return tampered{Store: st, history: func() { time.Sleep(time.Second) }}
		}
		s.start()
		s.until("2026-03-02 17:29")
		s.stop()
		s.until("2026-03-02 19:29:59")
		s.start()
		s.until("2026-03-02 19:31")
		s.expect(1, "Delayed, covers 09:00–17:30.")
		s.stop()
	})
}

// TestDamagedDay: a day of history that cannot be read makes a digest partial,
// and keeps it neither from being posted nor the bot from running.
func TestDamagedDay(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		s.calls(100)
		s.start()
		s.until("2026-03-03 17:00")
		s.stop()
		day := filepath.Join(s.dir, "floor.db-history", "2026-03-03.db")
		info, err := os.Stat(day)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(day, bytes.Repeat([]byte{0xa5}, int(info.Size())), 0o600); err != nil {
			t.Fatal(err)
		}
		s.start()
		s.until("2026-03-03 18:10")
		s.expect(2, "Partial: only 11% of the time was observed.")
		if !strings.Contains(s.log.String(), "2026-03-03.db.damaged-1") {
			t.Error("the log does not name the damaged file")
		}
		s.stop()
	})
}
