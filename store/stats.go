package store

import (
	"os"

	"floorwalker/bot"
)

// Stats are figures for metrics.
type Stats struct {
	Agents map[bot.LinkState]int // agents by the state of their link, all four states present
	Bytes  int64                 // size of the live file
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
		if err != nil {
			return Stats{}, err
		}
		stats.Agents[a.State]++
	}
	return stats, nil
}
