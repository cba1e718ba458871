package schedule

import (
	"slices"
	"testing"
	"time"
)

func TestScheduleFaults(t *testing.T) {
	for _, test := range []struct {
		s    Schedule
		want string
	}{
		{Schedule{}, "timezone: no time zone is given\ndays: no day is given; write mon, tue, wed, thu, fri, sat or sun\nat: no time of day is given; write one, such as \"13:00\""},
		{Schedule{Zone: time.UTC, Days: EveryDay}, "at: no time of day is given; write one, such as \"13:00\""},
		{Schedule{Zone: time.UTC, Times: clocks(t, "08:00")}, "days: no day is given; write mon, tue, wed, thu, fri, sat or sun"},
	} {
		if _, err := test.s.Next(time.Time{}); err == nil || err.Error() != test.want {
			t.Errorf("Next: %v, want %s", err, test.want)
		}
		if _, err := test.s.Prev(time.Time{}); err == nil || err.Error() != test.want {
			t.Errorf("Prev: %v, want %s", err, test.want)
		}
		if _, err := test.s.Due(time.Time{}, time.Time{}, 0); err == nil || err.Error() != test.want {
			t.Errorf("Due: %v, want %s", err, test.want)
		}
		if test.s.Upcoming(time.Time{}, 1) != nil || test.s.OddDates(time.Time{}) != nil {
			t.Error("a schedule with faults has runs")
		}
		for o := range test.s.Between(time.Time{}, instant(t, "2026-01-01T00:00Z")) {
			t.Errorf("a schedule with faults runs at %s", o.At)
		}
	}
}

// 02:30 and 03:00 are one run on the day that 02:30 does not exist.
func TestCoalesced(t *testing.T) {
	s := Schedule{Zone: zone(t, "America/New_York"), Days: EveryDay, Times: clocks(t, "03:00", "02:30", "02:15")}
	got := s.Upcoming(instant(t, "2026-03-08T00:00Z"), 2)
	want := []Occurrence{
		{civil(t, "2026-03-08T02:15"), instant(t, "2026-03-08T07:00Z"), Gap, []Civil{civil(t, "2026-03-08T02:30"), civil(t, "2026-03-08T03:00")}},
		{civil(t, "2026-03-09T02:15"), instant(t, "2026-03-09T06:15Z"), Plain, nil},
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %v, want %v", got, want)
	}
	// Across midnight too.
	s = Schedule{Zone: zone(t, "America/Nuuk"), Days: EveryDay, Times: clocks(t, "23:30", "00:00")}
	got = s.Upcoming(instant(t, "2026-03-28T12:00Z"), 1)
	want = []Occurrence{{civil(t, "2026-03-28T23:30"), instant(t, "2026-03-29T01:00Z"), Gap, []Civil{civil(t, "2026-03-29T00:00")}}}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestApia: 30 December 2011 does not exist in Samoa, and has no run.
func TestApia(t *testing.T) {
	s := Schedule{Zone: zone(t, "Pacific/Apia"), Days: EveryDay, Times: clocks(t, "00:00", "08:00")}
	var got []string
	for o := range s.Between(instant(t, "2011-12-28T09:00Z"), instant(t, "2012-01-01T10:00Z")) {
		got = append(got, o.Nominal.String()+" "+iso(o.At)+" "+o.Kind.String())
	}
	want := []string{
		"2011-12-28T00:00 2011-12-28T10:00Z plain",
		"2011-12-28T08:00 2011-12-28T18:00Z plain",
		"2011-12-29T00:00 2011-12-29T10:00Z plain",
		"2011-12-29T08:00 2011-12-29T18:00Z plain",
		"2011-12-31T00:00 2011-12-30T10:00Z plain",
		"2011-12-31T08:00 2011-12-30T18:00Z plain",
		"2012-01-01T00:00 2011-12-31T10:00Z plain",
		"2012-01-01T08:00 2011-12-31T18:00Z plain",
		"2012-01-02T00:00 2012-01-01T10:00Z plain",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	// Only Fridays: the walk passes over the missing one.
	s.Days = On(time.Friday)
	if o, err := s.Next(instant(t, "2011-12-24T00:00Z")); err != nil || o.Nominal != civil(t, "2012-01-06T00:00") {
		t.Errorf("the Friday after the 23rd is %v, %v", o, err)
	}
	if o, err := s.Prev(instant(t, "2012-01-05T00:00Z")); err != nil || o.Nominal != civil(t, "2011-12-23T08:00") {
		t.Errorf("the Friday before the 6th is %v, %v", o, err)
	}
}

func TestHolidays(t *testing.T) {
	s := Schedule{Zone: zone(t, "Asia/Kolkata"), Days: On(time.Monday, time.Tuesday), Times: clocks(t, "13:00")}
	for d := date(t, "2027-01-25"); d < date(t, "2027-04-12"); d += 7 { // eleven Mondays
		s.Holidays = append(s.Holidays, d)
	}
	s.Holidays = append(s.Holidays, date(t, "2027-01-26"))
	for _, test := range []struct{ after, want string }{
		{"2027-01-18T12:00Z", "2027-01-19T13:00"},
		{"2027-01-19T12:00Z", "2027-02-02T13:00"},
		{"2027-02-02T12:00Z", "2027-02-09T13:00"},
		{"2027-04-06T12:00Z", "2027-04-12T13:00"},
	} {
		if o, err := s.Next(instant(t, test.after)); err != nil || o.Nominal != civil(t, test.want) {
			t.Errorf("after %s: %v, %v; want %s", test.after, o, err, test.want)
		}
	}
	if o, err := s.Prev(instant(t, "2027-02-02T00:00Z")); err != nil || o.Nominal != civil(t, "2027-01-19T13:00") {
		t.Errorf("before 2 February: %v, %v", o, err)
	}
}

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		zone, after string
		times       []string
		want        string
	}{
		{"America/New_York", "2026-03-07T18:00Z", []string{"02:30"}, "Sun 8 Mar 03:00 EDT (02:30 does not exist)"},
		{"America/New_York", "2026-03-08T18:00Z", []string{"02:30"}, "Mon 9 Mar 02:30 EDT"},
		{"America/New_York", "2026-10-31T18:00Z", []string{"01:30"}, "Sun 1 Nov 01:30 EDT (the first of two)"},
		{"America/New_York", "2026-03-07T18:00Z", []string{"02:15", "02:30", "03:00"}, "Sun 8 Mar 03:00 EDT (02:15 does not exist; one run with 02:30 and 03:00)"},
		{"America/Nuuk", "2026-03-28T18:00Z", []string{"23:30"}, "Sun 29 Mar 00:00 -01 (Sat 28 Mar 23:30 does not exist)"},
		{"Asia/Kolkata", "2026-03-28T18:00Z", []string{"09:00"}, "Sun 29 Mar 09:00 IST"},
	} {
		z := zone(t, test.zone)
		s := Schedule{Zone: z, Days: EveryDay, Times: clocks(t, test.times...)}
		if got := s.Upcoming(instant(t, test.after), 1)[0].Describe(z); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
	missing := Occurrence{civil(t, "2011-12-30T08:00"), instant(t, "2011-12-30T10:00Z"), NoSuchDate, nil}
	if got, want := missing.Describe(zone(t, "Pacific/Apia")), "Sat 31 Dec 00:00 +14 (2011-12-30 does not exist)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOddDates(t *testing.T) {
	for _, test := range []struct {
		zone, after string
		times       []string
		want        []string
	}{
		{"America/New_York", "2026-06-01T00:00Z", []string{"02:30"}, []string{
			"02:30 does not exist on 2027-03-14; it will run at 03:00",
		}},
		{"America/New_York", "2026-06-01T00:00Z", []string{"01:30"}, []string{
			"01:30 happens twice on 2026-11-01; it will run the first time",
		}},
		{"America/New_York", "2026-01-01T00:00Z", []string{"02:30", "03:00"}, []string{
			"02:30 does not exist on 2026-03-08; it will run at 03:00",
			"03:00 on 2026-03-08 is one run with 02:30",
		}},
		{"America/Nuuk", "2026-01-01T00:00Z", []string{"23:30"}, []string{
			"23:30 does not exist on 2026-03-28; it will run at 00:00 on 2026-03-29",
			"23:30 happens twice on 2026-10-24; it will run the first time",
		}},
		{"Pacific/Apia", "2011-12-01T00:00Z", []string{"13:00"}, []string{
			"2011-12-30 does not exist in Pacific/Apia; 13:00 will not run",
		}},
		{"America/New_York", "2026-01-01T00:00Z", []string{"09:00"}, nil},
		{"Asia/Kolkata", "2026-01-01T00:00Z", []string{"02:30"}, nil},
	} {
		s := Schedule{Zone: zone(t, test.zone), Days: EveryDay, Times: clocks(t, test.times...)}
		if got := s.OddDates(instant(t, test.after)); !slices.Equal(got, test.want) {
			t.Errorf("%s %s: %q, want %q", test.zone, test.times, got, test.want)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for name, after := range map[string]string{"plain": "2026-06-10T12:00Z", "gap": "2026-03-08T01:00Z"} {
		s := Schedule{Zone: zone(b, "America/New_York"), Days: EveryDay, Times: clocks(b, "02:30", "13:00")}
		at := instant(b, after)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Next(at); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
