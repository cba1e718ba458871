package schedule

import (
	"fmt"
	"strings"
	"time"
)

// Describe returns the run as people read it in zone, which is that of its
// schedule, with what the clocks do to it:
//
//	Mon 9 Mar 02:30 EDT
//	Sun 8 Mar 03:00 EDT (02:30 does not exist)
//	Sun 1 Nov 01:30 EDT (the first of two)
func (o Occurrence) Describe(zone *time.Location) string {
	var remarks []string
	switch o.Kind {
	case Gap:
		remarks = append(remarks, o.nominalAt(zone)+" does not exist")
	case Overlap:
		remarks = append(remarks, "the first of two")
	case NoSuchDate:
		remarks = append(remarks, o.Nominal.Date.String()+" does not exist")
	}
	if len(o.Coalesced) > 0 {
		var others []string
		for _, c := range o.Coalesced {
			others = append(others, c.Time.String())
		}
		remarks = append(remarks, "one run with "+strings.Join(others, " and "))
	}
	s := o.At.In(zone).Format("Mon 2 Jan 15:04 MST")
	if len(remarks) > 0 {
		s += " (" + strings.Join(remarks, "; ") + ")"
	}
	return s
}

// nominalAt returns the nominal time of day, after its date if the run is on
// another one.
func (o Occurrence) nominalAt(zone *time.Location) string {
	if o.Nominal.Date == DateOf(o.At, zone) {
		return o.Nominal.Time.String()
	}
	return o.Nominal.utc().Format("Mon 2 Jan ") + o.Nominal.Time.String()
}

// OddDates returns a warning for each run in the year after t that the clocks
// move, double or merge with another:
//
//	02:30 does not exist on 2027-03-14; it will run at 03:00
//	01:30 happens twice on 2026-11-01; it will run the first time
//
// A schedule with faults has none.
func (s Schedule) OddDates(t time.Time) []string {
	if s.check() != nil {
		return nil
	}
	var warnings []string
	end := t.UTC().AddDate(1, 0, 0)
	for o := range s.groups(t) {
		if o.At.After(end) {
			break
		}
		if o.Kind != Plain {
			warnings = append(warnings, o.warning(s.Zone))
		}
		for _, c := range o.Coalesced {
			warnings = append(warnings, fmt.Sprintf("%s on %s is one run with %s", c.Time, c.Date, o.Nominal.Time))
		}
	}
	return warnings
}

// warning says in the future tense what is odd about o.
func (o Occurrence) warning(zone *time.Location) string {
	n := o.Nominal
	switch o.Kind {
	case Overlap:
		return fmt.Sprintf("%s happens twice on %s; it will run the first time", n.Time, n.Date)
	case Gap:
		s := fmt.Sprintf("%s does not exist on %s; it will run at %s", n.Time, n.Date, o.At.In(zone).Format("15:04"))
		if d := DateOf(o.At, zone); d != n.Date {
			s += " on " + d.String()
		}
		return s
	}
	return fmt.Sprintf("%s does not exist in %s; %s will not run", n.Date, zone, n.Time)
}
