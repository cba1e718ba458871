package store

import (
	"time"

	"floorwalker/bot"
)

// Update runs f in one transaction, see [bot.Live]. f must use nothing of the
// store but its argument.
func (s *Store) Update(f func(bot.Tx) error) error {
	return s.update(func(t txn) error { return f(liveTx{t}) })
}

// View runs f in a transaction that reads, see [bot.Live]. The methods of its
// argument that write return an error.
func (s *Store) View(f func(bot.Tx) error) error {
	return s.view(func(t txn) error { return f(liveTx{t}) })
}

// liveTx is a transaction as the bot sees it.
type liveTx struct{ txn }

var _ bot.Tx = liveTx{}

// SetLinkState implements [bot.Tx].
func (t liveTx) SetLinkState(id bot.AgentID, state bot.LinkState, reason string, at time.Time) (changed bool, err error) {
	return t.setLinkState(id, state, reason, at)
}

// Once implements [bot.Tx].
func (t liveTx) Once(requestID string) error { return t.once(requestID) }

// Enqueue implements [bot.Tx]. A zero Added of the row becomes now.
func (t liveTx) Enqueue(r bot.Row) (added bool, err error) { return t.enqueue(r) }

// Row implements [bot.Tx].
func (t liveTx) Row(key string) (r bot.Row, found bool, err error) {
	f, seq, found, err := t.rowOf(key)
	if !found || err != nil {
		return bot.Row{}, false, err
	}
	return f.row(seq), true, nil
}

// Cancel implements [bot.Tx].
func (t liveTx) Cancel(key, reason string, at time.Time) (cancelled bool, err error) {
	return t.cancel(key, reason, at)
}
