package stats_test

import (
	"testing"
	"time"

	"floorwalker/bot/stats"
)

func exact(v float64) stats.Number { return stats.Number{Value: v, Quality: stats.Exact} }

func TestMedian(t *testing.T) {
	estimated := stats.Number{Value: 4, Quality: stats.Estimated}
	for _, test := range []struct {
		numbers []stats.Number
		least   int
		want    string
	}{
		{nil, 0, "–"},
		{[]stats.Number{{}, {}}, 0, "–"},
		{[]stats.Number{exact(3)}, 0, "3"},
		{[]stats.Number{exact(3)}, 2, "–"},
		{[]stats.Number{exact(9), exact(1), exact(5)}, 3, "5"},
		{[]stats.Number{exact(9), {}, exact(1)}, 3, "–"},
		{[]stats.Number{exact(9), exact(1), exact(2), exact(5)}, 3, "3.5"},
		{[]stats.Number{exact(9), exact(1), estimated}, 3, "≈4"},
	} {
		expect(t, "the median", show(stats.Median(test.numbers, test.least)), test.want)
	}
}

// shift is a past shift: n days before the tests' day, observed for minutes of an
// hour.
func shift(days int, answered float64, minutes int) stats.Summary {
	from := at("09:00").AddDate(0, 0, -days)
	return stats.Summary{From: from, To: from.Add(time.Hour), Observed: time.Duration(minutes) * time.Minute, Totals: map[string]stats.Number{"answered": exact(answered)}}
}

func TestBaseline(t *testing.T) {
	past := stats.Baseline{shift(7, 40, 60), shift(14, 60, 60), shift(21, 80, 60), shift(28, 1, 6)}
	expect(t, "the median", show(past.Covered(0.8).Median("answered")), "60")
	expect(t, "with what was hardly seen", show(past.Median("answered")), "50")
	expect(t, "the median of two", show(past[:2].Median("answered")), "–")
	expect(t, "the median of nothing", show(past.Median("nonsense")), "–")
}
