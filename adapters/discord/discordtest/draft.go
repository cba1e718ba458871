package discordtest

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

const (
	maxContent   = 2000
	maxEmbeds    = 10
	maxEmbedText = 6000
	maxNonce     = 25
	maxAlt       = 1024
)

// A draft is the body of a call that writes a message.
type draft struct {
	body        obj
	content     string
	embeds      []obj
	components  []obj
	attachments []Attachment // all that the message will have
	flags       int
	mentions    *mentions // nil if not given
	nonce       string
	enforce     bool
	asked       *Interaction // what it answers; nil for a message of its own
}

// has reports whether the body gives a key, be it null.
func (d *draft) has(key string) bool { _, ok := d.body[key]; return ok }

// messageKeys are the keys of all bodies that write messages. Discord ignores
// others; they are mistakes.
var messageKeys = strings.Fields(`content embeds allowed_mentions sticker_ids components flags attachments poll shared_client_theme
	message_reference nonce enforce_nonce tts username avatar_url thread_name applied_tags`)

// A writing is what a draft is for.
type writing struct {
	place   place
	body    obj
	request *request
	flags   int      // those that may be set
	before  *Message // what is edited; nil for a new message
	webhook bool     // it comes by a token of an interaction
}

// draft reads and checks the body of a message.
func (s *Server) draft(w writing) *draft {
	d := &draft{body: w.body}
	p := w.place
	p.known(w.body, messageKeys)
	d.content = p.text(w.body, "content", 0, maxContent)
	d.flags = p.flags(w)
	v2 := d.flags&FlagV2 != 0
	d.attachments = s.attachments(w)
	d.embeds = p.embeds(w.body, d.attachments)
	d.components = p.components(w.body, v2)
	d.mentions = p.mentions(w.body)
	d.readNonce(p)
	s.checkReply(p, w.body)
	d.checkV2(p, w, v2)
	return d
}

// empty reports whether a message would have nothing to show after the draft.
func (d *draft) empty(before *Message) bool {
	var m Message
	if before != nil {
		m = *before
	}
	content, embeds, components := m.Content, m.Embeds, m.Components
	if d.has("content") {
		content = d.content
	}
	if d.has("embeds") {
		embeds = d.embeds
	}
	if d.has("components") {
		components = d.components
	}
	if d.flags&FlagV2 != 0 {
		return len(components) == 0
	}
	more := len(items(d.body["sticker_ids"])) > 0 || d.body["poll"] != nil
	return content == "" && len(embeds) == 0 && len(d.attachments) == 0 && !more
}

// checkReply refuses a reply to a message that is not there.
func (s *Server) checkReply(p place, body obj) {
	o, ok := body["message_reference"].(obj)
	if ok && o["fail_if_not_exists"] != false && s.look(idOf(o["message_id"])) == nil {
		p.at("message_reference").wrong("REPLIES_UNKNOWN_MESSAGE", "Unknown message")
	}
}

func (d *draft) readNonce(p place) {
	switch n := d.body["nonce"].(type) {
	case nil:
	case string:
		if d.nonce = n; length(n) > maxNonce {
			p.at("nonce").wrong("NONCE_TYPE_TOO_LONG", "Nonce must be %d or fewer characters", maxNonce)
		}
	case float64:
		d.nonce = strconv.FormatInt(int64(n), 10)
	default:
		p.at("nonce").wrong("NONCE_TYPE", "Nonce must be an integer or a string")
	}
	d.enforce, _ = d.body["enforce_nonce"].(bool)
	d.enforce = d.enforce && d.nonce != ""
}

// checkV2 refuses what does not go together with components as content.
func (d *draft) checkV2(p place, w writing, v2 bool) {
	if !v2 {
		return
	}
	for _, key := range []string{"content", "embeds", "poll", "sticker_ids"} {
		switch v := w.body[key].(type) {
		case nil:
			continue
		case string:
			if v == "" {
				continue
			}
		case []any:
			if len(v) == 0 {
				continue
			}
		}
		p.at(key).wrong("MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The '%s' field cannot be used when using MessageFlags.IS_COMPONENTS_V2", key)
	}
	if m := w.before; m != nil && m.Flags&FlagV2 == 0 {
		_, content := w.body["content"]
		_, embeds := w.body["embeds"]
		if m.Content != "" && !content || len(m.Embeds) > 0 && !embeds {
			p.at("flags").wrong("MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Set content and embeds to null")
		}
	}
}

// flags reads the flags. Those that a message has may be given again.
func (p place) flags(w writing) int {
	had := 0
	if w.before != nil {
		had = w.before.Flags
	}
	keep := had & FlagV2
	if w.body["flags"] == nil {
		return keep | had&FlagSuppressEmbeds
	}
	n, ok := integer(w.body["flags"])
	if !ok {
		p.at("flags").wrong("NUMBER_TYPE_COERCE", "Value is not int.")
		return keep
	}
	if n&^(w.flags|had) != 0 {
		p.at("flags").wrong("BITFIELD_INVALID", "These flags cannot be set here.")
	}
	return keep | n&w.flags
}

// attachments returns those that the message will have. With a list, only what
// it names stays; without one, new files take the place of the old ones.
func (s *Server) attachments(w writing) []Attachment {
	var before []Attachment
	if w.before != nil {
		before = w.before.Attachments
	}
	list, given := w.body["attachments"].([]any)
	if !given && len(w.request.order) == 0 && !isNull(w.body, "attachments") {
		return before
	}
	var all []Attachment
	used := map[string]bool{}
	for i, v := range list {
		if a, ok := s.attachment(w.place.at("attachments", i), v, w, before); ok {
			all = append(all, a)
			used[a.ID] = true
		}
	}
	for _, key := range w.request.order {
		if up := w.request.files[key]; !used["new "+key] {
			all = append(all, Attachment{ID: s.id(), Name: up.name, Kind: up.kind, Data: up.data})
		}
	}
	for i := range all {
		if strings.HasPrefix(all[i].ID, "new ") {
			all[i].ID = s.id()
		}
	}
	if len(all) > maxFiles {
		w.place.at("attachments").wrong("BASE_TYPE_MAX_LENGTH", "Must be %d or fewer in length.", maxFiles)
	}
	return all
}

// attachment is one entry of the list: a file in this request, or one that the
// message has.
func (s *Server) attachment(p place, v any, w writing, before []Attachment) (Attachment, bool) {
	o, ok := v.(obj)
	if !ok {
		p.wrong("DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		return Attachment{}, false
	}
	alt := p.text(o, "description", 0, maxAlt)
	name := safeName(p.text(o, "filename", 0, 1024))
	id := idOf(o["id"])
	if up, ok := w.request.files[id]; ok {
		if name == "" {
			name = up.name
		}
		return Attachment{ID: "new " + id, Name: name, Kind: up.kind, Data: up.data, Alt: alt}, true
	}
	at := slices.IndexFunc(before, func(a Attachment) bool { return a.ID == id })
	if at < 0 {
		p.at("id").wrong("ATTACHMENT_NOT_FOUND", "Attachment data not found")
		return Attachment{}, false
	}
	a := before[at]
	if _, ok := o["description"]; ok {
		a.Alt = alt
	}
	return a, true
}

func isNull(o obj, key string) bool {
	v, ok := o[key]
	return ok && v == nil
}

// length counts as Discord's clients do.
func length(s string) int { return len(utf16.Encode([]rune(s))) }

// known refuses keys that are not in the list.
func (p place) known(o obj, keys []string) {
	for k := range o {
		if !slices.Contains(keys, k) {
			p.at(k).wrong("UNKNOWN_KEY", "There is no such key")
		}
	}
}

// text reads a string, without the space around it. An absent one and null are
// empty; if least is more than 0, it must be there.
func (p place) text(o obj, key string, least, most int) string {
	v := o[key]
	if v == nil {
		if least > 0 {
			p.at(key).required()
		}
		return ""
	}
	s, ok := v.(string)
	if !ok {
		p.at(key).wrong("STRING_TYPE_CONVERT", "Could not interpret %q as string.", v)
		return ""
	}
	s = strings.TrimSpace(s)
	switch n := length(s); {
	case n < least && n == 0:
		p.at(key).required()
	case least > 0 && (n < least || n > most):
		p.at(key).wrong("BASE_TYPE_BAD_LENGTH", "Must be between %d and %d in length.", least, most)
	case n > most:
		p.at(key).wrong("BASE_TYPE_MAX_LENGTH", "Must be %d or fewer in length.", most)
	}
	return s
}

// list reads a list of objects.
func (p place) list(o obj, key string, most int) []obj {
	v, ok := o[key]
	if !ok || v == nil {
		return nil
	}
	l, ok := v.([]any)
	if !ok {
		p.at(key).wrong("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
		return nil
	}
	if len(l) > most {
		p.at(key).wrong("BASE_TYPE_MAX_LENGTH", "Must be %d or fewer in length.", most)
	}
	var all []obj
	for i, e := range l {
		c, ok := e.(obj)
		if !ok {
			p.at(key, i).wrong("DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
			continue
		}
		all = append(all, c)
	}
	return all
}
