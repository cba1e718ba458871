package discordtest

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Plain returns the message as a person reads it, without the marks: the
// content, and of each embed the author, title, description, a line for each
// field, picture and footer; buttons as "[Refresh]" on one line for each row.
func (m Message) Plain() string {
	if m.Thinking() {
		return "(thinking…)"
	}
	p := &printer{s: m.s, m: &m}
	p.text(m.Content)
	if m.Flags&FlagSuppressEmbeds == 0 {
		for _, e := range m.Embeds {
			p.embed(e)
		}
	}
	for i := range m.Attachments {
		if a := &m.Attachments[i]; !p.shown[a.Name] && m.Flags&FlagV2 == 0 {
			p.line("(file: " + a.Name + alt(a) + ")")
		}
	}
	for _, c := range m.Components {
		p.component(c)
	}
	return strings.Join(p.lines, "\n")
}

// Buttons returns the labels of the message's buttons, in their order.
func (m Message) Buttons() []string {
	var labels []string
	for _, c := range m.Components {
		each(c, func(c obj) {
			if kindOf(c) == kindButton {
				labels = append(labels, buttonLabel(c))
			}
		})
	}
	return labels
}

func buttonLabel(c obj) string {
	label, _ := c["label"].(string)
	if e, ok := c["emoji"].(obj); ok {
		name, _ := e["name"].(string)
		label = strings.TrimSpace(name + " " + label)
	}
	return label
}

func alt(a *Attachment) string {
	if a.Alt == "" {
		return ""
	}
	return ": " + a.Alt
}

// A printer collects lines.
type printer struct {
	s     *Server
	m     *Message
	lines []string
	shown map[string]bool // names of attachments that stand in embeds
}

func (p *printer) line(s string) { p.lines = append(p.lines, s) }

// text adds a text with markdown.
func (p *printer) text(s string) {
	if s != "" {
		p.line(p.s.Read(s))
	}
}

func (p *printer) embed(e obj) {
	if a, ok := e["author"].(obj); ok {
		name, _ := a["name"].(string)
		p.line(name)
	}
	for _, key := range []string{"title", "description"} {
		s, _ := e[key].(string)
		p.text(s)
	}
	for _, v := range items(e["fields"]) {
		f, _ := v.(obj)
		name, _ := f["name"].(string)
		value, _ := f["value"].(string)
		line := strings.Trim(p.s.Read(name)+": "+p.s.Read(value), " :\u200b")
		if line != "" {
			p.line(line)
		}
	}
	for _, key := range []string{"image", "thumbnail"} {
		if o, ok := e[key].(obj); ok {
			url, _ := o["url"].(string)
			p.picture(url)
		}
	}
	p.footer(e)
}

func (p *printer) footer(e obj) {
	var parts []string
	if f, ok := e["footer"].(obj); ok {
		s, _ := f["text"].(string)
		parts = append(parts, s)
	}
	if s, ok := e["timestamp"].(string); ok {
		parts = append(parts, s)
	}
	if len(parts) > 0 {
		p.line(strings.Join(parts, " • "))
	}
}

// picture adds a picture by its alt text.
func (p *printer) picture(url string) {
	name, ours := strings.CutPrefix(url, "attachment://")
	if !ours {
		p.line("(image: " + url + ")")
		return
	}
	a := p.m.attached(url)
	if a == nil {
		p.line("(image missing)")
		return
	}
	if p.shown == nil {
		p.shown = map[string]bool{}
	}
	p.shown[name] = true
	p.line("(image" + alt(a) + ")")
}

func (p *printer) component(c obj) {
	switch kind := kindOf(c); {
	case kind == kindRow:
		var parts []string
		for _, v := range items(c["components"]) {
			o, _ := v.(obj)
			parts = append(parts, element(o))
		}
		p.line(strings.Join(parts, " "))
	case kind == kindText:
		s, _ := c["content"].(string)
		p.text(s)
	case kind == kindContainer, kind == kindSection:
		for _, v := range items(c["components"]) {
			o, _ := v.(obj)
			p.component(o)
		}
		if o, ok := c["accessory"].(obj); ok {
			p.line(element(o))
		}
	case kind == kindGallery:
		for _, v := range items(c["items"]) {
			o, _ := v.(obj)
			media, _ := o["media"].(obj)
			url, _ := media["url"].(string)
			p.picture(url)
		}
	case kind == kindSeparator:
		p.line("---")
	}
}

// element is a button or a select in one line.
func element(c obj) string {
	switch kind := kindOf(c); {
	case kind == kindButton:
		return "[" + buttonLabel(c) + "]"
	case kind == kindSelect:
		var labels []string
		for _, v := range items(c["options"]) {
			o, _ := v.(obj)
			label, _ := o["label"].(string)
			labels = append(labels, label)
		}
		return "{" + strings.Join(labels, ", ") + "}"
	case isSelect(kind):
		return "{…}"
	}
	return fmt.Sprintf("(component %d)", kindOf(c))
}

var (
	escaped  = regexp.MustCompile("\\\\[!-/:-@\\[-`{-~]")
	timeMark = regexp.MustCompile(`<t:(-?\d{1,13})(?::[tTdDfFsSR])?>`)
	bareLink = regexp.MustCompile(`<(https?://[^\s<>]+)>`)
	masked   = regexp.MustCompile(`\[([^\[\]\n]+)\]\(<?[^\s<>]+?>?\)`)
	heading  = regexp.MustCompile(`(?m)^(?:#{1,3} |-# |>>> |> |[-*] )`)

	// marks are pairs of signs around words. They are taken off from the longest
	// to the shortest.
	marks = []*regexp.Regexp{
		regexp.MustCompile(`\*\*\*(\S(?:[^*]*\S)?)\*\*\*`),
		regexp.MustCompile(`\*\*(\S(?:[^*]*\S)?)\*\*`),
		regexp.MustCompile(`\*([^\s*](?:[^*]*[^\s*])?)\*`),
		regexp.MustCompile(`__(\S(?:[^_]*\S)?)__`),
		regexp.MustCompile(`\b_([^_]+)_\b`),
		regexp.MustCompile(`~~(.+?)~~`),
		regexp.MustCompile(`\|\|(.+?)\|\|`),
	}
)

// A span is text in or outside of code.
type span struct {
	text string
	code bool
}

// splitCode takes a text apart at its code: between one, two or three backticks
// and as many again. A backslash before a backtick keeps it from opening code.
func splitCode(s string) []span {
	var parts []span
	var open [4]bool // whether backticks of that number close nothing from here on
	rest := 0
	for i := 0; i < len(s); {
		if s[i] == '\\' {
			i += 2
			continue
		}
		ticks := min(3, len(s[i:])-len(strings.TrimLeft(s[i:], "`")))
		if ticks == 0 || open[ticks] {
			i += max(1, ticks)
			continue
		}
		inside := s[i+ticks:]
		end := strings.Index(inside, s[i:i+ticks])
		if end < 1 {
			open[ticks] = end < 0
			i += ticks
			continue
		}
		parts = append(parts, span{s[rest:i], false}, span{code(inside[:end], ticks), true})
		i += 2*ticks + end
		rest = i
	}
	return append(parts, span{s[rest:], false})
}

// code returns what is shown of code: of a block, not the language in its first
// line.
func code(s string, ticks int) string {
	language, more, found := strings.Cut(s, "\n")
	if ticks == 3 && found && more != "" && !strings.ContainsAny(language, " `") {
		return more
	}
	return s
}

// Read returns a text with Discord's markdown as it is shown: marks gone, links
// by their text, mentions by name, times in UTC, escapes undone.
func (s *Server) Read(text string) string {
	var b strings.Builder
	for _, part := range splitCode(text) {
		if part.code {
			b.WriteString(part.text)
		} else {
			b.WriteString(s.spans(part.text))
		}
	}
	return b.String()
}

// spans is Read outside of code. Escaped signs are put aside while the marks are
// taken off.
func (s *Server) spans(text string) string {
	text = escaped.ReplaceAllStringFunc(text, func(e string) string { return string(rune(0xE000 + int(e[1]))) })
	text = masked.ReplaceAllString(text, "$1")
	text = bareLink.ReplaceAllString(text, "$1")
	text = timeMark.ReplaceAllStringFunc(text, showTime)
	text = userMention.ReplaceAllStringFunc(text, func(m string) string { return "@" + s.nameOf(strings.Trim(m, "<@!>")) })
	text = heading.ReplaceAllString(text, "")
	for _, m := range marks {
		text = m.ReplaceAllString(text, "$1")
	}
	return strings.Map(func(r rune) rune {
		if r >= 0xE000 && r < 0xE080 {
			return r - 0xE000
		}
		return r
	}, text)
}

// showTime writes a time as a reader in UTC could see it.
func showTime(mark string) string {
	var n int64
	fmt.Sscanf(mark, "<t:%d", &n) // the pattern has digits there
	return time.Unix(n, 0).UTC().Format("2006-01-02 15:04")
}

// nameOf is how people see a user.
func (s *Server) nameOf(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[user]; u != nil {
		return u.Global
	}
	return "unknown-user"
}
