package alert

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSeries(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"3":                     "3",
		"3x2":                   "3 3 3",
		"1+2x3":                 "1 3 5 7",
		"-2+4x3 9-1x2":          "-2 2 6 10 9 8 7",
		"0.5-0.25x2":            "0.5 0.25 0",
		"r0 r2x1 4":             "r0 r2 2 4",
		"_ ! ~ absent":          "_ ! ~ absent",
		"_x3 absentx2 true !x1": "_ _ _ absent absent 1 !",
	} {
		cells, err := parseSeries(in)
		var got []string
		for _, c := range cells {
			s := fmt.Sprint(c.value)
			for word, m := range marks {
				if c.mark == m {
					s = word
				}
			}
			if c.reset {
				s = "r" + s
			}
			got = append(got, s)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"x", "1+2", "1+x3", "3x", "3x0", "_x0", "--1", "1e3", "3x99999", "1x6000 1x6000", "_x99999999999999999999", "r_", "1 2,3"} {
		if cells, err := parseSeries(in); err == nil {
			t.Errorf("%q: %v", in, cells)
		}
	}
}

func FuzzSeries(f *testing.F) {
	for _, s := range []string{"3", "1+2x3", "_x3 ! ~ absent", "r0x2", "-0.5-0.5x9", "true"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if cells, err := parseSeries(in); err == nil && len(cells) > maxSeries {
			t.Fatalf("%d values", len(cells))
		}
	})
}

// plainDerive computes what these tests derive: the value now, and the sum of
// rises between good polls of the window, with no data below 80 % of it.
func plainDerive(polls []Poll, round Round) Values { return derived{polls, round} }

type derived struct {
	polls []Poll
	round Round
}

func (d derived) Value(n Need) (float64, bool) {
	if n.Window == 0 {
		v, ok := d.polls[len(d.polls)-1].Values[n.Metric]
		return v, ok
	}
	var sum float64
	var seen time.Duration
	for i := 1; i < len(d.polls); i++ {
		a, b := d.polls[i-1], d.polls[i]
		va, ok := a.Values[n.Metric]
		vb, ok2 := b.Values[n.Metric]
		if !ok || !ok2 || d.round.Now.Sub(a.At) > n.Window {
			continue
		}
		seen += b.At.Sub(a.At)
		if vb >= va {
			sum += vb - va
		}
	}
	return sum, seen >= n.Window*8/10
}

func trialRules(t *testing.T) []*Rule {
	rules, err := Load([]RuleSpec{
		{Name: "missed-burst", When: `increase(missed, "10m") >= 3`, Clear: `increase(missed, "10m") <= 1`, KeepFiringFor: new(5 * time.Minute)},
		{Name: "busy", When: `calls >= 6`, Clear: `calls <= 3`},
		{Name: "thin", Scope: "team", When: `logged_in < 3`},
	}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestRules(t *testing.T) {
	minutes := func(m float64) time.Duration { return at(m).Sub(t0) }
	tests := []Test{
		{
			Name: "a burst of missed calls", Rule: "missed-burst",
			Series: []Series{{"missed", "0x10 1+1x2 3x14"}},
			Expect: []Expect{
				{At: minutes(12), Phase: "inactive"},
				{At: minutes(13), Phase: "pending", Reason: "breached", Value: new(3.0)},
				{At: minutes(14), Phase: "pending"},
				{At: minutes(15), Phase: "firing", Reason: "held"},
				{At: minutes(22), Phase: "recovering", Reason: "clearing", Value: new(1.0)},
				{At: minutes(27), Phase: "inactive", Reason: "recovered", Value: new(0.0)},
			},
		},
		{Name: "silence", Rule: "busy", Series: []Series{{"calls", "5x20 6 5x3 6 6 5"}}},
		{Name: "the window itself", Rule: "missed-burst", Series: []Series{{"increase(missed, '10m')", "3x3"}}, Expect: []Expect{{At: minutes(2), Phase: "firing"}}},
		{
			Name: "gaps hold", Rule: "busy", Interval: 30 * time.Second,
			Series: []Series{{"calls", "6x4 !x5 ~ _ absent absent 3"}},
			Expect: []Expect{
				{At: minutes(2), Phase: "firing"}, {At: minutes(6.4), Phase: "firing"},
				{At: minutes(6.5), Phase: "firing"}, {At: minutes(7), Phase: "recovering"},
			},
		},
		{Name: "gone", Rule: "busy", Series: []Series{{"calls", "6x2 absentx3"}}, Expect: []Expect{{At: minutes(5), Phase: "inactive", Reason: "missing"}}},
		{Name: "reset", Rule: "busy", Series: []Series{{"calls", "6x2 r0"}}, Expect: []Expect{{At: minutes(3), Phase: "inactive", Reason: "counter_reset"}}},
		{Name: "after the data", Rule: "busy", Series: []Series{{"calls", "6x2"}}, Expect: []Expect{{At: minutes(60), Phase: "firing"}}},
		{
			Name: "shift", Rule: LoginLost, Shift: time.Hour, Series: []Series{{"logged_in", "truex9 falsex20"}},
			Expect: []Expect{{At: minutes(19), Phase: "pending"}, {At: minutes(20), Phase: "firing"}, {At: minutes(61), Phase: "inactive", Reason: "expired_no_data"}},
		},
		{
			Name: "login by answers", Rule: LoginLost, Shift: time.Hour, Series: []Series{{"calls", "0x9 absentx20"}},
			Expect: []Expect{{At: minutes(20), Phase: "firing"}},
		},
		{
			Name: "team", Rule: "thin", Series: []Series{{"agents", "5x9"}, {"reporting", "4x3 3x3 4x3"}, {"logged_in", "2x3 4x3 2x4"}},
			Expect: []Expect{{At: minutes(2), Phase: "firing"}, {At: minutes(5), Phase: "firing", Value: new(2.0)}},
		},
	}
	for _, r := range RunTests(tests, trialRules(t), plainDerive) {
		if len(r.Failures) > 0 {
			t.Errorf("%s: %s", r.Name, strings.Join(r.Failures, "\n"))
		}
	}
}

func TestRulesFailures(t *testing.T) {
	one := []Series{{"calls", "6x5"}}
	for want, tt := range map[string]Test{
		`no rule named "nope"`:                           {Rule: "nope"},
		"at 2m0s: the rule fires, and nothing is":        {Rule: "busy", Series: one},
		"is firing (held), expected pending":             {Rule: "busy", Series: one, Expect: []Expect{{At: 2 * time.Minute, Phase: "pending"}}},
		"is firing (held), expected firing breached":     {Rule: "busy", Series: one, Expect: []Expect{{At: 2 * time.Minute, Phase: "firing", Reason: "breached"}}},
		"the value is 6, expected 7":                     {Rule: "busy", Series: one, Expect: []Expect{{At: 2 * time.Minute, Phase: "firing", Value: new(7.0)}}},
		`"asleep" is not a phase`:                        {Rule: "busy", Series: one, Expect: []Expect{{Phase: "asleep"}}},
		"comes before the one above":                     {Rule: "busy", Series: one, Expect: []Expect{{At: time.Minute, Phase: "firing"}, {Phase: "firing"}}},
		"lies outside the test":                          {Rule: "busy", Series: one, Expect: []Expect{{At: -1, Phase: "firing"}}},
		"write at least 1s":                              {Rule: "busy", Series: one, Interval: 60},
		"series cals: there is no such name":             {Rule: "busy", Series: []Series{{"cals", "6"}}},
		"series agents: there is no such name":           {Rule: "busy", Series: []Series{{"agents", "6"}}},
		"no item of a series":                            {Rule: "busy", Series: []Series{{"calls", "6,7"}}},
		"is there twice":                                 {Rule: "busy", Series: []Series{{`increase(calls,"60m")`, "6"}, {`increase(calls, "1h")`, "6"}}},
		`"1s" is not a window`:                           {Rule: "busy", Series: []Series{{`increase(calls,"1s")`, "6"}}},
		"at 24m0s: the rule fires, and":                  {Rule: LoginStale, Series: []Series{{"login_hours", "23x21 24x9"}}},
		"the rule never had all of its values: it reads": {Rule: "busy", Series: []Series{{"missed", "6x9"}}},
	} {
		got := RunTests([]Test{tt}, trialRules(t), nil)[0]
		if len(got.Failures) != 1 || !strings.Contains(got.Failures[0], want) {
			t.Errorf("got %q, want %q", got.Failures, want)
		}
	}
}

func TestReplay(t *testing.T) {
	r := busy(t, 2, 2)
	calls := []float64{6, 6, 6, 3, 3, 3, 6, 1}
	samples := func(yield func(Sample) bool) {
		for i, v := range calls {
			x := r.Judge(Sample{Point: Point{At: at(float64(i))}, Subject: "a1"}, table{{Metric: "calls"}: v})
			if !yield(x) {
				return
			}
		}
	}
	var got []string
	for x, c := range r.Replay(samples) {
		got = append(got, fmt.Sprint(x.Value, " ", c.Reason))
	}
	if want := []string{"6 breached", "6 held", "3 clearing", "3 recovered", "6 breached", "1 cleared"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for range r.Replay(samples) {
		break // stops early without a panic
	}
}
