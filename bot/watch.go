package bot

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
)

const (
	// batchSize and batchAge bound what one commit holds, and how long a result
	// waits for it.
	batchSize = 256
	batchAge  = time.Second

	// finalFor is how long the poll at a shift's end is repeated until it
	// succeeds. Later, the counters would hold calls of after the shift.
	finalFor = 5 * time.Minute

	// pollFor bounds one poll, waiting for its turn included.
	pollFor = 30 * time.Second
)

// A poll is one question about one agent, due at its tick.
type poll struct {
	agent  Agent
	tick   time.Time
	final  time.Time         // the end of the shift, if this is the poll at that end
	shifts []schedule.Window // that run at the tick, or end with it
}

// polled is what came of a poll, or says that a round is over.
type polled struct {
	poll
	counters dashboard.Counters
	err      error
	end      *roster // not nil: all polls of the round came before this
}

// A watcher is one run of [Bot.Watch].
//
//	plan   one goroutine: lists the polls of a round, waits for each tick
//	polls  at most MaxInFlight goroutines: one question each
//	write  one goroutine: batches the results into the store
type watcher struct {
	b       *Bot
	results chan polled
	stretch time.Duration // length of the present round; owned by plan
	retry   []poll        // final polls that failed; guarded by mu
	mu      sync.Mutex
	floor   floor // owned by write
}

// Watch polls every linked agent of a team that is watched, once per interval
// while one of their shifts runs, at an offset of the interval that their id
// fixes, and once more when a shift ends. It stores what it hears, and returns
// when ctx ends or the store fails.
//
// When the agents are more than the interval can hold, it grows evenly for all.
func (b *Bot) Watch(ctx context.Context) error {
	w := &watcher{b: b, results: make(chan polled, batchSize), floor: floor{b: b}}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.write(ctx) })
	g.Go(func() error { return b.tendAlerts(ctx) })
	g.Go(func() error {
		defer close(w.results)
		return w.rounds(ctx)
	})
	return g.Wait()
}

// rounds plans and runs one round after another.
func (w *watcher) rounds(ctx context.Context) error {
	interval := w.b.config.Load().PollInterval
	start := time.Now().Truncate(interval)
	for ctx.Err() == nil {
		c := w.b.config.Load()
		polls, who, length, err := w.plan(c, start)
		if err != nil {
			return err
		}
		w.note(ctx, length, c, len(polls))
		if err := w.run(ctx, c, polls); err != nil {
			return err
		}
		w.hand(ctx, polled{end: who})
		w.b.watching.round(start, length, len(polls))
		start = start.Add(length)
		if late := time.Since(start); late > 0 {
			// The source is slower than the interval. Begin at once, in step.
			start = start.Add(late.Truncate(time.Second))
		}
		sleepUntil(ctx, start)
	}
	return nil
}

// note says in the log when the interval changes.
func (w *watcher) note(ctx context.Context, length time.Duration, c *Config, polls int) {
	if length == w.stretch || w.stretch == 0 && length == c.PollInterval {
		w.stretch = length
		return
	}
	w.stretch = length
	w.b.log.WarnContext(ctx, "poll interval changed", "interval", length, "configured", c.PollInterval, "agents", polls)
}

// plan lists the polls of the round that begins at start, in the order of their
// ticks, and says who is there and how long the round is.
func (w *watcher) plan(c *Config, start time.Time) ([]poll, *roster, time.Duration, error) {
	var agents []Agent
	who := &roster{map[AgentID]bool{}, map[string][]AgentID{}}
	for a, err := range w.b.store.Agents() {
		if err != nil {
			return nil, nil, 0, fmt.Errorf("list the agents to poll: %w", err)
		}
		who.add(c, a, start)
		if a.State == LinkActive || a.State == LinkUnverified {
			agents = append(agents, a)
		}
	}
	length := c.roundLength(len(agents))
	var polls []poll
	for _, a := range agents {
		polls = append(polls, c.polls(a, start, length)...)
	}
	for _, p := range polls {
		if !p.final.IsZero() {
			w.b.watching.expect(p.final)
		}
	}
	polls = append(polls, w.repeats(start)...) // expected already
	slices.SortStableFunc(polls, func(a, b poll) int { return a.tick.Compare(b.tick) })
	return polls, who, length, nil
}

// roundLength is the interval, or longer if the limit of requests needs it.
// A twentieth is left for people's own questions.
func (c *Config) roundLength(agents int) time.Duration {
	need := time.Duration(float64(agents) / (0.95 * c.RequestsPerSecond) * float64(time.Second))
	return max(c.PollInterval, need.Truncate(time.Second)+time.Second*time.Duration(min(1, need%time.Second)))
}

// polls returns the polls of an agent in a round: one at the agent's own offset
// if a shift runs then, and one at the end of every shift that ends.
func (c *Config) polls(a Agent, start time.Time, length time.Duration) []poll {
	rotas := c.watched(a)
	if len(rotas) == 0 {
		return nil
	}
	var polls []poll
	tick := start.Add(offset(a.ID, length))
	if shifts := rotas.Current(tick); len(shifts) > 0 {
		polls = append(polls, poll{agent: a, tick: tick, shifts: shifts})
	}
	end := start.Add(length)
	for _, r := range rotas {
		for _, shift := range r.Occurrences(schedule.Span{Start: start, End: end}) {
			if shift.End.After(start) && !shift.End.After(end) {
				polls = append(polls, poll{agent: a, tick: shift.End, final: shift.End, shifts: append(rotas.Current(shift.End), shift)})
			}
		}
	}
	return polls
}

// watched returns the rotas of an agent's teams that are watched.
func (c *Config) watched(a Agent) schedule.Rotas {
	names := c.teamsOf(a)
	var rotas schedule.Rotas
	for _, t := range c.Teams {
		if t.Poll && slices.Contains(names, t.Name) {
			rotas = append(rotas, t.Rota)
		}
	}
	return rotas
}

// offset is the place of an agent in a round: proportional to the id, which is
// random, so that agents are polled evenly and in the order of their keys.
func offset(id AgentID, length time.Duration) time.Duration {
	var first [2]byte
	hex.Decode(first[:], []byte(id)[:min(4, len(id))]) // an id is hex, says AgentID
	part := float64(uint(first[0])<<8|uint(first[1])) / (1 << 16)
	return time.Duration(part * float64(length)).Truncate(time.Second)
}

// repeats takes the final polls that are to be tried again.
func (w *watcher) repeats(start time.Time) []poll {
	w.mu.Lock()
	defer w.mu.Unlock()
	var again []poll
	for _, p := range w.retry {
		if start.Sub(p.final) > finalFor {
			w.b.watching.land(p.final) // given up
			continue
		}
		again = append(again, p)
	}
	w.retry = nil
	return again
}

// run asks the questions of a round, each at its tick, and returns when all are
// answered.
func (w *watcher) run(ctx context.Context, c *Config, polls []poll) error {
	var g errgroup.Group
	g.SetLimit(max(1, c.MaxInFlight))
	for _, p := range polls {
		if !sleepUntil(ctx, p.tick) {
			break
		}
		g.Go(func() error {
			w.ask(ctx, p)
			return nil
		})
	}
	return g.Wait()
}

// ask carries out one poll and hands the result on.
func (w *watcher) ask(ctx context.Context, p poll) {
	asking, cancel := context.WithTimeoutCause(ctx, pollFor, errors.New("the poll took too long"))
	defer cancel()
	counters, err := w.b.fetch(asking, p.agent)
	if ctx.Err() != nil {
		return
	}
	w.hand(ctx, polled{poll: p, counters: counters, err: err})
}

// hand gives a result to the writer.
func (w *watcher) hand(ctx context.Context, p polled) {
	select {
	case w.results <- p:
	case <-ctx.Done():
	}
}

// write commits results in batches until the channel is closed.
func (w *watcher) write(ctx context.Context) error {
	var batch []polled
	age := time.NewTimer(batchAge)
	defer age.Stop()
	for {
		select {
		case p, ok := <-w.results:
			if !ok {
				return w.commit(ctx, batch, nil)
			}
			if p.end != nil {
				if err := w.commit(ctx, batch, p.end); err != nil {
					return err
				}
				batch = batch[:0]
				continue
			}
			if len(batch) == 0 {
				age.Reset(batchAge)
			}
			if batch = append(batch, p); len(batch) < batchSize {
				continue
			}
		case <-age.C:
		}
		if err := w.commit(ctx, batch, nil); err != nil {
			return err
		}
		batch = batch[:0]
	}
}

// commit stores a batch: history first, which is idempotent, then what follows
// from it in one transaction. On a full disk the batch is a gap. end is not nil
// with the last batch of a round.
func (w *watcher) commit(ctx context.Context, batch []polled, end *roster) error {
	if len(batch) == 0 && end == nil {
		return nil
	}
	c, now := w.b.config.Load(), time.Now()
	alerts := w.floor.take(ctx, c, batch, end, now)
	var samples []AgentSample
	for _, p := range batch {
		if s, ok := c.sample(p); ok {
			samples = append(samples, s)
		}
	}
	err := w.b.store.AppendHistory(samples)
	if err == nil {
		err = w.b.store.Update(func(tx Tx) error {
			if err := w.b.judge(tx, c, batch); err != nil {
				return err
			}
			if err := alerts.judge(tx); !errors.Is(err, errIdle) || len(batch) == 0 {
				return err
			}
			return nil
		})
	}
	switch {
	case errors.Is(err, errIdle):
		return nil
	case errors.Is(err, ErrNotSaved):
		w.b.log.ErrorContext(ctx, "polls not saved", "agents", len(batch), "err", err)
		w.b.watching.full(true)
		return nil
	case err != nil:
		return fmt.Errorf("store %d polls: %w", len(batch), err)
	}
	w.b.watching.full(false)
	w.landed(batch)
	w.b.poke()
	if alerts.rows {
		w.b.bells.ring()
	}
	return nil
}

// sample is what history keeps of a poll: the answer, or that the agent is not
// logged in. A poll that failed is a gap and leaves nothing.
func (c *Config) sample(p polled) (AgentSample, bool) {
	class, failed := dashboard.ClassOf(p.err)
	switch {
	case !failed && p.err == nil:
		return AgentSample{p.agent.ID, c.Metrics.Sample(p.counters, p.tick)}, true
	case failed && class == dashboard.ClassOffShift:
		return AgentSample{p.agent.ID, stats.Sample{Tick: p.tick.UTC(), Out: true}}, true
	}
	return AgentSample{}, false
}

// landed notes which final polls are done, and keeps those that failed.
func (w *watcher) landed(batch []polled) {
	for _, p := range batch {
		if p.final.IsZero() {
			continue
		}
		class, failed := dashboard.ClassOf(p.err)
		if !failed || class != dashboard.ClassTransient {
			w.b.watching.land(p.final)
			continue
		}
		w.mu.Lock()
		w.retry = append(w.retry, p.poll)
		w.mu.Unlock()
	}
}

// judge is the part of a batch that happens in the transaction.
func (b *Bot) judge(tx Tx, c *Config, batch []polled) error {
	for _, p := range batch {
		if p.err == nil {
			seen, err := tx.Seen(p.agent.ID)
			if err != nil {
				return err
			}
			if err := tx.SaveSeen(p.agent.ID, seen.with(p.counters, c)); err != nil {
				return err
			}
		}
		if err := b.judgeLink(tx, c, p); err != nil {
			return err
		}
	}
	return nil
}

// judgeLink records that a credential stopped or started to work. A person whose
// credential is refused is told, once.
func (b *Bot) judgeLink(tx Tx, c *Config, p polled) error {
	state, reason := linkState(p.agent.State, p.err)
	if state == p.agent.State {
		return nil
	}
	if err := tx.SetLinkState(p.agent.ID, state, reason, p.tick); err != nil && !errors.Is(err, ErrNotLinked) {
		return err
	}
	if state != LinkRelink {
		return nil
	}
	to := p.agent.Addresses[0]
	_, err := tx.Enqueue(Row{
		Key: strings.Join([]string{"notice/relink", string(p.agent.ID), p.tick.In(c.Zone).Format(time.DateOnly), to.String()}, "/"),
		To:  to, Lane: LaneNotice, Message: relinkNotice(c, to), GiveUp: p.tick.Add(24 * time.Hour),
	})
	return err
}

// relinkNotice tells a person that their credential is refused.
func relinkNotice(c *Config, to chat.Address) chat.Message {
	r := &request{config: c}
	r.From, r.SecretForms = to, to.Network != chat.Discord
	return note("Link again", chat.T("The dashboard does not accept your credential any more, so I stopped asking with it."),
		chat.Join(chat.T("It may have expired: your account needs a new one. "), linkAdvice(r)), linkAction(r)...)
}

// sleepUntil waits for a time and reports whether ctx is still alive then. A
// wall clock that is set while it waits is noticed within half a minute.
func sleepUntil(ctx context.Context, t time.Time) bool {
	for {
		wait := time.Until(t.Round(0))
		if wait <= 0 || ctx.Err() != nil {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(min(wait, 30*time.Second))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}
