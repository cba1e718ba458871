package bot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// A report is what a digest says of a team and a window.
type report struct {
	team   Team
	config *Config
	window schedule.Window
	now    time.Time
	all    stats.Summary
	agents []agentReport
	usual  stats.Baseline // the same window on the same weekday, of the last weeks
	worked time.Duration  // how much of the window is in shifts: the rest is not watched

	relink    int // agents who need to link again
	suspended int // agents whose account the dashboard denies, or who left
	noData    int // other agents of whom nothing is known
}

// An agentReport is one agent's part.
type agentReport struct {
	agent   Agent
	summary stats.Summary
}

// teamAgents returns the agents of a team, without those whose records cannot be
// read.
func (b *Bot) teamAgents(c *Config, team string) ([]Agent, error) {
	var list []Agent
	for a, err := range b.store.Agents() {
		if err != nil && a.ID != "" {
			b.log.Error("an agent is left out, because its record cannot be read", "agent", a.ID, "err", err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list the agents of %s: %w", team, err)
		}
		if slices.Contains(c.teamsOf(a), team) {
			list = append(list, a)
		}
	}
	return list, nil
}

// report gathers what a digest says. The window may still be open: then it is
// about the time until now, and the earlier ones it is compared with are cut to
// the same length.
func (b *Bot) report(ctx context.Context, c *Config, team Team, window schedule.Window, now time.Time) (report, error) {
	r := report{team: team, config: c, window: window, now: now}
	agents, err := b.teamAgents(c, team.Name)
	if err != nil {
		return r, err
	}
	from := b.past(c, team.Zone)
	defer from.close(ctx, "team", team.Name)
	span := schedule.Span{Start: window.Start, End: minTime(window.End, now)}
	r.worked = team.worked(span)
	each, err := from.each(ctx, agents, span)
	if err != nil {
		return r, err
	}
	var summaries []stats.Summary
	for i, a := range agents {
		one := each[i]
		if r.add(agentReport{a, one}) {
			summaries = append(summaries, one)
		}
	}
	r.all = c.Metrics.Combine(summaries)
	r.all.From, r.all.To = span.Start, span.End
	return r, r.compare(ctx, from, agents)
}

// add enters an agent, and reports whether they count in the totals: whoever must
// link again is said apart, and does not make the rest partial.
func (r *report) add(a agentReport) bool {
	r.agents = append(r.agents, a)
	known := a.summary.Polled > 0
	switch {
	case a.agent.State == LinkRelink:
		r.relink++
		return known
	case a.agent.State == LinkSuspended:
		r.suspended++
		return known
	case !known:
		r.noData++
	}
	return true
}

// weeks is how many of the same weekdays a digest is compared with.
const weeks = 4

// compare finds what is usual on the same weekday.
func (r *report) compare(ctx context.Context, from *past, agents []Agent) error {
	for week := 1; week <= weeks; week++ {
		var span schedule.Span
		span.Start, _ = schedule.Resolve(weeksBefore(r.window.From, week), r.team.Zone)
		span.End = minTime(weeksEnd(r.window.To, week, r.team.Zone), span.Start.Add(r.all.To.Sub(r.all.From)))
		summaries, err := from.each(ctx, agents, span)
		if err != nil {
			return err
		}
		all := stats.Baseline{r.config.Metrics.Combine(summaries)}
		r.usual = append(r.usual, all.Covered(r.team.MinCoverage*share(r.team.worked(span), span))...)
	}
	return nil
}

// worked returns how much of a span is in the team's shifts; all of it, if none
// of it is.
func (t Team) worked(span schedule.Span) time.Duration {
	var worked time.Duration
	for _, s := range (schedule.Rotas{t.Rota}).Union(span) {
		worked += s.Length()
	}
	if worked == 0 {
		return span.Length()
	}
	return worked
}

// share is the part of a span that a duration is.
func share(d time.Duration, span schedule.Span) float64 {
	if span.Empty() {
		return 1
	}
	return float64(d) / float64(span.Length())
}

// coverage is the share of what could be observed in the window that was: agents
// are watched in their shifts.
func (r report) coverage() float64 {
	return min(1, r.all.Coverage()/share(r.worked, schedule.Span{Start: r.all.From, End: r.all.To}))
}

func weeksEnd(to schedule.Civil, n int, zone *time.Location) time.Time {
	end, _ := schedule.Resolve(weeksBefore(to, n), zone)
	return end
}

func weeksBefore(c schedule.Civil, n int) schedule.Civil {
	c.Date -= schedule.Date(7 * n)
	return c
}
