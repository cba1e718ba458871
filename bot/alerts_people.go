package bot

import (
	"context"
	"slices"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// A recipient is somebody who is told of alerts, at the first of their addresses
// that can be reached.
type recipient struct {
	addr chat.Address
	rest []chat.Address // the others
}

// recipients returns who is told of a team's alerts: its supervisors. For "",
// which is the source, they are those of every team that works now, and the
// administrators.
func (d *desk) recipients(team string) []recipient {
	var list []recipient
	add := func(addresses []chat.Address) {
		to, ok := d.choose(addresses)
		if ok && !slices.ContainsFunc(list, func(r recipient) bool { return r.addr == to.addr }) {
			list = append(list, to)
		}
	}
	for _, t := range d.c.Teams {
		if t.Name != team && (team != "" || !t.Poll || len(schedule.Rotas{t.Rota}.Current(d.now)) == 0) {
			continue
		}
		for _, p := range t.Supervisors {
			add(p.Addresses)
		}
	}
	if team == "" {
		for _, addr := range d.c.Admins {
			add([]chat.Address{addr})
		}
	}
	return list
}

// recall takes out of a message that waits what is not its reader's business any
// more: who supervises a team was changed, and it names people.
func (d *desk) recall(b *bulletin) {
	foreign := func(m member) bool { return !d.c.mayHandle(b.To, m.Team) }
	if !slices.ContainsFunc(b.Members, foreign) || !d.unsent(b) {
		return
	}
	b.Members, b.changed = slices.DeleteFunc(b.Members, foreign), true
	if len(b.Members) == 0 {
		d.withhold(b, "the recipient does not supervise that team any more")
	}
}

// choose returns the first address of a person at which they can be reached,
// as far as is known.
func (d *desk) choose(addresses []chat.Address) (to recipient, ok bool) {
	for _, lost := range []bool{false, true} {
		for _, addr := range addresses {
			if d.reachable(addr) && (lost || d.now.Sub(d.reader(addr).Lost) > lostFor) {
				rest := slices.DeleteFunc(slices.Clone(addresses), func(a chat.Address) bool { return a == addr })
				return recipient{addr, rest}, true
			}
		}
	}
	return recipient{}, false
}

// lostFor is how long another address of a person is tried first, after one at
// which a message could not be delivered.
const lostFor = 24 * time.Hour

// reachable reports whether the bot may write to a person first. On Discord it
// may only after a command of their own.
func (d *desk) reachable(addr chat.Address) bool {
	return addr.Network != chat.Discord || !d.reader(addr).Met.IsZero()
}

// A reader is what is kept of somebody who gets alerts.
type reader struct {
	Quiet *schedule.QuietHours `json:"quiet,omitempty"` // their own; a zero one is never
	Met   time.Time            `json:"met,omitzero"`    // when they first typed a command
	Lost  time.Time            `json:"lost,omitzero"`   // when something could last not be delivered
	Sent  []time.Time          `json:"sent,omitempty"`  // when messages of the last hour were promised

	changed bool
}

// reader returns the record of an address.
func (d *desk) reader(addr chat.Address) *reader {
	if r := d.readers[addr]; r != nil {
		return r
	}
	r := new(reader)
	if d.err == nil {
		found, _, err := ReadRecord[reader](d.tx, RecordQuiet, addr.String())
		d.fail(err)
		*r = found
	}
	d.readers[addr] = r
	return r
}

// lately returns how many messages were promised in the last hour, and forgets
// the older ones.
func (r *reader) lately(now time.Time) int {
	r.Sent = slices.DeleteFunc(r.Sent, func(t time.Time) bool { return now.Sub(t) >= time.Hour || t.After(now) })
	return len(r.Sent)
}

// quietUntil reports whether somebody has quiet hours now, as they chose or,
// if they chose nothing, as the team has it.
func (d *desk) quietUntil(addr chat.Address, team string) (time.Time, bool) {
	if own := d.reader(addr).Quiet; own != nil {
		return own.Until(d.now, d.c.zoneOf(addr))
	}
	if t, ok := d.c.team(team); ok {
		return t.QuietHours.Until(d.now, t.Zone)
	}
	return d.allQuietUntil(addr)
}

// allQuietUntil is quietUntil for what is about all teams: it is quiet while it is
// in each team of a supervisor's that works now.
func (d *desk) allQuietUntil(addr chat.Address) (until time.Time, quiet bool) {
	for _, name := range d.c.supervises(addr) {
		t, _ := d.c.team(name)
		if !t.Poll || len(schedule.Rotas{t.Rota}.Current(d.now)) == 0 {
			continue
		}
		end, inIt := t.QuietHours.Until(d.now, t.Zone)
		if !inIt {
			return time.Time{}, false
		}
		if !quiet || end.Before(until) {
			until, quiet = end, true
		}
	}
	return until, quiet
}

// afterQuiet puts a digest for a supervisor off until their quiet hours are over;
// it then has as long to be delivered as another.
func (d *desk) afterQuiet(due dueDigest, r Row) Row {
	if !due.digest.ToSupervisors {
		return r
	}
	if until, quiet := d.quietUntil(r.To, due.team.Name); quiet {
		r.NotBefore, r.GiveUp = until, later(r.GiveUp, until.Add(max(due.digest.Schedule.CatchUp, schedule.OnTime)))
	}
	return r
}

// setQuiet keeps somebody's own quiet hours, and moves what waits for their end.
func (d *desk) setQuiet(addr chat.Address, q schedule.QuietHours) {
	r := d.reader(addr)
	r.Quiet, r.changed, d.wrote = &q, true, true
	for _, b := range d.bulletinsTo(addr) {
		if b.Kind != kindQuiet || !d.unsent(b) {
			continue
		}
		b.Due, b.changed = d.now, true
		if until, quiet := d.quietUntil(addr, ""); quiet {
			b.Due = until
		}
	}
	d.moveDigests(addr)
}

// moveDigests moves the digests that wait for the end of somebody's quiet hours to
// the end that these have now.
func (d *desk) moveDigests(addr chat.Address) {
	if d.err != nil {
		return
	}
	waiting, err := d.tx.Waiting(addr)
	d.fail(err)
	for _, row := range waiting {
		if row.Lane != LaneDigest || !row.NotBefore.After(d.now) {
			continue
		}
		until, quiet := d.quietUntil(addr, "")
		if !quiet {
			until = d.now
		}
		moved, err := d.tx.PutOff(row.Key, until)
		d.fail(err)
		d.wrote, d.rows = d.wrote || moved, d.rows || moved
	}
}

// meet notes that somebody types a command, and tells a supervisor what fires: on
// Discord nobody is written to before.
func (b *Bot) meet(ctx context.Context, r *request) {
	if r.From.Network != chat.Discord {
		return
	}
	if _, known := b.met.LoadOrStore(r.From, true); known {
		return
	}
	_, err := b.atDesk(time.Now(), func(d *desk) {
		reader := d.reader(r.From)
		if !reader.Met.IsZero() {
			return
		}
		reader.Met, reader.changed, d.wrote = d.now, true, true
		for _, o := range d.allOpen() {
			d.introduce(o, r.From)
		}
	})
	if err != nil {
		b.met.Delete(r.From)
		b.log.ErrorContext(ctx, "first contact not recorded", "from", r.From.String(), "err", err)
	}
}

// introduce tells somebody who can be reached only now of an open episode.
func (d *desk) introduce(o openEpisode, addr chat.Address) {
	for _, team := range o.teams() {
		mine := slices.ContainsFunc(d.recipients(team), func(r recipient) bool { return r.addr == addr })
		if mine && o.told(team) && !d.hears(o, addr) {
			d.tell(o, alert.StepFire, team, recipient{addr: addr})
		}
	}
}
