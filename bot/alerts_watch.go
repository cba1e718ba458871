package bot

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
)

// A floor is what the watch remembers of everybody, so that rules can look back.
// It is the writer's own, and follows from history: after a restart each agent's
// part is read again with their first poll.
type floor struct {
	b        *Bot
	reading  reading
	watch    *stats.Watch
	agents   map[AgentID]*tracked
	rules    map[string][]*alert.Rule // agents' rules, by the teams they are on shift for
	of       *Config                  // whose rules those are
	rounds   int                      // rounds that brought answers, since the start
	answered bool                     // this round did
	failed   bool                     // this round brought failures
	vain     time.Time                // since when there were no answers, zero if the last was one
	rulings  []ruling                 // of the present batch, kept for their space
}

// A tracked is what is remembered of an agent.
type tracked struct {
	*stats.Tracker
	newest time.Time // the tick of the newest poll
}

// A reading is what decides how samples are read.
type reading struct {
	metrics stats.Dictionary
	zone    *time.Location
	windows map[string]time.Duration // how far back rules look, by metric
}

// A ruling is what one rule makes of one poll.
type ruling struct {
	alert.Sample
	rule  *alert.Rule
	limit float64
}

// A verdict is what one poll means for its subject.
type verdict struct {
	subject string
	name    string
	teams   []string          // all of the agent's
	on      []schedule.Window // the shifts that run, in the order they began
	breach  bool              // some ruling is one
	rulings [2]int
}

// began returns when the shift of a team began that is meant: of those that run,
// the one that began last.
func (v verdict) began(team string) (at time.Time) {
	for _, w := range v.on {
		if w.Team == team {
			at = later(at, w.Start)
		}
	}
	return at
}

// An alertBatch is what a batch of results means for alerts, before anything is
// stored.
type alertBatch struct {
	c        *Config
	now      time.Time
	poll     time.Duration
	warm     bool
	verdicts []verdict
	rulings  []ruling
	end      *roster // not nil: the round is over
	source   sourceRound
	rows     bool // judge promised messages
}

// take takes in a batch of results.
func (f *floor) take(ctx context.Context, c *Config, batch []polled, end *roster, now time.Time) *alertBatch {
	f.configure(c)
	f.rulings = f.rulings[:0]
	a := &alertBatch{c: c, now: now, poll: f.b.pollEvery(c), end: end}
	for _, p := range batch {
		f.noteSource(p)
		if len(p.shifts) == 0 {
			continue
		}
		v, err := f.observe(a, p)
		if err != nil {
			f.b.log.ErrorContext(ctx, "rules look back no further than now", "agent", p.agent.ID, "err", err)
		}
		a.verdicts = append(a.verdicts, v)
	}
	if end != nil {
		f.endRound(a)
	}
	a.warm, a.rulings = f.warm(), f.rulings
	return a
}

// judge is the part of a batch that happens in the transaction.
func (a *alertBatch) judge(tx Tx) error {
	d := newDesk(tx, a.c, a.now, a.poll)
	for _, v := range a.verdicts {
		d.judge(v, a.rulings)
	}
	if a.end != nil {
		d.judgeSource(a.source)
		d.sweep(a.end, alert.Round{Poll: a.poll, Warm: a.warm})
	}
	err := d.close()
	a.rows = d.rows
	if err == nil && !d.wrote {
		return errIdle
	}
	return err
}

// A roster is who is there in a round.
type roster struct {
	linked map[AgentID]bool
	teams  map[string][]AgentID // on shift, by team
}

// add enters an agent.
func (r *roster) add(c *Config, a Agent, at time.Time) {
	r.linked[a.ID] = true
	for _, w := range c.watched(a).Current(at) {
		r.teams[w.Team] = append(r.teams[w.Team], a.ID)
	}
}

// configure follows a change of what is read. Trackers then begin anew, from
// history.
func (f *floor) configure(c *Config) {
	if f.of == c {
		return
	}
	f.of, f.rules = c, map[string][]*alert.Rule{}
	now := reading{metrics: c.Metrics, zone: c.Zone, windows: map[string]time.Duration{}}
	for _, r := range c.Rules {
		for _, n := range r.Needs() {
			now.windows[n.Metric] = max(now.windows[n.Metric], n.Window)
		}
	}
	if f.watch != nil && reflect.DeepEqual(now, f.reading) {
		return
	}
	f.reading = now
	f.watch = f.b.series(c, nil).Watch(now.windows)
	f.agents = map[AgentID]*tracked{}
}

// rulesFor returns the rules about agents who are on shift for these teams.
func (f *floor) rulesFor(on []schedule.Window) []*alert.Rule {
	var teams strings.Builder
	for _, w := range on {
		teams.WriteString(w.Team + "\x00")
	}
	key := teams.String()
	list, ok := f.rules[key]
	if !ok {
		for _, r := range f.of.Rules {
			if r.Enabled && r.Scope == alert.ScopeAgent && slices.ContainsFunc(on, func(w schedule.Window) bool { return r.Covers(w.Team) }) {
				list = append(list, r)
			}
		}
		f.rules[key] = list
	}
	return list
}

// tracker returns what is remembered of an agent for a poll. One that is new is
// brought up to date from history: as far back as the shift began and as rules
// look. So is one from the future: the clock was set back, and until it gets there
// once more every answer would be older than the last.
func (f *floor) tracker(p poll, shift schedule.Window, every time.Duration) (*tracked, error) {
	id, tick := p.agent.ID, p.tick
	if t := f.agents[id]; t != nil && (!p.final.IsZero() || !t.newest.After(tick.Add(2*every))) {
		t.Begin(shift.Start, shift.End)
		return t, nil
	}
	t := &tracked{Tracker: f.watch.Tracker()}
	f.agents[id] = t
	from := shift.Start
	for _, window := range f.reading.windows {
		from = earlier(from, tick.Add(-window))
	}
	begun := false
	for s, err := range f.b.store.History(id, schedule.Span{Start: from, End: tick}) {
		if err != nil {
			return t, err
		}
		if !begun && !s.Tick.Before(shift.Start) {
			t.Begin(shift.Start, shift.End)
			begun = true
		}
		t.Observe(s, 0)
	}
	t.Begin(shift.Start, shift.End)
	return t, nil
}

// observe takes in one result, and judges the rules about its agent.
func (f *floor) observe(a *alertBatch, p polled) (verdict, error) {
	v := verdict{subject: string(p.agent.ID), name: p.agent.Name, teams: a.c.teamsOf(p.agent), on: p.shifts}
	last := slices.MaxFunc(p.shifts, func(a, b schedule.Window) int { return a.Start.Compare(b.Start) })
	t, err := f.tracker(p.poll, last, a.poll)
	x := alert.Sample{Subject: v.subject, Data: f.feed(p, t, a.poll)}
	x.At, x.Round = p.tick, alert.Round{Now: a.now, Poll: a.poll, Shift: hull(p.shifts), Warm: f.warm()}
	if p.final.IsZero() { // when the shift is over, nothing begins
		f.rule(&v, f.rulesFor(v.on), x, &agentValues{t.Tracker, p.tick})
	}
	return v, err
}

// warm reports whether nobody has looked often enough yet to say that something
// is missing.
func (f *floor) warm() bool { return f.rounds < alert.AbsentPolls }

// noteSource notes whether the source answers.
func (f *floor) noteSource(p polled) {
	class, failed := dashboard.ClassOf(p.err)
	switch {
	case p.err != nil && (!failed || class == dashboard.ClassTransient):
		f.failed = true
		if f.vain.IsZero() {
			f.vain = p.tick
		}
	default:
		f.answered, f.vain = true, time.Time{}
	}
}

// feed gives an agent's tracker a result, and says what it brought.
func (f *floor) feed(p polled, t *tracked, every time.Duration) alert.Data {
	if p.sample.Tick.IsZero() || !t.Observe(p.sample, every) {
		return alert.Failed
	}
	t.newest = p.tick
	if p.sample.Out {
		return alert.Absent
	}
	t.Note(p.counters)
	return alert.Fresh
}

// rule adds a subject's rulings.
func (f *floor) rule(v *verdict, rules []*alert.Rule, x alert.Sample, values restartable) {
	v.rulings[0] = len(f.rulings)
	for _, r := range rules {
		x.Reset = x.Data == alert.Fresh && values.restarted(r.Needs())
		ruled := ruling{Sample: r.Judge(x, values), rule: r}
		if ruled.Breach && ruled.Data == alert.Fresh {
			v.breach = true
			ruled.limit, _ = r.Threshold(values)
		}
		f.rulings = append(f.rulings, ruled)
	}
	v.rulings[1] = len(f.rulings)
}

// restartable are values some of whose counters may have started again.
type restartable interface {
	alert.Values
	restarted(needs []alert.Need) bool
}

// agentValues are what rules read of an agent.
type agentValues struct {
	*stats.Tracker
	at time.Time
}

// Value implements [alert.Values].
func (v *agentValues) Value(n alert.Need) (float64, bool) {
	number := v.Tracker.Value(n.Metric, n.Window, v.at)
	return number.Value, number.Known()
}

func (v *agentValues) restarted(needs []alert.Need) bool {
	for _, n := range needs {
		if v.Restarted(n.Metric) {
			return true
		}
	}
	return false
}

// teamValues are what rules read of a team.
type teamValues struct {
	stats.Team
	at time.Time
}

// Value implements [alert.Values].
func (v *teamValues) Value(n alert.Need) (float64, bool) {
	number := v.Team.Value(n.Metric, n.Window, v.at)
	return number.Value, number.Known()
}

// restarted is false: an agent's counters start again, the team's sum goes on.
func (v *teamValues) restarted([]alert.Need) bool { return false }

// endRound judges the rules about teams.
func (f *floor) endRound(a *alertBatch) {
	if f.answered {
		f.rounds++
	}
	for _, t := range a.c.Teams {
		shifts := schedule.Rotas{t.Rota}.Current(a.now)
		if t.Poll && len(shifts) > 0 {
			a.verdicts = append(a.verdicts, f.judgeTeam(a, t, shifts))
		}
	}
	a.source = sourceRound{f.answered || f.failed, f.answered, f.vain}
	f.answered, f.failed = false, false
}

// judgeTeam judges the rules about one team, unless too few of it are known.
func (f *floor) judgeTeam(a *alertBatch, t Team, shifts []schedule.Window) verdict {
	var rules []*alert.Rule
	for _, r := range a.c.Rules {
		if r.Enabled && r.Scope == alert.ScopeTeam && r.Covers(t.Name) {
			rules = append(rules, r)
		}
	}
	values := &teamValues{at: a.now}
	for _, id := range a.end.teams[t.Name] {
		var t *stats.Tracker // nobody has asked about one who has none
		if known := f.agents[id]; known != nil {
			t = known.Tracker
		}
		values.Team = append(values.Team, t)
	}
	v := verdict{subject: teamSubject(t.Name), on: shifts}
	x := alert.Sample{Subject: v.subject, Data: alert.Failed, Round: alert.Round{Now: a.now, Poll: a.poll, Shift: hull(shifts), Warm: f.warm()}}
	x.At = a.now
	reporting, _ := values.Value(alert.Need{Metric: alert.NameReporting})
	if alert.Covered(int(reporting), len(values.Team), t.MinCoverage) {
		x.Data = alert.Fresh
	}
	f.rule(&v, rules, x, values)
	return v
}

// A sourceRound is what a round says about the source of the data.
type sourceRound struct {
	asked, answered bool
	vain            time.Time // since when there were no answers
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
