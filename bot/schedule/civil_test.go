package schedule

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestParseTimeOfDay(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"00:00", "00:00"},
		{"09:05", "09:05"},
		{"23:59", "23:59"},
		{"25:00", `"25:00" is not a time of day`},
		{"24:00", `"24:00" is not a time of day; write 00:00 for midnight`},
		{"24:01", `"24:01" is not a time of day`},
		{"9:00", `"9:00" is not a time of day; write 09:00`},
		{"09:60", `"09:60" is not a time of day`},
		{"9:5", `"9:5" is not a time of day`},
		{"+9:00", `"+9:00" is not a time of day`},
		{"09:00 ", `"09:00 " is not a time of day`},
		{"009:00", `"009:00" is not a time of day`},
		{"0900", `"0900" is not a time of day`},
		{"९:००", `"९:००" is not a time of day`},
		{"9:00pm", `"9:00pm" is not a time of day`},
		{"", `"" is not a time of day`},
	} {
		got, err := ParseTimeOfDay(test.in)
		if s := textOr(got.String(), err); s != test.want {
			t.Errorf("ParseTimeOfDay(%q): %s, want %s", test.in, s, test.want)
		}
	}
}

func TestParseDate(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"2027-01-26", "2027-01-26"},
		{"2024-02-29", "2024-02-29"},
		{"1969-12-31", "1969-12-31"},
		{"2027-02-29", `"2027-02-29" is not a date; write it as 2027-01-26`},
		{"26.1.2027", `"26.1.2027" is not a date; write it as 2027-01-26`},
		{"2027-1-26", `"2027-1-26" is not a date; write it as 2027-01-26`},
		{"", `"" is not a date; write it as 2027-01-26`},
	} {
		got, err := ParseDate(test.in)
		if s := textOr(got.String(), err); s != test.want {
			t.Errorf("ParseDate(%q): %s, want %s", test.in, s, test.want)
		}
	}
}

func TestParseCivil(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"2026-03-08T02:30", "2026-03-08T02:30"},
		{"1867-10-18T00:00", "1867-10-18T00:00"},
		{"2026-03-08 02:30", `"2026-03-08 02:30" is not a civil time; write it as 2026-03-08T02:30`},
		{"2026-03-08T2:30", `"2026-03-08T2:30" is not a civil time; write it as 2026-03-08T02:30`},
		{"2026-03-08T02:30Z", `"2026-03-08T02:30Z" is not a civil time; write it as 2026-03-08T02:30`},
	} {
		got, err := ParseCivil(test.in)
		if s := textOr(got.String(), err); s != test.want {
			t.Errorf("ParseCivil(%q): %s, want %s", test.in, s, test.want)
		}
	}
}

func textOr(s string, err error) string {
	if err != nil {
		return err.Error()
	}
	return s
}

func TestParseWeekdays(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"mon", "mon"},
		{"sun|mon", "mon, sun"},
		{"Sat,SUN sat", "sat, sun"},
		{"mon-fri", "mon, tue, wed, thu, fri"},
		{"fri-mon", "mon, fri, sat, sun"},
		{"tue-tue", "tue"},
		{"wed-tue", "every day"},
		{"monday", `"monday" is not a day of the week; write mon, tue, wed, thu, fri, sat or sun`},
		{"mon-", `"" is not a day of the week; write mon, tue, wed, thu, fri, sat or sun`},
		{"mon|", "mon"},
		{"", `no day is given; write mon, tue, wed, thu, fri, sat or sun`},
		{" , ", `no day is given; write mon, tue, wed, thu, fri, sat or sun`},
	} {
		got, err := ParseWeekdays(strings.Split(test.in, "|")...)
		if s := textOr(got.String(), err); s != test.want {
			t.Errorf("ParseWeekdays(%q): %s, want %s", test.in, s, test.want)
		}
	}
}

// TestDate walks the calendar beside package time.
func TestDate(t *testing.T) {
	day := time.Date(1890, 1, 1, 0, 0, 0, 0, time.UTC)
	for d := NewDate(1890, 1, 1); d < NewDate(2110, 1, 1); d++ {
		if d.String() != day.Format("2006-01-02") || d.Weekday() != day.Weekday() ||
			DateOf(day, time.UTC) != d || DateOf(day.Add(24*time.Hour-1), time.UTC) != d {
			t.Fatalf("day %d is %s, want %s", d, d, day)
		}
		day = day.AddDate(0, 0, 1)
	}
	if d := NewDate(2026, 3, 0); d.String() != "2026-02-28" {
		t.Errorf("the 0th of March is %s", d)
	}
}

// What is stored as text and JSON comes back.
func TestText(t *testing.T) {
	type all struct {
		Date  Date
		Time  TimeOfDay
		Civil Civil
		Days  Weekdays
		None  Weekdays
		Quiet QuietHours
	}
	in := all{date(t, "2026-03-08"), clock(t, "02:30"), civil(t, "2026-03-08T02:30"), On(time.Monday, time.Sunday), 0,
		QuietHours{clock(t, "22:00"), clock(t, "07:00"), EveryDay}}
	const want = `{"Date":"2026-03-08","Time":"02:30","Civil":"2026-03-08T02:30","Days":"mon,sun","None":"",` +
		`"Quiet":{"start":"22:00","end":"07:00","days":"mon,tue,wed,thu,fri,sat,sun"}}`
	text, err := json.Marshal(in)
	if err != nil || string(text) != want {
		t.Fatalf("wrote %s, %v; want %s", text, err, want)
	}
	out := all{None: EveryDay}
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("read %+v, %v; want %+v", out, err, in)
	}
	for _, bad := range []string{`{"Date":"x"}`, `{"Time":"x"}`, `{"Civil":"x"}`, `{"Days":"x"}`} {
		if err := json.Unmarshal([]byte(bad), &out); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"08:00", "24:00", "9:00", "2027-01-26", "2026-03-08T02:30", "mon,fri-sun", "22:00-07:00 mon-fri", "22:00–07:00", "", "é:–", "99999-01-01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := ParseTimeOfDay(s); err == nil && v.String() != s {
			t.Errorf("time of day %q reads as %s", s, v)
		}
		if v, err := ParseDate(s); err == nil && v.String() != s {
			t.Errorf("date %q reads as %s", s, v)
		}
		if v, err := ParseCivil(s); err == nil && v.String() != s {
			t.Errorf("civil time %q reads as %s", s, v)
		}
		if v, err := ParseWeekdays(s); err == nil {
			text, _ := v.MarshalText()
			if again, err := ParseWeekdays(string(text)); err != nil || again != v {
				t.Errorf("days %q read as %s, then as %s, %v", s, v, again, err)
			}
		}
		if v, err := ParseQuietHours(s); err == nil {
			if again, err := ParseQuietHours(v.String()); err != nil || again != v {
				t.Errorf("quiet hours %q read as %s, then as %s, %v", s, v, again, err)
			}
		}
	})
}
