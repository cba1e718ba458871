package main

import (
	"fmt"
	"slices"

	"floorwalker/bot/chat"
)

// On reports whether a network is on: whether it has a bot token. The console
// is on if no other is.
func (c *Config) On(n chat.Network) bool {
	slack, discord := !c.Slack.BotToken.IsZero(), !c.Discord.BotToken.IsZero()
	switch n {
	case chat.Slack:
		return slack
	case chat.Discord:
		return discord
	}
	return !slack && !discord
}

// networks notes what the networks that are on lack, and who is on one that is
// off.
func (v validator) networks() {
	s, d, listens := v.cfg.Slack, v.cfg.Discord, v.cfg.HTTP.Listen != ""
	if v.cfg.On(chat.Slack) {
		v.needs("slack.app_token", s.Mode == "socket", !s.AppToken.IsZero(), "slack.mode socket")
		v.needs("slack.signing_secret", s.Mode == "http", !s.SigningSecret.IsZero(), "slack.mode http")
		v.needs("http.listen", s.Mode == "http", listens, "slack.mode http")
	}
	if v.cfg.On(chat.Discord) {
		v.needs("discord.application_id", true, d.ApplicationID != "", "Discord")
		v.needs("discord.public_key", d.Mode == "http", d.PublicKey != "", "discord.mode http")
		v.needs("http.listen", d.Mode == "http", listens, "discord.mode http")
	}
	unreachable := map[chat.Network][]placed{}
	for _, p := range v.cfg.addresses() {
		if n := p.address.Network; !p.address.IsZero() && !v.cfg.On(n) {
			unreachable[n] = append(unreachable[n], p)
		}
	}
	for n, all := range unreachable {
		v.unreachable(n, all)
	}
}

// fewAddresses is how many addresses of a network that is off are named one by
// one: with a whole team on it, the cause is one and the same.
const fewAddresses = 5

// unreachable notes addresses on a network that is off.
func (v validator) unreachable(n chat.Network, all []placed) {
	why := "the console is there only while no other network is on"
	if n != chat.Console {
		token := string(n) + ".bot_token"
		why = fmt.Sprintf("%s is missing (or set %s)", token, setting{path: token}.env())
	}
	for i, p := range all[:min(len(all), fewAddresses)] {
		others := ""
		if more := len(all) - fewAddresses; more > 0 && i == fewAddresses-1 {
			others = fmt.Sprintf(", nor can %d more", more)
		}
		v.fault(p.path, "%s cannot be reached%s: %s", p.address, others, why)
	}
}

// needs notes a value that is missing for a reason.
func (v validator) needs(path string, required, there bool, why string) {
	if required && !there {
		v.fault(path, "missing; %s needs it (or set %s)", why, setting{path: path}.env())
	}
}

// A placed address is one with its place in the configuration.
type placed struct {
	path    string
	address chat.Address
}

// addresses returns all addresses of the configuration.
func (c *Config) addresses() []placed {
	all := placeAll("admins", c.Admins)
	for i, t := range c.Teams {
		at := fmt.Sprintf("teams[%d].", i)
		all = slices.Concat(all,
			placeAll(at+"channels", t.Channels),
			c.placePeople(at+"supervisors", t.Supervisors),
			c.placePeople(at+"members", t.Members))
	}
	return all
}

func placeAll(path string, addresses []chat.Address) []placed {
	all := make([]placed, len(addresses))
	for i, a := range addresses {
		all[i] = placed{fmt.Sprintf("%s[%d]", path, i), a}
	}
	return all
}

// placePeople returns the addresses of people, who are written as one address
// each, or with a list of ids.
func (c *Config) placePeople(path string, people []PersonConfig) []placed {
	var all []placed
	for i, p := range people {
		at := fmt.Sprintf("%s[%d]", path, i)
		if _, list := c.origins[at+".ids"]; list {
			all = append(all, placeAll(at+".ids", p.IDs)...)
		} else if len(p.IDs) > 0 {
			all = append(all, placed{at, p.IDs[0]})
		}
	}
	return all
}
