package discord

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// What Discord tells us is read by types of our own, which name only what we use.
// The library gives up on a whole interaction for one component that is newer
// than itself, and calls its handlers all the same, which then panic. Here what
// is unknown, or of another type than expected, is as if it were not there.

// The types of interactions.
const (
	interactionPing     = 1
	interactionCommand  = 2
	interactionPress    = 3
	interactionComplete = 4
	interactionForm     = 5
)

// interaction is something a person did.
type interaction struct {
	ID        string          `json:"id"`
	Type      int             `json:"type"`
	Token     secret.Secret   `json:"token"` // answers it, for 15 minutes
	GuildID   string          `json:"guild_id"`
	ChannelID string          `json:"channel_id"`
	Member    member          `json:"member"` // in a server
	User      user            `json:"user"`   // in direct messages
	Message   message         `json:"message"`
	Data      json.RawMessage `json:"data"`
}

type member struct {
	Nick string `json:"nick"`
	User user   `json:"user"`
}

type user struct {
	ID         string `json:"id"`
	Username   string `json:"username"`
	GlobalName string `json:"global_name"`
	Bot        bool   `json:"bot"`
}

// name returns how people call the person.
func (u user) name() string {
	if u.GlobalName != "" {
		return u.GlobalName
	}
	return u.Username
}

// message is the one that a button is on.
type message struct {
	ID         string          `json:"id"`
	Flags      int             `json:"flags"`
	Components json.RawMessage `json:"components"`
}

const flagEphemeral = 1 << 6 // of a message that one person sees

// commandData is a typed command, as far as it was typed.
type commandData struct {
	Name    string       `json:"name"`
	Type    int          `json:"type"`
	Options []optionData `json:"options"`
}

type optionData struct {
	Name    string          `json:"name"`
	Type    int             `json:"type"`
	Value   json.RawMessage `json:"value"`
	Focused bool            `json:"focused"`
	Options []optionData    `json:"options"`
}

// pressData is a pressed button.
type pressData struct {
	CustomID string `json:"custom_id"`
}

// formData is a form that was sent. Its inputs stand in rows or under labels.
type formData struct {
	CustomID   string     `json:"custom_id"`
	Components []formPart `json:"components"`
}

type formPart struct {
	CustomID   string        `json:"custom_id"`
	Value      secret.Secret `json:"value"`
	Component  *formPart     `json:"component"`
	Components []formPart    `json:"components"`
}

// decode reads JSON of Discord's and ignores a field that is of another type than
// we know: it is then as if it were not there.
func decode(b []byte, to any) error {
	err := json.Unmarshal(b, to)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil
	}
	return err
}

// parse reads an interaction. It reports false if nobody can be answered.
func parse(raw []byte) (i interaction, ok bool) {
	if decode(raw, &i) != nil {
		return i, false
	}
	return i, isID(i.ID) && i.Token.Reveal() != "" && (isID(i.from().ID) || i.Type == interactionPing)
}

// from returns the person: one of the two is set.
func (i interaction) from() user {
	if i.Member.User.ID != "" {
		return i.Member.User
	}
	return i.User
}

// inChannel reports whether others than the person may see what happens there.
func (i interaction) inChannel() bool { return i.GuildID != "" }

// ephemeral reports whether the message that a button is on is seen by the person
// alone.
func (i interaction) ephemeral() bool { return i.Message.Flags&flagEphemeral != 0 }

// ref names the message that a button is on, where it can be edited.
func (i interaction) ref() chat.Ref {
	if i.ephemeral() || !isID(i.Message.ID) || !isID(i.ChannelID) {
		return chat.Ref{}
	}
	return ref(i.ChannelID, i.Message.ID)
}

// request returns the part of a request that every interaction has.
func (i interaction) request(kind chat.Kind) chat.Request {
	r := chat.Request{ID: i.ID, Kind: kind, At: time.Now(), From: chat.Address{Network: chat.Discord, ID: i.from().ID}, Name: i.from().name()}
	if i.Member.Nick != "" {
		r.Name = i.Member.Nick
	}
	if i.inChannel() && isID(i.ChannelID) {
		r.In = chat.Address{Network: chat.Discord, ID: i.ChannelID}
	}
	return r
}

// command returns a typed command as a request and what it is, nil if the bot
// has no such command. Focused is the option that is being typed, "" if none is.
func (i interaction) command(all []chat.Command) (r chat.Request, spec *chat.Command, focused string) {
	var data commandData
	if decode(i.Data, &data) != nil {
		data = commandData{}
	}
	r = i.request(chat.KindCommand)
	r.Command = data.Name
	words, spec, focused := data.words(all)
	r.Text = strings.Join(words, " ")
	return r, spec, focused
}

// The types of options.
const (
	optionSub    = 1
	optionGroup  = 2
	optionString = 3
	optionUser   = 6
)

const maxDepth = 3 // of a command: itself, a group, a subcommand

// words returns the text of a command as it would be typed: the names of
// subcommands and then the values of the options in the order in which the
// command has them, with the one that is being typed last.
func (d commandData) words(all []chat.Command) (words []string, spec *chat.Command, focused string) {
	spec = named(all, d.Name)
	options := d.Options
	for range maxDepth {
		i := slices.IndexFunc(options, func(o optionData) bool { return o.Type == optionSub || o.Type == optionGroup })
		if i < 0 {
			break
		}
		words = append(words, word(options[i].Name))
		if spec != nil {
			spec = named(spec.Sub, options[i].Name)
		}
		options = options[i].Options
	}
	if spec != nil {
		options = inOrder(options, spec.Options)
	}
	for _, o := range options {
		switch {
		case o.Focused:
			focused = o.Name
		case o.Type != optionSub && o.Type != optionGroup:
			words = append(words, o.word())
		}
	}
	if i := slices.IndexFunc(options, func(o optionData) bool { return o.Focused }); i >= 0 {
		words = append(words, addressed(chat.OneLine(text(options[i].Value))))
	}
	return words, spec, focused
}

func named(list []chat.Command, name string) *chat.Command {
	i := slices.IndexFunc(list, func(c chat.Command) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// inOrder returns the options in the order of the command's own. One that was
// skipped before others is an empty word, so that those keep their place.
func inOrder(given []optionData, want []chat.Option) []optionData {
	var sorted []optionData
	last := 0
	for _, w := range want {
		i := slices.IndexFunc(given, func(o optionData) bool { return o.Name == w.Name })
		if i < 0 {
			sorted = append(sorted, optionData{Name: w.Name, Type: optionString})
			continue
		}
		sorted = append(sorted, given[i])
		last = len(sorted)
	}
	sorted = sorted[:last]
	for _, o := range given {
		if !slices.ContainsFunc(want, func(w chat.Option) bool { return w.Name == o.Name }) {
			sorted = append(sorted, o)
		}
	}
	return sorted
}

// word returns an option's value as a word of the command's text.
func (o optionData) word() string {
	value := text(o.Value)
	if o.Type == optionUser && isID(value) {
		return person(value)
	}
	return word(addressed(chat.OneLine(value)))
}

// text returns a value as text: a string, a number or a boolean.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if s = string(raw); strings.ContainsAny(s, `{["`) || s == "null" {
		return ""
	}
	return s
}

// quoteMarks are the marks that words are quoted by; see [chat.Request].
var quoteMarks = strings.NewReplacer(`"`, "'", "“", "'", "”", "'", "„", "'")

// word returns s as one word: quoted if it is empty or holds spaces. There is no
// way to quote a quotation mark, so it becomes an apostrophe.
func word(s string) string {
	s = quoteMarks.Replace(s)
	if s == "" || strings.ContainsAny(s, " \u00a0") {
		return `"` + s + `"`
	}
	return s
}

// Mentions in text that was typed.
var mentioned = regexp.MustCompile(`<@!?([0-9]{5,20})>`)

// addressed returns text with people written <@discord:ID>.
func addressed(s string) string { return mentioned.ReplaceAllString(s, "<@discord:$1>") }

func person(id string) string { return "<@" + string(chat.Discord) + ":" + id + ">" }

// press returns what a pressed button says.
func (i interaction) press() (press, bool) {
	var data pressData
	if decode(i.Data, &data) != nil {
		return press{}, false
	}
	return decodePress(data.CustomID)
}

// label returns what the pressed button says to people, "" if it is not found.
func (i interaction) label() string {
	var data pressData
	var rows []struct {
		Components []struct {
			CustomID string `json:"custom_id"`
			Label    string `json:"label"`
		} `json:"components"`
	}
	if decode(i.Data, &data) != nil || decode(i.Message.Components, &rows) != nil {
		return ""
	}
	for _, r := range rows {
		for _, b := range r.Components {
			if b.CustomID == data.CustomID {
				return b.Label
			}
		}
	}
	return ""
}

// form returns a form that was sent as a request.
func (i interaction) form() (chat.Request, bool) {
	var data formData
	if decode(i.Data, &data) != nil {
		return chat.Request{}, false
	}
	p, ok := decodePress(data.CustomID)
	r := i.request(chat.KindForm)
	r.Form, r.Value, r.Values = p.ID, p.Value, map[string]secret.Secret{}
	for _, c := range data.Components {
		c.collect(r.Values, 0)
	}
	return r, ok
}

// collect reads the inputs of a part and of what it holds.
func (c formPart) collect(values map[string]secret.Secret, depth int) {
	if depth > maxDepth {
		return
	}
	if c.CustomID != "" && c.Component == nil && len(c.Components) == 0 {
		values[c.CustomID] = c.Value
	}
	if c.Component != nil {
		c.Component.collect(values, depth+1)
	}
	for _, inner := range c.Components {
		inner.collect(values, depth+1)
	}
}
