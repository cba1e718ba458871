package main

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"floorwalker/adapters/discord"
	"floorwalker/adapters/slack"
	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// networkStats are the numbers that all networks have.
type networkStats struct {
	open                 int
	connects             int64
	heard                time.Time
	redelivered, dropped int64
	calls, limited       map[string]int64
}

// statsOf reads a network's own numbers; false if it has none.
func statsOf(a chat.Adapter) (networkStats, bool) {
	switch a := a.(type) {
	case *slack.Adapter:
		s := a.Stats()
		return networkStats{s.Open, s.Connects, s.LastHello, s.Redelivered, s.Dropped, s.Calls, s.Limited}, true
	case *discord.Adapter:
		s := a.Stats()
		return networkStats{int(yes(s.Connected)), s.Connects, s.LastHeard, 0, s.Dropped, s.Calls, s.Limited}, true
	}
	return networkStats{}, false
}

// networkCollector reads the networks' own numbers.
func networkCollector(adapters []chat.Adapter) prometheus.Collector {
	open := gauge("network_connections", "Connections that work.", "network")
	connects := counter("network_connects_total", "Connections that were opened.", "network")
	heard := gauge("network_heard_timestamp_seconds", "When the network last greeted or answered a connection.", "network")
	redelivered := counter("network_events_redelivered_total", "Events that the network delivered again.", "network")
	dropped := counter("network_events_dropped_total", "Events that were not taken: no room, or not understood.", "network")
	calls := counter("network_calls_total", "Calls of the network's API, by method.", "network", "method")
	limited := counter("network_calls_limited_total", "Of them, answered with 429.", "network", "method")
	return collector{[]family{open, connects, heard, redelivered, dropped, calls, limited}, func(put put) {
		for _, a := range adapters {
			s, ok := statsOf(a)
			if !ok {
				continue
			}
			network := string(a.Network())
			put(open, float64(s.open), network)
			put(connects, float64(s.connects), network)
			if !s.heard.IsZero() {
				put(heard, stamp(s.heard), network)
			}
			put(redelivered, float64(s.redelivered), network)
			put(dropped, float64(s.dropped), network)
			for method, n := range s.calls {
				put(calls, float64(n), network, method)
			}
			for method, n := range s.limited {
				put(limited, float64(n), network, method)
			}
		}
	}}
}

// sourceCollector reads the API client's own counters.
func sourceCollector(client *dashboard.Client) prometheus.Collector {
	calls := counter("api_calls_total", "Calls of the counters API, by result: ok or the class of the error.", "result")
	attempts := counter("api_attempts_total", "Requests sent to the counters API, repetitions included.")
	took := counter("api_attempt_duration_seconds_total", "Time of all attempts together.")
	cached := counter("api_cache_hits_total", "Questions answered from the cache.")
	flying := gauge("api_in_flight", "Requests to the counters API under way.")
	waiting := gauge("api_waiting", "Requests to the counters API that wait for their turn.")
	dials := counter("api_dials_total", "Connections opened to the counters API.")
	closed := gauge("api_breaker_closed", "1 while calls are let through, 0 while the API is left alone after failures.")
	return collector{[]family{calls, attempts, took, cached, flying, waiting, dials, closed}, func(put put) {
		s := client.Stats()
		put(calls, float64(s.Answers), "ok")
		for class, n := range s.Errors {
			put(calls, float64(n), class.String())
		}
		put(attempts, float64(s.Attempts))
		put(took, s.Took.Seconds())
		put(cached, float64(s.CacheHits))
		put(flying, float64(s.InFlight))
		put(waiting, float64(s.Waiting))
		put(dials, float64(s.Dials))
		put(closed, yes(s.Breaker == "closed"))
	}}
}

// watchCollector reads how the loops are doing.
func watchCollector(b *bot.Bot, house *beat) prometheus.Collector {
	rounds := counter("watch_rounds_total", "Rounds in which every agent on shift was asked and the answers were stored.")
	took := gauge("watch_round_duration_seconds", "How long the last of them took, from its begin until it was stored.")
	every := gauge("watch_interval_seconds", "How long a round is to be now: longer than configured under overload.")
	polls := gauge("watch_polls", "Agents polled in the last round.")
	last := gauge("loop_timestamp_seconds", "When a loop last finished a round.", "loop")
	return collector{[]family{rounds, took, every, polls, last}, func(put put) {
		w := b.WatchStatus()
		put(rounds, float64(w.Rounds))
		put(took, w.Took.Seconds())
		put(every, w.Interval.Seconds())
		put(polls, float64(w.Polls))
		loops := map[string]time.Time{"watch": w.Stored, "alerts": w.Alerts, "digests": w.Digests, "leavers": w.Leavers, "housekeeping": house.last()}
		for _, d := range b.DeliveryStatus() {
			if d.Off {
				continue
			}
			loops["delivery on "+string(d.Network)] = d.Beat
		}
		for name, at := range loops {
			if !at.IsZero() {
				put(last, stamp(at), name)
			}
		}
	}}
}

// laneNames are those of the deliveries.
var laneNames = [...]string{bot.LaneNotice: "notice", bot.LaneAlert: "alert", bot.LaneDigest: "digest"}

// outboxCollector counts what waits to be sent. Lanes in which nothing waits are
// zero, and not missing.
func outboxCollector(b *bot.Bot, st *store.Store, adapters []chat.Adapter) prometheus.Collector {
	rows := gauge("outbox_rows", "Messages that wait (pending) or are on their way (leased).", "network", "lane", "state")
	oldest := gauge("outbox_oldest_due_seconds", "For how long the message whose turn came first has been due; 0 if none is.", "network", "lane")
	held := gauge("outbox_held", "1 while nothing is sent on a network: it refuses the bot, or the disk is full.", "network")
	barred := gauge("outbox_barred_addresses", "Addresses that the bot may not write to now.", "network")
	return collector{[]family{rows, oldest, held, barred}, func(put put) {
		now := time.Now()
		for _, a := range adapters {
			lanes, err := st.Backlog(a.Network(), now)
			if err != nil {
				continue // readiness says so
			}
			var each [len(laneNames)]store.Backlog
			for _, w := range lanes {
				if int(w.Lane) < len(each) {
					each[w.Lane] = w
				}
			}
			for lane, w := range each {
				put(rows, float64(w.Pending), string(a.Network()), laneNames[lane], string(bot.RowPending))
				put(rows, float64(w.Leased), string(a.Network()), laneNames[lane], string(bot.RowLeased))
				age := 0.0
				if !w.Due.IsZero() {
					age = max(0, now.Sub(w.Due).Seconds())
				}
				put(oldest, age, string(a.Network()), laneNames[lane])
			}
		}
		for _, d := range b.DeliveryStatus() {
			if d.Off {
				continue
			}
			put(held, yes(d.Held != ""), string(d.Network))
			put(barred, float64(len(d.Barred)), string(d.Network))
		}
	}}
}

// storeCollector counts agents, alerts and bytes.
func storeCollector(b *bot.Bot, st *store.Store) prometheus.Collector {
	agents := gauge("agents", "Linked agents, by the state of their credential.", "state")
	alerts := gauge("alert_subjects", "Agents and teams for which a rule is pending, firing or recovering.", "rule", "phase")
	size := gauge("store_size_bytes", "Size of the files, by part: live, history.", "part")
	days := gauge("store_history_files", "Files of history, one a day.")
	broken := gauge("store_damaged_records", "Records and days of history that were found to be unreadable since the start, and are passed over.")
	damaged := gauge("store_damaged_files", "Files of history that were set aside because they are damaged.")
	backup := gauge("backup_timestamp_seconds", "When the last backup was made that the audit trail knows.")
	v := &storeNumbers{bot: b, store: st}
	return collector{[]family{agents, alerts, size, days, broken, damaged, backup}, func(put put) {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.read(time.Now()) != nil {
			return // readiness is red, or soon will be
		}
		for state, n := range v.stats.Agents {
			put(agents, float64(n), string(state))
		}
		for rule, phases := range v.alerts {
			for _, phase := range openPhases {
				put(alerts, float64(phases[phase]), rule, phase.String())
			}
		}
		put(size, float64(v.stats.Bytes), "live")
		put(size, float64(v.stats.History), "history")
		put(days, float64(v.stats.Days))
		put(broken, float64(v.stats.Broken))
		put(damaged, float64(v.stats.Damaged))
		if !v.backup.IsZero() {
			put(backup, stamp(v.backup))
		}
	}}
}

// heartbeatCollector counts the heartbeats.
func heartbeatCollector(h *heartbeat) prometheus.Collector {
	pings := counter("heartbeat_pings_total", "Times the heartbeat was due, by result: sent, failed, withheld because something was wrong.", "result")
	return collector{[]family{pings}, func(put put) {
		put(pings, float64(h.sent.Load()), "sent")
		put(pings, float64(h.failed.Load()), "failed")
		put(pings, float64(h.withheld.Load()), "withheld")
	}}
}

// rarely is for how long numbers are good that cost something to read: 10,000
// agents are 50 ms.
const rarely = 30 * time.Second

// openPhases are those in which something is wrong.
var openPhases = [...]alert.Phase{alert.Pending, alert.Firing, alert.Recovering}

// storeNumbers are what the store is asked for only now and then, however many
// scrape.
type storeNumbers struct {
	bot   *bot.Bot
	store *store.Store

	mu     sync.Mutex // guards what follows, and is held while it is read
	at     time.Time  // when it was read
	stats  store.Stats
	alerts map[string]bot.RulePhases
	backup time.Time
}

// read reads the numbers unless they are fresh. Called with mu held.
func (n *storeNumbers) read(now time.Time) (err error) {
	if age := now.Sub(n.at); age >= 0 && age < rarely {
		return nil
	}
	if n.stats, err = n.store.Stats(); err != nil {
		return err
	}
	if n.alerts, err = n.bot.AlertPhases(); err != nil {
		return err
	}
	for e, err := range n.store.AuditTrail(n.backup) {
		if err != nil {
			return err
		}
		if e.Action == "backup" {
			n.backup = e.At
		}
	}
	n.at = now
	return nil
}
