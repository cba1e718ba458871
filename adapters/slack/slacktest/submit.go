package slacktest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// trouble is what Slack shows in a modal when the app's answer is late or
// unusable.
const trouble = "We had some trouble connecting. Try again?"

// SubmitView fills in the modal on top of a person's stack and presses its
// submit button. The keys of values are block_ids, action_ids or labels of
// inputs; what is not named keeps its initial value. Several choices of one
// input are separated by commas.
//
// Slack's client checks what it can before it sends anything: an input that is
// required and empty, or a text that is too long or too short, is an error.
func (s *Server) SubmitView(user string, values map[string]string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(user)
	stack := s.stacks[u.ID]
	if len(stack) == 0 {
		return nil, fmt.Errorf("slacktest: %s has no modal open", user)
	}
	v := stack[len(stack)-1]
	if v.Submit == "" {
		return nil, errors.New("slacktest: the modal has no submit button")
	}
	state, err := fill(v.Blocks, values)
	if err != nil {
		return nil, err
	}
	v.state, v.Errors, v.Failure = state, nil, ""
	i := &Interaction{Kind: "interactive", accepts: true, TriggerID: s.trigger(user)}
	i.onAck = func(a args) string { return s.submitted(v, a) }
	i.onFail = func() { v.Failure = trouble }
	payload := obj{"view": v.json(), "response_urls": []any{}}
	s.sign(payload, u, "view_submission", i.TriggerID)
	i.Payload = payload
	s.launch(i)
	return i, nil
}

// submitted does what the app's answer to a submission says. s.mu is held.
func (s *Server) submitted(v *View, a args) string {
	defer s.changed.ring()
	depth := slices.Index(s.stacks[v.User], v)
	if depth < 0 {
		return "" // closed in the meantime
	}
	var raw obj
	fits := a.decode("view", &raw)
	var f *failure
	switch action := a.str("response_action"); {
	case action == "":
		s.dismiss(v.User, depth)
	case action == "clear":
		s.dismiss(v.User, 0)
	case action == "errors":
		f = v.complain(a)
	case action != "update" && action != "push" || !fits || raw == nil:
		f = fail("invalid_arguments")
	default:
		f = s.next(v, raw, action == "push")
	}
	if f != nil {
		v.Failure = trouble
		return f.code
	}
	return ""
}

// next replaces a modal or puts one on top of it.
func (s *Server) next(v *View, raw obj, push bool) *failure {
	own := v.ExternalID
	if !push {
		v.ExternalID = ""
	}
	f := s.checkView(raw)
	v.ExternalID = own
	if f != nil {
		return f
	}
	if push {
		_, f = s.open(v.User, raw, true)
		return f
	}
	s.show(v, raw)
	return nil
}

// complain shows errors at the inputs they are about. Slack wants the block_id
// of an input block.
func (v *View) complain(a args) *failure {
	var found map[string]string
	if !a.decode("errors", &found) || len(found) == 0 {
		return fail("invalid_arguments")
	}
	for id := range found {
		if !slices.ContainsFunc(v.Blocks, func(b obj) bool { return b["type"] == "input" && b["block_id"] == id }) {
			return fail("invalid_arguments")
		}
	}
	v.Errors = found
	return nil
}

// CloseView closes the modal on top of a person's stack. The interaction is nil
// unless the view asked to be notified.
func (s *Server) CloseView(user string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(user)
	n := len(s.stacks[u.ID])
	if n == 0 {
		return nil, fmt.Errorf("slacktest: %s has no modal open", user)
	}
	v := s.stacks[u.ID][n-1]
	s.dismiss(u.ID, n-1)
	if v.raw["notify_on_close"] != true {
		return nil, nil
	}
	i := &Interaction{Kind: "interactive"}
	payload := obj{"view": v.json(), "is_cleared": false}
	s.sign(payload, u, "view_closed", "")
	i.Payload = payload
	s.launch(i)
	return i, nil
}

// fill returns the state of a view: the given values, and initial ones.
func fill(blocks []obj, values map[string]string) (obj, error) {
	state := obj{}
	left := maps.Clone(values)
	for _, b := range blocks {
		if b["type"] != "input" {
			continue
		}
		p := parts([]obj{b})[0]
		label, _ := b["label"].(obj)
		name, _ := label["text"].(string)
		given, err := p.initial(), error(nil)
		for _, key := range []string{p.blockID(), p.id(), name} {
			if v, ok := left[key]; ok {
				if given, err = p.value(v); err != nil {
					return nil, err
				}
				delete(left, key)
			}
		}
		if err := p.check(given, b["optional"] == true); err != nil {
			return nil, fmt.Errorf("slacktest: %s: %w", name, err)
		}
		state[p.blockID()] = obj{p.id(): given}
	}
	for key := range left {
		return nil, fmt.Errorf("slacktest: the modal has no input %q", key)
	}
	return state, nil
}

// initial is the state of an input that nobody touched.
func (p part) initial() obj {
	o := obj{"type": p.kind()}
	for from, to := range map[string]string{"initial_value": "value", "initial_option": "selected_option",
		"initial_options": "selected_options", "initial_user": "selected_user", "initial_conversation": "selected_conversation"} {
		if v := p.obj[from]; v != nil {
			o[to] = v
		}
	}
	if strings.HasSuffix(p.kind(), "_input") && o["value"] == nil {
		o["value"] = nil
	}
	return o
}

// value is the state of an input that was filled in.
func (p part) value(v string) (obj, error) {
	o := obj{"type": p.kind()}
	switch p.kind() {
	case "static_select", "radio_buttons", "external_select":
		chosen, ok := p.choose(v)
		if !ok {
			return nil, fmt.Errorf("slacktest: no option %q", v)
		}
		o["selected_option"] = chosen
	case "checkboxes", "multi_static_select":
		chosen := []any{}
		for one := range strings.SplitSeq(v, ",") {
			c, ok := p.choose(strings.TrimSpace(one))
			if !ok {
				return nil, fmt.Errorf("slacktest: no option %q", one)
			}
			chosen = append(chosen, c)
		}
		o["selected_options"] = chosen
	case "users_select":
		o["selected_user"] = v
	case "conversations_select":
		o["selected_conversation"] = v
	case "channels_select":
		o["selected_channel"] = v
	default:
		o["value"] = nil
		if v != "" {
			o["value"] = v
		}
	}
	return o, nil
}

// check is what Slack's client checks before it sends.
func (p part) check(state obj, optional bool) error {
	if len(state) < 2 || state["value"] == nil && strings.HasSuffix(p.kind(), "_input") {
		if optional || p.kind() == "checkboxes" && len(state) > 1 {
			return nil
		}
		return errors.New("please complete this required field")
	}
	s, _ := state["value"].(string)
	n := float64(utf8.RuneCountInString(s))
	if lo, ok := p.obj["min_length"].(float64); ok && n < lo {
		return fmt.Errorf("needs at least %g characters", lo)
	}
	if hi, ok := p.obj["max_length"].(float64); ok && n > hi {
		return fmt.Errorf("takes at most %g characters", hi)
	}
	return nil
}
