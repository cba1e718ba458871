package slacktest

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Slash types a command, such as ("U1", "C1", "/mystats", "today"). An empty
// channel is the person's direct messages with the app; the bot need not be a
// member of any other. text arrives at the app as given: write mentions as Slack
// escapes them, <@U1>.
func (s *Server) Slash(user, channel, command, text string) *Interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(user)
	if channel == "" {
		channel = user
	}
	c := s.place(channel)
	i := &Interaction{Kind: "slash_commands", accepts: true, TriggerID: s.trigger(user)}
	h := s.hook(i, user, c)
	h.command = command + " " + text
	i.onAck = func(a args) string { return s.answered(h, a) }
	i.Payload = obj{"token": "legacy", "team_id": u.Team, "team_domain": "example", "channel_id": c.ID, "channel_name": c.Name,
		"user_id": u.ID, "user_name": u.Name, "command": command, "text": text, "api_app_id": s.o.AppID,
		"is_enterprise_install": "false", "response_url": i.ResponseURL, "trigger_id": i.TriggerID}
	s.launch(i)
	return i
}

// answered shows the message in the ack of a command. s.mu is held.
func (s *Server) answered(h *hook, a args) string {
	if len(a) == 0 {
		return ""
	}
	if f := s.respond(h, a); f != nil && f.code != "no_text" {
		return f.code
	}
	return ""
}

// A Place holds things to press: a [Message] or a [View].
type Place interface {
	elements() []part
	// origin returns the place as it is now and its share of a payload.
	origin(s *Server, user string) (Place, obj, error)
}

// Press presses the button with this action_id or, failing that, this label; a
// question to confirm is answered yes. The place is looked up again: it is an
// error when it is gone, not for this person, or has no such button any more.
func (s *Server) Press(user string, on Place, button string) (*Interaction, error) {
	return s.act(user, on, button, "")
}

// Choose picks an option, by value or label, of the menu, overflow or select
// with this action_id.
func (s *Server) Choose(user string, on Place, menu, option string) (*Interaction, error) {
	return s.act(user, on, menu, option)
}

func (s *Server) act(user string, on Place, what, option string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(user)
	on, payload, err := on.origin(s, user)
	if err != nil {
		return nil, err
	}
	action, err := take(on, what, option)
	if err != nil {
		return nil, err
	}
	i := &Interaction{Kind: "interactive", TriggerID: s.trigger(user)}
	if m, ok := on.(*Message); ok {
		s.hook(i, user, s.channels[m.Channel]).original = m
		payload["response_url"] = i.ResponseURL
	}
	action["action_ts"] = s.ts()
	s.sign(payload, u, "block_actions", i.TriggerID)
	payload["actions"] = []any{action}
	i.Payload = payload
	s.launch(i)
	return i, nil
}

// take makes the action of a payload.
func take(on Place, what, option string) (obj, error) {
	p, ok := pick(on.elements(), what)
	if !ok {
		return nil, fmt.Errorf("slacktest: nothing to press with the action_id or label %q", what)
	}
	action := obj{"type": p.kind(), "action_id": p.id(), "block_id": p.blockID()}
	if option == "" {
		for _, key := range []string{"text", "value", "style"} {
			if v := p.obj[key]; v != nil {
				action[key] = v
			}
		}
		return action, nil
	}
	switch p.kind() {
	case "users_select":
		action["selected_user"] = option
	case "conversations_select":
		action["selected_conversation"] = option
	case "channels_select":
		action["selected_channel"] = option
	default:
		o, ok := p.choose(option)
		if !ok {
			return nil, fmt.Errorf("slacktest: %q has no option %q", what, option)
		}
		action["selected_option"] = o
	}
	return action, nil
}

// sign adds what every interactive payload has. s.mu is held.
func (s *Server) sign(payload obj, u *User, kind, trigger string) {
	payload["type"] = kind
	payload["token"] = "legacy"
	payload["user"] = obj{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.Team}
	payload["team"] = obj{"id": s.o.TeamID, "domain": "example"}
	payload["enterprise"] = nil
	payload["is_enterprise_install"] = false
	payload["api_app_id"] = s.o.AppID
	if trigger != "" {
		payload["trigger_id"] = trigger
	}
}

// origin of a message: an ephemeral one is not repeated in the payload.
func (m Message) origin(s *Server, user string) (Place, obj, error) {
	if m.For != "" && m.For != user {
		return nil, nil, errors.New("slacktest: that message is not for this person")
	}
	list := s.messages[m.Channel]
	if m.For != "" {
		list = s.private[m.For]
	}
	for _, now := range list {
		if now.TS != m.TS || now.Deleted {
			continue
		}
		payload := obj{
			"container": obj{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": m.For != ""},
			"channel":   obj{"id": m.Channel, "name": s.channels[m.Channel].Name},
			"state":     obj{"values": obj{}},
		}
		if m.For == "" {
			payload["message"] = now.json(s)
		}
		return now, payload, nil
	}
	return nil, nil, errors.New("slacktest: that message is gone")
}

// elements of a view.
func (v View) elements() []part { return parts(v.Blocks) }

func (v View) origin(s *Server, user string) (Place, obj, error) {
	now := s.views[v.ID]
	if now == nil || now.User != user {
		return nil, nil, errors.New("slacktest: that view is closed, or not this person's")
	}
	return now, obj{"container": obj{"type": "view", "view_id": v.ID}, "view": now.json()}, nil
}

// OpenHome opens the app's home tab.
func (s *Server) OpenHome(user string) *Interaction {
	s.mu.Lock()
	event := obj{"type": "app_home_opened", "user": s.person(user).ID, "channel": s.dm(user), "tab": "home", "event_ts": s.ts()}
	if v := s.homes[user]; v != nil {
		event["view"] = v.json()
	}
	s.mu.Unlock()
	return s.Event(event)
}

// Event lets an event of the Events API happen. inner is the inner event, such
// as {"type": "tokens_revoked", …}.
func (s *Server) Event(inner map[string]any) *Interaction {
	s.mu.Lock()
	payload := obj{"token": "legacy", "team_id": s.o.TeamID, "api_app_id": s.o.AppID, "event": inner, "type": "event_callback",
		"event_id": s.id("Ev"), "event_time": time.Now().Unix(), "event_context": "context", "is_ext_shared_channel": false,
		"authorizations": []any{obj{"enterprise_id": nil, "team_id": s.o.TeamID, "user_id": s.o.BotUser, "is_bot": true, "is_enterprise_install": false}}}
	s.mu.Unlock()
	return s.Deliver("events_api", payload)
}

// Deliver sends an envelope of any type with any payload, also ones that Slack
// does not send today.
func (s *Server) Deliver(kind string, payload any) *Interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := &Interaction{Kind: kind, Payload: payload}
	s.launch(i)
	return i
}

// form returns a command's payload as the form that Slack posts.
func form(payload any) map[string]string {
	fields := map[string]string{}
	o, _ := payload.(obj)
	for k, v := range o {
		switch v := v.(type) {
		case string:
			fields[k] = v
		case bool:
			fields[k] = strconv.FormatBool(v)
		}
	}
	return fields
}
