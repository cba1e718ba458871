package stats_test

import (
	"testing"
	"time"

	"floorwalker/bot/stats"
	"floorwalker/dashboard"
)

// row makes a snapshot from the JSON texts of its keys.
func row(fields map[string]string) dashboard.Counters {
	c := dashboard.Counters{Row: map[string]dashboard.Value{}, At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	for key, text := range fields {
		c.Row[key] = dashboard.ValueOf(text)
	}
	return c
}

func TestRead(t *testing.T) {
	d := stats.Defaults()
	c := row(map[string]string{
		"TH": "20", "MH": `"5"`, "aTT": "182.5", "callType": `{"in":15,"out":"5"}`,
		"ml": `"Yes"`, "l": `{"type":"Web","duration":["1","30","0"]}`, "tC": "null", "HT": `""`,
	})
	for name, want := range map[string]stats.Number{
		"offered":       {Value: 20, Quality: stats.Exact},
		"missed":        {Value: 5, Quality: stats.Exact},
		"answered":      {Value: 15, Quality: stats.Exact},
		"miss_rate":     {Value: 0.25, Quality: stats.Exact},
		"avg_talk":      {Value: 182.5, Quality: stats.Exact},
		"calls_by_type": {Value: 20, Quality: stats.Exact},
		"mobile_login":  {Value: 1, Quality: stats.Exact},
		"login_age":     {Value: 5400, Quality: stats.Exact},
		"login_hours":   {Value: 1.5, Quality: stats.Exact},
		"total_calls":   {}, "hold": {}, "calls": {}, "login_type": {}, "nonsense": {},
	} {
		if got := d.Read(c, name); got != want {
			t.Errorf("%s = %+v, want %+v", name, got, want)
		}
	}
	if start, ok := d.LoginStart(c); !ok || !start.Equal(c.At.Add(-90*time.Minute)) {
		t.Errorf("LoginStart = %v, %v", start, ok)
	}
}

// TestReadNonsense: numbers that cannot be are missing, not shown.
func TestReadNonsense(t *testing.T) {
	d := stats.Defaults()
	for _, test := range []struct {
		name   string
		fields map[string]string
	}{
		{"answered", map[string]string{"TH": "3", "MH": "4"}},
		{"answered", map[string]string{"TH": "3"}},
		{"miss_rate", map[string]string{"TH": "0", "MH": "0"}},
		{"offered", map[string]string{"TH": "-1"}},
		{"calls_by_type", map[string]string{"callType": `{"in":-4}`}},
	} {
		if got := d.Read(row(test.fields), test.name); got.Known() {
			t.Errorf("%s of %v = %+v, want missing", test.name, test.fields, got)
		}
	}
}
