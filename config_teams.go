package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

func (v validator) teams() {
	first := map[string]int{}
	for i := range v.cfg.Teams {
		t, at := &v.cfg.Teams[i], fmt.Sprintf("teams[%d]", i)
		if t.Timezone == nil {
			t.Timezone = cmp.Or(v.cfg.Dashboard.Timezone, time.UTC) // UTC only beside a fault
		}
		v.name(at+".name", t.Name, first, i)
		v.addresses(at+".channels", t.Channels)
		v.channels(at+".channels", t.Channels)
		v.people(at+".supervisors", t.Supervisors)
		v.people(at+".members", t.Members)
		v.shifts(at, t)
		v.digests(at, t)
		v.leaderboard(at+".leaderboard", t.Leaderboard)
		if q := t.QuietHours; q != nil {
			v.both(at+".quiet_hours", "quiet_hours needs")
			v.schedule(at+".quiet_hours", schedule.QuietHours{Start: q.Start, End: q.End, Days: schedule.EveryDay}.Faults())
		}
		if t.MinCoverage < 0 || t.MinCoverage > 1 {
			v.fault(at+".min_coverage", "%v is not a share; write 0 to 1, such as 0.8", t.MinCoverage)
		}
	}
}

// name checks the name of the ith element of a list. Names are typed in commands
// (TEAM/NAME) and compared there without regard to case.
func (v validator) name(path, name string, first map[string]int, i int) {
	switch j, twice := first[strings.ToLower(name)]; {
	case name == "":
		v.fault(path, "missing")
	case len(name) > 64:
		v.fault(path, "the name has %d bytes; at most 64 are allowed", len(name))
	case strings.ContainsFunc(name, unicode.IsControl), strings.Contains(name, "/"), strings.TrimSpace(name) != name:
		v.fault(path, "%s is not a name; leave out slashes, control characters and space at its ends", quote(name))
	case twice:
		v.fault(path, "the name %s is taken by number %d of the list", quote(name), j+1)
	default:
		first[strings.ToLower(name)] = i
	}
}

// channels warns of people in the place of channels, who can be written to.
func (v validator) channels(path string, channels []chat.Address) {
	for i, a := range channels {
		if a.Network == chat.Slack && strings.HasPrefix(a.ID, "U") {
			v.warn(fmt.Sprintf("%s[%d]", path, i), "%s is a person, not a channel; the team's digests go there as direct messages", a)
		}
	}
}

// people checks a team's members or supervisors: nobody is there twice.
func (v validator) people(path string, people []PersonConfig) {
	for i, p := range people {
		if at := fmt.Sprintf("%s[%d]", path, i); len(p.IDs) == 0 {
			v.fault(at+".ids", "missing; write at least one address, such as slack:U0123456789")
		}
	}
	first := map[chat.Address]string{}
	there := v.cfg.placePeople(path, people)
	v.persons(there)
	for _, p := range there {
		v.address(p.path, p.address)
		if before, twice := first[p.address]; twice && !p.address.IsZero() {
			v.fault(p.path, "%s is there already, as %s", p.address, before[strings.Index(before, ".")+1:])
		}
		first[p.address] = p.path
	}
}

// schedule notes the faults that package schedule finds, unless the value was
// unreadable, which is noted already.
func (v validator) schedule(path string, faults []schedule.Fault) {
	for _, f := range faults {
		v.fault(join(path, f.Field), "%s", f.Reason)
	}
}

// both notes which of start and end is missing: midnight is a time like others.
func (v validator) both(path, who string) {
	for _, key := range []string{"start", "end"} {
		if !v.given(join(path, key)) {
			v.fault(join(path, key), "missing; %s a start and an end, such as \"09:00\"", who)
		}
	}
}

func (v validator) shifts(team string, t *TeamConfig) {
	first := map[string]int{}
	for i, s := range t.Shifts {
		at := fmt.Sprintf("%s.shifts[%d]", team, i)
		v.name(at+".name", s.Name, first, i)
		v.both(at, "a shift needs")
		v.schedule(at, s.shift().Faults())
		if s.Start == s.End && !v.faulty[at+".start"] && !v.faulty[at+".end"] {
			v.warn(at, "the shift starts and ends at %s, so it lasts 24 hours", s.Start)
		}
	}
	if t.Poll && len(t.Shifts) == 0 && !v.faulty[team+".shifts"] {
		v.warn(team, "the team has no shifts, so its agents are never polled and have no totals; give it shifts, or poll: false")
	}
}

// shift returns the shift in the terms of package schedule.
func (s ShiftConfig) shift() schedule.Shift {
	return schedule.Shift{Name: s.Name, Days: s.Days, Start: s.Start, End: s.End}
}

// Rota returns what the team works.
func (t TeamConfig) Rota() schedule.Rota {
	rota := schedule.Rota{Team: t.Name, Zone: t.Timezone, Holidays: t.Holidays}
	for _, s := range t.Shifts {
		rota.Shifts = append(rota.Shifts, s.shift())
	}
	return rota
}

func (v validator) digests(team string, t *TeamConfig) {
	first := map[string]int{}
	for i, d := range t.Digests {
		at := fmt.Sprintf("%s.digests[%d]", team, i)
		v.name(at+".name", d.Name, first, i)
		v.schedule(at, t.Digest(d).Faults())
		if d.To == "channels" && len(t.Channels) == 0 || d.To == "supervisors" && len(t.Supervisors) == 0 {
			v.warn(at, "the digest has no readers: the team has no %s", d.To)
		}
	}
}

// Digest returns one of the team's digests in the terms of package schedule.
func (t TeamConfig) Digest(d DigestConfig) schedule.Digest {
	covers, _ := schedule.ParseCover(d.Window) // one of the three, or a fault
	digest := schedule.Digest{Rota: t.Rota(), Shift: d.Shift, Days: d.Days, Covers: covers, CatchUp: d.CatchUp}
	if d.At != nil {
		digest.Times = []schedule.TimeOfDay{*d.At}
	}
	return digest
}

func (v validator) leaderboard(path string, l *LeaderboardConfig) {
	if l == nil {
		return
	}
	if l.Top < 1 || l.Top > 10 {
		v.fault(path+".top", "%d is not a number of people to name; write 1 to 10", l.Top)
	}
	names := rankable(v.cfg.Dictionary)
	switch {
	case !slices.Contains(names, l.By):
		v.fault(path+".by", "%s is not a metric to rank by%s", quote(l.By), didYouMean(l.By, names))
	case !v.cfg.Dictionary.Confirmed(l.By):
		v.warn(path+".by", "nobody has confirmed what %s means yet; compare it with the vendor's dashboard, then write confirmed: true under dashboard.metrics", l.By)
	}
}

// rankable returns the names of the metrics that people can be ranked by.
func rankable(d stats.Dictionary) []string {
	names := []string{"answered", "miss_rate", "calls_per_hour"}
	for _, m := range d {
		if m.Kind == stats.Counter || m.Kind == stats.Average {
			names = append(names, m.Name)
		}
	}
	return names
}
