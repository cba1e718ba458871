package bot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// keepTrouble is how long administrators may be away and still be told of what
// they should mend.
const keepTrouble = 7 * 24 * time.Hour

// NetworkStopped tells the administrators, at their addresses on other networks,
// that a network has stopped for good and why: once a day, however often the
// program is restarted. Somebody with addresses on several networks in the
// configuration is told at the first that can be reached.
func (b *Bot) NetworkStopped(n chat.Network, reason error) error {
	why := strings.TrimSuffix(reason.Error(), ": "+chat.ErrFinal.Error())
	m := note(fmt.Sprintf("I am cut off from %s", n), chat.T(fmt.Sprintf("%s does not have me back: %s.", n, why)),
		chat.Join(chat.T("Nobody there is answered, and nothing is sent there. "), chat.Code("floorwalker doctor"),
			chat.T(" says what to mend; then restart me. What waits is sent if its time is not over.")))
	m.Tone = chat.Critical
	now := time.Now()
	told, err := b.tellAdmins("stopped/"+string(n)+"/"+now.UTC().Format(time.DateOnly), n, m, now)
	if err != nil {
		return fmt.Errorf("tell the administrators that %s stopped: %w", n, err)
	}
	if told == 0 {
		b.log.Error("no administrator is told that a network stopped: none has an address on another", "network", n)
	}
	return nil
}

// channelTrouble tells the administrators of a team's channel that is gone, or
// that the bot may not write to, once a week: somebody has to mend that, and
// nobody else would hear of it.
func (b *Bot) channelTrouble(to chat.Address, reason error, now time.Time) error {
	c := b.config.Load()
	i := slices.IndexFunc(c.Teams, func(t Team) bool { return slices.Contains(t.Channels, to) })
	if i < 0 {
		return nil
	}
	next := "What is for it waits for a while. I try again every few minutes."
	why := strings.TrimSuffix(reason.Error(), ": "+chat.ErrBarred.Error())
	if errors.Is(reason, chat.ErrGone) {
		next = "What is for it is not posted. Correct it under teams in the configuration, or bring it back."
		why = strings.TrimSuffix(reason.Error(), ": "+chat.ErrGone.Error())
	}
	m := note("A channel cannot be written to", chat.T(fmt.Sprintf("%s of the team %s: %s.", to, cut(c.Teams[i].Name, 40), why)), chat.T(next))
	m.Tone = chat.Warning
	year, week := now.UTC().ISOWeek()
	if _, err := b.tellAdmins(fmt.Sprintf("channel/%s/%d-W%02d", to, year, week), "", m, now); err != nil {
		return fmt.Errorf("tell the administrators of %s: %w", to, err)
	}
	return nil
}

// tellAdmins promises each administrator a notice, at an address that is not on
// a network, "" for any, and returns how many have one.
func (b *Bot) tellAdmins(what string, not chat.Network, m chat.Message, now time.Time) (told int, err error) {
	c := b.config.Load()
	_, err = b.atDesk(now, func(d *desk) {
		told = 0
		for _, addr := range c.Admins {
			others := c.elsewhere(addr, not)
			if len(others) == 0 {
				continue
			}
			told++
			to := d.contact(others)
			d.notice(Row{Key: strings.Join([]string{"notice", what, to.String()}, "/"), To: to, Message: m, GiveUp: d.now.Add(keepTrouble)})
		}
	})
	return told, err
}

// elsewhere returns the addresses of a person that are not on a network, the one
// given first.
func (c *Config) elsewhere(addr chat.Address, n chat.Network) []chat.Address {
	all := append([]chat.Address{addr}, c.samePerson(addr)...)
	return slices.DeleteFunc(all, func(a chat.Address) bool { return a.Network == n })
}
