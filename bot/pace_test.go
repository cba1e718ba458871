package bot_test

import (
	"strings"
	"testing"
	"time"

	"floorwalker/bot/chat"
)

// TestPace: from the fourth shift on, /mystats compares what was answered with the
// person's own earlier shifts at the same point, and /mystats shift each number.
func TestPace(t *testing.T) {
	const lead = "Pace  "
	inSite(t, siteConfig(t), func(s *site) {
		for _, day := range []struct {
			date        string
			calls       int // answered by noon
			after       int // and by the end of the shift
			today       string
			shift, foot string
		}{
			{"2026-03-03", 50, 90, "", "Answered: 50\n", ""},
			{"2026-03-04", 40, 90, "", "Answered: 40\n", ""},
			{"2026-03-05", 60, 90, "", "Answered: 60\n", ""},
			{"2026-03-06", 58, 58, "58 answered in this shift, ▲ 8 against your usual at this point", "Answered: 58 (▲ 8)\n", "▲▼ against your usual"},
		} {
			s.calls(0)
			s.until(day.date + " 08:58")
			s.start()
			s.until(day.date + " 11:30")
			s.calls(day.calls)
			s.until(day.date + " 12:00")
			card := s.card("")
			_, pace, found := strings.Cut(strings.ReplaceAll(card, "\u00a0", " "), lead)
			pace, _, _ = strings.Cut(pace, "\n")
			if found != (day.today != "") || pace != day.today {
				t.Errorf("%s: the pace is %q, want %q:\n%s", day.date, pace, day.today, card)
			}
			card = strings.ReplaceAll(s.card("shift"), "\u00a0", " ")
			if !strings.Contains(card, day.shift) || !strings.Contains(card, day.foot) {
				t.Errorf("%s: the shift lacks %q or %q:\n%s", day.date, day.shift, day.foot, card)
			}
			s.calls(day.after)
			s.until(day.date + " 18:01")
			if card := s.card(""); strings.Contains(card, lead) {
				t.Errorf("%s: after the shift there is a pace:\n%s", day.date, card)
			}
			s.stop()
		}
	})
}

// card is what asha reads in answer to /mystats.
func (s *site) card(view string) string {
	s.t.Helper()
	reply, err := s.bot.Handle(s.t.Context(), chat.Request{From: person("asha"), Command: "mystats", Text: view, At: time.Now()})
	for err == nil && reply.Then != nil {
		reply, err = reply.Then(s.t.Context())
	}
	if err != nil || reply.Message == nil {
		s.t.Fatalf("/mystats %s: %+v, %v", view, reply, err)
	}
	return reply.Message.Plain()
}
