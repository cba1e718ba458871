package schedule

import (
	"fmt"
	"strings"
	"time"
)

// Weekdays is a set of days of the week: bit n is time.Weekday(n). The zero set
// is empty.
type Weekdays uint8

// EveryDay is all seven days.
const EveryDay Weekdays = 1<<7 - 1

// On returns the set of the given days.
func On(days ...time.Weekday) Weekdays {
	var w Weekdays
	for _, d := range days {
		w |= 1 << d
	}
	return w
}

// ParseWeekdays reads days written as mon, tue, wed, thu, fri, sat, sun, and
// spans of them such as mon-fri; fri-mon runs over the weekend. Words may hold
// several, separated by commas or spaces. Capitals do not matter. The error is a
// sentence about the first word that is neither, or about none being given.
func ParseWeekdays(words ...string) (Weekdays, error) {
	var set Weekdays
	for _, word := range words {
		for _, name := range strings.FieldsFunc(word, isSeparator) {
			days, err := parseSpan(name)
			if err != nil {
				return 0, err
			}
			set |= days
		}
	}
	if set == 0 {
		return 0, fmt.Errorf("no day is given; write %s", dayNames)
	}
	return set, nil
}

const dayNames = "mon, tue, wed, thu, fri, sat or sun"

func isSeparator(r rune) bool { return r == ',' || r == ' ' || r == '\t' }

// parseSpan reads one day, or two with a hyphen between.
func parseSpan(s string) (Weekdays, error) {
	from, to, ok := strings.Cut(s, "-")
	first, err := parseDay(from)
	if err != nil || !ok {
		return On(first), err
	}
	last, err := parseDay(to)
	if err != nil {
		return 0, err
	}
	set := On(last)
	for d := first; d != last; d = (d + 1) % 7 {
		set |= On(d)
	}
	return set, nil
}

func parseDay(s string) (time.Weekday, error) {
	for d := range time.Weekday(7) {
		if strings.EqualFold(s, dayName(d)) {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%q is not a day of the week; write %s", s, dayNames)
}

func dayName(d time.Weekday) string { return strings.ToLower(d.String()[:3]) }

// Has reports whether d is in the set.
func (w Weekdays) Has(d time.Weekday) bool { return w&(1<<d) != 0 }

// String returns the days from Monday on, as "mon, tue", "every day" for all
// seven and "no day" for none.
func (w Weekdays) String() string {
	switch w & EveryDay {
	case EveryDay:
		return "every day"
	case 0:
		return "no day"
	}
	return strings.Join(w.names(), ", ")
}

func (w Weekdays) names() []string {
	var names []string
	for i := range time.Weekday(7) {
		if d := (time.Monday + i) % 7; w.Has(d) {
			names = append(names, dayName(d))
		}
	}
	return names
}

// MarshalText writes the form that [ParseWeekdays] reads: "mon,tue". The empty
// set is written as no text.
func (w Weekdays) MarshalText() ([]byte, error) {
	return []byte(strings.Join(w.names(), ",")), nil
}

// UnmarshalText reads what MarshalText writes.
func (w *Weekdays) UnmarshalText(text []byte) (err error) {
	if *w = 0; len(text) == 0 {
		return nil
	}
	*w, err = ParseWeekdays(string(text))
	return err
}
