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
	past := stats.Baseline{
		shift(0, 999, 60), // the one that is compared
		shift(1, 10, 60), shift(2, 20, 60), shift(5, 30, 60), shift(7, 40, 60),
		shift(8, 500, 60), shift(14, 60, 60), shift(21, 80, 60), shift(28, 1, 6),
	}
	monday := at("09:00")
	expect(t, "the week's median", show(past.Week(monday).Median("answered")), "25")
	expect(t, "the same weekday's median", show(past.Weekday(monday, time.UTC).Covered(0.8).Median("answered")), "60")
	expect(t, "with what was hardly seen", show(past.Weekday(monday, time.UTC).Median("answered")), "50")
	expect(t, "the median of two", show(past.Week(monday)[:2].Median("answered")), "–")
	expect(t, "the median of nothing", show(past.Median("nonsense")), "–")
	if kolkata := time.FixedZone("+17:00", 17*3600); len(past.Weekday(monday, kolkata)) != 4 {
		t.Error("the weekday of the same time of day is the same in every zone")
	}
}

func TestPace(t *testing.T) {
	past := stats.Baseline{shift(1, 10, 60), shift(2, 20, 60), shift(3, 30, 60)}
	p := past.Pace(shift(0, 25, 60), "answered")
	expect(t, "now", show(p.Now), "25")
	expect(t, "usual", show(p.Usual), "20")
	expect(t, "ahead", show(p.Ahead), "5")
	expect(t, "ratio", show(p.Ratio), "1.25")
	p = past[:2].Pace(shift(0, 25, 60), "answered")
	expect(t, "ahead of too few", show(p.Ahead)+show(p.Ratio), "––")
	p = past.Pace(stats.Summary{}, "answered")
	expect(t, "ahead, with nothing known", show(p.Ahead)+show(p.Ratio), "––")
	p = stats.Baseline{shift(1, 0, 60), shift(2, 0, 60), shift(3, 0, 60)}.Pace(shift(0, 3, 60), "answered")
	expect(t, "ahead of nothing", show(p.Ahead)+show(p.Ratio), "3–")
}
