package store

import (
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// Amend implements [bot.Tx].
func (t liveTx) Amend(key string, m chat.Message, notBefore time.Time) (amended bool, err error) {
	f, seq, found, err := t.rowOf(key)
	if err != nil || !found || f.State != bot.RowPending || f.InDoubt {
		return false, err
	}
	f.Message = &m
	if f.Attempts == 0 { // else the network has said when to try again
		f.NotBefore, f.Next = notBefore.UTC(), notBefore.UTC()
	}
	return true, t.putRow(seq, f)
}

// PutOff implements [bot.Tx].
func (t liveTx) PutOff(key string, notBefore time.Time) (moved bool, err error) {
	f, seq, found, err := t.rowOf(key)
	if err != nil || !found || f.State != bot.RowPending || f.InDoubt || f.Attempts > 0 {
		return false, err
	}
	if !f.GiveUp.IsZero() && !f.NotBefore.IsZero() {
		f.GiveUp = notBefore.Add(f.GiveUp.Sub(f.NotBefore)).UTC()
	}
	f.NotBefore, f.Next = notBefore.UTC(), notBefore.UTC()
	return true, t.putRow(seq, f)
}

// Audit implements [bot.Tx].
func (t liveTx) Audit(e bot.AuditEntry) error {
	e.At = stamp(e.At)
	return t.record(e)
}
