package slack

import (
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// A button's action_id has to be unique in its row, and it is all that comes
// back with the value. So it carries, before the ID, its place in the row and
// what is static about the answer: r for Replace, f for Form, u for a link,
// which needs no answer. For example "r0:mystats.refresh".

func actionID(i int, a chat.Action) string {
	var flags strings.Builder
	for _, f := range []struct {
		set  bool
		flag string
	}{{a.Replace, "r"}, {a.Form, "f"}, {a.URL != "", "u"}} {
		if f.set {
			flags.WriteString(f.flag)
		}
	}
	return flags.String() + strconv.Itoa(i) + ":" + a.ID
}

// parseAction returns the button of an action_id and its value, and whether a
// press needs an answer.
func parseAction(id, value string) (a chat.Action, ok bool) {
	flags, id, found := strings.Cut(id, ":")
	if !found || id == "" || strings.Contains(flags, "u") {
		return a, false
	}
	return chat.Action{
		ID: id, Value: value,
		Replace: strings.Contains(flags, "r"), Form: strings.Contains(flags, "f"),
	}, true
}

// buttons returns a row of buttons.
func (d drawing) buttons(list []chat.Action) []slack.BlockElement {
	var row []slack.BlockElement
	for i, a := range list {
		b := slack.NewButtonBlockElement(actionID(i, a), a.Value, plainText(a.Label, maxButton))
		if a.URL != "" {
			target, ok := webAddress(a.URL)
			if !ok || len(target) > maxButtonURL {
				continue
			}
			b.URL, b.Value = a.URL, ""
		}
		switch a.Style {
		case chat.Primary:
			b.Style = slack.StylePrimary
		case chat.Danger:
			b.Style = slack.StyleDanger
		}
		b.Confirm = confirm(a)
		row = append(row, b)
	}
	return row
}

// confirm returns the question before a press, nil if there is none.
func confirm(a chat.Action) *slack.ConfirmationBlockObject {
	if a.Confirm == nil {
		return nil
	}
	or := func(s, other string) string {
		if chat.OneLine(s) == "" {
			return other
		}
		return s
	}
	q := slack.NewConfirmationBlockObject(
		plainText(or(a.Confirm.Title, "Are you sure?"), maxConfirmTitle),
		plainText(or(a.Confirm.Text, a.Label), maxConfirmText),
		plainText(or(a.Confirm.Yes, "Yes"), maxConfirmButton),
		plainText(or(a.Confirm.No, "No"), maxConfirmButton))
	if a.Style == chat.Danger {
		q.Style = slack.StyleDanger
	}
	return q
}
