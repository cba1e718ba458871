package slacktest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A User is a person of the workspace, or a bot.
type User struct {
	ID      string
	Name    string // the handle; default the id in lower case
	Real    string // the display name; default Name
	Email   string // shown only with users:read.email
	TZ      string // an IANA name; may be empty, as on Slack
	Deleted bool   // deactivated
	Bot     bool
	Team    string // another workspace's id for a foreign user of a shared channel
	NoDM    bool   // cannot be sent direct messages
}

// A Channel is a conversation. Direct messages are channels too; they are made
// when the app or a person opens one.
type Channel struct {
	ID       string
	Name     string // default the id in lower case
	Private  bool
	Archived bool
	Without  bool     // the bot is not a member
	Members  []string // people; the bot is a member unless Without
	With     string   // a direct message: the person
}

// AddUser adds a person or replaces the one with that id, and returns the id.
func (s *Server) AddUser(u User) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u.Name = cmp.Or(u.Name, strings.ToLower(u.ID))
	u.Real = cmp.Or(u.Real, u.Name)
	u.Team = cmp.Or(u.Team, s.o.TeamID)
	s.users[u.ID] = &u
	return u.ID
}

// AddChannel adds a channel or replaces the one with that id, and returns the id.
func (s *Server) AddChannel(c Channel) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Name = cmp.Or(c.Name, strings.ToLower(c.ID))
	c.Members = slices.Clone(c.Members)
	s.channels[c.ID] = &c
	return c.ID
}

// DM returns the id of the direct messages between the app and a person, which
// it opens if need be. It panics if there is no such person.
func (s *Server) DM(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dm(s.person(user).ID)
}

// dm is DM for a user that is known to exist. s.mu is held.
func (s *Server) dm(user string) string {
	id := "D" + strings.TrimLeft(user, "UW")
	if s.channels[id] == nil {
		s.channels[id] = &Channel{ID: id, Name: "directmessage", Private: true, Members: []string{user}, With: user}
	}
	return id
}

// person returns a user that a test named. A wrong name is a fault of the test.
func (s *Server) person(id string) *User {
	u := s.users[id]
	if u == nil {
		panic(fmt.Sprintf("slacktest: no user %q: add it with AddUser", id))
	}
	return u
}

// place returns a channel that a test named; a user's id means their direct
// messages.
func (s *Server) place(id string) *Channel {
	if s.users[id] != nil {
		id = s.dm(id)
	}
	c := s.channels[id]
	if c == nil {
		panic(fmt.Sprintf("slacktest: no channel %q: add it with AddChannel", id))
	}
	return c
}

// destination finds the channel that a call wants to write to, or says why it
// may not. A user's id is allowed where direct is. s.mu is held.
func (s *Server) destination(id string, direct bool) (*Channel, *failure) {
	if u := s.users[id]; u != nil && direct {
		if u.Deleted || u.NoDM || u.Bot {
			return nil, fail("channel_not_found")
		}
		id = s.dm(id)
	}
	c := s.channels[id]
	switch {
	case c == nil, c.Without && c.Private:
		return nil, fail("channel_not_found")
	case c.Archived:
		return nil, fail("is_archived")
	case c.Without && !s.hasScope("chat:write.public"):
		return nil, fail("not_in_channel")
	case c.With != "" && s.users[c.With].Deleted:
		return nil, fail("channel_not_found")
	}
	return c, nil
}

// json returns the user as users.info does.
func (u *User) json(withEmail bool) obj {
	profile := obj{"real_name": u.Real, "display_name": u.Real, "team": u.Team}
	if withEmail && u.Email != "" {
		profile["email"] = u.Email
	}
	o := obj{"id": u.ID, "team_id": u.Team, "name": u.Name, "deleted": u.Deleted, "real_name": u.Real,
		"is_bot": u.Bot, "profile": profile, "updated": 1700000000}
	if !u.Deleted { // Slack leaves the zone out of a deactivated profile
		o["tz"], o["tz_label"], o["tz_offset"], o["locale"] = u.TZ, u.TZ, zoneOffset(u.TZ), "en-US"
	}
	return o
}

// json returns the channel as conversations.info does.
func (c *Channel) json() obj {
	if c.With != "" {
		return obj{"id": c.ID, "is_im": true, "user": c.With, "is_archived": c.Archived}
	}
	return obj{"id": c.ID, "name": c.Name, "is_channel": !c.Private, "is_group": c.Private, "is_im": false,
		"is_private": c.Private, "is_archived": c.Archived, "is_member": !c.Without, "num_members": len(c.Members)}
}
