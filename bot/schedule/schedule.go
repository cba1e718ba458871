package schedule

import (
	"errors"
	"iter"
	"slices"
	"time"
)

// A Schedule is a set of times of day on days of the week, in one zone. Nothing
// more: a time that is due every week, and not on holidays.
type Schedule struct {
	Zone     *time.Location
	Days     Weekdays
	Times    []TimeOfDay // in any order; doubles count once
	Holidays []Date      // dates that have no run, whatever Days says

	// DaysAfter moves the run to the next date (1) while Days and Holidays speak
	// of the date before: the end of a night shift belongs to the evening it
	// began. Usually 0.
	DaysAfter int
}

// An Occurrence is one run of a schedule.
type Occurrence struct {
	Nominal   Civil     // what the schedule says: no zone, no instant; identifies the run
	At        time.Time // when it runs, UTC
	Kind      Kind      // how Nominal stands to the clocks
	Coalesced []Civil   // later nominal times that land on At and are one run with this
}

// Faults says what is wrong with s as a whole. A schedule without faults has a
// next run at any time.
func (s Schedule) Faults() []Fault {
	var faults []Fault
	if s.Zone == nil {
		faults = append(faults, Fault{"timezone", "no time zone is given"})
	}
	if s.Days&EveryDay == 0 {
		faults = append(faults, Fault{"days", "no day is given; write " + dayNames})
	}
	if len(s.Times) == 0 {
		faults = append(faults, Fault{"at", "no time of day is given; write one, such as \"13:00\""})
	}
	return faults
}

// check returns the faults as one error. The loops below rely on it: without a
// day or a time they would not end.
func (s Schedule) check() error {
	if s.Zone != nil && s.Days&EveryDay != 0 && len(s.Times) > 0 {
		return nil // the common case allocates nothing
	}
	var all []error
	for _, f := range s.Faults() {
		all = append(all, f)
	}
	return errors.Join(all...)
}

// Next returns the first run strictly after t. The error lists the faults of s;
// without them there is always a next run.
func (s Schedule) Next(t time.Time) (Occurrence, error) {
	if err := s.check(); err != nil {
		return Occurrence{}, err
	}
	return s.next(t), nil
}

// next is Next for a schedule without faults.
func (s Schedule) next(t time.Time) Occurrence {
	for o := range s.runs(t) {
		return o
	}
	return Occurrence{} // not reached: runs has no end
}

// Prev returns the last run strictly before t. The error lists the faults of s.
func (s Schedule) Prev(t time.Time) (Occurrence, error) {
	if err := s.check(); err != nil {
		return Occurrence{}, err
	}
	return s.prev(t), nil
}

// prev is Prev for a schedule without faults.
func (s Schedule) prev(t time.Time) Occurrence {
	// Clocks that went back may have shown the date after t's already.
	for c := s.before(Civil{Date: DateOf(t, s.Zone) + 2}); ; c = s.before(c) {
		if o := s.occurrence(c); o.At.Before(t) && o.Kind != NoSuchDate {
			return s.next(o.At.Add(-1)) // the whole run: c may be coalesced in it
		}
	}
}

// Between yields the runs after from and up to and including to, in order. A
// schedule with faults has none.
func (s Schedule) Between(from, to time.Time) iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		if s.check() != nil {
			return
		}
		for o := range s.runs(from) {
			if o.At.After(to) || !yield(o) {
				return
			}
		}
	}
}

// Upcoming returns the next n runs after t. A schedule with faults has none.
func (s Schedule) Upcoming(t time.Time, n int) []Occurrence {
	var next []Occurrence
	if n < 1 || s.check() != nil {
		return nil
	}
	for o := range s.runs(t) {
		if next = append(next, o); len(next) == n {
			break
		}
	}
	return next
}

// runs yields the runs after t without end, in order.
func (s Schedule) runs(t time.Time) iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		for o := range s.groups(t) {
			if o.Kind != NoSuchDate && !yield(o) {
				return
			}
		}
	}
}

// groups yields the runs after t, and between them an occurrence of kind
// NoSuchDate for each nominal time that has none, without end and in order.
func (s Schedule) groups(t time.Time) iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		// A run in a gap may land on the date after its own, but no nominal time up
		// to what the clocks read now is still to come: Resolve never decreases.
		c := s.after(CivilOf(t, s.Zone))
		for o := s.occurrence(c); ; {
			next := s.occurrence(s.after(c))
			for o.Kind == Gap && next.Kind != NoSuchDate && next.At.Equal(o.At) {
				o.Coalesced = append(o.Coalesced, next.Nominal)
				next = s.occurrence(s.after(next.Nominal))
			}
			if o.At.After(t) && !yield(o) {
				return
			}
			o, c = next, next.Nominal
		}
	}
}

// occurrence resolves one nominal time of s, by itself.
func (s Schedule) occurrence(c Civil) Occurrence {
	o := Occurrence{Nominal: c}
	o.At, o.Kind = Resolve(c, s.Zone)
	// A time that exists proves that its date does.
	if (o.Kind == Gap || s.DaysAfter != 0) && !s.anchor(c).Exists(s.Zone) {
		o.Kind = NoSuchDate
	}
	return o
}

// anchor returns the date that Days and Holidays speak of.
func (s Schedule) anchor(c Civil) Date { return c.Date - Date(s.DaysAfter) }

// after returns the first nominal time after c. It ends because some day is on
// and holidays are finitely many.
func (s Schedule) after(c Civil) Civil {
	if s.on(s.anchor(c)) {
		if t, ok := s.timeAfter(c.Time); ok {
			return Civil{c.Date, t}
		}
	}
	c.Date++
	for !s.on(s.anchor(c)) {
		c.Date++
	}
	return Civil{c.Date, slices.Min(s.Times)}
}

// before returns the last nominal time before c.
func (s Schedule) before(c Civil) Civil {
	if s.on(s.anchor(c)) {
		if t, ok := s.timeBefore(c.Time); ok {
			return Civil{c.Date, t}
		}
	}
	c.Date--
	for !s.on(s.anchor(c)) {
		c.Date--
	}
	return Civil{c.Date, slices.Max(s.Times)}
}

// on reports whether the schedule is on on d.
func (s Schedule) on(d Date) bool {
	return s.Days.Has(d.Weekday()) && !slices.Contains(s.Holidays, d)
}

// timeAfter returns the earliest of the times after t.
func (s Schedule) timeAfter(t TimeOfDay) (first TimeOfDay, ok bool) {
	for _, u := range s.Times {
		if u > t && (!ok || u < first) {
			first, ok = u, true
		}
	}
	return first, ok
}

// timeBefore returns the latest of the times before t.
func (s Schedule) timeBefore(t TimeOfDay) (last TimeOfDay, ok bool) {
	for _, u := range s.Times {
		if u < t && (!ok || u > last) {
			last, ok = u, true
		}
	}
	return last, ok
}
