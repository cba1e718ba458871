package discord

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// checkTimeout bounds each question of a check.
const checkTimeout = 15 * time.Second

// Check asks Discord about the token, the application, the gateway, the servers
// and the commands.
func (a *Adapter) Check(ctx context.Context) []chat.Finding {
	app, token := a.checkToken(ctx)
	if token.Level == chat.LevelFault {
		return []chat.Finding{token}
	}
	if a.config.Mode == ModeHTTP {
		return []chat.Finding{token, a.checkEndpoint(app), a.checkKey(app), a.checkServers(ctx), a.checkCommands(ctx)}
	}
	return []chat.Finding{token, checkInteractions(app), a.checkGateway(ctx), a.checkServers(ctx), a.checkCommands(ctx)}
}

// application is what Discord knows of us.
type application struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Endpoint string `json:"interactions_endpoint_url"`
	Key      string `json:"verify_key"`
}

// inTime asks within a check's time.
func inTime[T any](ctx context.Context, a *Adapter, k call) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return ask[T](ctx, a, k)
}

func (a *Adapter) checkToken(ctx context.Context) (application, chat.Finding) {
	const check = "discord bot token"
	app, err := inTime[application](ctx, a, at("GET", "/applications/@me"))
	switch {
	case errors.Is(err, chat.ErrFinal):
		return app, chat.Finding{Level: chat.LevelFault, Check: check, Message: "Discord does not accept the bot token.",
			Next: "Copy it again from Bot in the developer portal to discord.bot_token."}
	case err != nil:
		return app, chat.Finding{Level: chat.LevelFault, Check: check, Message: "Discord does not answer: " + cause(err) + ".",
			Next: "Check that this machine reaches " + a.client.host() + ", and try again."}
	case app.ID != a.config.ApplicationID:
		return app, chat.Finding{Level: chat.LevelFault, Check: check, Message: fmt.Sprintf("The bot token is of the application %s (%s), not of %s.", app.Name, app.ID, a.config.ApplicationID),
			Next: "Correct discord.application_id, or copy the other application's token to discord.bot_token."}
	default:
		return app, chat.Finding{Level: chat.LevelOK, Check: check, Message: fmt.Sprintf("Signed in as %s (%s).", app.Name, app.ID)}
	}
}

// checkInteractions looks for the setting that takes the gateway's interactions
// away without a word.
func checkInteractions(app application) chat.Finding {
	const check = "discord interactions"
	if app.Endpoint != "" {
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: "Interactions go to an endpoint URL, so nothing that people do arrives over the gateway.",
			Next: "Empty Interactions Endpoint URL under General Information in the developer portal."}
	}
	return chat.Finding{Level: chat.LevelOK, Check: check, Message: "Interactions arrive over the gateway."}
}

// checkEndpoint looks whether Discord calls us.
func (a *Adapter) checkEndpoint(app application) chat.Finding {
	const check = "discord interactions"
	set := "Set Interactions Endpoint URL under General Information in the developer portal to " + a.config.endpoint() + ", while floorwalker serve runs."
	switch {
	case app.Endpoint == "":
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: "No interactions endpoint is set, so nothing that people do arrives over HTTP.", Next: set}
	case a.config.PublicURL != "" && app.Endpoint != a.config.endpoint():
		return chat.Finding{Level: chat.LevelWarn, Check: check, Message: "Interactions go to " + app.Endpoint + ".", Next: set}
	default:
		return chat.Finding{Level: chat.LevelOK, Check: check, Message: "Interactions go to " + app.Endpoint + "."}
	}
}

// checkKey looks whether we can verify what Discord signs.
func (a *Adapter) checkKey(app application) chat.Finding {
	const check = "discord public key"
	if !a.keyed(app) {
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: "The public key is another application's, so everything that Discord sends is refused.",
			Next: "Copy Public Key from General Information in the developer portal to discord.public_key."}
	}
	return chat.Finding{Level: chat.LevelOK, Check: check, Message: "Discord signs with the key that is configured."}
}

func (a *Adapter) checkGateway(ctx context.Context) chat.Finding {
	const check = "discord gateway"
	info, err := inTime[gatewayInfo](ctx, a, at("GET", "/gateway/bot"))
	switch {
	case err != nil:
		return unanswered(check, err)
	case info.Limit.Total > 0 && info.Limit.Remaining < identifiesLeft:
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: fmt.Sprintf("Only %d sign-ins of %d are left today, so none is made.", info.Limit.Remaining, info.Limit.Total),
			Next: "Find out what signs in with this token so often; Discord resets it at none."}
	default:
		return chat.Finding{Level: chat.LevelOK, Check: check, Message: fmt.Sprintf("%d sign-ins of %d are left today.", info.Limit.Remaining, info.Limit.Total)}
	}
}

func (a *Adapter) checkServers(ctx context.Context) chat.Finding {
	const check = "discord servers"
	invite := "Open this link and add the bot: " + InviteURL(a.config.ApplicationID)
	servers, err := inTime[[]posted](ctx, a, at("GET", "/users/@me/guilds"))
	if err != nil {
		return unanswered(check, err)
	}
	in := false
	for _, s := range servers {
		in = in || s.ID == a.config.GuildID
	}
	switch {
	case a.config.GuildID != "" && !in:
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: "The bot is not in the server " + a.config.GuildID + ".", Next: invite}
	case len(servers) == 0:
		return chat.Finding{Level: chat.LevelWarn, Check: check, Message: "The bot is in no server yet.", Next: invite}
	default:
		return chat.Finding{Level: chat.LevelOK, Check: check, Message: fmt.Sprintf("Servers the bot is in: %d.", len(servers))}
	}
}

// checkCommands looks whether commands are registered, and not twice.
func (a *Adapter) checkCommands(ctx context.Context) chat.Finding {
	const check = "discord commands"
	here, err := inTime[[]commandSpec](ctx, a, a.commandsAt("GET"))
	if err != nil {
		return unanswered(check, err)
	}
	var names []string
	for _, c := range here {
		names = append(names, "/"+c.Name)
	}
	if len(names) == 0 {
		return chat.Finding{Level: chat.LevelWarn, Check: check, Message: "No command is registered yet.", Next: "Start floorwalker serve, which registers them."}
	}
	if a.config.GuildID != "" {
		everywhere, err := inTime[[]commandSpec](ctx, a, at("GET", "/applications/{}/commands", a.config.ApplicationID))
		if err == nil && len(everywhere) > 0 {
			return chat.Finding{Level: chat.LevelWarn, Check: check, Message: "Commands are registered for one server and for all, so people there see them twice.",
				Next: "Empty discord.guild_id, or delete the commands that are registered for all servers."}
		}
	}
	return chat.Finding{Level: chat.LevelOK, Check: check, Message: "Registered: " + strings.Join(names, ", ") + "."}
}

func unanswered(check string, err error) chat.Finding {
	return chat.Finding{Level: chat.LevelFault, Check: check, Message: "Discord does not tell: " + cause(err) + ".", Next: "Try again in a minute."}
}

// cause returns an error's text without our name before it.
func cause(err error) string { return strings.TrimPrefix(err.Error(), "discord: ") }
