package dashboard

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNumber(t *testing.T) {
	for raw, want := range map[string]float64{
		`0`: 0, `12`: 12, `-3`: -3, `-0`: 0, `12.0`: 12, `1e3`: 1000, `1.5`: 1.5, `2.5E-1`: .25,
		`"12"`: 12, `"0"`: 0, `" 12 "`: 12, `"1e3"`: 1000, `"-3.5"`: -3.5, `"+7"`: 7, `"007"`: 7,
		` 12 `:      12,
		`"0:04:12"`: 252, `"69:15:50"`: 69*3600 + 15*60 + 50, `"00:00:00"`: 0,
		`9007199254740993`: 9007199254740992, `1e308`: 1e308,
	} {
		if got, ok := ValueOf(raw).Number(); !ok || got != want {
			t.Errorf("%s reads as %v, %v; want %v", raw, got, ok, want)
		}
	}
	for _, raw := range []string{
		``, `null`, `true`, `false`, `{}`, `[]`, `[12]`, `{"n":12}`,
		`""`, `" "`, `"No"`, `"Yes"`, `"null"`, `"twelve"`, `"12 calls"`, `"1,234"`, `"."`, `"e"`, `"-"`,
		`"NaN"`, `"Inf"`, `"-Infinity"`, `"0x10"`, `"0x1p-2"`, `"1_000"`, `1e999`, `"1e999"`, `"-1e999"`,
		`"4:12"`, `"1:60:00"`, `"1:00:60"`, `"-1:00:00"`, `"1:2:3:4"`, `"1:2.5:3"`, `"::"`, `"1::2"`,
		`NaN`, `12,`, `"12`, `1 2`,
	} {
		if got, ok := ValueOf(raw).Number(); ok {
			t.Errorf("%s reads as %v, want no number", raw, got)
		}
	}
}

func TestDuration(t *testing.T) {
	const sample = 69*time.Hour + 15*time.Minute + 50*time.Second
	for raw, want := range map[string]time.Duration{
		`["69","15","50"]`: sample, `[69,15,50]`: sample, `["69",15,"50"]`: sample, `"69:15:50"`: sample,
		`[ "69" , 15.0, "050" ]`: sample, `" 69:15:50 "`: sample,
		`["0","0","0"]`: 0, `[100000,59,59]`: 100000*time.Hour + 59*time.Minute + 59*time.Second,
	} {
		if got, ok := ValueOf(raw).Duration(); !ok || got != want {
			t.Errorf("%s reads as %s, %v; want %s", raw, got, ok, want)
		}
	}
	for _, raw := range []string{
		``, `null`, `{}`, `[]`, `true`, `50`, `"50"`, `""`, `"15:50"`,
		`["15","50"]`, `["0","69","15","50"]`, `[1,2,3,4]`, `[1,60,0]`, `[1,0,60]`, `[-1,0,0]`, `[1,2.5,0]`,
		`[1,null,3]`, `[1,"",3]`, `["a","b","c"]`, `[[1],2,3]`, `[1,true,3]`, `[3000000,0,0]`, `[1e300,0,0]`, `"1:2:3:4"`,
	} {
		if got, ok := ValueOf(raw).Duration(); ok {
			t.Errorf("%s reads as %s, want no duration", raw, got)
		}
	}
	if d, ok := parseClock([]string{"2562046", "59", "59"}); !ok || d < 0 {
		t.Errorf("the longest duration is %s, %v", d, ok)
	}
}

func TestText(t *testing.T) {
	for raw, want := range map[string]string{
		`"Web"`: "Web", `""`: "", `"9"`: "9", `9`: "9", `1e3`: "1e3", `"a\"b\\c\u00e9"`: `a"b\cé`, `"\u0041sha"`: "Asha", "\"\xff\"": "\uFFFD",
	} {
		if got, ok := ValueOf(raw).Text(); !ok || got != want {
			t.Errorf("%s reads as %q, %v; want %q", raw, got, ok, want)
		}
	}
	for _, raw := range []string{``, `null`, `true`, `{}`, `[]`, `["Web"]`} {
		if got, ok := ValueOf(raw).Text(); ok {
			t.Errorf("%s reads as %q, want no text", raw, got)
		}
	}
}

func TestFlag(t *testing.T) {
	for raw, want := range map[string]bool{
		`true`: true, `"Yes"`: true, `"yes"`: true, `"YES"`: true, `"true"`: true,
		`false`: false, `"No"`: false, `"no"`: false, `" no "`: false, `"False"`: false,
	} {
		if got, ok := ValueOf(raw).Flag(); !ok || got != want {
			t.Errorf("%s reads as %v, %v; want %v", raw, got, ok, want)
		}
	}
	for _, raw := range []string{``, `null`, `0`, `1`, `""`, `"Y"`, `"maybe"`, `{}`, `[]`, `[true]`} {
		if got, ok := ValueOf(raw).Flag(); ok {
			t.Errorf("%s reads as %v, want no flag", raw, got)
		}
	}
}

func TestCounts(t *testing.T) {
	for _, test := range []struct {
		raw  string
		want map[string]float64
		ok   bool
	}{
		{`{"101":4,"104":"2"}`, map[string]float64{"101": 4, "104": 2}, true},
		{`{"Inbound":3,"Note":"x","Sub":{"a":1}}`, map[string]float64{"Inbound": 3}, true},
		{`{"a":1,"A":2}`, map[string]float64{"a": 1, "A": 2}, true},
		{`{"Sal\u0065s \"x\"":1}`, map[string]float64{`Sales "x"`: 1}, true},
		{`{}`, nil, true}, {`{ }`, nil, true}, {`[]`, nil, true}, {`""`, nil, true},
		{``, nil, false}, {`null`, nil, false},
		{`{"a":"x"}`, nil, false}, {`[1]`, nil, false}, {`["101"]`, nil, false}, {`"101"`, nil, false}, {`7`, nil, false}, {`true`, nil, false},
	} {
		got, ok := ValueOf(test.raw).Counts()
		if test.want == nil {
			test.want = map[string]float64{}
		}
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%s reads as %v, %v; want %v, %v", test.raw, got, ok, test.want, test.ok)
		}
	}
}

func TestPresent(t *testing.T) {
	for raw, want := range map[string]bool{``: false, `null`: false, `nonsense`: false, `0`: true, `""`: true, `{}`: true, `false`: true} {
		if got := ValueOf(raw).Present(); got != want {
			t.Errorf("%q present: %v", raw, got)
		}
	}
}

// TestNormalForm checks that values with the same meaning are the same value,
// and that numbers keep their spelling.
func TestNormalForm(t *testing.T) {
	for raw, want := range map[string]string{
		" { \"a\" : [ 1 , 2 ] }\n":     `{"a":[1,2]}`,
		`"\u003cb\u003e & \u2028"`:     "\"<b> & \u2028\"",
		`"\u0007"`:                     `"\u0007"`,
		"\"\xff\"":                     "\"\uFFFD\"",
		`12.0`:                         `12.0`,
		`1e3`:                          `1e3`,
		`12345678901234567890`:         `12345678901234567890`,
		`{"a":1} {"b":2}`:              ``,
		`{"a":1,"a":2}`:                ``,
		`{"a":`:                        ``,
		strings.Repeat("[", 1_000_000): ``,
	} {
		if got := ValueOf(raw).Raw(); got != want {
			t.Errorf("%.40q is kept as %.40q, want %q", raw, got, want)
		}
	}
}

// TestParts checks that an object and an array come apart where they are joined.
func TestParts(t *testing.T) {
	for raw, want := range map[string][]string{
		`{}`: nil, `[]`: nil, `{"":""}`: {`"":""`},
		`[1,"2",null]`:               {`:1`, `:"2"`, `:null`},
		`{"a":[1,{"b":2}],"c":3}`:    {`"a":[1,{"b":2}]`, `"c":3`},
		`{"a,b":"c:d","e}":"]{["}`:   {`"a,b":"c:d"`, `"e}":"]{["`},
		`{"a\"b,":"\\","c\\":"\","}`: {`"a\"b,":"\\"`, `"c\\":"\","`},
		`[[],{},[[1,2],3]]`:          {`:[]`, `:{}`, `:[[1,2],3]`},
	} {
		var got []string
		for name, part := range ValueOf(raw).parts() {
			got = append(got, name.Raw()+":"+part.Raw())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s comes apart as %q, want %q", raw, got, want)
		}
	}
}
