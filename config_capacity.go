package main

import (
	"fmt"
	"math"

	"floorwalker/bot/chat"
)

// A Capacity is how many agents can be polled, and how many there are.
type Capacity struct {
	Agents  int // that the rate carries in one interval
	Members int // people in teams that are polled
}

// Capacity returns how many agents requests_per_second carries in one
// poll_interval, and how many the teams have. Agents who are added in chat are
// not counted.
func (c *Config) Capacity() Capacity {
	carried := math.Min(c.Dashboard.RequestsPerSecond*c.Dashboard.PollInterval.Seconds(), math.MaxInt32)
	return Capacity{int(carried + 1e-9), len(c.polled())}
}

// polled returns the people in teams that are polled, by their first address.
func (c *Config) polled() map[chat.Address]bool {
	seen, people := map[chat.Address]bool{}, map[chat.Address]bool{}
	for _, t := range c.Teams {
		if !t.Poll || len(t.Shifts) == 0 {
			continue
		}
		for _, p := range t.Members {
			if isNew := !seenAny(seen, p.IDs); isNew && len(p.IDs) > 0 {
				people[p.IDs[0]] = true
			}
			for _, id := range p.IDs {
				seen[id] = true
			}
		}
	}
	return people
}

func seenAny(seen map[chat.Address]bool, ids []chat.Address) bool {
	for _, id := range ids {
		if seen[id] {
			return true
		}
	}
	return false
}

// capacity warns of more agents than the rate carries.
func (v validator) capacity() {
	c, d := v.cfg.Capacity(), v.cfg.Dashboard
	if c.Members <= c.Agents || d.RequestsPerSecond <= 0 {
		return
	}
	seconds := float64(c.Members) / d.RequestsPerSecond
	v.warn("dashboard.requests_per_second", "it carries %d agents per poll_interval and the teams have %d, so each is polled every %.0f s instead of every %s",
		c.Agents, c.Members, math.Ceil(seconds), formatDuration(d.PollInterval))
}

// capacityLine returns the line that check prints.
func (c *Config) capacityLine() string {
	n := c.Capacity()
	return fmt.Sprintf("%v requests a second and a poll every %s carry %d agents; the configuration names %d in teams that are polled",
		c.Dashboard.RequestsPerSecond, formatDuration(c.Dashboard.PollInterval), n.Agents, n.Members)
}
