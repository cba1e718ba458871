package bot_test

import (
	"strings"
	"testing"
)

// TestUsual: a digest compares with the median of the same shift on the same
// weekday, once there are three, and not with another day that was watched in
// between. That the clocks have changed since makes it no other shift.
func TestUsual(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		for _, day := range []struct {
			date          string
			before, after int // calls that the API counts
			says, change  string
		}{
			{"2026-03-09", 100, 150, "50 calls answered, 0 missed (0%).", "Calls offered: 50\n"},
			{"2026-03-11", 200, 201, "1 call answered, 0 missed (0%).", "Calls offered: 1\n"},
			{"2026-03-16", 300, 340, "40 calls answered, 0 missed (0%).", "Calls offered: 40\n"},
			{"2026-03-23", 400, 460, "60 calls answered, 0 missed (0%).", "Calls offered: 60\n"},
			{"2026-03-30", 500, 575, "75 calls answered, 0 missed (0%). 50% more than on a usual Monday.", "Calls offered: 75 (▲ 25)\n"},
		} {
			before := len(s.arrived())
			s.until(day.date + " 07:58")
			s.calls(day.before)
			s.start()
			s.until(day.date + " 12:00")
			s.calls(day.after)
			s.until(day.date + " 18:01")
			s.expect(before+1, day.says)
			if got := s.arrived(); len(got) > 0 && !strings.Contains(got[len(got)-1].text, day.change) {
				t.Errorf("%s lacks %q:\n%s", day.date, day.change, got[len(got)-1].text)
			}
			s.stop()
		}
	})
}
