package bot

import (
	"testing"
	"time"

	"floorwalker/bot/alert"
)

// TestSilenceHolds: a silence that is kept holds from then on, also for a poll
// that read the clock before it was made, until it ends or is ended.
func TestSilenceHolds(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 2, 10, minute, 0, 0, time.UTC) }
	made := silence{Silence: alert.Silence{Start: at(10), End: at(40)}}
	ended, endedEarly := made, made
	ended.Silence = made.Ended(at(20))
	endedEarly.Silence = made.Ended(at(5)) // by a clock that was set back
	for _, test := range []struct {
		name string
		s    silence
		now  int
		want bool
	}{
		{"before it was made", made, 9, true}, {"after", made, 11, true}, {"at its end", made, 40, false},
		{"ended", ended, 21, false}, {"ended before its start", endedEarly, 6, false},
	} {
		if got := test.s.holds(at(test.now)); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
