package stats_test

import (
	"strings"
	"testing"
	"time"

	"floorwalker/bot/stats"
)

// TestDifferences: the rule, one line of it each.
func TestDifferences(t *testing.T) {
	for _, test := range []struct {
		name     string
		from, to string
		polls    []string
		totals   string // of offered, and of missed if there is a second
		lacks    string // likewise
	}{
		{"rises", "09:00", "09:03", []string{"09:00 TH=5 MH=1", "09:01 TH=7 MH=1", "09:02 TH=7 MH=2", "09:03 TH=9 MH=2"}, "4 1", "0 0"},
		{"a fall is taken back", "09:00", "09:03", []string{"09:00 TH=50", "09:01 TH=57", "09:02 TH=56", "09:03 TH=58"}, "≈8", "1"},
		{"more than all is taken back", "09:00", "09:02", []string{"09:00 TH=50", "09:01 TH=51", "09:02 TH=48"}, "≈0", "3"},
		{"a fall over a gap may be a start", "09:00", "09:30", []string{"09:00 TH=50", "09:30 TH=40"}, "≈0", "50+30m0s"},
		{"a negative count is none", "09:00", "09:02", []string{"09:00 TH=5", "09:01 TH=-1", "09:02 TH=7"}, "2", "0"},
		{"a key is lacking once", "09:00", "09:03", []string{"09:00 TH=5 MH=1", "09:01 TH=6", "09:02 TH=7 MH=3", "09:03 TH=8 MH=3"}, "3 2", "0 0"},
		{"a key is lacking at the end", "09:00", "09:03", []string{"09:00 TH=5 MH=1", "09:01 TH=6 MH=1", "09:02 TH=7", "09:03 TH=8"}, "3 0", "0 0+2m0s"},

		{"midnight", "23:58", "+1 00:02", []string{"23:58 TH=55", "23:59:30 TH=57", "+1 00:00:30 TH=2", "+1 00:02 TH=3"}, "≈5", "0+30s"},
		{"midnight with a rise", "23:58", "+1 00:02", []string{"23:58 TH=2", "23:59 TH=3", "+1 00:01 TH=5", "+1 00:02 TH=5"}, "≈3", "3+1m0s"},
		{"midnight, and one of two falls", "23:59", "+1 00:02", []string{"23:59 TH=3 MH=2", "+1 00:01 TH=3 MH=0", "+1 00:02 TH=4 MH=0"}, "≈1 ≈0", "3+1m0s 2+1m0s"},
		{"midnight, and the sum falls", "23:59", "+1 00:02", []string{"23:59 TH=9 MH=0", "+1 00:01 TH=1 MH=1", "+1 00:02 TH=1 MH=1"}, "≈1 ≈1", "0+1m0s 0+1m0s"},
		{"a correction just at midnight, which comes late", "23:59", "+1 00:05",
			[]string{"23:59 TH=57 MH=1", "+1 00:01 TH=58 MH=0", "+1 00:05 TH=1 MH=0"}, "≈1 ≈0", "58+5m0s 1+5m0s"},
		{"seconds do not tell of counts", "23:59", "+1 00:01", []string{"23:59 TH=57 HT=900", "+1 00:01 TH=58 HT=0"}, "≈1", "57+1m0s"},
		{"midnight comes late", "23:58", "+1 00:06", []string{"23:58 TH=57", "23:59 TH=57", "+1 00:01 TH=58", "+1 00:03 TH=58", "+1 00:06 TH=3"}, "≈1", "60+4m0s"},
		{"midnight in a long gap", "22:00", "+1 08:00", []string{"22:00 TH=57", "+1 08:00 TH=50"}, "≈50", "0+2h0m0s"},
		{"midnight in a long gap, and a rise hides it", "22:00", "+1 08:00", []string{"22:00 TH=40", "+1 08:00 TH=50"}, "≈10", "40+2h0m0s"},
		{"midnight in a long gap, and another counter shows it", "22:00", "+1 08:00", []string{"22:00 TH=40 MH=9", "+1 08:00 TH=50 MH=2"}, "≈50 ≈2", "0+2h0m0s 0+2h0m0s"},
		{"a late midnight in a long gap", "23:50", "+1 08:00", []string{"23:50 TH=57", "+1 00:01 TH=57", "+1 08:00 TH=50"}, "≈0", "107+8h9m0s"},
		{"two midnights", "22:00", "+2 08:00", []string{"22:00 TH=57", "+2 08:00 TH=5"}, "≈5", "0+26h0m0s"},
		{"a key is lacking at midnight", "23:58", "+1 00:03", []string{"23:58 TH=20 MH=9", "23:59 TH=20 MH=9", "+1 00:00 TH=0", "+1 00:01 TH=0", "+1 00:02 TH=1 MH=1", "+1 00:03 TH=1 MH=1"}, "≈1 ≈1", "0+1m0s 0+1m0s"},

		{"it starts again, and nobody announced it", "09:00", "09:04", []string{"09:00 TH=30 MH=1", "09:01 TH=40 MH=2", "09:02 TH=1 MH=0", "09:03 TH=2 MH=0", "09:04 TH=4 MH=1"}, "≈13 ≈2", "1+1m0s 0+1m0s"},
		{"a slip", "09:00", "09:03", []string{"09:00 TH=57 MH=4", "09:01 TH=0 MH=0", "09:02 TH=0 MH=0", "09:03 TH=58 MH=5"}, "≈1 ≈1", "57+1m0s 4+1m0s"},
		{"it starts again, nobody announced it, and then a gap", "09:00", "11:02", []string{"09:00 TH=17", "09:01 TH=57", "09:02 TH=0", "11:02 TH=35"}, "≈75", "0+1m0s"},
		{"a slip of a few", "09:00", "09:02", []string{"09:00 TH=3", "09:01 TH=0", "09:02 TH=4"}, "≈1", "3+1m0s"},
		{"a slip just before the window", "09:00", "09:02", []string{"08:58 TH=57", "08:59 TH=0", "09:00 TH=58", "09:01 TH=59", "09:02 TH=60"}, "2", "0"},
		{"a slip as the window begins", "09:00", "09:03", []string{"08:59 TH=57", "09:00 TH=0", "09:01 TH=0", "09:02 TH=58", "09:03 TH=60"}, "≈2", "58+1m0s"},
		{"a slip of a few as the window begins", "09:00", "09:03", []string{"08:59 TH=3", "09:00 TH=0", "09:01 TH=4", "09:02 TH=5", "09:03 TH=5"}, "≈1", "0+1m0s"},
		{"a correction as the window begins, and then nothing for a while", "09:00", "09:03", []string{"08:59 TH=50", "09:00 TH=49", "09:01 TH=49", "09:02 TH=49", "09:03 TH=51"}, "≈2", "0+1m0s"},
		{"back to yesterday's values after midnight", "23:58", "+1 00:04", []string{"23:58 TH=55", "23:59 TH=57", "+1 00:00:30 TH=0", "+1 00:01:30 TH=57", "+1 00:02:30 TH=1", "+1 00:04 TH=2"}, "≈3", ""},
		{"as many calls after a gap are no slip", "23:50", "+1 03:00", []string{"23:50 TH=10", "+1 00:00 TH=0", "+1 03:00 TH=12"}, "≈12", ""},
		{"back from a slip while a key is lacking", "09:00", "09:04", []string{"09:00 TH=57 MH=9", "09:01 TH=0 MH=0", "09:02 MH=9", "09:03 TH=57 MH=9", "09:04 TH=57 MH=9"}, "≈0 ≈0", ""},

		{"an older answer is dropped", "09:00", "09:03", []string{"09:00 TH=5 date=09:00", "09:01 TH=7 date=09:01", "09:02 TH=6 date=09:00:30", "09:03 TH=8 date=09:03"}, "3", "0"},
		{"an answer from the future is none", "09:00", "09:02", []string{"09:00 TH=5 date=09:00", "09:01 TH=6 date=+1_09:01", "09:02 TH=7 date=09:02"}, "2", "0"},
		{"an answer from before the window", "09:00", "09:02", []string{"09:00:30 TH=5 date=08:30", "09:01 TH=9 date=09:01", "09:02 TH=10 date=09:02"}, "1", "4"},
		{"the same poll twice", "09:00", "09:02", []string{"09:00 TH=5", "09:01 TH=7", "09:01 TH=9", "09:00 TH=1", "09:02 TH=8"}, "3", "0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := series().Summarize(polls(test.polls...), at(test.from), at(test.to))
			names := []string{"offered", "missed"}
			for i, want := range strings.Fields(test.totals) {
				expect(t, names[i], show(s.Totals[names[i]]), want)
			}
			for i, want := range strings.Fields(test.lacks) {
				expect(t, "what "+names[i]+" lacks", showLack(s.Lacks[names[i]]), want)
			}
		})
	}
}

// TestResets: each counter has its own boundary.
func TestResets(t *testing.T) {
	d, _ := confirmed().Merge([]stats.Metric{
		{Key: "L", Name: "login_calls", Unit: stats.Count, Kind: stats.Counter, Reset: stats.AtLogin},
		{Key: "N", Name: "ever", Unit: stats.Count, Kind: stats.Counter, Reset: stats.Never},
	})
	series := stats.Series{Dictionary: d}
	s := series.Summarize(polls(
		"23:00 TH=20 L=9 N=100 login=15:00",
		"23:01 TH=21 L=10 N=101 login=15:00:01",
		"23:02 TH=22 L=1 N=102 login=23:01:30",
		"23:03 TH=22 L=2 N=102 login=23:01:30",
		"23:59 TH=23 L=3 N=103 login=23:01:31",
		"+1 00:01 TH=1 L=4 N=104 login=23:01:30",
	), at("23:00"), at("+1 00:01"))
	expect(t, "offered", show(s.Totals["offered"]), "≈4")
	expect(t, "calls of the login", show(s.Totals["login_calls"]), "≈5")
	expect(t, "ever", show(s.Totals["ever"]), "4")
	expect(t, "what calls of the login lack", showLack(s.Lacks["login_calls"]), "0+30s")

	s = series.Summarize(polls("09:00 N=50", "09:01 N=0", "+2 10:00 N=0", "+2 10:01 N=45"), at("09:00"), at("+2 10:01"))
	expect(t, "ever, as much as two days ago", show(s.Totals["ever"]), "≈45")

	s = series.Summarize(polls("09:00 L=9 login=08:00", "11:00 L=11", "11:01 L=12 login=10:30", "11:02 L=13"), at("09:00"), at("11:02"))
	expect(t, "calls, with a login not known at first", show(s.Totals["login_calls"]), "≈3")
	expect(t, "what they lack", showLack(s.Lacks["login_calls"]), "9+1h31m0s")
}

// TestVendorsMidnight: the day is the vendor's, also where the clocks skip
// midnight.
func TestVendorsMidnight(t *testing.T) {
	for _, test := range []struct{ zone, before, after string }{
		{"Asia/Kolkata", "2026-03-02T23:59:00+05:30", "2026-03-03T00:01:00+05:30"},
		{"America/New_York", "2026-03-08T23:59:00-04:00", "2026-03-09T00:01:00-04:00"},
		{"America/Santiago", "2026-09-05T23:59:00-04:00", "2026-09-06T01:01:00-03:00"}, // no midnight
		{"Asia/Beirut", "2026-03-28T23:59:00+02:00", "2026-03-29T01:01:00+03:00"},      // no midnight
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := time.Parse(time.RFC3339, test.before)
		after, _ := time.Parse(time.RFC3339, test.after)
		samples := polls("09:00 TH=20", "09:01 TH=20", "09:02 TH=1")
		samples[0].Tick, samples[1].Tick, samples[2].Tick = before.Add(-time.Hour), before, after
		series := series()
		series.Vendor = zone
		s := series.Summarize(samples, before.Add(-time.Hour), after)
		expect(t, test.zone+": offered", show(s.Totals["offered"]), "≈1")
		expect(t, test.zone+": what is lacking", showLack(s.Lacks["offered"]), "0+1m0s")
	}
}

// TestNeighbours: the samples beside the window bound what may be lacking.
func TestNeighbours(t *testing.T) {
	window := []string{"09:02 TH=10", "09:03 TH=12", "09:58 TH=30"}
	for _, test := range []struct {
		name          string
		before, after []string
		lacks         string
	}{
		{"none", nil, nil, "0+4m0s"},
		{"one before", []string{"08:59 TH=9"}, nil, "1+2m0s"},
		{"one after", nil, []string{"10:01 TH=33"}, "3+2m0s"},
		{"both", []string{"08:58 TH=8", "08:59 TH=9"}, []string{"10:01 TH=33", "10:02 TH=40"}, "4"},
		{"logged out beside it", []string{"08:58 TH=8", "08:59 out"}, []string{"10:01 out", "10:02 TH=40"}, "12"},
		{"an old answer after it", nil, []string{"10:01 TH=31 date=09:59", "10:02 TH=33"}, "3+2m0s"},
		{"a correction after it", []string{"08:59 TH=9"}, []string{"10:01 TH=29"}, "1+2m0s"},
		{"another day before it", []string{"-1 23:00 TH=9"}, nil, "0+4m0s"},
	} {
		all := polls(append(append(test.before, window...), test.after...)...)
		s := series().Summarize(all, at("09:00"), at("10:00"))
		expect(t, test.name+": offered", show(s.Totals["offered"]), "20")
		expect(t, test.name+": what is lacking", showLack(s.Lacks["offered"]), test.lacks)
	}
}

// TestLoggedOut: time logged out is not unseen, and a sample without values is a
// sample.
func TestLoggedOut(t *testing.T) {
	s := series().Summarize(polls("09:00 out", "09:01 out", "09:02 out", "09:03 TH=0 MH=0", "09:04 TH=3 MH=0", "09:05 out", "09:06 out"), at("09:00"), at("09:06"))
	if s.Polled != 7 || s.Coverage() != 1 || s.Reporting != 1 || s.Late(time.Minute) {
		t.Errorf("%d polls, coverage %v, reporting %v", s.Polled, s.Coverage(), s.Reporting)
	}
	expect(t, "offered", show(s.Totals["offered"]), "3")
	expect(t, "what is lacking", showLack(s.Lacks["offered"]), "0+2m0s") // before the first and after the last values, a poll each
	expect(t, "calls per hour", show(s.Totals["calls_per_hour"]), "180")

	s = series().Summarize(polls("09:00 out", "09:01 out", "09:06 out"), at("09:00"), at("09:06"))
	if len(s.Totals) != 0 || s.Reporting != 1 || s.Unseen != 5*time.Minute {
		t.Errorf("logged out all the time: %+v", s)
	}
	s = series().Summarize(nil, at("09:00"), at("09:06"))
	if len(s.Totals) != 0 || s.Reporting != 0 || s.Unseen != 6*time.Minute || s.Coverage() != 0 {
		t.Errorf("no samples: %+v", s)
	}
}

// TestCallsPerHour: what came in a gap does not make the rest look busier.
func TestCallsPerHour(t *testing.T) {
	s := series().Summarize(polls("09:00 TH=0 MH=0", "09:02 TH=1 MH=0", "09:04 TH=3 MH=1", "11:00 TH=93 MH=1", "11:02 TH=95 MH=2"), at("09:00"), at("11:02"))
	expect(t, "answered", show(s.Totals["answered"]), "93")
	expect(t, "calls per hour", show(s.Totals["calls_per_hour"]), "30") // three calls in six minutes
	if !s.LastCall.Equal(at("11:02")) {
		t.Errorf("the last call was by %v", s.LastCall)
	}
	s = series().Summarize(polls("09:00 TH=0 MH=0", "09:01 TH=5 MH=0", "11:00 TH=4 MH=0", "11:01 TH=4 MH=0"), at("09:00"), at("11:02"))
	expect(t, "calls per hour, with one taken back in a gap", show(s.Totals["calls_per_hour"]), "≈120")
}

// TestReclassified: what the vendor moves from missed to answered counts as
// answered from then on.
func TestReclassified(t *testing.T) {
	s := series().Summarize(polls("09:00 TH=10 MH=0", "09:01 TH=15 MH=5", "09:02 TH=15 MH=4"), at("09:00"), at("09:02"))
	expect(t, "offered", show(s.Totals["offered"]), "5")
	expect(t, "missed", show(s.Totals["missed"]), "≈4")
	expect(t, "answered", show(s.Totals["answered"]), "1")
	expect(t, "miss rate", show(s.Totals["miss_rate"]), "≈0.8")
}

// TestAverages: the average of an interval, from the averages at its ends.
func TestAverages(t *testing.T) {
	for _, test := range []struct {
		name  string
		polls []string
		want  string
	}{
		{"of ten calls", []string{"09:00 TH=10 MH=0 aTT=100", "09:01 TH=20 MH=0 aTT=150"}, "≈200"},
		{"missed ones do not count", []string{"09:00 TH=10 MH=0 aTT=100", "09:01 TH=30 MH=10 aTT=150"}, "≈200"},
		{"of four calls, too few", []string{"09:00 TH=10 MH=0 aTT=100", "09:01 TH=14 MH=0 aTT=150"}, "–"},
		{"across midnight", []string{"09:00 TH=10 MH=0 aTT=100", "23:59 TH=20 MH=0 aTT=150", "+1 00:10 TH=10 MH=0 aTT=400"}, "≈300"},
		{"midnight, and a rise hides it", []string{"23:58 TH=1 MH=0 aTT=900", "23:59 TH=7 MH=0 aTT=900", "+1 00:15 TH=9 MH=0 aTT=10"}, "≈900"},
		{"it lacks for a while", []string{"09:00 TH=10 MH=0 aTT=100", "09:01 TH=20 MH=0", "09:02 TH=30 MH=0 aTT=200"}, "≈250"},
		{"it lacks at the end", []string{"09:00 TH=10 MH=0 aTT=100", "09:01 TH=20 MH=0 aTT=150", "09:02 TH=30 MH=0"}, "≈200"},
		{"more were missed than offered", []string{"09:00 TH=10 MH=0 aTT=100", "09:01 TH=20 MH=21 aTT=150"}, "–"},
		{"a slip", []string{"09:00 TH=10 MH=0 aTT=100", "09:01 TH=0 MH=0 aTT=0", "09:02 TH=10 MH=0 aTT=100", "09:03 TH=20 MH=0 aTT=150"}, "≈200"},
	} {
		all := polls(test.polls...)
		s := series().Summarize(all, at("09:00"), at("+1 01:00"))
		expect(t, test.name+": average talk", show(s.Totals["avg_talk"]), test.want)
	}
	unconfirmed := stats.Series{Dictionary: stats.Defaults()}
	s := unconfirmed.Summarize(polls("09:00 TH=10 MH=0 aTT=100", "09:01 TH=20 MH=0 aTT=150"), at("09:00"), at("10:00"))
	expect(t, "average talk over calls that nobody confirmed", show(s.Totals["avg_talk"]), "–")
}

// TestMaps: the counts of a map are added up, and an empty map is zero calls,
// which is not the same as no map.
func TestMaps(t *testing.T) {
	d := confirmed()
	var samples []stats.Sample
	for i, text := range []string{"{}", `{"in":1}`, `{"in":1,"out":2}`, "null", `{"in":3,"out":2}`} {
		c := row(map[string]string{"TH": "1", "callType": text})
		samples = append(samples, d.Sample(c, at("09:00").Add(time.Duration(i)*time.Minute)))
	}
	s := series().Summarize(samples, at("09:00"), at("09:04"))
	expect(t, "calls by type", show(s.Totals["calls_by_type"]), "5")
	expect(t, "calls by campaign", show(s.Totals["calls_by_campaign"]), "–")
}
