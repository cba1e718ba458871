package stats_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"floorwalker/bot/stats"
)

// week makes five shifts of one agent, nine hours each, polled every minute: a
// call in four minutes, of which one in ten is missed. Samples without a change
// share their values, as those of history do, if shared is set.
func week(seed uint64, shared bool) []stats.Sample {
	r := rand.New(rand.NewPCG(seed, 1))
	var samples []stats.Sample
	for day := range 5 {
		start := time.Date(2026, 3, 2+day, 9, 0, 0, 0, time.UTC)
		var offered, missed, talk float64
		var values []stats.Value
		for i := range 540 {
			if r.IntN(4) == 0 || values == nil {
				offered++
				if r.IntN(10) == 0 {
					missed++
				} else {
					talk += float64(60 + r.IntN(300))
				}
			} else if shared {
				samples = append(samples, stats.Sample{Tick: start.Add(time.Duration(i) * time.Minute), Date: start.Add(time.Duration(i) * time.Minute), Login: start, Values: values})
				continue
			}
			values = []stats.Value{
				{Key: "C", N: offered - missed}, {Key: "HT", N: talk / 10}, {Key: "I", N: float64(i % 30)}, {Key: "MH", N: missed}, {Key: "TH", N: offered},
				{Key: "aTT", N: talk / max(1, offered-missed)}, {Key: "callType.in", N: offered / 2}, {Key: "callType.out", N: offered / 2},
				{Key: "cmpId.101", N: offered / 4}, {Key: "cmpId.104", N: offered / 4}, {Key: "cmpId.117", N: offered / 4}, {Key: "cmpId.130", N: offered / 4},
				{Key: "tC", N: offered},
			}
			samples = append(samples, stats.Sample{Tick: start.Add(time.Duration(i) * time.Minute), Date: start.Add(time.Duration(i) * time.Minute), Login: start, Values: values})
		}
	}
	return samples
}

func benchSeries() stats.Series {
	zone := time.FixedZone("+05:30", 19800)
	return stats.Series{Dictionary: stats.Defaults(), Vendor: zone, Hours: zone, Every: time.Minute}
}

// shiftOf returns the window of a day's shift.
func shiftOf(day int) (from, to time.Time) {
	from = time.Date(2026, 3, 2+day, 9, 0, 0, 0, time.UTC)
	return from, from.Add(9 * time.Hour)
}

// BenchmarkShift summarizes one agent's shift, hours included.
func BenchmarkShift(b *testing.B) {
	for name, shared := range map[string]bool{"shared": true, "distinct": false} {
		b.Run(name, func(b *testing.B) {
			s, samples := benchSeries(), week(1, shared)[540:1080]
			from, to := shiftOf(1)
			b.ReportAllocs()
			for b.Loop() {
				s.Summarize(samples, from, to)
			}
		})
	}
}

// BenchmarkWeek summarizes a week of 200 agents, five shifts of 540 samples each,
// and the team.
func BenchmarkWeek(b *testing.B) {
	for name, shared := range map[string]bool{"shared": true, "distinct": false} {
		b.Run(name, func(b *testing.B) {
			s := benchSeries()
			var agents [200][]stats.Sample
			for i := range agents {
				agents[i] = week(uint64(i), shared)
			}
			b.ReportAllocs()
			for b.Loop() {
				team := make([]stats.Summary, len(agents))
				for i, samples := range agents {
					var shifts [5]stats.Summary
					for day := range shifts {
						from, to := shiftOf(day)
						shifts[day] = s.Summarize(samples, from, to)
					}
					team[i] = s.Dictionary.Join(shifts[:])
				}
				if sum := s.Dictionary.Combine(team); !sum.Totals["answered"].Known() {
					b.Fatal("nothing counted")
				}
			}
		})
	}
}

// weeks makes the samples that the agents of a floor share.
func weeks() (all [50][]stats.Sample) {
	for i := range all {
		all[i] = week(uint64(i), true)
	}
	return all
}

// floor makes n trackers in the middle of a shift, as rules of half an hour need
// them. Agent i has the samples of week i modulo their number.
func floor(n int, weeks [50][]stats.Sample) stats.Team {
	watch := benchSeries().Watch(map[string]time.Duration{"offered": 30 * time.Minute, "missed": 30 * time.Minute})
	from, to := shiftOf(0)
	var team stats.Team
	for i := range n {
		t := watch.Tracker()
		t.Begin(from, to)
		for _, s := range weeks[i%len(weeks)][:240] {
			t.Observe(s, 0)
		}
		team = append(team, t)
	}
	return team
}

// BenchmarkRules takes the samples of one minute of 10,000 agents and reads two
// values for each of 20 rules. It reports the memory of a tracker.
func BenchmarkRules(b *testing.B) {
	const agents, rules = 10_000, 20
	samples := weeks()
	before := heap()
	team := floor(agents, samples)
	bytes := float64(heap()-before) / agents
	reads := []struct {
		name   string
		window time.Duration
	}{{"missed", 30 * time.Minute}, {"calls_per_hour", 0}, {"minutes_since_call", 0}, {"miss_rate", 0}, {"shift_minutes", 0}, {"idle", 0}, {"offered", 30 * time.Minute}, {"logged_in", 0}}
	known, minute := 0, 240
	b.ReportAllocs()
	for b.Loop() {
		if minute == 540 {
			b.StopTimer()
			team, minute = floor(agents, samples), 240
			b.StartTimer()
		}
		for i, t := range team {
			s := samples[i%len(samples)][minute]
			t.Observe(s, 0)
			for j := range 2 * rules {
				r := reads[(i+j)%len(reads)]
				if t.Value(r.name, r.window, s.Tick).Known() {
					known++
				}
			}
		}
		minute++
	}
	if known == 0 {
		b.Fatal("nothing was known")
	}
	b.ReportMetric(bytes, "B/agent")
}

// heap returns how much memory is in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkTeamRules reads 20 values of a team of 1,000.
func BenchmarkTeamRules(b *testing.B) {
	team := floor(1000, weeks())
	from, _ := shiftOf(0)
	now := from.Add(239 * time.Minute)
	names := []string{"offered", "missed", "answered", "miss_rate", "calls_per_hour", "avg_talk", "logged_in", "reporting", "minutes_since_call", "login_hours"}
	b.ReportAllocs()
	for b.Loop() {
		for i := range 20 {
			if !team.Value(names[i%len(names)], 0, now).Known() {
				b.Fatalf("%s is not known", names[i%len(names)])
			}
		}
	}
}
