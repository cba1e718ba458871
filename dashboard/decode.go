package dashboard

import (
	"errors"
	"io"
	"math"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// What can be wrong with the form of an answer. All of it is transient: a
// gateway's page, a cut connection, a vendor's bad day.
var (
	errEmpty    = errors.New("the answer is empty")
	errHTML     = errors.New("the answer is HTML instead of JSON")
	errCut      = errors.New("the answer is cut short")
	errTwice    = errors.New("the answer holds a key twice")
	errNoObject = errors.New("the answer is JSON but not an object")
	errNoJSON   = errors.New("the answer is not JSON")
	errNoData   = errors.New("the answer holds no counters")
	errRefused  = errors.New("the answer reports no success")
)

// An envelope is the outer object of an answer, read in one pass. Values are the
// zero Value when they are missing.
type envelope struct {
	status, message, code, errCode Value

	rows int              // elements of the message, if it is an array
	row  map[string]Value // members of the first, if that is an object
}

// decode reads an answer's body: the first row by its exact keys and how many
// rows there were. The error has a class, and the vendor's code and text if the
// body has them; it never quotes a body that could not be read.
//
// A byte order mark is skipped: it changes no meaning. Anything after the
// object is an error: nobody knows which of two objects is meant.
func decode(body []byte, cred Credential) (row map[string]Value, rows int, e *Error) {
	env, err := readEnvelope(strings.TrimPrefix(string(body), "\uFEFF"))
	if err != nil {
		return nil, 0, &Error{Err: err}
	}
	if !env.success() {
		return nil, 0, env.refusal(cred)
	}
	// A message that is no array, no row, and a row that is no object or an empty
	// one are all "no data": zeros are never invented.
	if len(env.row) == 0 {
		return nil, 0, &Error{Message: env.text(cred), Err: errNoData}
	}
	return env.row, env.rows, nil
}

// readEnvelope finds the members of the outer object that matter.
func readEnvelope(text string) (envelope, error) {
	var env envelope
	err := walk(text, func(d *jsontext.Decoder) error {
		name, err := next(d, text)
		if err != nil {
			return err
		}
		name = Value{name}.unquote()
		if name == "message" && d.PeekKind() == '[' {
			return env.readRows(d, text)
		}
		raw, err := next(d, text)
		switch name {
		case "status":
			env.status.raw = raw
		case "message":
			env.message.raw = raw
		case "code":
			env.code.raw = raw
		case "errCode":
			env.errCode.raw = raw
		}
		return err
	})
	return env, describe(err, text)
}

// readRows reads the array that comes next.
func (e *envelope) readRows(d *jsontext.Decoder, text string) error {
	return inside(d, func(d *jsontext.Decoder) error {
		if e.rows++; e.rows == 1 && d.PeekKind() == '{' {
			return e.readRow(d, text)
		}
		return d.SkipValue()
	})
}

// readRow reads the object that comes next. Its values are parts of text, of
// which a row is nearly all.
func (e *envelope) readRow(d *jsontext.Decoder, text string) error {
	e.row = make(map[string]Value, 14) // as many as fit into 16 places; a row has about that many
	return inside(d, func(d *jsontext.Decoder) error {
		name, err := next(d, text)
		if err != nil {
			return err
		}
		raw, err := next(d, text)
		if err == nil {
			e.row[normal(name).unquote()] = normal(raw)
		}
		return err
	})
}

// describe replaces a decoder's error, which may quote what it could not read,
// by one of ours.
func describe(err error, text string) error {
	switch text = strings.TrimSpace(text); {
	case err == nil:
		return nil
	case text == "":
		return errEmpty
	case text[0] == '<':
		return errHTML
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errCut
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errTwice
	case errors.Is(err, errTrailing):
		return errTrailing
	case errors.Is(err, errShape):
		return errNoObject
	}
	return errNoJSON
}

// success reports whether the answer claims to hold counters: its status says
// so and a code, if there is one, is 200.
func (e envelope) success() bool {
	status, _ := e.status.Text()
	return status == "success" && (!e.code.Present() || number(e.code) == 200)
}

// refusal turns an answer that is no success into an error. The code is under
// "code", or under "errCode" in a sibling dialect.
func (e envelope) refusal(cred Credential) *Error {
	code := number(e.code)
	if code == 0 {
		code = number(e.errCode)
	}
	refused := &Error{Class: classOfCode(code), Code: code, Message: e.text(cred)}
	if code == 0 && refused.Message == "" {
		refused.Err = errRefused
	}
	return refused
}

// text returns the message made safe to show, "" if it is no text.
func (e envelope) text(cred Credential) string {
	text, _ := e.message.Text()
	return clean(text, cred)
}

// number reads a code: a whole number or a string that spells one; 0 otherwise.
func number(v Value) int {
	text, _ := v.Text()
	n, ok := parseNumber(strings.TrimSpace(text))
	if !ok || n != math.Trunc(n) || math.Abs(n) > math.MaxInt32 {
		return 0
	}
	return int(n)
}

// normal returns the value with the given JSON text, which is valid.
func normal(raw string) Value {
	if plain(raw) {
		return Value{raw}
	}
	return ValueOf(raw)
}

// plain reports whether JSON text is certainly in the normal form of a [Value]:
// it has no white space, no escape and nothing beyond ASCII.
func plain(text string) bool {
	for i := range len(text) {
		if b := text[i]; b <= ' ' || b == '\\' || b >= 0x7f {
			return false
		}
	}
	return true
}
