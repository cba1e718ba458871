package discordtest

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// A filler fills in the options of a command.
type filler struct {
	s        *Server
	focus    string
	focused  int // kind of the option in focus
	resolved obj
}

// fill returns the options below a command or subcommand. s.mu is held.
func (f *filler) fill(spec obj, path []string, given []Option) ([]any, error) {
	options := items(spec["options"])
	if len(path) > 0 {
		for _, v := range options {
			o, _ := v.(obj)
			if kind := kindOf(o); o["name"] == path[0] && (kind == optionSub || kind == optionGroup) {
				below, err := f.fill(o, path[1:], given)
				if below == nil {
					below = []any{}
				}
				return []any{obj{"name": path[0], "type": kind, "options": below}}, err
			}
		}
		if !f.s.o.AnyCommand {
			return nil, fmt.Errorf("there is no subcommand %q", path[0])
		}
		below, err := f.fill(obj{}, path[1:], given)
		return []any{obj{"name": path[0], "type": optionSub, "options": below}}, err
	}
	return f.values(options, given)
}

// values returns the given options in the form of a payload.
func (f *filler) values(options []any, given []Option) ([]any, error) {
	specs := map[string]obj{}
	for _, v := range options {
		o, _ := v.(obj)
		name, _ := o["name"].(string)
		if kind := kindOf(o); kind == optionSub || kind == optionGroup {
			return nil, fmt.Errorf("it has subcommands such as %q, and none was given", name)
		}
		specs[name] = o
	}
	var all []any
	for _, g := range given {
		v, err := f.value(specs[g.Name], g)
		if err != nil {
			return nil, fmt.Errorf("option %q: %w", g.Name, err)
		}
		all = append(all, v)
		delete(specs, g.Name)
	}
	for name, o := range specs {
		if o["required"] == true && f.focus == "" {
			return nil, fmt.Errorf("option %q is required", name)
		}
	}
	if f.focus != "" && f.focused == 0 {
		return nil, fmt.Errorf("option %q is not given a value, or does not autocomplete", f.focus)
	}
	return all, nil
}

// value checks one option and returns it in the form of a payload.
func (f *filler) value(spec obj, g Option) (obj, error) {
	kind := kindOf(spec)
	if spec == nil {
		if !f.s.o.AnyCommand {
			return nil, errors.New("there is no such option, or it was given twice")
		}
		kind = guess(g.Value)
	}
	out := obj{"name": g.Name, "type": kind, "value": g.Value}
	if g.Name == f.focus {
		if spec["autocomplete"] == true || f.s.o.AnyCommand {
			f.focused = kind
			out["focused"] = true
		}
		return out, nil // half-typed values are not checked
	}
	return out, f.check(spec, kind, g.Value)
}

// check compares a value with what the option wants.
func (f *filler) check(spec obj, kind int, v any) error {
	text, isText := v.(string)
	number, isNumber := v.(float64)
	if n, ok := v.(int); ok {
		number, isNumber = float64(n), true
	}
	switch kind {
	case optionText:
		return checkText(spec, text, isText)
	case optionInteger, optionNumber:
		return checkNumber(spec, number, isNumber && (kind == optionNumber || number == float64(int(number))))
	case optionBoolean:
		if _, ok := v.(bool); !ok {
			return errors.New("wants true or false")
		}
	default:
		return f.resolve(kind, text)
	}
	return nil
}

func checkText(spec obj, text string, isText bool) error {
	n := utf8.RuneCountInString(text)
	least, _ := integer(spec["min_length"])
	most, bounded := integer(spec["max_length"])
	switch {
	case !isText:
		return errors.New("wants a text")
	case n < max(least, 1), n > 6000, bounded && n > most:
		return fmt.Errorf("a text of %d characters is too short or too long", n)
	}
	return chosen(spec, text)
}

func checkNumber(spec obj, number float64, ok bool) error {
	least, hasLeast := spec["min_value"].(float64)
	most, hasMost := spec["max_value"].(float64)
	switch {
	case !ok:
		return errors.New("wants a number")
	case hasLeast && number < least, hasMost && number > most:
		return fmt.Errorf("%v is too small or too large", number)
	}
	return chosen(spec, number)
}

// chosen checks that a value is one of the choices, if there are any.
func chosen(spec obj, v any) error {
	choices := items(spec["choices"])
	for _, c := range choices {
		if o, _ := c.(obj); o["value"] == v {
			return nil
		}
	}
	if len(choices) > 0 {
		return fmt.Errorf("%v is none of the choices", v)
	}
	return nil
}

// resolve adds what an id stands for to the payload.
func (f *filler) resolve(kind int, id string) error {
	u, c := f.s.users[id], f.s.channels[id]
	switch {
	case u != nil && (kind == optionUser || kind == optionMention):
		f.add("users", id, u.json())
	case c != nil && kind == optionChannel:
		f.add("channels", id, obj{"id": c.ID, "name": c.Name, "type": c.Type, "permissions": bits(everyonePermissions)})
	default:
		return fmt.Errorf("nothing of that kind has the id %q", id)
	}
	return nil
}

func (f *filler) add(what, id string, o obj) {
	m, ok := f.resolved[what].(obj)
	if !ok {
		m = obj{}
		f.resolved[what] = m
	}
	m[id] = o
}

// guess returns the kind of option that a value fits.
func guess(v any) int {
	switch v := v.(type) {
	case bool:
		return optionBoolean
	case int:
		return optionInteger
	case float64:
		return optionNumber
	case string:
		if len(v) >= 17 && isSnowflake(v) {
			return optionUser
		}
	}
	return optionText
}
