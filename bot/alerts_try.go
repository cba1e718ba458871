package bot

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// A Tried is an episode that a rule would have had.
type Tried struct {
	Who    string       // the agent or the team
	Began  time.Time    // when it would have fired
	Ended  time.Time    // zero: it would fire still
	Reason alert.Reason // why it would have ended
	Text   string       // the rule's message
	Told   bool         // false: over the budget of its agent, recorded only
}

// A Trial is what came of replaying a rule.
type Trial struct {
	Episodes []Tried // by the time they began
	Subjects int     // agents or teams that were looked at
	Polls    int     // samples that were judged
}

// Try replays a rule over what history holds since a time: polls that failed
// left nothing there, and are gaps. It reads the history of one agent after
// another and obeys ctx.
func (b *Bot) Try(ctx context.Context, r *alert.Rule, since, now time.Time) (Trial, error) {
	t := trier{b: b, c: b.config.Load(), rule: r, since: since, now: now}
	switch r.Scope {
	case alert.ScopeAgent:
		for a, err := range b.store.Agents() {
			if err != nil && a.ID != "" {
				continue // damaged: the watch says so, every round
			}
			if err == nil {
				err = t.agent(ctx, a)
			}
			if err != nil {
				return Trial{}, fmt.Errorf("try %s: %w", r.Name, err)
			}
		}
	case alert.ScopeTeam:
		for _, team := range t.c.Teams {
			if err := t.team(ctx, team); err != nil {
				return Trial{}, fmt.Errorf("try %s: %w", r.Name, err)
			}
		}
	default:
		return Trial{}, fmt.Errorf("%s watches the source of the data, of which history says nothing", r.Name)
	}
	slices.SortStableFunc(t.Episodes, func(a, b Tried) int { return cmp.Or(a.Began.Compare(b.Began), strings.Compare(a.Who, b.Who)) })
	return t.Trial, nil
}

// A trier is one run of Try.
type trier struct {
	Trial
	b          *Bot
	c          *Config
	rule       *alert.Rule
	since, now time.Time
	limit      float64 // of the newest sample that breaches
}

// watch is how the rule's values are tracked, and how far back it looks.
func (t *trier) watch() (*stats.Watch, time.Duration) {
	windows, back := map[string]time.Duration{}, time.Duration(0)
	for _, n := range t.rule.Needs() {
		windows[n.Metric] = max(windows[n.Metric], n.Window)
		back = max(back, n.Window)
	}
	return t.b.series(t.c, nil).Watch(windows), back
}

// agent replays the rule for an agent.
func (t *trier) agent(ctx context.Context, a Agent) error {
	var rotas schedule.Rotas
	for _, r := range t.c.watched(a) {
		if t.rule.Covers(r.Team) {
			rotas = append(rotas, r)
		}
	}
	if len(rotas) == 0 {
		return nil
	}
	t.Subjects++
	watch, back := t.watch()
	tracker := watch.Tracker()
	var failed error
	samples := func(yield func(alert.Sample) bool) {
		for s, err := range t.b.store.History(a.ID, schedule.Span{Start: t.since.Add(-back), End: t.now}) {
			if failed = cmp.Or(err, ctx.Err()); failed != nil {
				return
			}
			running := rotas.Current(s.Tick)
			if len(running) > 0 {
				last := running[len(running)-1]
				tracker.Begin(last.Start, last.End)
			}
			fresh := tracker.Observe(s, t.c.PollInterval)
			if !fresh || len(running) == 0 || s.Tick.Before(t.since) {
				continue
			}
			if !yield(t.judge(s, tracker, hull(running), a)) {
				return
			}
		}
	}
	budgets := map[string]alert.Budget{}
	tells := func(at time.Time) (any bool) {
		for _, w := range latest(rotas.Current(at)) {
			var outcome alert.Outcome
			budgets[w.Team], outcome = budgets[w.Team].First(w.Start, false)
			any = any || outcome == alert.Tell
		}
		return any
	}
	t.replay(cut(a.Name, 40), samples, alert.Fields{Agent: a.Name, Team: strings.Join(t.c.teamsOf(a), ", ")}, tells)
	return failed
}

// latest returns the shift of each team that began last, of those that run.
func latest(running []schedule.Window) map[string]schedule.Window {
	of := map[string]schedule.Window{}
	for _, w := range running {
		of[w.Team] = w
	}
	return of
}

// judge judges one stored sample.
func (t *trier) judge(s stats.Sample, tracker *stats.Tracker, watched alert.Shift, a Agent) alert.Sample {
	values := &agentValues{tracker, s.Tick}
	x := alert.Sample{Subject: string(a.ID)}
	x.At, x.Round = s.Tick, alert.Round{Now: s.Tick, Poll: t.c.PollInterval, Shift: watched}
	if s.Out {
		x.Data = alert.Absent
	} else {
		x.Reset = values.restarted(t.rule.Needs())
	}
	return t.ruled(x, values)
}

// ruled judges a sample.
func (t *trier) ruled(x alert.Sample, values alert.Values) alert.Sample {
	t.Polls++
	if x = t.rule.Judge(x, values); x.Breach {
		t.limit, _ = t.rule.Threshold(values)
	}
	return x
}

// replay steps the rule and notes its episodes. tells decides whether anybody is
// told of one that begins then.
func (t *trier) replay(who string, samples iter.Seq[alert.Sample], fields alert.Fields, tells func(time.Time) bool) {
	unit, numeric := t.rule.Shown()
	at := -1 // of the open episode
	for x, change := range t.rule.Replay(samples) {
		switch {
		case change.Fire:
			fields.Rule, fields.Severity = t.rule.Name, t.rule.Severity.String()
			if numeric {
				fields.Value, fields.Threshold = ruleAmount(x.Value, unit), ruleAmount(t.limit, unit)
			}
			at = len(t.Episodes)
			t.Episodes = append(t.Episodes, Tried{Who: who, Began: x.At, Text: t.rule.Message(fields), Told: tells(x.At)})
		case change.Resolve && at >= 0:
			t.Episodes[at].Ended, t.Episodes[at].Reason = change.At, change.Reason
			at = -1
		}
	}
}

// team replays the rule for a team: in each of its shifts, round by round.
func (t *trier) team(ctx context.Context, team Team) error {
	if !team.Poll || !t.rule.Covers(team.Name) {
		return nil
	}
	agents, err := t.b.teamAgents(t.c, team.Name)
	if err != nil || len(agents) == 0 {
		return err
	}
	t.Subjects++
	members, err := t.members(ctx, agents)
	if err != nil {
		return err
	}
	samples := func(yield func(alert.Sample) bool) {
		for _, shift := range team.Rota.Occurrences(schedule.Span{Start: t.since, End: t.now}) {
			for at := shift.Start.Add(t.c.PollInterval); !at.After(minTime(shift.End, t.now)); at = at.Add(t.c.PollInterval) {
				if x := t.round(team, members, shift, at); !at.Before(t.since) && !yield(x) {
					return
				}
			}
		}
	}
	t.replay(team.Name, samples, alert.Fields{Team: team.Name}, func(time.Time) bool { return true })
	return ctx.Err()
}

// A triedMember is an agent of a team that is tried.
type triedMember struct {
	*stats.Tracker
	samples []stats.Sample // not observed yet
}

func (t *trier) members(ctx context.Context, agents []Agent) ([]*triedMember, error) {
	watch, back := t.watch()
	var list []*triedMember
	for _, a := range agents {
		m := &triedMember{Tracker: watch.Tracker()}
		for s, err := range t.b.store.History(a.ID, schedule.Span{Start: t.since.Add(-back), End: t.now}) {
			if err = cmp.Or(err, ctx.Err()); err != nil {
				return nil, err
			}
			m.samples = append(m.samples, s)
		}
		list = append(list, m)
	}
	return list, nil
}

// round judges a team at a time.
func (t *trier) round(team Team, members []*triedMember, shift schedule.Window, at time.Time) alert.Sample {
	values := &teamValues{at: at}
	for _, m := range members {
		m.Begin(shift.Start, shift.End)
		for len(m.samples) > 0 && !m.samples[0].Tick.After(at) {
			m.Observe(m.samples[0], t.c.PollInterval)
			m.samples = m.samples[1:]
		}
		values.Team = append(values.Team, m.Tracker)
	}
	x := alert.Sample{Subject: teamSubject(team.Name), Data: alert.Failed}
	x.At, x.Round = at, alert.Round{Now: at, Poll: t.c.PollInterval, Shift: alert.Shift{Start: shift.Start, End: shift.End}}
	reporting, _ := values.Value(alert.Need{Metric: alert.NameReporting})
	if alert.Covered(int(reporting), len(members), team.MinCoverage) {
		x.Data = alert.Fresh
	}
	return t.ruled(x, values)
}

// Derive returns the arithmetic of the floor for the tests of rules: it reads
// the polls' values as counters that start again where a test says so. It is for
// one goroutine, and fastest when polls grow by one from call to call.
func (c *Config) Derive() alert.Derive {
	metrics := slices.Clone(c.Metrics)
	windows := map[string]time.Duration{}
	for i := range metrics {
		metrics[i].Reset = stats.AtLogin // the one thing that a test can make happen
		windows[metrics[i].Name] = 24 * time.Hour
	}
	windows[alert.NameAnswered] = 24 * time.Hour
	var tracker *stats.Tracker
	var login time.Time
	seen := 0
	return func(polls []alert.Poll, round alert.Round) alert.Values {
		if len(polls) != seen+1 {
			seen = 0
		}
		if seen == 0 {
			tracker = stats.Series{Dictionary: metrics, Every: round.Poll}.Watch(windows).Tracker()
			tracker.Begin(round.Shift.Start, cmpTime(round.Shift.End, round.Shift.Start.Add(24*time.Hour)))
			login = round.Shift.Start
		}
		for _, p := range polls[seen:] {
			if p.Reset {
				login = p.At
			}
			if p.Data == alert.Fresh || p.Data == alert.Absent {
				tracker.Observe(sampleOf(metrics, p, login), round.Poll)
			}
		}
		seen = len(polls)
		return &agentValues{tracker, round.Now}
	}
}

// sampleOf makes a sample of what a test says of a poll.
func sampleOf(metrics stats.Dictionary, p alert.Poll, login time.Time) stats.Sample {
	s := stats.Sample{Tick: p.At, Login: login, Out: p.Data == alert.Absent}
	for name, v := range p.Values {
		if m, ok := metrics.ByName(name); ok && !s.Out {
			s.Values = append(s.Values, stats.Value{Key: m.Key, N: v})
		}
	}
	slices.SortFunc(s.Values, func(a, b stats.Value) int { return strings.Compare(a.Key, b.Key) })
	return s
}

// cmpTime returns the first of two times that is not zero.
func cmpTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}
