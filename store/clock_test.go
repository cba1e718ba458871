package store

import (
	"testing"
	"time"
)

// TestTrustedTime: a clock is trusted once it has run for a day without a leap,
// over restarts too; until then, what it said before counts.
func TestTrustedTime(t *testing.T) {
	day := 24 * time.Hour
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	tests := []struct {
		name  string
		looks []time.Duration // after noon
		want  time.Duration   // the last time that is trusted, likewise; -1: none
	}{
		{"new", []time.Duration{0}, -1},
		{"not for a day yet", []time.Duration{0, 23 * time.Hour}, -1},
		{"for a day", []time.Duration{0, 23 * time.Hour, day}, day},
		{"looked at daily", []time.Duration{0, day + time.Minute, 2*day + 2*time.Minute}, 2*day + 2*time.Minute},
		{"off for a night", []time.Duration{0, day, day + 14*time.Hour}, day + 14*time.Hour},
		{"leapt a year", []time.Duration{0, day, 366 * day}, day},
		{"a wrong clock that is set right", []time.Duration{0, day, 366 * day, 366*day + 23*time.Hour, 2 * day}, day},
		{"right again for a day", []time.Duration{0, day, 366 * day, 2 * day, 3 * day}, 3 * day},
		{"off for a year", []time.Duration{0, day, 366 * day, 367 * day}, 367 * day},
		{"leapt twice", []time.Duration{0, day, 366 * day, 366*day + 23*time.Hour, 400 * day}, day},
		{"set back after it was trusted wrongly", []time.Duration{0, day, 366 * day, 367 * day, 2 * day}, 2 * day},
		{"set back by an hour", []time.Duration{0, day, day - time.Hour}, day - time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, testConfig(t))
			var got time.Time
			for _, look := range test.looks {
				var err error
				if got, err = s.TrustedTime(at(look)); err != nil {
					t.Fatal(err)
				}
				s = reopen(t, s)
			}
			want := time.Time{}
			if test.want >= 0 {
				want = at(test.want)
			}
			if !got.Equal(want) {
				t.Errorf("trusted up to %v, want %v", got, want)
			}
		})
	}
}
