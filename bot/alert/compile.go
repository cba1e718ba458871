package alert

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// maxName is how long a rule's name may be, in bytes.
const maxName = 64

// A compiler fills a rule from its spec and collects the faults.
type compiler struct {
	spec   RuleSpec
	rule   *Rule
	faults Faults
}

// fault records a fault of a whole field.
func (c *compiler) fault(field, format string, args ...any) {
	c.add(&Fault{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (c *compiler) add(f *Fault) {
	f.Rule = c.spec.Name
	c.faults = append(c.faults, f)
}

// adoptBuiltIn fills what the spec leaves open from a built-in rule. Its
// condition is fixed; scope: agent is let pass, being what a configuration has
// when nothing is written.
func (c *compiler) adoptBuiltIn(b RuleSpec) {
	c.rule.BuiltIn = true
	s := &c.spec
	for field, given := range map[string]bool{"when": s.When != "", "clear": s.Clear != "", "scope": s.Scope == string(ScopeTeam)} {
		if given {
			c.fault(field, "%s is built in and its %s is fixed; give a rule of your own another name", s.Name, field)
		}
	}
	if b.Scope == string(scopeSource) && len(s.Teams) > 0 {
		c.fault("teams", "%s watches the source, not a team", s.Name)
	}
	s.Scope, s.When, s.Clear = b.Scope, b.When, b.Clear
	s.Enabled = orDefault(s.Enabled, b.Enabled)
	s.For = orDefault(s.For, b.For)
	s.KeepFiringFor = orDefault(s.KeepFiringFor, b.KeepFiringFor)
	if s.Severity == "" {
		s.Severity = b.Severity
	}
	if s.Message == "" {
		s.Message = b.Message
	}
}

func orDefault[T any](given, otherwise *T) *T {
	if given != nil {
		return given
	}
	return otherwise
}

// compile checks every field, so that all faults are reported together.
func (c *compiler) compile(env *Env) {
	r, s := c.rule, c.spec
	r.env = env
	r.Enabled = s.Enabled == nil || *s.Enabled
	r.Teams = s.Teams
	c.name()
	c.scope()
	r.For = c.duration("for", s.For, DefaultFor)
	r.KeepFiringFor = c.duration("keep_firing_for", s.KeepFiringFor, DefaultKeepFiringFor)
	r.Policy.EscalateAfter = c.duration("escalate_after", s.EscalateAfter, DefaultEscalateAfter)
	r.Policy.Repeat = c.duration("repeat", s.Repeat, DefaultRepeat)
	c.severity()
	c.text(c.conditions())
	r.revision = hash(8, string(r.Scope), r.When, r.Clear)
	r.edition = hash(8, r.For.String(), r.KeepFiringFor.String(), r.Severity.String(),
		r.Policy.EscalateAfter.String(), r.Policy.Repeat.String(), fmt.Sprint(r.message))
}

func (c *compiler) name() {
	name := c.spec.Name
	bad := strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r)
	})
	switch {
	case name == "":
		c.fault("name", "a rule needs a name")
	case len(name) > maxName:
		c.fault("name", "the name has %d bytes; at most %d are allowed", len(name), maxName)
	case bad:
		// People type names in commands: /floor silence RULE@agent 1h.
		c.fault("name", "%q is not a name; use letters, digits, - _ and .", name)
	}
}

func (c *compiler) scope() {
	c.rule.Scope = Scope(c.spec.Scope)
	switch {
	case c.spec.Scope == "":
		c.rule.Scope = ScopeAgent
	case c.rule.BuiltIn, c.rule.Scope == ScopeAgent, c.rule.Scope == ScopeTeam:
	default:
		c.fault("scope", "%q is not a scope; write agent or team", c.spec.Scope)
	}
}

func (c *compiler) duration(field string, given *time.Duration, otherwise time.Duration) time.Duration {
	if given == nil {
		return otherwise
	}
	if *given < 0 {
		c.fault(field, "%s is negative; write 0s or more", *given)
	}
	return *given
}

func (c *compiler) severity() {
	c.rule.Severity = Warning
	if c.spec.Severity == "" {
		return
	}
	if err := c.rule.Severity.UnmarshalText([]byte(c.spec.Severity)); err != nil {
		c.fault("severity", "%s", err)
	}
}

// conditions compiles when and clear, and what follows from them; ok is false
// when they have faults.
func (c *compiler) conditions() (ok bool) {
	r := c.rule
	check := &checker{env: r.env, scope: r.Scope, builtIn: r.BuiltIn, draft: !r.Enabled}
	if strings.TrimSpace(c.spec.When) == "" {
		c.fault("when", "a rule needs a condition, such as increase(missed, \"30m\") >= 3")
		return false
	}
	r.when = c.condition(check, "when", c.spec.When)
	hasClear := strings.TrimSpace(c.spec.Clear) != ""
	if hasClear {
		r.clear = c.condition(check, "clear", c.spec.Clear)
	}
	r.needs = check.needs
	if r.when == nil || hasClear && r.clear == nil {
		return false
	}
	r.When = r.when.text(r.needs)
	if hasClear {
		r.Clear = r.clear.text(r.needs)
		c.overlap()
	}
	c.shown()
	r.presence = true
	for _, n := range r.needs {
		r.presence = r.presence && r.env.names[n.Metric].presence
	}
	return true
}

// condition compiles one of the two; nil means that it has a fault.
func (c *compiler) condition(check *checker, field, source string) *node {
	n, fault := check.condition(field, source)
	if fault != nil {
		c.add(fault)
	}
	return n
}

// overlap refuses a clear condition that some breaching value meets, as far as
// that can be seen. Step treats a value that does both as a breach.
func (c *compiler) overlap() {
	when, ok := c.rule.when.bound(c.rule.needs)
	clear, ok2 := c.rule.clear.bound(c.rule.needs)
	if ok && ok2 && when.overlaps(clear) {
		c.fault("clear", "some values meet both when (%s) and clear (%s); clear must lie further in", c.rule.When, c.rule.Clear)
	}
}

// shown finds the value that messages show.
func (c *compiler) shown() {
	r := c.rule
	r.shown = r.when.first()
	if r.shown == nil {
		return
	}
	r.swapped = r.shown.l.constant()
	r.unit = r.unitOf(r.value())
}

// value and threshold are the two sides of the comparison shown.
func (r *Rule) value() *node {
	if r.swapped {
		return r.shown.r
	}
	return r.shown.l
}

func (r *Rule) threshold() *node {
	if r.swapped {
		return r.shown.l
	}
	return r.shown.r
}

// unitOf returns the unit of a number: that of the metrics in it when they
// agree and are only added up, else none.
func (r *Rule) unitOf(n *node) string {
	switch n.op {
	case opRead:
		return r.env.names[r.needs[n.need].Metric].unit
	case opNegate:
		return r.unitOf(n.l)
	case opAdd, opSub:
		left, right := r.unitOf(n.l), r.unitOf(n.r)
		if left == right || n.r.constant() {
			return left
		}
		if n.l.constant() {
			return right
		}
	}
	return UnitNone
}

// text compiles the message, or makes one up. What a condition with faults
// would have shown is not known, so its message may show anything.
func (c *compiler) text(known bool) {
	fields := []string{"Team", "Rule", "Severity"}
	who := "{{.Team}}"
	switch c.rule.Scope {
	case ScopeAgent:
		fields, who = append([]string{"Agent"}, fields...), "{{.Agent}}"
	case scopeSource:
		fields, who = []string{"Rule", "Severity"}, "data"
	}
	value := ""
	if c.rule.shown != nil || !known {
		fields, value = append(fields, "Value", "Threshold"), ": {{.Value}} (limit {{.Threshold}})"
	}
	source := c.spec.Message
	if strings.TrimSpace(source) == "" {
		source = who + ": {{.Rule}}" + value
	}
	m, fault := parseMessage(source, fields)
	if fault != nil {
		c.add(fault)
	}
	c.rule.message = m
}
