package alert

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// Limits of the rule language.
const (
	maxSource = 512 // bytes of one condition
	maxNeeds  = 16  // different values one rule reads
	minWindow = time.Minute
	maxWindow = 24 * time.Hour
)

const tooEarly = "the condition ends too early"

const grammar = `a rule has numbers, names, < <= > >= == != && || ! + - * /, parentheses and increase(counter, "30m")`

// A checker turns a parsed condition into nodes, or stops at the first fault.
// when and clear of one rule share a checker, and so their needs.
type checker struct {
	env     *Env
	scope   Scope
	builtIn bool
	draft   bool // the rule is off: its metrics may still be unconfirmed
	needs   []Need

	source string // the condition being checked
	fault  *Fault // the first fault found in it
}

// binaryOps is the allow-list of operators between two operands.
var binaryOps = map[string]op{
	"&&": opAnd, "and": opAnd, "||": opOr, "or": opOr,
	"+": opAdd, "-": opSub, "*": opMul, "/": opDiv,
	"<": opLess, "<=": opLessEqual, ">": opGreater, ">=": opGreaterEqual, "==": opEqual, "!=": opNotEqual,
}

// condition parses and checks one source, which must be true or false.
func (c *checker) condition(field, source string) (*node, *Fault) {
	// A YAML block scalar brings line ends; one line keeps columns simple.
	c.source, c.fault = strings.Map(oneLine, strings.TrimSpace(source)), nil
	n := c.parse()
	switch {
	case c.fault != nil:
	case !n.truth:
		c.failAt(0, "this is a number, not a condition; compare it with something, such as > 3")
	case n.constant():
		c.failAt(0, "this reads no metric, so it never changes")
	}
	if c.fault != nil {
		c.fault.Field = field
		return nil, c.fault
	}
	return n, nil
}

func oneLine(r rune) rune {
	if r == '\n' || r == '\r' || r == '\t' {
		return ' '
	}
	return r
}

// parse bounds the source, has it parsed, and checks the tree.
func (c *checker) parse() *node {
	// The cap comes first: parsing costs more than linear time on hostile input.
	if len(c.source) > maxSource {
		c.failAt(0, "this has %d bytes; at most %d are allowed", len(c.source), maxSource)
		return nil
	}
	// A comment to the end of the line would swallow the lines joined above.
	for _, comment := range []string{"//", "/*"} {
		if before, _, found := strings.Cut(c.source, comment); found {
			c.failAt(utf8.RuneCountInString(before), "a condition has no comments; write # comments of YAML beside it")
			return nil
		}
	}
	tree, err := parser.Parse(c.source)
	if err != nil {
		c.failAt(0, "%s", err.Error())
		if e, ok := errors.AsType[*file.Error](err); ok {
			c.fault.Column, c.fault.Message = e.From+1, plain(e.Message, string(near(c.source, e.From)))
			if c.fault.Message == tooEarly {
				c.fault.Column = utf8.RuneCountInString(c.source) + 1
			}
		}
		return nil
	}
	return c.check(tree.Node)
}

// near returns the two characters at a place in the source.
func near(source string, from int) []rune {
	runes := []rune(source)
	from = min(from, len(runes))
	return runes[from:min(from+2, len(runes))]
}

// plain turns the parser's messages into a user's words. at is what stands at
// the place that the parser complains of.
func plain(message, at string) string {
	if number, bad := strings.CutPrefix(message, "bad number syntax: "); bad {
		return strings.Trim(number, `"`) + " is not a number; a span of time is in quotes, as in increase(missed, \"30m\")"
	}
	rest, ok := strings.CutPrefix(message, "unexpected token ")
	if !ok {
		return message
	}
	if rest == "EOF" {
		return tooEarly
	}
	if _, quoted, ok := strings.Cut(rest, `("`); ok {
		rest = strings.TrimSuffix(quoted, `")`)
	}
	switch {
	case rest == "=" && at == "=>":
		return "=> does not compare; write >="
	case rest == "=" && at == "=<":
		return "=< does not compare; write <="
	case rest == "=":
		return "= does not compare; write =="
	}
	return "unexpected " + rest
}

// check turns one node of the parser into ours. Everything that is not listed
// here is refused.
func (c *checker) check(n ast.Node) *node {
	if c.fault != nil {
		return nil
	}
	switch n := n.(type) {
	case *ast.IntegerNode:
		return &node{op: opNumber, num: float64(n.Value)}
	case *ast.FloatNode:
		if finite(n.Value) {
			return &node{op: opNumber, num: n.Value}
		}
		return c.fail(n, "this number is too large")
	case *ast.BoolNode:
		if n.Value {
			return &node{op: opBool, truth: true, num: 1}
		}
		return &node{op: opBool, truth: true}
	case *ast.IdentifierNode:
		return c.name(n, n.Value, 0)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.fail(n, "%s() is not part of the language; the only function is increase(counter, \"30m\")", n.Name)
	case nil:
		c.failAt(0, "there is no condition here")
		return nil
	default:
		return c.fail(n, "this is not part of the language; %s", grammar)
	}
}

func (c *checker) unary(n *ast.UnaryNode) *node {
	l := c.check(n.Node)
	if c.fault != nil {
		return nil
	}
	switch n.Operator {
	case "!", "not":
		if !l.truth {
			return c.fail(n, "%s wants a condition, and what follows is a number", n.Operator)
		}
		return &node{op: opNot, truth: true, l: l}
	case "-", "+":
		if l.truth {
			return c.fail(n, "%s wants a number, and what follows is true or false", n.Operator)
		}
		if n.Operator == "+" {
			return l
		}
		return &node{op: opNegate, l: l}
	}
	return c.fail(n, "%s is not part of the language; %s", n.Operator, grammar)
}

func (c *checker) binary(n *ast.BinaryNode) *node {
	o, ok := binaryOps[n.Operator]
	if !ok {
		return c.fail(n, "%s is not part of the language; %s", n.Operator, grammar)
	}
	l, r := c.check(n.Left), c.check(n.Right)
	if c.fault != nil {
		return nil
	}
	out := &node{op: o, l: l, r: r, truth: o == opAnd || o == opOr || o >= opLess}
	switch {
	case o == opEqual || o == opNotEqual:
		if l.truth != r.truth {
			return c.fail(n, "%s has a number on one side and true or false on the other", n.Operator)
		}
	case o == opAnd || o == opOr:
		if !l.truth || !r.truth {
			return c.fail(n, "%s wants a condition on both sides, and one of them is a number", n.Operator)
		}
	case l.truth || r.truth:
		return c.fail(n, "%s wants a number on both sides, and one of them is true or false", n.Operator)
	case o == opDiv && !divisor(r):
		// x / 0 > 2 would be true, because +Inf is greater than anything.
		return c.fail(n, "only division by a constant other than 0 is allowed; for a ratio of metrics there is miss_rate")
	}
	return out
}

// divisor reports whether the node may stand below a fraction line.
func divisor(n *node) bool {
	if !n.constant() {
		return false
	}
	v := new(run).number(n)
	return v != 0 && finite(v)
}

// call checks increase(metric, "30m").
func (c *checker) call(n *ast.CallNode) *node {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value != "increase" {
		return c.fail(n.Callee, "the only function is increase(counter, \"30m\")")
	}
	if len(n.Arguments) != 2 {
		return c.fail(callee, "increase wants a counter and a window: increase(missed, \"30m\")")
	}
	metric, ok := n.Arguments[0].(*ast.IdentifierNode)
	if !ok {
		return c.fail(n.Arguments[0], "increase wants the name of a counter here, such as missed")
	}
	text, ok := n.Arguments[1].(*ast.StringNode)
	if !ok {
		return c.fail(n.Arguments[1], "increase wants a window in quotes here, such as \"30m\"")
	}
	window, ok := parseWindow(text.Value)
	if !ok {
		return c.fail(text, "%q is not a window; write a time from 1m to 24h, such as \"30m\"", text.Value)
	}
	if metric.Value == NameAnswered {
		// One implementation of differences: those of its inputs.
		offered, missed := c.name(metric, "offered", window), c.name(metric, "missed", window)
		return &node{op: opSub, l: offered, r: missed}
	}
	return c.name(metric, metric.Value, window)
}

// parseWindow reads a window; d counts as 24 hours.
func parseWindow(s string) (time.Duration, bool) {
	if s == "1d" {
		s = "24h"
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= minWindow && d <= maxWindow
}

// name checks that the rule may read a name, and records the need.
func (c *checker) name(at ast.Node, name string, window time.Duration) *node {
	e, ok := c.env.names[name]
	if !ok || !e.usable(c.scope, c.builtIn) {
		return c.unknown(at, name, ok && !e.builtIn)
	}
	switch {
	case e.lacks != "":
		return c.fail(at, "%s needs a metric named %s, and dashboard.metrics has none", name, e.lacks)
	case e.kind == Map || e.kind == Text:
		return c.fail(at, "%s is of kind %s; rules read numbers", name, e.kind)
	case window != 0 && e.kind != Counter:
		return c.fail(at, "increase wants a counter, and %s is of kind %s", name, e.kind)
	case len(e.confirm) > 0 && !c.draft:
		return c.fail(at, "%s is not confirmed: set confirmed: true for %s under dashboard.metrics after `floorwalker doctor learn` agrees",
			name, keyList(e.confirm))
	}
	need, ok := c.record(Need{name, window})
	if !ok {
		return c.fail(at, "the rule reads more than %d different values", maxNeeds)
	}
	return &node{op: opRead, need: need, truth: e.kind == Flag && c.scope != ScopeTeam}
}

// unknown says that there is no such name, and which one may be meant.
func (c *checker) unknown(at ast.Node, name string, elsewhere bool) *node {
	if elsewhere {
		return c.fail(at, "%s exists in team rules only; set scope: team", name)
	}
	if s := c.env.suggest(name, c.scope); s != "" {
		return c.fail(at, "there is no metric %s; did you mean %s?", name, s)
	}
	return c.fail(at, "there is no metric %s; there are %s", name, strings.Join(c.env.Names(c.scope), ", "))
}

// keyList prints keys of the API for people.
func keyList(keys []string) string {
	if len(keys) == 1 {
		return "key " + keys[0]
	}
	return "keys " + strings.Join(keys, " and ")
}

// record returns the index of a need, adding it when it is new.
func (c *checker) record(n Need) (int, bool) {
	for i, have := range c.needs {
		if have == n {
			return i, true
		}
	}
	if len(c.needs) == maxNeeds {
		return 0, false
	}
	c.needs = append(c.needs, n)
	return len(c.needs) - 1, true
}

// fail records a fault at a node of the parser, unless there is one already.
func (c *checker) fail(at ast.Node, format string, args ...any) *node {
	c.failAt(at.Location().From, format, args...)
	return nil
}

// failAt is fail for an offset, counted in characters.
func (c *checker) failAt(offset int, format string, args ...any) {
	if c.fault == nil {
		c.fault = &Fault{Column: offset + 1, Message: fmt.Sprintf(format, args...)}
	}
}
