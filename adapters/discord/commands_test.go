package discord

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
)

const putCommands = "PUT /applications/{app}/commands"

// Commands are written when they differ from what is registered, and only then:
// Discord counts 200 new ones a day.
func TestRegister(t *testing.T) {
	srv := network(t, discordtest.Options{})
	bot := &app{commands: []chat.Command{
		{Name: "mystats", Summary: "Your own numbers", Private: true, Options: []chat.Option{
			{Name: "optional", Summary: "Not needed"},
			{Name: "view", Summary: "What to show", Required: true, Choices: []chat.Choice{{Label: "Today", Value: "today"}, {Value: "week"}}},
		}},
		{Name: "floor", Summary: strings.Repeat("long ", 40), Private: true, Sub: []chat.Command{
			{Name: "team", Sub: []chat.Command{
				{Name: "add", Summary: "Adds somebody", Options: []chat.Option{{Name: "person", Summary: "Who", Kind: chat.OptionPerson, Required: true}}},
				{Name: "show", Summary: "Shows it", Options: []chat.Option{{Name: "name", Summary: "Which", Complete: true}}},
			}},
			{Name: "help", Summary: "Helps"},
		}},
	}}
	for range 3 {
		r := run(t, srv, adapter(t, srv, nil), bot)
		r.await("the question what is registered", func() bool { return len(srv.Calls("GET /applications/{application}/commands")) > 0 })
		r.must(r.stop())
	}
	if n := len(srv.Calls(putCommands)); n != 1 {
		t.Errorf("written %d times", n)
	}
	for name, channel := range map[string]string{"floor team add": support, "floor team show": "", "mystats": ""} {
		option := map[string]discordtest.Option{
			"floor team add": {Name: "person", Value: meera}, "floor team show": {Name: "name", Value: "x"}, "mystats": {Name: "view", Value: "week"},
		}[name]
		if _, err := srv.Slash(asha, channel, name, option); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	bot.commands[0].Summary = "Other numbers"
	r := run(t, srv, adapter(t, srv, nil), bot)
	r.await("the new commands", func() bool { return len(srv.Calls(putCommands)) == 2 })
}

// With a server's id the commands are that server's.
func TestRegisterInServer(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, nil)
	a.config.GuildID = acme
	for range 2 {
		s := a.session(&app{})
		s.register(t.Context())
	}
	if got := srv.Commands(acme); len(got) != 2 || len(srv.Commands("")) != 0 {
		t.Errorf("registered %q there and %q everywhere", got, srv.Commands(""))
	}
	written := srv.Calls("PUT /applications/{application}/guilds/{guild}/commands")
	if len(written) != 1 || strings.Contains(string(written[0].Body), "contexts") {
		t.Errorf("written %d times: %s", len(written), written[0].Body)
	}
}

// Too many new commands in a day stop the writing, not the bot.
func TestRegisterDaily(t *testing.T) {
	srv := network(t, discordtest.Options{})
	srv.Fail(putCommands, discordtest.Fault{Code: 30034}, -1)
	a := adapter(t, srv, nil)
	_, err := a.session(&app{}).sync(t.Context())
	if retry, ok := errors.AsType[*chat.RetryError](err); !ok || retry.After < 12*time.Hour {
		t.Errorf("%v, want to wait until tomorrow", err)
	}
	r := begin(t, srv, a, &app{})
	r.ready(0)
}

func TestCommandProblems(t *testing.T) {
	name := func(s string) chat.Command { return chat.Command{Name: s, Summary: "x"} }
	many := func(n int, c chat.Command) (list []chat.Command) {
		for i := range n {
			c := c
			c.Name += fmt.Sprint(i)
			list = append(list, c)
		}
		return list
	}
	full := many(25, chat.Command{Name: "s", Summary: strings.Repeat("x", 100)})
	for i := range full {
		for j := range 5 {
			full[i].Options = append(full[i].Options, chat.Option{Name: fmt.Sprint("o", j), Summary: strings.Repeat("x", 100)})
		}
	}
	for what, list := range map[string][]chat.Command{
		"upper case":     {name("Mystats")},
		"no name":        {name("")},
		"space":          {name("my stats")},
		"long name":      {name(strings.Repeat("x", 33))},
		"101 commands":   many(101, name("c")),
		"26 subcommands": {{Name: "x", Summary: "x", Sub: many(26, name("s"))}},
		"26 choices":     {{Name: "x", Options: []chat.Option{{Name: "o", Choices: make([]chat.Choice, 26)}}}},
		"long choice":    {{Name: "x", Options: []chat.Option{{Name: "o", Choices: []chat.Choice{{Label: "x", Value: strings.Repeat("v", 101)}}}}}},
		"twice":          {{Name: "x", Options: []chat.Option{{Name: "o"}, {Name: "o"}}}},
		"8000":           {{Name: "x", Summary: "x", Sub: full}},
	} {
		if problems := commandProblems(specs(list, false)); len(problems) == 0 {
			t.Errorf("%s: nothing is found", what)
		}
	}
	for _, name := range []string{"mystats", "my-stats_2", "समय", "größe"} {
		if problems := commandProblems(specs([]chat.Command{{Name: name}}, false)); len(problems) > 0 {
			t.Errorf("%s: %q", name, problems)
		}
	}
}

func TestCheck(t *testing.T) {
	levels := func(a *Adapter) map[string]chat.Level {
		found := map[string]chat.Level{}
		for _, f := range a.Check(t.Context()) {
			if (f.Level == chat.LevelOK) != (f.Next == "") || f.Message == "" {
				t.Errorf("not a finding: %+v", f)
			}
			found[f.Check] = f.Level
		}
		return found
	}
	srv := network(t, discordtest.Options{NoProbe: true})
	a := adapter(t, srv, nil)
	if got := levels(a); got["discord commands"] != chat.LevelWarn || got["discord bot token"] != chat.LevelOK || got["discord gateway"] != chat.LevelOK || got["discord servers"] != chat.LevelOK || got["discord interactions"] != chat.LevelOK {
		t.Errorf("before the first start: %v", got)
	}
	if _, err := a.session(&app{}).sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for check, level := range levels(a) {
		if level != chat.LevelOK {
			t.Errorf("%s: %v", check, level)
		}
	}
	inServer := adapter(t, srv, nil)
	inServer.config.GuildID = acme
	if _, err := inServer.session(&app{}).sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := levels(inServer); got["discord commands"] != chat.LevelWarn {
		t.Errorf("commands in two places: %v", got)
	}
	if err := srv.UseHTTP(t.Context(), "https://example.com/interactions"); err != nil {
		t.Fatal(err)
	}
	if got := levels(a); got["discord interactions"] != chat.LevelFault {
		t.Errorf("with interactions that go elsewhere: %v", got)
	}
	srv.SetRemaining(10)
	srv.RemoveGuild(acme)
	if got := levels(a); got["discord gateway"] != chat.LevelFault || got["discord servers"] != chat.LevelWarn {
		t.Errorf("without sign-ins and servers: %v", got)
	}
	if got := levels(inServer); got["discord servers"] != chat.LevelFault {
		t.Errorf("not in its server: %v", got)
	}
	srv.Fail("", discordtest.Fault{Status: 500}, -1)
	if got := levels(a); got["discord bot token"] != chat.LevelFault {
		t.Errorf("without an answer: %v", got)
	}
	srv.Heal()
	srv.RevokeToken()
	if got := levels(a); len(got) != 1 || got["discord bot token"] != chat.LevelFault {
		t.Errorf("with a revoked token: %v", got)
	}
	other := adapter(t, network(t, discordtest.Options{AppID: "1000000000000000002"}), nil)
	other.config.ApplicationID = "1000000000000000003"
	if got := levels(other); got["discord bot token"] != chat.LevelFault {
		t.Errorf("with another application's token: %v", got)
	}
}

func TestManifest(t *testing.T) {
	got, err := Manifest(Config{ApplicationID: "1000000000000000001"})
	if err != nil {
		t.Fatal(err)
	}
	const invite = "https://discord.com/oauth2/authorize?client_id=1000000000000000001&permissions=52224&scope=bot+applications.commands"
	for _, words := range []string{invite, "discord.bot_token", "discord.application_id", "View Channels, Send Messages, Embed Links, Attach Files"} {
		if !strings.Contains(string(got), words) {
			t.Errorf("%q is missing in\n%s", words, got)
		}
	}
	got, err = Manifest(Config{Mode: ModeHTTP, ApplicationID: "1000000000000000001", PublicURL: "https://bot.example"})
	for _, words := range []string{"discord.public_key", "https://bot.example/discord/interactions"} {
		if err != nil || !strings.Contains(string(got), words) {
			t.Errorf("over HTTP %q is missing (%v) in\n%s", words, err, got)
		}
	}
	if got, err := Manifest(Config{}); err != nil || strings.Contains(string(got), "client_id") {
		t.Errorf("without an id: %v\n%s", err, got)
	}
	if _, err := Manifest(Config{ApplicationID: "mine"}); err == nil {
		t.Error("an id that is none is taken")
	}
}
