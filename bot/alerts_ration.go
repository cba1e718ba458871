package bot

import (
	"slices"
	"time"

	"floorwalker/bot/alert"
)

// Each team is told of an agent by a rule twice in a shift of its own, whatever
// other teams the agent works for: one team's supervisors must not go without
// because another team's have heard enough, nor hear twice as much because the
// agent's other shift begins.

// told reports whether a team is told of an episode.
func (e *episode) told(team string) bool {
	return !slices.Contains(e.Held, team) && !slices.Contains(e.Spent, team)
}

// tells reports whether a bulletin tells of an episode for a team's sake.
func (b *bulletin) tells(o openEpisode, team string) bool {
	return slices.ContainsFunc(b.Members, func(m member) bool { return m.Episode == o.id() && m.Team == team })
}

// heard reports whether anybody of these teams has a message that tells of an
// episode, or will have.
func (d *desk) heard(o openEpisode, teams ...string) bool {
	return slices.ContainsFunc(d.bulletinsOf(o.episode), func(b *bulletin) bool {
		return slices.ContainsFunc(teams, func(team string) bool { return b.tells(o, team) })
	})
}

// ration decides whether a team is told of an episode, in whose shift that began
// then. Only what is about an agent has a budget.
func (d *desk) ration(o openEpisode, team string, shift time.Time, silenced bool) {
	outcome := alert.Tell
	switch {
	case o.isAgent():
		if o.state.Budgets == nil {
			o.state.Budgets = map[string]alert.Budget{}
		}
		o.state.Budgets[team], outcome = o.state.Budgets[team].First(shift, silenced)
	case silenced:
		outcome = alert.Silenced
	}
	switch outcome {
	case alert.Silenced:
		o.Held = append(o.Held, team)
	case alert.OverBudget:
		o.Spent = append(o.Spent, team)
	}
	d.sum(o)
}

// hold keeps an episode from a team for as long as a silence holds. If nobody of
// the team has heard of it, its first fire costs nothing.
func (d *desk) hold(o openEpisode, team string) {
	o.Held = append(o.Held, team)
	if b, ok := o.state.Budgets[team]; ok && !d.heard(o, team) {
		o.state.Budgets[team] = b.Back()
	}
	d.sum(o)
	d.touch(o.subject)
}

// sum sums the teams up: told, if anybody was; else silenced, if that kept it
// from any.
func (d *desk) sum(o openEpisode) {
	switch {
	case slices.ContainsFunc(o.teams(), o.told), d.heard(o, o.teams()...):
		o.Outcome = alert.Tell
	case len(o.Held) > 0:
		o.Outcome = alert.Silenced
	default:
		o.Outcome = alert.OverBudget
	}
}
