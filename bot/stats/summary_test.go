package stats_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"floorwalker/bot/stats"
)

// hoursOf writes the hours of a summary: "09:00 ≈3/1 1h0m0s", offered/missed and
// observed.
func hoursOf(s stats.Summary, zone *time.Location) string {
	var all []string
	for _, h := range s.Hours {
		all = append(all, fmt.Sprintf("%s %s/%s %v", h.Start.In(zone).Format("15:04"), show(h.Offered), show(h.Missed), h.Observed))
	}
	return strings.Join(all, ", ")
}

// TestHours: what was counted lies in the hour of the sample that shows it.
func TestHours(t *testing.T) {
	india := time.FixedZone("+05:30", 19800)
	for _, test := range []struct {
		name     string
		zone     *time.Location
		from, to string
		polls    []string
		want     string
	}{
		{"within the hours", time.UTC, "09:30", "11:00",
			[]string{"09:30 TH=0 MH=0", "09:31 TH=2 MH=1", "10:00 TH=2 MH=1", "10:01 TH=5 MH=1", "11:00 TH=5 MH=1"},
			"09:30 2/1 3m0s, 10:00 3/0 3m0s"},
		{"across the end of one", time.UTC, "09:00", "11:00",
			[]string{"09:59 TH=0 MH=0", "09:59:30 TH=0 MH=0", "10:00:30 TH=1 MH=1", "10:01:30 TH=2 MH=1"},
			"09:00 ≈0/≈0 2m0s, 10:00 ≈2/≈1 2m30s"},
		{"nothing across the end of one", time.UTC, "09:00", "11:00",
			[]string{"09:59:30 TH=1 MH=0", "10:00:30 TH=1 MH=0", "10:01:30 TH=2 MH=0"},
			"09:00 0/0 1m30s, 10:00 1/0 2m30s"},
		{"a gap over three", time.UTC, "09:00", "12:00",
			[]string{"09:30 TH=0 MH=0", "11:30 TH=8 MH=4", "11:31 TH=9 MH=4"},
			"09:00 ≈2/≈1 2m0s, 10:00 ≈4/≈2 0s, 11:00 ≈3/≈1 3m0s"},
		{"a gap in which nothing happened", time.UTC, "09:00", "12:00",
			[]string{"09:30 TH=3 MH=0", "11:30 TH=3 MH=0"},
			"09:00 0/0 2m0s, 10:00 0/0 0s, 11:00 0/0 2m0s"},
		{"hours that nobody saw", time.UTC, "09:00", "12:00",
			[]string{"10:30 TH=3 MH=0", "10:31 TH=4 MH=0"},
			"09:00 –/– 0s, 10:00 1/0 3m0s, 11:00 –/– 0s"},
		{"what is taken back was the newest", time.UTC, "09:00", "12:00",
			[]string{"09:58 TH=0 MH=0", "09:59 TH=3 MH=1", "10:00 TH=3 MH=1", "10:01 TH=5 MH=1", "10:02 TH=2 MH=1"},
			"09:00 ≈2/≈1 3m0s, 10:00 ≈0/≈0 3m0s, 11:00 –/– 0s"},
		{"what is taken back, and found in no hour, comes off later ones", time.UTC, "09:00", "11:00",
			[]string{"09:00 TH=5 MH=3", "09:01 TH=3 MH=2", "10:00 TH=3 MH=2", "10:01 TH=6 MH=3"},
			"09:00 ≈0/≈0 3m0s, 10:00 1/0 2m0s"},
		{"hours of a zone with a half", india, "09:00", "10:00",
			[]string{"09:00 TH=0 MH=0", "09:01 TH=1 MH=0", "09:30 TH=1 MH=0", "09:31 TH=2 MH=0"},
			"14:30 1/0 3m0s, 15:00 1/0 2m0s"},
	} {
		series := series()
		series.Hours = test.zone
		s := series.Summarize(polls(test.polls...), at(test.from), at(test.to))
		expect(t, test.name+": hours", hoursOf(s, test.zone), test.want)
	}
	long := series().Summarize(polls("09:00 TH=0", "09:01 TH=1"), at("00:00"), at("00:00").AddDate(0, 0, 9))
	if len(long.Hours) != 0 || long.Totals["offered"].Value != 1 {
		t.Errorf("nine days have %d hours, and %v offered", len(long.Hours), long.Totals["offered"])
	}
}

// TestHoursOfClockChanges: the day the clocks change has 23 or 25 hours, all of
// an hour's length.
func TestHoursOfClockChanges(t *testing.T) {
	for _, test := range []struct {
		zone, day string
		want      int
	}{
		{"Europe/Berlin", "2026-03-29", 23},
		{"Europe/Berlin", "2026-10-25", 25},
		{"Australia/Lord_Howe", "2026-04-05", 25}, // 24.5 hours
		{"Asia/Kathmandu", "2026-04-05", 24},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		from, _ := time.ParseInLocation(time.DateOnly, test.day, zone)
		to := from.AddDate(0, 0, 1)
		s := stats.Series{Hours: zone}.Summarize(nil, from, to)
		if len(s.Hours) != test.want {
			t.Errorf("%s has %d hours in %s, want %d", test.day, len(s.Hours), test.zone, test.want)
		}
		for i, h := range s.Hours {
			end := to
			if i+1 < len(s.Hours) {
				end = s.Hours[i+1].Start
			}
			if d := end.Sub(h.Start); h.Start.In(zone).Minute()%30 != 0 || d > time.Hour || d < 30*time.Minute {
				t.Errorf("%s in %s: an hour from %v of %v", test.day, test.zone, h.Start, d)
			}
		}
	}
}

// TestCoverage: what lies within a poll of a sample is observed.
func TestCoverage(t *testing.T) {
	for _, test := range []struct {
		name  string
		every time.Duration
		polls []string
		want  time.Duration
	}{
		{"whole", time.Minute, []string{"09:01 TH=1", "09:02 TH=1", "09:03 TH=1", "09:04 TH=1", "09:05 TH=1"}, 6 * time.Minute},
		{"one lost", time.Minute, []string{"09:01 TH=1", "09:03 TH=1", "09:05 TH=1"}, 6 * time.Minute},
		{"two lost", time.Minute, []string{"09:01 TH=1", "09:04 TH=1", "09:06 TH=1"}, 5 * time.Minute},
		{"one in the middle", time.Minute, []string{"09:03 TH=1"}, 2 * time.Minute},
		{"polled less often", 2 * time.Minute, []string{"09:01 TH=1", "09:04 TH=1"}, 6 * time.Minute},
		{"outside", time.Minute, []string{"08:59 TH=1", "09:07 TH=1"}, 0},
		{"dropped", time.Minute, []string{"09:01 TH=1 date=09:01", "09:03 TH=1 date=09:00", "09:05 TH=1 date=09:05"}, 4 * time.Minute},
	} {
		series := series()
		series.Every = test.every
		s := series.Summarize(polls(test.polls...), at("09:00"), at("09:06"))
		if s.Observed != test.want || s.Coverage() != test.want.Minutes()/6 {
			t.Errorf("%s: observed %v of 6m, coverage %v; want %v", test.name, s.Observed, s.Coverage(), test.want)
		}
	}
	s := series().Summarize(polls("09:03 TH=1", "09:04 TH=1"), at("09:00"), at("09:06"))
	if !s.Late(time.Minute) || s.Late(90*time.Second) || !s.First.Equal(at("09:03")) || !s.Last.Equal(at("09:04")) {
		t.Errorf("late %v, from %v to %v", s.Late(time.Minute), s.First, s.Last)
	}
	if (stats.Summary{}).Coverage() != 0 || (stats.Summary{}).Late(0) {
		t.Error("an empty summary is covered, or late")
	}
}

// TestLoginOfSummary: it is the login in which the window ends, whatever comes
// after it.
func TestLoginOfSummary(t *testing.T) {
	for _, test := range []struct {
		polls []string
		want  time.Time
	}{
		{[]string{"09:01 TH=1 login=-1_09:00", "09:02 TH=1 login=-1_09:00"}, at("-1 09:00")},
		{[]string{"09:01 TH=1 login=-1_09:00", "09:03 TH=1 login=09:02"}, at("09:02")},
		{[]string{"09:01 TH=1 login=08:00", "09:02 TH=1"}, at("08:00")},
		{[]string{"09:01 TH=1 login=08:00", "09:02 out"}, time.Time{}},
		{[]string{"08:59 TH=1 login=08:00", "09:07 TH=1 login=09:05"}, time.Time{}},
		{[]string{"09:05 TH=1 login=08:00", "09:07 TH=1 login=09:05"}, at("08:00")},
		{[]string{"09:01 TH=1"}, time.Time{}},
	} {
		if s := series().Summarize(polls(test.polls...), at("09:00"), at("09:06")); !s.Login.Equal(test.want) {
			t.Errorf("%v: %v, want %v", test.polls, s.Login, test.want)
		}
	}
}

// TestCombine: a team of three, one of whom lacks a key and one has no samples.
func TestCombine(t *testing.T) {
	d, s := confirmed(), series()
	from, to := at("09:00"), at("10:00")
	a := s.Summarize(polls("09:00 TH=0 MH=0 aTT=0", "09:01 TH=10 MH=2 aTT=100", "10:00 TH=10 MH=2 aTT=100"), from, to)
	b := s.Summarize(polls("09:30 TH=0 MH=0 aTT=0", "09:31 TH=30 MH=6 aTT=200", "10:00 TH=30 MH=6 aTT=200"), from, to)
	keyless := s.Summarize(polls("09:00 TH=0", "09:02 TH=7", "10:00 TH=7"), from, to)
	none := s.Summarize(nil, from, to)

	team := d.Combine([]stats.Summary{a, b})
	for name, want := range map[string]string{"offered": "40", "missed": "8", "answered": "32", "miss_rate": "0.2", "calls_per_hour": "960", "avg_talk": "≈175", "hold": "–"} {
		expect(t, name, show(team.Totals[name]), want)
	}
	if team.Agents != 2 || team.Reporting != 2 || team.Polled != 6 || !team.From.Equal(from) || !team.To.Equal(to) || !team.First.Equal(from) || !team.Last.Equal(to) || !team.LastCall.Equal(at("09:31")) {
		t.Errorf("a team of two: %+v", team)
	}
	if want := (a.Coverage() + b.Coverage()) / 2; team.Coverage() != want || team.Observed != (a.Observed+b.Observed)/2 {
		t.Errorf("coverage %v, want %v", team.Coverage(), want)
	}
	expect(t, "hours", hoursOf(team, time.UTC), "09:00 40/8 "+(a.Observed+b.Observed).String())
	expect(t, "what is lacking", showLack(team.Lacks["offered"]), "0+30m0s")

	team = d.Combine([]stats.Summary{a, keyless})
	for name, want := range map[string]string{"offered": "17", "missed": "2", "answered": "8", "miss_rate": "0.2"} {
		expect(t, "with a key lacking, "+name, show(team.Totals[name]), want)
	}
	expect(t, "what of missed is lacking", showLack(team.Lacks["missed"]), showLack(stats.Lack{Time: keyless.Unseen}))

	team = d.Combine([]stats.Summary{a, none})
	if team.Agents != 2 || team.Reporting != 1 || team.Coverage() != a.Coverage()/2 || team.Unseen != time.Hour {
		t.Errorf("a team of two, of whom one reports: %+v", team)
	}
	expect(t, "offered by those who report", show(team.Totals["offered"]), "≈10")
	expect(t, "what is lacking", showLack(team.Lacks["offered"]), "0+1h0m0s")
	if got := hoursOf(team, time.UTC); !strings.HasPrefix(got, "09:00 ≈10/≈2") {
		t.Errorf("hours are %s", got)
	}
	if empty := d.Combine(nil); empty.Agents != 0 || len(empty.Totals) != 0 || empty.Coverage() != 0 {
		t.Errorf("a team of nobody: %+v", empty)
	}
}

// TestJoin: two shifts of one agent.
func TestJoin(t *testing.T) {
	d, s := confirmed(), series()
	samples := polls("09:00 TH=0 MH=0 aTT=0", "09:30 TH=10 MH=2 aTT=100", "10:00 TH=10 MH=2 aTT=100",
		"+1 09:00 TH=0 MH=0 aTT=0", "+1 09:01 TH=2 MH=0 aTT=300", "+1 10:00 TH=2 MH=0 aTT=300")
	one, two := s.Summarize(samples, at("09:00"), at("10:00")), s.Summarize(samples, at("+1 09:00"), at("+1 10:00"))
	week := d.Join([]stats.Summary{one, two})
	for name, want := range map[string]string{"offered": "12", "missed": "2", "answered": "10", "avg_talk": "≈140"} {
		expect(t, name, show(week.Totals[name]), want)
	}
	if week.Agents != 1 || week.Reporting != 1 || !week.From.Equal(at("09:00")) || !week.To.Equal(at("+1 10:00")) || len(week.Hours) != 2 {
		t.Errorf("two shifts: %+v", week)
	}
	if want := (one.Coverage() + two.Coverage()) / 2; week.Coverage() != want || week.Observed != one.Observed+two.Observed {
		t.Errorf("coverage %v, want %v", week.Coverage(), want)
	}
	team := d.Combine([]stats.Summary{week, week})
	expect(t, "offered by two such", show(team.Totals["offered"]), "24")
	if team.Coverage() != week.Coverage() {
		t.Errorf("coverage of two such is %v, want %v", team.Coverage(), week.Coverage())
	}
}
