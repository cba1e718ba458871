package bot_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// BenchmarkAlertRound judges a round of 10,000 agents and 20 rules on a real
// store, when nothing is wrong and when one agent in a hundred breaches. What
// history and snapshots cost is not in it.
func BenchmarkAlertRound(b *testing.B) {
	const agents, rules = 10000, 20
	for _, breaching := range []int{0, 100} {
		b.Run(fmt.Sprintf("breaching=%d", breaching), func(b *testing.B) {
			j, list := judging(b, agents, rules)
			tick := time.Date(2026, 3, 2, 10, 0, 0, 0, kolkata(b))
			answers := make([]dashboard.Counters, agents)
			for round := range 32 { // windows of half an hour fill
				answer(answers, round, breaching)
				tick = tick.Add(time.Minute)
				if err := j.Round(list, answers, tick); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for round := 32; b.Loop(); round++ {
				b.StopTimer()
				answer(answers, round, breaching)
				tick = tick.Add(time.Minute)
				b.StartTimer()
				if err := j.Round(list, answers, tick); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/agents/rules, "ns/judgement")
		})
	}
}

// judging returns a bot with agents of one team that works around the clock.
func judging(b testing.TB, agents, rules int) (*bot.Judging, []bot.Agent) {
	b.Helper()
	st, err := store.Open(store.Config{Path: b.TempDir() + "/floor.db", Key: secret.New(key)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { st.Close() })
	c := stageConfig(b)
	c.Teams[0].Members = nil
	c.Teams[0].Rota.Shifts[0].End = c.Teams[0].Rota.Shifts[0].Start
	var specs []alert.RuleSpec
	for i := range rules {
		when := [...]string{`increase(missed, "30m") >= %d`, `miss_rate > 0.%d`, `missed >= %d && logged_in`, `calls_per_hour < 0 - %d`}[i%4]
		specs = append(specs, alert.RuleSpec{Name: fmt.Sprint("rule-", i), When: fmt.Sprintf(when, 90+i)})
	}
	if c.Rules, err = compileRules(c, specs); err != nil {
		b.Fatal(err)
	}
	var links []bot.Link
	for i := range agents {
		links = append(links, bot.Link{
			Address: person(fmt.Sprint("agent", i)), Name: fmt.Sprint("Agent ", i), State: bot.LinkActive, Teams: []string{"support"},
			Credential: dashboard.Credential{UserID: fmt.Sprint(i + 1), Token: secret.New("t")},
		})
	}
	linked, err := st.LinkAll(links)
	if err != nil {
		b.Fatal(err)
	}
	var list []bot.Agent
	for _, l := range linked {
		list = append(list, l.Agent)
	}
	return bot.NewJudging(bot.New(c, sourceFunc(nil), st, nothing{}, slog.New(slog.DiscardHandler))), list
}

// answer fills the answers of a round: every agent has had a call since the last
// one, and those who breach have missed very many.
func answer(answers []dashboard.Counters, round, breaching int) {
	for i := range answers {
		missed := round / 4
		if i < breaching {
			missed = 200 + round
		}
		answers[i] = dashboard.Counters{At: time.Now(), Row: map[string]dashboard.Value{
			"TH": dashboard.ValueOf(fmt.Sprint(300 + round)), "MH": dashboard.ValueOf(fmt.Sprint(missed)),
			"aTT": dashboard.ValueOf("180"), "HT": dashboard.ValueOf("40"), "C": dashboard.ValueOf(fmt.Sprint(300 + round - missed)),
		}}
	}
}
