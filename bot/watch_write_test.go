package bot_test

import (
	"sync"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/dashboard"
)

// order is a store that compares what is in history with what transactions see.
type order struct {
	bot.Store
	*orders
}

type orders struct {
	mu       sync.Mutex     // guards what follows
	stored   map[int64]bool // ticks in history
	recorded int            // batches in history
	judged   int            // and through their transaction
	most     int            // batches in history beyond those
	seen     int            // answers in transactions
	early    []int64        // ticks of those that history did not have
}

// AppendHistory notes what it stores.
func (o order) AppendHistory(samples []bot.AgentSample) error {
	err := o.Store.AppendHistory(samples)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range samples {
		o.stored[s.Tick.Unix()] = true
	}
	if len(samples) > 0 {
		o.recorded++
	}
	o.most = max(o.most, o.recorded-o.judged)
	return err
}

// Update takes its time.
func (o order) Update(f func(bot.Tx) error) error {
	time.Sleep(30 * time.Second)
	o.mu.Lock()
	before := o.seen
	o.mu.Unlock()
	err := o.Store.Update(func(tx bot.Tx) error { return f(orderTx{tx, o.orders}) })
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen > before {
		o.judged++
	}
	return err
}

// orderTx is a transaction of an [order].
type orderTx struct {
	bot.Tx
	*orders
}

// SaveSeen notes an answer.
func (t orderTx) SaveSeen(id bot.AgentID, seen bot.Seen) error {
	t.note(seen.Last)
	return t.Tx.SaveSeen(id, seen)
}

// SaveLast notes an answer.
func (t orderTx) SaveLast(id bot.AgentID, last dashboard.Counters) error {
	t.note(last)
	return t.Tx.SaveLast(id, last)
}

func (t orderTx) note(c dashboard.Counters) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen++
	if tick := c.At.Unix(); !t.stored[tick] {
		t.early = append(t.early, tick)
	}
}

// TestHistoryFirst: while a batch is in its transaction, the next goes to history;
// and no transaction has an answer that history does not have.
func TestHistoryFirst(t *testing.T) {
	c := everyMinute(t)
	c.PollInterval = 5 * time.Second
	inSite(t, c, func(s *site) {
		o := &orders{stored: map[int64]bool{}}
		s.wrap = func(st bot.Store) bot.Store { return order{st, o} }
		s.start()
		s.until("2026-03-02 17:10")
		s.stop()
		if o.most != 2 || o.seen < 50 || len(o.early) > 0 {
			t.Errorf("history is up to %d batches ahead, want 2; of %d answers in transactions, it lacked those of %v", o.most, o.seen, o.early)
		}
	})
}
