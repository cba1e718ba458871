package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
)

// sound is a history in which all is as it should be: the first alert was told,
// acknowledged and is over, the second was carried by the first one's message,
// the third ended before anybody could read it, the fourth was silenced, the
// fifth is the third of its agent in the shift.
func sound() history {
	t0 := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	lea := chat.Address{Network: chat.Slack, ID: "U0LEA"}
	row := func(seq int, episode, step string, added int, state bot.RowState, reason string) bot.Row {
		return bot.Row{Key: alert.Key(episode, step, lea.String()), To: lea, Seq: uint64(seq), Added: at(added), Settled: at(added + 11), State: state, Reason: reason}
	}
	end := row(4, "e1", "resolve", 60, bot.RowSent, "")
	end.Edits = "alert/e1/fire/slack:U0LEA"
	episode := func(n int, id, agent string, began, ended int, outcome alert.Outcome) heardOf {
		e := heardOf{ID: id, Subject: agent, Rule: "missed", N: n, Teams: []string{"support"}, Began: at(began), Outcome: outcome}
		if ended > 0 {
			e.Ended = at(ended)
		}
		return e
	}
	h := history{
		Episodes: []heardOf{
			episode(1, "e1", "a1", 0, 60, alert.Tell), episode(2, "e2", "a2", 5, 0, alert.Tell), episode(3, "e3", "a1", 100, 103, alert.Tell),
			episode(4, "e4", "a3", 130, 0, alert.Silenced), episode(5, "e5", "a1", 200, 0, alert.OverBudget),
		},
		Rows: []bot.Row{
			row(1, "e1", "fire", 0, bot.RowSent, ""),
			row(2, "e2", "fire", 5, bot.RowCancelled, "carried by alert/e1/fire/slack:U0LEA"),
			row(3, "e1", "fire-edit-1", 20, bot.RowSent, ""), end,
			row(5, "e3", "fire", 100, bot.RowCancelled, "resolved before it was sent"),
			row(6, "e3", "resolve", 103, bot.RowCancelled, "resolved before it was sent"),
		},
		Silences: []hush{{Silence: alert.Silence{Matcher: alert.Matcher{Agent: "a3", Team: "support"}, Start: at(120), End: at(300), By: lea.String()}, N: 1, What: "Ravi in support"}},
		Posts:    []posted{{Key: "alert/e1/fire/slack:U0LEA", To: "D0LEA"}, {Key: "alert/e1/fire/slack:U0LEA", To: "D0LEA", Marked: true}},
		Kills:    []killed{{At: at(11), Leased: []string{"alert/e1/fire/slack:U0LEA"}, Unsent: []unsent{{"alert/e1/fire/slack:U0LEA", "missed", "a2", "support"}}}},
		Assured:  []assured{{"ack", lea.String(), "1", at(30)}, {"silence", lea.String(), "Ravi in support", at(121)}},
		Audit: []bot.AuditEntry{
			{At: at(29), Actor: lea.String(), Action: "ack", Object: "alert 1"},
			{At: at(120), Actor: lea.String(), Action: "silence", Object: "silence 1"},
		},
		Supervisors: map[string][]chat.Address{"support": {lea}},
	}
	h.Episodes[0].AckedBy = "lea"
	h.Rows[2].Edits = h.Rows[0].Key
	return h
}

// TestHistory: each thing that must not happen is noticed when it does.
func TestHistory(t *testing.T) {
	if faults := sound().check(); len(faults) > 0 {
		t.Fatal("what is sound is not:\n" + strings.Join(faults, "\n"))
	}
	drop := func(h *history, key string) {
		h.Rows = slices.DeleteFunc(h.Rows, func(r bot.Row) bool { return r.Key == key })
	}
	later := func(t time.Time) time.Time { return t.Add(time.Hour) }
	for want, doctor := range map[string]func(*history){
		"told to no team":                       func(h *history) { drop(h, "alert/e2/fire/slack:U0LEA") },
		"(the message was not delivered)":       func(h *history) { h.Rows[1].Reason = "the message was not delivered" },
		"fire/slack:U0LEA is dead":              func(h *history) { h.Rows[0].State = bot.RowDead },
		"(resolved before it was sent)":         func(h *history) { h.Episodes[2].Ended = time.Time{} },
		"was told by alert/e1/fire":             func(h *history) { drop(h, "alert/e1/resolve/slack:U0LEA") },
		"of what is open: true":                 func(h *history) { h.Episodes[0].Ended = time.Time{} },
		"of what is open: false, and told: fal": func(h *history) { h.Rows[3].Seq = 0 },
		"is still pending":                      func(h *history) { h.Rows[3].State = bot.RowPending },
		"not on record":                         func(h *history) { h.Episodes = h.Episodes[1:] },
		"for the 3th time":                      func(h *history) { h.Episodes[4].Outcome = alert.Tell },
		"over its budget after 1":               func(h *history) { h.Episodes[2].Outcome = alert.Silenced },
		"was not to be told (budget)":           func(h *history) { h.Rows[1].Key, h.Rows[1].State = "alert/e5/fire/slack:U0LEA", bot.RowSent },
		"promised while it was silenced": func(h *history) {
			h.Rows[1].Key, h.Rows[1].State, h.Rows[1].Added = "alert/e4/fire/slack:U0LEA", bot.RowSent, h.Episodes[3].Began
		},
		"which is silenced":         func(h *history) { h.Kills[0].Unsent[0].Subject, h.Kills[0].At = "a3", h.Silences[0].Start },
		"came 2 times, 2 of them":   func(h *history) { h.Posts[1].Marked = false },
		"was on its way at 0 kills": func(h *history) { h.Kills = nil },
		"nobody promised":           func(h *history) { h.Posts = append(h.Posts, posted{To: "D0LEA"}) },
		"and did not come":          func(h *history) { h.Posts = nil },
		"ack of 1 is done":          func(h *history) { h.Audit = h.Audit[1:] },
		"ack of 1 is done, ":        func(h *history) { h.Episodes[0].AckedBy = "" },
		"silence of Ravi":           func(h *history) { h.Silences[0].Start = later(h.Silences[0].Start) },
		"unsilence of 1":            func(h *history) { h.Assured[1].What, h.Assured[1].Object = "unsilence", "1" },
	} {
		h := sound()
		doctor(&h)
		faults := h.check()
		if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, want) }) {
			t.Errorf("%q is not noticed, but\n%s", want, strings.Join(faults, "\n"))
		}
	}
}
