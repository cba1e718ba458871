package alert

import (
	"math"
	"strconv"
	"strings"
)

// op is what a node of a checked condition does.
type op uint8

const (
	opNumber op = iota // num
	opBool             // num is 1 or 0
	opRead             // values[need]; flags are read as truths
	opNot
	opAnd
	opOr
	opNegate
	opAdd
	opSub
	opMul
	opDiv
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opEqual
	opNotEqual
)

// symbols are the operators as canonical text writes them.
var symbols = [...]string{
	opNot: "!", opAnd: " && ", opOr: " || ", opNegate: "-",
	opAdd: " + ", opSub: " - ", opMul: " * ", opDiv: " / ",
	opLess: " < ", opLessEqual: " <= ", opGreater: " > ", opGreaterEqual: " >= ", opEqual: " == ", opNotEqual: " != ",
}

// A node is one step of a checked condition: l and r are its operands, r alone
// is nil for ! and -. Nodes are immutable once checked.
type node struct {
	op    op
	truth bool // the result is true or false, not a number
	need  int
	num   float64
	l, r  *node
}

// compares reports whether the node compares two numbers.
func (n *node) compares() bool { return n.op >= opLess && !n.l.truth }

// constant reports whether the node reads nothing.
func (n *node) constant() bool {
	if n == nil {
		return true
	}
	return n.op != opRead && n.l.constant() && n.r.constant()
}

// first returns the leftmost comparison of two numbers in the tree, or nil.
func (n *node) first() *node {
	if n == nil || n.compares() {
		return n
	}
	if f := n.l.first(); f != nil {
		return f
	}
	return n.r.first()
}

// run is one evaluation: the values read, and whether a number left the range
// of finite ones, so that no comparison can be trusted.
type run struct {
	values   [maxNeeds]float64
	overflow bool
}

// number evaluates a node that is not a truth.
func (u *run) number(n *node) float64 {
	switch n.op {
	case opNumber:
		return n.num
	case opRead:
		return u.values[n.need]
	case opNegate:
		return -u.number(n.l)
	case opAdd:
		return u.number(n.l) + u.number(n.r)
	case opSub:
		return u.number(n.l) - u.number(n.r)
	case opMul:
		return u.number(n.l) * u.number(n.r)
	default:
		return u.number(n.l) / u.number(n.r)
	}
}

// holds evaluates a node that is a truth. Both sides of && and || are always
// evaluated, so that an overflow in either is seen.
func (u *run) holds(n *node) bool {
	switch n.op {
	case opBool:
		return n.num != 0
	case opRead:
		return u.values[n.need] != 0
	case opNot:
		return !u.holds(n.l)
	}
	if n.l.truth {
		l, r := u.holds(n.l), u.holds(n.r)
		switch n.op {
		case opAnd:
			return l && r
		case opOr:
			return l || r
		default:
			return (l == r) == (n.op == opEqual)
		}
	}
	l, r := u.number(n.l), u.number(n.r)
	if !finite(l) || !finite(r) {
		u.overflow = true
	}
	return compare(n.op, l, r)
}

// compare applies a comparison to two numbers.
func compare(o op, l, r float64) bool {
	switch o {
	case opLess:
		return l < r
	case opLessEqual:
		return l <= r
	case opGreater:
		return l > r
	case opGreaterEqual:
		return l >= r
	case opEqual:
		return l == r
	default:
		return l != r
	}
}

// mirror returns the comparison that holds when the operands change sides.
func mirror(o op) op {
	switch o {
	case opLess:
		return opGreater
	case opLessEqual:
		return opGreaterEqual
	case opGreater:
		return opLess
	case opGreaterEqual:
		return opLessEqual
	default:
		return o
	}
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// text returns the node in one canonical spelling: equal text, equal meaning.
func (n *node) text(needs []Need) string {
	var b strings.Builder
	n.write(&b, needs, true)
	return b.String()
}

func (n *node) write(b *strings.Builder, needs []Need, outermost bool) {
	switch n.op {
	case opNumber:
		b.WriteString(strconv.FormatFloat(n.num, 'g', -1, 64))
	case opBool:
		b.WriteString(strconv.FormatBool(n.num != 0))
	case opRead:
		b.WriteString(needs[n.need].String())
	case opNot, opNegate:
		b.WriteString(symbols[n.op])
		n.l.write(b, needs, false)
	default:
		if !outermost {
			b.WriteByte('(')
			defer b.WriteByte(')')
		}
		n.l.write(b, needs, false)
		b.WriteString(symbols[n.op])
		n.r.write(b, needs, false)
	}
}

// A bound is a condition of the shape "operand comparison constant".
type bound struct {
	operand string
	op      op
	limit   float64
}

// bound returns the node as a bound, if it has that shape.
func (n *node) bound(needs []Need) (bound, bool) {
	if !n.compares() {
		return bound{}, false
	}
	l, r, o := n.l, n.r, n.op
	if l.constant() {
		l, r, o = r, l, mirror(o)
	}
	if !r.constant() || l.constant() {
		return bound{}, false
	}
	return bound{l.text(needs), o, new(run).number(r)}, true
}

// overlaps reports whether some value meets both bounds.
func (b bound) overlaps(c bound) bool {
	if b.operand != c.operand {
		return false
	}
	low, high := min(b.limit, c.limit), max(b.limit, c.limit)
	for _, v := range []float64{low - 1, low, low + (high-low)/2, high, high + 1} {
		if compare(b.op, v, b.limit) && compare(c.op, v, c.limit) {
			return true
		}
	}
	return false
}
