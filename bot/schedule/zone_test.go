package schedule

import (
	"slices"
	"strings"
	"testing"
)

func TestLoadZone(t *testing.T) {
	const place = `name a place, such as "Europe/London"`
	for _, test := range []struct{ name, want string }{
		{"Europe/London", "Europe/London"},
		{"America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"},
		{"Asia/Calcutta", "Asia/Calcutta"}, // an old name
		{"Cuba", "Cuba"},
		{"UTC", "UTC"},
		{"Etc/UTC", "Etc/UTC"},

		{"", "no time zone is given; " + place},
		{"Local", `time zone "Local" is whatever this machine is set to; ` + place},
		{"localtime", `time zone "localtime" is whatever this machine is set to; ` + place},
		{"EST", `time zone "EST" is an abbreviation or an offset, not a place whose clocks may change; name a place, such as "America/New_York"`},
		{"EST5EDT", `time zone "EST5EDT" is an abbreviation or an offset, not a place whose clocks may change; name a place, such as "America/New_York"`},
		{"IST", `time zone "IST" is an abbreviation or an offset, not a place whose clocks may change; name a place, such as "Asia/Kolkata"`},
		{"HST", `time zone "HST" is an abbreviation or an offset, not a place whose clocks may change; ` + place},
		{"UTC+2", `time zone "UTC+2" is an abbreviation or an offset, not a place whose clocks may change; ` + place},
		{"+05:30", `time zone "+05:30" is an abbreviation or an offset, not a place whose clocks may change; ` + place},
		{"Etc/GMT+2", `time zone "Etc/GMT+2" is a fixed offset with its sign reversed: it is UTC−2; ` + place},
		{"Etc/GMT-5", `time zone "Etc/GMT-5" is a fixed offset with its sign reversed: it is UTC+5; ` + place},
		{"Etc/5", `time zone "Etc/5" is not a place; write "UTC", or ` + place},
		{"GMT", `time zone "GMT" is not a place; write "UTC", or ` + place},
		{"Etc/Zulu", `time zone "Etc/Zulu" is not a place; write "UTC", or ` + place},
		{"right/Asia/Kolkata", `time zone "right/Asia/Kolkata" is a copy for special uses; write "Asia/Kolkata"`},

		{"Europe/Lodnon", `there is no time zone "Europe/Lodnon"; the nearest name is Europe/London`},
		{"LONDON", `there is no time zone "LONDON"; the nearest name is Europe/London`},
		{"europe/london", `there is no time zone "europe/london"; the nearest name is Europe/London`},
		{"utc", `there is no time zone "utc"; the nearest names are UTC, Etc/UTC`},
		{"America/New York", `there is no time zone "America/New York"; the nearest name is America/New_York`},
		{"Kolkatta", `there is no time zone "Kolkatta"; the nearest name is Asia/Kolkata`},
		{"Factory", `there is no time zone "Factory"; names look like Europe/London or Asia/Kolkata`},
		{"Asia/Bangalore", `there is no time zone "Asia/Bangalore"; names look like Europe/London or Asia/Kolkata`},
		{"../zones.txt", `there is no time zone "../zones.txt"; names look like Europe/London or Asia/Kolkata`},
		{"/etc/localtime", `there is no time zone "/etc/localtime"; names look like Europe/London or Asia/Kolkata`},
	} {
		z, err := LoadZone(test.name)
		if got := textOr(z.String(), err); got != test.want {
			t.Errorf("LoadZone(%q): %s\nwant %s", test.name, got, test.want)
		}
	}
}

// The list is sorted, without doubles, and holds nothing that LoadZone refuses;
// TestEveryZone loads all of it.
func TestZoneNames(t *testing.T) {
	names := slices.Collect(allZones())
	if len(names) < 500 || !strings.HasSuffix(zoneNames, "\n") {
		t.Errorf("%d names", len(names))
	}
	for i, name := range names {
		if i > 0 && names[i-1] >= name {
			t.Errorf("%q follows %q", name, names[i-1])
		}
		if err := refuseZone(name); err != nil {
			t.Error(err)
		}
	}
}

func FuzzLoadZone(f *testing.F) {
	for _, s := range []string{"Europe/London", "", "Local", "EST", "Etc/GMT+2", "Etc/GMT-\x00", "Etc/2\n", "UTC", "a/b", "/", "..", "\x00", "Ünïted/Kingdom"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		z, err := LoadZone(name)
		if err == nil && z.String() != name {
			t.Errorf("%q loads as %s", name, z)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%q is refused on two lines: %v", name, err)
		}
	})
}
