package schedule

import (
	"fmt"
	"strings"
	"time"
)

// A Cover says which data a digest is about.
type Cover int

const (
	// CoverShift: the shift that runs at the nominal time, so far, or else the
	// one that ended last. A team without shifts gets CoverDay.
	CoverShift Cover = iota
	// CoverDay: from midnight to the nominal time. At midnight itself, the day
	// that ends.
	CoverDay
	// CoverSinceLast: from the nominal time before, whether or not that one ran.
	CoverSinceLast
)

// ParseCover reads shift, day or since_last.
func ParseCover(s string) (Cover, error) {
	for c := CoverShift; c <= CoverSinceLast; c++ {
		if s == c.String() {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%q is not a window; write shift, day or since_last", s)
}

// String returns the form that ParseCover reads.
func (c Cover) String() string {
	switch c {
	case CoverDay:
		return "day"
	case CoverSinceLast:
		return "since_last"
	}
	return "shift"
}

// A Digest says when a team's digest is due, and what it covers. It is due
// either when a shift ends, or at times of its own.
type Digest struct {
	Rota    Rota
	Shift   string      // due when this shift of Rota ends; "" for Days and Times
	Days    Weekdays    // the days it is due on, less Rota's holidays
	Times   []TimeOfDay // the times it is due at
	Covers  Cover
	CatchUp time.Duration // how late a missed digest still runs; 0 for never
}

// Faults says what is wrong with d, apart from its Rota.
func (d Digest) Faults() []Fault {
	var faults []Fault
	own := d.Days&EveryDay != 0 || len(d.Times) > 0
	switch _, known := d.Rota.Shift(d.Shift); {
	case d.Shift == "" && !own:
		faults = append(faults, Fault{"shift", "neither a shift nor days and at are given; a digest is due at a shift's end, or at a time"})
	case d.Shift == "":
		faults = append(faults, Schedule{d.Rota.Zone, d.Days, d.Times, nil, 0}.Faults()...)
	case own:
		faults = append(faults, Fault{"shift", "both a shift and days or at are given; a digest is due at a shift's end, or at a time"})
	case !known:
		faults = append(faults, Fault{"shift", d.unknownShift()})
	}
	if d.CatchUp < 0 {
		faults = append(faults, Fault{"catch_up", "a digest cannot be due before its time; write 0s or more"})
	}
	return faults
}

func (d Digest) unknownShift() string {
	var names []string
	for _, s := range d.Rota.Shifts {
		names = append(names, s.Name)
	}
	if len(names) == 0 {
		return fmt.Sprintf("no shift is named %q; the team has none", d.Shift)
	}
	return fmt.Sprintf("no shift is named %q; the team has %s", d.Shift, strings.Join(names, ", "))
}

// Schedule returns when d is due.
func (d Digest) Schedule() Schedule {
	if d.Shift != "" {
		shift, _ := d.Rota.Shift(d.Shift)
		return d.Rota.Ends(shift)
	}
	return Schedule{Zone: d.Rota.Zone, Days: d.Days, Times: d.Times, Holidays: d.Rota.Holidays}
}

// Due returns the plan for d's occurrences after last and up to now; see
// [Schedule.Due].
func (d Digest) Due(last, now time.Time) (Plan, error) {
	return d.Schedule().Due(last, now, d.CatchUp)
}

// Window returns what the run of that nominal time covers, up to the instant it
// is due. It depends on nothing else, so a run that is late, or repeated after a
// crash, covers the same. A digest due at a shift's end, with CoverShift, covers
// that very shift. The error lists the faults of d's schedule.
func (d Digest) Window(nominal Civil) (Window, error) {
	s := d.Schedule()
	if err := s.check(); err != nil {
		return Window{}, err
	}
	var w Window
	switch at, _ := Resolve(nominal, s.Zone); d.Covers {
	case CoverSinceLast:
		w = newWindow(s.prev(at).Nominal, nominal, s.Zone)
	case CoverDay:
		w = dayUpTo(nominal, s.Zone)
	default:
		w = d.shiftAt(at, nominal)
	}
	w.Team = d.Rota.Team
	return w, nil
}

// dayUpTo returns the day that c ends or is in, up to c.
func dayUpTo(c Civil, zone *time.Location) Window {
	day := c.Date
	if c.Time == 0 {
		day--
	}
	for !day.Exists(zone) {
		day--
	}
	return newWindow(Civil{Date: day}, c, zone)
}

// shiftAt returns the shift that a digest due at that instant is about.
func (d Digest) shiftAt(at time.Time, nominal Civil) Window {
	if shift, ok := d.Rota.Shift(d.Shift); ok {
		return d.Rota.window(shift, d.Rota.Ends(shift).anchor(nominal))
	}
	// Just before: a shift that ends now is the one, and none that begins now.
	w, ok := Rotas{d.Rota}.At(at.Add(-1))
	if !ok {
		return dayUpTo(nominal, d.Rota.Zone)
	}
	if w.End.After(at) {
		w.End, w.To = at, nominal
	}
	return w
}
