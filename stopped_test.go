package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/store"
)

// TestNetworkStops: when Slack takes the bot's tokens away, the administrator reads
// so on Discord, the program goes on there, and readiness says what is wrong. What
// was left for a network that is off, here the console, is given up.
func TestNetworkStops(t *testing.T) {
	const dev, acme, floor = "80351110224678911", "80351110224678920", "80351110224678930"
	discord := discordtest.New(discordtest.Options{})
	t.Cleanup(discord.Close)
	discord.AddUser(discordtest.User{ID: dev, Name: "dev"})
	discord.AddGuild(discordtest.Guild{ID: acme, Name: "Acme"})
	discord.AddChannel(discordtest.Channel{ID: floor, Name: "floor"})
	o := discord.Options()
	s := newSlackSite(t, "")
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(string(text), "admins: [slack:U0DEV]", fmt.Sprintf(
		"admins: [slack:U0DEV, discord:%s]\ndiscord: {bot_token: %s, application_id: %q, guild_id: %q, api_url: %q}", dev, o.BotToken, o.AppID, acme, discord.APIURL()), 1)
	if err := os.WriteFile(s.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.leave(bot.Row{Key: "notice/left", To: chat.Address{Network: chat.Console, ID: "dev"}, GiveUp: time.Now().Add(-time.Hour)})
	s.serve()
	ready := func() bool { return len(discord.Ready()) > 0 && len(discord.Commands(acme)) > 0 }
	if err := discord.Wait(s.ctx, ready); err != nil {
		t.Fatalf("%v\n%s", err, s.log.String())
	}
	says := func(words string) func(discordtest.Message) bool {
		return func(m discordtest.Message) bool { return strings.Contains(m.Plain(), words) }
	}
	ask := func(command, answer string) {
		t.Helper()
		i, err := discord.Slash(dev, floor, command)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.WaitReply(s.ctx, says(answer)); err != nil {
			t.Fatalf("%v\n%s", err, s.log.String())
		}
	}
	ask("floor whoami", "administrator")

	s.slack.Revoke("token_revoked")
	for _, socket := range s.slack.Sockets() {
		socket.Cut()
	}
	if _, err := discord.WaitMessage(s.ctx, dev, says("I am cut off from slack")); err != nil {
		t.Fatalf("%v\n%s", err, s.log.String())
	}
	if status, body := s.look("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "token_revoked") {
		t.Errorf("/readyz: %d\n%s", status, body)
	}
	ask("floor status", "How I am doing")
	if out, status := s.command("", "outbox"); status != 0 || !strings.Contains(out, "dead") || !strings.Contains(out, "notice/left") || !strings.Contains(out, "too late") {
		t.Errorf("what was left for a network that is off is not given up: outbox exits %d and says\n%s", status, out)
	}
	if lost := `floorwalker_deliveries_total{lane="notice",network="console",state="dead"} 1`; !strings.Contains(s.scrape(), lost) {
		t.Errorf("what was given up is not counted: no %s", lost)
	}
	if status := s.stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// leave puts a row into the outbox as an earlier run would have left it.
func (s *slackSite) leave(row bot.Row) {
	s.t.Helper()
	st, err := store.Open(store.Config{Path: filepath.Join(s.dir, "floorwalker.db"), KeyFile: filepath.Join(s.dir, "floorwalker.key")})
	if err != nil {
		s.t.Fatal(err)
	}
	err = st.Update(func(tx bot.Tx) error {
		_, err := tx.Enqueue(row)
		return err
	})
	if err := errors.Join(err, st.Close()); err != nil {
		s.t.Fatal(err)
	}
}
