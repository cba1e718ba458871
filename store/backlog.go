package store

import (
	"slices"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// A Backlog is what of one lane waits to be sent on a network.
type Backlog struct {
	Lane            bot.Lane
	Pending, Leased int       // rows
	Due             time.Time // since when the row that could leave has been due longest; zero: none could
	Overrun         time.Time // when the oldest lease that is over ended, and the row still belongs to an attempt; zero: none
}

// Backlog counts what waits in the outbox, by lane; lanes in which nothing waits
// are left out. It reads the queue and no messages, in one short transaction.
func (s *Store) Backlog(network chat.Network, now time.Time) (lanes []Backlog, err error) {
	err = s.view(func(t txn) error {
		c := count{now: now, lanes: map[byte]*counted{}}
		if err := t.lines(network, c.line); err != nil {
			return err
		}
		for lane, n := range c.lanes {
			if n.oldest != 0 { // it may leave at once, so it has been due since it came
				row, err := t.rowAt(n.oldest)
				if err != nil && !t.damages.pass(rowName(n.oldest), err) {
					return err
				}
				if err == nil {
					n.since(row.Added)
				}
			}
			n.Lane = bot.Lane(lane)
			lanes = append(lanes, n.Backlog)
		}
		return nil
	})
	slices.SortFunc(lanes, func(a, b Backlog) int { return int(a.Lane - b.Lane) })
	return lanes, err
}

// A count is the lanes of a network as far as they are counted.
type count struct {
	now   time.Time
	lanes map[byte]*counted
}

// counted is one lane; oldest is the lowest number of a row that may leave at
// once, which says nothing of when it came.
type counted struct {
	Backlog
	oldest uint64
}

// since notes that a row has been due for so long.
func (n *counted) since(at time.Time) {
	if n.Due.IsZero() || at.Before(n.Due) {
		n.Due = at
	}
}

// line counts what waits for one address. Only the row whose turn it is can be
// late: the others wait for it.
func (c *count) line(line []place) {
	for _, p := range line {
		n := c.lane(p.lane)
		switch {
		case !p.leased:
			n.Pending++
		case c.now.Before(p.next):
			n.Leased++
		default:
			n.Leased++
			if n.Overrun.IsZero() || p.next.Before(n.Overrun) {
				n.Overrun = p.next
			}
		}
	}
	p, ok := turn(line, c.now)
	if !ok || p.leased || p.overdue(c.now) {
		return
	}
	switch n := c.lane(p.lane); {
	case !p.next.IsZero():
		n.since(p.next)
	case n.oldest == 0 || p.seq < n.oldest:
		n.oldest = p.seq
	}
}

func (c *count) lane(lane byte) *counted {
	if c.lanes[lane] == nil {
		c.lanes[lane] = &counted{}
	}
	return c.lanes[lane]
}
