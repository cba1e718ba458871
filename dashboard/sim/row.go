package sim

import (
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
)

// A row is a JSON object whose members keep their order.
type row []field

// A field is one member of a row.
type field struct {
	key   string
	value any
}

// MarshalJSON writes the members in order.
func (r row) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, f := range r {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := json.Marshal(f.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.value, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, key...), ':'), value...)
	}
	return append(b, '}'), nil
}

// rowOf returns the members of a map, sorted.
func rowOf(m map[string]any) row {
	r := make(row, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		r = append(r, field{key, m[key]})
	}
	return r
}

// plus returns a copy of the row with deltas added to numbers. A delta for a key
// that is missing or not a number becomes the number.
func (r row) plus(deltas map[string]float64) row {
	r = slices.Clone(r)
	for _, key := range slices.Sorted(maps.Keys(deltas)) {
		i := slices.IndexFunc(r, func(f field) bool { return f.key == key })
		if i < 0 {
			i, r = len(r), append(r, field{key, 0})
		}
		n, _ := toFloat(r[i].value)
		r[i].value = n + deltas[key]
	}
	return r
}

// toFloat reads a number of a row.
func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil
	}
	return 0, false
}

// stringly returns v with every number as a string, at every depth.
func stringly(v any) any {
	if n, ok := toFloat(v); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	switch v := v.(type) {
	case row:
		r := make(row, len(v))
		for i, f := range v {
			r[i] = field{f.key, stringly(f.value)}
		}
		return r
	case map[string]int:
		m := make(map[string]string, len(v))
		for key, n := range v {
			m[key] = strconv.Itoa(n)
		}
		return m
	case map[string]any:
		return stringly(rowOf(v))
	}
	return v
}

// emptied returns the row with [] in place of its two maps, as PHP writes an
// empty map.
func (r row) emptied() row {
	r = slices.Clone(r)
	for i, f := range r {
		if f.key == "callType" || f.key == "cmpId" {
			r[i].value = []any{}
		}
	}
	return r
}
