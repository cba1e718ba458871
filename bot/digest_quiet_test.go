package bot_test

import (
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// TestDigestAfterQuietHours: a summary for supervisors waits until their quiet
// hours are over, says what it would have said and what came late, and is not given
// up meanwhile. One for a channel does not wait.
func TestDigestAfterQuietHours(t *testing.T) {
	mine := atShiftEnd()
	mine.Name, mine.ToSupervisors = "mine", true
	c := siteConfig(t, atShiftEnd(), mine)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	c.Teams[0].QuietHours = schedule.QuietHours{Start: 17*60 + 30, End: 22 * 60, Days: schedule.EveryDay}
	inSite(t, c, func(s *site) {
		s.calls(100)
		s.start()
		s.until("2026-03-02 17:58")
		s.calls(107)
		s.fault("*", "html502")
		s.until("2026-03-02 18:03:30")
		s.fault("*", "")
		s.until("2026-03-02 21:59")
		var came []time.Time
		for _, p := range s.arrived() {
			if p.to == person("meera") {
				t.Errorf("in quiet hours meera got %s", p.text)
			}
		}
		s.until("2026-03-02 22:05")
		for _, p := range s.arrived() {
			if p.to == person("meera") {
				came = append(came, p.at)
				if !strings.Contains(p.text, "Calls offered: 7") {
					t.Errorf("late data is lacking:\n%s", p.text)
				}
			}
		}
		if len(came) != 1 {
			t.Errorf("meera got %d summaries, at %v; want one at 22:00", len(came), came)
		}
		for row, err := range s.store.Rows(bot.RowDead) {
			t.Errorf("%s was given up: %s, %v", row.Key, row.Reason, err)
		}
		s.stop()
	})
}

// TestQuietMovesDigests: a summary that waits for the end of quiet hours waits for
// the end that they have now, and is not given up before; when they are off, it
// comes.
func TestQuietMovesDigests(t *testing.T) {
	for words, want := range map[string]string{"quiet 17:00-23:30 mon-sun": "2026-03-02 23:30", "quiet off": "2026-03-02 18:30"} {
		mine := atShiftEnd()
		mine.ToSupervisors, mine.Schedule.CatchUp = true, time.Hour
		c := siteConfig(t, mine)
		c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
		c.Teams[0].QuietHours = schedule.QuietHours{Start: 17*60 + 30, End: 22 * 60, Days: schedule.EveryDay}
		inSite(t, c, func(s *site) {
			s.start()
			s.until("2026-03-02 18:30")
			s.says("meera", "floor "+words, "")
			s.until("2026-03-03 02:00")
			got := s.arrived()
			if at := utc(t, want); len(got) != 1 || got[0].at.Before(at) || got[0].at.After(at.Add(time.Minute)) {
				t.Errorf("%s: %d messages: %+v; want one at %s", words, len(got), got, want)
			}
			s.stop()
		})
	}
}
