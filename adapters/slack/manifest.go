package slack

import (
	"cmp"
	"encoding/json"
	"fmt"
)

// Manifest returns the app's manifest as JSON, to be pasted into Slack's "create
// an app from a manifest". It says what this adapter needs and nothing more: no
// scope reads channels or messages.
func Manifest(c Config) ([]byte, error) {
	commands := c.Commands
	if commands == nil {
		commands = defaultCommands()
	}
	command := func(name, description, hint string) map[string]any {
		return map[string]any{
			"command": cmp.Or(commands[name], defaultCommands()[name]), "description": description,
			"usage_hint": hint, "should_escape": true, // else mentions arrive as names, which prove nothing
		}
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
			"event_subscriptions": map[string]any{"bot_events": []string{"app_home_opened", "app_uninstalled", "tokens_revoked"}},
			"interactivity":       map[string]any{"is_enabled": true},
			"org_deploy_enabled":  true, "socket_mode_enabled": true, "token_rotation_enabled": false,
		},
	}
	b, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("slack: encode the manifest: %w", err)
	}
	return append(b, '\n'), nil
}
