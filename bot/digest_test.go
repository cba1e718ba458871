package bot_test

import (
	"strings"
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
