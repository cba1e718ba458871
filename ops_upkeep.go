package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// An upkeep is what looks after the program while it runs, and tells those who
// run it: readiness, metrics, the heartbeat, the service manager, reloads, and
// what is not to be kept any longer.
type upkeep struct {
	cfg     *Config
	health  *Health
	metrics *metrics
	boss    *manager
	log     *slog.Logger
}

func newUpkeep(cfg *Config, log *slog.Logger) *upkeep {
	health := &Health{}
	return &upkeep{cfg: cfg, health: health, metrics: newMetrics(health), boss: newManager(health, log), log: log}
}

// parts are those that serve puts together.
type parts struct {
	bot      *bot.Bot
	store    *store.Store
	client   *dashboard.Client
	adapters []chat.Adapter
	public   *public // nil: it is off
}

// start opens the listener for machines and starts everything else in g.
func (u *upkeep) start(ctx context.Context, g *errgroup.Group, p parts) error {
	home := &house{bot: p.bot, store: p.store, keep: u.cfg.Store, log: u.log}
	look := &lookout{health: u.health, bot: p.bot, store: p.store, client: p.client, adapters: p.adapters, house: &home.kept, began: time.Now()}
	ping := newHeartbeat(u.cfg.Ops.HeartbeatURL, u.health, u.log)
	u.metrics.expect(p.adapters)
	u.metrics.registry.MustRegister(
		sourceCollector(p.client), networkCollector(p.adapters), watchCollector(p.bot, &home.kept),
		outboxCollector(p.bot, p.store, p.adapters), storeCollector(p.bot, p.store), heartbeatCollector(ping),
		publicCollector(p.public),
	)
	if err := u.open(ctx, g); err != nil {
		return err
	}
	g.Go(func() error { return watchStore(ctx, p.store, u.health) })
	g.Go(func() error { return home.run(ctx) })
	g.Go(func() error { return look.run(ctx) })
	g.Go(func() error { return ping.run(ctx) })
	g.Go(func() error { return u.boss.run(ctx, connectedTo(u.cfg, p.adapters)) })
	return nil
}

// open opens the listener for machines, if there is to be one.
func (u *upkeep) open(ctx context.Context, g *errgroup.Group) error {
	if u.cfg.Ops.Listen == "" {
		return nil
	}
	l, err := net.Listen("tcp", u.cfg.Ops.Listen)
	if err != nil {
		return fmt.Errorf("ops.listen: %w: choose another address, or \"\" for none", err)
	}
	u.log.Info("ops listener", "address", l.Addr().String())
	g.Go(func() error { return serveHTTP(ctx, l, opsHandler(u.health, u.metrics), u.log) })
	return nil
}

// watchStore ends serve when a commit's outcome is unknown: nothing may be
// promised any more, and the next start reads what was written.
func watchStore(ctx context.Context, st interface {
	Failed() <-chan struct{}
	Err() error
}, health *Health) error {
	select {
	case <-ctx.Done():
		return nil
	case <-st.Failed():
		health.Set("store", "a commit failed")
		return fmt.Errorf("the store failed, so I stop: %w", st.Err())
	}
}

// A house is what is stored, as far as it is to be kept.
type house struct {
	bot   *bot.Bot
	store *store.Store
	keep  StoreConfig
	log   *slog.Logger
	kept  beat // when it was last in order
}

// run deletes what is older than it is to be kept, hourly, by a clock that is
// trusted, and at once what is left of somebody who was unlinked.
func (h *house) run(ctx context.Context) error {
	hourly := time.NewTicker(houseEvery)
	defer hourly.Stop()
	for {
		now := time.Now()
		trusted, err := h.store.TrustedTime(now)
		err = errors.Join(err, h.store.Trim(trusted, h.keep.KeepAudit), h.store.TrimHistory(trusted.Add(-h.keep.KeepHistory)), h.bot.TrimTickets(now))
		if err != nil {
			h.log.Error("old records are not deleted", "err", err)
		} else {
			h.kept.now()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-h.bot.Unlinked():
		case <-hourly.C:
		}
	}
}
