package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// watchEvery is how often the floor of the alerts is polled, so that the
// pictures need not wait for long: what they wait for is the time in which the
// bot gathers the agents of one alert.
const watchEvery = 2 * time.Second

// watched are the cards that the bot sends unasked while it watches a floor,
// and what people answer. The loops run as they do in the product, in real time.
func watched(s *stage) {
	if s.err != nil {
		return
	}
	rules, err := watchedRules(s.config(s.now.Location(), true).Metrics)
	if err != nil {
		s.try(err)
		return
	}
	s.bot.Configure(s.watchedConfig(rules))
	s.try(s.linkEverybody())
	s.try(s.rememberMinutes())
	ctx, stop := context.WithCancel(s.ctx)
	post := newRecorder(s.network)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.bot.Watch(ctx) })
	g.Go(func() error { return s.bot.Deliver(ctx, post) })
	w := watch{s, post}
	w.begins()
	w.isAnswered()
	w.ends()
	stop()
	s.try(g.Wait())
}

// watchedRules are one of each severity, and one that hits many at once.
func watchedRules(d stats.Dictionary) ([]*alert.Rule, error) {
	var metrics []alert.Metric
	for _, m := range d {
		metrics = append(metrics, alert.Metric{Name: m.Name, Key: m.Key, Unit: string(m.Unit), Kind: alert.Kind(m.Kind), Confirmed: m.Confirmed})
	}
	at, soon := new(time.Duration), 2*time.Second
	return alert.Load([]alert.RuleSpec{
		{Name: "missed-burst", When: `increase(missed, "5m") >= 3`, Clear: `increase(missed, "5m") <= 1`, For: at, KeepFiringFor: at,
			Message: "{{.Agent}} missed {{.Value}} calls in five minutes"},
		{Name: "long-hold", When: `increase(hold, "5m") >= 240`, Clear: `increase(hold, "5m") < 120`, For: at, KeepFiringFor: at, Severity: "critical", EscalateAfter: &soon,
			Message: "{{.Agent}} kept callers on hold for {{.Value}} within five minutes"},
		{Name: "long-break", When: `idle >= 90`, Clear: `idle < 60`, For: at, KeepFiringFor: at, Severity: "info",
			Message: "{{.Agent}} has been idle for {{.Value}}"},
	}, alert.NewEnv(metrics))
}

// watchedConfig is one team whose shift runs.
func (f *floor) watchedConfig(rules []*alert.Rule) bot.Config {
	c := f.weeksConfig()
	c.PollInterval, c.RequestsPerSecond, c.MaxInFlight, c.Rules = watchEvery, 50, 8, rules
	team := c.Teams[0]
	for _, other := range c.Teams[1:] {
		team.Members = append(team.Members, other.Members...)
	}
	team.Rota.Shifts = []schedule.Shift{{Name: "day", Days: schedule.EveryDay, Start: 9 * 60, End: 18 * 60}}
	c.Teams = []bot.Team{team}
	return c
}

// rememberMinutes makes up what the rules look back to.
func (f *floor) rememberMinutes() error {
	for _, a := range f.sim.Agents() {
		agent, err := f.store.AgentAt(f.person(firstName(a.Name)))
		if err != nil {
			return err
		}
		samples, err := f.samples(agent.ID, a.UserID, span{time.Now().Add(-6 * time.Minute), time.Now().Add(-watchEvery), watchEvery})
		if err != nil {
			return err
		}
		if err := f.store.AppendHistory(samples); err != nil {
			return err
		}
	}
	return nil
}

// watch is the part of a stage that a running bot plays on.
type watch struct {
	*stage
	post *recorder
}

// missed has the first agent miss calls, or takes them back.
func (w watch) missed(calls float64) {
	for _, key := range []string{"TH", "tC", "MH"} {
		w.try(w.sim.Add(w.sim.Agents()[0].UserID, key, calls))
	}
}

// begins is the trouble, and who hears of it. Many come after few: all at once,
// on a slow machine, the bot would bundle them. They have spoken to the bot
// before, because some networks do not let it begin.
func (w watch) begins() {
	w.say("quiet", "meera", "floor", "quiet 22:00-07:00")
	w.say("whoami-admin", "dev", "floor", "whoami")
	_, err := w.floor.say(w.ctx, firstName(w.sim.Agents()[11].Name), "floor", "whoami")
	w.try(err)
	w.missed(4)
	w.try(w.sim.Add(w.sim.Agents()[1].UserID, "HT", 263))
	w.arrives("alert-warning", "meera", titled("Asha Rao missed"))
	w.arrives("alert-critical", "meera", func(l letter) bool { return l.message.Tone == chat.Critical })
	for _, a := range w.sim.Agents()[2:11] {
		w.try(w.sim.Add(a.UserID, "I", 95))
	}
	w.arrives("alert-crowd", "meera", func(l letter) bool { return len(tables(l.message)) > 0 })
	w.try(w.sim.Fault(w.sim.Agents()[11].UserID, "expired", 100))
	w.arrives("alert-escalated", "dev", func(l letter) bool { return l.message.Tone == chat.Critical })
	w.arrives("notice-expired", firstName(w.sim.Agents()[11].Name), func(letter) bool { return true })
}

// isAnswered is what the supervisor does about it.
func (w watch) isAnswered() {
	w.say("alerts", "meera", "floor", "alerts")
	w.say("alerts-own", "asha", "floor", "alerts")
	w.press("acknowledged", "alert-warning", "Acknowledge")
	w.arrives("alert-acknowledged", "meera", titled("Asha Rao missed"), hasNo("Acknowledge"))
	w.home("home-supervisor", "meera")
	w.press("silence-form", "alert-critical", "Other…")
	w.press("silenced", "alert-critical", "Silence 1 h")
	w.arrives("alert-silenced", "meera", func(l letter) bool {
		return l.message.Tone == chat.Critical && strings.Contains(l.message.Plain(), "ilenced")
	})
	w.say("silences", "meera", "floor", "silences")
	w.say("unsilenced", "meera", "floor", "unsilence 1")
	w.say("ack-all", "meera", "floor", "ack 1-99")
	w.say("quiet-show", "meera", "floor", "quiet show")
	w.say("quiet-fault", "meera", "floor", "quiet 25:00-07:00")
	w.say("silence-fault", "meera", "floor", "silence mised-burst 1h")
	w.say("status", "dev", "floor", "status")
	w.say("alert-test", "meera", "floor", "test")
}

// ends is the recovery.
func (w watch) ends() {
	w.missed(-4)
	w.arrives("alert-recovered", "meera", titled("Recovered: Asha"))
}

// arrives keeps a message that somebody is sent, once it reads as all of wanted
// say.
func (w watch) arrives(name, to string, wanted ...func(letter) bool) {
	if w.err != nil {
		return
	}
	m, err := w.post.wait(w.ctx, func(l letter) bool {
		return l.to == w.person(to) && !slices.ContainsFunc(wanted, func(f func(letter) bool) bool { return !f(l) })
	})
	if err != nil {
		w.try(fmt.Errorf("%s: %w", name, err))
		return
	}
	w.stage.post(name, m)
}

// press keeps the answer to a button of an earlier card.
func (w watch) press(name, on, label string) {
	if w.err != nil {
		return
	}
	i := slices.IndexFunc(w.cards, func(c card) bool { return c.name == on })
	j := -1
	if i >= 0 {
		j = slices.IndexFunc(w.cards[i].message.Actions, func(a chat.Action) bool { return a.Label == label })
	}
	if j < 0 {
		w.try(fmt.Errorf("%s: there is no button %q on the card %s", name, label, on))
		return
	}
	r := w.request("meera")
	r.Kind, r.Action = chat.KindAction, w.cards[i].message.Actions[j]
	replies, err := w.handle(w.ctx, r)
	w.keep(name, "["+label+"]", replies, err)
}

func titled(words string) func(letter) bool {
	return func(l letter) bool { return strings.Contains(l.message.ToneWord()+": "+l.message.Title, words) }
}

func hasNo(label string) func(letter) bool {
	return func(l letter) bool {
		return !slices.ContainsFunc(l.message.Actions, func(a chat.Action) bool { return a.Label == label })
	}
}

func tables(m chat.Message) (list []chat.Table) {
	for _, b := range m.Blocks {
		if t, ok := b.(chat.Table); ok {
			list = append(list, t)
		}
	}
	return list
}
