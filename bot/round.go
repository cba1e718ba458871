package bot

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/schedule"
)

// tardy is how late a poll may be and still count for its tick.
const tardy = 5 * time.Second

// A round is one turn of the watch, in which every agent on shift is asked once.
type round struct {
	start  time.Time
	length time.Duration
	from   time.Time // up to where the ends of shifts were planned before; start, unless a round was late
}

func (r round) end() time.Time { return r.start.Add(r.length) }

// next returns when the round after r begins: when r is over, or at once and in
// step with the whole seconds, if the source is slower than the interval.
func (r round) next(now time.Time) time.Time {
	next := r.end()
	if late := now.Sub(next); late > 0 {
		return next.Add(late.Truncate(time.Second))
	}
	return next
}

// roundLength is the interval, or longer if the limit of requests needs it.
// A twentieth is left for people's own questions.
func (c *Config) roundLength(agents int) time.Duration {
	need := time.Duration(float64(agents) / (0.95 * c.RequestsPerSecond) * float64(time.Second))
	return max(c.PollInterval, need.Truncate(time.Second)+time.Second*time.Duration(min(1, need%time.Second)))
}

// A timetable is when shifts of watched teams run in a round, by the teams that
// an agent is in.
type timetable struct {
	config *Config
	span   schedule.Span
	shifts map[string][]schedule.Window
}

func (c *Config) timetable(r round) timetable {
	return timetable{c, schedule.Span{Start: r.from, End: r.end().Add(1)}, map[string][]schedule.Window{}}
}

// of returns the shifts of an agent that run at some time in the round, in the
// order they began.
func (t timetable) of(a Agent) []schedule.Window {
	names := t.config.teamsOf(a)
	key := strings.Join(names, "\x00")
	list, ok := t.shifts[key]
	if !ok {
		for _, r := range t.config.watched(a) {
			list = append(list, r.Occurrences(t.span)...)
		}
		slices.SortStableFunc(list, func(a, b schedule.Window) int { return a.Start.Compare(b.Start) })
		t.shifts[key] = list
	}
	return list
}

// polls appends the polls of an agent with these shifts: one at the agent's own
// offset if a shift runs then, and one whenever a shift ends.
func (r round) polls(polls []poll, a Agent, shifts []schedule.Window) []poll {
	tick := r.start.Add(offset(a.ID, r.length))
	if on := running(shifts, tick); len(on) > 0 {
		polls = append(polls, poll{agent: a, tick: tick, shifts: on})
	}
	for i, s := range shifts {
		ends := func(w schedule.Window) bool { return w.End.Equal(s.End) }
		if !s.End.After(r.from) || s.End.After(r.end()) || slices.ContainsFunc(shifts[:i], ends) {
			continue
		}
		on := running(shifts, s.End)
		for _, w := range shifts {
			if ends(w) {
				on = append(on, w)
			}
		}
		polls = append(polls, poll{agent: a, tick: s.End, final: s.End, shifts: on})
	}
	return polls
}

// running returns those of some shifts that run at a time.
func running(shifts []schedule.Window, at time.Time) (on []schedule.Window) {
	for _, s := range shifts {
		if s.Contains(at) {
			on = append(on, s)
		}
	}
	return on
}

// asked returns the poll as it is to be asked at a time. One that is late, because
// the source is slow, the machine slept, or the round began before the bot did,
// counts for that time; false if nobody is on shift any more. The poll at a
// shift's end always counts for that end.
func (p poll) asked(c *Config, now time.Time) (poll, bool) {
	if !p.final.IsZero() || now.Sub(p.tick) <= tardy {
		return p, true
	}
	p.tick = now.Round(0).UTC().Truncate(time.Second)
	p.shifts = c.watched(p.agent).Current(p.tick)
	return p, len(p.shifts) > 0
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
