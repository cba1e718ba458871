package dashboard

import (
	"crypto/sha1"
	"encoding/base64"
	stdjson "encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fixture returns the vendor's sample answer.
func fixture(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/counters.json")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestFixture checks that nobody edited the vendor's sample: its length and its
// ETag, the base64 of its SHA-1, stand in the vendor's document.
func TestFixture(t *testing.T) {
	body := fixture(t)
	sum := sha1.Sum(body)
	if etag := base64.StdEncoding.EncodeToString(sum[:])[:27]; len(body) != 188 || etag != "w20WSo0Ti9Bv1V31n1GLmQA5+0A" {
		t.Errorf("the sample has %d bytes and the ETag %s: it is not the vendor's", len(body), etag)
	}
}

// sample returns the counters of the vendor's sample.
func sample(t testing.TB) Counters {
	t.Helper()
	row, rows, err := decode(fixture(t), Credential{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 11, 22, 6, 51, 10, 0, time.UTC)
	return Counters{Row: row, Rows: rows, Date: at, At: at.Add(123456789)}
}

func TestSample(t *testing.T) {
	c := sample(t)
	want := []string{"ATT", "C", "HT", "I", "MH", "TH", "aTT", "callType", "cmpId", "l", "ml", "tC"}
	if got := c.Keys(); !slices.Equal(got, want) || c.Rows != 1 {
		t.Errorf("%d rows, keys %v, want %v", c.Rows, got, want)
	}
	if n, ok := c.Value("aTT").Number(); !ok || n != 0 {
		t.Errorf("aTT is %v, %v", n, ok)
	}
	if flag, ok := c.Value("ATT").Flag(); !ok || !flag {
		t.Errorf("ATT is %v, %v", flag, ok)
	}
	if n, ok := c.Value("I").Number(); !ok || n != 9 {
		t.Errorf("I is %v, %v", n, ok)
	}
	if text, ok := c.Value("l.type").Text(); !ok || text != "Web" {
		t.Errorf("l.type is %q, %v", text, ok)
	}
	if d, ok := c.Value("l.duration").Duration(); !ok || d != 69*time.Hour+15*time.Minute+50*time.Second {
		t.Errorf("l.duration is %s, %v", d, ok)
	}
	if counts, ok := c.Value("callType").Counts(); !ok || len(counts) != 0 {
		t.Errorf("callType is %v, %v", counts, ok)
	}
}

func TestValuePath(t *testing.T) {
	c := Counters{Row: map[string]Value{
		"l":       ValueOf(`{"type":"Web","deep":{"a":{"b":7}},"x.y":1}`),
		"att":     ValueOf(`1`),
		"dot.ted": ValueOf(`2`),
		"dot":     ValueOf(`{"ted":3}`),
		"text":    ValueOf(`"l"`),
		"nil":     ValueOf(`null`),
	}}
	for path, want := range map[string]string{
		"att": `1`, "l.type": `"Web"`, "l.deep.a.b": `7`, "l.deep.a": `{"b":7}`, "dot.ted": `2`, "nil": `null`,
		"aTT": ``, "ATT": ``, "L": ``, "L.type": ``, "l.Type": ``, "l.type.more": ``, "l.deep.b": ``,
		"": ``, ".": ``, "l.": ``, ".l": ``, "text.l": ``, "nil.x": ``, "none.x": ``,
	} {
		if got := c.Value(path).Raw(); got != want {
			t.Errorf("%q is %s, want %s", path, got, want)
		}
	}
	if v := (Counters{}).Value("l.type"); v != (Value{}) {
		t.Errorf("empty counters hold %v", v)
	}
}

// stored is the form in which the sample is kept in databases: changing it needs
// a migration there.
const stored = `{"row":{"ATT":true,"C":0,"HT":0,"I":"9","MH":0,"TH":0,"aTT":0,"callType":{},"cmpId":{},` +
	`"l":{"type":"Web","duration":["69","15","50"]},"ml":"No","tC":0},` +
	`"date":"2024-11-22T06:51:10Z","at":"2024-11-22T06:51:10.123456789Z","rows":1}`

func TestStoredForm(t *testing.T) {
	b, err := stdjson.Marshal(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != stored {
		t.Errorf("stored as\n%s\nwant\n%s", b, stored)
	}
}

func TestRoundTrip(t *testing.T) {
	kolkata := time.FixedZone("IST", 5*3600+1800)
	odd, _, err := decode([]byte(`{"status":"success","message":[{"a<b>&\u2028":"<x>\u2028\u0007", "n" : 1.50 , "deep":{ "b":[ null ] }, "nil":null,"Ä":"ä","":1}]}`), Credential{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Counters{
		"sample":  sample(t),
		"odd":     {Row: odd, Rows: 2},
		"no date": {Row: odd, Rows: 1, At: time.Unix(1, 1).UTC()},
		"zone":    {Row: odd, Rows: 1, Date: time.Date(2026, 11, 25, 12, 0, 0, 0, kolkata)},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := stdjson.Marshal(c) // escapes < > & and U+2028 in what MarshalJSON returns
			if err != nil {
				t.Fatal(err)
			}
			var got Counters
			if err := stdjson.Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			want := c
			want.Date = want.Date.UTC()
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b Value) bool { return a == b })); diff != "" {
				t.Errorf("changed by storing:\n%s", diff)
			}
			if again, err := stdjson.Marshal(got); err != nil || string(again) != string(b) {
				t.Errorf("stored as\n%s\nthen as\n%s\n%v", b, again, err)
			}
		})
	}
}

func TestStoredFormUnreadable(t *testing.T) {
	for _, text := range []string{``, `[]`, `{"row":7}`, `{"row":{"planted":1,"planted":2}}`, `{"at":"planted"}`, `{"rows":"planted"}`} {
		var c Counters
		if err := c.UnmarshalJSON([]byte(text)); err == nil || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
