package chart

import (
	"flag"
	"fmt"
	"html/template"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"floorwalker/bot/chat"
)

var (
	update   = flag.Bool("update", false, "rewrite testdata")
	pictures = flag.String("pictures", "", "a folder to write the samples to as pictures, with a page that shows them on chat backgrounds")
)

// na stands for a missing point in the tests' series.
var na = math.NaN()

// points returns the points with the values, na as missing.
func points(values ...float64) []chat.Point {
	all := make([]chat.Point, len(values))
	for i, v := range values {
		if all[i].Missing = math.IsNaN(v); !all[i].Missing {
			all[i].Value = v
		}
	}
	return all
}

// one and two make a chart of one series or of two.
func one(labels string, kind chat.ChartKind, values ...float64) chat.Chart {
	return chat.Chart{Title: "Calls offered per hour", Kind: kind, Labels: strings.Fields(labels),
		Series: []chat.Series{{Name: "Offered", Points: points(values...)}}}
}

func two(labels string, kind chat.ChartKind, offered, missed []float64) chat.Chart {
	return chat.Chart{Title: "Calls", Kind: kind, Labels: strings.Fields(labels),
		Series: []chat.Series{{Name: "Offered", Points: points(offered...)}, {Name: "Missed", Points: points(missed...)}}}
}

const (
	hours = "09 10 11 12 13 14 15 16 17"
	days  = "Mon Tue Wed Thu Fri Sat Sun"
)

// A sample is a chart that is looked at.
type sample struct {
	name  string
	chart chat.Chart
}

func samples() []sample {
	labels, offered, missed := "", []float64(nil), []float64(nil)
	for i := range 20 {
		labels += fmt.Sprintf("%02d ", i)
		offered, missed = append(offered, float64(i*37%83)), append(missed, float64(i*7%11))
	}
	titled := func(c chat.Chart, title, unit string) chat.Chart {
		c.Title, c.Unit = title, unit
		return c
	}
	campaigns := chat.Chart{Title: "Calls by campaign", Labels: strings.Fields(hours), Series: []chat.Series{
		{Name: "Sales", Points: points(18, 31, 42, 38, na, 29, 35, 12, 8)},
		{Name: "Support", Points: points(1, 3, 6, 2, na, 0, 4, 0, 1)},
		{Name: "Billing", Points: points(10, 11, 12, 13, na, 15, 16, 17, 18)},
		{Name: "Retention", Points: points(30, 29, 28, 27, 26, 25, 24, 23, 22)},
		{Name: "Outbound", Points: points(5, 6, 5, 6, 5, 6, 5, 6, 5)},
		{Name: "Back office", Points: points(20, 22, 24, 22, 20, 22, 24, 22, 20)},
	}}
	campaignCurves := campaigns
	campaignCurves.Kind = chat.Curves
	return []sample{
		{"day", titled(two(hours, chat.Bars, []float64{18, 31, 42, 38, na, 29, 35, 12, 8}, []float64{1, 3, 6, 2, na, 0, 4, 0, 1}), "Calls per hour", "calls")},
		{"week", two(days, chat.Curves, []float64{312, 340, na, 298, 355, 410, 290}, []float64{22, 31, na, 19, 40, 28, 25})},
		{"week of one", titled(one(days, chat.Curves, 312, 340, na, 298, 355, 410, 290), "Calls this week", "")},
		{"single value", one("09", chat.Bars, 17)},
		{"single point", one(hours, chat.Curves, na, na, na, 17, na, na, na, na, 4)},
		{"zeros", one(hours, chat.Bars, 0, 0, 0, 0, na, 0, 0, 0, 0)},
		{"twenty", one(labels, chat.Bars, offered...)},
		{"twenty twice", two(labels, chat.Bars, offered, missed)},
		{"large", titled(two(days, chat.Bars, []float64{12345, 9876, 11002, 10450, 12010, 4000, 3120}, []float64{1234, 987, 1100, 1045, 1201, 400, 312}), "Calls per day", "")},
		{"large of one", titled(one(days, chat.Bars, 12345, 9876, 11002, 10450, 12010, 4000, 3120), "Calls per day", "")},
		{"talk", titled(one(hours, chat.Curves, 252, 241, 300, 280, na, 260, 199, 230, 245), "Average talk time", "seconds")},
		{"steep", titled(one(hours, chat.Curves, 2, 40, 3, 38, 1, 0, 44, 44, 2), "Calls per hour", "calls")},
		{"change", titled(one(days, chat.Bars, -12, 4, 8, -3, 0, na, 20), "Change against last week", "calls")},
		{"rates", titled(one(hours, chat.Bars, 0.12, 0.031, 0, 0.3, na, 0.25, 0.2, 0.004, 0.1), "Miss rate", "")},
		{"campaigns", campaigns},
		{"campaign curves", campaignCurves},
		{"no data", one(hours, chat.Bars, na, na, na, na, na, na, na, na, na)},
		{"long", chat.Chart{Title: "Calls by team during the whole of this remarkably long shift, by campaign and hour, once more",
			Labels: []string{"Customer support", "Billing and refunds", "Sales", "आशा", "U\u0308berland", "Retention of good accounts"},
			Series: []chat.Series{{Name: "Calls offered to all agents", Points: points(3, 5, 2, 7, 8, 1)}, {Name: "Calls missed 📞", Points: points(1, 0, 2, 0, 0, 1)}}}},
		{"foreign", chat.Chart{Title: "आशा", Labels: []string{"आशा", "漢字", "א"}, Series: []chat.Series{{Name: "आशा", Points: points(3, 5, 2)}, {Name: "Пропущено", Points: points(1, 0, 2)}}}},
	}
}

// TestGolden holds every sample's text and words to testdata, and a sketch of
// its picture, in which a letter stands for the ink of 10 × 20 pixels.
func TestGolden(t *testing.T) {
	for _, s := range samples() {
		got := fmt.Sprintf("%s\n\n%s\n\n%s\n", chat.PlainBlock(chat.Chart{Title: s.chart.Title, Alt: Alt(s.chart)}), Text(s.chart, 72), sketch(laidOut(t, s.chart).image))
		file := filepath.Join("testdata", strings.ReplaceAll(s.name, " ", "-")+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs; look at it, then run with -update:\n%s", file, got)
		}
	}
}

// TestGallery writes the samples as pictures, to be looked at.
func TestGallery(t *testing.T) {
	if *pictures == "" {
		t.Skip("no -pictures folder")
	}
	page := template.Must(template.New("").Parse(`<meta charset="utf-8"><body style="margin:0;display:flex">
{{range $b := .Backgrounds}}<div style="padding:12px;background:{{$b}}">{{range $.Names}}
<img src="{{.}}.png" style="display:block;width:440px;border-radius:8px;margin-bottom:12px">{{end}}</div>{{end}}`))
	var names []string
	for _, s := range samples() {
		names = append(names, strings.ReplaceAll(s.name, " ", "-"))
		file, err := PNG(s.chart, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*pictures, names[len(names)-1]+".png"), file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(filepath.Join(*pictures, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	backgrounds := []template.CSS{"#ffffff", "#1a1d21", "#313338"} // Slack's and Discord's themes
	if err := page.Execute(f, map[string]any{"Names": names, "Backgrounds": backgrounds}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
