package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// scopes are what the bot token needs, each with how it is without it.
func scopes() []struct{ name, without string } {
	return []struct{ name, without string }{
		{"commands", "nobody can type commands"},
		{"chat:write", "no message can be sent"},
		{"im:write", "nobody can be sent a direct message"},
		{"users:read", "names and time zones stay unknown"},
		{"files:write", "no export and no chart can be sent"},
	}
}

// checkTimeout bounds each question of a check.
const checkTimeout = 15 * time.Second

// Check asks Slack about the bot token and its scopes, and then about the way to
// the app: the app token in Socket Mode, which takes one of the few connections
// that Slack gives out a minute; the public address in HTTP mode.
func (a *Adapter) Check(ctx context.Context) []chat.Finding {
	var found []chat.Finding
	who, err := a.checkBot(ctx, &found)
	if err == nil {
		found = append(found, checkScopes(who.scopes)...)
	}
	if a.config.Mode == ModeHTTP {
		return append(found, a.checkHTTP(ctx)...)
	}
	return append(found, a.checkApp(ctx))
}

func (a *Adapter) checkBot(ctx context.Context, found *[]chat.Finding) (identity, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	const check = "slack bot token"
	if !strings.HasPrefix(a.config.BotToken.Reveal(), "xoxb-") {
		*found = append(*found, chat.Finding{Level: chat.LevelWarn, Check: check, Message: "The bot token does not begin with xoxb-.",
			Next: "Copy the Bot User OAuth Token from OAuth & Permissions in the app's settings to slack.bot_token."})
	}
	who, err := a.identify(ctx)
	f := chat.Finding{Level: chat.LevelOK, Check: check, Message: fmt.Sprintf("Signed in to %s (%s) as %s.", who.name, who.id(), who.bot)}
	if err != nil {
		f = chat.Finding{Level: chat.LevelFault, Check: check, Message: "Slack does not accept the bot token: " + cause(err) + ".",
			Next: "Install the app to the workspace again and copy the Bot User OAuth Token to slack.bot_token."}
		if !errors.Is(err, chat.ErrFinal) {
			f.Message, f.Next = "Slack does not answer: "+cause(err)+".", "Check that this machine reaches "+a.base.Host+", and try again."
		}
	}
	*found = append(*found, f)
	return who, err
}

// checkScopes compares the scopes that Slack says the token has. Slack names
// them in a header, which a proxy may drop.
func checkScopes(granted string) []chat.Finding {
	const check = "slack scopes"
	if granted == "" {
		return []chat.Finding{{Level: chat.LevelWarn, Check: check, Message: "Slack did not say which scopes the bot token has.",
			Next: "Compare OAuth & Permissions in the app's settings with `floorwalker manifest slack`."}}
	}
	has := strings.FieldsFunc(granted, func(r rune) bool { return r == ',' || r == ' ' })
	var found []chat.Finding
	for _, s := range scopes() {
		if !slices.Contains(has, s.name) {
			found = append(found, chat.Finding{Level: chat.LevelFault, Check: check,
				Message: fmt.Sprintf("The scope %s is missing: %s.", s.name, s.without),
				Next:    "Add it under OAuth & Permissions, Bot Token Scopes, and install the app to the workspace again."})
		}
	}
	if len(found) == 0 {
		return []chat.Finding{{Level: chat.LevelOK, Check: check, Message: "The bot token has every scope that is needed."}}
	}
	return found
}

func (a *Adapter) checkApp(ctx context.Context) chat.Finding {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	const check = "slack app token"
	const advice = "Generate an app-level token with connections:write under Basic Information in the app's settings and copy it to slack.app_token."
	if !strings.HasPrefix(a.config.AppToken.Reveal(), "xapp-") {
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: "The app token does not begin with xapp-.", Next: advice}
	}
	_, _, err := a.api.StartSocketModeContext(ctx)
	c, code, _ := classify(err)
	switch {
	case err == nil:
		return chat.Finding{Level: chat.LevelOK, Check: check, Message: "Slack gives out Socket Mode connections."}
	case c == classLimited:
		return chat.Finding{Level: chat.LevelWarn, Check: check, Message: "Slack gives out no more connections at the moment.", Next: "Try again in a minute."}
	case fatal(err):
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: "Slack does not accept the app token: " + code + ".", Next: advice}
	default:
		return chat.Finding{Level: chat.LevelFault, Check: check, Message: "Slack gives no connection: " + reason(err, code) + ".",
			Next: "Switch on Socket Mode in the app's settings, check that this machine reaches " + a.base.Host + ", and try again."}
	}
}

// cause returns an error's text without what marks its class.
func cause(err error) string {
	for _, class := range []error{chat.ErrFinal, chat.ErrRefused, chat.ErrBarred, chat.ErrGone, chat.ErrRejected, chat.ErrUnclear} {
		if errors.Is(err, class) {
			return strings.TrimSuffix(err.Error(), ": "+class.Error())
		}
	}
	return err.Error()
}
