package alert

import (
	"strconv"
	"time"
)

// Fixed times of the state machine.
const (
	AbsentPolls = 3              // good rounds without a subject until it is missing; also the warm-up
	StalePolls  = 3              // polls after which the newest answer is stale
	MaxHold     = 24 * time.Hour // no state is held longer without data
	maxAhead    = 2              // polls that a sample's time may lie ahead, and an interval may count
	defaultPoll = time.Minute
)

// Step moves the state of the rule for one subject by one sample. The same
// arguments give the same result, so a step may run twice. Step does not
// allocate unless an episode begins.
func (r *Rule) Step(s State, x Sample) (State, Change) {
	x = x.normal()
	if s.Phase != Inactive {
		switch {
		case !r.Enabled:
			return s.end(x, RuleDisabled)
		case s.Revision != r.revision:
			return s.end(x, RuleChanged)
		case s.Edition != r.edition:
			return r.reconsider(s, x)
		}
	}
	inOrder := x.inOrder(s)
	if inOrder {
		s.note(x)
	}
	if reason := s.givesUp(x, inOrder); reason != "" {
		return s.end(x, reason)
	}
	if !inOrder || x.Data != Fresh || !r.Enabled {
		return s, Change{}
	}
	if x.Reset && !x.Breach && s.Phase != Inactive {
		s.Last = x.Point
		return s.end(x, CounterReset)
	}
	return r.advance(s, x)
}

// End ends what a rule started for a subject, for reasons outside the rule:
// RuleDeleted, or RuleChanged when the rule no longer covers the subject.
func End(s State, at time.Time, reason Reason) (State, Change) {
	if s.Phase == Inactive {
		return s, Change{}
	}
	return s.end(Sample{Round: Round{Now: at}}, reason)
}

// normal fills the defaults, strips what a restart would strip, and finds stale
// what is too old by its own time.
func (x Sample) normal() Sample {
	x.At = x.At.UTC().Round(0)
	if x.Round.Now.IsZero() {
		x.Round.Now = x.At
	}
	x.Round.Now = x.Round.Now.UTC().Round(0)
	if x.Round.Poll <= 0 {
		x.Round.Poll = defaultPoll
	}
	if x.Data != Fresh {
		return x
	}
	switch {
	case x.Round.Now.Sub(x.At) > StalePolls*x.Round.Poll:
		x.Data = Stale
	case !finite(x.Value):
		x.Data = NoData
	}
	return x
}

// inOrder reports whether x is newer than what was seen and not from the
// future. A state from the future means that the clock was set back: it does
// not hold up the samples of the right time.
func (x Sample) inOrder(s State) bool {
	horizon := x.Round.Now.Add(maxAhead * x.Round.Poll)
	return !x.At.After(horizon) && (x.At.After(s.Seen) || s.Seen.After(horizon))
}

// note keeps what a sample in order says beside its value.
func (s *State) note(x Sample) {
	s.Seen, s.Data = x.At, x.Data
	switch {
	case s.Phase == Inactive || x.Data == Fresh:
		s.Absent = 0
	case x.Data == Absent:
		s.Absent++
	}
}

// givesUp returns why a state that is not inactive is held no longer, or "".
//
// In the warm-up nothing ends for lack of data, because nobody has looked yet;
// but a fresh sample that shows a gap proves it.
func (s State) givesUp(x Sample, inOrder bool) Reason {
	fresh := inOrder && x.Data == Fresh
	if s.Phase == Inactive || x.Round.Warm && !fresh {
		return ""
	}
	if s.Absent >= AbsentPolls {
		return Missing
	}
	shift, age := x.Round.Shift, x.Round.Now.Sub(s.Last.At)
	switch {
	case age > MaxHold,
		s.Last.At.Before(shift.Start) && age > StalePolls*x.Round.Poll, // else one shift follows on another
		!fresh && !shift.End.IsZero() && x.Round.Now.After(shift.End):
		return ExpiredNoData
	}
	return ""
}

// reconsider applies a rule whose times or texts were edited. A shorter or
// longer for counts from the credit there is, and the episode is kept.
func (r *Rule) reconsider(s State, x Sample) (State, Change) {
	from := s.Phase
	s.Edition = r.edition
	if s.Phase == Firing && s.Credit < r.For {
		s.Phase, s.Reason = Pending, RuleEdited
	}
	return s, s.change(x, from, RuleEdited)
}

// advance judges a fresh sample that is in order.
func (r *Rule) advance(s State, x Sample) (State, Change) {
	last := s.Last
	s.Last = x.Point
	switch s.Phase {
	case Inactive:
		return r.enter(s, x)
	case Pending:
		if !x.Breach {
			return s.end(x, Cleared)
		}
		if last.Breach { // it need not, when rule_edited led here
			s.Credit += x.since(last)
		}
		if s.Credit >= r.For {
			return r.fire(s, x, Held)
		}
	case Firing:
		if x.Clear && !x.Breach {
			return r.recover(s, x)
		}
		if last.Breach && x.Breach {
			s.Credit += x.since(last)
		}
	case Recovering:
		if !x.Clear || x.Breach {
			s.Credit = r.For // proven when it fired
			return s.move(x, Firing, Relapsed)
		}
		s.Credit += x.since(last) // the last one was clear too, or this is not recovering
		if s.Credit >= r.KeepFiringFor {
			return s.end(x, Recovered)
		}
	}
	return s, Change{}
}

// enter judges a sample of an inactive rule. A counter that has just started
// again proves nothing: the rule waits for a second sample.
func (r *Rule) enter(s State, x Sample) (State, Change) {
	if !x.Breach || x.Reset {
		return s, Change{}
	}
	s.Credit, s.Revision, s.Edition = 0, r.revision, r.edition
	if r.For == 0 {
		return r.fire(s, x, Breached)
	}
	return s.move(x, Pending, Breached)
}

// fire moves to firing. A kept episode goes on; else one begins.
func (r *Rule) fire(s State, x Sample, reason Reason) (State, Change) {
	began := s.Episode == ""
	if began {
		s.Episodes++
		s.Episode = hash(16, r.Name, r.revision, x.Subject, strconv.FormatInt(x.At.UnixNano(), 10), strconv.Itoa(s.Episodes))
	}
	s, c := s.move(x, Firing, reason)
	c.Fire = began
	return s, c
}

// recover moves from firing towards inactive.
func (r *Rule) recover(s State, x Sample) (State, Change) {
	if r.KeepFiringFor == 0 {
		return s.end(x, Recovered)
	}
	s.Credit = 0
	return s.move(x, Recovering, Clearing)
}

// since returns how much of the time since the last judged sample counts.
func (x Sample) since(last Point) time.Duration {
	return min(max(x.At.Sub(last.At), 0), maxAhead*x.Round.Poll)
}

// move changes the phase and reports it.
func (s State) move(x Sample, to Phase, reason Reason) (State, Change) {
	from := s.Phase
	s.Phase, s.Reason = to, reason
	return s, s.change(x, from, reason)
}

// end makes the state inactive and ends its episode, if there is one.
func (s State) end(x Sample, reason Reason) (State, Change) {
	from := s.Phase
	out := State{Reason: reason, Episodes: s.Episodes, Data: s.Data, Seen: s.Seen, Last: s.Last}
	c := s.change(x, from, reason)
	c.To, c.Resolve = Inactive, s.Episode != ""
	return out, c
}

func (s State) change(x Sample, from Phase, reason Reason) Change {
	return Change{From: from, To: s.Phase, Reason: reason, At: x.Round.Now, Episode: s.Episode, Value: s.Last.Value}
}
