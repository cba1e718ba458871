package bot

import (
	"context"
	"errors"
	"time"

	"floorwalker/dashboard"
)

// A Judging is the part of the watch that judges rules, for benchmarks: the
// writer without its loop, without history and without snapshots.
type Judging struct {
	floor floor
	who   *roster
}

// NewJudging returns one that has seen nothing.
func NewJudging(b *Bot) *Judging { return &Judging{floor: floor{b: b}} }

// Round judges one round, in the batches of the watch: agent i answered with
// answers[i] at the tick.
func (j *Judging) Round(agents []Agent, answers []dashboard.Counters, tick time.Time) error {
	b := j.floor.b
	c := b.config.Load()
	if j.who == nil {
		j.who = &roster{map[AgentID]bool{}, map[string][]AgentID{}}
		for _, a := range agents {
			j.who.add(c, a, tick)
		}
	}
	shifts := c.watched(agents[0]).Current(tick)
	var batch []polled
	for i, a := range agents {
		p := polled{poll: poll{agent: a, tick: tick, shifts: shifts}, counters: answers[i]}
		p.sample = p.keep(c)
		batch = append(batch, p)
		if len(batch) < batchSize && i < len(agents)-1 {
			continue
		}
		var end *roster
		if i == len(agents)-1 {
			end = j.who
		}
		alerts := j.floor.take(context.Background(), c, batch, end, tick)
		if err := b.store.Update(alerts.judge); err != nil && !errors.Is(err, errIdle) {
			return err
		}
		batch = batch[:0]
	}
	return nil
}
