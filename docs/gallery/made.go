package main

import (
	"fmt"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// posts are the cards that the bot sends unasked, and a team's table. They are
// written by hand.
func (s *stage) posts() {
	if s.err != nil {
		return
	}
	s.post("team", s.team())
	s.post("digest", s.digest())
	s.post("digest-partial", s.digestPartial())
	s.post("digest-empty", s.digestEmpty())
	s.post("alert-info", s.alert(chat.Neutral, "open"))
	s.post("alert-warning", s.alert(chat.Warning, "open"))
	s.post("alert-critical", s.alert(chat.Critical, "open"))
	s.post("alert-acknowledged", s.alert(chat.Warning, "acked"))
	s.post("alert-recovered", s.alert(chat.Good, "recovered"))
}

// ago returns an instant before now.
func (s *stage) ago(d time.Duration) time.Time { return s.now.Add(-d) }

// points makes a series; a negative value is missing.
func points(name string, values ...float64) chat.Series {
	series := chat.Series{Name: name}
	for _, v := range values {
		series.Points = append(series.Points, chat.Point{Value: max(v, 0), Missing: v < 0})
	}
	return series
}

func (s *stage) hours(offered, missed []float64) chat.Chart {
	var labels []string
	for i := range offered {
		labels = append(labels, fmt.Sprintf("%02d", 9+i))
	}
	var alt []string
	for i, v := range offered {
		alt = append(alt, fmt.Sprintf("%s: %g offered, %g missed", labels[i], v, missed[i]))
	}
	return chat.Chart{Title: "Calls by the hour", Unit: "calls", Labels: labels, Alt: strings.Join(alt, "; ") + ".",
		Series: []chat.Series{points("offered", offered...), points("missed", missed...)}}
}

func (s *stage) team() chat.Message {
	return chat.Message{
		Title: "support · now", Private: true,
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.T("12 of 14 agents reported. 3 need a look.")},
			chat.Table{
				Columns: []chat.Column{{Title: "Agent"}, {Title: "State"}, {Title: "Offered", Numeric: true}, {Title: "Missed", Numeric: true}, {Title: "Average talk", Numeric: true}},
				Rows: [][]string{
					{"José Álvarez-Montenegro", "ready", "31", "7", "5:02"}, {"Priya Menon", "on a call", "28", "4", "4:40"},
					{"Asha Rao", "on a call", "42", "3", "3:58"}, {"Vikram Subramanian", "ready", "37", "1", "4:11"},
					{"Neha Kapoor", "logged out", "–", "–", "–"},
				},
				More: 9,
			},
		},
		Footer: chat.Join(chat.T("Worst first · as of "), chat.At(s.ago(40*time.Second), chat.Clock)),
	}
}

func (s *stage) digest() chat.Message {
	return chat.Message{
		Title: "support · day shift, " + s.now.Format("Mon 2 Jan"),
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.T("396 calls answered, 16 missed (4 %). About as many as on a usual " + s.now.Weekday().String() + ".")},
			chat.Fields{
				{Label: "Calls offered", Value: "412", Note: "▲ 18 against the usual"}, {Label: "Answered", Value: "396", Note: "▲ 14 against the usual"},
				{Label: "Missed", Value: "16", Note: "4 % of offered · ▼ 4 against the usual"}, {Label: "Average talk", Value: "≈ 4:31"},
				{Label: "Hold time", Value: "1:52:07"}, {Label: "Agents", Value: "12 of 14", Note: "with data"},
			},
			s.hours([]float64{40, 52, 58, 49, 30, 41, 45, 55, 42}, []float64{1, 2, 3, 4, 0, 1, 2, 0, 3}),
			chat.Paragraph{Text: chat.Lines(
				chat.Join(chat.Strong("Busiest"), chat.T("  11:00–12:00, 58 offered")),
				chat.Join(chat.Strong("Most missed"), chat.T("  12:00–13:00, 4 of 49")),
				chat.T("2 agents missed more than twice their share."))},
			chat.Paragraph{Quiet: true, Text: chat.T("2 of 14 need to link again")},
		},
		Footer: chat.T("09:00–18:00 IST · 97 % observed"),
	}
}

func (s *stage) digestPartial() chat.Message {
	m := s.digest()
	m.Tone = chat.Warning
	m.Blocks[0] = chat.Paragraph{Text: chat.T("Partial: only 61 % of the time was observed. 214 calls answered, 9 missed (4 %).")}
	m.Blocks[2] = s.hours([]float64{40, 52, 58, -1, -1, 41, 23}, []float64{1, 2, 3, -1, -1, 1, 2})
	m.Blocks = append(m.Blocks[:3:3], chat.Paragraph{Quiet: true, Text: chat.T("2 of 14 need to link again · 3 other agents without data")})
	m.Footer = chat.T("09:00–18:00 IST · 61 % observed · last numbers of 15:31")
	return m
}

func (s *stage) digestEmpty() chat.Message {
	return chat.Message{
		Title: "support · day shift, " + s.now.Format("Mon 2 Jan"), Tone: chat.Warning,
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.T("No data: none of 14 linked agents could be read.")},
			chat.Paragraph{Quiet: true, Text: chat.T("14 of 14 need to link again")},
		},
		Footer: chat.T("09:00–18:00 IST"),
	}
}

// alert is what a supervisor is told of a problem, in each state of it.
func (s *stage) alert(tone chat.Tone, state string) chat.Message {
	m := chat.Message{
		Title: "Asha Rao missed 4 calls in 30 minutes", Tone: tone, Private: true,
		Blocks: []chat.Block{
			chat.Fields{
				{Label: "Missed in 30 minutes", Value: "4", Note: "3 or more is too many"},
				{Label: "Since", Value: s.ago(4 * time.Minute).Format("15:04"), Note: "4 min"},
				{Label: "Team", Value: "support"}, {Label: "Today", Value: "42 offered", Note: "7 missed"},
			},
		},
		Footer: chat.Join(chat.T("missed-burst · as of "), chat.At(s.ago(20*time.Second), chat.Clock)),
	}
	silence := chat.Action{ID: "floor", Value: "silence 12 1h", Label: "Silence 1 h", Replace: true}
	shift := chat.Action{ID: "floor", Value: "silence 12 shift", Label: "Silence for the shift", Replace: true}
	switch state {
	case "open":
		m.Actions = []chat.Action{{ID: "floor", Value: "ack 12", Label: "Acknowledge", Style: chat.Primary, Replace: true}, silence, shift}
	case "acked":
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Join(chat.Strong("Acknowledged"), chat.T(" by "), chat.Mention(s.person("meera"), "Meera Nair"),
			chat.T(" at "), chat.At(s.ago(time.Minute), chat.Clock), chat.T(", for an hour."))})
		m.Actions = []chat.Action{silence, shift}
	case "recovered":
		m.Title = "Recovered: Asha Rao missed 4 calls in 30 minutes"
		m.Blocks = []chat.Block{chat.Paragraph{Text: chat.Join(chat.T("Down to 1 since "), chat.At(s.ago(3*time.Minute), chat.Clock), chat.T(". It lasted 26 min and reached 5."))}}
	}
	return m
}
