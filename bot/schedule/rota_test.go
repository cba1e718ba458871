package schedule

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const workdays = 1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday | 1<<time.Thursday | 1<<time.Friday

func shift(t testing.TB, name string, days Weekdays, start, end string) Shift {
	t.Helper()
	return Shift{name, days, clock(t, start), clock(t, end)}
}

// support works day and late, which overlap, and night, on Indian time.
func support(t testing.TB) Rota {
	return Rota{
		Team: "support", Zone: zone(t, "Asia/Kolkata"),
		Shifts: []Shift{
			shift(t, "late", workdays, "14:00", "22:00"),
			shift(t, "day", workdays, "09:00", "18:00"),
			shift(t, "night", workdays, "22:00", "06:00"),
		},
		Holidays: []Date{date(t, "2027-01-26")}, // a Tuesday
	}
}

// local reads 2027-01-25T09:00 in z.
func local(t testing.TB, s string, z *time.Location) time.Time {
	t.Helper()
	at, _ := Resolve(civil(t, s), z)
	return at
}

func TestOccurrences(t *testing.T) {
	r := support(t)
	for _, test := range []struct {
		from, to string
		want     []string
	}{
		{"2027-01-25T00:00", "2027-01-26T00:00", []string{ // Sunday has no night
			"Mon 25 Jan 09:00–18:00 Asia/Kolkata",
			"Mon 25 Jan 14:00–22:00 Asia/Kolkata",
			"Mon 25 Jan 22:00 – Tue 26 Jan 06:00 Asia/Kolkata",
		}},
		{"2027-01-26T00:00", "2027-01-27T09:00", []string{ // the holiday keeps Monday's night and has none of its own
			"Mon 25 Jan 22:00 – Tue 26 Jan 06:00 Asia/Kolkata",
		}},
		{"2027-01-30T00:00", "2027-01-31T00:00", []string{ // Saturday morning is Friday's
			"Fri 29 Jan 22:00 – Sat 30 Jan 06:00 Asia/Kolkata",
		}},
		{"2027-01-30T06:00", "2027-02-01T09:00", nil},
	} {
		var got []string
		for _, w := range r.Occurrences(Span{local(t, test.from, r.Zone), local(t, test.to, r.Zone)}) {
			got = append(got, w.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s to %s: %q, want %q", test.from, test.to, got, test.want)
		}
	}
}

func TestAt(t *testing.T) {
	r := support(t)
	for _, test := range []struct{ at, current, want string }{
		{"2027-01-25T08:59", "", "night 2027-01-22T22:00"}, // over the weekend
		{"2027-01-25T09:00", "day", "day 2027-01-25T09:00"},
		{"2027-01-25T13:59", "day", "day 2027-01-25T09:00"},
		{"2027-01-25T14:00", "day late", "late 2027-01-25T14:00"},
		{"2027-01-25T18:00", "late", "late 2027-01-25T14:00"},
		{"2027-01-25T22:00", "night", "night 2027-01-25T22:00"},
		{"2027-01-26T05:59", "night", "night 2027-01-25T22:00"},
		{"2027-01-26T06:00", "", "night 2027-01-25T22:00"},
		{"2027-01-26T12:00", "", "night 2027-01-25T22:00"}, // the holiday
		{"2027-01-27T09:00", "day", "day 2027-01-27T09:00"},
	} {
		at := local(t, test.at, r.Zone)
		var names []string
		for _, w := range (Rotas{r}).Current(at) {
			names = append(names, w.Shift)
		}
		current := strings.Join(names, " ")
		w, ok := Rotas{r}.At(at)
		if got := w.Shift + " " + w.From.String(); !ok || got != test.want || current != test.current {
			t.Errorf("at %s: %q of %q, want %q of %q", test.at, got, current, test.want, test.current)
		}
		if w.Team != "support" {
			t.Errorf("the shift is of team %q", w.Team)
		}
	}
	for _, none := range []Rotas{nil, {{Zone: r.Zone}}, {{Zone: r.Zone, Shifts: []Shift{{Name: "never"}}}}} {
		if w, ok := none.At(local(t, "2027-01-25T09:00", r.Zone)); ok {
			t.Errorf("no shifts have %v", w)
		}
	}
}

// A shift that is in a gap altogether does not take place; the one before counts
// as the last.
func TestShiftInGap(t *testing.T) {
	z := zone(t, "America/New_York")
	r := Rota{Zone: z, Shifts: []Shift{shift(t, "odd", EveryDay, "02:00", "03:00")}}
	at := instant(t, "2026-03-08T07:00Z")
	if w := r.Occurrences(Span{at.Add(-time.Hour), at.Add(time.Hour)}); w != nil {
		t.Errorf("worked %v", w)
	}
	if w, ok := r.LastEnded(at); !ok || w.From != civil(t, "2026-03-07T02:00") {
		t.Errorf("the last is %v, %v", w, ok)
	}
}

// The agent of two teams works in the union of their shifts.
func TestUnion(t *testing.T) {
	london := Rota{Team: "sales", Zone: zone(t, "Europe/London"), Shifts: []Shift{shift(t, "day", workdays, "08:00", "12:00")}}
	rs := Rotas{support(t), london}
	day := Span{instant(t, "2027-01-25T00:00Z"), instant(t, "2027-01-26T12:00Z")}
	got := rs.Union(day)
	want := []Span{
		{instant(t, "2027-01-25T03:30Z"), instant(t, "2027-01-26T00:30Z")}, // support from morning to night, sales within
		{instant(t, "2027-01-26T08:00Z"), instant(t, "2027-01-26T12:00Z")}, // support's holiday is not sales'
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	clipped := rs.Union(Span{instant(t, "2027-01-25T04:00Z"), instant(t, "2027-01-25T05:00Z")})
	if want := []Span{{instant(t, "2027-01-25T04:00Z"), instant(t, "2027-01-25T05:00Z")}}; !slices.Equal(clipped, want) {
		t.Errorf("got %v, want %v", clipped, want)
	}
	if w, ok := rs.At(instant(t, "2027-01-25T09:00Z")); !ok || w.Team != "support" || w.Shift != "late" {
		t.Errorf("at 09:00Z the shift is %v", w) // late began at 08:30Z, sales at 08:00Z
	}
	for _, rs := range []Rotas{rs, {rs[1], rs[0]}} {
		if w, ok := rs.At(instant(t, "2027-01-26T13:00Z")); !ok || w.Team != "sales" {
			t.Errorf("on support's holiday the last shift is %v", w)
		}
	}
}

func TestMerge(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2027, 1, 25, hour, 0, 0, 0, time.UTC) }
	got := merge([]Span{{at(12), at(13)}, {at(9), at(11)}, {at(8), at(12)}, {at(20), at(21)}, {at(14), at(15)}})
	want := []Span{{at(8), at(13)}, {at(14), at(15)}, {at(20), at(21)}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Where 30 December did not exist, the night before it ended when it would have
// begun, and no shift started on it.
func TestShiftsAroundMissingDate(t *testing.T) {
	r := Rota{Zone: zone(t, "Pacific/Apia"), Shifts: []Shift{
		shift(t, "night", EveryDay, "22:00", "06:00"),
		shift(t, "evening", EveryDay, "16:00", "00:00"),
		shift(t, "whole day", EveryDay, "00:00", "00:00"),
	}}
	span := Span{instant(t, "2011-12-30T00:00Z"), instant(t, "2011-12-31T04:00Z")}
	var worked []string
	for _, w := range r.Occurrences(span) {
		worked = append(worked, w.Shift+" "+w.From.String()+" "+hours(w.Length()))
	}
	want := []string{
		"whole day 2011-12-29T00:00 24 h",
		"evening 2011-12-29T16:00 8 h",
		"night 2011-12-29T22:00 2 h",
		"whole day 2011-12-31T00:00 24 h",
		"evening 2011-12-31T16:00 8 h",
	}
	if !slices.Equal(worked, want) {
		t.Errorf("worked %q, want %q", worked, want)
	}
	for _, test := range []struct {
		shift   Shift
		ends    []string
		skipped string
	}{
		{r.Shifts[0], []string{"2011-12-29T06:00", "2011-12-30T06:00", "2012-01-01T06:00"}, "2011-12-31T06:00"},
		{r.Shifts[1], []string{"2011-12-29T00:00", "2011-12-30T00:00", "2012-01-01T00:00"}, "2011-12-31T00:00"},
	} {
		ends := r.Ends(test.shift)
		var got []string
		for _, o := range ends.Upcoming(instant(t, "2011-12-28T18:00Z"), 3) {
			got = append(got, o.Nominal.String())
		}
		if !slices.Equal(got, test.ends) {
			t.Errorf("%s ends at %q, want %q", test.shift.Name, got, test.ends)
		}
		plan, err := ends.Due(instant(t, "2011-12-29T18:00Z"), instant(t, "2011-12-31T09:00Z"), 100*time.Hour)
		if err != nil || !plan.Ready || plan.Run.Nominal != civil(t, test.ends[1]) ||
			len(plan.Skipped) != 1 || plan.Skipped[0].Nominal != civil(t, test.skipped) || plan.Skipped[0].Reason != MissingDate {
			t.Errorf("%s: plan %+v, %v; want %s skipped", test.shift.Name, plan, err, test.skipped)
		}
	}
}

func TestShiftFaults(t *testing.T) {
	for _, test := range []struct {
		s    Shift
		want []Fault
	}{
		{shift(t, "day", workdays, "09:00", "18:00"), nil},
		{shift(t, "around the clock", EveryDay, "00:00", "00:00"), nil},
		{Shift{}, []Fault{
			{"name", "the shift has no name"},
			{"days", "no day is given; write mon, tue, wed, thu, fri, sat or sun"},
		}},
	} {
		if got := test.s.Faults(); !slices.Equal(got, test.want) {
			t.Errorf("%v: %q, want %q", test.s, got, test.want)
		}
	}
}

func TestWindowLabel(t *testing.T) {
	for _, test := range []struct{ zone, shift, from, to, want string }{
		{"America/New_York", "", "2026-03-08T00:00", "2026-03-09T00:00", "23 h day, clocks went forward"},
		{"America/New_York", "", "2026-03-07T18:00", "2026-03-08T18:00", "23 h day, clocks went forward"},
		{"America/New_York", "", "2026-11-01T00:00", "2026-11-02T00:00", "25 h day, clocks went back"},
		{"America/New_York", "", "2026-11-02T00:00", "2026-11-03T00:00", ""},
		{"America/New_York", "", "2026-03-08T00:00", "2026-03-08T13:00", "12 h window, clocks went forward"},
		{"America/New_York", "", "2026-03-06T18:00", "2026-03-09T18:00", "71 h window, clocks went forward"},
		{"Europe/London", "night", "2026-03-28T22:00", "2026-03-29T06:00", "7 h shift, clocks went forward"},
		{"Europe/London", "night", "2026-10-24T22:00", "2026-10-25T06:00", "9 h shift, clocks went back"},
		{"Europe/London", "day", "2026-10-25T09:00", "2026-10-25T18:00", ""},
		{"Australia/Lord_Howe", "night", "2026-10-03T22:00", "2026-10-04T06:00", "7 h 30 min shift, clocks went forward"},
		{"Pacific/Apia", "", "2011-12-29T00:00", "2012-01-01T00:00", "48 h window, clocks went forward"},
	} {
		w := newWindow(civil(t, test.from), civil(t, test.to), zone(t, test.zone))
		w.Shift = test.shift
		if got := w.Label(); got != test.want {
			t.Errorf("%s: %q, want %q", w, got, test.want)
		}
	}
}

func BenchmarkCurrent(b *testing.B) {
	rs := Rotas{support(b)}
	at := instant(b, "2027-01-25T09:00Z")
	b.ReportAllocs()
	for b.Loop() {
		if len(rs.Current(at)) != 2 {
			b.Fatal("not two shifts")
		}
	}
}
