package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"floorwalker/adapters/web"
	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// A public is the public listener, open but not yet answering. A nil one is off.
type public struct {
	server   *web.Server
	listener net.Listener
	health   *Health
}

// openPublic opens the public listener, if there is to be one. Who connects waits
// until it is started.
func openPublic(cfg *Config, p parts, health *Health, log *slog.Logger) (*public, error) {
	if cfg.HTTP.Listen == "" {
		return nil, nil
	}
	c := web.Config{PublicURL: cfg.HTTP.PublicURL, TrustedProxies: cfg.HTTP.TrustedProxies, Callbacks: callbacks(cfg, p.adapters), Logger: log}
	if cfg.HTTP.PublicURL != "" {
		c.Links = links{p.bot, p.adapters}
	}
	if c.Links == nil && len(c.Callbacks) == 0 {
		log.Warn("http.listen has nothing to serve: give http.public_url for link pages, or a network's mode http")
	}
	server, err := web.New(c)
	if err != nil {
		return nil, usageError{fmt.Errorf("http.public_url: %w", err)}
	}
	l, err := net.Listen("tcp", cfg.HTTP.Listen)
	if err != nil {
		return nil, fmt.Errorf("http.listen: %w: choose another address, or \"\" for none", err)
	}
	log.Info("public listener", "address", l.Addr().String(), "public_url", cfg.HTTP.PublicURL)
	health.Set(publicPart, "not answering yet")
	return &public{server, l, health}, nil
}

const publicPart = "public listener"

// publicCollector reads the public listener's own numbers. A nil listener has
// none.
func publicCollector(p *public) prometheus.Collector {
	requests := counter("public_requests_total", "Requests that the public listener answered, by route (none: nothing is there) and class of the status.", "route", "status")
	throttled := counter("public_requests_throttled_total", "Of them, requests for link pages that came too often from one client.")
	open := gauge("public_connections", "Open connections of the public listener; at 512 more wait.")
	return collector{[]family{requests, throttled, open}, func(put put) {
		if p == nil {
			return
		}
		s := p.server.Stats()
		for answered, n := range s.Requests {
			put(requests, float64(n), answered.Route, answered.Class)
		}
		put(throttled, float64(s.Throttled))
		put(open, float64(s.Open))
	}}
}

// start calls run, which starts the networks, and then answers until ctx ends. The
// networks' context ends when the last request has been answered: what a platform
// has been told is taken in hand is done.
func (p *public) start(ctx context.Context, g *errgroup.Group, run func(context.Context)) {
	if p == nil {
		run(ctx)
		return
	}
	networks, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	run(networks)
	p.health.Set(publicPart, "")
	g.Go(func() error {
		err := p.server.Serve(ctx, p.listener)
		p.health.Set(publicPart, "closed")
		stop(context.Cause(ctx))
		if err != nil {
			p.health.Set(publicPart, err.Error())
			return fmt.Errorf("http.listen: %w", err)
		}
		return nil
	})
}

// linkPage is where link pages are, "" for nowhere.
func linkPage(c HTTPConfig) string {
	if c.Listen == "" || c.PublicURL == "" {
		return ""
	}
	return c.PublicURL + "/link/"
}

// callbacks are what the platforms call, of the networks in mode http.
func callbacks(cfg *Config, adapters []chat.Adapter) []web.Callback {
	routes := map[chat.Network][]web.Callback{}
	if cfg.Slack.Mode == "http" {
		routes[chat.Slack] = []web.Callback{
			{Path: "/slack/command", Methods: "GET, POST"}, // GET: Slack looks after the certificate
			{Path: "/slack/interact", Methods: "POST"}, {Path: "/slack/event", Methods: "POST"},
		}
	}
	if cfg.Discord.Mode == "http" {
		routes[chat.Discord] = []web.Callback{{Path: "/discord/interactions", Methods: "POST"}}
	}
	var list []web.Callback
	for _, a := range adapters {
		called, ok := a.(interface{ Handler() http.Handler })
		if !ok {
			continue
		}
		handler := called.Handler()
		for _, c := range routes[a.Network()] {
			c.Handler = handler
			list = append(list, c)
		}
	}
	return list
}

// links is the bot as the link pages see it.
type links struct {
	bot      *bot.Bot
	adapters []chat.Adapter
}

// Offer implements [web.Links].
func (l links) Offer(ctx context.Context, ticket secret.Secret) (web.Offer, error) {
	offer, err := l.bot.LinkOffer(ctx, ticket)
	return l.offer(offer), goneOr(err)
}

// Redeem implements [web.Links].
func (l links) Redeem(ctx context.Context, ticket secret.Secret, s web.Submission) (web.Result, error) {
	r, err := l.bot.RedeemLink(ctx, ticket, bot.LinkSubmission{
		Credential: dashboard.Credential{UserID: s.UserID, Token: s.Token, SSID: s.SSID}, Confirmed: s.Confirmed,
	})
	return web.Result{Offer: l.offer(r.Offer), Faults: r.Faults, Message: r.Message, Linked: r.Linked}, goneOr(err)
}

func (l links) offer(o bot.LinkOffer) web.Offer {
	return web.Offer{
		Who: o.Address, Name: o.Name, Workspace: l.workspace(o.Address.Network), Command: o.Command,
		Expires: o.Expires, Tries: o.Tries, Relink: o.Relink,
	}
}

// workspace is what people call the workspace of a network, "" if it has none.
func (l links) workspace(n chat.Network) string {
	for _, a := range l.adapters {
		if named, ok := a.(interface{ Workspace() string }); ok && a.Network() == n {
			return named.Workspace()
		}
	}
	return ""
}

func goneOr(err error) error {
	if errors.Is(err, bot.ErrNoTicket) {
		return web.ErrGone
	}
	return err
}
