package bot

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"floorwalker/bot/stats"
)

// missing is shown for a number that is not known.
const missing = "–"

// noBreak keeps a sign with its number where a line is wrapped.
const noBreak = "\u00a0"

// show writes a number for people: 42, 4:12, 1.5 h; – for missing, ≈ before an
// estimate.
func show(n stats.Number, unit stats.Unit) string {
	switch n.Quality {
	case stats.Missing:
		return missing
	case stats.Estimated:
		return "≈" + noBreak + amount(n.Value, unit)
	}
	return amount(n.Value, unit)
}

// amount writes a known value in its unit.
func amount(v float64, unit stats.Unit) string {
	switch unit {
	case stats.Seconds:
		return clock(v)
	case stats.Minutes:
		return decimal(v) + noBreak + "min"
	case stats.Hours:
		return decimal(v) + noBreak + "h"
	}
	return decimal(v)
}

// decimal writes a value with one decimal place, and none if it is whole.
func decimal(v float64) string {
	v = math.Round(v*10) / 10
	if v == 0 {
		v = 0 // not "-0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// clock writes seconds as 4:12 or 1:04:12.
func clock(seconds float64) string {
	s := int64(math.Round(math.Abs(seconds)))
	sign := ""
	if seconds < 0 && s > 0 {
		sign = "−"
	}
	if s >= 3600 {
		return fmt.Sprintf("%s%d:%02d:%02d", sign, s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%s%d:%02d", sign, s/60, s%60)
}

// change writes a difference with its sign: "▲ 3", "▼ 0:12", "" for none.
func change(delta float64, unit stats.Unit) string {
	text := amount(math.Abs(delta), unit)
	switch {
	case text == amount(0, unit):
		return ""
	case delta > 0:
		return "▲" + noBreak + text
	default:
		return "▼" + noBreak + text
	}
}

// percent writes a share as a whole percentage; more than none is never 0%, and
// less than all is never 100%.
func percent(share float64) string {
	p := math.Round(share * 100)
	switch {
	case share > 0 && p == 0:
		return "under 1%"
	case share < 1 && p == 100:
		return "over 99%"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + "%"
}

// roughly writes a duration in one or two units: 40 s, 12 min, 3 h 5 min, 2 days.
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return "a moment"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 72*time.Hour:
		h, min := int(d.Hours()), int(d.Minutes())%60
		if min == 0 {
			return fmt.Sprintf("%d h", h)
		}
		return fmt.Sprintf("%d h %d min", h, min)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// ago writes how long ago something was: "12 min ago", "a moment ago".
func ago(d time.Duration) string {
	if d < 10*time.Second {
		return "a moment ago"
	}
	return roughly(d) + " ago"
}
