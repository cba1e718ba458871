package bot_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// TestEvents: the administrator hears once of a team's channel that is gone, and
// of a network that the app was removed from, and nothing of other channels.
func TestEvents(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		defer s.close()
		s.mustDo(t, "at 2026-03-02 10:00")
		for range 2 {
			for _, e := range []chat.Event{
				{Kind: chat.EventGone, Gone: person("#support"), By: chat.Console},
				{Kind: chat.EventGone, Gone: person("#canteen"), By: chat.Console},
				{Kind: chat.EventRemoved, By: chat.Discord},
				{Kind: chat.EventRemoved, By: chat.Console}, // where the administrator is
			} {
				s.bot.Event(t.Context(), e)
			}
		}
		var got strings.Builder
		for row, err := range s.store.Rows(bot.RowPending) {
			if err != nil {
				t.Fatal(err)
			}
			got.WriteString(row.To.String() + ": " + row.Message.Plain() + "\n")
		}
		for _, want := range []string{
			"console:dev: Warning: A channel cannot be written to\nconsole:#support of the team support: it was deleted or archived.\nWhat is for it is not posted.",
			"console:dev: Critical: I am cut off from discord\ndiscord does not have me back: the app was removed there.",
		} {
			if strings.Count(got.String(), want) != 1 {
				t.Errorf("want once\n%s\nin\n%s", want, got.String())
			}
		}
		if n := strings.Count(got.String(), "console:dev: "); n != 2 {
			t.Errorf("the administrator gets %d messages:\n%s", n, got.String())
		}
	})
}
