package discord

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"floorwalker/bot/chat"
)

// A form is a modal. Discord's policy forbids to ask for credentials in one, and
// it cannot mask an input, so a form that has a secret field is not shown.

type modal struct {
	Title      string      `json:"title"`
	CustomID   string      `json:"custom_id"`
	Components []modalPart `json:"components"`
}

// A modalPart is an input under its label, or a text.
type modalPart struct {
	Type        int         `json:"type"`
	Label       string      `json:"label,omitempty"`
	Description string      `json:"description,omitempty"`
	Component   *modalInput `json:"component,omitempty"`
	Content     string      `json:"content,omitempty"`
}

type modalInput struct {
	Type     int    `json:"type"`
	CustomID string `json:"custom_id"`
	Style    int    `json:"style"`
	Value    string `json:"value,omitempty"`
	Required bool   `json:"required"`
}

const inputLine = 1 // the style of an input of one line

// Why a form is not shown.
var (
	errSecretForm = errors.New("discord: its rules forbid to ask for secrets in a form")
	errFormSize   = errors.New("discord: a form has one to five fields")
)

// drawForm draws a form.
func drawForm(f chat.Form) (modal, error) {
	if slices.ContainsFunc(f.Fields, func(in chat.Input) bool { return in.Secret }) {
		return modal{}, errSecretForm
	}
	id := press{Action: chat.Action{ID: f.ID, Value: f.Value}}.encode(0)
	m := modal{Title: or(plain(f.Title, maxModalTitle), "…"), CustomID: id}
	intro := chat.Fit(chat.Message{Blocks: []chat.Block{chat.Paragraph{Text: f.Intro}}}, limits())
	for _, b := range intro.Blocks {
		if p, ok := b.(chat.Paragraph); ok && len(f.Fields) < maxModalParts {
			m.Components = append(m.Components, modalPart{Type: typeText, Content: markdown(p.Text)})
		}
	}
	for _, in := range f.Fields {
		m.Components = append(m.Components, modalPart{
			Type: typeLabel, Label: or(plain(in.Label, maxModalTitle), in.Name), Description: plain(in.Hint, maxHint),
			Component: &modalInput{
				Type: typeInput, CustomID: in.Name, Style: inputLine,
				Value: plain(in.Value, maxInput), Required: !in.Optional,
			},
		})
	}
	if problems := m.problems(); len(problems) > 0 || len(f.Fields) == 0 {
		return m, errors.Join(errFormSize, errors.New(strings.Join(problems, "; ")))
	}
	return m, nil
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// wrong says what is wrong with a form that was sent: Discord shows no form in
// answer to one.
func wrong(f chat.Form) chat.Message {
	m := note(f.Title, "Please correct this and try again.")
	for _, name := range slices.Sorted(maps.Keys(f.Errors)) {
		text := chat.T(f.Errors[name])
		if i := slices.IndexFunc(f.Fields, func(in chat.Input) bool { return in.Name == name }); i >= 0 {
			text = chat.Join(chat.Strong(f.Fields[i].Label), chat.T(": "), text)
		}
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: text})
	}
	return m
}
