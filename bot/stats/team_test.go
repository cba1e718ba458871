package stats_test

import (
	"testing"
	"time"

	"floorwalker/bot/stats"
)

// teamOf makes a tracker of each list of polls, in a shift of the tests' day.
func teamOf(lists ...[]string) stats.Team {
	watch := series().Watch(map[string]time.Duration{"missed": 10 * time.Minute})
	var team stats.Team
	for _, list := range lists {
		t := watch.Tracker()
		t.Begin(at("09:00"), at("18:00"))
		for _, s := range polls(list...) {
			t.Observe(s, 0)
		}
		team = append(team, t)
	}
	return team
}

// TestTeam: sums, and what is no sum.
func TestTeam(t *testing.T) {
	now := at("09:10")
	busy := []string{"09:00 TH=0 MH=0 aTT=0 I=1 login=08:09", "09:02 TH=2 MH=1 aTT=50 I=1 login=08:09", "09:04 TH=6 MH=2 aTT=100 I=1 login=08:09",
		"09:06 TH=6 MH=2 aTT=100 I=2 login=08:09", "09:08 TH=6 MH=2 aTT=100 I=3 login=08:09", "09:09 TH=6 MH=2 aTT=100 I=4 login=08:09"}
	calm := []string{"09:00 TH=10 MH=0 aTT=200 I=5 login=08:39", "09:02 TH=10 MH=0 aTT=200 I=5 login=08:39", "09:04 TH=11 MH=0 aTT=200 I=5 login=08:39",
		"09:06 TH=12 MH=0 aTT=200 I=5 login=08:39", "09:08 TH=13 MH=1 aTT=200 I=5 login=08:39", "09:09 TH=13 MH=1 aTT=200 I=6 login=08:39"}
	out := []string{"09:08 TH=9 MH=9", "09:09 out"}
	stale := []string{"09:00 TH=100 MH=50 aTT=1 I=100"}
	for _, test := range []struct {
		name   string
		window time.Duration
		two    string // busy and calm
		all    string // with one who is logged out, one who is stale, and one who is not known
	}{
		{"agents", 0, "2", "5"},
		{"reporting", 0, "2", "3"},
		{"offered", 0, "19", "≈19"},
		{"missed", 0, "3", "≈3"},
		{"answered", 0, "16", "≈16"},
		{"idle", 0, "10", "≈10"},
		{"miss_rate", 0, "0.15789473684210525", "≈0.15789473684210525"},
		{"avg_talk", 0, "175", "≈175"},
		{"logged_in", 0, "2", "≈2"},
		{"login_hours", 0, "1.5", "≈1.5"},
		{"calls_per_hour", 0, "20", "≈20"},
		{"minutes_since_call", 0, "3", "3"},
		{"shift_minutes", 0, "10", "10"},
		{"shift_left", 0, "530", "530"},
		{"missed", 10 * time.Minute, "2", "≈2"},
		{"missed", time.Hour, "–", "–"}, // nobody looks back so far
		{"offered", 9 * time.Minute, "–", "–"},
		{"hold", 0, "–", "–"},
		{"nonsense", 0, "–", "–"},
	} {
		two := teamOf(busy, calm)
		all := append(teamOf(busy, calm, out, stale), nil)
		expect(t, test.name+" of two", show(two.Value(test.name, test.window, now)), test.two)
		expect(t, test.name+" of all", show(all.Value(test.name, test.window, now)), test.all)
	}
	for _, name := range []string{"offered", "miss_rate", "avg_talk", "calls_per_hour", "minutes_since_call", "logged_in"} {
		for _, team := range []stats.Team{nil, {nil}, teamOf(stale)} {
			if n := team.Value(name, 0, now); n.Known() {
				t.Errorf("%s of nobody who is fresh is %v", name, n)
			}
		}
	}
}
