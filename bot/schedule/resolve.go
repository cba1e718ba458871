package schedule

import "time"

// Kind says how a civil time stands to the clocks of its zone.
type Kind int

const (
	// Plain: the time exists once.
	Plain Kind = iota
	// Overlap: the clocks go back over the time, so it exists twice. It runs the
	// first time.
	Overlap
	// Gap: the clocks jump over the time, so it does not exist. It runs at the
	// first instant after the jump.
	Gap
	// NoSuchDate: the zone skipped the whole date. It does not run.
	NoSuchDate
)

// String returns the kind in the form that is stored: plain, overlap, gap,
// no_such_date.
func (k Kind) String() string {
	switch k {
	case Overlap:
		return "overlap"
	case Gap:
		return "gap"
	case NoSuchDate:
		return "no_such_date"
	}
	return "plain"
}

// reach covers the widest offsets from UTC, and a jump of a whole day with them.
const reach = 26 * 60 * 60

// Resolve returns the instant, in UTC, at which c runs in zone, and whether c
// exists there once, twice or not at all (Plain, Overlap, Gap).
//
// Resolve never decreases: a later civil time does not run earlier. It knows
// nothing of dates that do not exist: there, every time is in one gap of a day.
// See [Date.Exists].
func Resolve(c Civil, zone *time.Location) (time.Time, Kind) {
	wall := c.unix()
	found, earliest, jump := 0, int64(never), int64(never)
	for start := int64(-never); start <= wall+reach; {
		offset, end := offsetAt(max(start, wall-reach), zone)
		switch at := wall - offset; { // when this offset makes the clocks read c
		case at >= end: // it ends before they do
		case at >= start:
			found++
			earliest = min(earliest, at)
		default: // it starts with the clocks past c
			jump = min(jump, start)
		}
		start = end
	}
	switch found {
	case 0:
		return time.Unix(jump, 0).UTC(), Gap
	case 1:
		return time.Unix(earliest, 0).UTC(), Plain
	}
	return time.Unix(earliest, 0).UTC(), Overlap
}

// never is later than every instant that matters.
const never = 1 << 62

// offsetAt returns the offset from UTC in force in zone at an instant, and a
// later instant until which it stays. All are in seconds, instants since 1970.
// The offset may stay longer: not every bound is a change.
func offsetAt(unix int64, zone *time.Location) (offset, until int64) {
	t := time.Unix(unix, 0).In(zone)
	_, seconds := t.Zone()
	_, end := t.ZoneBounds()
	offset, until = int64(seconds), end.Unix()
	switch {
	case end.IsZero(): // for good
		until = never
	case until <= unix:
		// In a leap year, ZoneBounds may take the last day for the next year's
		// (golang/go#81583), and return its beginning. Walking by it would not end.
		// Nothing changes on that day.
		until = (unix/secondsPerDay + 1) * secondsPerDay
	}
	return offset, until
}

// Exists reports whether calendars in zone ever showed d. Zones that crossed the
// date line skipped one.
func (d Date) Exists(zone *time.Location) bool {
	start, _ := Resolve(Civil{Date: d}, zone)
	end, _ := Resolve(Civil{Date: d + 1}, zone)
	return start.Before(end)
}
