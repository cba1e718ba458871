package alert

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr"
)

// facts are the values that conditions of these tests read.
var facts = table{
	{Metric: "offered"}: 20, {Metric: "missed"}: 5, {Metric: "calls"}: 12, {Metric: "avg_talk"}: 252.5,
	{Metric: "idle"}: 9, {Metric: "mobile_login"}: 0, {Metric: NameLoggedIn}: 1, {Metric: NameShiftMinutes}: 60,
	{Metric: NameAnswered}: 15, {Metric: NameMissRate}: 0.25, {Metric: NameLoginHours}: 69.25,
	{"missed", 30 * time.Minute}: 3, {"offered", 30 * time.Minute}: 11, {"missed", time.Hour}: 4,
}

func TestConditions(t *testing.T) {
	tests := []struct {
		when string
		want bool
	}{
		{`missed >= 5`, true},
		{`missed > 5`, false},
		{`missed < 5.5 && calls == 12`, true},
		{`not (missed < 5) and calls != 12 or idle <= 9`, true},
		{`!logged_in`, false},
		{`logged_in == true && mobile_login != true`, true},
		{`logged_in != mobile_login`, true},
		{`increase(missed, "30m") >= 3`, true},
		{`increase(missed, '30m') >= 3`, true},
		{`increase(missed, "30m") + increase(missed, "1h") == 7`, true},
		{`increase(answered, "30m") == 8`, true},
		{`missed / 2 == 2.5`, true},
		{`missed / (2 * 5) == 0.5`, true},
		{`-missed < -4`, true},
		{`+missed == 5`, true},
		{`missed - calls * 2 == -19`, true},
		{`2 < missed`, true},
		{`2 < missed < 5`, false},
		{`2 < missed <= 5`, true},
		{`miss_rate > 0.2 && login_hours > 69`, true},
		{`missed > 1e300`, false},
		{`missed > 0x4`, true},
		{"missed >\n 4", true},
		{`(((missed)) > 4)`, true},
	}
	for _, tt := range tests {
		r := mustCompile(t, RuleSpec{When: tt.when})
		x := r.Judge(Sample{}, facts)
		if x.Data != Fresh || x.Breach != tt.want || x.Clear == tt.want {
			t.Errorf("%s: %+v, want breach %v", tt.when, x, tt.want)
		}
		again := mustCompile(t, RuleSpec{When: r.When})
		if again.When != r.When || again.revision != r.revision {
			t.Errorf("%s: canonical text %s becomes %s", tt.when, r.When, again.When)
		}
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		when   string
		column int
		want   string // part of the message
	}{
		{`calls_per_hr < 5`, 1, "did you mean calls_per_hour?"},
		{`missed > 3 && mised > 2`, 15, "did you mean missed?"},
		{`xyzzy > 2`, 1, "there is no metric xyzzy; there are answered, avg_talk,"},
		{`hold > 2`, 1, "set confirmed: true for key HT under dashboard.metrics after `floorwalker doctor learn` agrees"},
		{`agents > 2`, 1, "in team rules only"},
		{`shift_left > 2`, 1, "no metric shift_left"},
		{`source_minutes > 2`, 1, "no metric source_minutes"},
		{`calls_by_type > 2`, 1, "is of kind map"},
		{`missed`, 1, "not a condition"},
		{`missed + 2`, 1, "not a condition"},
		{`1 < 2`, 1, "reads no metric"},
		{`missed > 3 && calls`, 12, "condition on both sides"},
		{`logged_in > 3`, 11, "number on both sides"},
		{`logged_in == 1`, 11, "number on one side"},
		{`!missed`, 1, "wants a condition"},
		{`!missed > 3`, 1, "wants a condition"},
		{`-logged_in`, 1, "wants a number"},
		{`missed / calls > 2`, 8, "constant other than 0"},
		{`missed / 0 > 2`, 8, "constant other than 0"},
		{`missed / (1 - 1) > 2`, 8, "constant other than 0"},
		{`missed = 3`, 8, "= does not compare; write =="},
		{`missed => 3`, 8, "=> does not compare; write >="},
		{`missed =< 3`, 8, "=< does not compare; write <="},
		{`increase(missed, 30m) > 3`, 20, "30m is not a number; a span of time is in quotes"},
		{`missed >`, 9, "ends too early"},
		{`(missed > 3`, 12, "ends too early"},
		{`missed > 3)`, 11, "unexpected )"},
		{``, 0, "needs a condition"},
		{`missed > 3; calls > 2`, 0, "not part of the language"},
		{`missed matches "a"`, 8, "matches is not part of the language"},
		{`missed ** 2 > 4`, 8, "** is not part"},
		{`missed % 2 == 1`, 8, "% is not part"},
		{`(missed ?? 2) > 4`, 9, "?? is not part"},
		{`missed in [1, 2]`, 8, "in is not part"},
		{`missed in 1..9`, 8, "in is not part"},
		{`missed not in [1]`, 0, "not part"},
		{`$env.missed > 3`, 0, "not part of the language"},
		{`$env == missed`, 1, "no metric $env"},
		{`missed > 3 ? true : false`, 0, "not part"},
		{`missed.x > 3`, 0, "not part"},
		{`len("abc") > missed`, 1, "len() is not part of the language"},
		{`all(1..1e9, # > missed)`, 1, "all() is not part of the language"},
		{`now() > missed`, 1, "now() is not part"},
		{`missed | abs() > 3`, 0, "not part"},
		{`rate(missed, "30m") > 3`, 1, "the only function is increase"},
		{`let x = missed; x > 3`, 0, "not part"},
		{`nil == missed`, 1, "not part"},
		{`"a" == missed`, 1, "not part"},
		{`increase(missed) > 3`, 1, "a counter and a window"},
		{`increase(missed + 1, "30m") > 3`, 17, "name of a counter"},
		{`increase(missed, 30) > 3`, 18, "window in quotes"},
		{`increase(missed, "30 minutes") > 3`, 18, "not a window"},
		{`increase(missed, "59s") > 3`, 18, "from 1m to 24h"},
		{`increase(missed, "25h") > 3`, 18, "from 1m to 24h"},
		{`increase(avg_talk, "30m") > 3`, 10, "avg_talk is of kind average"},
		{`increase(mised, "30m") > 3`, 10, "did you mean missed?"},
		{`missed > 1e999`, 0, "invalid float"},
		{`ключ > 3 && mised > 1`, 1, "no metric ключ"},
		{"missed > 3 // many\n && calls > 3", 0, "no comments"},
		{`missed > 3 /* many */ && calls > 3`, 12, "no comments"},
		{`missed > 3 && "ключ" == "é" && mised > 1`, 15, "not part"},
		{strings.Repeat("!", 100_000) + "missed", 1, "at most 512"},
	}
	for _, tt := range tests {
		_, err := Compile(RuleSpec{Name: "r", When: tt.when}, testEnv)
		faults, ok := errors.AsType[Faults](err)
		if !ok || len(faults) != 1 {
			t.Errorf("%.60s: %v, want one fault", tt.when, err)
			continue
		}
		f := faults[0]
		if !strings.Contains(f.Message, tt.want) || tt.column != 0 && f.Column != tt.column || f.Field != "when" || f.Rule != "r" {
			t.Errorf("%.60s: %+v, want column %d and %q", tt.when, f, tt.column, tt.want)
		}
	}
}

func TestTooManyValues(t *testing.T) {
	var parts []string
	for i := range maxNeeds + 1 {
		parts = append(parts, fmt.Sprintf(`increase(missed,"%dm")`, i+1))
	}
	mustCompile(t, RuleSpec{When: strings.Join(parts[1:], "+") + " > 3"})
	_, err := Compile(RuleSpec{Name: "r", When: strings.Join(parts, "+") + " > 3"}, testEnv)
	if err == nil || !strings.Contains(err.Error(), "more than 16") {
		t.Errorf("got %v", err)
	}
}

func TestScopes(t *testing.T) {
	// A flag of a team is the number of its agents.
	r := mustCompile(t, RuleSpec{Scope: "team", When: `logged_in < agents / 2 && reporting > 3`})
	if x := r.Judge(Sample{}, table{{Metric: NameLoggedIn}: 3, {Metric: NameAgents}: 8, {Metric: NameReporting}: 4}); !x.Breach {
		t.Errorf("got %+v", x)
	}
	if _, err := Compile(RuleSpec{Name: "r", Scope: "team", When: `!logged_in`}, testEnv); err == nil {
		t.Error("a team's logged_in passed as true or false")
	}
	// A dictionary in which nothing is confirmed has the clock and the login only.
	bare := NewEnv([]Metric{{Name: "missed", Key: "MH", Kind: Counter}, {Name: "offered", Key: "TH", Kind: Counter}})
	for when, want := range map[string]string{
		`!logged_in && shift_minutes > 5 && login_hours > 3`: "",
		`answered > 3`:                 "for keys TH and MH under",
		`calls_per_hour < 3`:           "for keys TH and MH under",
		`increase(answered, "1h") < 3`: "for key TH under",
		`increase(missed, "1h") < 3`:   "for key MH under",
	} {
		_, err := Compile(RuleSpec{Name: "r", When: when}, bare)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", when, err, want)
		}
		if _, err := Compile(RuleSpec{Name: "r", When: when, Enabled: new(false)}, bare); err != nil {
			t.Errorf("switched off, %s is refused: %v", when, err)
		}
	}
	if _, err := Compile(RuleSpec{Name: "r", When: "answered > 3"}, NewEnv(nil)); err == nil || !strings.Contains(err.Error(), "needs a metric named offered") {
		t.Errorf("got %v", err)
	}
}

func TestNoData(t *testing.T) {
	for _, when := range []string{`!(missed > 5)`, `logged_in || missed > 5`, `missed != missed`} {
		r := mustCompile(t, RuleSpec{When: when})
		if x := r.Judge(Sample{}, table{{Metric: NameLoggedIn}: 1}); x.Data != NoData || x.Breach || x.Clear {
			t.Errorf("%s with missing values: %+v", when, x)
		}
	}
	// Neither an infinity nor what follows from one is ever compared.
	for _, when := range []string{`missed * 1e308 * 1e308 > 3`, `!(missed * 1e308 * 1e308 - missed * 1e308 * 1e308 > 3)`} {
		if x := mustCompile(t, RuleSpec{When: when}).Judge(Sample{}, facts); x.Data != NoData {
			t.Errorf("%s: %+v", when, x)
		}
	}
	// clear reads a value of its own: it counts too.
	r := mustCompile(t, RuleSpec{When: `missed > 5`, Clear: `calls < 3`})
	if x := r.Judge(Sample{}, table{{Metric: "missed"}: 7}); x.Data != NoData {
		t.Errorf("with a value of clear missing: %+v", x)
	}
}

func TestAbsentIsDataForPresenceRules(t *testing.T) {
	lost := mustCompile(t, RuleSpec{When: `!logged_in && shift_minutes > 30`})
	if x := lost.Judge(Sample{Data: Absent}, facts); x.Data != Fresh || !x.Breach {
		t.Errorf("got %+v", x)
	}
	if x := lost.Judge(Sample{Data: Failed}, facts); x.Data != Failed {
		t.Errorf("a failed poll became %+v", x)
	}
	mixed := mustCompile(t, RuleSpec{When: `!logged_in && missed > 3`})
	if x := mixed.Judge(Sample{Data: Absent}, facts); x.Data != Absent {
		t.Errorf("got %+v", x)
	}
}

func TestShown(t *testing.T) {
	tests := []struct {
		when, unit string
		value      float64
		limit      float64
	}{
		{`increase(missed, "30m") >= 3`, UnitCount, 3, 3},
		{`logged_in && avg_talk > 240 && missed > 2`, UnitSeconds, 252.5, 240},
		{`10 < idle`, UnitMinutes, 9, 10},
		{`missed > calls`, UnitCount, 5, 12},
		{`!(missed + offered < 30)`, UnitCount, 25, 30},
		{`missed + idle < 30`, UnitNone, 14, 30},
		{`avg_talk * 2 > 500`, UnitNone, 505, 500},
		{`5 + -avg_talk > 500`, UnitSeconds, -247.5, 500},
	}
	for _, tt := range tests {
		r := mustCompile(t, RuleSpec{When: tt.when})
		x := r.Judge(Sample{}, facts)
		unit, ok := r.Shown()
		limit, ok2 := r.Threshold(facts)
		if !ok || !ok2 || unit != tt.unit || x.Value != tt.value || limit != tt.limit {
			t.Errorf("%s: %v %s, limit %v; want %+v", tt.when, x.Value, unit, limit, tt)
		}
	}
	r := mustCompile(t, RuleSpec{When: `!mobile_login`})
	if _, ok := r.Shown(); ok {
		t.Error("a rule without numbers shows one")
	}
	if x := r.Judge(Sample{}, facts); x.Value != 1 {
		t.Errorf("got %+v", x)
	}
}

func TestClear(t *testing.T) {
	for _, tt := range []struct {
		when, clear string
		ok          bool
	}{
		{`missed >= 3`, `missed <= 1`, true},
		{`missed >= 3`, `missed < 3`, true},
		{`missed >= 3`, `missed <= 3`, false},
		{`missed >= 3`, `missed < 5`, false},
		{`missed >= 3`, `5 > missed`, false},
		{`missed < 3`, `missed > 2`, false},
		{`missed < 3`, `missed >= 3`, true},
		{`missed == 3`, `missed != 3`, true},
		{`missed >= 3`, `calls < 3`, true},
		{`missed >= 3 && calls > 1`, `missed < 5`, true}, // not seen here; a breach wins when it happens
	} {
		_, err := Compile(RuleSpec{Name: "r", When: tt.when, Clear: tt.clear}, testEnv)
		if (err == nil) != tt.ok {
			t.Errorf("when %s clear %s: %v", tt.when, tt.clear, err)
		}
	}
	r := mustCompile(t, RuleSpec{When: `missed >= 3 && calls > 1`, Clear: `missed < 9`})
	if x := r.Judge(Sample{}, facts); !x.Breach || x.Clear {
		t.Errorf("a value that does both: %+v", x)
	}
}

// TestAgainstLibrary evaluates random conditions with the expression library's
// own machine too.
func TestAgainstLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		source := randomTruth(rng, 4)
		if len(source) > maxSource {
			continue
		}
		r, err := Compile(RuleSpec{Name: "r", When: source}, testEnv)
		if err != nil {
			if !strings.Contains(err.Error(), "reads no metric") {
				t.Fatalf("%s: %v", source, err)
			}
			continue
		}
		compareWithLibrary(t, source, r)
	}
}

var increaseCall = regexp.MustCompile(`increase\(\s*(\w+)\s*,\s*["'](\w+)["']\s*\)`)

// compareWithLibrary runs a source with expr and compares the outcomes.
func compareWithLibrary(t *testing.T, source string, r *Rule) {
	t.Helper()
	env := map[string]any{}
	for n, v := range facts {
		if n.Window == 0 {
			env[n.Metric] = v
		}
	}
	env["logged_in"], env["mobile_login"] = true, false
	env["increase"] = func(v float64, window string) float64 {
		name := map[float64]string{20: "offered", 5: "missed", 15: "answered"}[v]
		w, _ := parseWindow(window)
		if name == NameAnswered {
			return facts[Need{"offered", w}] - facts[Need{"missed", w}]
		}
		return facts[Need{name, w}]
	}
	program, err := expr.Compile(source, expr.Env(env), expr.AsBool())
	if err != nil {
		t.Fatalf("the library refuses %s: %v", source, err)
	}
	got, err := expr.Run(program, env)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	if x := r.Judge(Sample{}, facts); x.Data == Fresh && x.Breach != got.(bool) {
		t.Errorf("%s: we say %v, the library %v", source, x.Breach, got)
	}
}

// randomTruth writes a random condition.
func randomTruth(rng *rand.Rand, depth int) string {
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	if depth == 0 {
		return pick("logged_in", "mobile_login", "true", "missed > 3", "idle<=9")
	}
	a, b := randomTruth(rng, depth-1), randomTruth(rng, depth-1)
	switch rng.IntN(6) {
	case 0:
		return "(" + a + pick(" && ", " || ", " and ", " or ") + b + ")"
	case 1:
		return a + pick(" && ", " and ") + b
	case 2:
		return pick("!", "not ") + "(" + a + ")"
	case 3:
		return "(" + a + ")" + pick("==", "!=") + "(" + b + ")"
	default:
		return randomNumber(rng, depth-1) + pick("<", "<=", ">", ">=", "==", "!=") + randomNumber(rng, depth-1)
	}
}

// randomNumber writes a random number.
func randomNumber(rng *rand.Rand, depth int) string {
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	if depth == 0 {
		return pick("missed", "calls", "offered", "avg_talk", `increase(missed, "30m")`, `increase( answered , '30m' )`, "3", "0.5", "1e2")
	}
	a, b := randomNumber(rng, depth-1), randomNumber(rng, depth-1)
	switch rng.IntN(5) {
	case 0:
		return "-(" + a + ")"
	case 1:
		return "(" + a + ")/" + pick("2", "0.25", "(3+1)")
	default:
		return "(" + a + pick(" + ", " - ", "*") + b + ")"
	}
}

// FuzzCompile looks for a source that hangs, panics, or passes and then means
// something else to the library.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`missed > 3`, `increase(missed, "30m") >= 3 && !(calls < 5)`, `all(1..1e9, all(1..1e9, # > 1))`, strings.Repeat("!", 500) + "logged_in",
		strings.Repeat("(", 500), `$env`, `missed ?? 1 > 2`, `2 ** missed > 1`, `missed matches "(a+)+$"`, `let a = missed; a > 1`,
		`if missed > 1 { true } else { false }`, `[1,2][missed] > 1`, `{"a": missed}.a > 1`, "missed > 1 // x", "\x00", `1_0 < missed`, `missed | abs`,
		`#missed > 1`, `::len("a")`, `missed?.a`, "`a` == missed", `1 < missed < 3 > 2`, `-9223372036854775808 < missed`, `not not logged_in`, `b"x"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		r, err := Compile(RuleSpec{Name: "r", When: source}, testEnv)
		if err != nil {
			faults, ok := errors.AsType[Faults](err)
			if !ok || len(faults) == 0 || faults[0].Message == "" || faults[0].Column < 0 || faults[0].Column > 1+utf8.RuneCountInString(source) {
				t.Fatalf("%q: %#v", source, err)
			}
			return
		}
		again, err := Compile(RuleSpec{Name: "r", When: r.When}, testEnv)
		if err == nil && again.revision != r.revision {
			t.Fatalf("%q: canonical text %q means something else", source, r.When)
		}
		x := r.Judge(Sample{}, facts)
		if x.Data == Fresh && !finite(x.Value) {
			t.Fatalf("%q shows %v", source, x.Value)
		}
		// The library reads lone literals as integers, which wrap and are exact.
		if !regexp.MustCompile(`\d[\d_]{14,}|0[xbo]`).MatchString(source) && (!strings.Contains(source, "increase") || increaseCall.MatchString(source)) {
			compareWithLibrary(t, strings.TrimSpace(source), r)
		}
	})
}
