package bot

import (
	"maps"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/schedule"
)

// judge moves the rules of one subject by what a poll of it brought.
func (d *desk) judge(v verdict, rulings []ruling) {
	s := d.standing(v.subject)
	if !v.breach && len(s.Rules) == 0 {
		return // the usual case: nothing is wrong, and nothing was
	}
	for i := range rulings[v.rulings[0]:v.rulings[1]] {
		d.step(v, s, &rulings[v.rulings[0]+i])
	}
}

// step moves one rule.
func (d *desk) step(v verdict, s *standing, x *ruling) {
	rs := s.Rules[x.rule.Name]
	if rs == nil {
		if !x.Breach || x.Data != alert.Fresh {
			return
		}
		rs = new(ruleState)
	}
	before := rs.State.Phase
	state, change := x.rule.Step(rs.State, x.Sample)
	if state.Phase == alert.Inactive && before == alert.Inactive {
		return
	}
	if s.Rules == nil {
		s.Rules = map[string]*ruleState{}
	}
	rs.State, s.Rules[x.rule.Name] = state, rs
	s.Name, s.Teams = v.name, v.teams
	d.touch(v.subject)
	d.follow(v, x, rs, change)
}

// follow does what a step asks for.
func (d *desk) follow(v verdict, x *ruling, rs *ruleState, change alert.Change) {
	if change.Fire {
		d.fire(v, x, rs)
		return
	}
	o, open := d.open(v.subject, x.rule.Name)
	if !open {
		return
	}
	if change.Resolve {
		d.resolve(o, change)
		return
	}
	d.develop(v, x, o)
}

// fire begins an episode. It is recorded and gets a number whatever becomes of
// it: told, silenced, or over the budget of its agent.
func (d *desk) fire(v verdict, x *ruling, rs *ruleState) {
	e := &episode{
		N: d.number(func(n *numbers) *int { return &n.Episode }), Began: x.At, Policy: x.rule.Policy,
		Handling: alert.Handling{Severity: x.rule.Severity, Open: d.now},
	}
	for _, w := range v.on {
		if x.rule.Covers(w.Team) && !slices.Contains(e.Teams, w.Team) {
			e.Teams = append(e.Teams, w.Team)
		}
	}
	rs.Episode = e
	o := openEpisode{e, v.subject, x.rule.Name, d.standing(v.subject), rs}
	o.show(x)
	o.Shown = o.Value
	for _, team := range o.teams() {
		_, silenced := d.silenced(o.labels(team))
		d.ration(o, team, v.began(team), silenced)
	}
	d.put(RecordHandling, openKey(e.N), opening{v.subject, x.rule.Name, e.Began})
	for _, team := range o.teams() {
		if o.told(team) {
			d.tellFirst(o, team)
		}
	}
}

// show takes over what a sample says for the cards.
func (o openEpisode) show(x *ruling) {
	unit, numeric := x.rule.Shown()
	numeric = numeric && x.rule.Name != alert.LoginLost // what it compares is the clock
	if numeric {
		o.Value = ruleAmount(x.Value, unit)
	}
	if !x.Breach {
		return // the sentence stays that of the last value that was bad
	}
	if numeric {
		o.Limit = ruleAmount(x.limit, unit)
	}
	o.Sentence = x.rule.Message(alert.Fields{
		Agent: o.standing.Name, Team: strings.Join(o.Teams, ", "), Rule: x.rule.Name,
		Severity: o.Handling.Severity.String(), Value: o.Value, Threshold: o.Limit,
	})
}

// develop keeps an open episode up to date. An edited rule may have made it more
// severe, or less.
func (d *desk) develop(v verdict, x *ruling, o openEpisode) {
	h, step := o.Handling.SetSeverity(x.rule.Severity, d.now)
	if h.Severity != o.Handling.Severity {
		o.Handling, o.Acked = h, false
		if step != "" && o.Outcome == alert.Tell {
			d.again(o, step)
		}
		d.mark(o)
	}
	if x.Data != alert.Fresh {
		return
	}
	if o.show(x); o.Value != o.Shown {
		d.revalue(o)
	}
}

// resolve ends an episode. Those who were told hear of it by an edit of their
// message; a message that is not sent yet never is.
func (d *desk) resolve(o openEpisode, change alert.Change) {
	end := over{
		Who: o.who(), Text: o.Sentence, Value: o.Value, Limit: o.Limit, Severity: o.Handling.Severity,
		Began: o.Began, Ended: change.At, Reason: change.Reason,
	}
	for _, b := range d.bulletinsOf(o.episode) {
		for i := range b.Members {
			if b.Members[i].Episode == change.Episode {
				b.end(&b.Members[i], &end)
			}
		}
	}
	d.trimEndings(o.subject)
	d.put(RecordHandling, o.subject+"/"+change.At.UTC().Format(time.RFC3339)+"/"+change.Episode, ending{
		N: o.N, Rule: o.rule, Began: o.Began, Ended: change.At, Reason: change.Reason, Outcome: o.Outcome, Text: o.Sentence, AckedBy: o.AckName,
	})
	d.drop(RecordHandling, openKey(o.N))
	o.state.Episode = nil
	d.touch(o.subject)
}

// trimEndings drops a subject's episodes that were over long ago.
func (d *desk) trimEndings(subject string) {
	if d.err != nil {
		return
	}
	for r, err := range d.tx.Records(RecordHandling, subject+"/") {
		if err != nil {
			d.fail(err)
			return
		}
		at, _, _ := strings.Cut(strings.TrimPrefix(r.Key, subject+"/"), "/")
		if t, err := time.Parse(time.RFC3339, at); err != nil || d.now.Sub(t) < keepEndings {
			return // they stand in the order of their ends
		}
		d.drop(RecordHandling, r.Key)
	}
}

// judgeSource moves the rule about the source. How long it has been asked in
// vain outlives a restart.
func (d *desk) judgeSource(s sourceRound) {
	r := d.c.rule(alert.SourceStale)
	if r == nil || !r.Enabled || !s.asked {
		return
	}
	st := d.standing(sourceSubject)
	vain := s.vain
	if !vain.IsZero() && !st.Vain.IsZero() && !s.answered {
		vain = earlier(vain, st.Vain)
	}
	if !vain.Equal(st.Vain) {
		st.Vain = vain
		d.touch(sourceSubject)
	}
	minutes := 0.0
	if !vain.IsZero() {
		minutes = d.now.Sub(vain).Minutes()
	}
	v, shift := verdict{subject: sourceSubject}, d.shiftOf(d.c.Teams)
	if !d.now.Before(shift.End) {
		return // the last polls are repeated when nobody works any more
	}
	x := ruling{rule: r}
	x.Sample = alert.Sample{Subject: sourceSubject, Round: alert.Round{Now: d.now, Poll: d.poll, Shift: shift}}
	x.At = d.now
	values := sourceValues(minutes)
	x.Sample = r.Judge(x.Sample, values)
	x.limit, _ = r.Threshold(values)
	d.step(v, st, &x)
}

// sourceValues is what rules read of the source: minutes.
type sourceValues float64

// Value implements [alert.Values].
func (v sourceValues) Value(n alert.Need) (float64, bool) {
	return float64(v), n.Metric == alert.NameSourceMinutes
}

// shiftOf returns for which time teams are watched now: all the shifts that run,
// else the one that ended last.
func (d *desk) shiftOf(teams []Team) alert.Shift {
	var rotas schedule.Rotas
	for _, t := range teams {
		if t.Poll {
			rotas = append(rotas, t.Rota)
		}
	}
	if now := rotas.Current(d.now); len(now) > 0 {
		return hull(now)
	}
	last, _ := rotas.At(d.now)
	return alert.Shift{Start: last.Start, End: last.End}
}

// hull is the time from the first beginning to the last end of shifts that run at
// the same time. An agent of two teams is watched for as long.
func hull(shifts []schedule.Window) (h alert.Shift) {
	for i, w := range shifts {
		if i == 0 || w.Start.Before(h.Start) {
			h.Start = w.Start
		}
		h.End = later(h.End, w.End)
	}
	return h
}

// sweep looks, once a round, at all that stands open whatever was polled: rules
// that were switched off or deleted, shifts that are over, agents who are no
// more, and messages that could not be delivered.
func (d *desk) sweep(who *roster, round alert.Round) {
	if d.err != nil {
		return
	}
	var subjects []string
	for r, err := range d.tx.Records(RecordAlerts, "") {
		d.fail(err)
		subjects = append(subjects, r.Key)
	}
	for _, subject := range subjects {
		s := d.standing(subject)
		if o := (openEpisode{subject: subject, standing: s}); o.isAgent() && !who.linked[AgentID(subject)] {
			d.subjects[subject] = new(standing)
			d.drop(RecordAlerts, subject)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
			d.sweepRule(subject, name, round)
		}
	}
	d.closeOrphans()
	for _, b := range d.allBulletins() {
		d.recall(b)
	}
	d.tend()
	for _, b := range d.allBulletins() {
		d.sweepBulletin(b)
	}
	for _, s := range d.silences() {
		if d.now.Sub(s.End) > 24*time.Hour {
			d.drop(RecordSilences, silenceKey(s.N))
		}
	}
}

// sweepRule judges a state by the clock and the configuration alone.
func (d *desk) sweepRule(subject, name string, round alert.Round) {
	s := d.standing(subject)
	rs := s.Rules[name]
	if rs.State.Phase == alert.Inactive {
		if d.now.Sub(rs.State.Seen) > 24*time.Hour {
			d.touch(subject)
		}
		return
	}
	x := ruling{rule: d.c.rule(name), Sample: alert.Sample{Subject: subject, Data: alert.Failed, Round: round}}
	var teams []Team // that the rule covers
	for _, t := range d.c.Teams {
		ours := slices.Contains(s.Teams, t.Name) || subject == teamSubject(t.Name) || subject == sourceSubject
		if ours && (x.rule == nil || x.rule.Covers(t.Name)) {
			teams = append(teams, t)
		}
	}
	x.Round.Now, x.Round.Shift = d.now, d.shiftOf(teams)
	var change alert.Change
	switch {
	case x.rule == nil:
		rs.State, change = alert.End(rs.State, d.now, alert.RuleDeleted)
	case len(teams) == 0:
		rs.State, change = alert.End(rs.State, d.now, alert.RuleChanged)
	default:
		rs.State, change = x.rule.Step(rs.State, x.Sample)
	}
	if change.None() {
		return
	}
	d.touch(subject)
	if o, open := d.open(subject, name); open && change.Resolve {
		d.resolve(o, change)
	} else if open {
		d.develop(verdict{}, &x, o)
	}
}

// sweepBulletin drops a bulletin that is done, tries the recipient's next address
// if it could not be delivered, and has a message replaced that its reader has
// deleted.
func (d *desk) sweepBulletin(b *bulletin) {
	row, found := d.row(b.Row)
	edit, edited := d.row(b.Edit)
	waits := found && row.waits() || edited && edit.waits()
	switch {
	case b.fresh || b.changed:
	case found && row.State == RowDead && !b.over():
		d.forward(b)
		d.forget(b)
	case b.Vital && d.lost(b):
		b.changed = true
	case b.over() && !waits && (b.Kind != kindCrowd || d.now.Sub(b.Group.Opened) > time.Hour):
		d.forget(b)
	}
}

// forward tells a recipient at another address.
func (d *desk) forward(b *bulletin) {
	r := d.reader(b.To)
	r.Lost, r.changed = d.now, true
	_, step, _, ok := alert.ParseKey(b.Row)
	to, found := d.choose(b.Rest)
	if !ok || !found {
		return
	}
	for _, m := range b.Members {
		if o, open := d.open(m.Subject, m.Rule); open && m.Over == nil {
			d.tell(o, step, m.Team, to)
		}
	}
}
