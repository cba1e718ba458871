package discord

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"floorwalker/bot/chat"
)

// The styles of buttons.
const (
	stylePrimary   = 1
	styleSecondary = 2
	styleDanger    = 4
	styleLink      = 5
)

const typeButton = 2

type button struct {
	Type     int    `json:"type"` // typeButton
	Style    int    `json:"style"`
	Label    string `json:"label"`
	CustomID string `json:"custom_id,omitempty"`
	URL      string `json:"url,omitempty"`
}

// A pressed button comes back as its custom_id and nothing else. So that carries
// the place in the row, because it has to be unique in its message, what is
// static about the answer, and the action:
//
//	0rc.15:mystats.refreshweek
//
// is the first button; r (Replace), f (Form) and c (asks before it counts) are
// set; the ID has 15 bytes, and the rest is the Value. The button that answers
// such a question is marked y, and names the message that the question was about
// in base 36 after the length; n is the one that says no.
var customID = regexp.MustCompile(`(?s)^[0-9]([rfcyn]*)\.([0-9]{1,3})(?:\.([0-9a-z]{1,13}))?:(.*)$`)

// A press is what a custom_id says.
type press struct {
	chat.Action        // ID, Value, Replace and Form
	ask         bool   // it counts once the person has said yes
	yes, no     bool   // this is the answer
	about       string // yes: the id of the message that the first press was on; may be empty
}

func (p press) encode(place int) string {
	var flags strings.Builder
	for _, f := range []struct {
		set  bool
		flag string
	}{{p.Replace, "r"}, {p.Form, "f"}, {p.ask, "c"}, {p.yes, "y"}, {p.no, "n"}} {
		if f.set {
			flags.WriteString(f.flag)
		}
	}
	head := strconv.Itoa(place) + flags.String() + "." + strconv.Itoa(len(p.ID))
	if n, err := strconv.ParseUint(p.about, 10, 64); err == nil {
		head += "." + strconv.FormatUint(n, 36)
	}
	return head + ":" + p.ID + p.Value
}

func decodePress(id string) (p press, ok bool) {
	m := customID.FindStringSubmatch(id)
	if m == nil {
		return p, false
	}
	n, err := strconv.Atoi(m[2])
	if err != nil || n > len(m[4]) {
		return p, false
	}
	has := func(flag string) bool { return strings.Contains(m[1], flag) }
	p = press{ask: has("c"), yes: has("y"), no: has("n")}
	p.Action = chat.Action{ID: m[4][:n], Value: m[4][n:], Replace: has("r"), Form: has("f")}
	if m[3] != "" {
		about, err := strconv.ParseUint(m[3], 36, 64)
		if err != nil {
			return p, false
		}
		p.about = strconv.FormatUint(about, 10)
	}
	return p, p.ID != "" || p.no
}

// pressOf returns what a press of an action's button says.
func pressOf(a chat.Action) press {
	return press{Action: a, ask: a.Confirm != nil}
}

// usable returns the actions that Discord can show: an address must be one of
// the web's, and an action that does not fit into a custom_id cannot come back.
func usable(list []chat.Action) []chat.Action {
	return slices.DeleteFunc(slices.Clone(list), func(a chat.Action) bool {
		if a.URL != "" {
			_, ok := webAddress(a.URL)
			return !ok || units(a.URL) > maxURL
		}
		p := pressOf(a)
		if p.ask {
			p.about = "18446744073709551615" // the answer to the question names a message
		}
		return a.ID == "" || units(p.encode(0)) > maxCustomID
	})
}

// buttons returns a row of buttons, or no row.
func buttons(list []chat.Action) []row {
	if len(list) == 0 {
		return []row{}
	}
	r := row{Type: typeRow}
	for i, a := range list {
		b := button{Type: typeButton, Style: styleOf(a.Style), Label: a.Label}
		if a.URL != "" {
			b.Style, b.URL = styleLink, a.URL
		} else {
			b.CustomID = pressOf(a).encode(i)
		}
		r.Components = append(r.Components, b)
	}
	return []row{r}
}

func styleOf(s chat.Style) int {
	switch s {
	case chat.Primary:
		return stylePrimary
	case chat.Danger:
		return styleDanger
	default:
		return styleSecondary
	}
}

// question returns the card that asks before a press counts.
func question(q chat.Confirm, p press, on interaction) card {
	yes := press{Action: p.Action, yes: true}
	yes.Replace = false // it takes the question's place anyway
	if !on.ref().IsZero() {
		yes.about = on.Message.ID
	}
	c := draw(note(or(q.Title, "Are you sure?"), q.Text), false)
	c.Components = []row{{Type: typeRow, Components: []button{
		{Type: typeButton, Style: styleDanger, Label: or(plain(q.Yes, maxButton), "Yes"), CustomID: yes.encode(0)},
		{Type: typeButton, Style: styleSecondary, Label: or(plain(q.No, maxButton), "No"), CustomID: press{no: true}.encode(1)},
	}}}
	return c
}
