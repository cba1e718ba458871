package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

const (
	// maxFile bounds the configuration file.
	maxFile = 1 << 20

	// maxValues bounds the values of a file after its aliases are followed, so
	// that a few lines of nested aliases cannot fill the memory.
	maxValues = 100_000
)

// A decoder is the strict pass over a configuration file. It checks the tree
// against the types of [Config], notes where every value stands, fills the
// lists, and collects the scalars outside lists as text, to be layered under the
// environment and the flags.
//
// The YAML library's own KnownFields would do half of it, but names neither the
// path nor what was meant, and takes 0123 for 83.
type decoder struct {
	*report
	scalars map[string]string // path → text as written
	values  int               // seen so far
}

// parseYAML returns the root of the only document in data, nil if the document
// is empty. It reports whether the file could be read; if not, why is noted.
func (d *decoder) parseYAML(data []byte) (root *yaml.Node, ok bool) {
	if !d.isText(data) {
		return nil, false
	}
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, true
	case err != nil:
		d.syntaxFault(data, err)
		return nil, false
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		d.faultAt(second.Line, "", "a second document begins here; a configuration is one document, so remove the line ---")
	case !errors.Is(err, io.EOF):
		d.syntaxFault(data, err)
		return nil, false
	}
	root = doc.Content[0]
	if root.Kind != yaml.MappingNode && root.ShortTag() != "!!null" {
		d.faultAt(root.Line, "", "here is %s; a configuration begins with a key, such as dashboard:", kindOf(root))
		return nil, false
	}
	return root, true
}

// isText notes a fault unless data is UTF-8.
func (d *decoder) isText(data []byte) bool {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		d.fault("", "the file is UTF-16; save it as UTF-8")
		return false
	}
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			line := 1 + bytes.Count(data[:len(data)-len(rest)], []byte("\n"))
			d.faultAt(line, "", "this line is not UTF-8 (byte 0x%02X); save the file as UTF-8", rest[0])
			return false
		}
		rest = rest[size:]
	}
	return true
}

var (
	yamlError     = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// syntaxFault notes an error of the YAML library, with the reasons that are
// easily overlooked.
func (d *decoder) syntaxFault(data []byte, err error) {
	if tab, ok := tabbedLine(data); ok {
		d.faultAt(tab, "", "the line is indented with a tab; YAML wants spaces")
		return
	}
	line, reason := 0, "it cannot be read"
	if m := yamlError.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " ")); m != nil {
		line, _ = strconv.Atoi(m[1])
		reason = m[2]
	}
	if m := unknownAnchor.FindStringSubmatch(reason); m != nil { // which comes without its line
		reason = "there is no anchor &" + clip(m[1], 40) + " above; put text that begins with * in quotes"
		before, _, _ := bytes.Cut(data, []byte("*"+m[1]))
		line = 1 + bytes.Count(before, []byte("\n"))
	}
	d.faultAt(line, "", "this is not YAML: %s%s", reason, syntaxHint(reason))
}

// syntaxHint says what mostly lies behind a complaint of the YAML library, which
// speaks of its own grammar, and often of the line where a block begins.
func syntaxHint(reason string) string {
	has := func(text string) bool { return strings.Contains(reason, text) }
	switch {
	case has("mapping values are not allowed"):
		return "; the key above has no colon, the line is indented deeper than it, or text with a colon wants quotes"
	case has("did not find expected key"), has("did not find expected '-'"):
		return "; a line of the block that begins here is indented otherwise than those beside it"
	case has("could not find expected ':'"):
		return "; a key has a colon and a space after it"
	case has("did not find expected ',' or"), has("expected node content"):
		return "; a bracket or a quotation mark is not closed, or text with # wants quotes"
	case has("unexpected end of stream"):
		return "; a quotation mark is not closed"
	case has("cannot start any token"):
		return "; text that begins with @, % or ` wants quotes"
	}
	return ""
}

// tabbedLine returns the first line that is indented with a tab.
func tabbedLine(data []byte) (int, bool) {
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]; bytes.ContainsRune(indent, '\t') && len(bytes.TrimSpace(line)) > 0 {
			return n, true
		}
	}
	return 0, false
}

// faultAt notes a fault of a line of the file, which says nothing about whether
// the value at path is there and right.
func (d *decoder) faultAt(line int, path, format string, args ...any) {
	if len(d.faults) < maxFaults {
		d.faults = append(d.faults, Fault{d.file, line, path, clip(fmt.Sprintf(format, args...), 400)})
	}
}

// element notes a fault of an element, or of a part of one, that stands on a
// line of its own.
func (d *decoder) element(n *yaml.Node, path, format string, args ...any) {
	d.origins[path] = origin{line: n.Line}
	d.fault(path, format, args...)
}

// value reads n, which stands at path, into v. A null counts as not given.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	line := n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if d.values++; d.values == maxValues {
		d.faultAt(line, "", "the file has too many values, or its aliases multiply them")
	}
	if n.ShortTag() == "!!null" {
		return
	}
	d.origins[path] = origin{line: line}
	switch t := v.Type(); {
	case t == reflect.TypeFor[PersonConfig]() && n.Kind == yaml.ScalarNode:
		person := PersonConfig{IDs: make([]chat.Address, 1)}
		d.scalar(n, reflect.ValueOf(&person.IDs[0]).Elem(), path, "")
		v.Set(reflect.ValueOf(person))
	case t == reflect.TypeFor[schedule.Weekdays]() && n.Kind == yaml.SequenceNode:
		d.weekdays(n, v.Addr().Interface().(*schedule.Weekdays), path)
	case isScalar(t):
		d.scalar(n, v, path, tag)
	case t.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		d.value(n, v.Elem(), path, tag)
	case t.Kind() == reflect.Struct:
		d.mapping(n, v, path)
	default:
		d.sequence(n, v, path, tag)
	}
}

// mapping reads the keys of n into the fields of the struct v.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.fault(path, "here is %s; write its keys: %s", kindOf(n), strings.Join(keysOf(v.Type()), ", "))
		return
	}
	if strings.Contains(path, "[") {
		d.defaults(v, path)
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field, ok := fieldOf(v.Type(), key.Value)
		switch first := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			d.faultAt(key.Line, path, "a key is a word")
		case key.Tag == "!!merge":
			d.faultAt(key.Line, path, "merging with << is not supported; write the keys out, or give a whole list an &anchor")
		case first != 0:
			d.faultAt(key.Line, join(path, key.Value), "the key is there already, on line %d", first)
		case !ok:
			d.unknownKey(key, v.Type(), path)
		default:
			d.value(value, v.FieldByIndex(field.Index), join(path, key.Value), field.Tag)
		}
		seen[key.Value] = key.Line
	}
}

// defaults sets the fields of a list's element, or of an optional section, to
// their defaults.
func (d *decoder) defaults(v reflect.Value, path string) {
	for field := range fields(v.Type()) {
		if text, ok := field.Tag.Lookup("default"); ok {
			if err := setScalar(v.FieldByIndex(field.Index), text, field.Tag); err != nil {
				d.fault(join(path, keyOf(field)), "default: %v", err)
			}
		}
	}
}

func (d *decoder) unknownKey(key *yaml.Node, t reflect.Type, path string) {
	where, hint := join(path, key.Value), didYouMean(key.Value, keysOf(t))
	if !plainKey.MatchString(key.Value) {
		where = path
	}
	if t == reflect.TypeFor[PersonConfig]() && (key.Value == "slack" || key.Value == "discord") {
		hint = "; an address is written without a space, such as slack:U0123456789"
		d.faulty[join(path, "ids")] = true
	}
	d.faultAt(key.Line, where, "unknown key %s%s", quote(key.Value), hint)
}

var plainKey = regexp.MustCompile(`^[\w-]{1,40}$`)

// sequence reads the elements of n into the slice v.
func (d *decoder) sequence(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if n.Kind != yaml.SequenceNode {
		d.fault(path, "here is %s; write a list", kindOf(n))
		return
	}
	if most, err := strconv.Atoi(tag.Get("most")); err == nil && len(n.Content) > most {
		d.fault(path, "the list has %d elements; at most %d are allowed", len(n.Content), most)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, element := range n.Content {
		at := path + "[" + strconv.Itoa(i) + "]"
		if d.value(element, v.Index(i), at, ""); d.values >= maxValues {
			return
		}
		if _, ok := d.origins[at]; !ok {
			d.element(element, at, "the element is empty")
		}
	}
}

// weekdays reads a list of days.
func (d *decoder) weekdays(n *yaml.Node, days *schedule.Weekdays, path string) {
	for _, element := range n.Content {
		if element.Kind != yaml.ScalarNode {
			d.element(element, path, "here is %s; write days, such as [mon, tue]", kindOf(element))
			return
		}
		day, err := schedule.ParseWeekdays(element.Value)
		if err != nil {
			d.element(element, path, "%v", err)
			return
		}
		*days |= day
	}
}

// scalar checks that n is written as v's type wants it. Inside lists it sets v,
// elsewhere it keeps the text.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if wrong := wrongKind(n, v.Type()); wrong != "" {
		d.fault(path, "%s", wrong)
		return
	}
	if !strings.Contains(path, "[") {
		d.scalars[path] = n.Value
	} else if err := setScalar(v, n.Value, tag); err != nil {
		d.fault(path, "%v%s", err, curly(n.Value))
	}
}

// curly says that text holds the quotation marks of a word processor, which are
// part of the text, "" if it holds none.
func curly(text string) string {
	if strings.ContainsAny(text, "“”„‘’") {
		return "; its quotation marks are curly, write straight ones"
	}
	return ""
}

// wrongKind says why n cannot be a value of type t, "" if it can. It quotes no
// text that may be a secret.
func wrongKind(n *yaml.Node, t reflect.Type) string {
	if n.Kind != yaml.ScalarNode {
		return "here is " + kindOf(n) + "; write one value"
	}
	switch tag := n.ShortTag(); t.Kind() {
	case reflect.Bool:
		return wrongTag(n, "neither true nor false", "!!bool")
	case reflect.Int:
		return wrongTag(n, "not a whole number", "!!int")
	case reflect.Float64:
		return wrongTag(n, "not a number", "!!int", "!!float")
	default:
		switch {
		case isDuration(t) && tag == "!!int", tag == "!!str", tag == "!!timestamp":
			return ""
		case tag == "!!int", tag == "!!float", tag == "!!bool":
			return "YAML reads this as a number or as true or false; put it in quotes"
		}
		return "the tag " + quote(tag) + " is not supported"
	}
}

// wrongTag says that n is not what it should be unless it has one of the tags.
func wrongTag(n *yaml.Node, not string, tags ...string) string {
	if slices.Contains(tags, n.ShortTag()) {
		return ""
	}
	unquoted := yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}
	if slices.Contains(tags, unquoted.ShortTag()) {
		return quote(n.Value) + " is " + not + "; write it without quotes"
	}
	return quote(n.Value) + " is " + not
}
