package dashboard

import (
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// What can be wrong with a text that is valid JSON.
var (
	errShape    = errors.New("not an object")
	errTrailing = errors.New("more than one JSON value")
)

// A walker is a decoder and what it reads from, for reuse: half the time of a
// decoder goes into building its table of names.
type walker struct {
	jsontext.Decoder
	text strings.Reader
}

var walkers = sync.Pool{New: func() any { return new(walker) }}

// walk opens the object in text, calls step until it is closed and checks that
// nothing follows. Names are exact, and one that occurs twice is an error.
func walk(text string, step func(*jsontext.Decoder) error) error {
	w := walkers.Get().(*walker)
	defer walkers.Put(w)
	w.text.Reset(text)
	defer w.text.Reset("") // what waits for reuse holds on to nothing
	d := &w.Decoder
	d.Reset(&w.text, jsontext.AllowInvalidUTF8(true))
	switch kind := d.PeekKind(); {
	case kind == jsontext.KindInvalid:
		return readError(d)
	case kind != '{':
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
