package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// offFor is how long a row without a time to give up waits for a network that is
// switched off. An alert that fires on is told at another address then.
const offFor = 24 * time.Hour

// errOff: the network is not in the configuration.
var errOff = errors.New("switched off")

// Expire settles what waits for a network that is switched off, until ctx ends or
// the store fails: rows are given up when their time is over, and those that have
// none after a day. Until then they wait, with the reason on record: if the
// network is switched on again, they are sent.
func (b *Bot) Expire(ctx context.Context, n chat.Network) error {
	b.bells.switchOff(n)
	return b.deliver(ctx, off(n))
}

// off is a network that is switched off.
type off chat.Network

// Network returns its name.
func (o off) Network() chat.Network { return chat.Network(o) }

// Send fails: nothing is sent.
func (o off) Send(context.Context, chat.Outgoing) (chat.Ref, error) {
	return chat.Ref{}, fmt.Errorf("%s is %w: the configuration has no bot token for it", chat.Network(o), errOff)
}

// Edit fails likewise.
func (o off) Edit(context.Context, chat.Ref, chat.Message) error {
	_, err := o.Send(context.Background(), chat.Outgoing{})
	return err
}

// gaveUp is when an attempt's row is too old to be tried again; zero: never.
func gaveUp(r Row, err error) time.Time {
	if r.GiveUp.IsZero() && errors.Is(err, errOff) {
		return r.Added.Add(offFor)
	}
	return r.GiveUp
}

// NetworkStopped tells the administrators, at their addresses on other networks,
// that a network has stopped for good and why: once a day, however often the
// program is restarted. Somebody with addresses on several networks in the
// configuration is told at the first that can be reached.
func (b *Bot) NetworkStopped(n chat.Network, reason error) error {
	c, now := b.config.Load(), time.Now()
	why := strings.TrimSuffix(reason.Error(), ": "+chat.ErrFinal.Error())
	m := note(fmt.Sprintf("I am cut off from %s", n), chat.T(fmt.Sprintf("%s does not have me back: %s.", n, why)),
		chat.Join(chat.T("Nobody there is answered, and nothing is sent there. "), chat.Code("floorwalker doctor"),
			chat.T(" says what to mend; then restart me. What waits is sent if its time is not over.")))
	m.Tone = chat.Critical
	told := 0
	_, err := b.atDesk(now, func(d *desk) {
		told = 0
		for _, addr := range c.Admins {
			others := c.elsewhere(addr, n)
			if len(others) == 0 {
				continue
			}
			to := d.contact(others)
			told++
			d.notice(Row{
				Key: strings.Join([]string{"notice/stopped", string(n), d.now.Format(time.DateOnly), to.String()}, "/"),
				To:  to, Message: m, GiveUp: d.now.Add(7 * 24 * time.Hour),
			})
		}
	})
	if err != nil {
		return fmt.Errorf("tell the administrators that %s stopped: %w", n, err)
	}
	if told == 0 {
		b.log.Error("no administrator is told that a network stopped: none has an address on another", "network", n)
	}
	return nil
}

// elsewhere returns the addresses of a person that are not on a network, the one
// given first.
func (c *Config) elsewhere(addr chat.Address, n chat.Network) []chat.Address {
	all := append([]chat.Address{addr}, c.samePerson(addr)...)
	return slices.DeleteFunc(all, func(a chat.Address) bool { return a.Network == n })
}
