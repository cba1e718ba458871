package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/adapters/slack/slacktest"
	"floorwalker/dashboard/sim"
)

// People and places on the fake Discord.
const (
	discordAsha, discordMeera = "80351110224678911", "80351110224678912"
	discordGuild              = "80351110224678920"
	discordSupport            = "80351110224678930"
)

// A bothSite is an installation on the fakes of both networks. Asha is one person
// there, Meera two: so each network has its supervisor.
type bothSite struct {
	*slackSite
	discord *discordtest.Server
	public  string // where Discord calls, "" for the gateway
}

// newBothSite writes a configuration for both and starts nothing.
func newBothSite(t *testing.T) *bothSite {
	t.Helper()
	s := &bothSite{slackSite: newSlackSite(t, `    shifts: [{name: all, days: [mon, tue, wed, thu, fri, sat, sun], start: "00:00", end: "00:00"}]
    digests: [{name: summary, shift: all}]
alerts:
  - {name: missed-many, when: missed >= 40, clear: missed <= 1, for: 0s, keep_firing_for: 0s, message: "{{.Agent}} missed {{.Value}}"}
`)}
	s.discord = discordtest.New(discordtest.Options{Times: discordtest.Times{Ack: 20 * time.Second}})
	t.Cleanup(s.discord.Close)
	s.discord.AddUser(discordtest.User{ID: discordAsha, Name: "asha", Global: "Asha Rao"})
	s.discord.AddUser(discordtest.User{ID: discordMeera, Name: "meera", Global: "Meera Nair"})
	s.discord.AddGuild(discordtest.Guild{ID: discordGuild, Name: "Acme"})
	s.discord.AddChannel(discordtest.Channel{ID: discordSupport, Name: "support"})
	o := s.discord.Options()
	s.rewrite(
		"\nops:", fmt.Sprintf("\ndiscord: {bot_token: %q, application_id: %q, api_url: %q}\nops:", o.BotToken, o.AppID, s.discord.APIURL()),
		"dashboard: {", "dashboard: {poll_interval: 1s, cache_for: 0s, metrics: [{key: TH, confirmed: true}, {key: MH, confirmed: true}], ",
		"- name: support", "- name: support\n    timezone: "+daylight(t, time.Now()).String(),
		"[slack:C0SUPPORT]", "[slack:C0SUPPORT, discord:"+discordSupport+"]",
		"[slack:U0MEERA]", "[slack:U0MEERA, discord:"+discordMeera+"]",
		"[slack:U0ASHA]", "[{name: Asha Rao, ids: [slack:U0ASHA, discord:"+discordAsha+"]}]",
	)
	return s
}

// serve runs the program until the test ends, once both networks are there.
func (s *bothSite) serve() {
	s.t.Helper()
	s.start()
	if _, err := s.slack.WaitSockets(s.ctx, 1); err != nil {
		s.t.Fatalf("Slack: %v\n%s", err, s.log.String())
	}
	err := s.discord.Wait(s.ctx, func() bool {
		return (s.public != "" || len(s.discord.Ready()) == 1) && len(s.discord.Commands("")) == 2
	})
	if err != nil {
		s.t.Fatalf("Discord: %v\n%s", err, s.log.String())
	}
}

// onDiscord has somebody use a command there, and waits for an answer that holds
// a text.
func (s *bothSite) onDiscord(user, command, text string, options ...discordtest.Option) discordtest.Message {
	s.t.Helper()
	i, err := s.discord.Slash(user, discordSupport, command, options...)
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := i.WaitReply(s.ctx, func(m discordtest.Message) bool { return strings.Contains(m.Plain(), text) })
	if err != nil {
		s.t.Fatalf("no answer with %q on Discord: %v\n%+v\nlog:\n%s", text, err, i.Replies(), s.log.String())
	}
	return m
}

// link links Asha's two addresses to one account.
func (s *bothSite) link(a sim.Agent) {
	s.t.Helper()
	for _, address := range []string{"slack:U0ASHA", "discord:" + discordAsha} {
		if out, status := s.command("user_id="+a.UserID+"\ntoken="+a.Token+"\n", "link", address); status != 0 {
			s.t.Fatal(out)
		}
	}
}

// both checks that texts of the two networks hold the same things, but for what
// stands between a label and its value.
func (s *bothSite) both(slack, discord string, want ...string) {
	s.t.Helper()
	for network, text := range map[string]string{"Slack": slack, "Discord": discord} {
		flat := strings.NewReplacer(": ", " ", " · ", " ").Replace(text)
		for _, w := range want {
			if !strings.Contains(flat, w) {
				s.t.Errorf("on %s %q is missing in\n%s", network, w, text)
			}
		}
	}
}

// onSlack has somebody use /floor there, and waits for the answer.
func (s *bothSite) onSlack(user, text, want string) slacktest.Message {
	s.t.Helper()
	m, err := s.slack.Slash(user, "C0SUPPORT", "/floor", text).WaitReply(s.ctx, func(m slacktest.Message) bool { return strings.Contains(m.Plain(), want) })
	if err != nil {
		s.t.Fatalf("no answer with %q on Slack: %v\nlog:\n%s", want, err, s.log.String())
	}
	return m
}

// inSlack waits for a message in a channel that holds a text.
func (s *bothSite) inSlack(channel, text string) slacktest.Message {
	s.t.Helper()
	m, err := s.slack.WaitMessage(s.ctx, channel, func(m slacktest.Message) bool { return strings.Contains(m.Plain(), text) })
	if err != nil {
		s.t.Fatalf("no message with %q on Slack: %v\nlog:\n%s", text, err, s.log.String())
	}
	return m
}

// inDiscord is inSlack there.
func (s *bothSite) inDiscord(channel, text string) discordtest.Message {
	s.t.Helper()
	m, err := s.discord.WaitMessage(s.ctx, channel, func(m discordtest.Message) bool { return strings.Contains(m.Plain(), text) })
	if err != nil {
		s.t.Fatalf("no message with %q on Discord: %v\nlog:\n%s", text, err, s.log.String())
	}
	return m
}

// TestTwoNetworks: one command has the same numbers on both networks, a person
// with two addresses is one agent, and alerts and summaries reach both.
func TestTwoNetworks(t *testing.T) {
	t.Parallel()
	s := newBothSite(t)
	a := s.floor.Agents()[0]
	numbers := map[string]any{"TH": 142, "MH": 3, "aTT": 238, "HT": 655, "C": 139, "tC": 145, "I": 4}
	if err := s.floor.Set(a.UserID, numbers); err != nil {
		t.Fatal(err)
	}
	s.serve()
	s.link(a)
	s.onDiscord(discordMeera, "floor whoami", "not linked") // Discord wants people to speak first
	s.both(s.expect(s.slack.Slash("U0ASHA", "C0SUPPORT", "/mystats", "today"), "Calls offered").Plain(),
		s.onDiscord(discordAsha, "mystats", "Calls offered").Plain(),
		"Calls offered 142", "Answered 139", "Missed 3", "2% of offered", "Average talk (aTT) 3:58", "Hold time (HT) 10:55", "Total calls (tC) 145")
	if out, status := s.command("", "links", "--json"); status != 0 || len(agentsOf(t, out)) != 1 {
		t.Errorf("two addresses of one account are not one agent: exit %d\n%s", status, out)
	}
	s.proposes("floor team show", "team", "sup", "support")
	s.proposes("floor digest preview", "digest", "", "support/summary")
	s.proposes("floor silence", "what", "missed", "missed-many")
	s.alertOnBoth(a)
	s.summaryOnBoth()
	if status := s.stop(); status != 0 {
		t.Errorf("serve exits %d\n%s", status, s.log.String())
	}
	s.noSecrets(a.Token, s.discord.Options().BotToken)
}

// agentsOf returns the agents in the output of links, with how many addresses
// each has.
func agentsOf(t *testing.T, out string) map[string]int {
	t.Helper()
	var list struct {
		Links []struct{ User, Agent string }
	}
	_, document, _ := strings.Cut(out, "{") // after the log
	if err := json.Unmarshal([]byte("{"+document), &list); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	agents := map[string]int{}
	for _, l := range list.Links {
		agents[l.Agent]++
	}
	return agents
}

// proposes checks what is proposed to Meera for a command's option that she types.
func (s *bothSite) proposes(command, option, typed, want string) {
	s.t.Helper()
	i, err := s.discord.Suggest(discordMeera, discordSupport, command, option, discordtest.Option{Name: option, Value: typed})
	if err != nil {
		s.t.Fatal(err)
	}
	list, err := i.WaitChoices(s.ctx)
	if err != nil || !slices.ContainsFunc(list, func(c discordtest.Choice) bool { return c.Value == want }) {
		s.t.Errorf("%s proposes %+v for %s (%v), want %s", command, list, option, err, want)
	}
}

// alertOnBoth raises an alert and answers it on one network after the other.
func (s *bothSite) alertOnBoth(a sim.Agent) {
	s.t.Helper()
	for strings.Contains(s.onSlack("U0MEERA", "team", "support").Plain(), "none") { // nothing to count from yet
		time.Sleep(100 * time.Millisecond)
	}
	if err := errors.Join(s.floor.Add(a.UserID, "TH", 50), s.floor.Add(a.UserID, "MH", 40)); err != nil {
		s.t.Fatal(err)
	}
	const title = "Asha Rao missed 43"
	dm := s.slack.DM("U0MEERA")
	onSlack, onDiscord := s.inSlack(dm, title), s.inDiscord(discordMeera, title)
	if _, err := s.slack.Press("U0MEERA", onSlack, "Acknowledge"); err != nil {
		s.t.Fatal(err)
	}
	s.inSlack(dm, "Acknowledged by")
	acked := s.inDiscord(discordMeera, "Acknowledged by")
	if acked.ID != onDiscord.ID {
		s.t.Error("acknowledging on Slack sent another message to Discord, and left the first")
	}
	if _, err := s.discord.Press(discordMeera, acked, "Silence 1 h"); err != nil {
		s.t.Fatal(err)
	}
	s.inDiscord(discordMeera, "Silenced by")
	if m := s.inSlack(dm, "Silenced by"); m.TS != onSlack.TS {
		s.t.Error("silencing on Discord sent another message to Slack, and left the first")
	}
	for network, n := range map[string]int{"Slack": len(s.slack.Messages(dm)), "Discord": len(s.discord.Messages(discordMeera))} {
		if n != 1 {
			s.t.Errorf("%d messages about one problem on %s", n, network)
		}
	}
}

// summaryOnBoth looks at the team's figures and has its summary posted.
func (s *bothSite) summaryOnBoth() {
	s.t.Helper()
	team, floor := s.onSlack("U0MEERA", "team", "support").Plain(), s.onDiscord(discordMeera, "floor team show", "support").Plain()
	const figures = "10 calls answered, 40 missed (80%)"
	s.both(team, floor, figures)
	for _, text := range []string{team, floor} {
		if n := strings.Count(text, "Asha Rao"); n != 1 {
			s.t.Errorf("Asha is there %d times:\n%s", n, text)
		}
	}
	s.onSlack("U0MEERA", "digest now support/summary", "support/summary")
	s.both(s.inSlack("C0SUPPORT", figures).Plain(), s.inDiscord(discordSupport, figures).Plain(), figures, "Agents with data 1 of 1")
}

// TestDiscordOverHTTP: the same program without the gateway, called by Discord,
// which first looks whether forgeries are refused.
func TestDiscordOverHTTP(t *testing.T) {
	s := newBothSite(t)
	listen := freeAddress(t)
	s.public = "http://" + listen
	s.rewrite("discord: {", fmt.Sprintf("http: {listen: %q, public_url: %q}\ndiscord: {mode: http, public_key: %q, ", listen, s.public, s.discord.PublicKey()))
	a := s.floor.Agents()[0]
	s.serve()
	s.link(a)
	if err := s.discord.UseHTTP(s.ctx, s.public+"/discord/interactions"); err != nil {
		t.Fatal(err)
	}
	s.onDiscord(discordAsha, "mystats", "Calls offered")
	s.awaitReady()
	s.says(0, nil, "Interactions go to "+s.public+"/discord/interactions.", "Discord signs with the key that is configured.", "!discord gateway")
	for bad, want := range map[discordtest.Forgery]int{discordtest.Genuine: 200, discordtest.Unsigned: 401, discordtest.Stale: 401} {
		if status, _, err := s.discord.Post(s.ctx, s.public+"/discord/interactions", []byte(`{"type":1}`), bad); err != nil || status != want {
			t.Errorf("forgery %d: answered %d (%v), want %d", bad, status, err, want)
		}
	}
	if status := s.stop(); status != 0 {
		t.Errorf("serve exits %d\n%s", status, s.log.String())
	}
	if n := s.discord.Connections(); n != 0 {
		t.Errorf("%d connections to the gateway", n)
	}
	s.noSecrets(a.Token, s.discord.Options().BotToken)
}

// TestDoctorDiscord: the doctor knows what can be wrong there.
func TestDoctorDiscord(t *testing.T) {
	s := newBothSite(t)
	s.link(s.floor.Agents()[0])
	s.says(0, []string{"--post"}, "Signed in as floorwalker", "Interactions arrive over the gateway.", "Servers the bot is in: 1.",
		"No command is registered yet.", "discord:"+discordMeera+" is Meera Nair", "2 of 2 linked users found", "discord:"+discordSupport+" of team support: posted")
	s.discord.RemoveChannel(discordSupport)
	s.says(exitFailed, []string{"--post"}, "discord:"+discordSupport+" of team support: there is no channel "+discordSupport+" that I can see")
	s.discord.RemoveGuild(discordGuild)
	s.says(0, nil, "The bot is in no server yet.", "https://discord.com/oauth2/authorize?")
	s.discord.RevokeToken()
	s.says(exitFailed, nil, "Discord does not accept the bot token.", "on discord: not looked up, see above", "!discord:8035")
}
