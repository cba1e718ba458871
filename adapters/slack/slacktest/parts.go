package slacktest

import "slices"

// A part is an interactive element where it stands.
type part struct {
	obj
	block obj // around it
}

func (p part) kind() string { s, _ := p.obj["type"].(string); return s }

func (p part) id() string { s, _ := p.obj["action_id"].(string); return s }

func (p part) blockID() string { s, _ := p.block["block_id"].(string); return s }

// label is the text that a person sees on it.
func (p part) label() string {
	for _, key := range []string{"text", "placeholder"} {
		if t, _ := p.obj[key].(obj); t != nil {
			s, _ := t["text"].(string)
			return s
		}
	}
	return ""
}

// options are the choices of an element that has some.
func (p part) options() []obj {
	all, _ := objects(p.obj["options"])
	groups, _ := objects(p.obj["option_groups"])
	for _, g := range groups {
		more, _ := objects(g["options"])
		all = append(all, more...)
	}
	return all
}

// parts returns the elements of blocks, in their order.
func parts(blocks []obj) []part {
	var all []part
	for _, b := range blocks {
		elements, _ := objects(b["elements"])
		for _, key := range []string{"accessory", "element"} {
			if e, _ := b[key].(obj); e != nil {
				elements = append(elements, e)
			}
		}
		for _, e := range elements {
			if !slices.Contains([]any{"image", "mrkdwn", "plain_text"}, e["type"]) {
				all = append(all, part{e, b})
			}
		}
	}
	return all
}

// elements returns the interactive elements of the message and its attachments.
func (m Message) elements() []part {
	all := parts(m.Blocks)
	for _, a := range m.Attachments {
		blocks, _ := objects(a["blocks"])
		all = append(all, parts(blocks)...)
	}
	return all
}

// pick finds the element with an action id or, failing that, with a label, and
// with option the choice of that value or label.
func pick(all []part, what string) (part, bool) {
	for _, p := range all {
		if p.id() == what {
			return p, true
		}
	}
	for _, p := range all {
		if p.label() == what {
			return p, true
		}
	}
	return part{}, false
}

// choose finds an option by value or label.
func (p part) choose(what string) (obj, bool) {
	for _, o := range p.options() {
		t, _ := o["text"].(obj)
		if o["value"] == what || t["text"] == what {
			return o, true
		}
	}
	return nil, false
}

// name gives blocks and elements the ids that the app left out. s.mu is held.
func (s *Server) name(blocks []obj) {
	for _, b := range blocks {
		if b["block_id"] == nil {
			b["block_id"] = s.id("b")
		}
	}
	for _, p := range parts(blocks) {
		if p.obj["action_id"] == nil && p.block["type"] != "rich_text" {
			p.obj["action_id"] = s.id("a")
		}
	}
}
