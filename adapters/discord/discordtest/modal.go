package discordtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Modal is a form on a person's screen.
type Modal struct {
	ID         string // of the interaction that it answers
	Title      string
	CustomID   string
	Components []map[string]any
	User       string

	// Shape is the form in which a submit carries the values of text inputs:
	// ShapeRows or ShapeLabels, whatever the modal was made of. The default is
	// what it was made of.
	Shape string

	s    *Server
	from *Interaction
}

// The shapes of a submit.
const (
	ShapeRows   = "rows"   // row → input
	ShapeLabels = "labels" // label → component
)

// A field is one input of a modal.
type field struct {
	label string
	input obj // with its type and custom_id
	row   bool
}

// fields returns the inputs in their order.
func (m *Modal) fields() []field {
	var all []field
	for _, c := range m.Components {
		switch kindOf(c) {
		case kindRow:
			for _, v := range items(c["components"]) {
				o, _ := v.(obj)
				label, _ := o["label"].(string)
				all = append(all, field{label, o, true})
			}
		case kindLabel:
			o, _ := c["component"].(obj)
			label, _ := c["label"].(string)
			all = append(all, field{label, o, false})
		}
	}
	return all
}

// Plain returns the form as a person reads it: the title, then a line for each
// field.
func (m Modal) Plain() string {
	lines := []string{m.Title}
	fields := m.fields()
	for _, c := range m.Components {
		switch kindOf(c) {
		case kindText:
			s, _ := c["content"].(string)
			lines = append(lines, m.s.Read(s))
		case kindRow, kindLabel:
			f := fields[0]
			fields = fields[1:]
			lines = append(lines, f.label+": "+showField(f.input))
			if d, _ := c["description"].(string); d != "" {
				lines = append(lines, d)
			}
		}
	}
	return strings.Join(lines, "\n")
}

func showField(o obj) string {
	if kindOf(o) == kindInput {
		v, _ := o["value"].(string)
		if p, _ := o["placeholder"].(string); v == "" && p != "" {
			v = p
		}
		return "{" + v + "}"
	}
	return element(o)
}

// Modal returns the form that is open on a person's screen.
func (s *Server) Modal(user string) (Modal, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.modals[user]
	if m == nil {
		return Modal{}, false
	}
	return *m, true
}

// Dismiss closes a person's form. The app is not told.
func (s *Server) Dismiss(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.modals, user)
	s.changed.ring()
}

// answerModal checks and opens a modal. s.mu is held.
func (s *Server) answerModal(i *Interaction, data obj, form *form) *failure {
	p := form.at("data")
	p.known(data, []string{"custom_id", "title", "components"})
	m := &Modal{ID: i.ID, User: i.User, s: s, from: i}
	m.Title = p.text(data, "title", 1, 45)
	m.CustomID = p.text(data, "custom_id", 1, 100)
	m.Components = p.list(data, "components", 5)
	if len(m.Components) == 0 {
		p.at("components").wrong("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
	}
	c := &componentChecker{ids: map[string]bool{}}
	for n, o := range m.Components {
		c.modalPart(p.at("components", n), o)
	}
	if f := form.failure(); f != nil {
		return f
	}
	complete(m.Components)
	i.modal = m
	s.modals[i.User] = m
	return nil
}

func (c *componentChecker) modalPart(p place, o obj) {
	switch kindOf(o) {
	case kindRow:
		p.known(o, []string{"type", "id", "components"})
		inputs := p.list(o, "components", 1)
		if len(inputs) == 0 {
			p.at("components").required()
		}
		for i, in := range inputs {
			at := p.at("components", i)
			if kindOf(in) != kindInput {
				at.at("type").wrong("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (4,).")
				continue
			}
			at.text(in, "label", 1, 45)
			c.input(at, in)
		}
	case kindText:
		c.display(p, o)
	case kindLabel:
		p.known(o, []string{"type", "id", "label", "description", "component"})
		p.text(o, "label", 1, 45)
		p.text(o, "description", 0, 100)
		c.labelled(p.at("component"), o["component"])
	default:
		p.at("type").wrong("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1, 10, 18).")
	}
}

func (c *componentChecker) labelled(p place, v any) {
	o, ok := v.(obj)
	if !ok {
		p.required()
		return
	}
	switch kind := kindOf(o); {
	case kind == kindInput:
		if l, _ := o["label"].(string); l != "" {
			p.at("label").wrong("COMPONENT_LABEL_NOT_ALLOWED", "The label stands around the input.")
		}
		c.input(p, o)
	case isSelect(kind):
		c.selectMenu(p, o, kind)
	case kind == kindUpload, kind == kindCheckbox:
		c.customID(p, o)
	case kind == kindRadio, kind == kindRadio+1:
		c.customID(p, o)
		options := p.list(o, "options", 10)
		if len(options) == 0 || kind == kindRadio && len(options) == 1 {
			p.at("options").wrong("BASE_TYPE_BAD_LENGTH", "There are too few options.")
		}
		p.options(options)
	default:
		p.at("type").wrong("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (3, 4, 5, 6, 7, 8, 19, 21, 22, 23).")
	}
}

func (c *componentChecker) input(p place, o obj) {
	p.known(o, []string{"type", "id", "custom_id", "style", "label", "min_length", "max_length", "required", "value", "placeholder"})
	c.customID(p, o)
	if style, _ := integer(o["style"]); style < 1 || style > 2 {
		p.at("style").wrong("BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")
	}
	p.text(o, "value", 0, 4000)
	p.text(o, "placeholder", 0, 100)
	least, _ := integer(o["min_length"])
	most, ok := integer(o["max_length"])
	if least < 0 || least > 4000 || ok && (most < 1 || most > 4000 || most < least) {
		p.at("max_length").wrong("NUMBER_TYPE_MAX", "int value should be between 1 and 4000.")
	}
}

// Submit sends the form on a person's screen off, with values by custom id or
// label. Fields that are not named keep what stands in them. The error tells why
// Discord's client would not.
func (s *Server) Submit(user string, m Modal, values map[string]string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.modals[user]
	if now == nil || now.ID != m.ID {
		return nil, fmt.Errorf("discordtest: %s has no such form open", user)
	}
	c := s.channels[now.from.Channel]
	if c == nil {
		return nil, errors.New("discordtest: the channel of that form is gone")
	}
	var sent []any
	for n, f := range now.fields() {
		o, err := f.submit(values)
		if err != nil {
			return nil, err
		}
		sent = append(sent, wrap(o, m.Shape == ShapeRows || m.Shape == "" && f.row, n))
	}
	i := &Interaction{Kind: KindSubmit, message: now.from.message}
	i.onSubmit = func() {
		if s.modals[user] == now {
			delete(s.modals, user)
		}
	}
	s.start(i, user, c, obj{"custom_id": now.CustomID, "components": sent})
	return i, nil
}

// wrap puts an input into a row or a label, as submits do.
func wrap(input obj, row bool, n int) obj {
	if row && kindOf(input) == kindInput {
		return obj{"type": kindRow, "id": 2*n + 1, "components": []any{input}}
	}
	return obj{"type": kindLabel, "id": 2*n + 1, "component": input}
}

// submit returns a field as it is sent, with its value.
func (f field) submit(values map[string]string) (obj, error) {
	id, _ := f.input["custom_id"].(string)
	v, given := values[id]
	if !given {
		v, given = values[f.label]
	}
	if !given {
		v, _ = f.input["value"].(string)
	}
	required := f.input["required"] != false
	out := obj{"type": kindOf(f.input), "id": f.input["id"], "custom_id": id}
	switch kind := kindOf(f.input); {
	case kind == kindInput:
		n := utf8.RuneCountInString(v)
		least, _ := integer(f.input["min_length"])
		most, ok := integer(f.input["max_length"])
		if required && n == 0 || n > 0 && n < least || ok && n > most || n > 4000 {
			return nil, fmt.Errorf("discordtest: %d characters are too few or too many for %q", n, f.label)
		}
		out["value"] = v
	case isSelect(kind), kind == kindRadio+1:
		values := []any{}
		if v != "" {
			picked, err := pick(f.input, strings.Split(v, ","))
			if err != nil {
				return nil, err
			}
			values = picked
		}
		if required && len(values) == 0 {
			return nil, fmt.Errorf("discordtest: nothing is chosen in %q", f.label)
		}
		out["values"] = values
	case kind == kindRadio:
		if !slices.ContainsFunc(items(f.input["options"]), func(o any) bool { c, _ := o.(obj); return c["value"] == v }) && required {
			return nil, fmt.Errorf("discordtest: nothing is chosen in %q", f.label)
		}
		out["value"] = v
	case kind == kindCheckbox:
		out["value"] = v == "true"
	}
	return out, nil
}
