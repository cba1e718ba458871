package schedule

import (
	"slices"
	"time"
)

// A Shift is a daily stretch of work. If End is not after Start, it ends on the
// next date; if they are equal, it lasts 24 hours. Either way it belongs to the
// day it starts on.
type Shift struct {
	Name       string
	Days       Weekdays // the days it starts on
	Start, End TimeOfDay
}

// Faults says what is wrong with s.
func (s Shift) Faults() []Fault {
	var faults []Fault
	if s.Name == "" {
		faults = append(faults, Fault{"name", "the shift has no name"})
	}
	if s.Days&EveryDay == 0 {
		faults = append(faults, Fault{"days", "no day is given; write " + dayNames})
	}
	return faults
}

// nights returns how many midnights lie between start and end of a daily window.
func nights(start, end TimeOfDay) int {
	if end > start {
		return 0
	}
	return 1
}

// A Rota is what one team works: shifts, which may overlap, in one zone. A shift
// that would start on a holiday or on a date that does not exist does not take
// place; one that started the day before runs to its end.
type Rota struct {
	Team     string
	Zone     *time.Location
	Shifts   []Shift
	Holidays []Date
}

// Shift returns the shift of that name.
func (r Rota) Shift(name string) (Shift, bool) {
	for _, s := range r.Shifts {
		if s.Name == name {
			return s, true
		}
	}
	return Shift{}, false
}

// Ends returns the schedule on which s ends.
func (r Rota) Ends(s Shift) Schedule {
	return Schedule{Zone: r.Zone, Days: s.Days, Times: []TimeOfDay{s.End}, Holidays: r.Holidays,
		DaysAfter: nights(s.Start, s.End)}
}

// window returns s as it is worked from date d on, whether or not it takes place.
func (r Rota) window(s Shift, d Date) Window {
	w := newWindow(Civil{d, s.Start}, Civil{d + Date(nights(s.Start, s.End)), s.End}, r.Zone)
	w.Team, w.Shift = r.Team, s.Name
	return w
}

// takesPlace reports whether s is worked from date d on.
func (r Rota) takesPlace(s Shift, d Date) bool {
	return s.Days.Has(d.Weekday()) && !slices.Contains(r.Holidays, d) && d.Exists(r.Zone)
}

// Occurrences returns the shifts that are worked at some time in s, whole, in
// the order they start. A shift that falls into a gap altogether is not among
// them.
func (r Rota) Occurrences(s Span) []Window {
	var all []Window
	first, last := DateOf(s.Start, r.Zone)-1, DateOf(s.End, r.Zone)
	for d := first; d <= last; d++ {
		for _, shift := range r.Shifts {
			w := r.window(shift, d)
			if w.overlaps(s) && r.takesPlace(shift, d) {
				all = append(all, w)
			}
		}
	}
	sortByStart(all)
	return all
}

func sortByStart(w []Window) {
	slices.SortStableFunc(w, func(a, b Window) int { return a.Start.Compare(b.Start) })
}

// LastEnded returns the shift that ended last, at t or before. There is none
// only if the rota has no shifts.
func (r Rota) LastEnded(t time.Time) (Window, bool) {
	var last Window
	found := false
	for _, shift := range r.Shifts {
		if w, ok := r.lastEnded(shift, t); ok && (!found || w.End.After(last.End)) {
			last, found = w, true
		}
	}
	return last, found
}

func (r Rota) lastEnded(s Shift, t time.Time) (Window, bool) {
	ends := r.Ends(s)
	for t = t.Add(1); ; { // an end at t itself counts
		o, err := ends.Prev(t)
		if err != nil { // a shift without days
			return Window{}, false
		}
		if w := r.window(s, ends.anchor(o.Nominal)); !w.Empty() {
			return w, true
		}
		t = o.At
	}
}

// Rotas are the rotas of all the teams somebody is in, or just one. They work
// when any of them does.
type Rotas []Rota

// Current returns the shifts that run at t, in the order they began.
func (rs Rotas) Current(t time.Time) []Window {
	var now []Window
	for _, r := range rs {
		now = append(now, r.Occurrences(Span{t, t.Add(1)})...)
	}
	sortByStart(now)
	return now
}

// At returns the shift people mean at t: of those that run, the one that began
// last; if none runs, the one that ended last. There is none only if there are
// no shifts.
func (rs Rotas) At(t time.Time) (w Window, ok bool) {
	if now := rs.Current(t); len(now) > 0 {
		return now[len(now)-1], true
	}
	var last Window
	for _, r := range rs {
		if w, found := r.LastEnded(t); found && (!ok || w.End.After(last.End)) {
			last, ok = w, true
		}
	}
	return last, ok
}

// Union returns the parts of s in which anybody works, in order and apart from
// each other.
func (rs Rotas) Union(s Span) []Span {
	var parts []Span
	for _, r := range rs {
		for _, w := range r.Occurrences(s) {
			parts = append(parts, w.clip(s))
		}
	}
	return merge(parts)
}
