package stats_test

import (
	"strings"
	"testing"

	"floorwalker/bot/stats"
)

func TestDefaults(t *testing.T) {
	d := stats.Defaults()
	if _, faults := (stats.Dictionary{}).Merge(d); faults != nil {
		for i, err := range faults {
			if err != nil {
				t.Errorf("default %s: %v", d[i].Key, err)
			}
		}
	}
	for _, name := range []string{"offered", "answered", "avg_talk"} {
		if d.Confirmed(name) {
			t.Errorf("%s is confirmed by default", name)
		}
	}
	if !d.Confirmed("logged_in") || d.Confirmed("nonsense") {
		t.Error("logged_in needs no confirmation, and an unknown name has none")
	}
}

func TestMerge(t *testing.T) {
	d, faults := stats.Defaults().Merge([]stats.Metric{
		{Key: "TH", Confirmed: true},
		{Key: "MH", Label: "Not picked up", Confirmed: true},
		{Key: "zz", Name: "wraps", Kind: stats.Counter, Reset: stats.Daily},
	})
	for i, err := range faults {
		if err != nil {
			t.Errorf("entry %d: %v", i, err)
		}
	}
	th, _ := d.ByName("offered")
	if !th.Confirmed || th.Label != "Calls offered" || th.Kind != stats.Counter {
		t.Errorf("merged TH: %+v", th)
	}
	if mh, _ := d.ByName("missed"); mh.Label != "Not picked up" || mh.Better != stats.Lower {
		t.Errorf("merged MH: %+v", mh)
	}
	if zz, ok := d.ByName("wraps"); !ok || zz.Unit != stats.NoUnit || zz.Label != "zz" {
		t.Errorf("added zz: %+v, %v", zz, ok)
	}
	if !d.Confirmed("answered") || !d.Confirmed("miss_rate") || d.Confirmed("avg_talk") {
		t.Error("answered is confirmed with offered and missed, avg_talk only by itself")
	}
	if th, _ := stats.Defaults().ByName("offered"); th.Confirmed {
		t.Error("Merge changed the defaults")
	}
}

func TestMergeFaults(t *testing.T) {
	for _, test := range []struct {
		entry stats.Metric
		want  string
	}{
		{stats.Metric{Name: "x"}, "key is missing"},
		{stats.Metric{Key: "TH", Name: "missed"}, `"missed" already names key MH`},
		{stats.Metric{Key: "TH", Name: "answered"}, "computed by floorwalker"},
		{stats.Metric{Key: "TH", Name: "shift_left"}, "computed by floorwalker"},
		{stats.Metric{Key: "TH", Name: "Total Hits"}, "is not a name"},
		{stats.Metric{Key: "TH", Unit: "parsecs"}, `unit: "parsecs" is none of count, seconds`},
		{stats.Metric{Key: "TH", Kind: "rate"}, `kind: "rate" is none of`},
		{stats.Metric{Key: "TH", Reset: "weekly"}, `reset: "weekly" is none of`},
		{stats.Metric{Key: "TH", Better: "both"}, `better: "both" is none of`},
		{stats.Metric{Key: "avgX", Name: "avg_x", Kind: stats.Average}, "weight is missing"},
		{stats.Metric{Key: "avgX", Name: "avg_x", Kind: stats.Average, Weight: "idle"}, `"idle" is not the name of a counter`},
	} {
		_, faults := stats.Defaults().Merge([]stats.Metric{test.entry})
		if faults[0] == nil || !strings.Contains(faults[0].Error(), test.want) {
			t.Errorf("merging %+v: %v, want %q", test.entry, faults[0], test.want)
		}
	}
}
