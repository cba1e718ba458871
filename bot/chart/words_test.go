package chart

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"floorwalker/bot/chat"
)

func TestAlt(t *testing.T) {
	named := func(c chat.Chart, names ...string) chat.Chart {
		for i, n := range names {
			c.Series[i].Name = n
		}
		return c
	}
	with := func(c chat.Chart, title, unit string) chat.Chart {
		c.Title, c.Unit = title, unit
		return c
	}
	for _, c := range []struct {
		chart chat.Chart
		want  string
	}{
		{named(one(hours, chat.Bars, 18, 31, 42, 38, na, 29, 35, 14, 12), "Calls offered per hour again"), "Calls offered per hour again, 09 to 17: highest 42 at 11, lowest 12 at 17; no data at 13."},
		{one(hours, chat.Bars, 18, 31, 42, 38, na, 29, 35, 14, 12), "09 to 17: highest 42 at 11, lowest 12 at 17; no data at 13."},
		{named(one("09 10", chat.Bars, 1, 2), "आशा"), "आशा, 09 to 10: highest 2 at 10, lowest 1 at 09."},
		{with(one("09 10", chat.Bars, 1, 2), "Per hour", "calls"), "Offered, 09 to 10, in calls: highest 2 at 10, lowest 1 at 09."},
		{with(one("09 10", chat.Bars, 1, 2), "Calls per hour", "calls"), "Offered, 09 to 10: highest 2 at 10, lowest 1 at 09."},
		{with(one("09 10", chat.Bars, 65, 252), "Offered talk", seconds), "09 to 10: highest 4:12 at 10, lowest 1:05 at 09."},
		{one("09 10 11", chat.Bars, 4, 4, na), "09 to 11: 4 throughout; no data at 11."},
		{one("09 10 11", chat.Bars, 0, 0, 0), "09 to 11: 0 throughout."},
		{one("09 10 11", chat.Bars, na, 0, na), "09 to 11: 0 at 10; no data at 09 and 11."},
		{one("09", chat.Bars, 4), "4 at 09."},
		{one("09", chat.Bars, na), "No data."},
		{one("09 10", chat.Bars, na, na), "09 to 10: no data."},
		{chat.Chart{}, "No data."},
		{chat.Chart{Labels: []string{"09"}}, "No data."},
		{one("a b c d e f g h i", chat.Bars, 1, na, na, na, 1, na, na, 1, 2), "A to i: highest 2 at i, lowest 1 at a, e and h; no data at b to d, f and g."},
		{one("a b c d e f g h", chat.Bars, 1, na, 1, na, 1, na, 1, na), "A to h: 1 throughout; no data at 4 of 8 points."},
		{one("a b c d e f", chat.Bars, 1, na, na, na, 2, na), "A to f: highest 2 at e, lowest 1 at a; no data at b to d and f."},
		{two("09 10 11", chat.Bars, []float64{5, 9, na}, []float64{1, na, na}), "09 to 11: Offered highest 9 at 10, lowest 5 at 09; Missed 1 at 09, no data at 10; no data at 11."},
		{named(two("09", chat.Bars, []float64{5}, []float64{na}), "", ""), "Series 1 5 at 09; series 2 no data."},
		{chat.Chart{Labels: []string{"", ""}, Series: []chat.Series{{Points: points(1, 2)}}}, "Point 1 to point 2: highest 2 at point 2, lowest 1 at point 1."},
		{one("09 10", chat.Bars, 1, math.Inf(1)), "09 to 10: 1 at 09; no data at 10."},
		{chat.Chart{Labels: []string{"09", "10"}, Series: []chat.Series{{Points: points(1)}}}, "09 to 10: 1 at 09; no data at 10."},
	} {
		if got := Alt(c.chart); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestLeftOut fails if something is cut silently.
func TestLeftOut(t *testing.T) {
	c := chat.Chart{Labels: strings.Fields(strings.Repeat("x ", 25)), Series: make([]chat.Series, 8)}
	for i := range c.Series {
		c.Series[i].Points = points(make([]float64, 25)...)
	}
	for form, got := range map[string]string{"text": Text(c, 80), "words": Alt(c)} {
		if !strings.Contains(got, "+5 more, +2 more series") {
			t.Errorf("%s does not say what was left out:\n%s", form, got)
		}
	}
}

// TestAltIsBounded gives it the longest of everything.
func TestAltIsBounded(t *testing.T) {
	long := strings.Repeat("long ", 1000)
	c := chat.Chart{Title: long, Unit: long, Labels: make([]string, 20), Series: make([]chat.Series, 6)}
	for i := range c.Labels {
		c.Labels[i] = long
	}
	for i := range c.Series {
		c.Series[i] = chat.Series{Name: long, Points: points(-1e14/3, 1e14/3, na, 1, 2, na, 4, na, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)}
	}
	if n := utf8.RuneCountInString(Alt(c)); n > maxAlt || n < 900 {
		t.Errorf("%d characters", n)
	}
}
