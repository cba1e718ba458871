package bot

import (
	"strconv"
	"strings"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
)

// A message can be deleted by whoever got it, and some networks stop to take
// edits after a while. An edit is then refused, and that is how the bot learns of
// it. What only keeps a message up to date is dropped from then on. What people
// must hear, such as another agent or the end, becomes a new message in its
// place: one, because the edits of that one are answered for themselves.

// waits reports whether the row is to be delivered, or being delivered.
func (r Row) waits() bool { return r.State == RowPending || r.State == RowLeased }

// lost reports whether the message of a bulletin cannot be edited: its last edit
// was refused, long before its time to give up.
func (d *desk) lost(b *bulletin) bool {
	edit, found := d.row(b.Edit)
	return found && edit.State == RowDead && edit.Settled.Before(edit.GiveUp.Add(-keepEdits/2))
}

// replace promises a new message in place of one that is lost, if there is
// anything in it that people must hear: not while a silence holds, and not
// before their quiet hours are over unless something critical is open.
func (d *desk) replace(b *bulletin, m chat.Message) {
	if !b.Vital {
		return
	}
	b.Vital = false
	if !d.audible(b) {
		d.unkept(b, "silenced, and the message is gone")
		return
	}
	b.Row, b.Edit, b.Due = d.nextKey(b), "", d.now
	if until, quiet := d.quietUntil(b.To, b.Members[0].Team); quiet && !d.urgent(b) {
		b.Due = until
	}
	r := d.reader(b.To)
	r.Sent, r.changed = append(r.Sent, d.now), true
	d.enqueue(Row{Key: b.Row, To: b.To, Lane: LaneAlert, Message: m, NotBefore: b.Due})
	d.carried(b, b.Row)
}

// nextKey returns a key for the message in place of one that is lost: a promise,
// if there is one to keep, else one more for what the refused edit was to bring,
// such as fire-2 after fire.
func (d *desk) nextKey(b *bulletin) string {
	if key, ok := d.promise(b); ok {
		return key
	}
	episode, step, to, _ := alert.ParseKey(b.Edit)
	step, _, _ = strings.Cut(step, "-edit-")
	for n := 2; ; n++ {
		if next := alert.Key(episode, step+"-"+strconv.Itoa(n), to); !d.promised(next) {
			return next
		}
	}
}

// labels are what silences look at. A silence of an agent hides nothing else,
// because no agent's id is written as the other subjects are.
func (m member) labels() alert.Labels {
	l := alert.Labels{Rule: m.Rule, Agent: m.Subject}
	if m.Team != "" {
		l.Teams = []string{m.Team}
	}
	return l
}

// audible reports whether a bulletin tells of anything that no silence holds
// back.
func (d *desk) audible(b *bulletin) bool {
	for _, m := range b.Members {
		if _, silenced := d.silenced(m.labels()); !silenced {
			return true
		}
	}
	return false
}

// urgent reports whether a bulletin tells of something critical that is open.
func (d *desk) urgent(b *bulletin) bool {
	for _, m := range b.Members {
		if o, open := d.open(m.Subject, m.Rule); open && m.Over == nil && o.Handling.Severity == alert.Critical {
			return true
		}
	}
	return false
}
