package slack

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// What Slack tells us is read by types of our own, which name only what we use:
// the library refuses a whole payload for one field that is new or of another
// type, and then nobody would be answered.

// A delivery is one thing Slack told us, whichever way it came.
type delivery struct {
	kind    string          // "slash_commands", "interactive", "events_api", or what we do not know
	id      string          // of the envelope: another one when it is delivered again
	payload json.RawMessage // for a command over HTTP, its form as an object
	retry   int             // how often it was delivered before
	again   bool            // the very same request was made before: nothing is done but to acknowledge it

	// ack acknowledges it with a payload, or none. It is called once and blocks
	// for a bounded time. drop, called in its place, says that nobody will work
	// on it; it is nil where silence says so.
	ack  func(payload any) error
	drop func()
}

// slashPayload is a typed command.
type slashPayload struct {
	Command      string `json:"command"`
	Text         string `json:"text"`
	TeamID       string `json:"team_id"`
	EnterpriseID string `json:"enterprise_id"`
	UserID       string `json:"user_id"`
	UserName     string `json:"user_name"`
	ChannelID    string `json:"channel_id"`
	ResponseURL  string `json:"response_url"`
	TriggerID    string `json:"trigger_id"`
}

// interaction is a press or a form.
type interaction struct {
	Type string `json:"type"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	Enterprise struct {
		ID string `json:"id"`
	} `json:"enterprise"`
	User struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		Name     string `json:"name"`
		TeamID   string `json:"team_id"`
	} `json:"user"`
	Container struct {
		Type      string `json:"type"`
		MessageTS string `json:"message_ts"`
		ChannelID string `json:"channel_id"`
		ViewID    string `json:"view_id"`
		Ephemeral bool   `json:"is_ephemeral"`
	} `json:"container"`
	ResponseURL string `json:"response_url"`
	TriggerID   string `json:"trigger_id"`
	Actions     []struct {
		ActionID string `json:"action_id"`
		Value    string `json:"value"`
	} `json:"actions"`
	View view `json:"view"`
}

// view is a modal or a home page.
type view struct {
	ID              string `json:"id"`
	Type            string `json:"type"`
	Hash            string `json:"hash"`
	CallbackID      string `json:"callback_id"`
	PrivateMetadata string `json:"private_metadata"`
	State           struct {
		Values map[string]map[string]inputState `json:"values"`
	} `json:"state"`
}

// inputState is one input's value, null when it is empty.
type inputState struct {
	Value secret.Secret `json:"value"`
}

// callback is something that nobody typed.
type callback struct {
	TeamID       string `json:"team_id"`
	EnterpriseID string `json:"enterprise_id"`
	EventID      string `json:"event_id"`
	Event        struct {
		Type    string          `json:"type"`
		User    json.RawMessage `json:"user"`    // an id, or the whole person
		Channel json.RawMessage `json:"channel"` // an id, or the whole channel
		Tab     string          `json:"tab"`
		View    view            `json:"view"`
	} `json:"event"`
}

// idOf reads an id that Slack writes as a string in some events and as an object
// in others; "" if it is neither.
func idOf(raw json.RawMessage) string {
	var id string
	if json.Unmarshal(raw, &id) == nil {
		return id
	}
	var whole struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &whole) != nil {
		return ""
	}
	return whole.ID
}

// request returns a command as a request. Its name is the canonical one, "" if
// it is none of ours.
func (p slashPayload) request(envelope string, commands map[string]string) chat.Request {
	return chat.Request{
		ID: cmp.Or(p.TriggerID, envelope), Kind: chat.KindCommand, At: time.Now(),
		From: person(p.UserID), Name: p.UserName, In: channel(p.ChannelID),
		Command: commands[p.Command], Text: plainCommand(p.Text), SecretForms: true,
	}
}

// request returns a press or a form as a request. It reports false where nothing
// is to be done but to acknowledge.
func (p interaction) request(envelope string) (chat.Request, bool) {
	r := chat.Request{
		ID: cmp.Or(p.TriggerID, envelope), At: time.Now(), SecretForms: true,
		From: person(p.User.ID), Name: cmp.Or(p.User.Username, p.User.Name), In: channel(p.Container.ChannelID),
	}
	switch {
	case p.Type == "block_actions" && len(p.Actions) > 0:
		action, ok := parseAction(p.Actions[0].ActionID, p.Actions[0].Value)
		if !ok {
			return r, false
		}
		r.Kind, r.Action = chat.KindAction, action
		if p.Container.Type == "message" && !p.Container.Ephemeral {
			r.Ref = ref(p.Container.ChannelID, p.Container.MessageTS)
		}
		return r, true
	case p.Type == "view_submission" && p.View.CallbackID == formCallback:
		var meta formMeta
		if json.Unmarshal([]byte(p.View.PrivateMetadata), &meta) != nil {
			return r, false
		}
		r.Kind, r.Form, r.Value, r.In = chat.KindForm, meta.Form, meta.Value, channel(meta.Channel)
		r.Values = formValues(p.View.State.Values)
		return r, true
	default:
		return r, false
	}
}

// atHome reports whether it happened on the home page, or in a form that was
// asked for there.
func (p interaction) atHome() bool {
	var meta formMeta
	return p.View.Type == "home" || p.View.CallbackID == formCallback && json.Unmarshal([]byte(p.View.PrivateMetadata), &meta) == nil && meta.Home
}

func person(id string) chat.Address {
	if id == "" {
		return chat.Address{}
	}
	return chat.Address{Network: chat.Slack, ID: id}
}

// channel returns the address of a channel, none for direct messages.
func channel(id string) chat.Address {
	if id == "" || isDM(id) {
		return chat.Address{}
	}
	return chat.Address{Network: chat.Slack, ID: id}
}

func isDM(channel string) bool { return strings.HasPrefix(channel, "D") }

func isUser(id string) bool { return userID.MatchString(id) }

// ref names a message by its channel and time stamp.
func ref(channel, ts string) chat.Ref {
	return chat.Ref{Network: chat.Slack, ID: channel + ":" + ts}
}

// What Slack writes between angle brackets in a command's text: a member, a
// channel, a group, a broadcast, a link.
var control = regexp.MustCompile(`<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>`)

var unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// plainCommand returns a command's text as it was typed, with people written
// <@slack:ID>.
func plainCommand(text string) string {
	text = control.ReplaceAllStringFunc(text, func(token string) string {
		m := control.FindStringSubmatch(token)
		sign, target, label := m[1], m[2], m[3]
		switch {
		case sign == "@" && isUser(target):
			return "&lt;@slack:" + target + "&gt;"
		case sign == "" && label != "" && !strings.Contains(label, "://"):
			return label // Slack turned "example.com" or an address into a link
		case sign == "":
			return target
		default:
			return sign2word(sign) + strings.TrimLeft(cmp.Or(label, target), "@#!")
		}
	})
	return strings.TrimSpace(unescaper.Replace(text))
}

func sign2word(sign string) string {
	if sign == "#" {
		return "#"
	}
	return "@"
}
