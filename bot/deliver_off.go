package bot

import (
	"context"
	"errors"
	"fmt"
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
