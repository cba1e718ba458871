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

// ration decides whether a team is told of an episode, in whose shift that began
// then. Only what is about an agent has a budget.
func (o openEpisode) ration(team string, shift time.Time, silenced bool) {
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
	o.sum()
}

// hold keeps an episode from a team for as long as a silence holds, which makes
// its first fire cost nothing.
func (o openEpisode) hold(team string) {
	o.Held = append(o.Held, team)
	if b, ok := o.state.Budgets[team]; ok {
		o.state.Budgets[team] = b.Back()
	}
}

// sum sums the teams up: told, if any was; else silenced, if that kept it from
// any.
func (o openEpisode) sum() {
	switch {
	case slices.ContainsFunc(o.teams(), o.told):
		o.Outcome = alert.Tell
	case len(o.Held) > 0:
		o.Outcome = alert.Silenced
	default:
		o.Outcome = alert.OverBudget
	}
}
