package stats_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"floorwalker/bot/stats"
)

// at returns a time of the tests' days: "09:00" of the first, "+1 09:00" of the
// second.
func at(clock string) time.Time {
	days := 0
	if before, after, ok := strings.Cut(clock, " "); ok {
		days, _ = strconv.Atoi(before)
		clock = after
	}
	if len(clock) == 5 {
		clock += ":00"
	}
	t, err := time.Parse(time.DateTime, "2026-03-02 "+clock)
	if err != nil {
		panic(err)
	}
	return t.AddDate(0, 0, days)
}

// polls reads samples: "09:00 TH=5 MH=1". With them may stand out, and date= and
// login= with a time.
func polls(lines ...string) []stats.Sample {
	var samples []stats.Sample
	for _, line := range lines {
		words := strings.Fields(line)
		if strings.Trim(words[0][:1], "+-") == "" {
			words = append([]string{words[0] + " " + words[1]}, words[2:]...)
		}
		s := stats.Sample{Tick: at(words[0])}
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "out":
				s.Out = true
			case "date":
				s.Date = at(strings.ReplaceAll(value, "_", " "))
			case "login":
				s.Login = at(strings.ReplaceAll(value, "_", " "))
			default:
				n, err := strconv.ParseFloat(value, 64)
				if err != nil {
					panic(err)
				}
				s.Values = append(s.Values, stats.Value{Key: key, N: n})
			}
		}
		slices.SortFunc(s.Values, func(a, b stats.Value) int { return strings.Compare(a.Key, b.Key) })
		samples = append(samples, s)
	}
	return samples
}

// confirmed is the default dictionary with all confirmed.
func confirmed() stats.Dictionary {
	d := stats.Defaults()
	for i := range d {
		d[i].Confirmed = true
	}
	return d
}

// series is how the tests read samples: a day of UTC, a poll a minute.
func series() stats.Series { return stats.Series{Dictionary: confirmed()} }

// show writes a number as tests do: 8, ≈8 or –.
func show(n stats.Number) string {
	text := strconv.FormatFloat(n.Value, 'f', -1, 64)
	switch n.Quality {
	case stats.Missing:
		return "–"
	case stats.Estimated:
		return "≈" + text
	}
	return text
}

// showLack writes what a total lacks: "1", "1+2m0s".
func showLack(l stats.Lack) string {
	if l.Time == 0 {
		return fmt.Sprint(l.Count)
	}
	return fmt.Sprintf("%v+%v", l.Count, l.Time)
}

// expect compares what a test writes with what is.
func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %s, want %s", what, got, want)
	}
}
