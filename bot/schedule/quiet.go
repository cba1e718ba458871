package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// QuietHours is a daily window in which somebody wants no notices. If End is not
// after Start, it ends on the next date; it belongs to the day it starts on. The
// zero QuietHours are never quiet.
//
// They have no zone of their own: they are read in that of the person they
// belong to.
type QuietHours struct {
	Start TimeOfDay `json:"start"`
	End   TimeOfDay `json:"end"`
	Days  Weekdays  `json:"days"` // the days they start on
}

// ParseQuietHours reads 22:00-07:00, which is every day, or 22:00-07:00 followed
// by the days it starts on: "22:00-07:00 mon-fri". The error is a sentence about
// what is wrong.
func ParseQuietHours(text string) (QuietHours, error) {
	plain := strings.NewReplacer("–", "-", " - ", "-", " – ", "-").Replace(strings.TrimSpace(text))
	hours, days, _ := strings.Cut(plain, " ")
	from, to, ok := strings.Cut(hours, "-")
	if !ok {
		return QuietHours{}, fmt.Errorf("%q are not quiet hours; write them as 22:00-07:00, with days after them if not every day", text)
	}
	q := QuietHours{Days: EveryDay}
	var err error
	if q.Start, err = ParseTimeOfDay(from); err != nil {
		return QuietHours{}, err
	}
	if q.End, err = ParseTimeOfDay(to); err != nil {
		return QuietHours{}, err
	}
	if strings.TrimSpace(days) != "" {
		if q.Days, err = ParseWeekdays(days); err != nil {
			return QuietHours{}, err
		}
	}
	if faults := q.Faults(); len(faults) > 0 {
		return QuietHours{}, errors.New(faults[0].Reason)
	}
	return q, nil
}

// Faults says what is wrong with q. Hours around the clock are: nothing but what
// is critical would ever arrive.
func (q QuietHours) Faults() []Fault {
	var faults []Fault
	if q.Start == q.End {
		faults = append(faults, Fault{"end", "quiet hours cannot end at the time they start"})
	}
	if q.Days&EveryDay == 0 {
		faults = append(faults, Fault{"days", "no day is given; write " + dayNames})
	}
	return faults
}

// String returns q as 22:00–07:00, followed by the days if they are not all.
// ParseQuietHours reads it.
func (q QuietHours) String() string {
	s := q.Start.String() + "–" + q.End.String()
	if q.Days&EveryDay != EveryDay {
		s += " " + q.Days.String()
	}
	return s
}

// Until reports whether it is quiet at t in zone, and if so until when: at the
// returned instant, in UTC, it is not.
//
// The window is made of instants. Clocks that go back within it do not interrupt
// it, and clocks that jump over its end do not prolong it.
func (q QuietHours) Until(t time.Time, zone *time.Location) (end time.Time, quiet bool) {
	end = t
	for d := DateOf(t, zone) - 1; d <= DateOf(t, zone)+1; d++ {
		// That d exists is not asked: after a skipped date, people sleep on.
		if !q.Days.Has(d.Weekday()) {
			continue
		}
		w := newWindow(Civil{d, q.Start}, Civil{d + Date(nights(q.Start, q.End)), q.End}, zone)
		if w.Contains(end) {
			end, quiet = w.End, true
		}
	}
	return end, quiet
}

// NextTimeOfDay returns when it is next that time of day in zone, strictly after
// t: what "until 08:00" means.
func NextTimeOfDay(t time.Time, at TimeOfDay, zone *time.Location) Occurrence {
	return Schedule{Zone: zone, Days: EveryDay, Times: []TimeOfDay{at}}.next(t)
}
