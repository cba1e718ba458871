package discord

import (
	"fmt"
	"strings"

	"floorwalker/bot/chart"
	"floorwalker/bot/chat"
)

// The parts of a message as Discord's API takes them. The library's own types
// know neither nonces nor descriptions of pictures, and write a list that must be
// empty as null.

type payload struct {
	Content         string       `json:"content"`
	Embeds          []embed      `json:"embeds"`
	Components      []row        `json:"components"`
	Attachments     []attachment `json:"attachments"` // an edit drops what is not listed
	AllowedMentions mentions     `json:"allowed_mentions"`
	Flags           int          `json:"flags,omitempty"`
	Nonce           string       `json:"nonce,omitempty"`
	EnforceNonce    bool         `json:"enforce_nonce,omitempty"`
}

// mentions says who may be notified: nobody, and the list must not be null.
type mentions struct {
	Parse []string `json:"parse"`
}

type embed struct {
	Title       string  `json:"title,omitempty"`
	Description string  `json:"description,omitempty"`
	Color       int     `json:"color,omitempty"`
	Fields      []field `json:"fields,omitempty"`
	Image       *image  `json:"image,omitempty"`
	Footer      *footer `json:"footer,omitempty"`
}

type field struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline,omitempty"`
}

type image struct {
	URL string `json:"url"`
}

type footer struct {
	Text string `json:"text"`
}

type attachment struct {
	ID          string `json:"id"` // the file's number in the request
	Filename    string `json:"filename"`
	Description string `json:"description,omitempty"` // what a screen reader says
}

type row struct {
	Type       int      `json:"type"` // typeRow
	Components []button `json:"components"`
}

// The types of components that we make or read.
const (
	typeRow   = 1
	typeInput = 4
	typeText  = 10
	typeLabel = 18
)

// A card is a message as Discord takes it, with its files.
type card struct {
	payload
	files []chat.File
	said  chat.Message // what is drawn
}

// The colours of a card's edge. They are never the only sign: the tone's word
// stands in the title.
func colorOf(t chat.Tone) int {
	switch t {
	case chat.Good:
		return 0x2ECC71
	case chat.Warning:
		return 0xE67E22
	case chat.Critical:
		return 0xE74C3C
	default:
		return 0x5D6B7A
	}
}

// empty reports whether an embed shows nothing; Discord refuses that.
func (e embed) empty() bool {
	return e.Title == "" && e.Description == "" && len(e.Fields) == 0 && e.Image == nil && e.Footer == nil
}

const attached = "attachment://"

// draw returns a message as a card. Whatever it holds, it is within Discord's
// limits: see limits.go. With a push its title and first words stand above the
// card, because a phone's notification shows nothing else of it.
func draw(said chat.Message, push bool) card {
	m := said
	m.Actions = usable(m.Actions)
	m = chat.Fit(m, limits())
	d := &drawing{color: colorOf(m.Tone)}
	above, body := "", m.Blocks
	if push {
		above, body = announced(m)
	}
	if above == "" {
		d.last().Title = toned(m)
	}
	for _, b := range body {
		d.block(b)
	}
	d.footer(m.Footer)
	for _, f := range m.Files {
		d.attach(chat.File{Name: fileName(f.Name), Type: f.Type, Data: f.Data, Alt: plain(f.Alt, maxAlt)})
	}
	c := d.card()
	c.said, c.Components, c.Content = said, buttons(m.Actions), above
	if push && above == "" {
		c.Content = inert(m.Headline())
	}
	if c.Content == "" && len(c.Embeds) == 0 && len(c.files) == 0 {
		c.Content = "–"
	}
	return c
}

// announced returns the title and the first words of a message, and the blocks
// that remain for the card below them, so that nothing is said twice. Words with
// a token stay in the card: a notification would show the token as it is written.
func announced(m chat.Message) (above string, below []chat.Block) {
	above, below = marked("**", toned(m)), m.Blocks
	if len(below) == 0 {
		return above, below
	}
	first, ok := below[0].(chat.Paragraph)
	if !ok || first.Quiet || live(first.Text) {
		return above, below
	}
	if with := joined(above, markdown(first.Text)); units(with) <= maxContent {
		return with, below[1:]
	}
	return above, below
}

// emptyPayload returns a payload with no list that is null.
func emptyPayload() payload {
	return payload{Embeds: []embed{}, Components: []row{}, Attachments: []attachment{}, AllowedMentions: mentions{Parse: []string{}}}
}

// textOnly returns a message without anything but text, for when its form was
// refused.
func textOnly(m chat.Message) card {
	c := card{payload: emptyPayload(), said: m}
	c.Content = inert(chat.Clip(m.Plain(), maxContent-100, roomFor))
	if strings.TrimSpace(c.Content) == "" {
		c.Content = "–"
	}
	return c
}

// note returns a private message of the adapter's own.
func note(title, text string) chat.Message {
	return chat.Message{Title: title, Private: true, Blocks: []chat.Block{chat.Paragraph{Text: chat.T(text)}}}
}

// toned returns the title, as Markdown, after the word of the tone.
func toned(m chat.Message) string {
	word := m.ToneWord()
	switch {
	case word == "":
		return inert(m.Title)
	case m.Title == "":
		return word
	default:
		return word + ": " + inert(m.Title)
	}
}

// A drawing is a card in the making: embeds one below another. An embed shows
// its parts in an order of its own (text, fields, picture, footer), so what
// would come out of order begins a new one.
type drawing struct {
	color  int
	embeds []embed
	files  []chat.File
	charts int
}

// last returns the embed to draw in.
func (d *drawing) last() *embed {
	if len(d.embeds) == 0 {
		d.begin()
	}
	return &d.embeds[len(d.embeds)-1]
}

func (d *drawing) begin() *embed {
	d.embeds = append(d.embeds, embed{Color: d.color})
	return &d.embeds[len(d.embeds)-1]
}

func (d *drawing) block(b chat.Block) {
	switch b := b.(type) {
	case chat.Paragraph:
		text := markdown(b.Text)
		if b.Quiet {
			text = small(text)
		}
		d.text(text)
	case chat.Fields:
		d.fields(b)
	case chat.Table:
		d.text(table(b))
	case chat.Chart:
		d.chart(b)
	}
}

// text adds running text: to the description, or below the fields as one that
// has no name. That begins with an empty line, so it takes all that follows.
func (d *drawing) text(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	e := d.last()
	switch {
	case len(e.Fields) == 0 && e.Image == nil && units(below(e.Description, s)) <= maxDescription:
		e.Description = below(e.Description, s)
	case e.Image == nil && e.running() && units(below(e.Fields[len(e.Fields)-1].Value, s)) <= maxFieldValue:
		last := &e.Fields[len(e.Fields)-1]
		last.Value = below(last.Value, s)
	case e.Image == nil && len(e.Fields) < maxFields && units(s) <= maxFieldValue:
		e.Fields = append(e.Fields, field{Name: zeroWidth, Value: s})
	default:
		d.begin().Description = s
	}
}

// running reports whether the last field is running text.
func (e embed) running() bool {
	if len(e.Fields) == 0 {
		return false
	}
	last := e.Fields[len(e.Fields)-1]
	return last.Name == zeroWidth && !last.Inline
}

// below puts a block below another: small print close to what it is about, as
// Discord puts letters of one width apart by itself, and everything else apart by
// an empty line, as paragraphs are.
func below(above, s string) string {
	if above == "" || strings.HasPrefix(s, smallMark) || strings.HasPrefix(s, fence) {
		return joined(above, s)
	}
	return above + "\n\n" + s
}

func joined(above, below string) string {
	if above == "" || below == "" {
		return above + below
	}
	return above + "\n" + below
}

// fields adds facts in a grid of three columns.
func (d *drawing) fields(list chat.Fields) {
	const columns = 3
	e := d.last()
	if e.Image != nil || len(e.Fields)+len(list)+columns-1 > maxFields {
		e = d.begin()
	}
	for _, f := range list {
		e.Fields = append(e.Fields, shown(f))
	}
	// Two in the last row would be wider than the three above them.
	if len(list) > columns && len(list)%columns == columns-1 {
		e.Fields = append(e.Fields, field{Name: zeroWidth, Value: zeroWidth, Inline: true})
	}
}

func shown(f chat.Field) field {
	out := field{Name: inert(f.Label), Value: marked("**", inert(f.Value)), Inline: true}
	if out.Name == "" {
		out.Name = zeroWidth
	}
	if f.Note != "" {
		out.Value += f.Joint() + inert(f.Note)
	}
	return out
}

// chart adds a picture, with its words for those who cannot see it. One that
// cannot be drawn is told in words.
func (d *drawing) chart(c chat.Chart) {
	picture, err := chart.PNG(c, chart.Options{})
	if err != nil {
		d.text(inert(chat.PlainBlock(c)))
		return
	}
	d.charts++
	name := fmt.Sprintf("chart-%d.png", d.charts)
	d.attach(chat.File{Name: name, Type: "image/png", Data: picture, Alt: chat.Clip(chat.PlainBlock(c), maxAlt, units)})
	e := d.last()
	if e.Image != nil {
		e = d.begin()
	}
	e.Image = &image{URL: attached + name}
}

func (d *drawing) attach(f chat.File) { d.files = append(d.files, f) }

// footer adds the small print: below everything, or below the title if it holds
// what Discord's footers cannot show.
func (d *drawing) footer(t chat.Text) {
	text := strings.TrimSpace(t.Plain())
	if text == "" {
		return
	}
	d.last() // there is one, even if nothing else stands in the card
	first := &d.embeds[0]
	if status := small(markdown(t)); live(t) && units(first.Description)+1+units(status) <= maxDescription {
		first.Description = joined(first.Description, status)
		return
	}
	d.last().Footer = &footer{Text: text}
}

func (d *drawing) card() card {
	c := card{payload: emptyPayload(), files: d.files}
	for _, e := range d.embeds {
		if !e.empty() {
			c.Embeds = append(c.Embeds, e)
		}
	}
	for i, f := range d.files {
		c.Attachments = append(c.Attachments, attachment{ID: fmt.Sprint(i), Filename: f.Name, Description: f.Alt})
	}
	return c
}

// fileName returns a file's name as Discord keeps it: it replaces what is not in
// this set, and a picture is found by its name.
func fileName(s string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		default:
			return '_'
		}
	}, s)
	if len(name) > 100 {
		name = name[len(name)-100:] // the extension stays
	}
	if strings.Trim(name, "._") == "" {
		return "file"
	}
	return strings.TrimLeft(name, ".")
}
