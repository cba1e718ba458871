package chat

import "cmp"

import (
	"unicode"
	"unicode/utf8"
)

// A Message is one card: what the bot says, before any network draws it.
//
// Blocks, fields, rows and actions stand in the order of their importance,
// because [Fit] drops from the end of a list when a network's limits require
// it, and says how many it dropped.
type Message struct {
	Title   string   `json:"title,omitempty"`   // one line; may be empty
	Tone    Tone     `json:"tone,omitempty"`    // shown as a colour and, unless Neutral, as a word
	Word    string   `json:"word,omitempty"`    // shown in place of the tone's, such as "Recovered"; may be empty
	Blocks  []Block  `json:"-"`                 // the body
	Actions []Action `json:"actions,omitempty"` // buttons, in one row
	Footer  Text     `json:"footer,omitempty"`  // small print: window, age of the data, coverage
	Files   []File   `json:"files,omitempty"`   // documents that belong to the message
	Private bool     `json:"private,omitempty"` // for the reader alone; an adapter never shows it to others
}

// Tone is the mood of a message. It is never shown by colour alone.
type Tone int

// The tones, mildest first.
const (
	Neutral Tone = iota
	Good
	Warning
	Critical
)

// String returns the word that is shown with the tone, "" for Neutral.
func (t Tone) String() string {
	switch t {
	case Good:
		return "Good"
	case Warning:
		return "Warning"
	case Critical:
		return "Critical"
	default:
		return ""
	}
}

// ToneWord returns the word that is shown before the title, "" for none.
func (m Message) ToneWord() string { return cmp.Or(OneLine(m.Word), m.Tone.String()) }

// A Block is a part of a message's body: a [Paragraph], [Fields], a [Table] or a
// [Chart]. There are no others.
type Block interface{ block() }

// A Paragraph is running text. Quiet text is shown smaller or paler where the
// network can.
type Paragraph struct {
	Text  Text `json:"text,omitempty"`
	Quiet bool `json:"quiet,omitempty"`
}

// Fields is a grid of single facts, two or three to a row where there is space.
type Fields []Field

// A Field is a fact: a number under its label.
type Field struct {
	Label string `json:"label,omitempty"` // what it is, such as "Calls offered"
	Value string `json:"value,omitempty"` // the number as shown: "42", "4:12", "–" for missing, "≈ 4:10" for an estimate
	Note  string `json:"note,omitempty"`  // change or context, such as "▲ 3 since 09:00"; may be empty
}

// Joint returns what parts the value from the note on one line: a middle dot if
// the note begins with another number, a space before a change or a word.
func (f Field) Joint() string {
	r, _ := utf8.DecodeRuneInString(f.Note)
	if r == '≈' || unicode.IsDigit(r) {
		return " · "
	}
	return " "
}

// A Table has a header and rows of cells. Every row has as many cells as there
// are columns.
type Table struct {
	Columns []Column   `json:"columns,omitempty"`
	Rows    [][]string `json:"rows,omitempty"`
	More    int        `json:"more,omitempty"` // rows that were left out, said below the table
}

// A Column is a column's header. Numeric columns are aligned right. The cells of
// an evident one, such as names, need no title where a row is drawn as a line.
type Column struct {
	Title   string `json:"title,omitempty"`
	Numeric bool   `json:"numeric,omitempty"`
	Evident bool   `json:"evident,omitempty"`
}

// A Chart is a small picture of numbers. Its words stand in Alt, which every
// network shows or speaks where it cannot draw.
type Chart struct {
	Title  string    `json:"title,omitempty"`
	Kind   ChartKind `json:"kind,omitempty"`
	Labels []string  `json:"labels,omitempty"` // the categories, such as "09", "10", …; at most 20 are drawn
	Series []Series  `json:"series,omitempty"` // at most 6; each has one point per label
	Unit   string    `json:"unit,omitempty"`   // of the values, such as "calls"; may be empty
	Alt    string    `json:"alt,omitempty"`    // the chart in words, made from its data
}

// ChartKind says how a chart is drawn.
type ChartKind int

// The kinds of charts.
const (
	Bars ChartKind = iota
	Curves
)

// A Series is a row of points with a name.
type Series struct {
	Name   string  `json:"name,omitempty"`
	Points []Point `json:"points,omitempty"`
}

// A Point is a value of a chart. A missing one is a gap, never a zero.
type Point struct {
	Value   float64 `json:"value,omitempty"`
	Missing bool    `json:"missing,omitempty"`
}

func (Paragraph) block() {}
func (Fields) block()    {}
func (Table) block()     {}
func (Chart) block()     {}

// An Action is a button. Its ID and Value come back in the [Request] that a
// press makes; together they have at most 80 bytes (Discord: 100 with the
// adapter's own part). They carry no secret and no right: a press acts with the
// presser's own rights.
type Action struct {
	ID      string   `json:"id,omitempty"`    // which handler, such as "mystats.refresh"
	Value   string   `json:"value,omitempty"` // its argument
	Label   string   `json:"label,omitempty"`
	Style   Style    `json:"style,omitempty"`
	Confirm *Confirm `json:"confirm,omitempty"` // asked before the press counts; networks without such a question press twice
	URL     string   `json:"url,omitempty"`     // a button that opens a page instead; ID and Value are then unused

	// Replace says that the answer takes the place of the message the button
	// is on. It is static because Discord fixes it when deferring.
	Replace bool `json:"replace,omitempty"`

	// Form says that the answer may be a [Form]. Such a press is answered at
	// once, because a form must be the first response.
	Form bool `json:"form,omitempty"`
}

// Style is the look of a button.
type Style int

// The styles of buttons. A message has at most one Primary.
const (
	Default Style = iota
	Primary
	Danger
)

// Confirm is the question before a destructive action. Slack: title 100
// characters, text 300, buttons 30.
type Confirm struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Yes   string `json:"yes"`
	No    string `json:"no"`
}

// A File is a document that goes with a message.
type File struct {
	Name string `json:"name,omitempty"` // with its extension, no folders
	Type string `json:"type,omitempty"` // media type, such as "application/json"
	Data []byte `json:"data,omitempty"`
	Alt  string `json:"alt,omitempty"` // for pictures: their content in words
}

// A Form asks a person for values. Where a network cannot show one, the adapter
// says so instead.
type Form struct {
	ID     string // which handler
	Value  string // its argument, returned with the values
	Title  string // Slack: 24 characters
	Intro  Text
	Fields []Input
	Submit string // the button's label

	// Errors says what is wrong with values that were sent, by field name. A
	// form that answers a form request is shown again with them, and with the
	// values that are not secret.
	Errors map[string]string
}

// An Input is one field of a form.
type Input struct {
	Name     string // key of the value in [Request.Values]
	Label    string
	Hint     string
	Value    string // what it holds at first; never a secret
	Secret   bool   // masked where the network can, never echoed, never logged
	Optional bool
}
