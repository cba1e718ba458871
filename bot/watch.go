package bot

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

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
	sample   stats.Sample // what history keeps of it; its Tick is zero for nothing
	err      error
	end      *roster // not nil: all polls of the round came before this
}

// A watcher is one run of [Bot.Watch].
//
//	plan    one goroutine: lists the polls of a round, waits for each tick
//	polls   at most MaxInFlight goroutines: one question each at a time
//	record  one goroutine: puts the results together, and into history
//	write   one goroutine: judges what history has, and writes the rest
type watcher struct {
	b       *Bot
	results chan polled
	batches chan batch    // without room: see record
	stopped chan struct{} // closed when nobody takes batches any more
	stretch time.Duration // length of the present round; owned by plan
	planned time.Time     // up to where the ends of shifts are planned; owned by plan
	many    int           // agents of the last round, for space; owned by plan
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
	w := &watcher{
		b: b, results: make(chan polled, batchSize), batches: make(chan batch), stopped: make(chan struct{}),
		floor: floor{b: b},
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(w.stopped)
		return w.write(ctx)
	})
	g.Go(func() error {
		defer close(w.batches)
		w.record()
		return nil
	})
	g.Go(func() error { return b.tendAlerts(ctx) })
	g.Go(func() error {
		defer close(w.results)
		return w.rounds(ctx)
	})
	return g.Wait()
}

// rounds plans and runs one round after another.
func (w *watcher) rounds(ctx context.Context) error {
	now := time.Now().Round(0)
	start := now.Truncate(w.b.config.Load().PollInterval)
	w.planned = now.Add(-finalFor) // shifts that ended while nobody watched are asked about once more
	for ctx.Err() == nil {
		c := w.b.config.Load()
		r, polls, who, err := w.plan(ctx, c, start)
		if err != nil {
			return err
		}
		w.note(ctx, r.length, c, len(polls))
		whole := w.run(ctx, c, polls)
		w.hand(ctx, polled{end: who})
		w.b.watching.round(start, r.length, len(polls))
		start = r.next(time.Now())
		if !whole || !sleepUntil(ctx, start) {
			// The clock was set back. Begin anew, instead of leaving everybody
			// alone until it has caught up.
			start = time.Now().Round(0).Truncate(time.Second)
		}
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
// ticks, and says who is there.
func (w *watcher) plan(ctx context.Context, c *Config, start time.Time) (round, []poll, *roster, error) {
	agents, who, err := w.agents(ctx, c, start)
	if err != nil {
		return round{}, nil, nil, err
	}
	r := round{start: start, length: c.PollInterval, from: earlier(w.planned, start)}
	table := c.timetable(r)
	working := 0
	for _, a := range agents {
		if len(table.of(a)) > 0 {
			working++
		}
	}
	if length := c.roundLength(working); length > r.length {
		r.length = length
		table = c.timetable(r)
	}
	polls := make([]poll, 0, len(agents))
	for _, a := range agents {
		polls = r.polls(polls, a, table.of(a))
	}
	for _, p := range polls {
		if !p.final.IsZero() {
			w.b.watching.expect(p.final)
		}
	}
	w.planned = r.end()
	w.b.watching.plan(w.planned)
	polls = append(polls, w.repeats(start)...) // expected already
	slices.SortStableFunc(polls, func(a, b poll) int { return a.tick.Compare(b.tick) })
	return r, polls, who, nil
}

// agents lists those whose credential may work, and says who is there. One whose
// record cannot be read is there, and not asked about.
func (w *watcher) agents(ctx context.Context, c *Config, at time.Time) ([]Agent, *roster, error) {
	list := make([]Agent, 0, w.many)
	who := &roster{make(map[AgentID]bool, w.many), map[string][]AgentID{}}
	defer func() { w.many = len(who.linked) }()
	for a, err := range w.b.store.Agents() {
		switch {
		case err != nil && a.ID == "":
			return nil, nil, fmt.Errorf("list the agents to poll: %w", err)
		case err != nil:
			w.b.log.ErrorContext(ctx, "an agent is not polled, because its record cannot be read", "agent", a.ID, "err", err)
			who.linked[a.ID] = true
			continue
		}
		who.add(c, a, at)
		if a.State == LinkActive || a.State == LinkUnverified {
			list = append(list, a)
		}
	}
	return list, who, nil
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
// answered; false if it had to break off.
func (w *watcher) run(ctx context.Context, c *Config, polls []poll) (whole bool) {
	var g errgroup.Group
	askers := min(max(1, c.MaxInFlight), len(polls))
	due := make(chan poll, askers) // with room, so that whoever is free to ask need not wait for us
	for range askers {
		g.Go(func() error {
			for p := range due {
				if p, ok := p.asked(c, time.Now()); ok {
					w.ask(ctx, p)
				}
			}
			return nil
		})
	}
	defer g.Wait()
	defer close(due)
	for i, p := range polls {
		if !sleepUntil(ctx, p.tick) {
			w.forgo(polls[i:])
			return false
		}
		due <- p
	}
	return true
}

// forgo gives up what is left of a round. What the next one covers, it asks.
func (w *watcher) forgo(polls []poll) {
	for _, p := range polls {
		if !p.final.IsZero() {
			w.b.watching.land(p.final)
		}
	}
}

// ask carries out one poll and hands the result on.
func (w *watcher) ask(ctx context.Context, p poll) {
	counters, err := w.b.fetch(ctx, p.agent, dashboard.Query{Fresh: true, Within: pollFor})
	if ctx.Err() != nil {
		return
	}
	done := polled{poll: p, counters: counters, err: err}
	done.sample = done.keep(w.b.config.Load())
	w.hand(ctx, done)
}

// hand gives a result to the writer.
func (w *watcher) hand(ctx context.Context, p polled) {
	select {
	case w.results <- p:
	case <-ctx.Done():
	}
}

// clockStep is by how much the clock must have been set back for it to matter: a
// wait gets longer by as much.
const clockStep = time.Minute

// sleepUntil waits for a time and reports whether it has come; false if ctx ended
// or the clock was set back meanwhile. That the clock was set, either way, is
// noticed within half a minute.
func sleepUntil(ctx context.Context, t time.Time) bool {
	t = t.Round(0)
	for before := time.Until(t); ; {
		left := time.Until(t)
		wait, ok := nap(before, left)
		switch {
		case ctx.Err() != nil || !ok:
			return false
		case wait == 0:
			return true
		}
		before = left
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// nap returns how long to sleep before the next look at the clock, when a time is
// so far away that was so far before the last sleep: 0 if it has come, and false
// if the clock was set back.
func nap(before, left time.Duration) (wait time.Duration, ok bool) {
	if left > before+clockStep {
		return 0, false
	}
	return max(0, min(left, 30*time.Second)), true
}
