package alert

import (
	"fmt"
	"iter"
	"regexp"
	"strings"
	"time"
)

// A Test is one trial of one rule: what the polls brought, and what the rule
// must make of it. The tags let the caller decode a list of them.
type Test struct {
	Name     string        `yaml:"name" json:"name"`
	Rule     string        `yaml:"rule" json:"rule"`
	Interval time.Duration `yaml:"interval" json:"interval"` // between polls; default 1m
	Shift    time.Duration `yaml:"shift" json:"shift"`       // length of the shift, which begins with the series; 0 = no end

	// Series has one entry per name. The name may be anything a rule reads,
	// increase(missed, "30m") included; a name that has no series is derived
	// from those that have one. Not given, logged_in follows the answers, and
	// shift_minutes and shift_left follow the clock.
	Series []Series `yaml:"series" json:"series"`

	MinCoverage float64 `yaml:"min_coverage" json:"min_coverage"` // team rules that have agents and reporting; default 0.8

	// Expect says where the rule must stand at given times. Nothing expected
	// asserts silence: the rule must never fire.
	Expect []Expect `yaml:"expect" json:"expect"`
}

// A Series is what the polls brought for one name, in expanding notation: see
// the manual of rules test. After its end values are missing.
type Series struct {
	Name   string `yaml:"name" json:"name"`
	Values string `yaml:"values" json:"values"`
}

// An Expect is where the rule must stand after the last poll at or before At.
// Reason and Value are checked when given.
type Expect struct {
	At     time.Duration `yaml:"at" json:"at"`
	Phase  string        `yaml:"phase" json:"phase"`
	Reason string        `yaml:"reason" json:"reason"`
	Value  *float64      `yaml:"value" json:"value"`
}

// A Poll is what one poll of a test or of stored history brought.
type Poll struct {
	At     time.Time
	Data   Data
	Reset  bool
	Values map[string]float64 // by name; missing values are absent from it
}

// Derive computes values from polls, oldest first, the last one being now. It
// is the arithmetic that watching uses, so that a trial and the floor agree.
type Derive func(polls []Poll, round Round) Values

// A TestResult is the outcome of one Test.
type TestResult struct {
	Name     string
	Rule     string
	Failures []string // a sentence each; none: the test passed
	Changes  []Change // all that happened, in order
}

// RunTests runs every test against the rule it names. derive may be nil: then
// only names with a series have values. An error in a test, such as an unknown
// rule or a malformed series, is a failure of that test.
func RunTests(tests []Test, rules []*Rule, derive Derive) []TestResult {
	out := make([]TestResult, len(tests))
	for i, t := range tests {
		out[i] = TestResult{Name: t.Name, Rule: t.Rule}
		tr, err := newTrial(t, rules, derive)
		if err != nil {
			out[i].Failures = []string{err.Error()}
			continue
		}
		out[i].Failures, out[i].Changes = tr.run()
	}
	return out
}

// A trial is a test made ready to run.
type trial struct {
	test   Test
	rule   *Rule
	series map[string][]cell
	derive Derive
	start  time.Time
	polls  []Poll
	failed []string

	loggedIn     bool // some good answer so far said logged in
	good, judged int  // polls that brought an answer, and of those the ones the rule could judge
}

func newTrial(t Test, rules []*Rule, derive Derive) (*trial, error) {
	tr := &trial{test: t, series: map[string][]cell{}, derive: derive, start: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	for _, r := range rules {
		if r.Name == t.Rule {
			on := *r // a rule is tested before it is switched on
			on.Enabled, tr.rule = true, &on
		}
	}
	switch {
	case tr.rule == nil:
		return nil, fmt.Errorf("there is no rule named %q", t.Rule)
	case t.Interval == 0:
		tr.test.Interval = defaultPoll
	case t.Interval < time.Second:
		return nil, fmt.Errorf("interval is %s; write at least 1s", t.Interval)
	}
	if t.MinCoverage == 0 {
		tr.test.MinCoverage = 0.8
	}
	for _, s := range t.Series {
		if err := tr.addSeries(s); err != nil {
			return nil, err
		}
	}
	return tr, tr.checkExpect()
}

var increaseName = regexp.MustCompile(`^increase\(\s*(\w+)\s*,\s*["']?(\w+)["']?\s*\)$`)

// addSeries parses a series and finds out which value it is.
func (t *trial) addSeries(s Series) error {
	need := Need{Metric: s.Name}
	if m := increaseName.FindStringSubmatch(s.Name); m != nil {
		window, ok := parseWindow(m[2])
		if !ok {
			return fmt.Errorf("series %s: %q is not a window; write a time from 1m to 24h", s.Name, m[2])
		}
		need = Need{m[1], window}
	}
	// A mistyped name would leave the rule without data, and silent.
	if e, ok := t.rule.env.names[need.Metric]; !ok || !e.usable(t.rule.Scope, t.rule.BuiltIn) {
		return fmt.Errorf("series %s: there is no such name; there are %s", s.Name, strings.Join(t.rule.env.Names(t.rule.Scope), ", "))
	}
	if _, ok := t.series[need.String()]; ok {
		return fmt.Errorf("series %s is there twice", s.Name)
	}
	cells, err := parseSeries(s.Values)
	if err != nil {
		return fmt.Errorf("series %s: %w", s.Name, err)
	}
	t.series[need.String()] = cells
	return nil
}

// checkExpect finds expectations that no run could meet.
func (t *trial) checkExpect() error {
	for i, e := range t.test.Expect {
		var p Phase
		switch {
		case p.UnmarshalText([]byte(e.Phase)) != nil:
			return fmt.Errorf("expect[%d]: %q is not a phase; write inactive, pending, firing or recovering", i, e.Phase)
		case e.At < 0 || e.At > maxSeries*t.test.Interval:
			return fmt.Errorf("expect[%d]: %s lies outside the test", i, e.At)
		case i > 0 && e.At < t.test.Expect[i-1].At:
			return fmt.Errorf("expect[%d]: %s comes before the one above it", i, e.At)
		}
	}
	return nil
}

// run steps through all polls and compares.
func (t *trial) run() ([]string, []Change) {
	var s State
	var changes []Change
	expect := t.test.Expect
	for i := range t.length() {
		var c Change
		s, c = t.rule.Step(s, t.poll(i))
		if !c.None() {
			changes = append(changes, c)
		}
		if c.Fire && len(t.test.Expect) == 0 {
			t.failed = append(t.failed, fmt.Sprintf("at %s: the rule fires, and nothing is expected", t.at(i)))
		}
		for len(expect) > 0 && expect[0].At < t.at(i+1) {
			t.compare(expect[0], s)
			expect = expect[1:]
		}
	}
	if t.good > 0 && t.judged == 0 {
		t.failed = append(t.failed, fmt.Sprintf("the rule never had all of its values: it reads %v", t.rule.needs))
	}
	return t.failed, changes
}

func (t *trial) at(i int) time.Duration { return time.Duration(i) * t.test.Interval }

// length is how many polls the test has: to the end of the longest series or
// the last expectation.
func (t *trial) length() int {
	n := 0
	for _, cells := range t.series {
		n = max(n, len(cells))
	}
	if len(t.test.Expect) > 0 {
		n = max(n, 1+int(t.test.Expect[len(t.test.Expect)-1].At/t.test.Interval))
	}
	return n
}

func (t *trial) compare(e Expect, s State) {
	if s.Phase.String() != e.Phase || e.Reason != "" && string(s.Reason) != e.Reason {
		t.failed = append(t.failed, fmt.Sprintf("at %s: the rule is %s (%s), expected %s", e.At, s.Phase, s.Reason, strings.TrimSpace(e.Phase+" "+e.Reason)))
		return
	}
	if e.Value != nil && s.Last.Value != *e.Value {
		t.failed = append(t.failed, fmt.Sprintf("at %s: the value is %v, expected %v", e.At, s.Last.Value, *e.Value))
	}
}

// poll makes the sample of poll i.
func (t *trial) poll(i int) Sample {
	now := t.start.Add(t.at(i))
	round := Round{Now: now, Poll: t.test.Interval, Shift: Shift{Start: t.start}}
	if t.test.Shift > 0 {
		round.Shift.End = t.start.Add(t.test.Shift)
	}
	p := Poll{At: now, Values: map[string]float64{}}
	for name, cells := range t.series {
		if i >= len(cells) {
			continue
		}
		switch c := cells[i]; c.mark {
		case isNumber:
			p.Values[name] = c.value
			p.Reset = p.Reset || c.reset
		case isFailed:
			p.Data = Failed
		case isStale:
			p.Data = Stale
		case isAbsent:
			p.Data = Absent
		}
	}
	t.cover(&p)
	t.polls = append(t.polls, p)
	x := Sample{Point: Point{At: now}, Data: p.Data, Reset: p.Reset, Subject: "subject", Round: round}
	x = t.rule.Judge(x, t.values(p, round))
	if p.Data == Fresh {
		t.good++
	}
	if x.Data == Fresh {
		t.judged++
	}
	return x
}

// cover fails the poll of a team of which too few report.
func (t *trial) cover(p *Poll) {
	agents, ok := p.Values[NameAgents]
	reporting, ok2 := p.Values[NameReporting]
	if t.rule.Scope == ScopeTeam && ok && ok2 && !Covered(int(reporting), int(agents), t.test.MinCoverage) {
		p.Data = Failed
	}
}

// values returns what the rule may read at a poll.
func (t *trial) values(p Poll, round Round) Values {
	v := trialValues{given: t.series, now: p.Values, clock: map[string]float64{
		NameShiftMinutes: p.At.Sub(t.start).Minutes(), NameLoggedIn: 1, NameLoggedInBefore: 0,
	}}
	if t.test.Shift > 0 {
		v.clock[NameShiftLeft] = round.Shift.End.Sub(p.At).Minutes()
	}
	in, given := p.Values[NameLoggedIn]
	t.loggedIn = t.loggedIn || p.Data == Fresh && (!given || in != 0)
	if t.loggedIn {
		v.clock[NameLoggedInBefore] = 1
	}
	if t.derive != nil {
		v.derived = t.derive(t.polls, round)
	}
	return v
}

// trialValues looks up the series of the test first, then what follows from the
// clock and the answers, then what is derived.
type trialValues struct {
	given   map[string][]cell
	now     map[string]float64
	clock   map[string]float64
	derived Values
}

// Value implements Values.
func (v trialValues) Value(n Need) (float64, bool) {
	name := n.String()
	if _, given := v.given[name]; given {
		out, ok := v.now[name]
		return out, ok
	}
	if out, ok := v.clock[name]; ok {
		return out, true
	}
	if v.derived == nil {
		return 0, false
	}
	return v.derived.Value(n)
}

// Replay steps the rule through samples, oldest first, and yields every change
// with the sample that made it. It serves rules try: samples come from Judge
// over stored history.
func (r *Rule) Replay(samples iter.Seq[Sample]) iter.Seq2[Sample, Change] {
	return func(yield func(Sample, Change) bool) {
		var s State
		for x := range samples {
			var c Change
			if s, c = r.Step(s, x); !c.None() && !yield(x, c) {
				return
			}
		}
	}
}
