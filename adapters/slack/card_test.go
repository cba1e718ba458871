package slack

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

// The layout of cards: what stands where, on each surface. After a change,
// look at the difference.
func TestLayouts(t *testing.T) {
	at := time.Date(2026, 3, 2, 14, 5, 0, 0, time.UTC)
	stats := chat.Message{
		Title: "Asha Rao, today", Private: true,
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.Join(chat.T("Shift "), chat.Strong("day"), chat.T(", 09:00–18:00"))},
			chat.Fields{{Label: "Calls offered", Value: "42", Note: "▲ 3 since 09:00"}, {Label: "Average talk", Value: "≈ 4:12"}, {Label: "Missed", Value: "–"}},
			chat.Table{Columns: []chat.Column{{Title: "Hour"}, {Title: "Calls", Numeric: true}}, Rows: [][]string{{"09", "7"}, {"10", ""}}, More: 2},
			chat.Chart{Title: "Calls per hour", Labels: []string{"08", "09", "10"}, Unit: "calls", Alt: "9 o'clock: 7, 10 o'clock: 5",
				Series: []chat.Series{{Name: "calls", Points: []chat.Point{{Missing: true}, {Value: 7}, {Value: 5}}}}},
		},
		Footer: chat.Join(chat.T("Updated "), chat.At(at, chat.Clock), chat.T(" · 14 of 14 agents")),
		Actions: []chat.Action{
			{ID: "mystats", Value: "today", Label: "Refresh", Style: chat.Primary, Replace: true},
			{ID: "floor", Value: "unlink", Label: "Unlink", Style: chat.Danger, Confirm: &chat.Confirm{Title: "Delete?", Text: "For good.", Yes: "Delete", No: "Keep"}},
			{Label: "Open", URL: "https://example.com/a?b=1&c=2"},
		},
	}
	alert := chat.Message{
		Title: "Missed calls", Tone: chat.Critical,
		Blocks:  []chat.Block{chat.Paragraph{Text: chat.T("Asha missed 4 calls in 30 minutes")}},
		Actions: []chat.Action{{ID: "ack", Value: "7", Label: "Acknowledge", Replace: true}},
		Files:   []chat.File{{Name: "calls.csv"}},
	}
	warned := stats
	warned.Tone = chat.Warning
	for name, drawn := range map[string]any{
		"stats":       shape(drawing{}.draw(stats)),
		"stats_plain": shape(drawing{noTables: true, noCharts: true}.draw(stats)),
		"stats_home":  shape(drawing{surface: inHome}.draw(warned)),
		"stats_modal": messageView(stats),
		"alert":       shape(drawing{}.draw(alert)),
		"form":        formView(linkForm(), formMeta{Channel: support}),
	} {
		golden(t, name, drawn)
	}
}

// shape is a card for a golden file.
func shape(c card) any {
	return struct {
		Text   string        `json:"text"`
		Blocks []slack.Block `json:"blocks"`
		Color  string        `json:"color,omitempty"`
		Bar    []slack.Block `json:"bar,omitempty"`
	}{c.text, c.blocks, c.color, c.bar}
}

func golden(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s is drawn differently; run with -update and look at the difference:\n%s", name, b.Bytes())
	}
}

// A gap is never drawn as zero: labels without any data are left out, and where
// series differ in what they lack there are only words.
func TestNativeChart(t *testing.T) {
	p := func(values ...float64) []chat.Point {
		var points []chat.Point
		for _, v := range values {
			points = append(points, chat.Point{Value: max(v, 0), Missing: v < 0})
		}
		return points
	}
	labels := []string{"08", "09", "10", "11"}
	for name, test := range map[string]struct {
		chart chat.Chart
		want  int // points; 0 is no chart
	}{
		"whole":  {chat.Chart{Title: "c", Labels: labels, Series: []chat.Series{{Name: "a", Points: p(1, 2, 3, 4)}}}, 4},
		"ends":   {chat.Chart{Title: "c", Labels: labels, Series: []chat.Series{{Name: "a", Points: p(-1, 2, 3, -1)}}}, 2},
		"hole":   {chat.Chart{Title: "c", Labels: labels, Series: []chat.Series{{Name: "a", Points: p(1, -1, 3, 4)}}}, 3},
		"ragged": {chat.Chart{Title: "c", Labels: labels, Series: []chat.Series{{Name: "a", Points: p(1, 2, 3, 4)}, {Name: "b", Points: p(-1, 2, 3, 4)}}}, 0},
		"empty":  {chat.Chart{Title: "c", Labels: labels, Series: []chat.Series{{Name: "a", Points: p(-1, -1, -1, -1)}}}, 0},
		"twice":  {chat.Chart{Title: "c", Labels: []string{"08", "08"}, Series: []chat.Series{{Name: "a", Points: p(1, 2)}}}, 0},
		"names":  {chat.Chart{Title: "c", Labels: labels, Series: []chat.Series{{Name: "a", Points: p(1, 2, 3, 4)}, {Name: "a", Points: p(1, 2, 3, 4)}}}, 0},
	} {
		got := 0
		if b, ok := nativeChart(withoutGaps(test.chart)).(*slack.DataVisualizationBlock); ok {
			got = len(b.Chart.(*slack.DataVisualizationBarChart).Series[0].Data)
		}
		if got != test.want {
			t.Errorf("%s: %d points are drawn, want %d", name, got, test.want)
		}
	}
}
