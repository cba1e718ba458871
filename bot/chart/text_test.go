package chart

import (
	"strings"
	"testing"

	"floorwalker/bot/chat"
)

// The samples' texts are golden in testdata; here are the widths and the odd.
func TestText(t *testing.T) {
	lines := func(l ...string) string { return strings.Join(l, "\n") }
	day := two("09 10 11 12", chat.Bars, []float64{40, 20, na, 0}, []float64{1, 0, na, 5})
	for _, c := range []struct {
		chart chat.Chart
		width int
		want  string
	}{
		{day, 40, lines(
			"    Offered            Missed",
			"09  40 ██████████████   1 ▍",
			"10  20 ███████          0",
			"11   ·                  ·",
			"12   0                  5 █▊")},
		{day, 20, lines(
			"    Offered",
			"09  40 █████████████",
			"10  20 ██████▌",
			"11   ·",
			"12   0",
			"",
			"    Missed",
			"09   1 ▍",
			"10   0",
			"11   ·",
			"12   5 █▋")},
		{one("09 10", chat.Bars, 0, na), 40, lines("09  0", "10  ·")},
		{one("09 10 11", chat.Bars, -4, 8, -0.01), 20, lines(
			"09     −4 ░░░░░",
			"10      8 ██████████",
			"11  −0.01 ░")},
		{one("09 10", chat.Bars, na, na), 40, "No data"},
		{chat.Chart{}, 40, "No data"},
		{one("आशा 漢字 a-remarkably-long-label", chat.Bars, 4, 2, 1), 30, lines(
			"आशा      4 ███████████████████",
			"漢字     2 █████████▌",
			"a-rema…  1 ████▊")},
	} {
		if got := Text(c.chart, c.width); got != c.want {
			t.Errorf("width %d:\n%s\nwant\n%s", c.width, got, c.want)
		}
	}
	if Text(day, -5) != Text(day, narrowest) || Text(day, 500) != Text(day, broadest) {
		t.Error("widths are not bounded")
	}
}
