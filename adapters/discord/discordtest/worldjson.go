package discordtest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// joined is when everybody joined everything.
const joined = "2024-01-01T00:00:00.000000+00:00"

// json returns the user as the API does.
func (u *User) json() obj {
	return obj{"id": u.ID, "username": u.Name, "global_name": u.Global, "discriminator": "0", "avatar": nil, "bot": u.Bot,
		"public_flags": 0, "flags": 0, "primary_guild": nil}
}

// memberJSON returns a person as a member of a guild, without the user in it.
func (s *Server) memberJSON(g *Guild, user string) obj {
	return obj{"nick": nil, "avatar": nil, "banner": nil, "roles": []any{}, "joined_at": joined, "premium_since": nil, "deaf": false,
		"mute": false, "flags": 0, "pending": false, "communication_disabled_until": nil}
}

// channelJSON returns the channel as the API does.
func (s *Server) channelJSON(c *Channel) obj {
	if c.With != "" {
		var people []any
		if u := s.users[c.With]; u != nil {
			people = append(people, u.json())
		}
		return obj{"id": c.ID, "type": 1, "flags": 0, "name": nil, "last_message_id": nil, "recipients": people}
	}
	overwrites := []any{}
	if c.Deny != 0 {
		overwrites = append(overwrites, obj{"id": s.o.AppID, "type": 1, "allow": "0", "deny": bits(c.Deny)})
	}
	o := obj{"id": c.ID, "type": c.Type, "flags": 0, "guild_id": c.Guild, "name": c.Name, "position": 0, "parent_id": nil, "permission_overwrites": overwrites}
	if c.Type != typeCategory {
		o["topic"], o["nsfw"], o["last_message_id"], o["rate_limit_per_user"] = nil, false, nil, 0
	}
	return o
}

// guildJSON returns the guild as the API does.
func (s *Server) guildJSON(g *Guild) obj {
	everyone := obj{"id": g.ID, "name": "@everyone", "permissions": bits(g.Everyone), "position": 0, "color": 0,
		"colors": obj{"primary_color": 0, "secondary_color": nil, "tertiary_color": nil}, "hoist": false, "managed": false,
		"mentionable": false, "icon": nil, "unicode_emoji": nil, "flags": 0}
	o := obj{"id": g.ID, "name": g.Name, "owner_id": s.o.AppID, "roles": []any{everyone}, "preferred_locale": "en-US", "region": "deprecated",
		"features": []any{}, "emojis": []any{}, "stickers": []any{}, "afk_timeout": 300, "system_channel_flags": 0, "widget_enabled": false,
		"verification_level": 0, "default_message_notifications": 0, "mfa_level": 0, "explicit_content_filter": 0, "max_presences": nil,
		"max_members": 500000, "max_stage_video_channel_users": 50, "max_video_channel_users": 25, "premium_tier": 0,
		"premium_subscription_count": 0, "premium_progress_bar_enabled": false, "nsfw_level": 0}
	for key := range strings.FieldsSeq(`icon description hub_type splash discovery_splash banner application_id afk_channel_id
		system_channel_id widget_channel_id vanity_url_code rules_channel_id safety_alerts_channel_id public_updates_channel_id incidents_data`) {
		o[key] = nil
	}
	return o
}

// guildCreate returns the guild as GUILD_CREATE does.
func (s *Server) guildCreate(g *Guild) obj {
	o := s.guildJSON(g)
	channels := []any{}
	for _, c := range s.channels {
		if c.Guild == g.ID {
			channels = append(channels, s.channelJSON(c))
		}
	}
	member := s.memberJSON(g, s.o.AppID)
	member["user"] = s.users[s.o.AppID].json()
	o["channels"], o["members"], o["member_count"] = channels, []any{member}, len(g.Members)+1
	o["joined_at"], o["large"], o["unavailable"] = joined, false, false
	for key := range strings.FieldsSeq("threads presences voice_states stage_instances guild_scheduled_events soundboard_sounds") {
		o[key] = []any{}
	}
	return o
}

// visibleGuilds returns the guilds, in the order of their ids.
func (s *Server) visibleGuilds() []*Guild {
	var all []*Guild
	for _, g := range s.guilds {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *Guild) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// bits writes permissions as the API does.
func bits(n uint64) string { return strconv.FormatUint(n, 10) }

// stamp writes a time as the API does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }
