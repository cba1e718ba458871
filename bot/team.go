package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// teamTable answers /floor team [name]: the floor now, worst first.
func (b *Bot) teamTable(ctx context.Context, r *request) (chat.Reply, error) {
	team, err := r.supervisedTeam()
	if err != nil {
		return chat.Reply{}, err
	}
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	now := time.Now()
	window, ok := schedule.Rotas{team.Rota}.At(now)
	if !ok {
		window = schedule.Window{Span: schedule.Span{Start: now.Add(-time.Hour), End: now}, Zone: team.Zone,
			From: schedule.CivilOf(now.Add(-time.Hour), team.Zone), To: schedule.CivilOf(now, team.Zone)}
	}
	rep, err := b.report(ctx, r.config, team, window, now)
	if err != nil {
		return chat.Reply{}, err
	}
	return chat.Show(rep.table(r, now)), nil
}

// supervisedTeam takes a team's name from the words, or the one team that the
// person supervises.
func (r *request) supervisedTeam() (Team, error) {
	mine := r.config.supervises(r.From)
	if r.config.isAdmin(r.From) {
		mine = nil
		for _, t := range r.config.Teams {
			mine = append(mine, t.Name)
		}
	}
	if len(mine) == 0 {
		return Team{}, &problem{text: "No team is configured yet.", next: chat.T("An administrator adds them under teams in the configuration.")}
	}
	if len(r.args) == 0 && len(mine) > 1 {
		return Team{}, &problem{text: "Which team?", next: chat.T("You can see " + strings.Join(mine, ", ") + ".")}
	}
	i := 0
	if len(r.args) > 0 {
		i = r.name(mine)
	}
	if i < 0 {
		return Team{}, r.unknownTeam(mine)
	}
	team, _ := r.config.team(mine[i])
	return team, nil
}

// name takes the longest beginning of the words that is one of the names, in
// large letters or small, and returns which, -1 if none is: a name may have
// several words, and people type it without quotation marks.
func (r *request) name(names []string) int {
	for n := len(r.args); n > 0; n-- {
		typed := strings.Join(r.args[:n], " ")
		if i := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, typed) }); i >= 0 {
			r.args = r.args[n:]
			return i
		}
	}
	return -1
}

// wholeName is name for all of the words.
func (r *request) wholeName(names []string) int {
	before := r.args
	i := r.name(names)
	if len(r.args) > 0 {
		i, r.args = -1, before
	}
	return i
}

// unknownTeam says that the words name no team that the person may see.
func (r *request) unknownTeam(mine []string) error {
	typed := strings.Join(r.args, " ")
	p := &problem{text: fmt.Sprintf("You don't supervise a team “%s”.", cut(typed, 40)), next: chat.T("You can see " + strings.Join(mine, ", ") + ".")}
	if r.config.isAdmin(r.From) {
		p.text = fmt.Sprintf("There is no team “%s”.", cut(typed, 40))
	}
	if near := nearest(typed, mine); near != "" {
		p.next = didYouMean(near)
	}
	return p
}

// table draws the team as it is now, those first who miss most.
func (r report) table(q *request, now time.Time) chat.Message {
	d := r.config.Metrics
	m := chat.Message{Title: cut(r.team.Name, 40) + " · now", Private: true}
	if r.all.Reporting > 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T(r.calls())})
	}
	table := chat.Table{Columns: []chat.Column{{Title: "Agent"}, {Title: "Offered", Numeric: true}, {Title: "Missed", Numeric: true},
		{Title: "Rate", Numeric: true}, {Title: "Talk", Numeric: true}, {Title: "Data", Numeric: true}}}
	list := slices.Clone(r.agents)
	slices.SortStableFunc(list, func(a, b agentReport) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), strings.Compare(a.agent.called(), b.agent.called()))
	})
	for _, a := range list {
		t := a.summary.Totals
		table.Rows = append(table.Rows, []string{
			cut(a.agent.called(), 24), show(t["offered"], stats.Count), show(t["missed"], stats.Count), rate(t["miss_rate"]), show(t["avg_talk"], stats.Seconds), a.age(now),
		})
	}
	if len(table.Rows) == 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T("Nobody of this team is linked yet. People link themselves with " + q.config.typed(q.From.Network, "floor", "link") + ".")})
	} else {
		m.Blocks = append(m.Blocks, table)
	}
	if gaps := r.gaps(); gaps != "" {
		m.Blocks = append(m.Blocks, chat.Paragraph{Quiet: true, Text: chat.T(gaps)})
	}
	if !d.Confirmed("answered") {
		m.Blocks = append(m.Blocks, chat.Paragraph{Quiet: true, Text: chat.T("Nobody has confirmed yet what these numbers count.")})
	}
	m.Footer = chat.T(r.footer())
	m.Actions = []chat.Action{{ID: "floor", Value: "team " + quoteWord(r.team.Name), Label: "Refresh", Replace: true}}
	return m
}

// rate writes a share, – for a missing one.
func rate(n stats.Number) string {
	if !n.Known() {
		return missing
	}
	return percent(n.Value)
}

// rank orders agents: who needs to link again, then by the share they missed.
func (a agentReport) rank() float64 {
	switch {
	case a.agent.State == LinkRelink || a.agent.State == LinkSuspended:
		return 3
	case a.summary.Polled == 0:
		return 2
	}
	return a.summary.Totals["miss_rate"].Value
}

// age says how old an agent's newest numbers are, or why there are none.
func (a agentReport) age(now time.Time) string {
	switch {
	case a.agent.State == LinkRelink:
		return "link again"
	case a.agent.State == LinkSuspended:
		return "suspended"
	case a.summary.Last.IsZero():
		return "none"
	}
	return roughly(max(time.Second, now.Sub(a.summary.Last)))
}

// quoteWord quotes a word that holds spaces, for a command's text.
func quoteWord(s string) string {
	if strings.ContainsAny(s, " \t") {
		return `"` + s + `"`
	}
	return s
}
