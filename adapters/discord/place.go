package discord

import (
	"context"

	"floorwalker/bot/chat"
)

// Workspace returns what people call the place that the bot is for: the server
// that is configured, or else, as it may then be in several, the application. It
// is "" until Discord has told Run, and untrusted.
func (a *Adapter) Workspace() string {
	if name := a.where.Load(); name != nil {
		return *name
	}
	return ""
}

func (a *Adapter) isAt(name string) {
	if name = chat.OneLine(name); name != "" {
		a.where.Store(&name)
	}
}

func (a *Adapter) isApp(name string) {
	if name != "" {
		a.isAt("the app " + name)
	}
}

// locate asks for the name of the server, which nobody tells over HTTP. Without
// an answer the application's stays.
func (s *session) locate(ctx context.Context) {
	if s.config.GuildID == "" {
		return
	}
	g, err := ask[guildData](ctx, s.Adapter, at("GET", "/guilds/{}", s.config.GuildID))
	if err != nil {
		s.log.WarnContext(ctx, "discord: the server's name is not known", "id", s.config.GuildID, "err", err)
		return
	}
	s.isAt(g.Name)
}
