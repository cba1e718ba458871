package alert

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// The model check: random steps, stored and read back after every one, against
// a reference model written from the specification's table with other means.
// The model counts seconds, keeps the judged samples of the running stretch and
// adds the credit up from them each time.

// modelRule is what a rule means to the model: breach at 6 and more, clear at 3
// and less, or one higher for another version of the rule.
type modelRule struct {
	enabled       bool
	version       int // another version is another rule
	forS, keepS   int
	text          int
	enter, leave_ int
}

// modelInput is one sample in the model's words.
type modelInput struct {
	now, at, value, poll int
	data                 Data
	reset, warm          bool
	start, end           int // the shift
}

type judged struct{ at, value, cap int }

// model is the reference: phase, reason, episode number.
type model struct {
	phase, reason string
	episode, next int // 0 = none
	rule          modelRule
	stretch       []judged // judged samples since credit started
	base          int      // credit before the stretch
	lastAt, seen  int
	absent        int
}

func (m *model) credit(good func(int) bool) int {
	sum := m.base
	for i := 1; i < len(m.stretch); i++ {
		a, b := m.stretch[i-1], m.stretch[i]
		if good(a.value) && good(b.value) {
			sum += min(max(b.at-a.at, 0), b.cap)
		}
	}
	return sum
}

// step returns what happened: "" or "reason", and "fire" or "resolve".
func (m *model) step(r modelRule, x modelInput) (reason, notice string) {
	end := func(reason string) (string, string) {
		if m.episode != 0 {
			notice = "resolve"
		}
		m.phase, m.reason, m.episode, m.stretch, m.base, m.absent = "inactive", reason, 0, nil, 0, 0
		return reason, notice
	}
	breach, clear := x.value >= r.enter, x.value <= r.leave_
	data := x.data
	if data == Fresh && x.now-x.at > 3*x.poll {
		data = Stale
	}
	if m.phase != "inactive" {
		switch old := m.rule; {
		case !r.enabled:
			return end("disabled")
		case old.version != r.version:
			return end("rule_changed")
		case old != r:
			m.rule = r
			if m.phase == "firing" && m.credit(func(v int) bool { return v >= r.enter }) < r.forS {
				m.phase, m.reason = "pending", "rule_edited"
			}
			return "rule_edited", ""
		}
	}
	ordered := x.at <= x.now+2*x.poll && (x.at > m.seen || m.seen > x.now+2*x.poll)
	if ordered {
		m.seen = x.at
		if data == Absent && m.phase != "inactive" {
			m.absent++
		}
		if data == Fresh {
			m.absent = 0
		}
	}
	fresh := ordered && data == Fresh
	if m.phase != "inactive" && (fresh || !x.warm) {
		if m.absent >= 3 {
			return end("missing")
		}
		if x.now-m.lastAt > 24*3600 || m.lastAt < x.start && x.now-m.lastAt > 3*x.poll || !fresh && x.now > x.end {
			return end("expired_no_data")
		}
	}
	if !fresh || !r.enabled {
		return "", ""
	}
	m.lastAt = x.at
	here := judged{x.at, x.value, 2 * x.poll}
	if m.phase != "inactive" && x.reset && !breach {
		return end("counter_reset")
	}
	move := func(phase, reason string) (string, string) {
		m.phase, m.reason = phase, reason
		return reason, notice
	}
	fire := func(reason string) (string, string) {
		if m.episode == 0 {
			m.next++
			m.episode, notice = m.next, "fire"
		}
		return move("firing", reason)
	}
	m.stretch = append(m.stretch, here)
	switch m.phase {
	case "inactive":
		m.stretch, m.base = []judged{here}, 0
		if !breach || x.reset {
			return "", ""
		}
		m.rule = r
		if r.forS == 0 {
			return fire("breached")
		}
		return move("pending", "breached")
	case "pending":
		if !breach {
			return end("cleared")
		}
		if m.credit(func(v int) bool { return v >= r.enter }) >= r.forS {
			return fire("held")
		}
	case "firing":
		if clear {
			m.stretch, m.base = []judged{here}, 0
			if r.keepS == 0 {
				return end("recovered")
			}
			return move("recovering", "clearing")
		}
	case "recovering":
		if !clear {
			m.stretch, m.base = []judged{here}, r.forS
			return move("firing", "relapsed")
		}
		if m.credit(func(v int) bool { return v <= r.leave_ }) >= r.keepS {
			return end("recovered")
		}
	}
	return "", ""
}

// world makes random inputs.
type world struct {
	rng              *rand.Rand
	now, start, end  int
	value, poll, run int // run: steps for which the value stays on its side
	mood             Data
	rules            map[modelRule]*Rule
	rule             modelRule
}

func (w *world) next() modelInput {
	w.run--
	if w.run < 0 {
		w.run = w.rng.IntN(9)
		w.value = w.rng.IntN(10)
		w.mood = Fresh
		if w.rng.IntN(5) == 0 {
			w.mood = Data(w.rng.IntN(5))
		}
	}
	steps := []int{60, 60, 60, 60, 60, 60, 60, 60, 59, 61, 120, 121, 300, 1800}
	w.now += steps[w.rng.IntN(len(steps))]
	switch w.rng.IntN(400) {
	case 0:
		w.now += 90000 // a night and a day without us
	case 1:
		w.now -= 3600 // the clock is set back
	case 2:
		w.poll = []int{15, 60, 75}[w.rng.IntN(3)]
	}
	for w.now > w.end+600 {
		w.start = w.now - w.rng.IntN(600)
		w.end = w.start + 3600*(1+w.rng.IntN(30))
	}
	x := modelInput{now: w.now, at: w.now, value: w.value, poll: w.poll, data: w.mood, start: w.start, end: w.end}
	x.value = min(max(x.value+w.rng.IntN(3)-1, 0), 10)
	x.reset = w.rng.IntN(40) == 0
	x.warm = w.rng.IntN(20) == 0
	switch w.rng.IntN(30) {
	case 0:
		x.at -= w.rng.IntN(400) // late, or stale
	case 1:
		x.at += w.rng.IntN(4 * w.poll) // early, or from the future
	case 2:
		x.data = Data(w.rng.IntN(5))
	}
	if w.rng.IntN(60) == 0 {
		w.edit()
	}
	return x
}

// edit changes the rule as a person would.
func (w *world) edit() {
	r := &w.rule
	switch w.rng.IntN(9) {
	case 0, 6, 7, 8:
		r.forS = []int{0, 60, 120, 121, 600}[w.rng.IntN(5)]
	case 1:
		r.keepS = []int{0, 60, 120, 300}[w.rng.IntN(4)]
	case 2:
		r.text++
		r.text %= 2
	case 3:
		r.version = 1 - r.version
		r.enter, r.leave_ = 6+r.version, 3+r.version
	case 4:
		r.enabled = false
	default:
		r.enabled = true
	}
}

// compiled returns the real rule of the model's rule.
func (w *world) compiled(t *testing.T) *Rule {
	if r := w.rules[w.rule]; r != nil {
		return r
	}
	m := w.rule
	r, err := Compile(RuleSpec{
		Name: "busy", Enabled: new(m.enabled),
		When: fmt.Sprintf("calls >= %d", m.enter), Clear: fmt.Sprintf("calls <= %d", m.leave_),
		For: new(time.Duration(m.forS) * time.Second), KeepFiringFor: new(time.Duration(m.keepS) * time.Second),
		Message: fmt.Sprintf("text %d", m.text),
	}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	w.rules[w.rule] = r
	return r
}

func (x modelInput) sample(r *Rule) Sample {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	return r.Judge(Sample{
		Point: Point{At: at(x.at)}, Data: x.data, Reset: x.reset, Subject: "a1",
		Round: Round{Now: at(x.now), Poll: time.Duration(x.poll) * time.Second, Warm: x.warm, Shift: Shift{at(x.start), at(x.end)}},
	}, table{{Metric: "calls"}: float64(x.value)})
}

func TestModel(t *testing.T) {
	steps := 125_000
	if testing.Short() || raceEnabled {
		steps = 12_500
	}
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			checkModel(t, seed, steps)
		})
	}
}

func checkModel(t *testing.T, seed uint64, steps int) {
	w := &world{rng: rand.New(rand.NewPCG(seed, 7)), now: 1_800_000_000, poll: 60, rules: map[modelRule]*Rule{}}
	w.rule = modelRule{enabled: true, forS: 120, keepS: 120, enter: 6, leave_: 3}
	m := &model{phase: "inactive"}
	var stays, restarts State
	episodes := map[string]int{}
	seen := map[string]int{}
	var budget Budget
	tells := map[int]int{} // first fires by the shift's start
	for i := range steps {
		x := w.next()
		r := w.compiled(t)
		reason, notice := m.step(w.rule, x)
		var c, c2 Change
		before := stays
		stays, c = r.Step(stays, x.sample(r))
		restarts, c2 = r.Step(reread(t, restarts), x.sample(r))
		if stays != restarts || c != c2 {
			t.Fatalf("step %d: a restart changes the outcome:\n%+v %+v\n%+v %+v", i, stays, c, restarts, c2)
		}
		if again, c3 := r.Step(before, x.sample(r)); again != stays || c3 != c {
			t.Fatalf("step %d: the same step twice differs", i)
		}
		told := map[bool]string{c.Fire: "fire", c.Resolve: "resolve"}[true]
		if string(c.Reason) != reason || told != notice || stays.Phase.String() != m.phase ||
			m.phase != "inactive" && string(stays.Reason) != m.reason {
			t.Fatalf("step %d, %+v\nrule %+v\nfrom %+v\ngot  %s %q %q\nwant %s %q %q", i, x, w.rule, before, stays.Phase, c.Reason, told, m.phase, reason, notice)
		}
		if stays.Episode != "" {
			if n, ok := episodes[stays.Episode]; ok && n != m.episode || m.episode == 0 {
				t.Fatalf("step %d: episode %s is the model's %d and %d", i, stays.Episode, n, m.episode)
			}
			episodes[stays.Episode] = m.episode
		}
		if notice == "fire" {
			budget = checkBudget(t, budget, x.start, tells)
		}
		seen[reason+" "+notice]++
	}
	// The walk is worth something only if it went everywhere.
	for _, want := range []string{
		"breached ", "breached fire", "held fire", "held ", "cleared ", "cleared resolve", "clearing ", "relapsed ",
		"recovered resolve", "missing resolve", "expired_no_data resolve", "counter_reset resolve",
		"rule_changed resolve", "rule_edited ", "disabled resolve",
	} {
		if seen[want] == 0 && steps > 100_000 {
			t.Errorf("no step led to %q", want)
		}
	}
}

// checkBudget decides on a first fire, and compares with a count by shift.
func checkBudget(t *testing.T, b Budget, shift int, tells map[int]int) Budget {
	b, outcome := reread(t, b).First(time.Unix(int64(shift), 0), false)
	if told := outcome == Tell; told != (tells[shift] < 2) {
		t.Fatalf("first fire %d of a shift: %s", tells[shift]+1, outcome)
	}
	tells[shift]++
	return b
}

// reread stores a value and reads it back, as a restart does.
func reread[T any](t *testing.T, v T) T {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return out
}
