package schedule

import (
	"slices"
	"time"
)

const (
	// OnTime is how late a run may be without being delayed: the length of the
	// hiccups a busy machine and a stepped clock have.
	OnTime = 5 * time.Minute

	// Backlog is how far back missed runs are looked for. Their records would be
	// older than any that are kept.
	Backlog = 90 * 24 * time.Hour
)

// A Reason says why an occurrence was skipped, in the form that is stored. The
// callers of this package have more of them.
type Reason string

// The reasons for which a schedule itself skips an occurrence.
const (
	Late        Reason = "late"         // missed for too long, or a newer one was missed too
	Coalesced   Reason = "coalesced"    // one run with an earlier nominal time
	MissingDate Reason = "no_such_date" // the zone skipped the date
)

// A Skip is an occurrence that does not run.
type Skip struct {
	Nominal Civil
	At      time.Time // when it would have run, UTC
	Reason  Reason
}

// A Plan is what to do about the occurrences of a time that has passed: run at
// most one, and record the others as skipped.
type Plan struct {
	Run     Occurrence // the one to run, if Ready
	Ready   bool
	Delayed bool   // Run is later than OnTime
	Skipped []Skip // in the order of their nominal times
}

// Due returns the plan for the occurrences after last and up to now. last is
// the instant of the last one that was recorded or, for a schedule that is new
// or was edited, the moment it began to count.
//
// Of several the newest runs, if it is younger than catchUp; a catchUp of 0 is
// the policy "skip", under which only runs that are not delayed run. It makes no
// difference why time passed: a wake-up of a loop, an outage, a pause and a step
// of the clock all come here. There is no backlog: one run at most, and nothing
// is looked for before now − Backlog.
//
// If a new time zone database moves instants, Due may return an occurrence that
// ran already; its nominal time says so. The error lists the faults of s.
func (s Schedule) Due(last, now time.Time, catchUp time.Duration) (Plan, error) {
	if err := s.check(); err != nil {
		return Plan{}, err
	}
	if oldest := now.Add(-Backlog); last.Before(oldest) {
		last = oldest
	}
	var p Plan
	for o := range s.groups(last) {
		if o.At.After(now) {
			break
		}
		p.add(o)
	}
	if age := now.Sub(p.Run.At); p.Ready && age > OnTime {
		p.Delayed = true
		if age >= catchUp {
			p.giveUp()
		}
	}
	slices.SortFunc(p.Skipped, func(a, b Skip) int { return a.Nominal.Compare(b.Nominal) })
	return p, nil
}

// add makes o, which is newer than all before, the one to run.
func (p *Plan) add(o Occurrence) {
	if o.Kind == NoSuchDate {
		p.Skipped = append(p.Skipped, Skip{o.Nominal, o.At, MissingDate})
		return
	}
	p.giveUp()
	p.Run, p.Ready = o, true
	for _, c := range o.Coalesced {
		p.Skipped = append(p.Skipped, Skip{c, o.At, Coalesced})
	}
}

// giveUp turns the one to run, if there is one, into one that was late.
func (p *Plan) giveUp() {
	if p.Ready {
		p.Skipped = append(p.Skipped, Skip{p.Run.Nominal, p.Run.At, Late})
	}
	p.Run, p.Ready, p.Delayed = Occurrence{}, false, false
}
