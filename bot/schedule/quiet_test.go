package schedule

import (
	"testing"
	"time"
)

// A window over a change of the clocks is entered once and left once.
func TestQuietThroughChanges(t *testing.T) {
	z := zone(t, "Europe/London")
	q := QuietHours{clock(t, "22:00"), clock(t, "01:45"), EveryDay}
	for _, test := range []struct{ from, to, enter, leave string }{
		// Spring: 01:45 does not exist, it ends when the clocks jump.
		{"2026-03-28T12:00Z", "2026-03-29T12:00Z", "2026-03-28T22:00Z", "2026-03-29T01:00Z"},
		// Autumn: it ends at the first 01:45, and does not begin again at the
		// second 01:00.
		{"2026-10-24T12:00Z", "2026-10-25T12:00Z", "2026-10-24T21:00Z", "2026-10-25T00:45Z"},
		{"2026-07-01T12:00Z", "2026-07-02T12:00Z", "2026-07-01T21:00Z", "2026-07-02T00:45Z"},
	} {
		enter, leave := instant(t, test.enter), instant(t, test.leave)
		for at := instant(t, test.from); at.Before(instant(t, test.to)); at = at.Add(time.Minute) {
			end, quiet := q.Until(at, z)
			want := !at.Before(enter) && at.Before(leave)
			if quiet != want || quiet && !end.Equal(leave) {
				t.Errorf("at %s: quiet %v until %s, want %v until %s", iso(at), quiet, iso(end), want, test.leave)
			}
		}
	}
}

func TestQuietUntil(t *testing.T) {
	for _, test := range []struct{ zone, hours, at, want string }{
		{"Asia/Kolkata", "22:00-07:00", "2026-03-09T16:29Z", ""},
		{"Asia/Kolkata", "22:00-07:00", "2026-03-09T16:30Z", "2026-03-10T01:30Z"},
		{"Asia/Kolkata", "22:00-07:00", "2026-03-10T01:29Z", "2026-03-10T01:30Z"},
		{"Asia/Kolkata", "22:00-07:00", "2026-03-10T01:30Z", ""},
		{"UTC", "12:00-13:00", "2026-03-09T12:30Z", "2026-03-09T13:00Z"},
		{"UTC", "12:00-13:00", "2026-03-09T11:59Z", ""},
		// The window belongs to the day it starts on: Friday's reaches into
		// Saturday, Saturday has none.
		{"UTC", "22:00-07:00 fri", "2026-03-14T06:59Z", "2026-03-14T07:00Z"},
		{"UTC", "22:00-07:00 fri", "2026-03-14T23:00Z", ""},
		{"UTC", "22:00-07:00 fri", "2026-03-13T06:59Z", ""},
		// The whole window is in a gap.
		{"America/New_York", "02:00-03:00", "2026-03-08T07:00Z", ""},
		{"America/New_York", "02:00-03:00", "2026-03-08T06:59Z", ""},
		// 30 December did not exist; the night went on after it.
		{"Pacific/Apia", "22:00-07:00", "2011-12-30T09:00Z", "2011-12-30T17:00Z"},
	} {
		q, err := ParseQuietHours(test.hours)
		if err != nil {
			t.Fatal(err)
		}
		end, quiet := q.Until(instant(t, test.at), zone(t, test.zone))
		if quiet != (test.want != "") || quiet && iso(end) != test.want {
			t.Errorf("%s in %s at %s: quiet %v until %s, want %q", test.hours, test.zone, test.at, quiet, iso(end), test.want)
		}
		if _, again := q.Until(end, zone(t, test.zone)); quiet && again {
			t.Errorf("%s in %s: quiet at its end", test.hours, test.zone)
		}
	}
	if _, quiet := (QuietHours{}).Until(instant(t, "2026-03-09T00:00Z"), time.UTC); quiet {
		t.Error("no quiet hours are quiet")
	}
}

func TestParseQuietHours(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"22:00-07:00", "22:00–07:00"},
		{" 22:00 – 07:00 ", "22:00–07:00"},
		{"22:00–07:00 mon-fri", "22:00–07:00 mon, tue, wed, thu, fri"},
		{"22:00-07:00 sat, sun", "22:00–07:00 sat, sun"},
		{"22:00-22:00", "quiet hours cannot end at the time they start"},
		{"25:00-07:00", `"25:00" is not a time of day`},
		{"22:00-7:00", `"7:00" is not a time of day; write 07:00`},
		{"22:00-07:00 weekdays", `"weekdays" is not a day of the week; write mon, tue, wed, thu, fri, sat or sun`},
		{"off", `"off" are not quiet hours; write them as 22:00-07:00, with days after them if not every day`},
		{"", `"" are not quiet hours; write them as 22:00-07:00, with days after them if not every day`},
	} {
		q, err := ParseQuietHours(test.in)
		if got := textOr(q.String(), err); got != test.want {
			t.Errorf("ParseQuietHours(%q): %s, want %s", test.in, got, test.want)
		}
	}
}

func TestQuietFaults(t *testing.T) {
	if got := (QuietHours{clock(t, "22:00"), clock(t, "07:00"), EveryDay}).Faults(); got != nil {
		t.Errorf("good quiet hours: %v", got)
	}
	got := (QuietHours{}).Faults()
	if len(got) != 2 || got[0].Field != "end" || got[1].Error() != "days: no day is given; write mon, tue, wed, thu, fri, sat or sun" {
		t.Errorf("no quiet hours: %v", got)
	}
}

func TestNextTimeOfDay(t *testing.T) {
	for _, test := range []struct{ zone, at, now, want string }{
		{"Asia/Kolkata", "08:00", "2026-03-09T02:29Z", "2026-03-09T02:30Z"},
		{"Asia/Kolkata", "08:00", "2026-03-09T02:30Z", "2026-03-10T02:30Z"},
		{"America/New_York", "02:30", "2026-03-08T05:00Z", "2026-03-08T07:00Z"},
		{"Europe/London", "01:30", "2026-10-24T22:00Z", "2026-10-25T00:30Z"},
	} {
		o := NextTimeOfDay(instant(t, test.now), clock(t, test.at), zone(t, test.zone))
		if iso(o.At) != test.want {
			t.Errorf("%s in %s after %s is %s, want %s", test.at, test.zone, test.now, iso(o.At), test.want)
		}
	}
}
