package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"
)

// reloadOnHangup loads the configuration anew whenever the process gets a
// SIGHUP, until ctx ends. It is validated first and applied whole; if anything is
// wrong with it, the old one stays and the log says why.
func (u *upkeep) reloadOnHangup(ctx context.Context, apply func(*Config)) error {
	cfg := u.cfg
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
		}
		u.boss.reloading()
		next, err := u.reload(cfg, apply)
		if err != nil {
			logFaults(u.log, err)
		} else {
			cfg = next
		}
		u.metrics.reloaded(err == nil)
		u.boss.reloaded(err == nil)
	}
}

// reload loads a configuration and applies it in the place of another.
func (u *upkeep) reload(cfg *Config, apply func(*Config)) (*Config, error) {
	next, warnings, err := Load(cfg.options)
	logWarnings(u.log, warnings)
	if err != nil {
		return nil, err
	}
	live, later := changes(cfg, next)
	if len(later) > 0 {
		u.log.Warn("some changes need a restart", "settings", strings.Join(later, " "))
	}
	apply(next)
	u.log.Info("configuration reloaded", "changed", cmp.Or(strings.Join(live, " "), "nothing"))
	return next, nil
}

// running returns next with what the client and the adapters were made with:
// that stays until a restart, and the bot must not reckon with more requests a
// second than are let through, name commands that nobody can type, or pages that
// nobody serves.
func running(began, next *Config) *Config {
	c := *next
	c.Dashboard.RequestsPerSecond, c.Dashboard.MaxInFlight = began.Dashboard.RequestsPerSecond, began.Dashboard.MaxInFlight
	c.Slack.Commands, c.HTTP = began.Slack.Commands, began.HTTP
	return &c
}

// logFaults says why a configuration is not taken, a line for each fault.
func logFaults(log *slog.Logger, err error) {
	var faults Faults
	if !errors.As(err, &faults) {
		log.Error("configuration not reloaded, the old one stays", "err", err)
		return
	}
	for _, f := range faults {
		log.Error("configuration not reloaded, the old one stays", "fault", f.Error())
	}
}

// changes compares two configurations. It returns what changed of that which
// takes effect at once, which is what the bot itself is told, and of that which
// waits for a restart.
func changes(old, next *Config) (live, later []string) {
	for _, part := range []struct {
		path      string
		old, next any
	}{
		{"admins", old.Admins, next.Admins},
		{"teams", old.Teams, next.Teams},
		{"alerts", old.Alerts, next.Alerts},
		{"dashboard.metrics", old.Dictionary, next.Dictionary},
	} {
		if !reflect.DeepEqual(part.old, part.next) {
			live = append(live, part.path)
		}
	}
	before := map[string]any{}
	for _, s := range settings(old) {
		before[s.path] = s.value.Interface()
	}
	for _, s := range settings(next) {
		switch {
		case reflect.DeepEqual(before[s.path], s.value.Interface()):
		case s.path == "dashboard.timezone", s.path == "dashboard.poll_interval":
			live = append(live, s.path)
		default:
			later = append(later, s.path)
		}
	}
	return live, later
}
