package discord

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"floorwalker/bot/chat"
)

// Discord's limits, from its documentation. They are inclusive, and lengths are
// counted in UTF-16 units to be safe. The OpenAPI document that Discord publishes
// knows some of them, and allows twice the content.
const (
	maxContent     = 2000
	maxEmbeds      = 10
	maxEmbedTotal  = 6000 // characters of all embeds of a message
	maxTitle       = 256
	maxDescription = 4096
	maxFields      = 25
	maxFieldName   = 256
	maxFieldValue  = 1024
	maxFooter      = 2048
	maxRows        = 5
	maxRow         = 5 // buttons
	maxButton      = 80
	maxCustomID    = 100
	maxURL         = 512
	maxFiles       = 10
	maxAlt         = 1024
	maxNonce       = 25

	maxModalTitle = 45 // labels of its inputs, too
	maxModalParts = 5
	maxModalText  = 4000
	maxHint       = 100
	maxInput      = 4000

	maxCommands     = 100 // that are typed
	maxCommandText  = 8000
	maxSummary      = 100
	maxOptions      = 25 // choices and proposals, too
	maxChoice       = 100
	maxFileSize     = 8 << 20 // bytes; Discord takes 10 MiB, and 25 in one request
	phoneColumns    = 40      // of a code block, before a phone wraps it
	maxTableText    = 3500
	maxBlocks       = 16
	maxCharts       = 2
	maxTitleOfOurs  = 200 // with the tone's word, in the title's own limit
	maxFooterOfOurs = 600
)

// limits returns what fits, for package chat to shorten a message by. They leave
// space for what drawing adds: the tone's word, marks, empty names.
func limits() chat.Limits {
	return chat.Limits{
		Total: 5200, Title: maxTitleOfOurs, Footer: maxFooterOfOurs,
		Blocks: maxBlocks, Paragraph: 1800,
		Facts: 24, Label: 200, Value: 400, Note: 400,
		Tables: 2, Table: maxTableText, Rows: 60, Columns: 8, Cell: 120,
		Charts: maxCharts, Points: 20, Series: 6, ChartTitle: 80, ChartLabel: 32, Alt: 900,
		Actions: maxRow, ActionLabel: maxButton, Files: 2, FileSize: maxFileSize,
		Size: roomFor, SpanSize: spanSize, BlockSize: blockSize,
	}
}

// blockSize returns at least what a block takes once it is drawn.
func blockSize(b chat.Block) int {
	const name = 1 // the zero-width name of a field that is only text
	n := name + 2  // the line breaks before it
	switch b := b.(type) {
	case chat.Paragraph:
		for _, s := range b.Text {
			n += spanSize(s)
		}
		if b.Quiet {
			n += len(smallMark) * (1 + strings.Count(b.Text.Plain(), "\n"))
		}
	case chat.Fields:
		for _, f := range b {
			n += fieldSize(f)
		}
		n += 2 * (1 + name) // fillers
	case chat.Table:
		n += tableSize(b)
	case chat.Chart:
		// A picture takes no text; if it cannot be drawn, its words stand for it.
		n += roomFor(b.Title) + roomFor(b.Alt) + len(": ")
	}
	return n
}

func fieldSize(f chat.Field) int {
	return max(1, roomFor(f.Label)) + roomFor(f.Value) + roomFor(f.Note) + len("**** · ")
}

// A checker looks for what Discord would refuse. It does not trust the drawing:
// it judges every message before it is sent, and every card in the tests.
type checker struct {
	problems []string // each with the place, as a JSON pointer
	total    int      // characters of all embeds
	ids      map[string]bool
}

func (k *checker) bad(at, format string, args ...any) {
	k.problems = append(k.problems, at+": "+fmt.Sprintf(format, args...))
}

func (k *checker) length(at, s string, least, most int) {
	if n := units(strings.TrimSpace(s)); n < least || units(s) > most {
		k.bad(at, "%d characters, %d to %d", units(s), least, most)
	}
}

// count checks a number of things.
func (k *checker) count(at string, n, most int) {
	if n > most {
		k.bad(at, "%d, at most %d", n, most)
	}
}

// problems returns what Discord would refuse a message for.
func (c card) problems() []string {
	k := &checker{ids: map[string]bool{}}
	k.length("/content", c.Content, 0, maxContent)
	k.live("/content", c.Content)
	k.count("/embeds", len(c.Embeds), maxEmbeds)
	for i, e := range c.Embeds {
		k.embed(fmt.Sprintf("/embeds/%d", i), e)
	}
	if k.total > maxEmbedTotal {
		k.bad("/embeds", "%d characters in all, at most %d", k.total, maxEmbedTotal)
	}
	k.count("/components", len(c.Components), maxRows)
	for i, r := range c.Components {
		k.row(fmt.Sprintf("/components/%d", i), r)
	}
	k.files(c)
	k.length("/nonce", c.Nonce, 0, maxNonce)
	if c.Content == "" && len(c.Embeds) == 0 && len(c.files) == 0 {
		k.bad("/content", "an empty message")
	}
	return k.problems
}

func (k *checker) embed(at string, e embed) {
	k.length(at+"/title", e.Title, 0, maxTitle)
	k.length(at+"/description", e.Description, 0, maxDescription)
	k.live(at+"/title", e.Title)
	k.live(at+"/description", e.Description)
	k.count(at+"/fields", len(e.Fields), maxFields)
	k.total += units(e.Title) + units(e.Description)
	for i, f := range e.Fields {
		at := fmt.Sprintf("%s/fields/%d", at, i)
		k.length(at+"/name", f.Name, 1, maxFieldName)
		k.length(at+"/value", f.Value, 1, maxFieldValue)
		k.live(at+"/name", f.Name)
		k.live(at+"/value", f.Value)
		k.total += units(f.Name) + units(f.Value)
	}
	if e.Footer != nil {
		k.length(at+"/footer/text", e.Footer.Text, 1, maxFooter)
		k.total += units(e.Footer.Text)
	}
	if e.empty() {
		k.bad(at, "an empty embed")
	}
}

func (k *checker) row(at string, r row) {
	if n := len(r.Components); n < 1 || n > maxRow {
		k.bad(at+"/components", "%d buttons, 1 to %d", n, maxRow)
	}
	for i, b := range r.Components {
		at := fmt.Sprintf("%s/components/%d", at, i)
		k.length(at+"/label", b.Label, 1, maxButton)
		if (b.URL == "") == (b.CustomID == "") || (b.URL != "") != (b.Style == styleLink) {
			k.bad(at, "a button has a custom_id, or an address and the style of a link")
		}
		k.length(at+"/url", b.URL, 0, maxURL)
		k.length(at+"/custom_id", b.CustomID, 0, maxCustomID)
		if b.CustomID != "" && k.ids[b.CustomID] {
			k.bad(at+"/custom_id", "used twice")
		}
		k.ids[b.CustomID] = true
	}
}

// files checks that every file is described, and every picture attached.
func (k *checker) files(c card) {
	k.count("/attachments", len(c.Attachments), maxFiles)
	if len(c.files) != len(c.Attachments) {
		k.bad("/attachments", "%d descriptions of %d files", len(c.Attachments), len(c.files))
	}
	names := map[string]bool{}
	for i, a := range c.Attachments {
		at := fmt.Sprintf("/attachments/%d", i)
		k.length(at+"/filename", a.Filename, 1, 1024)
		k.length(at+"/description", a.Description, 0, maxAlt)
		names[attached+a.Filename] = true
	}
	for i, e := range c.Embeds {
		if e.Image != nil && !names[e.Image.URL] {
			k.bad(fmt.Sprintf("/embeds/%d/image/url", i), "no such attachment")
		}
	}
}

// problems returns what Discord would refuse a form for.
func (m modal) problems() []string {
	k := &checker{ids: map[string]bool{}}
	k.length("/title", m.Title, 1, maxModalTitle)
	k.length("/custom_id", m.CustomID, 1, maxCustomID)
	if n := len(m.Components); n < 1 || n > maxModalParts {
		k.bad("/components", "%d components, 1 to %d", n, maxModalParts)
	}
	for i, p := range m.Components {
		at := fmt.Sprintf("/components/%d", i)
		if p.Component == nil {
			k.length(at+"/content", p.Content, 1, maxModalText)
			k.live(at+"/content", p.Content)
			continue
		}
		k.length(at+"/label", p.Label, 1, maxModalTitle)
		k.length(at+"/description", p.Description, 0, maxHint)
		k.length(at+"/component/custom_id", p.Component.CustomID, 1, maxCustomID)
		k.length(at+"/component/value", p.Component.Value, 0, maxInput)
		if k.ids[p.Component.CustomID] {
			k.bad(at+"/component/custom_id", "used twice")
		}
		k.ids[p.Component.CustomID] = true
	}
	return k.problems
}

// commandName matches the names of commands and options. They are lower case.
var commandName = regexp.MustCompile(`^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]{1,32}$`)

// ours matches what may stand between angle brackets: an instant, a person, a
// channel, an address.
var ours = regexp.MustCompile(`<(t:-?\d+:[tfR]|[@#]\d+|https?://[^<>\s]+)>`)

// live looks for markup that is not ours: an unescaped bracket outside code.
func (k *checker) live(at, s string) {
	s = ours.ReplaceAllString(bare(s), "")
	if strings.Contains(s, "<") || strings.Contains(s, "@everyone") || strings.Contains(s, "@here") {
		k.bad(at, "unescaped markup")
	}
}

// bare returns Markdown without what cannot mean anything: escaped characters,
// and what stands between backticks.
func bare(s string) string {
	var b strings.Builder
	for s != "" {
		fence := s[:len(s)-len(strings.TrimLeft(s, "`"))]
		switch {
		case fence != "":
			_, s, _ = strings.Cut(s[len(fence):], fence)
		case s[0] == '\\' && len(s) > 1:
			_, n := utf8.DecodeRuneInString(s[1:])
			s = s[1+n:]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String()
}
