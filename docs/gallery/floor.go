package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
	"floorwalker/store"
)

// A floor is a bot with a store and a simulated API, on one network. Agents of
// the simulation are people there.
type floor struct {
	network chat.Network
	dir     string
	now     time.Time // when it was made, in the people's zone
	sim     *sim.Sim
	store   *store.Store
	bot     *bot.Bot
	count   int // of requests
}

// newFloor returns a floor on which nobody is linked.
func newFloor(network chat.Network) (f *floor, err error) {
	f = &floor{network: network}
	begin, err := opening()
	if err != nil {
		return nil, err
	}
	zone := begin.Location()
	f.now = time.Now().In(zone)
	f.sim = sim.New(sim.Config{Seed: 1, Zone: zone})
	if f.dir, err = os.MkdirTemp("", "gallery-"); err != nil {
		return nil, err
	}
	if err := f.open(zone); err != nil {
		return nil, errors.Join(err, os.RemoveAll(f.dir))
	}
	return f, nil
}

func (f *floor) open(zone *time.Location) (err error) {
	f.store, err = store.Open(store.Config{Path: filepath.Join(f.dir, "gallery.db"), KeyFile: filepath.Join(f.dir, "gallery.key")})
	if err != nil {
		return err
	}
	client, err := dashboard.New(dashboard.Config{BaseURL: "http://127.0.0.1", Transport: f.sim.Transport(), CacheFor: -1})
	if err != nil {
		return errors.Join(err, f.store.Close())
	}
	f.bot = bot.New(f.config(zone, true), client, f.store, discard{}, slog.New(slog.DiscardHandler))
	return nil
}

func (f *floor) close() error { return errors.Join(f.store.Close(), os.RemoveAll(f.dir)) }

// discard counts nothing.
type discard struct{}

func (discard) Command(string, string, time.Duration) {}
func (discard) Delivery(string, string, string)       {}

// config is one team. Before anybody confirmed the metrics, cards look
// different.
func (f *floor) config(zone *time.Location, confirmed bool) bot.Config {
	d := stats.Defaults()
	for i := range d {
		d[i].Confirmed = confirmed
	}
	team := bot.Team{Name: "support", Zone: zone, Rota: schedule.Rota{Team: "support", Zone: zone}, Supervisors: []bot.Person{{Addresses: []chat.Address{f.person("meera")}}}}
	for _, id := range []string{"asha", "ravi"} {
		team.Members = append(team.Members, bot.Person{Addresses: []chat.Address{f.person(id)}})
	}
	c := bot.Config{Metrics: d, Zone: zone, Teams: []bot.Team{team}, Admins: []chat.Address{f.person("dev")}}
	if f.network == chat.Discord { // which allows no form
		c.LinkPage = linkBase + "/link/"
	}
	return c
}

// person returns somebody's address, in the form that the network gives it.
func (f *floor) person(name string) chat.Address {
	id := name
	switch f.network {
	case chat.Slack:
		id = "U0" + upper(name)
	case chat.Discord:
		h := fnv.New32a()
		h.Write([]byte(name))
		id = fmt.Sprintf("80351110%010d", h.Sum32())
	}
	return chat.Address{Network: f.network, ID: id}
}

// channel returns the teams' channel.
func (f *floor) channel() chat.Address {
	id := map[chat.Network]string{chat.Slack: "C0123456789", chat.Discord: "803511102246700001", chat.Console: "#support"}[f.network]
	return chat.Address{Network: f.network, ID: id}
}

// people are those whom messages mention, and the channel.
func (f *floor) people() []named {
	return []named{{f.person("asha").ID, "Asha Rao"}, {f.person("meera").ID, "Meera Nair"}, {f.person("dev").ID, "Dev Shah"}, {f.channel().ID, wholeTeam}}
}

// upper makes an id of a name: its plain letters, as capitals.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r - 'a' + 'A'
	}, s)
}

// link links the first agent of the simulation, as an administrator does.
func (f *floor) link(ctx context.Context, name string) (bot.Agent, error) {
	a := f.sim.Agents()[0]
	linked, _, err := f.bot.Link(ctx, bot.LinkRequest{
		Address: f.person(name), Name: a.Name, Actor: "cli:0",
		Credential: credentialOf(a),
	})
	return linked.Agent, err
}

func credentialOf(a sim.Agent) dashboard.Credential {
	return dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)}
}

// counters makes the linked agent's counters these from now on.
func (f *floor) counters(row map[string]any) error { return f.sim.Set(f.sim.Agents()[0].UserID, row) }

// age makes what was last seen of an agent older, as if it had been asked for
// some time ago.
func (f *floor) age(a bot.Agent, by time.Duration) error {
	seen, err := f.store.Seen(a.ID)
	if err != nil {
		return err
	}
	seen.Last.At = seen.Last.At.Add(-by)
	seen.First.At = time.Date(f.now.Year(), f.now.Month(), f.now.Day(), 9, 2, 0, 0, f.now.Location()).UTC()
	return f.store.SaveSeen(a.ID, seen)
}

// say types a command and returns the answers, in their order.
func (f *floor) say(ctx context.Context, name, command, text string) ([]chat.Reply, error) {
	r := f.request(name)
	r.Command, r.Text = command, text
	return f.handle(ctx, r)
}

// submit sends the link form and returns the answers.
func (f *floor) submit(ctx context.Context, name string, values map[string]string) ([]chat.Reply, error) {
	r := f.request(name)
	r.Kind, r.Form, r.Value, r.Values = chat.KindForm, "floor", "link", map[string]secret.Secret{}
	for k, v := range values {
		r.Values[k] = secret.New(v)
	}
	return f.handle(ctx, r)
}

func (f *floor) request(name string) chat.Request {
	f.count++
	return chat.Request{ID: fmt.Sprint("r", f.count), From: f.person(name), Name: fullName(name), At: time.Now(), SecretForms: f.network != chat.Discord}
}

// fullName is what the network calls somebody.
func fullName(name string) string {
	for short, full := range map[string]string{"asha": "Asha Rao", "meera": "Meera Nair", "dev": "Dev Shah", "ravi": "Ravi Das"} {
		if name == short {
			return full
		}
	}
	return name
}

func (f *floor) handle(ctx context.Context, r chat.Request) ([]chat.Reply, error) {
	var replies []chat.Reply
	reply, err := f.bot.Handle(ctx, r)
	for err == nil {
		replies = append(replies, reply)
		if reply.Shown != nil {
			reply.Shown(func(context.Context, chat.Message) error { return chat.ErrGone })
		}
		if reply.Then == nil {
			return replies, nil
		}
		reply, err = reply.Then(ctx)
	}
	return nil, fmt.Errorf("%s %s: %w", r.Command, r.Text, err)
}
