package bot

import (
	"fmt"
	"testing"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// BenchmarkPlan lists the polls of a round of 10,000 agents in 50 teams, who are
// members by configuration or by their links.
func BenchmarkPlan(b *testing.B) {
	for _, configured := range []bool{false, true} {
		b.Run(fmt.Sprint("configured=", configured), func(b *testing.B) {
			c := Config{PollInterval: time.Minute, RequestsPerSecond: 1000}
			var agents []Agent
			for i := range 50 {
				name := fmt.Sprint("team", i)
				c.Teams = append(c.Teams, Team{Name: name, Poll: true, Rota: schedule.Rota{Team: name, Zone: time.UTC, Shifts: []schedule.Shift{
					{Name: "day", Days: schedule.EveryDay, Start: 9 * 60, End: 18 * 60}, {Name: "late", Days: schedule.EveryDay, Start: 12 * 60, End: 21 * 60},
				}}})
			}
			for i := range 10_000 {
				at := chat.Address{Network: chat.Slack, ID: fmt.Sprintf("U%08d", i)}
				a := Agent{ID: AgentID(fmt.Sprintf("%016x", uint64(i)*1844674407370955)), Addresses: []chat.Address{at}}
				t := &c.Teams[i%50]
				if configured {
					t.Members = append(t.Members, Person{Addresses: a.Addresses})
				} else {
					a.Teams = []string{t.Name}
				}
				agents = append(agents, a)
			}
			bot := &Bot{}
			bot.Configure(c)
			config := bot.config.Load()
			start := time.Date(2026, 3, 2, 17, 59, 0, 0, time.UTC)
			for b.Loop() {
				r := round{start: start, length: c.PollInterval, from: start}
				table, n := config.timetable(r), 0
				for _, a := range agents {
					n += len(r.polls(nil, a, table.of(a)))
				}
				if n != 20_000 {
					b.Fatal(n)
				}
			}
		})
	}
}
