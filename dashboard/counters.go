package dashboard

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Counters is one answer of the API: a snapshot of one agent. The client hands
// the same snapshot to several callers, so treat it as read-only.
type Counters struct {
	Row  map[string]Value // by the payload's exact key, unknown keys included
	Date time.Time        // the answer's Date header, UTC; zero if absent or unreadable
	At   time.Time        // when we asked, by our own clock, UTC
	Rows int              // rows the answer held; Row is the first of them
}

// Value returns the field at path: a key of the row ("aTT") or, with dots, a
// member of an object in it ("l.duration"). Keys are exact, case included. A
// field that is not there is the zero Value.
func (c Counters) Value(path string) Value {
	if v, ok := c.Row[path]; ok {
		return v
	}
	key, rest, dotted := strings.Cut(path, ".")
	v := c.Row[key]
	for dotted {
		key, rest, dotted = strings.Cut(rest, ".")
		v = v.member(key)
	}
	return v
}

// Keys returns the row's keys, sorted.
func (c Counters) Keys() []string { return slices.Sorted(maps.Keys(c.Row)) }

// storedCounters is the stored form of [Counters]. Keys of the row are sorted,
// times are RFC 3339 in UTC, a zero time is left out.
type storedCounters struct {
	Row  map[string]Value `json:"row"`
	Date time.Time        `json:"date,omitzero"`
	At   time.Time        `json:"at,omitzero"`
	Rows int              `json:"rows"`
}

// MarshalJSON returns the stored form, an object row, date, at and rows, which
// is the same for the same counters and reads back as them.
func (c Counters) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedCounters{c.Row, c.Date.UTC(), c.At.UTC(), c.Rows}, json.Deterministic(true))
}

// UnmarshalJSON reads the stored form.
func (c *Counters) UnmarshalJSON(b []byte) error {
	var s storedCounters
	if err := json.Unmarshal(b, &s); err != nil {
		return errors.New("stored counters are not readable")
	}
	*c = Counters{s.Row, s.Date.UTC(), s.At.UTC(), s.Rows}
	return nil
}
