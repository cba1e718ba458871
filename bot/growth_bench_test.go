package bot_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkGrowth is a watch round of 100, 1,000 and 10,000 agents beside the bare
// loop, in processor time: a round of few agents is mostly waiting for the
// moments at which they are asked.
func BenchmarkGrowth(b *testing.B) {
	for _, agents := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("agents=%d", agents), func(b *testing.B) {
			p := newPlant(b, agents)
			p.start()
			p.loop()
			var ours, ratios []float64
			var commits time.Duration
			for b.Loop() {
				began := processorTime(b)
				p.watch()
				commits += p.store.took
				b.StopTimer()
				p.gate.await(min(agents, benchFlight)) // the plan of the next round is ours too
				took := processorTime(b) - began
				began = processorTime(b)
				p.loop()
				ours = append(ours, float64(took.Microseconds())/float64(agents))
				ratios = append(ratios, float64(took)/float64(processorTime(b)-began))
				b.StartTimer()
			}
			slices.Sort(ours)
			slices.Sort(ratios)
			b.ReportMetric(ours[len(ours)/2], "cpu-µs/agent")
			b.ReportMetric(ratios[len(ratios)/2], "cpu-ratio")
			b.ReportMetric(float64(commits.Microseconds())/1000/float64(b.N), "commit-ms")
			b.ReportMetric(resident(b), "resident-MB")
			b.ReportMetric(0, "ns/op") // rounds begin with the seconds
		})
	}
}
