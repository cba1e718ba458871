package bot

import (
	"cmp"
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// beside is how many polls on either side of a window are read with it: the one
// at its very end, which a span leaves out, and those that bound what happened
// before the first and after the last.
const beside = 6

// A past reads windows from history for one answer. What cannot be read of
// them is missing in their summaries, as if it had not been polled, which their
// coverage shows: a damaged day must not keep a digest from being posted. Close
// it, so that it is known.
type past struct {
	b *Bot
	stats.Series
	gauges []string // keys that no summary needs, and that change with every poll
	failed int      // windows that were not read whole
	why    error    // of the first
}

// past begins to read. The hours of its summaries are in zone.
func (b *Bot) past(c *Config, zone *time.Location) *past {
	p := &past{b: b, Series: b.series(c, zone)}
	for _, m := range c.Metrics {
		if m.Kind == stats.Gauge {
			p.gauges = append(p.gauges, m.Key)
		}
	}
	return p
}

// summary reads one agent's window.
func (p *past) summary(id AgentID, window schedule.Span) stats.Summary {
	r := p.Reader(window.Start, window.End)
	var failed error
	near := schedule.Span{Start: window.Start.Add(-beside * p.Every), End: window.End.Add(beside * p.Every)}
	for sample, err := range p.b.store.History(id, near, p.gauges...) {
		if err != nil {
			failed = err
			continue
		}
		r.Add(sample)
	}
	if failed != nil {
		if p.failed++; p.failed == 1 {
			p.why = failed
		}
	}
	return r.Summary()
}

// each reads one window of many agents, a few at a time, and returns summaries in
// the agents' order, or why ctx ended.
func (p *past) each(ctx context.Context, agents []Agent, window schedule.Span) ([]stats.Summary, error) {
	all := make([]stats.Summary, len(agents))
	readers := make([]past, max(1, min(runtime.GOMAXPROCS(0), len(agents))))
	var next atomic.Int64
	var g errgroup.Group
	for i := range readers {
		r := &readers[i]
		*r = past{b: p.b, Series: p.Series, gauges: p.gauges}
		g.Go(func() error {
			for n := int(next.Add(1)) - 1; n < len(agents); n = int(next.Add(1)) - 1 {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				all[n] = r.summary(agents[n].ID, window)
			}
			return nil
		})
	}
	err := g.Wait()
	for _, r := range readers {
		p.failed += r.failed
		p.why = cmp.Or(p.why, r.why)
	}
	return all, err
}

// close logs what could not be read. What it was read for is in args.
func (p *past) close(ctx context.Context, args ...any) {
	if p.failed > 0 {
		p.b.log.With(args...).ErrorContext(ctx, "history that cannot be read is left out", "windows", p.failed, "err", p.why)
	}
}

// series says how to read the samples of a team.
func (b *Bot) series(c *Config, zone *time.Location) stats.Series {
	every := c.PollInterval
	if s := b.WatchStatus(); s.Interval > every {
		every = s.Interval
	}
	return stats.Series{Dictionary: c.Metrics, Vendor: c.Zone, Hours: zone, Every: every}
}
