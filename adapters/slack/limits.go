package slack

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// Slack's limits, from its documentation unless it says otherwise. Lengths are
// in UTF-16 units as they are sent, escapes included.
const (
	maxTopText       = 4000  // more is refused in an edit
	maxBlocks        = 50    // of a message
	maxViewBlocks    = 100   // of a modal or the home page
	maxChars         = 12000 // of all blocks together; refused from about 13,200 (measured by others)
	maxText          = 3000
	maxHeader        = 150
	maxFields        = 10
	maxField         = 2000
	maxContext       = 10
	maxRow           = 25 // buttons
	maxButton        = 75
	maxButtonValue   = 2000
	maxButtonURL     = 3000
	maxID            = 255 // action_id, block_id, callback_id
	maxConfirmTitle  = 100
	maxConfirmText   = 300
	maxConfirmButton = 30
	maxTableRows     = 100 // the header is one
	maxTableCells    = 20  // in a row
	maxCharts        = 2
	maxChartTitle    = 50
	maxChartLabel    = 20
	maxPoints        = 20
	maxSeries        = 6
	maxViewTitle     = 24   // buttons of a view too
	maxLabel         = 2000 // of an input, and its hint
	maxInput         = 3000
	maxMetadata      = 3000  // private_metadata
	maxAck           = 20000 // bytes of an acknowledgement; Slack drops 20,480 and more without a word
)

// limits returns what fits, for package chat to shorten a message by. They leave
// space for what drawing adds: header, footer, words of charts, and the marks
// around labels.
func (d drawing) limits() chat.Limits {
	return chat.Limits{
		Total: 9000, Title: 120, Footer: 1000,
		Blocks: 30, Paragraph: 2800,
		Facts: 60, Label: 150, Value: 600, Note: 600,
		Tables: 1, Table: 8000, Rows: maxTableRows - 1, Columns: maxTableCells, Cell: 200,
		Charts: maxCharts, Points: maxPoints, Series: maxSeries,
		ChartTitle: maxChartTitle, ChartLabel: maxChartLabel, Alt: 1000,
		Actions: maxRow, ActionLabel: maxButton, Files: 5,
		ConfirmTitle: maxConfirmTitle, ConfirmText: maxConfirmText, ConfirmButton: maxConfirmButton,
		Size: roomFor, SpanSize: d.spanSize, BlockSize: d.blockSize,
	}
}

// blockSize returns at least what a block takes once it is drawn.
func (d drawing) blockSize(b chat.Block) int {
	const marks = 8 // around a label, between a value and its note
	n := 0
	switch b := b.(type) {
	case chat.Paragraph:
		for _, s := range b.Text {
			n += d.spanSize(s)
		}
	case chat.Fields:
		for _, f := range b {
			n += roomFor(f.Label) + roomFor(f.Value) + roomFor(f.Note) + marks
		}
	case chat.Table:
		if !d.tables() {
			return tableSize(b)
		}
		for _, c := range b.Columns {
			n += roomFor(c.Title) + 1
		}
		for _, row := range b.Rows {
			for _, c := range row {
				n += roomFor(c) + 1
			}
		}
	case chat.Chart:
		n = roomFor(b.Title) + roomFor(b.Unit) + roomFor(b.Alt) + marks
		for _, s := range b.Series {
			n += roomFor(s.Name)
		}
		for _, l := range b.Labels {
			n += roomFor(l) * (1 + len(b.Series))
		}
	}
	return n
}

// tableSize is the size of a table that is shown as text, which has to fit into
// one text object: beyond that it is as good as endless.
func tableSize(t chat.Table) int {
	n := units(preformatted(t))
	if n > maxText {
		return 100 * maxChars
	}
	return n
}

// A checker looks for what Slack would refuse. It does not trust the drawing,
// nor the library, which checks next to nothing: it judges every message before
// it is sent, and every card in the tests.
type checker struct {
	surface  surface
	problems []string // each with the place, as a JSON pointer
	chars    int
	tables   int
	charts   int
	ids      map[string]bool
}

func (k *checker) bad(at, format string, args ...any) {
	k.problems = append(k.problems, at+": "+fmt.Sprintf(format, args...))
}

// problems returns what Slack would refuse a message for.
func (c card) problems() []string {
	k := &checker{ids: map[string]bool{}}
	k.length("/text", c.text, 1, maxTopText)
	k.live("/text", c.text)
	k.blocks("/blocks", c.blocks)
	k.blocks("/attachments/0/blocks", c.bar)
	if n := len(c.blocks) + len(c.bar); n > maxBlocks {
		k.bad("/blocks", "%d blocks, at most %d", n, maxBlocks)
	}
	for _, b := range c.bar {
		if t := b.BlockType(); t == slack.MBTTable || t == slack.MBTDataVisualization {
			k.bad("/attachments/0/blocks", "a %s in an attachment", t)
		}
	}
	k.total()
	return k.problems
}

// viewProblems returns what Slack would refuse a view for.
func viewProblems(v slack.ModalViewRequest) []string {
	k := &checker{surface: inModal, ids: map[string]bool{}}
	k.text("/title", v.Title, 1, maxViewTitle)
	inputs := false
	for _, b := range v.Blocks.BlockSet {
		inputs = inputs || b.BlockType() == slack.MBTInput
	}
	if inputs && v.Submit == nil {
		k.bad("/submit", "missing beside an input")
	}
	for at, t := range map[string]*slack.TextBlockObject{"/submit": v.Submit, "/close": v.Close} {
		if t != nil {
			k.text(at, t, 1, maxViewTitle)
		}
	}
	k.length("/private_metadata", v.PrivateMetadata, 0, maxMetadata)
	k.length("/callback_id", v.CallbackID, 0, maxID)
	k.view(v.Blocks.BlockSet)
	return k.problems
}

// homeProblems returns what Slack would refuse a home page for.
func homeProblems(blocks []slack.Block) []string {
	k := &checker{surface: inHome, ids: map[string]bool{}}
	k.view(blocks)
	return k.problems
}

func (k *checker) view(blocks []slack.Block) {
	if len(blocks) > maxViewBlocks {
		k.bad("/blocks", "%d blocks, at most %d", len(blocks), maxViewBlocks)
	}
	k.blocks("/blocks", blocks)
}

func (k *checker) total() {
	if k.chars > maxChars {
		k.bad("/blocks", "%d characters in all, at most %d", k.chars, maxChars)
	}
	if k.tables > 1 {
		k.bad("/blocks", "%d tables, at most 1", k.tables)
	}
	if k.charts > maxCharts {
		k.bad("/blocks", "%d charts, at most %d", k.charts, maxCharts)
	}
}

func (k *checker) blocks(at string, blocks []slack.Block) {
	for i, b := range blocks {
		k.block(fmt.Sprintf("%s/%d", at, i), b)
	}
}

func (k *checker) block(at string, b slack.Block) {
	if id := b.ID(); id != "" {
		if k.ids[id] {
			k.bad(at+"/block_id", "used twice")
		}
		k.ids[id] = true
		k.length(at+"/block_id", id, 1, maxID)
	}
	switch b := b.(type) {
	case *slack.HeaderBlock:
		k.text(at+"/text", b.Text, 1, maxHeader)
		if b.Text.Type != slack.PlainTextType {
			k.bad(at+"/text", "not plain text")
		}
	case *slack.SectionBlock:
		k.section(at, b)
	case *slack.ContextBlock:
		k.context(at, b)
	case *slack.ActionBlock:
		k.row(at, b)
	case *slack.InputBlock:
		k.input(at, b)
	case *slack.DividerBlock:
	case *slack.TableBlock:
		k.table(at, b)
	case *slack.DataVisualizationBlock:
		k.chart(at, b)
	default:
		k.bad(at, "a %s is not among the blocks we know", b.BlockType())
	}
}

func (k *checker) section(at string, b *slack.SectionBlock) {
	if b.Text == nil && len(b.Fields) == 0 {
		k.bad(at, "neither text nor fields")
	}
	if b.Text != nil {
		k.text(at+"/text", b.Text, 1, maxText)
	}
	if len(b.Fields) > maxFields {
		k.bad(at+"/fields", "%d fields, at most %d", len(b.Fields), maxFields)
	}
	for i, f := range b.Fields {
		k.text(fmt.Sprintf("%s/fields/%d", at, i), f, 1, maxField)
	}
}

func (k *checker) context(at string, b *slack.ContextBlock) {
	elements := b.ContextElements.Elements
	if n := len(elements); n < 1 || n > maxContext {
		k.bad(at+"/elements", "%d elements, 1 to %d", n, maxContext)
	}
	for i, e := range elements {
		at := fmt.Sprintf("%s/elements/%d", at, i)
		if t, ok := e.(*slack.TextBlockObject); ok {
			k.text(at, t, 1, maxText)
		} else {
			k.bad(at, "not a text")
		}
	}
}

func (k *checker) row(at string, b *slack.ActionBlock) {
	if n := len(b.Elements.ElementSet); n < 1 || n > maxRow {
		k.bad(at+"/elements", "%d elements, 1 to %d", n, maxRow)
	}
	ids, primary := map[string]bool{}, 0
	for i, e := range b.Elements.ElementSet {
		at := fmt.Sprintf("%s/elements/%d", at, i)
		button, ok := e.(*slack.ButtonBlockElement)
		if !ok {
			k.bad(at, "not a button")
			continue
		}
		if ids[button.ActionID] {
			k.bad(at+"/action_id", "used twice")
		}
		ids[button.ActionID] = true
		if button.Style == slack.StylePrimary {
			primary++
		}
		k.button(at, button)
	}
	if primary > 1 {
		k.bad(at, "%d primary buttons, at most 1", primary)
	}
}

func (k *checker) button(at string, b *slack.ButtonBlockElement) {
	k.text(at+"/text", b.Text, 1, maxButton)
	k.length(at+"/action_id", b.ActionID, 1, maxID)
	k.length(at+"/value", b.Value, 0, maxButtonValue)
	k.length(at+"/url", b.URL, 0, maxButtonURL)
	if q := b.Confirm; q != nil {
		k.text(at+"/confirm/title", q.Title, 1, maxConfirmTitle)
		k.text(at+"/confirm/text", q.Text, 1, maxConfirmText)
		k.text(at+"/confirm/confirm", q.Confirm, 1, maxConfirmButton)
		k.text(at+"/confirm/deny", q.Deny, 1, maxConfirmButton)
	}
}

func (k *checker) input(at string, b *slack.InputBlock) {
	if k.surface != inModal {
		k.bad(at, "an input outside a modal")
	}
	k.length(at+"/block_id", b.BlockID, 1, maxID) // errors are keyed by it
	k.text(at+"/label", b.Label, 1, maxLabel)
	if b.Hint != nil {
		k.text(at+"/hint", b.Hint, 1, maxLabel)
	}
	e, ok := b.Element.(*slack.PlainTextInputBlockElement)
	if !ok {
		k.bad(at+"/element", "not a text input")
		return
	}
	k.length(at+"/element/action_id", e.ActionID, 1, maxID)
	k.length(at+"/element/initial_value", e.InitialValue, 0, maxInput)
}

func (k *checker) table(at string, b *slack.TableBlock) {
	k.tables++
	if k.surface != inMessage {
		k.bad(at, "a table outside a message")
	}
	if n := len(b.Rows); n < 1 || n > maxTableRows {
		k.bad(at+"/rows", "%d rows, 1 to %d", n, maxTableRows)
	}
	for i, row := range b.Rows {
		at := fmt.Sprintf("%s/rows/%d", at, i)
		if n := len(row); n < 1 || n > maxTableCells || n != len(b.Rows[0]) {
			k.bad(at, "%d cells, 1 to %d and as many as the header", n, maxTableCells)
		}
		for j, c := range row {
			at := fmt.Sprintf("%s/%d", at, j)
			if cell, ok := c.(*slack.TableRawTextCell); ok {
				k.length(at, cell.Text, 1, maxText)
				k.chars += units(cell.Text)
			} else {
				k.bad(at, "not a text") // some workspaces refuse numbers
			}
		}
	}
}

func (k *checker) chart(at string, b *slack.DataVisualizationBlock) {
	k.charts++
	if k.surface != inMessage {
		k.bad(at, "a chart outside a message")
	}
	k.length(at+"/title", b.Title, 1, maxChartTitle)
	if err := b.Validate(); err != nil {
		k.bad(at, "%v", err)
	}
	// Its words count for the total as they are drawn.
	if series, ok := b.Chart.(*slack.DataVisualizationBarChart); ok {
		k.series(series.Series)
	}
	if series, ok := b.Chart.(*slack.DataVisualizationLineChart); ok {
		k.series(series.Series)
	}
}

func (k *checker) series(list []slack.DataVisualizationDataSeries) {
	for _, s := range list {
		k.chars += units(s.Name)
		for _, p := range s.Data {
			k.chars += units(p.Label)
		}
	}
}

// text checks a text object.
func (k *checker) text(at string, t *slack.TextBlockObject, least, most int) {
	if t == nil {
		k.bad(at, "missing")
		return
	}
	k.length(at, t.Text, least, most)
	k.chars += units(t.Text)
	switch {
	case t.Type == slack.MarkdownType:
		k.live(at, t.Text)
		if !t.Verbatim {
			k.bad(at, "not verbatim: Slack would link what it finds in it")
		}
	case t.Emoji != nil && *t.Emoji:
		k.bad(at, "plain text with emoji: Slack would draw :x: in names")
	}
}

func (k *checker) length(at, s string, least, most int) {
	if n := units(s); n < least || n > most {
		k.bad(at, "%d characters, %d to %d", n, least, most)
	}
}

// ours matches what may stand between angle brackets: an instant, a member's
// mention, a link.
var ours = regexp.MustCompile(`<(!date\^-?\d+\^[^|<>]+\|[^|<>]*|@[UW][A-Z0-9]+|#[CG][A-Z0-9]+|https?://[^|<>\s]+\|[^|<>]*)>`)

// live looks for control sequences that are not ours.
func (k *checker) live(at, s string) {
	if rest := ours.ReplaceAllString(s, ""); strings.ContainsAny(rest, "<>") {
		k.bad(at, "an unescaped angle bracket")
	}
}
