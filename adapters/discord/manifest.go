package discord

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// permissions are what the bot needs in its channels, each with its bit. It reads
// nothing: no history, no members, no messages.
func permissions() []struct {
	name string
	bit  uint
} {
	return []struct {
		name string
		bit  uint
	}{
		{"View Channels", 10},
		{"Send Messages", 11},
		{"Embed Links", 14},
		{"Attach Files", 15},
	}
}

// InviteURL returns the address where an administrator adds the application to a
// server, with the permissions it needs and nothing more.
func InviteURL(applicationID string) string {
	bits := uint64(0)
	for _, p := range permissions() {
		bits |= 1 << p.bit
	}
	q := url.Values{
		"client_id": {applicationID}, "scope": {"bot applications.commands"},
		"permissions": {strconv.FormatUint(bits, 10)},
	}
	return "https://discord.com/oauth2/authorize?" + q.Encode()
}

// Manifest returns the steps to set up the application as text, with the link
// that invites it. Discord has no manifest to paste.
func Manifest(c Config) ([]byte, error) {
	var names []string
	for _, p := range permissions() {
		names = append(names, p.name)
	}
	invite := "3. Set discord.application_id, then run this again for the link that adds the bot to your server."
	if c.ApplicationID != "" {
		if !isID(c.ApplicationID) {
			return nil, fmt.Errorf("discord: %q is not an application's id: copy it from General Information in the developer portal", c.ApplicationID)
		}
		invite = "3. Open this link as an administrator of your server and add the bot:\n   " + InviteURL(c.ApplicationID)
	}
	way, serve := "Leave Interactions Endpoint URL empty: floorwalker connects to the gateway.", ""
	if c.Mode == ModeHTTP {
		way = "Copy Public Key to discord.public_key. Interactions Endpoint URL comes last."
		serve = "\n   General Information: now set Interactions Endpoint URL to\n   " + c.endpoint() + ".\n   Discord calls it to see that it is there, and that it refuses forgeries."
	}
	return []byte(`Discord application for floorwalker

1. Open https://discord.com/developers/applications and create an application.
   General Information: copy Application ID to discord.application_id.
   ` + way + `
2. Bot: press Reset Token and copy the token to discord.bot_token.
   Switch Public Bot off, so that nobody else can add it to a server.
   Leave the three Privileged Gateway Intents off: none is needed.
` + invite + `
4. Start floorwalker serve. It registers /mystats and /floor by itself.
   With discord.guild_id they appear in that server only, and at once.` + serve + `
5. Everybody who wants alerts in direct messages types /floor whoami once:
   Discord wants people to speak to a bot before it writes to them.

Permissions: ` + strings.Join(names, ", ") + `.
In a private channel, give the bot these permissions under Edit Channel, Permissions.
`), nil
}
