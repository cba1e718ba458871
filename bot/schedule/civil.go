package schedule

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const secondsPerDay = 24 * 60 * 60

// A Date is a civil date, without a zone, counted in days since 1970-01-01.
// d+1 is the date after d, and dates compare with == and <.
type Date int32

// NewDate returns the date of a year, month and day. Like time.Date it accepts
// days outside the month: the 0th of March is the last of February.
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

// DateOf returns the date that calendars in zone show at t.
func DateOf(t time.Time, zone *time.Location) Date { return CivilOf(t, zone).Date }

// ParseDate reads a date written as 2027-01-26. The error is a sentence about
// what is wrong.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date; write it as 2027-01-26", s)
	}
	return NewDate(t.Date()), nil
}

// Weekday returns the day of the week of d.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// String returns the date as 2027-01-26.
func (d Date) String() string { return d.utc().Format(time.DateOnly) }

// utc returns d as midnight UTC, which serves as a plain calendar value.
func (d Date) utc() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// A TimeOfDay is what a wall clock reads, in minutes since midnight: 0 to 1439.
type TimeOfDay int16

// ParseTimeOfDay reads a time written as 08:00, from 00:00 to 23:59. The error
// is a sentence about what is wrong and, where that is plain, what to write
// instead.
//
// 24:00 is refused: as an end, 00:00 means the same, because a window that does
// not end after its start ends on the next date.
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	hh, mm, ok := strings.Cut(s, ":")
	h, hok := digits(hh)
	m, mok := digits(mm)
	switch {
	case !ok || !hok || !mok || len(mm) != 2 || h > 24 || m > 59 || h == 24 && m > 0:
		return 0, fmt.Errorf("%q is not a time of day", s)
	case h == 24:
		return 0, fmt.Errorf("%q is not a time of day; write 00:00 for midnight", s)
	case len(hh) != 2:
		return 0, fmt.Errorf("%q is not a time of day; write %02d:%02d", s, h, m)
	}
	return TimeOfDay(h*60 + m), nil
}

// digits reads a number of one or two decimal digits and nothing else: no sign,
// no space.
func digits(s string) (n int, ok bool) {
	if len(s) == 0 || len(s) > 2 {
		return 0, false
	}
	v, err := strconv.ParseUint(s, 10, 8)
	return int(v), err == nil
}

// String returns the time as 08:00.
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", t/60, t%60) }

// A Civil is a date and a time of day: what a calendar and a wall clock read
// together, without a zone. It may not exist in some zone, or exist twice; see
// [Resolve].
type Civil struct {
	Date Date
	Time TimeOfDay
}

// CivilOf returns what calendar and clock in zone read at t, to the minute.
func CivilOf(t time.Time, zone *time.Location) Civil {
	_, offset := t.In(zone).Zone()
	return civilOfUnix(t.Unix() + int64(offset))
}

// civilOfUnix is the inverse of Civil.unix, rounding down.
func civilOfUnix(u int64) Civil {
	day := u / secondsPerDay
	if u%secondsPerDay < 0 {
		day--
	}
	return Civil{Date(day), TimeOfDay((u - day*secondsPerDay) / 60)}
}

// civilLayout is the form of nominal times in keys and stored rows.
const civilLayout = "2006-01-02T15:04"

// ParseCivil reads a civil time written as 2026-03-08T02:30.
func ParseCivil(s string) (Civil, error) {
	t, err := time.Parse(civilLayout, s)
	if err != nil || len(s) != len(civilLayout) {
		return Civil{}, fmt.Errorf("%q is not a civil time; write it as 2026-03-08T02:30", s)
	}
	return civilOfUnix(t.Unix()), nil
}

// Compare returns a negative number if c is earlier than d on the calendar, a
// positive one if it is later, and 0 if they are equal.
func (c Civil) Compare(d Civil) int {
	return cmp.Or(cmp.Compare(c.Date, d.Date), cmp.Compare(c.Time, d.Time))
}

// String returns the civil time as 2026-03-08T02:30.
func (c Civil) String() string { return c.utc().Format(civilLayout) }

// unix returns c as seconds since 1970-01-01T00:00, as if there were no zones.
func (c Civil) unix() int64 { return int64(c.Date)*secondsPerDay + int64(c.Time)*60 }

// utc returns c as a time with c's fields in UTC, to be formatted.
func (c Civil) utc() time.Time { return time.Unix(c.unix(), 0).UTC() }

// MarshalText writes the form that [ParseDate] reads.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the form that [ParseDate] reads.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

// MarshalText writes the form that [ParseTimeOfDay] reads.
func (t TimeOfDay) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the form that [ParseTimeOfDay] reads.
func (t *TimeOfDay) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTimeOfDay(string(text))
	return err
}

// MarshalText writes the form that [ParseCivil] reads.
func (c Civil) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the form that [ParseCivil] reads.
func (c *Civil) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCivil(string(text))
	return err
}
