package schedule

import (
	"slices"
	"testing"
	"time"
)

func TestDigestDue(t *testing.T) {
	r := support(t)
	for _, test := range []struct {
		name  string
		d     Digest
		after string
		want  []string
	}{
		{"a shift's end", Digest{Rota: r, Shift: "day"}, "2027-01-22T00:00",
			[]string{"2027-01-22T18:00", "2027-01-25T18:00", "2027-01-27T18:00"}},
		{"a night's end", Digest{Rota: r, Shift: "night"}, "2027-01-22T00:00",
			[]string{"2027-01-22T06:00", "2027-01-23T06:00", "2027-01-26T06:00", "2027-01-28T06:00"}},
		{"own times", Digest{Rota: r, Days: workdays, Times: clocks(t, "13:00")}, "2027-01-22T00:00",
			[]string{"2027-01-22T13:00", "2027-01-25T13:00", "2027-01-27T13:00"}},
	} {
		var got []string
		for _, o := range test.d.Schedule().Upcoming(local(t, test.after, r.Zone), len(test.want)) {
			got = append(got, o.Nominal.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestDigestWindow(t *testing.T) {
	r := support(t)
	own := func(c Cover, times ...string) Digest {
		return Digest{Rota: r, Days: workdays, Times: clocks(t, times...), Covers: c}
	}
	newYork := Rota{Team: "nyc", Zone: zone(t, "America/New_York"), Shifts: []Shift{shift(t, "night", EveryDay, "22:00", "06:00")}}
	idle := Rota{Team: "idle", Zone: r.Zone}
	for _, test := range []struct {
		name    string
		d       Digest
		nominal string
		want    string
		shift   string
	}{
		{"the shift that ends", Digest{Rota: r, Shift: "day"}, "2027-01-25T18:00", "Mon 25 Jan 09:00–18:00 Asia/Kolkata", "day"},
		{"the night that ends", Digest{Rota: r, Shift: "night"}, "2027-01-26T06:00", "Mon 25 Jan 22:00 – Tue 26 Jan 06:00 Asia/Kolkata", "night"},
		{"a night an hour short", Digest{Rota: newYork, Shift: "night"}, "2026-03-08T06:00", "Sat 7 Mar 22:00 – Sun 8 Mar 06:00 America/New_York", "night"},
		{"the day of a shift's end", Digest{Rota: r, Shift: "late", Covers: CoverDay}, "2027-01-25T22:00", "Mon 25 Jan 00:00–22:00 Asia/Kolkata", ""},
		{"between a shift's ends", Digest{Rota: r, Shift: "day", Covers: CoverSinceLast}, "2027-01-27T18:00", "Mon 25 Jan 18:00 – Wed 27 Jan 18:00 Asia/Kolkata", ""},
		{"the running shift so far", own(CoverShift, "13:00"), "2027-01-25T13:00", "Mon 25 Jan 09:00–13:00 Asia/Kolkata", "day"},
		{"the one that began last", own(CoverShift, "15:00"), "2027-01-25T15:00", "Mon 25 Jan 14:00–15:00 Asia/Kolkata", "late"},
		{"not the one that begins now", own(CoverShift, "14:00"), "2027-01-25T14:00", "Mon 25 Jan 09:00–14:00 Asia/Kolkata", "day"},
		{"the one that ends now", own(CoverShift, "22:00"), "2027-01-25T22:00", "Mon 25 Jan 14:00–22:00 Asia/Kolkata", "late"},
		{"the last ended", own(CoverShift, "07:00"), "2027-01-25T07:00", "Fri 22 Jan 22:00 – Sat 23 Jan 06:00 Asia/Kolkata", "night"},
		{"a team without shifts", Digest{Rota: idle, Days: EveryDay, Times: clocks(t, "13:00")}, "2027-01-25T13:00", "Mon 25 Jan 00:00–13:00 Asia/Kolkata", ""},
		{"the day so far", own(CoverDay, "13:00"), "2027-01-25T13:00", "Mon 25 Jan 00:00–13:00 Asia/Kolkata", ""},
		{"the day that ends", own(CoverDay, "00:00"), "2027-01-25T00:00", "Sun 24 Jan 00:00 – Mon 25 Jan 00:00 Asia/Kolkata", ""},
		{"since the same day", own(CoverSinceLast, "09:00", "13:00"), "2027-01-25T13:00", "Mon 25 Jan 09:00–13:00 Asia/Kolkata", ""},
		{"since before the weekend", own(CoverSinceLast, "09:00", "13:00"), "2027-01-25T09:00", "Fri 22 Jan 13:00 – Mon 25 Jan 09:00 Asia/Kolkata", ""},
		{"since before the holiday", own(CoverSinceLast, "13:00"), "2027-01-27T13:00", "Mon 25 Jan 13:00 – Wed 27 Jan 13:00 Asia/Kolkata", ""},
	} {
		w, err := test.d.Window(civil(t, test.nominal))
		if err != nil || w.String() != test.want || w.Shift != test.shift || w.Team != test.d.Rota.Team {
			t.Errorf("%s: %s %q of %q, %v; want %s %q", test.name, w, w.Shift, w.Team, err, test.want, test.shift)
		}
		from, _ := Resolve(w.From, w.Zone)
		to, _ := Resolve(w.To, w.Zone)
		if !w.Start.Equal(from) || !w.End.Equal(to) {
			t.Errorf("%s: instants %v, want %s and %s", test.name, w.Span, from, to)
		}
	}
	if w, err := (Digest{Rota: r}).Window(civil(t, "2027-01-25T13:00")); err == nil {
		t.Errorf("a digest that is never due covers %v", w)
	}
}

// The day before 31 December 2011 in Samoa is the 29th.
func TestDayAfterMissingDate(t *testing.T) {
	d := Digest{Rota: Rota{Zone: zone(t, "Pacific/Apia")}, Days: EveryDay, Times: clocks(t, "00:00"), Covers: CoverDay}
	w, err := d.Window(civil(t, "2011-12-31T00:00"))
	if err != nil || w.From != civil(t, "2011-12-29T00:00") || w.Length() != 24*time.Hour {
		t.Errorf("%s, %s, %v", w, w.Length(), err)
	}
}

// Windows of since_last lie end to end through a year of DST, whatever the times.
func TestSinceLastIsSeamless(t *testing.T) {
	for _, name := range []string{"America/New_York", "Europe/London", "Africa/Cairo", "America/Nuuk"} {
		d := Digest{
			Rota: Rota{Zone: zone(t, name), Holidays: []Date{date(t, "2026-03-09")}},
			Days: EveryDay, Times: clocks(t, "00:00", "01:30", "02:15", "02:30", "23:30"), Covers: CoverSinceLast,
		}
		end := instant(t, "2026-01-01T00:00Z")
		first, err := d.Schedule().Next(end)
		if err != nil {
			t.Fatal(err)
		}
		end = first.At
		for o := range d.Schedule().Between(first.At, instant(t, "2027-01-01T00:00Z")) {
			w, err := d.Window(o.Nominal)
			if err != nil || !w.Start.Equal(end) || !w.End.Equal(o.At) || w.Empty() {
				t.Fatalf("%s: the digest of %s covers %v, %v; want it to begin at %s", name, o.Nominal, w.Span, err, iso(end))
			}
			end = w.End
		}
	}
}

func TestDigestFaults(t *testing.T) {
	r := support(t)
	const due = "a digest is due at a shift's end, or at a time"
	for _, test := range []struct {
		d    Digest
		want []Fault
	}{
		{Digest{Rota: r, Shift: "day"}, nil},
		{Digest{Rota: r, Days: EveryDay, Times: clocks(t, "13:00")}, nil},
		{Digest{Rota: r}, []Fault{{"shift", "neither a shift nor days and at are given; " + due}}},
		{Digest{Rota: r, Shift: "day", Days: EveryDay}, []Fault{{"shift", "both a shift and days or at are given; " + due}}},
		{Digest{Rota: r, Shift: "dya"}, []Fault{{"shift", `no shift is named "dya"; the team has late, day, night`}}},
		{Digest{Rota: Rota{Zone: r.Zone}, Shift: "day"}, []Fault{{"shift", `no shift is named "day"; the team has none`}}},
		{Digest{Rota: r, Days: EveryDay}, []Fault{{"at", "no time of day is given; write one, such as \"13:00\""}}},
		{Digest{Rota: r, Shift: "day", CatchUp: -1}, []Fault{{"catch_up", "a digest cannot be due before its time; write 0s or more"}}},
	} {
		if got := test.d.Faults(); !slices.Equal(got, test.want) {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestParseCover(t *testing.T) {
	for _, c := range []Cover{CoverShift, CoverDay, CoverSinceLast} {
		if got, err := ParseCover(c.String()); err != nil || got != c {
			t.Errorf("%s reads as %s, %v", c, got, err)
		}
	}
	if _, err := ParseCover("week"); err == nil || err.Error() != `"week" is not a window; write shift, day or since_last` {
		t.Errorf("week: %v", err)
	}
}

// A digest that was missed runs by its own catch-up time.
func TestDigestCatchUp(t *testing.T) {
	r := support(t)
	last, now := local(t, "2027-01-22T18:00", r.Zone), local(t, "2027-01-25T19:00", r.Zone)
	for catchUp, want := range map[time.Duration]bool{2 * time.Hour: true, time.Hour: false, 0: false} {
		plan, err := Digest{Rota: r, Shift: "day", CatchUp: catchUp}.Due(last, now)
		if err != nil || plan.Ready != want || plan.Delayed != want || len(plan.Skipped) == 0 == !want {
			t.Errorf("catch-up %s: %+v, %v; want run %v", catchUp, plan, err, want)
		}
	}
}
