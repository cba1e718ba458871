package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// seconds is the unit whose values are written as times, 4:12.
const seconds = "seconds"

// number writes a value for people: 42, 12,345, 1.23M, 0.4; 4:12 for seconds.
func number(v float64, unit string) string {
	sign := ""
	if v < 0 {
		sign = "−"
	}
	v = math.Abs(v) // of "-0" too
	text := decimal(v)
	if unit == seconds && v < 360_000 { // a hundred hours
		text = clock(v)
	}
	if text == "0" || text == "0:00" {
		sign = ""
	}
	return sign + text
}

// decimal writes v, which is not negative, with about three digits where it is
// not a whole number.
func decimal(v float64) string {
	const million, billion, trillion = 1e6, 1e9, 1e12
	switch {
	case v >= trillion:
		return short(v/trillion) + "T"
	case v >= billion:
		return short(v/billion) + "B"
	case v >= million:
		return short(v/million) + "M"
	case v != 0 && v < 0.01:
		return strconv.FormatFloat(v, 'g', 1, 64)
	case v < 1000 && v != math.Trunc(v):
		return short(v)
	}
	s := strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	if len(s) > 3 {
		s = s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}

// short writes v with the decimal places that three digits leave, zeros at the
// end left out.
func short(v float64) string {
	places := 2
	switch {
	case v >= 100:
		places = 0
	case v >= 10:
		places = 1
	}
	s := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// clock writes seconds as 4:12 or 1:04:12.
func clock(v float64) string {
	s := int(math.Round(v))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
