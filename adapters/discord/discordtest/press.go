package discordtest

import (
	"errors"
	"fmt"
)

// Press presses the button with this label or, failing that, this custom id. The
// message is looked up again: it is an error when it is gone, not for this
// person, or has no such button any more.
func (s *Server) Press(user string, on Message, button string) (*Interaction, error) {
	return s.act(user, on, button, nil)
}

// Choose picks options, by value or label, of the select with this custom id or
// placeholder.
func (s *Server) Choose(user string, on Message, menu string, options ...string) (*Interaction, error) {
	return s.act(user, on, menu, append([]string{}, options...))
}

func (s *Server) act(user string, on Message, what string, options []string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(user)
	m := s.look(on.ID)
	var c *Channel
	if m != nil {
		c = s.channels[m.Channel]
	}
	switch {
	case m == nil || c == nil:
		return nil, errors.New("discordtest: that message is gone")
	case m.For != "" && m.For != user, !s.reads(user, c):
		return nil, fmt.Errorf("discordtest: %s does not see that message", user)
	}
	data, err := take(m, what, options)
	if err != nil {
		return nil, err
	}
	i := &Interaction{Kind: KindComponent, message: m}
	s.start(i, user, c, data)
	return i, nil
}

// take makes the data of a component's interaction.
func take(m *Message, what string, options []string) (obj, error) {
	o := component(m, what, options != nil)
	switch style, _ := integer(o["style"]); {
	case o == nil:
		return nil, fmt.Errorf("discordtest: nothing on that message is called %q", what)
	case o["disabled"] == true:
		return nil, fmt.Errorf("discordtest: %q is disabled", what)
	case kindOf(o) == kindButton && style >= styleLink:
		return nil, fmt.Errorf("discordtest: %q leads elsewhere; the app is not told", what)
	}
	data := obj{"component_type": kindOf(o), "custom_id": o["custom_id"]}
	if options == nil {
		return data, nil
	}
	values, err := pick(o, options)
	data["values"] = values
	return data, err
}

// component finds a button by label, a select by placeholder, or either by its
// custom id.
func component(m *Message, what string, menu bool) (found obj) {
	for _, id := range []bool{false, true} {
		for _, c := range m.Components {
			each(c, func(c obj) {
				fits := kindOf(c) == kindButton && buttonLabel(c) == what
				if menu {
					fits = c["placeholder"] == what
				}
				if id {
					fits = c["custom_id"] == what
				}
				if found == nil && fits && menu == isSelect(kindOf(c)) {
					found = c
				}
			})
		}
	}
	return found
}

// pick returns the values of the options chosen.
func pick(menu obj, options []string) ([]any, error) {
	var values []any
	for _, want := range options {
		value := ""
		for _, v := range items(menu["options"]) {
			o, _ := v.(obj)
			if s, _ := o["value"].(string); s == want || o["label"] == want {
				value = s
			}
		}
		if kindOf(menu) != kindSelect {
			value = want
		}
		if value == "" {
			return nil, fmt.Errorf("discordtest: there is no option %q", want)
		}
		values = append(values, value)
	}
	most, ok := integer(menu["max_values"])
	if !ok {
		most = 1
	}
	if len(values) > most {
		return nil, fmt.Errorf("discordtest: %d options are more than %d", len(values), most)
	}
	return values, nil
}
