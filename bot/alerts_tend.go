package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
)

// tendNap bounds the sleep between two looks at what is due: timers do not see
// a wall clock that is set.
const tendNap = 30 * time.Second

// tendAlerts does what becomes due about open alerts by time alone, until ctx
// ends or the store fails: escalations and repetitions, the ends of silences and
// of acknowledgements. The due times follow from records, so that a restart
// forgets none.
func (b *Bot) tendAlerts(ctx context.Context) error {
	for ctx.Err() == nil {
		next, err := b.atDesk(time.Now(), (*desk).tend)
		if errors.Is(err, ErrNotSaved) {
			b.log.ErrorContext(ctx, "alerts are not tended, because it cannot be recorded", "err", err)
		} else if err != nil {
			return fmt.Errorf("tend the alerts: %w", err)
		}
		b.watching.beatAlerts(time.Now())
		wait := tendNap
		if !next.IsZero() {
			wait = min(wait, max(time.Until(next), time.Second))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// tend does what is due.
func (d *desk) tend() {
	open := d.allOpen()
	for _, o := range open {
		d.mind(o)
	}
	for _, s := range d.silences() {
		d.remind(s, open)
	}
}

// mind does what is due about one episode.
func (d *desk) mind(o openEpisode) {
	for _, team := range o.teams() {
		s, silenced := d.silenced(o.labels(team))
		switch held := slices.Contains(o.Held, team); {
		case silenced && !held:
			d.pullBack(o, team)
		case !silenced && held:
			d.release(o, team)
		}
		if silenced {
			d.wake(s.End)
		}
		if !o.Hushed[team].Equal(s.End) {
			d.hush(o, team, s.End)
		}
	}
	d.lease(o)
	d.pursue(o)
}

// hush has the cards for a team say until when an episode is silenced; zero: it
// is not.
func (d *desk) hush(o openEpisode, team string, until time.Time) {
	if o.Hushed == nil {
		o.Hushed = map[string]time.Time{}
	}
	o.Hushed[team] = until
	if until.IsZero() {
		delete(o.Hushed, team)
	}
	for _, b := range d.bulletinsOf(o.episode) {
		b.changed = b.changed || b.tells(o, team)
	}
	d.touch(o.subject)
}

// teams are those for whose sake it is told: "" stands for all, if it is about
// the source.
func (o openEpisode) teams() []string {
	if o.subject == sourceSubject {
		return []string{""}
	}
	return o.Teams
}

// pullBack holds an episode that has just been silenced back from those of a
// team who have not been told yet.
func (d *desk) pullBack(o openEpisode, team string) {
	back := false
	for _, b := range d.bulletinsOf(o.episode) {
		if b.tells(o, team) && d.withdraw(b, o, "silenced") {
			back = true
		}
	}
	if back {
		d.hold(o, team)
	}
}

// withdraw takes an episode out of a bulletin that nobody can have seen yet.
func (d *desk) withdraw(b *bulletin, o openEpisode, reason string) bool {
	if !d.unsent(b) {
		return false
	}
	b.Members = slices.DeleteFunc(b.Members, func(m member) bool { return m.Episode == o.id() })
	b.changed = true
	if len(b.Members) == 0 {
		d.withhold(b, reason)
	}
	return true
}

// release tells a team of an episode that a silence had kept from it, or from
// some of it.
func (d *desk) release(o openEpisode, team string) {
	o.Held = slices.DeleteFunc(o.Held, func(t string) bool { return t == team })
	if !d.heard(o, team) {
		d.ration(o, team, o.state.Budgets[team].Shift, false)
	}
	d.touch(o.subject)
	if !d.heard(o, o.teams()...) {
		o.Handling.Open = d.now // nobody could have acknowledged it before
	}
	if o.told(team) {
		d.tellFirst(o, team)
	}
}

// tellFirst tells a team of an episode for the first time, but for those who
// hear of it already. A message that was withdrawn leaves its key: the next one
// is fire-2.
func (d *desk) tellFirst(o openEpisode, team string) {
	for _, to := range d.recipients(team) {
		if d.hears(o, to.addr) {
			continue
		}
		step := alert.StepFire
		for n := 2; d.promised(alert.Key(o.id(), step, to.addr.String())); n++ {
			step = alert.StepFire + "-" + strconv.Itoa(n)
		}
		d.tell(o, step, team, to)
	}
}

// hears reports whether a message to an address tells of an episode.
func (d *desk) hears(o openEpisode, addr chat.Address) bool {
	return slices.ContainsFunc(d.bulletinsOf(o.episode), func(b *bulletin) bool {
		return b.To == addr && slices.ContainsFunc(b.Members, func(m member) bool { return m.Episode == o.id() })
	})
}

// lease ends an acknowledgement whose time is over, and says so before.
func (d *desk) lease(o openEpisode) {
	if !o.Acked {
		return
	}
	until := o.Handling.Ack.Until
	reminder := until.Add(-alert.AckReminder)
	switch {
	case !d.now.Before(until):
		o.Acked = false
		d.mark(o)
		return
	case o.Reminded:
	case d.now.Before(reminder):
		d.wake(reminder)
	default:
		o.Reminded = true
		d.touch(o.subject)
		to, err := chat.ParseAddress(o.Handling.Ack.By)
		if err == nil && o.state.State.Phase == alert.Firing && d.mayRemind(to, d.theirTeam(to, o), o.Handling.Severity) {
			m := note("Still firing", chat.T(o.Sentence), chat.Join(chat.T("Your acknowledgement ends at "), d.clock(to, until), chat.T(".")),
				chat.Action{ID: "floor", Value: fmt.Sprintf("ack %d", o.N), Label: "Keep it for another hour", Replace: true})
			d.notify("ack-ending", fmt.Sprintf("%s-%d", o.id(), until.Unix()), to, m)
		}
	}
	d.wake(until)
}

// theirTeam returns the first of an episode's teams that a person handles; "" for
// none, as an administrator's.
func (d *desk) theirTeam(who chat.Address, o openEpisode) string {
	for _, team := range o.teams() {
		if slices.Contains(d.c.supervises(who), team) {
			return team
		}
	}
	return ""
}

// pursue brings a critical episode up again that nobody has acknowledged.
func (d *desk) pursue(o openEpisode) {
	if o.Outcome != alert.Tell || o.state.State.Phase != alert.Firing {
		return
	}
	step, due, ok := o.Policy.Next(o.Handling)
	if !ok {
		return
	}
	if d.now.Before(due) {
		d.wake(due)
		return
	}
	team, ok := d.loud(o)
	if !ok {
		return // the end of the silence is due then
	}
	o.Handling = o.Handling.Made(step, d.now)
	d.touch(o.subject)
	if stepKind(step) == "escalate" {
		for _, addr := range d.c.Admins {
			if to := (recipient{addr: addr}); d.reachable(addr) {
				d.tell(o, step, team, to)
			}
		}
	} else {
		d.again(o, step)
	}
	if _, due, ok := o.Policy.Next(o.Handling); ok {
		d.wake(later(due, d.now.Add(time.Second)))
	}
}

// loud returns a team that is told of an episode now.
func (d *desk) loud(o openEpisode) (string, bool) {
	for _, team := range o.teams() {
		if _, silenced := d.silenced(o.labels(team)); !silenced && o.told(team) {
			return team, true
		}
	}
	return "", false
}

// again tells those who have been told of an episode of another step of it.
func (d *desk) again(o openEpisode, step string) {
	done := map[chat.Address]bool{}
	for _, b := range d.bulletinsOf(o.episode) {
		i := slices.IndexFunc(b.Members, func(m member) bool { return m.Episode == o.id() })
		if i < 0 || done[b.To] {
			continue
		}
		team := b.Members[i].Team
		if _, silenced := d.silenced(o.labels(team)); silenced || !d.c.mayHandle(b.To, team) {
			continue
		}
		done[b.To] = true
		if d.unsent(b) { // they will read the newest anyway
			b.promises = append(b.promises, alert.Key(o.id(), step, b.To.String()))
			b.changed = true
			continue
		}
		d.tell(o, step, team, recipient{b.To, b.Rest})
	}
}

// remind tells the author of a silence that it ends while something that it
// hides still fires.
func (d *desk) remind(s silence, open []openEpisode) {
	at := s.End.Add(-alert.SilenceReminder)
	if s.Reminded || !s.holds(d.now) || !at.After(s.Start) {
		return
	}
	if d.now.Before(at) {
		d.wake(at)
		return
	}
	s.Reminded = true
	d.putSilence(s)
	hidden := d.hides(s, open)
	to, err := chat.ParseAddress(s.By)
	if err != nil || len(hidden) == 0 {
		return
	}
	worst := slices.MaxFunc(hidden, func(a, b line) int { return cmp.Compare(a.severity, b.severity) })
	if !d.mayRemind(to, s.Matcher.Team, worst.severity) {
		return
	}
	m := note("A silence ends", chat.Join(chat.T(fmt.Sprintf("Silence %d of %s ends at ", s.N, s.What)), d.clock(to, s.End), chat.T(", and this still fires:")), nil,
		chat.Action{ID: "floor", Value: fmt.Sprintf("silence %s 1h", numberList(hidden)), Label: "Silence 1 h more"})
	m.Blocks = append(m.Blocks, d.table(to, hidden))
	d.notify("silence-ending", strconv.Itoa(s.N), to, m)
}

// mayRemind reports whether a person may be reminded now of something about a
// team. In quiet hours only of what is critical: when they end it is too late.
func (d *desk) mayRemind(to chat.Address, team string, severity alert.Severity) bool {
	_, quiet := d.quietUntil(to, team)
	return !quiet || severity == alert.Critical
}

// notify promises a person a message about their own doing.
func (d *desk) notify(what, id string, to chat.Address, m chat.Message) {
	key := "notice/" + what + "/" + id + "/" + to.String()
	d.enqueue(Row{Key: key, To: to, Lane: LaneNotice, Message: m, GiveUp: d.now.Add(time.Hour)})
}

func (d *desk) clock(reader chat.Address, at time.Time) chat.Text {
	return chat.At(at.In(d.c.zoneOf(reader)), chat.Clock)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
