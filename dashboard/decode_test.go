package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestDecodeRows holds one case for each way in which a good answer is odd.
func TestDecodeRows(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		row  map[string]string
		rows int
	}{
		"keys that differ by case": {
			`{"status":"success","message":[{"aTT":12,"ATT":true,"att":1,"i":2,"I":3,"L":4,"l":5}]}`,
			map[string]string{"aTT": `12`, "ATT": `true`, "att": `1`, "i": `2`, "I": `3`, "L": `4`, "l": `5`}, 1,
		},
		"unknown keys and any type": {
			`{"status":"success","message":[{"TH":"12","zz":{"a":[1,{"b":null}]},"":0,"nil":null}],"code":200,"more":[{}]}`,
			map[string]string{"TH": `"12"`, "zz": `{"a":[1,{"b":null}]}`, "": `0`, "nil": `null`}, 1,
		},
		"a missing key stays missing":           {`{"status":"success","message":[{"TH":1}]}`, map[string]string{"TH": `1`}, 1},
		"more than one row":                     {`{"status":"success","message":[{"TH":1},{"TH":2},7]}`, map[string]string{"TH": `1`}, 3},
		"code as a string":                      {`{"status":"success","message":[{"TH":1}],"code":"200"}`, map[string]string{"TH": `1`}, 1},
		"code as a float":                       {`{"status":"success","message":[{"TH":1}],"code":200.0}`, map[string]string{"TH": `1`}, 1},
		"code null":                             {`{"status":"success","message":[{"TH":1}],"code":null}`, map[string]string{"TH": `1`}, 1},
		"white space":                           {" {\r\n\t\"status\" : \"success\" , \"message\" : [ { \"TH\" : [ 1 , 2 ] } ] }\n", map[string]string{"TH": `[1,2]`}, 1},
		"escaped text":                          {`{"st\u0061tus":"succ\u0065ss","message":[{"T\u0048":"\u0041","\u00e9":1}]}`, map[string]string{"TH": `"A"`, "é": `1`}, 1},
		"byte order mark":                       {"\uFEFF" + `{"status":"success","message":[{"TH":1}]}`, map[string]string{"TH": `1`}, 1},
		"invalid UTF-8":                         {"{\"status\":\"success\",\"message\":[{\"TH\":1,\"name\":\"\xff\",\"\xfe\":2}]}", map[string]string{"TH": `1`, "name": "\"\uFFFD\"", "\uFFFD": `2`}, 1},
		"empty array for a map":                 {`{"status":"success","message":[{"callType":[],"cmpId":""}]}`, map[string]string{"callType": `[]`, "cmpId": `""`}, 1},
		"success in other case ignored in keys": {`{"Status":"error","status":"success","message":[{"TH":1}],"Code":1014}`, map[string]string{"TH": `1`}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			row, rows, err := decode([]byte(test.body), Credential{})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for key, v := range row {
				got[key] = v.Raw()
			}
			if !maps.Equal(got, test.row) || rows != test.rows {
				t.Errorf("%d rows, the first %v; want %d, %v", rows, got, test.rows, test.row)
			}
		})
	}
}

// TestDecodeNothing holds one case for each answer without counters. None may
// become zeros, all are transient, and no error quotes the answer.
func TestDecodeNothing(t *testing.T) {
	for body, want := range map[string]error{
		``: errEmpty, "\n \n": errEmpty, "\uFEFF": errEmpty,
		`<html><body>planted</body></html>`: errHTML, "\uFEFF\n<!DOCTYPE html>planted": errHTML,
		`planted`: errNoJSON, `{planted}`: errNoJSON, `{"status":planted}`: errNoJSON, `{'status':'planted'}`: errNoJSON, "{\"a\":\"\x01planted\"}": errNoJSON,
		`{"status":"success","message":[{"planted":`: errCut, `{`: errCut, `{"status":"suc`: errCut,
		`null`: errNoObject, `[]`: errNoObject, `"planted"`: errNoObject, `7`: errNoObject, `true`: errNoObject,
		`[{"status":"success","message":[{"TH":1}]}]`:                           errNoObject,
		`{"status":"success","message":[{"TH":1}]} {"planted":1}`:               errTrailing,
		`{"status":"success","message":[{"TH":1}]}planted`:                      errTrailing,
		`{"status":"success","status":"success","message":[{"TH":1}]}`:          errTwice,
		`{"status":"success","message":[{"planted":1,"planted":2}]}`:            errTwice,
		`{"status":"success","message":[{"l":{"planted":1,"pl\u0061nted":2}}]}`: errTwice,
		`{"status":"success","message":[]}`:                                     errNoData,
		`{"status":"success","message":null}`:                                   errNoData,
		`{"status":"success"}`:                                                  errNoData,
		`{"status":"success","message":true}`:                                   errNoData,
		`{"status":"success","message":{"TH":1}}`:                               errNoData,
		`{"status":"success","message":[null]}`:                                 errNoData,
		`{"status":"success","message":[[]]}`:                                   errNoData,
		`{"status":"success","message":[{}]}`:                                   errNoData,
		`{"status":"success","message":[7,{"TH":1}]}`:                           errNoData,
		`{}`: errRefused, `{"message":[{"TH":1}]}`: errRefused, `{"status":true,"message":[{"TH":1}]}`: errRefused,
		`{"Status":"success","message":[{"TH":1}]}`:                  errRefused,
		`{"status":"Success","message":[{"TH":1}]}`:                  errRefused,
		`{"status":"success","message":[{"TH":1}],"code":"planted"}`: errRefused,
		`{"status":"success","message":[{"TH":1}],"code":[200]}`:     errRefused,
		`{"status":"error","message":["planted"],"code":"1014.5"}`:   errRefused,
		`{"status":"error","code":1e300}`:                            errRefused,
	} {
		row, _, err := decode([]byte(body), Credential{})
		switch {
		case err == nil:
			t.Errorf("%.60s: no error, row %v", body, row)
		case err.Class != ClassTransient || !errors.Is(err, want):
			t.Errorf("%.60s: %v, want %v", body, err, want)
		case strings.Contains(err.Error(), "planted"):
			t.Errorf("%.60s: the error quotes it: %v", body, err)
		}
	}
}

// TestCodes checks the class of every code that is written down anywhere, in
// each of the forms in which a code may come.
func TestCodes(t *testing.T) {
	for code, want := range map[int]Class{
		1000: ClassFault, 1001: ClassFault, 1047: ClassFault,
		1002: ClassCredential, 1003: ClassCredential, 1014: ClassCredential, 1020: ClassCredential,
		1015: ClassAccount, 1039: ClassAccount,
		1043: ClassOffShift, 1586: ClassOffShift,
		1004: ClassTransient, 1009: ClassTransient, 1010: ClassTransient, 1032: ClassTransient, 1501: ClassTransient,
		200: ClassTransient, 1: ClassTransient, 9999: ClassTransient, -1: ClassTransient,
	} {
		for _, form := range []string{
			`{"status":"error","message":"Some text","code":%d}`,
			`{"status":"error","message":"Some text","code":"%d"}`,
			`{"status":"error","message":"Some text","code":%d.0}`,
			`{"status":"error","message":"Some text","errCode":%d}`,
			`{"status":"error","message":"Some text","code":null,"errCode":" %d "}`,
			`{"message":"Some text","code":%d}`,
			`{"status":0,"message":"Some text","code":%d}`,
		} {
			body := fmt.Sprintf(form, code)
			_, _, err := decode([]byte(body), Credential{})
			if err == nil || err.Class != want || err.Code != code || err.Message != "Some text" {
				t.Errorf("%s: %#v, want class %s", body, err, want)
			}
		}
	}
	_, _, err := decode([]byte(`{"status":"success","message":[{"TH":1}],"code":1014}`), Credential{})
	if err == nil || err.Class != ClassCredential {
		t.Errorf("success with an error's code: %v", err)
	}
}

func TestMessage(t *testing.T) {
	who := cred("sess+ion/1", "u1", "tok-1")
	long := strings.Repeat("é", 300)
	for message, want := range map[string]string{
		`"Invalid token"`:                          "Invalid token",
		`"  two\nlines\tand\u0000 \u001b[31mred "`: "two lines and [31mred",
		`"line\u2028line\u202etfel"`:               "line linetfel",
		`"token tok-1 of u1 is bad"`:               "token ••• of u1 is bad",
		`"t\u006fk-1"`:                             "•••",
		`"to\u0000k-1, t\u200bok-1"`:               "•••, •••",
		`"/x?ssid=sess%2Bion%2F1&ssid=sess+ion/1"`: "/x?ssid=•••&ssid=•••",
		`"` + long + `"`:                           strings.Repeat("é", 199) + "…",
		`"` + strings.Repeat("x", 197) + `tok-1"`:  strings.Repeat("x", 197) + "•••",
		`"` + strings.Repeat("x", 198) + `tok-1"`:  strings.Repeat("x", 198) + "•…",
		`404`:     "404",
		`["x"]`:   "",
		`{"a":1}`: "",
		`null`:    "",
		`true`:    "",
	} {
		_, _, err := decode([]byte(`{"status":"error","code":1014,"message":`+message+`}`), who)
		if err == nil || err.Message != want {
			t.Errorf("%.60s is shown as %q, want %q", message, err.Message, want)
		}
	}
}

// TestTextForRows checks that a text in the place of the rows is told.
func TestTextForRows(t *testing.T) {
	_, _, err := decode([]byte(`{"status":"success","message":"No data for tok-1","code":200}`), cred("", "u1", "tok-1"))
	if !errors.Is(err, errNoData) || err.Message != "No data for •••" {
		t.Errorf("%v", err)
	}
}

// TestManyKeys checks that a long row is read whole.
func TestManyKeys(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `,"k%d":%d`, i, i)
	}
	row, _, err := decode([]byte(`{"status":"success","message":[{`+b.String()[1:]+`}]}`), Credential{})
	if err != nil || len(row) != 5000 || row["k4711"].Raw() != "4711" {
		t.Errorf("%d keys, %v", len(row), err)
	}
}

// FuzzDecode checks what holds for any answer: no panic; an error has a class
// and a bounded, clean text without the credential; counters are never empty,
// read without panic, and survive storing.
func FuzzDecode(f *testing.F) {
	f.Add(fixture(f))
	for _, seed := range []string{
		`null`, `[]`, ``, `{`, `<html>`, "\uFEFF{}", `{"status":"success","message":[{"aTT":1,"ATT":true}],"code":200}`,
		`{"status":"success","message":[],"code":200}`, `{"status":"success","message":null}`, `{"status":"success","message":[{"TH":"12","I":"","l":null}]}`,
		`{"status":"success","message":[{"callType":[],"cmpId":{"1":2,"2":"3"}},{}],"code":"200"}`,
		`{"status":"success","message":[{"l":{"duration":[1,"2",3,4]},"d":"1:02:03"}],"code":200.0}`,
		`{"status":"error","message":"bad tok-1\n","code":"1014"}`, `{"errCode":1014}`, `{"status":"success","message":"text"}`,
		`{"status":"success","message":[{"a":1}]}{}`, `{"status":"success","message":[{"a":1,"a":2}]}`,
		"{\"status\":\"success\",\"message\":[{\"\xff\":\"\xfe\",\"b\":\"\\u2028<\"}]}", `{"status":"success","message":[{"n":1e999,"m":-0,"o":12345678901234567890}]}`,
	} {
		f.Add([]byte(seed))
	}
	who := cred("sess-1", "u1", "tok-1")
	f.Fuzz(func(t *testing.T, body []byte) {
		row, rows, e := decode(body, who)
		if e != nil {
			if row != nil || len([]rune(e.Message)) > maxMessage || strings.ContainsAny(e.Message, "\n\x00") ||
				strings.Contains(e.Error(), "tok-1") || strings.Contains(e.Error(), "sess-1") || !slices.Contains(classes[:], e.Class) {
				t.Fatalf("%#v", e)
			}
			return
		}
		if len(row) == 0 || rows == 0 {
			t.Fatal("counters without a row")
		}
		c := Counters{Row: row, Rows: rows}
		for _, key := range c.Keys() {
			v := c.Value(key)
			readAll(v)
			if v.Raw() == "" || ValueOf(v.Raw()) != v {
				t.Fatalf("%q holds %q, which is not in normal form", key, v.Raw())
			}
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var again Counters
		if err := json.Unmarshal(b, &again); err != nil || !maps.Equal(again.Row, c.Row) || again.Rows != rows {
			t.Fatalf("%v: stored %s", err, b)
		}
	})
}

// readAll reads a value in every way.
func readAll(v Value) {
	v.Number()
	v.Text()
	v.Flag()
	v.Duration()
	v.Counts()
	v.member("type")
}

// FuzzValue checks that reading any text as a value neither panics nor makes
// numbers that are not finite.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{`12`, `"12"`, `"1:02:03"`, `["1","2","3"]`, `{"a":1}`, `""`, `null`, `"\u0000"`, `"Inf"`, `1e999`, "\"\xff\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		v := ValueOf(raw)
		readAll(v)
		if n, ok := v.Number(); ok && (n-n != 0) {
			t.Fatalf("%q reads as %v", raw, n)
		}
		if d, ok := v.Duration(); ok && d < 0 {
			t.Fatalf("%q reads as %s", raw, d)
		}
		checkParts(t, v)
		if again := ValueOf(v.Raw()); again != v {
			t.Fatalf("%q is kept as %q and then as %q", raw, v.Raw(), again.Raw())
		}
	})
}

// checkParts compares the parts of an object with what encoding/json makes of it.
func checkParts(t *testing.T, v Value) {
	t.Helper()
	var want map[string]json.RawMessage
	if json.Unmarshal([]byte(v.Raw()), &want) != nil || want == nil {
		return
	}
	got := map[string]json.RawMessage{}
	for name, part := range v.parts() {
		got[name.unquote()] = json.RawMessage(part.Raw())
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Fatalf("%s comes apart as %s, want %s", v.Raw(), got, want)
	}
}

func BenchmarkDecode(b *testing.B) {
	body := fixture(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := decode(body, Credential{}); err != nil {
			b.Fatal(err)
		}
	}
}
