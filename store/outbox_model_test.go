package store

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	gocmp "github.com/google/go-cmp/cmp"
)

// An outboxModel is the outbox as a plain list, in which everything is looked for
// from the start.
type outboxModel struct {
	rows []bot.Row
	sent map[string]int // how often a key was given to the network
}

func (m *outboxModel) find(key string) *bot.Row {
	for i := range m.rows {
		if m.rows[i].Key == key {
			return &m.rows[i]
		}
	}
	return nil
}

// lease is what Lease is to do, said in another way.
func (m *outboxModel) lease(network chat.Network, now, until time.Time, n int) (leased []bot.Row) {
	for i := range m.rows {
		r := &m.rows[i]
		running := r.State == bot.RowLeased && r.Lease.After(now)
		waits := r.State == bot.RowPending || r.State == bot.RowLeased
		if r.To.Network == network && waits && !running && !r.GiveUp.IsZero() && !r.GiveUp.After(now) {
			r.InDoubt = r.InDoubt || r.State == bot.RowLeased
			r.State, r.Settled, r.Message = bot.RowDead, now, chat.Message{}
			r.Lease, r.Next = time.Time{}, time.Time{}
			if r.Reason != "" {
				r.Reason = ": " + r.Reason
			}
			r.Reason = "too late" + r.Reason
		}
	}
	order := slices.Clone(m.rows)
	slices.SortStableFunc(order, func(a, b bot.Row) int { return cmp.Compare(a.Lane, b.Lane) })
	closed := map[chat.Address]bool{}
	for _, r := range order {
		closed[r.To] = closed[r.To] || r.State == bot.RowLeased && r.Lease.After(now)
	}
	for _, r := range order {
		if r.To.Network != network || closed[r.To] || r.State != bot.RowPending && r.State != bot.RowLeased {
			continue
		}
		due := r.State == bot.RowLeased || !r.Next.After(now)
		closed[r.To] = due || r.Attempts > 0
		if due && len(leased) < n {
			row := m.find(r.Key)
			row.InDoubt = row.InDoubt || row.State == bot.RowLeased
			row.State, row.Lease, row.Attempts = bot.RowLeased, until, row.Attempts+1
			leased = append(leased, *row)
		}
	}
	return leased
}

// TestOutboxModel does random things, restarts included, to the outbox and to
// the model. In the end everything is delivered: each key once, and again only
// if there was a doubt.
func TestOutboxModel(t *testing.T) {
	for range 3 {
		r := randomSeed(t)
		s := open(t, testConfig(t))
		m := &outboxModel{sent: map[string]int{}}
		now := noon
		for step := range 300 {
			now = now.Add(time.Duration(r.IntN(20)) * time.Second)
			switch r.IntN(10) {
			case 0, 1, 2:
				m.enqueue(t, s, r, now)
			case 3, 4:
				m.leaseBoth(t, s, r, now)
			case 5, 6:
				m.settle(t, s, r, now)
			case 7:
				m.cancel(t, s, r, now)
			case 8:
				if step%10 == 0 {
					s = m.restart(t, s, now)
				}
			case 9:
				m.leaseBoth(t, s, r, now)
				m.settle(t, s, r, now)
			}
			m.compare(t, s)
			m.checkWake(t, s, now)
		}
		m.drain(t, s, r, now)
	}
}

func (m *outboxModel) enqueue(t *testing.T, s *Store, r *rand.Rand, now time.Time) {
	row := rowTo(fmt.Sprint("k", r.IntN(len(m.rows)+5)), fmt.Sprint([]string{"slack:U", "discord:U"}[r.IntN(2)], r.IntN(4)), bot.Lane(r.IntN(3)))
	row.Added = now
	if r.IntN(3) == 0 {
		row.NotBefore = now.Add(time.Duration(r.IntN(100)) * time.Second)
	}
	if r.IntN(3) == 0 {
		row.GiveUp = now.Add(time.Duration(r.IntN(200)) * time.Second)
	}
	err := s.Update(func(tx bot.Tx) error {
		if added, err := tx.Enqueue(row); added != (m.find(row.Key) == nil) || err != nil {
			t.Fatalf("enqueue %s: %v, %v", row.Key, added, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.find(row.Key) == nil {
		row.Seq, row.State, row.Next = uint64(len(m.rows)+1), bot.RowPending, row.NotBefore
		m.rows = append(m.rows, row)
	}
}

func (m *outboxModel) leaseBoth(t *testing.T, s *Store, r *rand.Rand, now time.Time) {
	network, until, n := []chat.Network{chat.Slack, chat.Discord}[r.IntN(2)], now.Add(time.Duration(10+r.IntN(30))*time.Second), r.IntN(4)
	got, _, err := s.Lease(network, now, until, n)
	if err != nil {
		t.Fatal(err)
	}
	want := m.lease(network, now, until, n)
	if !slices.EqualFunc(want, got, equal) {
		t.Fatal("leased otherwise:\n", gocmp.Diff(want, got))
	}
}

// settle sends a leased row, or fails to.
func (m *outboxModel) settle(t *testing.T, s *Store, r *rand.Rand, now time.Time) {
	for i := range m.rows {
		row := &m.rows[i]
		if row.State != bot.RowLeased || r.IntN(2) == 0 {
			continue
		}
		o := bot.Outcome{At: now, Attempt: row.Attempts}
		switch r.IntN(6) {
		case 0:
			o.State, o.Reason = bot.RowDead, "gone"
		case 5:
			o.State, o.Reason = bot.RowCancelled, "not wanted"
		case 1:
			o.State, o.Next, o.Reason = bot.RowPending, now.Add(time.Duration(r.IntN(60))*time.Second), "busy"
		case 2:
			o.State, o.Next, o.Reason, o.InDoubt = bot.RowPending, now.Add(time.Second), "no answer", true
			m.sent[row.Key]++
		default:
			o.State, o.Ref = bot.RowSent, chat.Ref{Network: row.To.Network, ID: row.Key}
			m.sent[row.Key]++
		}
		settle(t, s, row.Key, o)
		row.State, row.Reason, row.Ref, row.Next, row.Lease = o.State, o.Reason, o.Ref, o.Next, time.Time{}
		row.InDoubt = row.InDoubt || o.InDoubt
		if o.State != bot.RowPending {
			row.Settled, row.Message, row.Next = now, chat.Message{}, time.Time{}
		}
	}
}

func (m *outboxModel) cancel(t *testing.T, s *Store, r *rand.Rand, now time.Time) {
	if len(m.rows) == 0 {
		return
	}
	row := &m.rows[r.IntN(len(m.rows))]
	want := row.State == bot.RowPending && !row.InDoubt
	err := s.Update(func(tx bot.Tx) error {
		if ok, err := tx.Cancel(row.Key, "resolved", now); ok != want || err != nil {
			t.Fatalf("cancel %s: %v, %v, want %v", row.Key, ok, err, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want {
		row.State, row.Reason, row.Settled, row.Message, row.Next = bot.RowCancelled, "resolved", now, chat.Message{}, time.Time{}
	}
}

// restart kills the bot: what was leased may have been sent, or not.
func (m *outboxModel) restart(t *testing.T, s *Store, now time.Time) *Store {
	s = reopen(t, s)
	leased := 0
	for i := range m.rows {
		row := &m.rows[i]
		if row.State != bot.RowLeased {
			continue
		}
		leased++
		if leased%2 == 0 {
			m.sent[row.Key]++
		}
		row.State, row.InDoubt, row.Next, row.Lease = bot.RowPending, true, now, time.Time{}
	}
	if n, err := s.Recover(now); n != leased || err != nil {
		t.Fatalf("recovered %d, %v, want %d", n, err, leased)
	}
	return s
}

func equal(a, b bot.Row) bool { return reflect.DeepEqual(a, b) }

func (m *outboxModel) compare(t *testing.T, s *Store) {
	t.Helper()
	if got := collect(t, s.Rows()); !slices.EqualFunc(m.rows, got, equal) {
		t.Fatal(gocmp.Diff(m.rows, got))
	}
}

// checkWake tries a lease at the time of the next wake and just before it: there
// is something to do then, and nothing earlier.
func (m *outboxModel) checkWake(t *testing.T, s *Store, now time.Time) {
	t.Helper()
	next, err := s.Wake(chat.Slack)
	if err != nil {
		t.Fatal(err)
	}
	work := func(now time.Time) bool {
		trial := &outboxModel{rows: slices.Clone(m.rows)}
		trial.lease(chat.Slack, now, now.Add(time.Hour), 1)
		return !slices.EqualFunc(trial.rows, m.rows, equal)
	}
	switch {
	case next.IsZero():
		if work(now.Add(1000 * time.Hour)) {
			t.Fatal("never wakes, and there is something to do")
		}
	case !next.After(now):
		if !work(now) {
			t.Fatalf("wakes at %v for nothing", next)
		}
	default:
		if work(next.Add(-time.Microsecond)) || !work(next) {
			t.Fatalf("wakes at %v: too late, or for nothing", next)
		}
	}
}

// drain delivers what is left.
func (m *outboxModel) drain(t *testing.T, s *Store, r *rand.Rand, now time.Time) {
	waits := func(r bot.Row) bool { return r.State == bot.RowPending || r.State == bot.RowLeased }
	for n := 0; n < 2000 && slices.ContainsFunc(m.rows, waits); n++ {
		now = now.Add(time.Minute)
		m.leaseBoth(t, s, r, now)
		m.settle(t, s, r, now)
	}
	m.compare(t, s)
	for _, row := range m.rows {
		switch n := m.sent[row.Key]; {
		case waits(row):
			t.Errorf("%s is %s in the end", row.Key, row.State)
		case row.State == bot.RowSent && n == 0, n > 1 && !row.InDoubt:
			t.Errorf("%s was sent %d times, in doubt: %v", row.Key, n, row.InDoubt)
		}
	}
}
