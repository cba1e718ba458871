package store

import (
	"errors"
	"math"
	"os"

	"floorwalker/bot"
)

// Stats are figures for metrics.
type Stats struct {
	Agents map[bot.LinkState]int // agents by the state of their link, all four states present
	Bytes  int64                 // size of the live file
	Broken int                   // records, and days of history, that were found to be unreadable since the store was opened

	Days    int   // of history
	History int64 // size of their files
	Damaged int   // files of days that were set aside
}

// Stats counts. It reads every agent, about 5 µs each.
func (s *Store) Stats() (Stats, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return Stats{}, err
	}
	stats := Stats{Bytes: info.Size(), Agents: map[bot.LinkState]int{
		bot.LinkActive: 0, bot.LinkUnverified: 0, bot.LinkRelink: 0, bot.LinkSuspended: 0,
	}}
	for a, err := range s.Agents() {
		switch {
		case err == nil:
			stats.Agents[a.State]++
		case !errors.Is(err, ErrDamaged): // of which Broken counts those
			return Stats{}, err
		}
	}
	stats.Broken = s.damages.count()
	return stats, s.history.count(&stats)
}

// count adds the figures of the history.
func (h *history) count(stats *Stats) error {
	for _, date := range h.dates(math.MinInt32, math.MaxInt32) {
		d, damaged := h.of(date)
		stats.Damaged += len(damaged)
		if d == nil {
			continue
		}
		info, err := os.Stat(d.path)
		if err != nil {
			return err
		}
		stats.Days++
		stats.History += info.Size()
	}
	return nil
}

// aside returns, in words, the files that were set aside, by date.
func (h *history) aside() (names []string) {
	for _, date := range h.dates(math.MinInt32, math.MaxInt32) {
		_, damaged := h.of(date)
		for _, name := range damaged {
			names = append(names, "history file "+name)
		}
	}
	return names
}
