package alert

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Fault is one thing that is wrong with a rule, with its place.
type Fault struct {
	Index   int    // position of the rule among the specs given to Load; 0 from Compile
	Rule    string // the rule's name, as written
	Field   string // the configuration key: name, scope, when, clear, message, …
	Column  int    // 1-based column in the field's text, counted in characters; 0 when the whole field is meant
	Message string // one sentence: what is wrong and what to do
}

// Error returns the field, the column and the message on one line.
func (f *Fault) Error() string {
	if f.Column == 0 {
		return f.Field + ": " + f.Message
	}
	return fmt.Sprintf("%s: column %d: %s", f.Field, f.Column, f.Message)
}

// Faults is everything that is wrong with a rule or a set of rules. It is
// never empty when it is returned as an error.
type Faults []*Fault

// Error returns one line per fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// column turns a byte offset of src into a 1-based column.
func column(src string, offset int) int {
	return utf8.RuneCountInString(src[:min(max(offset, 0), len(src))]) + 1
}
