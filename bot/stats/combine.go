package stats

import (
	"maps"
	"time"
)

// Combine returns the summary of a team from its agents' summaries of one
// window: counts are added, averages weighted, hours added up. Calls per hour
// are those of an agent's hour. While an agent has no samples, the totals are
// those of the others, and so estimated.
func (d Dictionary) Combine(agents []Summary) Summary {
	team := d.add(agents)
	if len(agents) == 0 {
		return team
	}
	team.From, team.To = agents[0].From, agents[0].To
	for _, h := range agents[0].Hours {
		team.Hours = append(team.Hours, Hour{Start: h.Start})
	}
	for _, a := range agents {
		team.Agents += a.Agents
		team.Reporting += a.Reporting
		team.addHours(a.Hours)
	}
	if team.Reporting < team.Agents {
		team.estimate()
	}
	n := time.Duration(len(agents))
	team.Observed, team.length = team.Observed/n, team.length/n
	return team
}

// Join returns one summary of one agent's, or one team's, windows, which follow
// each other and do not overlap: the shifts of a week. Coverage is that of the
// windows, the time between them left out.
func (d Dictionary) Join(windows []Summary) Summary {
	all := d.add(windows)
	for i, w := range windows {
		if i == 0 {
			all.From = w.From
		}
		all.To = w.To
		all.Agents, all.Reporting = max(all.Agents, w.Agents), max(all.Reporting, w.Reporting)
		all.Hours = append(all.Hours, w.Hours...)
	}
	return all
}

// add adds up what summaries of any windows have in common.
func (d Dictionary) add(parts []Summary) Summary {
	sum := Summary{Totals: map[string]Number{}, Lacks: map[string]Lack{}, sums: map[string]float64{}, weights: map[string]float64{}}
	for _, part := range parts {
		sum.merge(part, d)
	}
	maps.DeleteFunc(sum.Lacks, func(name string, _ Lack) bool { return !sum.Totals[name].Known() })
	sum.derive()
	for _, m := range d {
		if m.Kind == Average {
			sum.average(m.Name)
		}
	}
	return sum
}

// merge adds one summary's counts.
func (s *Summary) merge(a Summary, d Dictionary) {
	length := a.length
	if length == 0 {
		length = a.To.Sub(a.From)
	}
	s.length += length
	s.Polled += a.Polled
	s.Observed += a.Observed
	s.Unseen = max(s.Unseen, a.Unseen)
	s.calls, s.rateTime = s.calls+a.calls, s.rateTime+a.rateTime
	if s.First.IsZero() || !a.First.IsZero() && a.First.Before(s.First) {
		s.First = a.First
	}
	s.Last, s.LastCall = later(s.Last, a.Last), later(s.LastCall, a.LastCall)
	s.mergeCounter(a, "answered")
	for _, m := range d {
		switch m.Kind {
		case Counter, Map:
			s.mergeCounter(a, m.Name)
		case Average:
			s.sums[m.Name] += a.sums[m.Name]
			s.weights[m.Name] += a.weights[m.Name]
		}
	}
}

// mergeCounter adds a total. Where one has none, all that happened is lacking.
func (s *Summary) mergeCounter(a Summary, name string) {
	total, lack := plus(s.Totals[name], a.Totals[name]), a.Lacks[name]
	if !a.Totals[name].Known() {
		lack.Time = a.Unseen
	}
	if total.Known() {
		s.Totals[name] = total
	}
	s.Lacks[name] = Lack{s.Lacks[name].Count + lack.Count, s.Lacks[name].Time + lack.Time}
}

// addHours adds hours of the same window.
func (s *Summary) addHours(hours []Hour) {
	for i, a := range hours {
		if i < len(s.Hours) && s.Hours[i].Start.Equal(a.Start) {
			h := &s.Hours[i]
			h.Offered, h.Missed = plus(h.Offered, a.Offered), plus(h.Missed, a.Missed)
			h.Observed += a.Observed
		}
	}
}

// estimate makes all that is known estimated.
func (s *Summary) estimate() {
	for name, n := range s.Totals {
		s.Totals[name] = Number{n.Value, min(n.Quality, Estimated)}
	}
	for i := range s.Hours {
		h := &s.Hours[i]
		h.Offered.Quality, h.Missed.Quality = min(h.Offered.Quality, Estimated), min(h.Missed.Quality, Estimated)
	}
}

// plus adds two numbers; a missing one adds nothing.
func plus(a, b Number) Number {
	switch {
	case !a.Known():
		return b
	case !b.Known():
		return a
	}
	return Number{a.Value + b.Value, min(a.Quality, b.Quality)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
