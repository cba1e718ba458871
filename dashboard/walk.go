package dashboard

import (
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// errShape reports JSON of another kind than was asked for.
var errShape = errors.New("unexpected kind of JSON value")

// members calls each with the name and the JSON text of every member of the
// object in text, in order. Names are exact, a name that occurs twice is an
// error, and so is anything after the object. The texts are parts of text.
func members(text string, each func(name, raw string)) error {
	return walk(text, '{', func(d *jsontext.Decoder) error {
		name, err := next(d, text)
		if err != nil {
			return err
		}
		raw, err := next(d, text)
		if err == nil {
			each(Value{name}.unquote(), raw)
		}
		return err
	})
}

// elements calls each with the JSON text of every element of the array in text.
func elements(text string, each func(raw string)) error {
	return walk(text, '[', func(d *jsontext.Decoder) error {
		raw, err := next(d, text)
		if err == nil {
			each(raw)
		}
		return err
	})
}

// A walker is a decoder and what it reads from, for reuse: half the time of a
// decoder goes into building its table of names.
type walker struct {
	jsontext.Decoder
	text strings.Reader
}

var walkers = sync.Pool{New: func() any { return new(walker) }}

// walk opens the object or array in text, calls step until it is closed and
// checks that nothing follows.
func walk(text string, open jsontext.Kind, step func(*jsontext.Decoder) error) error {
	w := walkers.Get().(*walker)
	defer walkers.Put(w)
	w.text.Reset(text)
	defer w.text.Reset("") // what waits for reuse holds on to nothing
	d := &w.Decoder
	d.Reset(&w.text, jsontext.AllowInvalidUTF8(true))
	switch kind := d.PeekKind(); {
	case kind == jsontext.KindInvalid:
		return readError(d)
	case kind != open:
		return errShape
	}
	if err := inside(d, step); err != nil {
		return err
	}
	if err := readError(d); err != io.EOF {
		return errTrailing
	}
	return nil
}

// inside opens the object or array that comes next, calls step until it is
// closed and closes it.
func inside(d *jsontext.Decoder, step func(*jsontext.Decoder) error) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for kind := d.PeekKind(); kind != '}' && kind != ']'; kind = d.PeekKind() {
		if err := step(d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// errTrailing reports something after the end of a JSON value.
var errTrailing = errors.New("more than one JSON value")

// readError returns the error of reading on.
func readError(d *jsontext.Decoder) error {
	_, err := d.ReadToken()
	return err
}

// next reads a value and returns the part of text that it came from, which
// costs no copy.
func next(d *jsontext.Decoder, text string) (string, error) {
	raw, err := d.ReadValue()
	if err != nil {
		return "", err
	}
	end := int(d.InputOffset())
	return text[end-len(raw) : end], nil
}
