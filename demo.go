package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/adapters/console"
	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
	"floorwalker/store"
)

const (
	demoAgents = 12
	demoSeed   = 1
	demoPoll   = 15 * time.Second
)

// A demoFloor is the scene of the demo: a shift that began eight hours ago and
// ends in a minute or two.
type demoFloor struct {
	began  time.Time // of the shift
	ends   time.Time
	missed time.Time      // when asha missed three calls: at a poll a quarter of a minute ago or two
	zone   *time.Location // the vendor's day, chosen so that the shift lies within one
	local  *time.Location // of the visitor
	sim    *sim.Sim
}

// newDemoFloor sets the scene for somebody who starts the demo now.
func newDemoFloor(now time.Time) demoFloor {
	f := demoFloor{began: now.Add(-8 * time.Hour).Truncate(time.Minute), ends: now.Add(2 * time.Minute).Truncate(time.Minute)}
	f.missed = now.Add(-demoPoll).Truncate(demoPoll)
	// The vendor's clock reads about 09:00 when the shift begins, wherever we
	// are: a reset of the counters in mid-shift would be a story of its own.
	utc := f.began.UTC()
	offset := 9*time.Hour - time.Duration(utc.Hour())*time.Hour
	f.zone = time.FixedZone("demo", int(offset.Seconds()))
	f.local = time.FixedZone(now.Local().Zone())
	f.sim = sim.New(sim.Config{Seed: demoSeed, Agents: demoAgents, Start: f.began, Shift: f.ends.Sub(f.began) + time.Hour, Zone: f.zone})
	return f
}

// demo runs the product in one process: a simulated floor, the terminal as chat,
// a store in a temporary folder. It listens nowhere.
func demo(ctx context.Context, s streams) (err error) {
	dir, err := os.MkdirTemp("", "floorwalker-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	floor := newDemoFloor(time.Now())
	st, err := store.Open(store.Config{Path: filepath.Join(dir, "demo.db"), KeyFile: filepath.Join(dir, "demo.key"), Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	client, err := dashboard.New(dashboard.Config{BaseURL: "http://127.0.0.1", Transport: floor.sim.Transport(), Logger: log})
	if err != nil {
		return err
	}
	config := floor.config()
	if config.Rules, err = floor.rules(config.Metrics); err != nil {
		return err
	}
	b := bot.New(config, client, st, discard{}, log)
	if err := floor.link(ctx, b); err != nil {
		return err
	}
	if err := floor.remember(st, time.Now()); err != nil {
		return err
	}
	welcome(s.out)
	c := console.New(console.Config{In: s.in, Out: s.out, People: floor.people(), Start: "asha", Dir: dir, Pictures: true, Log: log})
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.Watch(ctx) })
	g.Go(func() error { return b.Digests(ctx) })
	g.Go(func() error { return b.Deliver(ctx, c) })
	g.Go(func() error {
		defer leave()
		return c.Run(ctx, b)
	})
	return g.Wait()
}

// welcome says where the visitor is.
func welcome(w io.Writer) {
	fmt.Fprint(w, `A simulated contact centre of twelve agents, eight hours into a shift.
This terminal is its chat. You are asha, an agent. Try:

  /mystats        your own numbers        as meera     become her supervisor
  /mystats shift  the whole shift         /floor team  what a supervisor sees
  /floor help     what else there is      as nobody    somebody new
  1               press button [1]        quit         leave

Within half a minute asha's supervisor, meera, is told of missed calls; within
two the shift ends, and its summary is posted.

`)
}

// demoAddress is where an agent of the demo is: the first name, in small
// letters.
func demoAddress(name string) chat.Address {
	first, _, _ := strings.Cut(name, " ")
	return chat.Address{Network: chat.Console, ID: strings.ToLower(first)}
}

// people are the personas, the named ones first.
func (f demoFloor) people() []console.Person {
	list := []console.Person{
		{ID: "asha", Name: "Asha Rao", Role: "agent"}, {ID: "meera", Name: "Meera Nair", Role: "supervisor"},
		{ID: "dev", Name: "Dev Patel", Role: "administrator"}, {ID: "nobody", Name: "Nobody yet", Role: "not linked"},
	}
	for _, a := range f.sim.Agents()[1:] {
		list = append(list, console.Person{ID: demoAddress(a.Name).ID, Name: a.Name, Role: "agent"})
	}
	return list
}

// link links every agent of the floor.
func (f demoFloor) link(ctx context.Context, b *bot.Bot) error {
	for _, a := range f.sim.Agents() {
		if _, _, err := b.Link(ctx, bot.LinkRequest{
			Address: demoAddress(a.Name), Name: a.Name, Actor: demoAddress(a.Name).String(),
			Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)},
		}); err != nil {
			return fmt.Errorf("link %s: %w", a.Name, err)
		}
	}
	return nil
}

// remember makes up the history of the shift so far, as the watch would have
// written it.
func (f demoFloor) remember(st *store.Store, now time.Time) error {
	d := f.config().Metrics
	var samples []bot.AgentSample
	for i, a := range f.sim.Agents() {
		agent, err := st.AgentAt(demoAddress(a.Name))
		if err != nil {
			return err
		}
		// Up to a few seconds ago: after a longer gap than two polls the alert would
		// not know whether calls were missed, and say nothing.
		for t := f.began; t.Before(now.Add(-demoPoll / 3)); t = t.Add(demoPoll) {
			row, err := f.sim.Row(a.UserID, t)
			if err != nil {
				return err
			}
			counters := dashboard.Counters{Date: t, At: t, Row: map[string]dashboard.Value{}}
			for key, text := range row {
				counters.Row[key] = dashboard.ValueOf(text)
			}
			sample := d.Sample(counters, t)
			sample.Out = row == nil
			if i == 0 && !t.Before(f.missed) {
				f.burst(sample.Values)
			}
			samples = append(samples, bot.AgentSample{Agent: agent.ID, Sample: sample})
		}
	}
	for _, key := range demoMissed {
		if err := f.sim.Add(f.sim.Agents()[0].UserID, key, 3); err != nil {
			return err
		}
	}
	return st.AppendHistory(samples)
}

// rules are a rule that is about to fire, and the built-in ones. It looks back so
// far that it recovers at the last poll before the shift ends: there is time to
// press something, and the shift's end does not close the alert. A call that was
// missed between two polls counts for as long as both are looked back at.
func (f demoFloor) rules(d stats.Dictionary) ([]*alert.Rule, error) {
	missed := fmt.Sprintf("increase(missed, %q)", f.ends.Sub(f.missed)-demoPoll/3)
	return alert.Load([]alert.RuleSpec{{
		Name: "missed-burst", When: missed + " >= 3", Clear: missed + " <= 1",
		For: new(time.Duration), KeepFiringFor: new(time.Duration), Message: "{{.Agent}} missed {{.Value}} calls within two minutes",
	}}, alert.NewEnv(vocabulary(d)))
}

// burst has asha miss three calls: her supervisor is about to
// hear of it.
func (f demoFloor) burst(samples []stats.Value) {
	for i := range samples {
		if slices.Contains(demoMissed[:], samples[i].Key) {
			samples[i].N += 3
		}
	}
}

// demoMissed are the counters in which a missed call shows.
var demoMissed = [...]string{"TH", "tC", "MH"}

// config is the demo's configuration: every metric confirmed, because the
// simulation counts what their names say.
func (f demoFloor) config() bot.Config {
	d := stats.Defaults()
	for i := range d {
		d[i].Confirmed = true
	}
	person := func(id string) bot.Person {
		return bot.Person{Addresses: []chat.Address{{Network: chat.Console, ID: id}}}
	}
	at := func(t time.Time) schedule.TimeOfDay { return schedule.CivilOf(t, f.local).Time }
	rota := schedule.Rota{Team: "support", Zone: f.local, Shifts: []schedule.Shift{
		{Name: "day", Days: schedule.EveryDay, Start: at(f.began), End: at(f.ends)},
	}}
	team := bot.Team{
		Name: "support", Zone: f.local,
		Channels:    []chat.Address{{Network: chat.Console, ID: "#support"}},
		Supervisors: []bot.Person{person("meera")},
		Rota:        rota, Poll: true, MinCoverage: 0.8, Leaderboard: 3, LeaderboardBy: "answered",
		Digests: []bot.Digest{{Name: "day-summary", Schedule: schedule.Digest{Rota: rota, Shift: "day", CatchUp: time.Hour}}},
	}
	for _, a := range f.sim.Agents() {
		team.Members = append(team.Members, bot.Person{Name: a.Name, Addresses: []chat.Address{demoAddress(a.Name)}})
	}
	return bot.Config{
		Metrics: d, Zone: f.zone, Teams: []bot.Team{team},
		Admins:       []chat.Address{{Network: chat.Console, ID: "dev"}},
		PollInterval: demoPoll, RequestsPerSecond: 50, MaxInFlight: 8,
	}
}
