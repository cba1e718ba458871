package bot

import (
	"fmt"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// saveLinkState records how a link stands after somebody has asked for their
// numbers; the answer tells themselves. Of an account that the dashboard denies
// the administrators are told, since nobody else can change that.
func (b *Bot) saveLinkState(a Agent, state LinkState, reason string, at time.Time) error {
	_, err := b.atDesk(at, func(d *desk) {
		changed, err := d.tx.SetLinkState(a.ID, state, reason, at)
		d.fail(err)
		d.wrote = d.wrote || changed
		if changed && state == LinkSuspended {
			d.tellAdminsSuspended(a)
		}
	})
	return err
}

// tellSuspended tells an agent, and the administrators, that the dashboard denies
// the account, so that nobody asks for it any more.
func (d *desk) tellSuspended(a Agent) {
	to := d.contact(a.Addresses)
	d.notice(Row{
		Key: d.suspendedKey(a, to), To: to, GiveUp: d.now.Add(24 * time.Hour),
		Message: note("Your account is suspended",
			chat.T("The dashboard says that your account is suspended or not allowed to read counters, so I stopped asking for your numbers."),
			chat.Join(chat.T("Your administrator can change that in the dashboard. Then "), chat.Code(d.c.typed(to.Network, "mystats", "")), chat.T(" brings them back."))),
	})
	d.tellAdminsSuspended(a)
}

func (d *desk) tellAdminsSuspended(a Agent) {
	m := note("An account is suspended",
		chat.T(fmt.Sprintf("The dashboard says that the account of %s (%s) is suspended or not allowed to read counters. I do not ask for it any more.", cut(a.called(), 40), addresses(a))),
		chat.T("Change that in the dashboard. It goes on when they ask for their numbers, or link again."))
	m.Tone = chat.Warning
	for _, admin := range d.c.Admins {
		to := d.contact(d.c.elsewhere(admin, ""))
		d.notice(Row{Key: d.suspendedKey(a, to) + "/admin", To: to, Message: m, GiveUp: d.now.Add(keepTrouble)})
	}
}

// suspendedKey is good for a day: who is told again sooner has tried in vain to
// come back.
func (d *desk) suspendedKey(a Agent, to chat.Address) string {
	return strings.Join([]string{"notice/suspended", string(a.ID), d.now.In(d.c.Zone).Format(time.DateOnly), to.String()}, "/")
}
