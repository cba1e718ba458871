package bot

import (
	"testing"

	"floorwalker/bot/chat"
)

// One button of a page stands out, the first that wants to.
func TestOnePrimary(t *testing.T) {
	page := []chat.Message{
		{Actions: []chat.Action{{Label: "a"}, {Label: "b", Style: chat.Primary}, {Label: "c", Style: chat.Danger}}},
		{}, {Actions: []chat.Action{{Label: "d", Style: chat.Primary}, {Label: "e", Style: chat.Danger}}},
	}
	onePrimary(page)
	want := map[string]chat.Style{"b": chat.Primary, "c": chat.Danger, "e": chat.Danger}
	for _, m := range page {
		for _, a := range m.Actions {
			if a.Style != want[a.Label] {
				t.Errorf("%s has the style %v", a.Label, a.Style)
			}
		}
	}
}
