package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/dashboard"
)

// How the history of these pictures was polled, and how far back it goes: to
// the same weekday three times, so that there is something to compare with.
const (
	pollEvery = time.Minute
	weeksBack = 3
)

// The teams of a floor with weeks of history: one as it should be, one that
// could be watched for part of the time only, one of which nothing is known.
const (
	wholeTeam   = "support"
	partialTeam = "sales"
	silentTeam  = "night"
)

// weeks are the cards that look back: a team's table, digests, one's own shift
// and week.
func weeks(s *stage) {
	if s.err != nil {
		return
	}
	s.bot.Configure(s.weeksConfig())
	s.try(s.linkEverybody())
	s.try(s.remember())
	s.say("mystats-shift", "asha", "mystats", "shift")
	s.say("mystats-week", "asha", "mystats", "week")
	s.say("team", "meera", "floor", "team show "+wholeTeam)
	s.say("team-silent", "meera", "floor", "team show "+silentTeam)
	s.say("digest-list", "meera", "floor", "digest list")
	s.say("digest-preview", "meera", "floor", "digest preview "+wholeTeam+"/day-summary")
	s.say("digest-now", "meera", "floor", "digest now "+wholeTeam+"/day-summary")
	s.preview("digest", wholeTeam)
	s.preview("digest-partial", partialTeam)
	s.preview("digest-empty", silentTeam)
	s.say("team-add", "meera", "floor", "team add <@"+s.person("grace").String()+"> "+partialTeam)
	s.say("team-remove", "meera", "floor", "team remove <@"+s.person("grace").String()+"> "+partialTeam)
	s.say("team-unknown", "meera", "floor", "team show suport")
	s.say("digest-unknown", "meera", "floor", "digest preview "+wholeTeam+"/day-sumary")
	s.say("digest-again", "meera", "floor", "digest now "+wholeTeam+"/day-summary")
	s.say("audit", "dev", "floor", "audit")
	s.say("not-allowed", "asha", "floor", "audit")
}

// evening is when the bot was not there at the end of the shift.
func evening(s *stage) {
	if s.err != nil {
		return
	}
	c := s.weeksConfig()
	c.Teams = c.Teams[:1]
	c.Teams[0].Digests = append(c.Teams[0].Digests, bot.Digest{Name: "lead", ToSupervisors: true,
		Schedule: schedule.Digest{Rota: c.Teams[0].Rota, Shift: "day", CatchUp: 2 * time.Hour}})
	s.bot.Configure(c)
	s.try(s.linkEverybody())
	s.try(s.remember())
	s.try(s.rememberBetween(s.now, s.dayAt(0, 18)))
	_, err := s.floor.say(s.ctx, "meera", "floor", "whoami") // some networks do not let the bot begin
	s.try(err)
	s.run(s.bot.Digests, func(watch) { time.Sleep(time.Minute) })
	time.Sleep(4 * time.Hour)
	s.run(s.bot.Digests, func(w watch) {
		w.posted("digest-delayed", titled("day shift"))
		w.arrives("digest-supervisors", "meera", titled("day shift"))
	})
}

// preview keeps the digest of yesterday's shift, as it was posted.
func (s *stage) preview(name, team string) {
	if s.err != nil {
		return
	}
	m, err := s.bot.Preview(s.ctx, team+"/day-summary", s.dayAt(-1, 18))
	s.try(err)
	s.post(name, "", m)
}

// dayAt is an hour of today or of another day.
func (f *floor) dayAt(days, hour int) time.Time {
	return time.Date(f.now.Year(), f.now.Month(), f.now.Day()+days, hour, 0, 0, 0, f.now.Location())
}

// crew returns which agents of the simulation are in a team.
func crew(team string, all int) (from, to int) {
	switch team {
	case partialTeam:
		return all - 4, all - 1
	case silentTeam:
		return all - 1, all
	}
	return 0, all - 4
}

// weeksConfig has three teams that work from nine to six every day.
func (f *floor) weeksConfig() bot.Config {
	zone := f.now.Location()
	c := f.config(zone, true)
	c.Teams, c.PollInterval = nil, pollEvery
	for _, name := range []string{wholeTeam, partialTeam, silentTeam} {
		rota := schedule.Rota{Team: name, Zone: zone, Shifts: []schedule.Shift{
			{Name: "day", Days: schedule.EveryDay, Start: 9 * 60, End: 18 * 60},
		}}
		team := bot.Team{
			Name: name, Zone: zone, Channels: []chat.Address{f.channel()}, Rota: rota, Poll: true, MinCoverage: 0.8,
			Supervisors: []bot.Person{{Addresses: []chat.Address{f.person("meera")}}}, Leaderboard: 3, LeaderboardBy: "answered",
			Digests: []bot.Digest{{Name: "day-summary", Schedule: schedule.Digest{Rota: rota, Shift: "day", CatchUp: 2 * time.Hour}}},
		}
		agents := f.sim.Agents()
		from, to := crew(name, len(agents))
		for _, a := range agents[from:to] {
			team.Members = append(team.Members, bot.Person{Name: a.Name, Addresses: []chat.Address{f.person(firstName(a.Name))}})
		}
		c.Teams = append(c.Teams, team)
	}
	return c
}

func firstName(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return strings.ToLower(first)
}

// linkEverybody links the agents of the simulation.
func (f *floor) linkEverybody() error {
	var requests []bot.LinkRequest
	for _, a := range f.sim.Agents() {
		requests = append(requests, bot.LinkRequest{
			Address: f.person(firstName(a.Name)), Name: a.Name, Actor: f.person(firstName(a.Name)).String(), Credential: credentialOf(a),
		})
	}
	_, err := f.bot.LinkAll(requests, slices.Repeat([]bot.LinkState{bot.LinkActive}, len(requests)))
	return err
}

// remember makes up the history: today's, yesterday's, and that of yesterday's
// weekday. Of the partial team the first four hours are missing, of the silent
// one everything.
func (f *floor) remember() error {
	for _, day := range []int{-1 - 7*weeksBack, -15, -8, -1, 0} {
		until := f.dayAt(day, 18)
		if day == 0 {
			until = f.now
		}
		if err := f.rememberBetween(f.dayAt(day, 9), until); err != nil {
			return err
		}
	}
	return nil
}

func (f *floor) rememberBetween(from, until time.Time) error {
	agents := f.sim.Agents()
	for i, a := range agents {
		begin := from
		if first, last := crew(partialTeam, len(agents)); i >= first && i < last {
			begin = from.Add(4 * time.Hour)
		} else if i >= last {
			continue
		}
		agent, err := f.store.AgentAt(f.person(firstName(a.Name)))
		if err != nil {
			return err
		}
		samples, err := f.samples(agent.ID, a.UserID, span{begin, until, pollEvery})
		if err != nil {
			return err
		}
		if err := f.store.AppendHistory(samples); err != nil {
			return fmt.Errorf("remember %s: %w", a.Name, err)
		}
	}
	return nil
}

// A span is a time in which an agent was polled, and how often.
type span struct {
	from, until time.Time
	every       time.Duration
}

// samples are what polls of an agent would have brought.
func (f *floor) samples(agent bot.AgentID, user string, s span) ([]bot.AgentSample, error) {
	d := f.config(f.now.Location(), true).Metrics
	var list []bot.AgentSample
	for t := s.from; t.Before(s.until); t = t.Add(s.every) {
		row, err := f.sim.Row(user, t)
		if err != nil {
			return nil, err
		}
		counters := dashboard.Counters{Date: t, At: t, Row: map[string]dashboard.Value{}}
		for key, text := range row {
			counters.Row[key] = dashboard.ValueOf(text)
		}
		sample := d.Sample(counters, t)
		sample.Out = row == nil
		list = append(list, bot.AgentSample{Agent: agent, Sample: sample})
	}
	return list, nil
}
