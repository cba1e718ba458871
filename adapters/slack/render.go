package slack

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// A surface is a part of Slack that shows blocks. Each allows other ones.
type surface int

const (
	inMessage surface = iota
	inModal
	inHome
)

// A drawing says where a message is drawn, and what the workspace does not take.
type drawing struct {
	place
	surface  surface
	noTables bool // as text instead
	noCharts bool // in words instead
}

// A card is a message as Slack takes it.
type card struct {
	text   string        // for notifications and screen readers, which read nothing else
	blocks []slack.Block // below them, if there is a colour, a bar with more
	bar    []slack.Block
	color  string
}

// The colours of the bar beside a message, and the same for places without one.
// Neither is ever the only sign: the tone's word stands in the header.
func colorOf(t chat.Tone) (bar, circle string) {
	switch t {
	case chat.Good:
		return "#2eb886", "🟢 "
	case chat.Warning:
		return "#daa038", "🟠 "
	case chat.Critical:
		return "#a30200", "🔴 "
	default:
		return "", ""
	}
}

// draw returns the message as blocks. Whatever it holds, they are within Slack's
// limits: see limits.go.
func (d drawing) draw(m chat.Message) card {
	m = chat.Fit(m, d.limits())
	c := card{text: topText(spoken(m))}
	bar, circle := colorOf(m.Tone)
	// Slack shows the bar below everything else, and has no tables and charts
	// inside it.
	useBar := bar != "" && d.surface == inMessage && !slices.ContainsFunc(m.Blocks, drawn)
	if useBar {
		circle = ""
	}
	if title := toned(m); title != "" {
		c.blocks = append(c.blocks, slack.NewHeaderBlock(plainText(circle+title, maxHeader)))
	}
	body := d.body(m)
	if useBar && len(body) > 0 {
		c.bar, c.color = body, bar
		return c
	}
	c.blocks = append(c.blocks, body...)
	return c
}

// drawn reports whether a block is more than text.
func drawn(b chat.Block) bool {
	switch b.(type) {
	case chat.Table, chat.Chart:
		return true
	default:
		return false
	}
}

// toned returns the title after the word of the tone.
func toned(m chat.Message) string {
	word := m.ToneWord()
	switch {
	case word == "":
		return m.Title
	case m.Title == "":
		return word
	default:
		return word + ": " + m.Title
	}
}

// spoken returns what is read to those who see no blocks: the headline, and the
// charts in words, which Slack's own charts have no place for.
func spoken(m chat.Message) string {
	said := []string{m.Headline()}
	for _, b := range m.Blocks {
		c, ok := b.(chat.Chart)
		if words := chat.OneLine(c.Alt); ok && words != "" && !strings.Contains(said[0], words) {
			said = append(said, words)
		}
	}
	return strings.Join(said, "\n")
}

// topText returns the top-level text: one that can also be edited in.
func topText(s string) string {
	s = inert(chat.Clip(s, maxTopText-100, roomFor))
	if s == "" {
		return "–"
	}
	return s
}

// body returns everything below the header.
func (d drawing) body(m chat.Message) []slack.Block {
	var blocks []slack.Block
	for _, b := range m.Blocks {
		blocks = append(blocks, d.block(b)...)
	}
	for _, f := range m.Files {
		blocks = append(blocks, quiet("File: "+inert(fileName(f))))
	}
	if footer := d.mrkdwn(m.Footer); strings.TrimSpace(footer) != "" {
		blocks = append(blocks, quiet(footer))
	}
	if buttons := d.buttons(m.Actions); len(buttons) > 0 {
		blocks = append(blocks, slack.NewActionBlock("", buttons...))
	}
	return blocks
}

func (d drawing) block(b chat.Block) []slack.Block {
	switch b := b.(type) {
	case chat.Paragraph:
		text := d.mrkdwn(b.Text)
		switch {
		case strings.TrimSpace(text) == "":
			return nil
		case b.Quiet:
			return []slack.Block{quiet(text)}
		default:
			return []slack.Block{section(text)}
		}
	case chat.Fields:
		return fields(b)
	case chat.Table:
		return d.table(b)
	case chat.Chart:
		return d.chart(b)
	default:
		return nil
	}
}

func section(text string) slack.Block { return slack.NewSectionBlock(mrkdwnText(text), nil, nil) }

// quiet is small and pale.
func quiet(text string) slack.Block { return slack.NewContextBlock("", mrkdwnText(text)) }

// fields shows facts in two columns, ten to a block.
func fields(list chat.Fields) []slack.Block {
	var blocks []slack.Block
	for ten := range slices.Chunk(list, maxFields) {
		var texts []*slack.TextBlockObject
		for _, f := range ten {
			texts = append(texts, mrkdwnText(fact(f)))
		}
		blocks = append(blocks, slack.NewSectionBlock(nil, texts, nil))
	}
	return blocks
}

// fact returns a number under its label. The number is what the eye shall find.
func fact(f chat.Field) string {
	s := marked("*", inert(f.Value))
	if f.Note != "" {
		s += f.Joint() + inert(f.Note)
	}
	if f.Label == "" {
		return s
	}
	return inert(f.Label) + "\n" + s
}

// table shows a table as such, or as text in columns where there are none.
func (d drawing) table(t chat.Table) []slack.Block {
	if !d.tables() {
		return []slack.Block{section(preformatted(t))}
	}
	table := slack.NewTableBlock("")
	header := make([]slack.TableCell, len(t.Columns))
	settings := make([]slack.ColumnSetting, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = tableCell(c.Title)
		settings[i] = slack.ColumnSetting{Align: slack.ColumnAlignmentLeft, IsWrapped: true}
		if c.Numeric {
			settings[i] = slack.ColumnSetting{Align: slack.ColumnAlignmentRight}
		}
	}
	table.AddRow(header...).WithColumnSettings(settings...)
	for _, row := range t.Rows {
		cells := make([]slack.TableCell, len(row))
		for i, c := range row {
			cells[i] = tableCell(c)
		}
		table.AddRow(cells...)
	}
	blocks := []slack.Block{table}
	if t.More > 0 {
		blocks = append(blocks, quiet(fmt.Sprintf("+%d more", t.More)))
	}
	return blocks
}

// tables reports whether a table can be drawn as one.
func (d drawing) tables() bool { return d.surface == inMessage && !d.noTables }

// tableCell returns a cell. Some workspaces refuse numbers in a table, so a
// number is text too.
func tableCell(s string) slack.TableCell {
	if s == "" {
		s = " "
	}
	return slack.NewTableRawTextCell(s)
}

// preformatted returns a table as text in columns.
func preformatted(t chat.Table) string {
	return "```\n" + escaper.Replace(chat.PlainBlock(t)) + "\n```"
}

// chart draws a chart where that is possible. Slack's has no words for those who
// do not see it; they read the message's top-level text, which has them. Words
// stand below a picture that cannot tell all.
func (d drawing) chart(c chat.Chart) []slack.Block {
	words := inert(c.Alt)
	if d.surface == inMessage && !d.noCharts {
		whole := withoutGaps(c)
		if b := nativeChart(whole); b != nil {
			blocks := []slack.Block{b}
			if words != "" && len(whole.Labels) < len(c.Labels) {
				blocks = append(blocks, quiet(words))
			}
			return blocks
		}
	}
	text := strings.TrimSpace(marked("*", inert(c.Title)) + "\n" + words)
	if text == "" {
		return nil
	}
	return []slack.Block{section(text)}
}

// withoutGaps leaves out the labels for which no series has a value: Slack's
// chart knows no gap, and one drawn as zero would be a lie.
func withoutGaps(c chat.Chart) chat.Chart {
	whole := c
	whole.Labels, whole.Series = nil, make([]chat.Series, len(c.Series))
	for i, s := range c.Series {
		whole.Series[i].Name = s.Name
	}
	for i, label := range c.Labels {
		known := func(s chat.Series) bool { return i < len(s.Points) && !s.Points[i].Missing }
		if !slices.ContainsFunc(c.Series, known) {
			continue
		}
		whole.Labels = append(whole.Labels, label)
		for j, s := range c.Series {
			p := chat.Point{Missing: true}
			if i < len(s.Points) {
				p = s.Points[i]
			}
			whole.Series[j].Points = append(whole.Series[j].Points, p)
		}
	}
	return whole
}

// nativeChart returns Slack's own chart, nil where it cannot show the data: one
// series lacks a value that another has.
func nativeChart(c chat.Chart) slack.Block {
	if len(c.Labels) == 0 {
		return nil
	}
	axis := slack.NewDataVisualizationAxisConfig(c.Labels...)
	axis.YLabel = c.Unit
	var series []slack.DataVisualizationDataSeries
	for _, s := range c.Series {
		one := slack.DataVisualizationDataSeries{Name: s.Name}
		for i, v := range s.Points {
			if v.Missing || math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
				return nil
			}
			one.Data = append(one.Data, slack.NewDataVisualizationDataPoint(c.Labels[i], v.Value))
		}
		series = append(series, one)
	}
	title := c.Title
	if title == "" {
		title = "–"
	}
	var chart slack.DataVisualizationChart = slack.NewDataVisualizationBarChart(axis, series...)
	if c.Kind == chat.Curves {
		chart = slack.NewDataVisualizationLineChart(axis, series...)
	}
	b := slack.NewDataVisualizationBlock(title, chart)
	if b.Validate() != nil { // names that are the same once cut, for example
		return nil
	}
	return b
}
