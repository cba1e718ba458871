package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/adapters/console"
	"floorwalker/adapters/discord"
	"floorwalker/adapters/slack"
	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// clientConfig is the configuration of the API client.
func clientConfig(c *Config, log *slog.Logger) dashboard.Config {
	cacheFor := c.Dashboard.CacheFor
	if cacheFor == 0 {
		cacheFor = -1 // never; the client takes 0 for its default
	}
	return dashboard.Config{
		BaseURL: c.Dashboard.BaseURL, Timeout: c.Dashboard.Timeout, MaxInFlight: c.Dashboard.MaxInFlight,
		RequestsPerSecond: c.Dashboard.RequestsPerSecond, CacheFor: cacheFor, Logger: log,
	}
}

// storeConfig is the configuration of the store.
func storeConfig(c *Config, log *slog.Logger) store.Config {
	return store.Config{Path: c.Store.Path, Key: c.Store.Key, KeyFile: c.Store.KeyFile, Logger: log}
}

// botConfig is what the bot needs of the configuration.
func botConfig(c *Config) bot.Config {
	b := bot.Config{
		Metrics: c.Dictionary, Rules: c.Rules, Zone: c.Dashboard.Timezone, Admins: c.Admins, LinkPage: linkPage(c.HTTP),
		PollInterval: c.Dashboard.PollInterval, RequestsPerSecond: c.Dashboard.RequestsPerSecond, MaxInFlight: c.Dashboard.MaxInFlight,
		Commands: map[chat.Network]map[string]string{
			chat.Slack: {"mystats": c.Slack.Commands.Mystats, "floor": c.Slack.Commands.Floor},
		},
	}
	for _, t := range c.Teams {
		b.Teams = append(b.Teams, teamOf(t))
	}
	return b
}

// teamOf is what the bot needs of a team's configuration.
func teamOf(t TeamConfig) bot.Team {
	team := bot.Team{
		Name: t.Name, Zone: t.Timezone, Channels: t.Channels, Supervisors: people(t.Supervisors), Members: people(t.Members),
		Rota: t.Rota(), Poll: t.Poll, MinCoverage: t.MinCoverage, NamesInChannel: t.NamesInChannel,
	}
	if q := t.QuietHours; q != nil {
		team.QuietHours = schedule.QuietHours{Start: q.Start, End: q.End, Days: schedule.EveryDay}
	}
	if t.Leaderboard != nil {
		team.Leaderboard, team.LeaderboardBy = t.Leaderboard.Top, t.Leaderboard.By
	}
	for _, d := range t.Digests {
		team.Digests = append(team.Digests, bot.Digest{Name: d.Name, Schedule: t.Digest(d), ToSupervisors: d.To == "supervisors"})
	}
	return team
}

func people(list []PersonConfig) []bot.Person {
	var out []bot.Person
	for _, p := range list {
		out = append(out, bot.Person{Name: p.Name, Addresses: p.IDs})
	}
	return out
}

// serve runs the bot until ctx ends or it cannot go on. What it opens it closes
// in the opposite order, the store last.
func serve(ctx context.Context, s streams, cfg *Config, log *slog.Logger) (err error) {
	if err := dropCore(); err != nil {
		log.Warn("core files are not switched off, and a crash could write credentials into one", "err", err)
	}
	socket, err := socketPath(cfg.Store.Path)
	if err != nil {
		return usageError{err}
	}
	st, err := store.Open(storeConfig(cfg, log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	client, err := dashboard.New(clientConfig(cfg, log))
	if err != nil {
		return usageError{fmt.Errorf("dashboard: %w", err)}
	}
	defer client.Close()

	adapters, err := networks(cfg, s, st, log)
	if err != nil {
		return err
	}
	up := newUpkeep(cfg, log)
	configure := func(c *Config) bot.Config {
		config := botConfig(c)
		config.Lookup = whoIs(adapters)
		return config
	}
	b := bot.New(configure(cfg), client, st, up.metrics, log)

	g, ctx := errgroup.WithContext(ctx)
	o := &office{bot: b, store: st, source: client, log: log}
	o.config.Store(cfg)
	if err := o.open(ctx, g, socket); err != nil {
		return err
	}
	defer os.Remove(socket)
	p := parts{bot: b, store: st, client: client, adapters: adapters}
	if p.public, err = openPublic(cfg, p, up.health, log); err != nil {
		return err
	}
	if err := up.start(ctx, g, p); err != nil {
		return err
	}
	if err := recoverOutbox(st, log); err != nil {
		return err
	}
	g.Go(func() error { return b.Watch(ctx) })
	g.Go(func() error { return b.Digests(ctx) })
	g.Go(func() error { return b.Leavers(ctx) })
	g.Go(func() error {
		return up.reloadOnHangup(ctx, func(next *Config) {
			b.Configure(configure(running(cfg, next)))
			o.config.Store(next)
		})
	})
	p.public.start(ctx, g, func(ctx context.Context) { p.runNetworks(ctx, g, up.health, log) })
	log.Info("serving", "version", version(), "networks", len(adapters), "store", cfg.Store.Path)
	if err := g.Wait(); err != nil && !errors.Is(err, errQuit) {
		return err
	}
	log.Info("stopped")
	return nil
}

// recoverOutbox takes up what the last run left.
func recoverOutbox(st *store.Store, log *slog.Logger) error {
	rows, err := st.Recover(time.Now())
	if rows > 0 {
		log.Warn("messages were on their way when the last run ended; they are sent again, marked", "messages", rows)
	}
	return err
}

// whoIs asks the network of an address about its owner.
func whoIs(adapters []chat.Adapter) func(context.Context, chat.Address) (chat.Person, error) {
	return func(ctx context.Context, addr chat.Address) (chat.Person, error) {
		for _, a := range adapters {
			if a.Network() == addr.Network {
				return a.Lookup(ctx, addr.ID)
			}
		}
		return chat.Person{}, fmt.Errorf("%s: the network is off", addr)
	}
}

// networks makes the adapters of the networks that are on; the console if none
// is and there is somebody at a terminal. Workspaces is told which workspace or
// organisation a network turns out to be; nil accepts any.
func networks(cfg *Config, s streams, workspaces *store.Store, log *slog.Logger) ([]chat.Adapter, error) {
	var list []chat.Adapter
	if !cfg.Slack.BotToken.IsZero() {
		a, err := slack.New(slackConfig(cfg, workspaces, log))
		if err != nil {
			return nil, usageError{fmt.Errorf("slack: %w", err)}
		}
		list = append(list, a)
	}
	if !cfg.Discord.BotToken.IsZero() {
		a, err := discord.New(discordConfig(cfg, workspaces, log))
		if err != nil {
			return nil, usageError{fmt.Errorf("discord: %w", err)}
		}
		list = append(list, a)
	}
	if len(list) == 0 && isTerminal(s.in) {
		list = append(list, console.New(console.Config{In: s.in, Out: s.out, Log: log}))
	}
	return list, nil
}

// slackConfig is the configuration of the Slack adapter.
func slackConfig(cfg *Config, workspaces *store.Store, log *slog.Logger) slack.Config {
	c := slack.Config{
		Mode: cfg.Slack.Mode, BotToken: cfg.Slack.BotToken, AppToken: cfg.Slack.AppToken, SigningSecret: cfg.Slack.SigningSecret,
		PublicURL: cfg.HTTP.PublicURL, APIURL: cfg.Slack.APIURL, Logger: log,
		Commands: map[string]string{"mystats": cfg.Slack.Commands.Mystats, "floor": cfg.Slack.Commands.Floor},
	}
	if workspaces != nil {
		c.Workspace = func(_ context.Context, id string) error { return workspaces.SetWorkspace(chat.Slack, id) }
	}
	return c
}

// discordConfig is the configuration of the Discord adapter.
func discordConfig(cfg *Config, st *store.Store, log *slog.Logger) discord.Config {
	c := discord.Config{
		Mode: cfg.Discord.Mode, PublicKey: cfg.Discord.PublicKey, PublicURL: cfg.HTTP.PublicURL,
		BotToken: cfg.Discord.BotToken, ApplicationID: cfg.Discord.ApplicationID, GuildID: cfg.Discord.GuildID,
		APIURL: cfg.Discord.APIURL, Logger: log,
	}
	if st != nil {
		c.Memory = memory{st, chat.Discord}
	}
	return c
}

// memory keeps what an adapter must know after a restart.
type memory struct {
	store   *store.Store
	network chat.Network
}

// Load returns the value of a key, "" if there is none.
func (m memory) Load(key string) (value string, err error) {
	err = m.store.View(func(tx bot.Tx) error {
		value, _, err = bot.ReadRecord[string](tx, bot.RecordNetworks, string(m.network)+"/"+key)
		return err
	})
	return value, err
}

// Save stores the value of a key.
func (m memory) Save(key, value string) error {
	return m.store.Update(func(tx bot.Tx) error {
		return bot.WriteRecord(tx, bot.RecordNetworks, string(m.network)+"/"+key, value)
	})
}

// errQuit ends serve when the person at the console has left.
var errQuit = errors.New("the console was left")

// runNetworks runs every adapter in g, and lets expire what waits for networks
// that are off. One that stops for good turns readiness red, and administrators
// are told on another; when none is left, serve ends with exit status 2, so that a
// service manager does not restart it into a dead token.
func (p parts) runNetworks(ctx context.Context, g *errgroup.Group, health *Health, log *slog.Logger) {
	if len(p.adapters) == 0 {
		health.Set("networks", "no chat network: set slack.bot_token or discord.bot_token")
		log.Warn("no chat network is configured: only administrators' commands work")
	}
	for _, n := range chat.Networks() {
		if !slices.ContainsFunc(p.adapters, func(a chat.Adapter) bool { return a.Network() == n }) {
			g.Go(func() error { return p.bot.Expire(ctx, n) })
		}
	}
	var left atomic.Int64
	left.Store(int64(len(p.adapters)))
	for _, a := range p.adapters {
		g.Go(func() error { return p.bot.Deliver(ctx, a) })
		g.Go(func() error {
			err := a.Run(ctx, p.bot)
			switch {
			case ctx.Err() != nil:
				return nil
			case err == nil:
				return errQuit
			case !errors.Is(err, chat.ErrFinal):
				return fmt.Errorf("%s: %w", a.Network(), err)
			}
			log.Error("network stopped for good", "network", a.Network(), "err", err)
			health.Set(string(a.Network()), err.Error())
			if err := p.bot.NetworkStopped(a.Network(), err); err != nil {
				log.Error("nobody is told that a network stopped", "network", a.Network(), "err", err)
			}
			if left.Add(-1) == 0 {
				return usageError{fmt.Errorf("%w: no chat network is left; run floorwalker doctor", err)}
			}
			return nil
		})
	}
}
