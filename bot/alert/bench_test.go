package alert

import (
	"fmt"
	"testing"
	"time"
)

// floor is Values of one agent, looked up as a watch round would.
type floor struct {
	needs  []Need
	values []float64
}

func (f *floor) Value(n Need) (float64, bool) {
	for i := range f.needs {
		if f.needs[i] == n {
			return f.values[i], true
		}
	}
	return 0, false
}

func benchRules(t testing.TB, n int) []*Rule {
	rules := make([]*Rule, n)
	for i := range rules {
		rules[i] = mustCompile(t, RuleSpec{
			Name:  fmt.Sprintf("rule-%d", i),
			When:  fmt.Sprintf(`calls_per_hour < %d && increase(missed, "30m") > %d`, 5+i, 20+i),
			Clear: fmt.Sprintf(`calls_per_hour >= %d || increase(missed, "30m") <= %d`, 6+i, 10+i),
		})
	}
	return rules
}

// round judges every rule for every agent.
func round(rules []*Rule, states []State, f *floor, x Sample) {
	for i := range states {
		f.values[0], f.values[1] = float64(i%50), float64(i%19)
		r := rules[i%len(rules)]
		states[i], _ = r.Step(states[i], r.Judge(x, f))
	}
}

func newFloor() *floor {
	return &floor{[]Need{{Metric: NameCallsPerHour}, {"missed", 30 * time.Minute}}, make([]float64, 2)}
}

// TestQuietStepAllocatesNothing covers held, pending and firing states too.
func TestQuietStepAllocatesNothing(t *testing.T) {
	rules, f := benchRules(t, 1), newFloor()
	for name, values := range map[string][2]float64{"quiet": {9, 0}, "firing": {1, 50}} {
		f.values[0], f.values[1] = values[0], values[1]
		var s State
		minute := 0.0
		step := func() {
			minute++
			x := Sample{Point: Point{At: at(minute)}, Subject: "a1", Round: Round{Now: at(minute), Poll: time.Minute}}
			s, _ = rules[0].Step(s, rules[0].Judge(x, f))
		}
		for range 5 {
			step()
		}
		if n := testing.AllocsPerRun(100, step); n != 0 {
			t.Errorf("%s: %v allocations a step", name, n)
		}
	}
}

// BenchmarkStep is one rule and one agent, evaluation included.
func BenchmarkStep(b *testing.B) {
	rules, f := benchRules(b, 1), newFloor()
	states := make([]State, 1)
	x := Sample{Point: Point{At: t0}, Subject: "a1", Round: Round{Poll: time.Minute}}
	b.ReportAllocs()
	for b.Loop() {
		x.At = x.At.Add(time.Minute)
		x.Round.Now = x.At
		round(rules, states, f, x)
	}
}

// BenchmarkRound is 10,000 agents × 20 rules.
func BenchmarkRound(b *testing.B) {
	rules, f := benchRules(b, 20), newFloor()
	states := make([]State, 10_000*len(rules))
	x := Sample{Point: Point{At: t0}, Subject: "a1", Round: Round{Poll: time.Minute}}
	b.ReportAllocs()
	for b.Loop() {
		x.At = x.At.Add(time.Minute)
		x.Round.Now = x.At
		round(rules, states, f, x)
	}
}

// BenchmarkCompile is one rule at load.
func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		benchRules(b, 1)
	}
}
