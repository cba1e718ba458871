package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"floorwalker/bot/chat"
)

const (
	// connectFor bounds how long the start waits for the networks. One that is
	// away is no reason to be started again: the rest works, and readiness says
	// what does not.
	connectFor = 30 * time.Second

	connectLook = 50 * time.Millisecond
)

// A manager is the service manager that started the program: systemd, or
// another that speaks its protocol. If there is none, telling it does nothing.
// See sd_notify(3).
type manager struct {
	health  *Health
	log     *slog.Logger
	refused atomic.Bool // the last reload
}

// newManager returns the manager of this process. The program is not ready before
// run says so.
func newManager(health *Health, log *slog.Logger) *manager {
	health.Set("start", "connecting to the networks")
	return &manager{health: health, log: log}
}

// tell sends the manager a few lines of state.
func (m *manager) tell(lines ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(lines, "\n")); err != nil {
		m.log.Debug("the service manager does not listen", "err", err)
	}
}

// run says that the program is ready when the networks are connected, and then,
// until ctx ends, how it is and, if the manager wants to know, that it is alive:
// as long as every loop goes round. At the end it says that the program stops.
func (m *manager) run(ctx context.Context, connected func() bool) error {
	defer m.tell(daemon.SdNotifyStopping, "STATUS=stopping")
	m.tell("STATUS=connecting to the networks")
	await(ctx, connected)
	if ctx.Err() != nil {
		return nil
	}
	m.health.Set("start", "")
	status := m.status(time.Now())
	m.tell(daemon.SdNotifyReady, status)

	every := lookEvery
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		m.log.Warn("the service manager's watchdog is not served", "err", err)
	}
	if watchdog > 0 {
		every = min(every, watchdog/2)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if watchdog > 0 && !m.health.Stuck(time.Now()) {
			m.tell(daemon.SdNotifyWatchdog)
		}
		if s := m.status(time.Now()); s != status {
			status = s
			m.tell(status)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// status is one line on how the program is.
func (m *manager) status(now time.Time) string {
	line := "STATUS=ready"
	if reasons := m.health.Reasons(now); len(reasons) > 0 {
		line = "STATUS=not ready: " + strings.Join(sortedReasons(reasons), "; ")
	}
	if m.refused.Load() {
		line += " (the last reload was refused: see the log)"
	}
	return strings.ReplaceAll(line, "\n", " ")
}

// reloading says that the configuration is loaded anew, reloaded that this is
// over, for better or worse.
func (m *manager) reloading() {
	m.tell(daemon.SdNotifyReloading, strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
}

func (m *manager) reloaded(ok bool) {
	m.refused.Store(!ok)
	m.tell(daemon.SdNotifyReady, m.status(time.Now()))
}

// await returns when the networks are connected, after connectFor at the latest.
func await(ctx context.Context, connected func() bool) {
	ctx, cancel := context.WithTimeout(ctx, connectFor)
	defer cancel()
	tick := time.NewTicker(connectLook)
	defer tick.Stop()
	for !connected() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// connectedTo reports whether every network that keeps connections has one. In
// mode http it is the network that calls.
func connectedTo(cfg *Config, adapters []chat.Adapter) func() bool {
	calls := map[chat.Network]bool{chat.Slack: cfg.Slack.Mode == "http", chat.Discord: cfg.Discord.Mode == "http"}
	return func() bool {
		return !slices.ContainsFunc(adapters, func(a chat.Adapter) bool {
			s, keeps := statsOf(a)
			return keeps && !calls[a.Network()] && s.open == 0
		})
	}
}
