package schedule

import (
	"slices"
	"testing"
	"time"
)

// TestEveryZone runs daily schedules through every zone and every date of six
// years: one run per date, instants strictly rising, each the right one by an
// account that shares no code with Resolve.
//
// Under the race detector and with -short it tries every seventh date and those
// around transitions.
func TestEveryZone(t *testing.T) {
	times := clocks(t, "00:00", "01:30", "02:30", "23:15")
	for name := range allZones() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := zone(t, name) // a zone that does not load fails
			dates := datesToTry(z)
			for _, at := range times {
				tryDates(t, Schedule{Zone: z, Days: EveryDay, Times: []TimeOfDay{at}}, dates)
			}
		})
	}
}

func tryDates(t *testing.T, s Schedule, dates []Date) {
	var last Occurrence
	for i, d := range dates {
		want := Civil{d, s.Times[0]}
		if i == 0 || dates[i-1] != d-1 {
			last.At, _ = Resolve(Civil{d - 1, s.Times[0]}, s.Zone)
		}
		o, err := s.Next(last.At)
		if err != nil || o.Nominal != want || !o.At.After(last.At) || o.Coalesced != nil {
			t.Fatalf("after %s: %v, %v; want the run of %s", iso(last.At), o, err, want)
		}
		if at, kind := account(want, s.Zone); !o.At.Equal(at) || o.Kind != kind {
			t.Fatalf("%s runs at %s, %v; want %s, %v", want, iso(o.At), o.Kind, iso(at), kind)
		}
		last = o
	}
}

// account finds out how c stands to the clocks without ZoneBounds: it tries all
// offsets there might be, and looks for the jump by halving.
func account(c Civil, z *time.Location) (time.Time, Kind) {
	wall := c.unix()
	early, late := offset(wall-reach, z), offset(wall+reach, z)
	if early == late && offset(wall-early, z) == early && offset(wall-early-3600, z) == early {
		return time.Unix(wall-early, 0), Plain
	}
	var reads []int64
	for o := int64(reach); o >= -reach; o -= 900 {
		if offset(wall-o, z) == o {
			reads = append(reads, wall-o)
		}
	}
	switch len(reads) {
	case 0:
		before, after := wall-reach, wall+reach // reading before c, and after
		for after-before > 1 {
			if middle := before + (after-before)/2; middle+offset(middle, z) < wall {
				before = middle
			} else {
				after = middle
			}
		}
		return time.Unix(after, 0), Gap
	case 1:
		return time.Unix(reads[0], 0), Plain
	}
	return time.Unix(reads[0], 0), Overlap
}

func offset(unix int64, z *time.Location) int64 {
	_, o := time.Unix(unix, 0).In(z).Zone()
	return int64(o)
}

// datesToTry returns the dates of 2024 to 2028 and of 2040, or those that matter
// most. In 2040 every database has run out of listed transitions and goes by
// rules, and the last day of a leap year is one that ZoneBounds gets wrong.
func datesToTry(z *time.Location) []Date {
	all := !raceEnabled && !testing.Short()
	var dates []Date
	for d := NewDate(2024, 1, 1); d <= NewDate(2041, 1, 3); d++ {
		if d == NewDate(2029, 1, 1) {
			d = NewDate(2040, 1, 1)
		}
		day := int64(d) * secondsPerDay
		odd := offset(day-3*secondsPerDay, z) != offset(day+3*secondsPerDay, z)
		if all || odd || d%7 == 0 || d >= NewDate(2040, 12, 29) {
			dates = append(dates, d)
		}
	}
	return dates
}

// Asked at any minute of the days around a change, Next and Prev return the
// neighbours in the list of all runs.
func TestEveryMinute(t *testing.T) {
	for _, test := range []struct{ zone, date string }{
		{"America/New_York", "2026-03-08"}, {"America/New_York", "2026-11-01"},
		{"Europe/London", "2026-03-29"}, {"Europe/London", "2026-10-25"},
		{"America/Nuuk", "2026-03-28"}, {"Africa/Cairo", "2026-10-29"},
		{"America/St_Johns", "2010-11-06"}, // at 00:01 back to 23:01 of the day before
		{"Australia/Lord_Howe", "2026-04-05"}, {"Pacific/Apia", "2011-12-30"},
	} {
		s := Schedule{Zone: zone(t, test.zone), Days: EveryDay, Times: clocks(t, "00:00", "01:30", "02:15", "02:30", "03:00", "23:30")}
		d := date(t, test.date)
		runs := listRuns(s, d-4, d+4)
		i := 0
		end, _ := Resolve(Civil{Date: d + 2}, s.Zone)
		for at, _ := Resolve(Civil{Date: d - 1}, s.Zone); at.Before(end); at = at.Add(time.Minute) {
			for !runs[i].At.After(at) {
				i++
			}
			prev := runs[i-1]
			if prev.At.Equal(at) {
				prev = runs[i-2]
			}
			if got, err := s.Next(at); err != nil || !same(got, runs[i]) {
				t.Fatalf("%s: Next(%s) = %v, %v; want %v", test.zone, iso(at), got, err, runs[i])
			}
			if got, err := s.Prev(at); err != nil || !same(got, prev) {
				t.Fatalf("%s: Prev(%s) = %v, %v; want %v", test.zone, iso(at), got, err, prev)
			}
		}
	}
}

// Runs of a schedule with several times are what a plain list of all resolved
// times gives, and Prev, Between, Due and Upcoming agree with Next.
func TestWalksAgree(t *testing.T) {
	for _, name := range []string{"America/New_York", "Europe/London", "Africa/Cairo", "Australia/Lord_Howe", "America/Nuuk", "Antarctica/Troll", "Pacific/Apia", "Africa/Casablanca"} {
		s := Schedule{
			Zone: zone(t, name), Days: On(time.Friday, time.Saturday, time.Sunday, time.Monday),
			Times:    clocks(t, "23:30", "02:30", "00:00", "02:15", "03:00", "02:30", "01:30"),
			Holidays: []Date{date(t, "2026-03-30"), date(t, "2011-12-25")},
		}
		for _, year := range []int{2011, 2026} {
			from, to := NewDate(year, 1, 1), NewDate(year+1, 1, 3)
			walksAgree(t, s, listRuns(s, from, to))
		}
	}
}

// listRuns resolves all times of all dates, and merges those on one instant.
func listRuns(s Schedule, from, to Date) []Occurrence {
	var runs []Occurrence
	for d := from; d <= to; d++ {
		if !s.on(d) || !d.Exists(s.Zone) {
			continue
		}
		for m := range TimeOfDay(24 * 60) {
			if !slices.Contains(s.Times, m) {
				continue
			}
			at, kind := account(Civil{d, m}, s.Zone)
			if n := len(runs); n > 0 && runs[n-1].At.Equal(at) {
				runs[n-1].Coalesced = append(runs[n-1].Coalesced, Civil{d, m})
			} else {
				runs = append(runs, Occurrence{Nominal: Civil{d, m}, At: at.UTC(), Kind: kind})
			}
		}
	}
	return runs
}

func walksAgree(t *testing.T, s Schedule, want []Occurrence) {
	t.Helper()
	for i := 1; i < len(want)-1; i++ {
		last, this, next := want[i-1], want[i], want[i+1]
		if got, err := s.Next(last.At); err != nil || !same(got, this) {
			t.Fatalf("%s: Next(%s) = %v, %v; want %v", s.Zone, iso(last.At), got, err, this)
		}
		if got, err := s.Next(this.At.Add(-1)); err != nil || !same(got, this) {
			t.Fatalf("%s: Next just before %s = %v, %v; want %v", s.Zone, iso(this.At), got, err, this)
		}
		if got, err := s.Prev(next.At); err != nil || !same(got, this) {
			t.Fatalf("%s: Prev(%s) = %v, %v; want %v", s.Zone, iso(next.At), got, err, this)
		}
		if got, err := s.Prev(this.At.Add(1)); err != nil || !same(got, this) {
			t.Fatalf("%s: Prev just after %s = %v, %v; want %v", s.Zone, iso(this.At), got, err, this)
		}
		plan, err := s.Due(last.At, this.At, 0)
		if err != nil || !plan.Ready || plan.Delayed || !same(plan.Run, this) {
			t.Fatalf("%s: Due(%s) = %v, %v; want %v", s.Zone, iso(this.At), plan, err, this)
		}
	}
	i := 1
	for got := range s.Between(want[0].At, want[len(want)-1].At) {
		if !same(got, want[i]) {
			t.Fatalf("%s: Between yields %v, want %v", s.Zone, got, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%s: Between yields %d runs, want %d", s.Zone, i-1, len(want)-1)
	}
}

func same(a, b Occurrence) bool {
	return a.Nominal == b.Nominal && a.At.Equal(b.At) && a.Kind == b.Kind && slices.Equal(a.Coalesced, b.Coalesced)
}
