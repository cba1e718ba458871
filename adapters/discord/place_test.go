package discord

import (
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
)

// The link page names the server that is configured; without one, or while its
// name is not known, the application, since the bot may be anywhere.
func TestWorkspace(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{ModeGateway, ModeHTTP} {
		for guild, want := range map[string]string{acme: "Acme", "": "the app floorwalker", unknown: "the app floorwalker"} {
			srv := network(t, discordtest.Options{BotName: "floorwalker"})
			a := adapter(t, srv, nil)
			a.config.Mode, a.config.GuildID = mode, guild
			if got := a.Workspace(); got != "" {
				t.Errorf("before anybody told, it is %q", got)
			}
			r := begin(t, srv, a, &app{})
			r.connected()
			for a.Workspace() != want && r.ctx.Err() == nil {
				time.Sleep(5 * time.Millisecond)
			}
			if got := a.Workspace(); got != want {
				t.Errorf("%s, server %q: %q, want %q", mode, guild, got, want)
			}
		}
	}
}
