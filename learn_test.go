package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
)

// lessons of a simulated agent's hour.
func learnHour(t *testing.T, change func(minute int, row map[string]string)) learned {
	t.Helper()
	floor := sim.New(sim.Config{Seed: 1})
	start := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	var series []dashboard.Counters
	for minute := range 61 {
		at := start.Add(time.Duration(minute) * time.Minute)
		row, err := floor.Row(floor.Agents()[0].UserID, at)
		if err != nil || row == nil {
			t.Fatal(row, err)
		}
		change(minute, row)
		c := dashboard.Counters{Row: map[string]dashboard.Value{}, At: at, Date: at}
		for key, text := range row {
			c.Row[key] = dashboard.ValueOf(text)
		}
		series = append(series, c)
	}
	return learn(stats.Defaults(), series)
}

func keys(list []stats.Metric) string {
	var names []string
	for _, m := range list {
		names = append(names, m.Key)
	}
	return strings.Join(names, " ")
}

// TestLearn: what moves like its default reading is proposed, what does not is
// not.
func TestLearn(t *testing.T) {
	l := learnHour(t, func(int, map[string]string) {})
	got := keys(l.proposals())
	for _, key := range []string{"TH", "aTT", "C", "tC", "HT", "l.duration"} {
		if !strings.Contains(" "+got+" ", " "+key+" ") {
			t.Errorf("%s behaves as its reading says and is not proposed: %s", key, got)
		}
	}
	if strings.Contains(got, "ATT ") || strings.Contains(got, " I") {
		t.Errorf("a flag or a gauge is proposed: %s", got)
	}
	if !strings.Contains(l.age, "it is the age of the login") {
		t.Error(l.age)
	}
	var out bytes.Buffer
	l.report(&out)
	l.yaml(&out)
	for _, want := range []string{"61 snapshots", "only rose", "{key: TH, confirmed: true}", "Compare each with the dashboard"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
}

// TestLearnContradicted: a key that behaves otherwise is not proposed.
func TestLearnContradicted(t *testing.T) {
	l := learnHour(t, func(minute int, row map[string]string) {
		row["TH"] = fmt.Sprint(5 + minute%7)
		row["MH"] = fmt.Sprint(minute)
		row["l"] = fmt.Sprintf(`{"type":"Web","duration":["%d","0","0"]}`, minute)
		row["queue<\x1b[2J"] = "4"
	})
	if got := keys(l.proposals()); strings.Contains(got, "TH") || strings.Contains(got, "MH") || strings.Contains(got, "l.duration") {
		t.Errorf("proposed all the same: %s", got)
	}
	if l.missedFits || !strings.Contains(l.age, "read it otherwise") {
		t.Errorf("missed %v, age %q", l.missedFits, l.age)
	}
	var out bytes.Buffer
	l.report(&out)
	if !strings.Contains(out.String(), "queue<") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("a new key is not shown, or drives the terminal:\n%q", out.String())
	}
}
