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

// watched are the cards that the bot sends unasked while it watches a floor,
// and what people answer. The loops run as they do in the product.
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
	s.try(s.rememberHour())
	s.run(s.bot.Watch, func(w watch) {
		w.begins()
		w.isAnswered()
		w.goesOn()
		w.isQuiet()
		w.cannotSend()
		w.ends()
	})
}

// run plays a scene while the bot sends, and while one more of its loops runs.
func (s *stage) run(loop func(context.Context) error, scene func(watch)) {
	if s.err != nil {
		return
	}
	ctx, stop := context.WithCancel(s.ctx)
	post := newRecorder(s.network)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return loop(ctx) })
	g.Go(func() error { return s.bot.Deliver(ctx, post) })
	scene(watch{s, post})
	stop()
	s.try(g.Wait())
}

// watchedRules are one of each severity.
func watchedRules(d stats.Dictionary) ([]*alert.Rule, error) {
	var metrics []alert.Metric
	for _, m := range d {
		metrics = append(metrics, alert.Metric{Name: m.Name, Key: m.Key, Unit: string(m.Unit), Kind: alert.Kind(m.Kind), Confirmed: m.Confirmed})
	}
	at := new(time.Duration)
	return alert.Load([]alert.RuleSpec{
		{Name: "missed-burst", When: `increase(missed, "15m") >= 4`, Clear: `increase(missed, "15m") <= 1`, For: at, KeepFiringFor: at,
			Message: "{{.Agent}} missed {{.Value}} calls in 15 minutes"},
		{Name: "long-hold", When: `increase(hold, "15m") >= 900`, Clear: `increase(hold, "15m") < 300`, For: at, KeepFiringFor: at, Severity: "critical",
			Message: "{{.Agent}} kept callers on hold for {{.Value}} in 15 minutes"},
		{Name: "long-break", When: `idle >= 20`, Clear: `idle < 10`, For: at, KeepFiringFor: at, Severity: "info",
			Message: "{{.Agent}} has been idle for {{.Value}}"},
	}, alert.NewEnv(metrics))
}

// watchedConfig is one team whose shift runs, and one that has none.
func (f *floor) watchedConfig(rules []*alert.Rule) bot.Config {
	c := f.weeksConfig()
	c.RequestsPerSecond, c.MaxInFlight, c.Rules = 50, 8, rules
	team := c.Teams[0]
	for _, other := range c.Teams[1:] {
		team.Members = append(team.Members, other.Members...)
	}
	team.Rota.Shifts = []schedule.Shift{{Name: "day", Days: schedule.EveryDay, Start: 9 * 60, End: 18 * 60}}
	other := bot.Team{Name: partialTeam, Zone: team.Zone, Supervisors: team.Supervisors, Rota: schedule.Rota{Team: partialTeam, Zone: team.Zone}}
	c.Teams = []bot.Team{team, other}
	return c
}

// rememberHour makes up what the rules look back to.
func (f *floor) rememberHour() error {
	for _, a := range f.sim.Agents() {
		agent, err := f.store.AgentAt(f.person(firstName(a.Name)))
		if err != nil {
			return err
		}
		samples, err := f.samples(agent.ID, a.UserID, span{f.now.Add(-time.Hour), f.now.Add(-pollEvery), pollEvery})
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

// add changes a counter of one agent of the simulation, or of several.
func (w watch) add(key string, delta float64, agents ...int) {
	for _, i := range agents {
		w.try(w.sim.Add(w.sim.Agents()[i].UserID, key, delta))
	}
}

// missed has agents miss calls.
func (w watch) missed(calls float64, agents ...int) {
	for _, key := range []string{"TH", "tC", "MH"} {
		w.add(key, calls, agents...)
	}
}

// begins is the trouble, and who hears of it. They have spoken to the bot before,
// because some networks do not let it begin.
func (w watch) begins() {
	w.say("quiet", "meera", "floor", "quiet 22:00-07:00")
	w.say("whoami-admin", "dev", "floor", "whoami")
	w.say("whoami-supervisor", "meera", "floor", "whoami")
	w.say("alerts-none", "meera", "floor", "alerts")
	w.say("silences-none", "meera", "floor", "silences")
	w.home("home-calm", "meera")
	for _, a := range w.sim.Agents() {
		_, err := w.floor.say(w.ctx, firstName(a.Name), "floor", "whoami")
		w.try(err)
	}
	time.Sleep(2 * pollEvery)
	w.missed(5, 0)
	w.arrives("alert-warning", "meera", titled("Asha Rao missed"))
	w.add("HT", 1140, 1)
	w.arrives("alert-critical", "meera", titled("on hold"))
	w.add("I", 24, 2, 3, 4, 5)
	w.arrives("alert-crowd", "meera", hasTable)
	w.try(w.sim.Fault(w.sim.Agents()[11].UserID, "expired", 1000))
	w.arrives("notice-expired", firstName(w.sim.Agents()[11].Name), titled("Link again"))
	w.home("home-relink", firstName(w.sim.Agents()[11].Name))
	w.say("mystats-relink", firstName(w.sim.Agents()[11].Name), "mystats", "")
}

// isAnswered is what the supervisor does about it.
func (w watch) isAnswered() {
	w.say("alerts", "meera", "floor", "alerts")
	w.say("alerts-own", "asha", "floor", "alerts")
	w.say("alerts-number", "meera", "floor", "alerts 1")
	w.press("acknowledged", "alert-warning", "Acknowledge")
	w.arrives("alert-acknowledged", "meera", titled("Asha Rao missed"), hasNo("Acknowledge"))
	w.home("home-supervisor", "meera")
	w.arrives("alert-escalated", "dev", titled("on hold"))
	w.press("silence-form", "alert-critical", "Silence…")
	w.press("silenced", "alert-critical", "Silence 1 h")
	w.arrives("alert-silenced", "meera", titled("on hold"), says("Silenced by"))
	w.say("silence-done", "meera", "floor", "silence long-break shift training day")
	w.say("silences", "meera", "floor", "silences")
	w.say("unsilenced", "meera", "floor", "unsilence 1")
	w.say("ack-all", "meera", "floor", "ack 1-99")
	w.say("quiet-show", "meera", "floor", "quiet show")
	w.say("quiet-fault", "meera", "floor", "quiet 25:00-07:00")
	w.say("silence-usage", "meera", "floor", "silence")
	w.say("silence-fault", "meera", "floor", "silence mised-burst 1h")
	w.say("ack-gone", "meera", "floor", "ack 77")
	w.say("unsilence-gone", "meera", "floor", "unsilence 77")
	w.say("status", "dev", "floor", "status")
	w.say("alert-test", "meera", "floor", "test")
	w.arrives("test-fires", "meera", titled("test alert"))
	w.arrives("test-recovers", "meera", titled("ecovered: This was a test"))
}

// goesOn is what becomes of alerts: numbers that no longer come, and recovery.
func (w watch) goesOn() {
	w.try(w.sim.Fault(w.sim.Agents()[0].UserID, "code:1501", 40))
	time.Sleep(5 * pollEvery)
	w.say("alert-no-data", "meera", "floor", "alerts 1")
	w.try(w.sim.Fault(w.sim.Agents()[0].UserID, "", 0))
	w.arrives("alert-recovered", "meera", titled("ecovered: Asha"))
	w.add("I", -20, 2, 3)
	w.arrives("alert-crowd-partly", "meera", hasTable, says("ecovered"))
	w.add("I", -20, 4, 5)
	w.arrives("alert-crowd-over", "meera", hasTable, titled("ecovered: long-break"))
}

// isQuiet is a supervisor's quiet hour, and what she reads after it.
func (w watch) isQuiet() {
	from := w.clock()
	w.say("quiet-now", "meera", "floor", fmt.Sprintf("quiet %s-%s", from.Format("15:04"), from.Add(20*time.Minute).Format("15:04")))
	w.missed(5, 6)
	time.Sleep(17 * time.Minute)
	w.missed(6, 7)
	w.add("I", 31, 2)
	w.arrives("alert-after-quiet", "meera", titled("quiet hours"))
	w.say("quiet-off", "meera", "floor", "quiet off")
}

// cannotSend is a network that takes nothing for some minutes, and what arrives
// when it does again.
func (w watch) cannotSend() {
	w.post.fail(true)
	for i := range 3 {
		w.missed(6, 3+i)
		time.Sleep(90 * time.Second)
		w.add("HT", 1200, 8+i)
		time.Sleep(90 * time.Second)
	}
	for _, words := range []string{"add", "remove", "add", "remove", "add"} {
		_, err := w.floor.say(w.ctx, "dev", "floor", "team "+words+" <@"+w.person("grace").String()+"> "+partialTeam)
		w.try(err)
	}
	time.Sleep(2 * pollEvery)
	w.say("status-held", "dev", "floor", "status")
	w.post.fail(false)
	w.arrives("alert-many", "meera", titled("at once"))
	w.arrives("notices-bundled", "grace", titled("messages that waited"))
}

// ends is that somebody takes the rules out of the configuration.
func (w watch) ends() {
	w.bot.Configure(w.watchedConfig(nil))
	w.arrives("alert-over", "meera", titled("Over: "))
}

// posted keeps a message to the team's channel.
func (w watch) posted(name string, wanted ...func(letter) bool) {
	w.sees(name, "", w.channel(), wanted)
}

// arrives keeps a message that somebody is sent, once it reads as all of wanted
// say.
func (w watch) arrives(name, to string, wanted ...func(letter) bool) {
	w.sees(name, to, w.person(to), wanted)
}

func (w watch) sees(name, who string, to chat.Address, wanted []func(letter) bool) {
	if w.err != nil {
		return
	}
	m, err := w.post.wait(w.ctx, func(l letter) bool {
		return l.to == to && !slices.ContainsFunc(wanted, func(f func(letter) bool) bool { return !f(l) })
	})
	if err != nil {
		w.try(fmt.Errorf("%s: %w", name, err))
		return
	}
	w.stage.post(name, who, m)
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
	w.as = "meera"
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

func says(words string) func(letter) bool {
	return func(l letter) bool { return strings.Contains(l.message.Plain(), words) }
}

func hasTable(l letter) bool {
	return slices.ContainsFunc(l.message.Blocks, func(b chat.Block) bool { _, ok := b.(chat.Table); return ok })
}
