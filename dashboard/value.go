package dashboard

import (
	"errors"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Value is one field of an answer as it came: its JSON text, read leniently
// when asked. The zero Value is a field that was not there. Values are
// immutable and comparable with ==.
type Value struct {
	raw string // in normal form: no white space, strings escaped as little as possible, valid UTF-8
}

// ValueOf returns the value with the given JSON text, brought into normal form:
// white space goes, strings are escaped as little as possible, invalid UTF-8
// becomes U+FFFD. Numbers keep their spelling. Text that is not JSON yields the
// zero Value.
func ValueOf(raw string) Value {
	text, err := normalize(strings.TrimSpace(raw))
	if err != nil {
		return Value{}
	}
	return Value{text}
}

// normalize returns JSON text in the normal form of [Value].
func normalize(raw string) (string, error) {
	b, err := jsontext.AppendFormat(nil, raw, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return "", errNotJSON
	}
	return string(b), nil
}

// Raw returns the JSON text, "" for a missing field.
func (v Value) Raw() string { return v.raw }

// Present reports whether the field was there and not null.
func (v Value) Present() bool { return v.raw != "" && v.raw != "null" }

// MarshalJSON returns the JSON text, null for a missing field.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.raw == "" {
		return []byte("null"), nil
	}
	return []byte(v.raw), nil
}

// UnmarshalJSON sets the value to the JSON text b.
func (v *Value) UnmarshalJSON(b []byte) (err error) {
	v.raw, err = normalize(string(b))
	return err
}

// Number reads a count or a measure. It accepts a JSON number, a string that
// spells one in decimal ("12", "1e3"), and a string "H:M:S", which becomes
// seconds. Everything else, an empty string and a number beyond float64
// included, is not a number: the vendor's zeros may turn into strings, and
// other strings must not turn into zeros.
func (v Value) Number() (float64, bool) {
	switch v.kind() {
	case '0':
		n, err := strconv.ParseFloat(v.raw, 64) // beyond float64 is an error
		return n, err == nil
	case '"':
		s := strings.TrimSpace(v.unquote())
		if !strings.Contains(s, ":") {
			return parseNumber(s)
		}
		d, ok := parseClock(strings.Split(s, ":"))
		return d.Seconds(), ok
	}
	return 0, false
}

// Text returns the contents of a string, which may be empty, or the spelling of
// a number. Nothing else is text.
func (v Value) Text() (string, bool) {
	switch v.kind() {
	case '"':
		return v.unquote(), true
	case '0':
		return v.raw, true
	}
	return "", false
}

// Flag reads true, false, and in any case the strings "yes", "no", "true" and
// "false".
func (v Value) Flag() (value, ok bool) {
	s := v.raw
	if v.kind() == '"' {
		s = strings.ToLower(strings.TrimSpace(v.unquote()))
	}
	switch s {
	case "true", "yes":
		return true, true
	case "false", "no":
		return false, true
	}
	return false, false
}

// Duration reads exactly three parts, hours, minutes and seconds, from an array
// of numbers or numeric strings or from a string "H:M:S". Parts are whole and
// not negative, minutes and seconds below 60, hours unbounded up to what a
// time.Duration holds (292 years).
func (v Value) Duration() (time.Duration, bool) {
	switch v.kind() {
	case '"':
		return parseClock(strings.Split(strings.TrimSpace(v.unquote()), ":"))
	case '[':
		parts := make([]string, 0, 3)
		for _, part := range v.parts() {
			text, _ := part.Text()
			parts = append(parts, strings.TrimSpace(text))
		}
		return parseClock(parts)
	}
	return 0, false
}

// Counts reads an object whose values are numbers. {}, [] and "" hold no
// counts: an empty map and true. A missing field and null tell nothing: an
// empty map and false, so that ranging over the map is always safe. A member
// that is not a number is left out; when no member of an object is one, and for
// every other kind of value, the map is empty and the answer false.
func (v Value) Counts() (map[string]float64, bool) {
	counts := map[string]float64{}
	ok := v.EachCount(func(name string, n float64) { counts[name] = n })
	return counts, ok
}

// EachCount is Counts without a map: it calls each with the counts in the order
// they came, and returns what Counts returns.
func (v Value) EachCount(each func(name string, n float64)) bool {
	switch v.raw {
	case "{}", "[]", `""`:
		return true
	}
	if v.kind() != '{' {
		return false
	}
	some := false
	for name, part := range v.parts() {
		if n, ok := part.Number(); ok {
			each(name.unquote(), n)
			some = true
		}
	}
	return some
}

// member returns the named member of an object, the zero Value if there is none.
func (v Value) member(name string) Value {
	if v.kind() != '{' {
		return Value{}
	}
	for n, part := range v.parts() {
		if n.unquote() == name {
			return part
		}
	}
	return Value{}
}

// parts yields the values in an object, with their names, or in an array. Text in
// normal form needs no checks on the way.
func (v Value) parts() iter.Seq2[Value, Value] {
	return func(yield func(name, part Value) bool) {
		for rest := v.raw[1 : len(v.raw)-1]; rest != ""; {
			var name, part Value
			if v.raw[0] == '{' {
				name.raw, rest = cut(rest, ':')
			}
			part.raw, rest = cut(rest, ',')
			if !yield(name, part) {
				return
			}
		}
	}
}

// cut splits text at the first separator that is in no string and no other value.
func cut(text string, sep byte) (before, after string) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '\\':
			i++ // past what it escapes
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			depth--
		case b == sep && depth == 0:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// kind returns the kind of the JSON value, 0 for a missing one.
func (v Value) kind() jsontext.Kind { return jsontext.Value(v.raw).Kind() }

// unquote returns the contents of a JSON string.
func (v Value) unquote() string {
	if !strings.Contains(v.raw, `\`) {
		return v.raw[1 : len(v.raw)-1]
	}
	b, err := jsontext.AppendUnquote(nil, v.raw)
	if err != nil {
		return ""
	}
	return string(b)
}

// parseNumber reads a decimal number. strconv alone would also take "Inf",
// "NaN", hexadecimal floats and underscores.
func parseNumber(s string) (float64, bool) {
	if strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64) // beyond float64 is an error
	return n, err == nil
}

// maxHours is the largest whole number of hours in a time.Duration, less one
// for the minutes and seconds.
const maxHours = math.MaxInt64/int64(time.Hour) - 1

// parseClock adds up hours, minutes and seconds.
func parseClock(parts []string) (time.Duration, bool) {
	if len(parts) != 3 {
		return 0, false
	}
	var hms [3]int64
	for i, part := range parts {
		n, ok := parseNumber(part)
		if !ok || n < 0 || n != math.Trunc(n) || n > float64(maxHours) {
			return 0, false
		}
		hms[i] = int64(n)
	}
	if hms[1] >= 60 || hms[2] >= 60 {
		return 0, false
	}
	return time.Duration(hms[0])*time.Hour + time.Duration(hms[1])*time.Minute + time.Duration(hms[2])*time.Second, true
}

// errNotJSON stands for every error of the JSON decoder, whose texts may quote
// what they could not read.
var errNotJSON = errors.New("not valid JSON")
