package bot

import (
	"context"
	"time"

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
	failed int   // windows that were not read whole
	why    error // of the first
}

// past begins to read. The hours of its summaries are in zone.
func (b *Bot) past(c *Config, zone *time.Location) *past {
	return &past{b: b, Series: b.series(c, zone)}
}

// summary reads one agent's window.
func (p *past) summary(id AgentID, window schedule.Span) stats.Summary {
	var samples []stats.Sample
	var failed error
	near := schedule.Span{Start: window.Start.Add(-beside * p.Every), End: window.End.Add(beside * p.Every)}
	for sample, err := range p.b.store.History(id, near) {
		if err != nil {
			failed = err
			continue
		}
		samples = append(samples, sample)
	}
	if failed != nil {
		if p.failed++; p.failed == 1 {
			p.why = failed
		}
	}
	return p.Summarize(samples, window.Start, window.End)
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
