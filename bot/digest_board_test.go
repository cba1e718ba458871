package bot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/stats"
)

// TestLeaderboard: the best are those for whom the metric is good news, and what
// nobody has confirmed says so, or names nobody.
func TestLeaderboard(t *testing.T) {
	exact := func(v float64) stats.Number { return stats.Number{Value: v, Quality: stats.Exact} }
	var agents []agentReport
	for i, name := range []string{"Asha", "Ravi", "Kiran"} {
		n := float64(i + 1)
		agents = append(agents, agentReport{Agent{Name: name}, stats.Summary{Totals: map[string]stats.Number{
			"answered": exact(10 * n), "miss_rate": exact(n / 10), "missed": exact(n), "avg_talk": exact(60 * n), "calls_per_hour": {},
		}}})
	}
	confirmed := stats.Defaults()
	for i := range confirmed {
		confirmed[i].Confirmed = true
	}
	for _, test := range []struct {
		by      string
		metrics stats.Dictionary
		want    string
	}{
		{"answered", confirmed, "Answered: 1  Kiran 30, 2  Ravi 20"},
		{"miss_rate", confirmed, "Miss rate: 1  Asha 10%, 2  Ravi 20%"},
		{"missed", confirmed, "Missed: 1  Asha 1, 2  Ravi 2"},
		{"avg_talk", confirmed, "Average talk: 1  Kiran 3:00, 2  Ravi 2:00"},
		{"calls_per_hour", confirmed, "Calls per hour: "},
		{"missed", stats.Defaults(), "Missed (MH): 1  Asha 1, 2  Ravi 2"},
		{"answered", stats.Defaults(), ""},
		{"miss_rate", stats.Defaults(), ""},
	} {
		r := report{config: &Config{Metrics: test.metrics}, agents: agents}
		r.team.Leaderboard, r.team.LeaderboardBy = 2, test.by
		got := ""
		if board := r.leaderboard(); len(board.Columns) > 0 {
			var rows []string
			for _, row := range board.Rows {
				rows = append(rows, strings.Join(row, " "))
			}
			got = fmt.Sprintf("%s: %s", board.Columns[1].Title, strings.Join(rows, ", "))
		}
		if got != test.want {
			t.Errorf("by %s: %q, want %q", test.by, got, test.want)
		}
	}
}

// TestGaps: who is without data is counted apart from who must link again, who may
// have data of before, and from who cannot.
func TestGaps(t *testing.T) {
	agent := func(state LinkState, polled int) agentReport {
		return agentReport{Agent{State: state}, stats.Summary{Polled: polled}}
	}
	for _, test := range []struct {
		agents []agentReport
		whole  int
		want   string
	}{
		{[]agentReport{agent(LinkActive, 5), agent(LinkUnverified, 5)}, 2, ""},
		{[]agentReport{agent(LinkActive, 5), agent(LinkActive, 0)}, 2, "1 agent without data"},
		{[]agentReport{agent(LinkRelink, 5), agent(LinkActive, 0)}, 2, "1 of 2 need to link again · 1 other agent without data"},
		{[]agentReport{agent(LinkRelink, 0), agent(LinkSuspended, 0), agent(LinkActive, 5)}, 1, "1 of 3 need to link again · 1 of 3 suspended"},
		{[]agentReport{agent(LinkSuspended, 3), agent(LinkActive, 0), agent(LinkActive, 0)}, 3, "1 of 3 suspended · 2 other agents without data"},
	} {
		r, whole := report{config: &Config{}}, 0
		for _, a := range test.agents {
			if r.add(a) {
				whole++
			}
		}
		if got := r.gaps(); got != test.want || whole != test.whole {
			t.Errorf("%q, %d in the totals; want %q, %d", got, whole, test.want, test.whole)
		}
	}
}

// TestStaleLogins: who was logged in for more than a day at the end is a line of
// the digest, by name only where names are shown.
func TestStaleLogins(t *testing.T) {
	end := time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)
	agent := func(name string, hours int) agentReport {
		s := stats.Summary{Last: end}
		if hours > 0 {
			s.Login = end.Add(-time.Duration(hours) * time.Hour)
		}
		return agentReport{Agent{Name: name}, s}
	}
	for _, test := range []struct {
		agents []agentReport
		names  bool
		want   string
	}{
		{[]agentReport{agent("Asha", 23), agent("Ravi", 0)}, true, ""},
		{[]agentReport{agent("Asha", 24), agent("Ravi", 9), agent("Kiran", 69)}, true, "Logged in for over a day  Kiran 69 h, Asha 24 h"},
		{[]agentReport{agent("Asha", 24), agent("Ravi", 9), agent("Kiran", 69)}, false, "Logged in for over a day  2 agents"},
		{[]agentReport{agent("A", 30), agent("B", 29), agent("C", 28), agent("D", 27), agent("E", 26)}, true, "Logged in for over a day  A 30 h, B 29 h, C 28 h, +2 more"},
	} {
		var lines []string
		for _, line := range (report{config: &Config{}, agents: test.agents}).stoodOut(test.names) {
			lines = append(lines, line.Plain())
		}
		if got := strings.Join(lines, "\n"); got != test.want {
			t.Errorf("%d agents, names %v: %q, want %q", len(test.agents), test.names, got, test.want)
		}
	}
}

// TestRateWants: three calls in a minute that was seen are not 180 an hour.
func TestRateWants(t *testing.T) {
	metrics := stats.Defaults()
	for i := range metrics {
		metrics[i].Confirmed = true
	}
	for observed, want := range map[time.Duration]bool{time.Minute: false, 10 * time.Minute: true} {
		r := report{config: &Config{Metrics: metrics}, all: stats.Summary{Observed: observed, Totals: map[string]stats.Number{"calls_per_hour": {Value: 180, Quality: stats.Exact}}}}
		got := slices.ContainsFunc(r.fields(), func(f chat.Field) bool { return strings.HasPrefix(f.Label, "Calls per agent and hour") })
		if got != want {
			t.Errorf("observed %s: shown: %v, want %v", observed, got, want)
		}
	}
}
