package slack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Manifest returns the app's manifest as JSON, to be pasted into Slack's "create
// an app from a manifest". It says what this adapter needs and nothing more: no
// scope reads channels or messages. In HTTP mode it names the addresses that
// Slack shall call, and an error says that they are not known.
func Manifest(c Config) ([]byte, error) {
	called := c.Mode == ModeHTTP
	if called && c.PublicURL == "" {
		return nil, errors.New("slack: the manifest of mode http names the address that Slack calls: set http.public_url")
	}
	commands := c.Commands
	if commands == nil {
		commands = defaultCommands()
	}
	command := func(name, description, hint string) map[string]any {
		return c.at("url", pathCommand, map[string]any{
			"command": cmp.Or(commands[name], defaultCommands()[name]), "description": description,
			"usage_hint": hint, "should_escape": true, // else mentions arrive as names, which prove nothing
		})
	}
	var needed []string
	for _, s := range scopes() {
		needed = append(needed, s.name)
	}
	manifest := map[string]any{
		"_metadata": map[string]any{"major_version": 2},
		"display_information": map[string]any{
			"name": "floorwalker", "background_color": "#1a1d21",
			"description": "Live numbers, digests and alerts for contact-centre teams",
		},
		"features": map[string]any{
			"bot_user": map[string]any{"display_name": "floorwalker", "always_online": false},
			// Without the messages tab nobody can be sent a direct message.
			"app_home": map[string]any{"home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": false},
			"slash_commands": []any{
				command("mystats", "Show my numbers", "[today|shift|week|raw|help]"),
				command("floor", "Team numbers, digests and alerts", "[help|team|digest|alerts|link]"),
			},
		},
		"oauth_config": map[string]any{"scopes": map[string]any{"bot": needed}},
		"settings": map[string]any{
			"event_subscriptions": c.at("request_url", pathEvent, map[string]any{"bot_events": []string{"app_home_opened", "app_uninstalled", "tokens_revoked"}}),
			"interactivity":       c.at("request_url", pathInteract, map[string]any{"is_enabled": true}),
			"org_deploy_enabled":  true, "socket_mode_enabled": !called, "token_rotation_enabled": false,
		},
	}
	b, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("slack: encode the manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// at adds to a part of the manifest where Slack calls, if it does.
func (c Config) at(key, path string, part map[string]any) map[string]any {
	if c.Mode == ModeHTTP {
		part[key] = c.address(path)
	}
	return part
}

// address returns where the world finds a path of [Adapter.Handler].
func (c Config) address(path string) string { return strings.TrimRight(c.PublicURL, "/") + path }
