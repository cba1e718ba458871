package alert

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxSeries bounds how long a written series may become: a week of minutes.
const maxSeries = 7 * 24 * 60

// A mark is an item of a series that is not a number.
type mark uint8

const (
	isNumber mark = iota
	isMissing
	isFailed
	isStale
	isAbsent
)

var marks = map[string]mark{"_": isMissing, "!": isFailed, "~": isStale, "absent": isAbsent}

// A cell is what one poll brought for one name of a test.
type cell struct {
	mark  mark
	value float64
	reset bool // the counter started again just before
}

var (
	markItem   = regexp.MustCompile(`^(_|!|~|absent)(?:x(\d+))?$`)
	numberItem = regexp.MustCompile(`^(r?)(-?\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?(?:x(\d+))?$`)
)

// parseSeries reads the expanding notation, one item per poll:
//
//	3        a value            true, false   a flag
//	3x4      3 3 3 3 3          the value, and 4 more
//	1+2x3    1 3 5 7            the value, and 3 more, each 2 higher
//	9-1x2    9 8 7
//	r0       a value before which the counter started again
//	_        the value is missing from a good answer
//	!        the poll failed
//	~        the answer is stale
//	absent   a good answer: the agent is not logged in
//	_x3      three times a mark; so for the others
func parseSeries(s string) ([]cell, error) {
	var out []cell
	for item := range strings.FieldsSeq(strings.NewReplacer("true", "1", "false", "0").Replace(s)) {
		cells, err := parseItem(item)
		if err != nil {
			return nil, err
		}
		if out = append(out, cells...); len(out) > maxSeries {
			return nil, fmt.Errorf("the series has more than %d values", maxSeries)
		}
	}
	return out, nil
}

func parseItem(item string) ([]cell, error) {
	if m := markItem.FindStringSubmatch(item); m != nil {
		n, err := times(m[2], 1)
		return repeat(cell{mark: marks[m[1]]}, 0, n), err
	}
	m := numberItem.FindStringSubmatch(item)
	if m == nil || m[3] != "" && m[4] == "" {
		return nil, fmt.Errorf("%q is no item of a series; write 3, 3x4, 1+2x3, r0, _, !, ~ or absent", item)
	}
	more, err := times(m[4], 0)
	if err != nil {
		return nil, err
	}
	first, _ := strconv.ParseFloat(m[2], 64)
	step := 0.0
	if m[3] != "" {
		step, _ = strconv.ParseFloat(m[3], 64)
	}
	cells := repeat(cell{value: first}, step, more+1)
	cells[0].reset = m[1] != ""
	return cells, nil
}

// times reads the number after x.
func times(s string, otherwise int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxSeries {
		return 0, fmt.Errorf("x%s repeats too often or not at all; write x1 to x%d", s, maxSeries)
	}
	return n, nil
}

func repeat(c cell, step float64, n int) []cell {
	out := make([]cell, n)
	for i := range out {
		out[i] = c
		out[i].value += step * float64(i)
	}
	return out
}
