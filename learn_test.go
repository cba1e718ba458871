package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
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
	for _, want := range []string{"61 snapshots", "only rose", "as a counter does", "{key: TH, confirmed: true}", "Compare each with the dashboard"} {
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

// TestLearnKinds: what rising means depends on what the key is read as.
func TestLearnKinds(t *testing.T) {
	for _, test := range []struct {
		kind       stats.Kind
		rose, fell int
		want       string
	}{
		{stats.Counter, 0, 0, "did not move"},
		{stats.Counter, 1, 0, "only rose, 1 time: as a counter does"},
		{stats.Map, 2, 0, "only rose, 2 times: as a counter does"},
		{stats.Counter, 2, 1, "rose 2 times, fell 1 time: not a counter, or it started again"},
		{stats.Gauge, 3, 0, "only rose, 3 times; read as a gauge, which says nothing yet"},
		{stats.Average, 3, 0, "only rose, 3 times; read as an average, which says nothing yet"},
		{stats.Gauge, 1, 2, "rose 1 time, fell 2 times"},
		{"", 3, 0, "only rose, 3 times"},
	} {
		l := lesson{moved: test.rose + test.fell, rose: test.rose, fell: test.fell}
		if got := l.behaviour(test.kind); got != test.want {
			t.Errorf("%q, %d up, %d down: %q, want %q", test.kind, test.rose, test.fell, got, test.want)
		}
	}
}

// TestLearnShort: the age of the login takes a minute to show.
func TestLearnShort(t *testing.T) {
	at := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	age := func(after time.Duration, duration string) dashboard.Counters {
		return dashboard.Counters{At: at.Add(after), Row: map[string]dashboard.Value{"l": dashboard.ValueOf(duration)}}
	}
	first := age(0, `{"duration":["0","0","0"]}`)
	l := learn(stats.Defaults(), []dashboard.Counters{first, age(59*time.Second, `{"duration":["0","0","59"]}`)})
	var out bytes.Buffer
	l.report(&out)
	if l.age != "" || len(l.proposals()) > 0 || strings.Contains(out.String(), "MH") {
		t.Errorf("age %q, proposed %s, and\n%s", l.age, keys(l.proposals()), out.String())
	}
	l = learn(stats.Defaults(), []dashboard.Counters{first, age(time.Minute, `{"duration":["0","1","0"]}`)})
	if keys(l.proposals()) != "l.duration" {
		t.Errorf("age %q, proposed %s", l.age, keys(l.proposals()))
	}
}

// watchOf watches an API that refuses some of the calls, counted from 1, until
// the period ends or one call is the last.
func watchOf(t *testing.T, refuse map[int]bool, last int) (w watch, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls := 0
		c := &clerk{http: &http.Client{Transport: direct{operation(func(context.Context, userArgs) (dashboard.Counters, error) {
			calls++
			if calls == last {
				cancel()
			}
			if refuse[calls] {
				return dashboard.Counters{}, fmt.Errorf("call %d is refused", calls)
			}
			return dashboard.Counters{At: time.Now(), Row: map[string]dashboard.Value{"TH": dashboard.ValueOf("1")}}, nil
		})}}}
		p := &program{streams: streams{err: io.Discard}}
		w, err = p.watch(ctx, c, "slack:U1", time.Minute, 4*time.Minute)
	})
	return w, err
}

// TestWatch counts what fails, and says when there is too little.
func TestWatch(t *testing.T) {
	for name, test := range map[string]struct {
		refuse       map[int]bool
		last         int
		series       int
		says, enough string // the report, and the error
	}{
		"all":         {series: 5},
		"two fail":    {refuse: map[int]bool{2: true, 4: true}, series: 3, says: "2 of 5 calls failed, the last with: call 4 is refused\n"},
		"most fail":   {refuse: map[int]bool{2: true, 3: true, 4: true}, series: 2, says: "3 of 5 calls failed, the last with: call 4 is refused\n", enough: "2 snapshots in 4m: nothing can be said from fewer than 3 in 2m"},
		"cut short":   {last: 3, series: 3, says: "Cut short: 3 of 5 calls were made.\n"},
		"cut off":     {last: 1, series: 1, says: "Cut short: 1 of 5 calls were made.\n", enough: "1 snapshot in 0s: nothing can be said"},
		"interrupted": {refuse: map[int]bool{4: true}, last: 4, series: 3, says: "Cut short: 3 of 5 calls were made.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := watchOf(t, test.refuse, test.last)
			if err != nil || len(w.series) != test.series {
				t.Errorf("%d snapshots, %v; want %d", len(w.series), err, test.series)
			}
			var out bytes.Buffer
			w.report(&out)
			if out.String() != test.says {
				t.Errorf("it says %q, want %q", out.String(), test.says)
			}
			err = w.enough(time.Minute)
			if (err != nil) != (test.enough != "") || err != nil && !strings.Contains(err.Error(), test.enough) {
				t.Errorf("enough: %v, want %q", err, test.enough)
			}
		})
	}
	if _, err := watchOf(t, map[int]bool{1: true}, 0); err == nil || err.Error() != "call 1 is refused" {
		t.Errorf("a first call that fails: %v", err)
	}
}

// TestWatchSpan: three snapshots of one moment are one.
func TestWatchSpan(t *testing.T) {
	at := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	for span, enough := range map[time.Duration]bool{0: false, 119 * time.Second: false, 120*time.Second - 200*time.Millisecond: true, 2 * time.Minute: true} {
		w := watch{series: []dashboard.Counters{{At: at}, {At: at}, {At: at.Add(span)}}}
		if err := w.enough(time.Minute); (err == nil) != enough {
			t.Errorf("%s: %v", span, err)
		}
	}
}
