package slacktest

import (
	"fmt"
	"regexp"
	"strings"
)

// Plain returns the message as a person reads it: one line for a header, a
// paragraph, a field or a row, mentions by name, links by their text, formatting
// gone, and buttons as "[Refresh]". Where there are blocks, Slack does not show
// the text, and neither does Plain.
func (m Message) Plain() string {
	p := printer{name: m.s.nameOf}
	if len(m.Blocks) > 0 {
		p.blocks(m.Blocks)
	} else if m.Text != "" {
		p.line(p.mrkdwn(m.Text))
	}
	for _, a := range m.Attachments {
		blocks, _ := objects(a["blocks"])
		for _, key := range []string{"pretext", "title", "text"} {
			if s, _ := a[key].(string); s != "" && len(blocks) == 0 {
				p.line(p.mrkdwn(s))
			}
		}
		p.blocks(blocks)
	}
	for _, f := range m.Files {
		p.line("(file: " + f.Name + ")")
	}
	return strings.Join(p.lines, "\n")
}

// Buttons returns the labels of the message's buttons, in their order.
func (m Message) Buttons() []string {
	var labels []string
	for _, e := range m.elements() {
		if e.kind() == "button" {
			labels = append(labels, e.label())
		}
	}
	return labels
}

// nameOf is how people see a user.
func (s *Server) nameOf(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[user]; u != nil {
		return u.Real
	}
	return user
}

// A printer collects lines.
type printer struct {
	lines []string
	name  func(user string) string
}

func (p *printer) line(s string) { p.lines = append(p.lines, s) }

func (p *printer) blocks(blocks []obj) {
	for _, b := range blocks {
		p.block(b)
	}
}

func (p *printer) block(b obj) {
	switch b["type"] {
	case "header", "alert":
		p.line(p.text(b["text"]))
	case "markdown":
		p.line(p.mrkdwn(fmt.Sprint(b["text"])))
	case "section":
		p.section(b)
	case "context", "actions":
		var parts []string
		for _, e := range items(b["elements"]) {
			parts = append(parts, p.element(e))
		}
		p.line(strings.Join(parts, " "))
	case "divider":
		p.line("---")
	case "image":
		p.line(p.element(b))
	case "input":
		p.line(p.text(b["label"]) + ": " + p.element(b["element"]))
		if b["hint"] != nil {
			p.line(p.text(b["hint"]))
		}
	case "rich_text":
		p.line(p.rich(b))
	case "table", "data_table":
		p.table(b)
	case "data_visualization":
		c, _ := b["chart"].(obj)
		p.line(fmt.Sprintf("(%v chart: %v)", c["type"], b["title"]))
	}
}

func (p *printer) section(b obj) {
	if b["text"] != nil {
		p.line(p.text(b["text"]))
	}
	for _, f := range items(b["fields"]) {
		p.line(strings.ReplaceAll(p.text(f), "\n", " "))
	}
	if b["accessory"] != nil {
		p.line(p.element(b["accessory"]))
	}
}

func (p *printer) table(b obj) {
	if c, _ := b["caption"].(string); c != "" {
		p.line(c)
	}
	for _, r := range items(b["rows"]) {
		var cells []string
		for _, c := range items(r) {
			o, _ := c.(obj)
			switch s, _ := o["text"].(string); {
			case s != "":
				cells = append(cells, s)
			case o["type"] == "raw_number":
				cells = append(cells, fmt.Sprint(o["value"]))
			default:
				cells = append(cells, p.rich(o))
			}
		}
		p.line(strings.Join(cells, " | "))
	}
}

// element is an element in one line.
func (p *printer) element(v any) string {
	o, _ := v.(obj)
	switch e := (part{obj: o}); e.kind() {
	case "plain_text", "mrkdwn":
		return p.text(o)
	case "image":
		return fmt.Sprintf("(image: %v)", o["alt_text"])
	case "button":
		return "[" + e.label() + "]"
	case "plain_text_input", "email_text_input", "url_text_input", "number_input":
		initial, _ := o["initial_value"].(string)
		return "{" + initial + "}"
	default:
		var labels []string
		for _, c := range e.options() {
			labels = append(labels, p.text(c["text"]))
		}
		return "{" + strings.Join(labels, ", ") + "}"
	}
}

// text is a text object as it is shown.
func (p *printer) text(v any) string {
	o, _ := v.(obj)
	s, _ := o["text"].(string)
	if o["type"] == "mrkdwn" {
		return p.mrkdwn(s)
	}
	return unescape(s)
}

func (p *printer) rich(v any) string {
	o, _ := v.(obj)
	switch o["type"] {
	case "text", "link":
		s, _ := o["text"].(string)
		return s
	case "user":
		id, _ := o["user_id"].(string)
		return "@" + p.name(id)
	}
	var b strings.Builder
	for _, e := range items(o["elements"]) {
		b.WriteString(p.rich(e))
	}
	return b.String()
}

// The marks of mrkdwn count at the edges of words only.
var marks = []*regexp.Regexp{
	regexp.MustCompile(`(^|[\s(\[{"'.,;:!?–—])\*([^\s*](?:[^*\n]*[^\s*])?)\*($|[\s)\]}"'.,;:!?–—])`),
	regexp.MustCompile(`(^|[\s(\[{"'.,;:!?–—])_([^\s_](?:[^_\n]*[^\s_])?)_($|[\s)\]}"'.,;:!?–—])`),
	regexp.MustCompile(`(^|[\s(\[{"'.,;:!?–—])~([^\s~](?:[^~\n]*[^\s~])?)~($|[\s)\]}"'.,;:!?–—])`),
}

var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// mrkdwn returns a mrkdwn text as it is shown. Code keeps its marks.
func (p *printer) mrkdwn(s string) string {
	var b strings.Builder
	rest := 0
	for _, m := range codeSpan.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(p.spans(s[rest:m[0]]))
		b.WriteString(unescape(p.controls(s[m[2]:m[3]])))
		rest = m[1]
	}
	b.WriteString(p.spans(s[rest:]))
	return b.String()
}

func (p *printer) spans(s string) string {
	for _, m := range marks {
		for range 2 { // neighbours share a space
			s = m.ReplaceAllString(s, "$1$2$3")
		}
	}
	return unescape(p.controls(s))
}

// controls replaces mentions, links and dates by what is shown for them.
func (p *printer) controls(s string) string {
	return control.ReplaceAllStringFunc(s, func(c string) string {
		target, label, labelled := strings.Cut(strings.Trim(c, "<>"), "|")
		switch {
		case strings.HasPrefix(target, "@"):
			return "@" + p.name(target[1:])
		case strings.HasPrefix(target, "!date^"), labelled:
			return label
		case strings.HasPrefix(target, "!"):
			return "@" + target[1:]
		}
		return target
	})
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// items is a list of anything; what is no list has none.
func items(v any) []any {
	l, _ := v.([]any)
	return l
}
