package alert

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
	"unicode/utf8"
)

// Limits of message texts.
const (
	maxMessage  = 512  // bytes of a template
	maxRendered = 1000 // characters of what it becomes
)

// Fields are the values a message may show, ready for people: numbers are
// already formatted, names are not escaped.
type Fields struct {
	Agent     string // agent scope: the agent's name
	Team      string
	Rule      string
	Severity  string
	Value     string // see Rule.Shown
	Threshold string // what the value is compared with
}

// field returns the field that a template names.
func (f Fields) field(name string) string {
	switch name {
	case "Agent":
		return f.Agent
	case "Team":
		return f.Team
	case "Rule":
		return f.Rule
	case "Severity":
		return f.Severity
	case "Value":
		return f.Value
	default:
		return f.Threshold
	}
}

// A message is a parsed template: texts and fields in turn. The template
// language is text/template with plain fields only, so rendering is joining.
type message []piece

// piece is a literal text, or the name of a field.
type piece struct{ text, field string }

// parseMessage parses a template that may use the given fields.
func parseMessage(source string, fields []string) (message, *Fault) {
	fault := func(column int, format string, args ...any) *Fault {
		return &Fault{Field: "message", Column: column, Message: fmt.Sprintf(format, args...)}
	}
	source = strings.Map(oneLine, strings.TrimSpace(source))
	if len(source) > maxMessage {
		return nil, fault(0, "the text has %d bytes; at most %d are allowed", len(source), maxMessage)
	}
	trees, err := parse.Parse("", source, "", "")
	if err != nil {
		_, reason, _ := strings.Cut(err.Error(), ":1: ")
		return nil, fault(0, "%s", reason)
	}
	tree := trees[""]
	if tree == nil || tree.Root == nil {
		return nil, nil
	}
	var m message
	for _, n := range tree.Root.Nodes {
		if t, ok := n.(*parse.TextNode); ok {
			m = append(m, piece{text: string(t.Text)})
			continue
		}
		name, ok := plainField(n)
		if !ok || !slices.Contains(fields, name) {
			return nil, fault(column(source, int(n.Position())), "a message has text and {{.%s}}, nothing else", strings.Join(fields, "}}, {{."))
		}
		m = append(m, piece{field: name})
	}
	return m, nil
}

// plainField returns the name in an action of the shape {{.Name}}.
func plainField(n parse.Node) (string, bool) {
	action, ok := n.(*parse.ActionNode)
	if !ok || len(action.Pipe.Decl) != 0 || len(action.Pipe.Cmds) != 1 || len(action.Pipe.Cmds[0].Args) != 1 {
		return "", false
	}
	field, ok := action.Pipe.Cmds[0].Args[0].(*parse.FieldNode)
	if !ok || len(field.Ident) != 1 {
		return "", false
	}
	return field.Ident[0], true
}

// render joins the message, at most maxRendered characters of it.
func (m message) render(f Fields) string {
	var b strings.Builder
	for _, p := range m {
		b.WriteString(p.text)
		if p.field != "" {
			b.WriteString(f.field(p.field))
		}
	}
	s := b.String()
	if utf8.RuneCountInString(s) <= maxRendered {
		return s
	}
	return string([]rune(s)[:maxRendered-1]) + "…"
}
