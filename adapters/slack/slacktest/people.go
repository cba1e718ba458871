package slacktest

import (
	"slices"
	"strings"
	"time"
)

// conversationsOpen is conversations.open for direct messages with one person.
func (s *Server) conversationsOpen(a args) (obj, *failure) {
	ids := strings.FieldsFunc(a.str("users"), func(r rune) bool { return r == ',' })
	switch len(ids) {
	case 0:
		return nil, fail("users_list_not_supplied")
	case 1:
	default:
		return nil, fail("invalid_user_combination") // group messages are not built here
	}
	u := s.users[ids[0]]
	switch {
	case u == nil:
		return nil, fail("user_not_found")
	case u.Deleted:
		return nil, fail("user_disabled")
	case u.Bot:
		return nil, fail("cannot_dm_bot")
	case u.NoDM:
		return nil, fail("user_not_visible")
	}
	known := s.channels["D"+strings.TrimLeft(u.ID, "UW")] != nil
	channel := obj{"id": s.dm(u.ID)}
	if a.is("return_im") {
		channel = s.channels[s.dm(u.ID)].json()
	}
	return obj{"channel": channel, "already_open": known, "no_op": known}, nil
}

// conversationsInfo is conversations.info.
func (s *Server) conversationsInfo(a args) (obj, *failure) {
	c := s.channels[a.str("channel")]
	if c == nil || c.Private && c.Without {
		return nil, fail("channel_not_found")
	}
	need := "channels:read"
	switch {
	case c.With != "":
		need = "im:read"
	case c.Private:
		need = "groups:read"
	}
	if !s.hasScope(need) {
		return nil, &failure{code: "missing_scope", extra: obj{"needed": need, "provided": s.provided()}}
	}
	return obj{"channel": c.json()}, nil
}

// usersInfo is users.info.
func (s *Server) usersInfo(a args) (obj, *failure) {
	u := s.users[a.str("user")]
	if u == nil {
		return nil, fail("user_not_found")
	}
	return obj{"user": s.shown(u)}, nil
}

// usersLookup is users.lookupByEmail.
func (s *Server) usersLookup(a args) (obj, *failure) {
	for _, u := range s.users {
		if u.Email != "" && u.Email == a.str("email") && !u.Deleted {
			return obj{"user": s.shown(u)}, nil
		}
	}
	return nil, fail("users_not_found")
}

// shown is the user as this app may see them.
func (s *Server) shown(u *User) obj {
	o := u.json(s.hasScope("users:read.email"))
	if u.Team != s.o.TeamID {
		o["is_stranger"] = true
	}
	return o
}

func member(c *Channel, user string) bool { return slices.Contains(c.Members, user) }

// zoneOffset returns the seconds east of UTC now, 0 for an unknown zone.
func zoneOffset(zone string) int {
	l, err := time.LoadLocation(zone)
	if err != nil {
		return 0
	}
	_, offset := time.Now().In(l).Zone()
	return offset
}
