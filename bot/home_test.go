package bot_test

import (
	"context"
	"strings"
	"testing"

	"floorwalker/bot/chat"
	"floorwalker/dashboard"
)

// A button of the home page has no more rights than its presser, and what came of
// it stands above the page.
func TestHomeButtons(t *testing.T) {
	b, _, _ := newBot(t, func(context.Context, dashboard.Query) (dashboard.Counters, error) {
		return dashboard.Counters{}, &dashboard.Error{Class: dashboard.ClassTransient}
	})
	for i, test := range []struct{ who, value, first string }{
		{"meera", "floor ack 99 here", "No alert of your teams is open with the number 99."},
		{"meera", "floor whoami", "Who you are here"},
		{"asha", "floor ack 99 here", "/floor ack is for supervisors of a team."},
		{"asha", "floor status", "/floor status is for administrators."},
		{"asha", "home", "I don't know “home”."},
		{"asha", "", "Warning: That did not work"},
		{"meera", "", "Open alerts"},
	} {
		r := command("", "")
		r.ID, r.From, r.Kind = string(rune('a'+i)), person(test.who), chat.KindAction
		r.Action = chat.Action{ID: "home", Value: test.value}
		reply, err := b.Handle(t.Context(), r)
		if err != nil || len(reply.Page) < 2 {
			t.Fatalf("%s presses %q: %d cards, %v", test.who, test.value, len(reply.Page), err)
		}
		if got := reply.Page[0].Plain(); !strings.HasPrefix(got, test.first) {
			t.Errorf("%s presses %q, and the page begins with\n%s", test.who, test.value, got)
		}
		help := reply.Page[len(reply.Page)-1].Plain()
		if strings.Contains(help, "/floor ack") != (test.who == "meera") || strings.Contains(help, "/floor audit") {
			t.Errorf("%s is offered\n%s", test.who, help)
		}
		for _, m := range reply.Page {
			if !m.Private {
				t.Errorf("a card is for everybody: %s", m.Plain())
			}
		}
	}
	// What looks like a secret is not read from a button either.
	r := command("", "")
	r.ID, r.Kind, r.Action = "secret", chat.KindAction, chat.Action{ID: "home", Value: "floor link token=abcdef0123456789abcdef"}
	reply, err := b.Handle(t.Context(), r)
	if err != nil || reply.Message == nil || !strings.Contains(reply.Message.Plain(), "looks like a password") {
		t.Errorf("%+v, %v", reply, err)
	}
}
