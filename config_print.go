package main

import (
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
)

// Print writes the configuration that is in effect as YAML, with secrets as •••
// and beside each value where it comes from.
func (c *Config) Print(w io.Writer) error {
	p := printer{cfg: c}
	p.structure(reflect.ValueOf(c).Elem(), "", 0)
	width := 0
	for _, l := range p.lines {
		if n := utf8.RuneCountInString(l.text); l.source != "" && n <= 56 {
			width = max(width, n)
		}
	}
	var b strings.Builder
	for _, l := range p.lines {
		b.WriteString(l.text)
		if l.source != "" {
			b.WriteString(strings.Repeat(" ", max(width-utf8.RuneCountInString(l.text), 0)) + "  # " + l.source)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// A printer collects the lines of a printed configuration.
type printer struct {
	cfg   *Config
	lines []printedLine
	dash  bool // the next line begins an element of a list
}

type printedLine struct{ text, source string }

// add appends a line, indented by so many levels; the first of a list's element
// has a dash.
func (p *printer) add(level int, text, source string) {
	indent := strings.Repeat("  ", level)
	if p.dash {
		indent = indent[:len(indent)-2] + "- "
		p.dash = false
	}
	p.lines = append(p.lines, printedLine{indent + text, source})
}

// source says where the value at path comes from.
func (c *Config) source(path string) string {
	o, ok := c.origins[path]
	switch {
	case !ok:
		return "default"
	case o.name != "":
		return o.name
	}
	return filepath.Base(c.file) + ":" + strconv.Itoa(o.line)
}

func (p *printer) structure(v reflect.Value, path string, level int) {
	for f := range fields(v.Type()) {
		p.field(f, v.FieldByIndex(f.Index), join(path, keyOf(f)), level)
	}
}

// field prints one key. What is empty and was not given is left out.
func (p *printer) field(f reflect.StructField, v reflect.Value, path string, level int) {
	key, given := keyOf(f), p.cfg.origins[path] != origin{}
	if v.Kind() == reflect.Pointer && !isScalar(f.Type) {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch _, hasDefault := f.Tag.Lookup("default"); {
	case isScalar(v.Type()):
		// A duration of 0 that was not given is one that does not apply.
		if given || hasDefault && !(isDuration(v.Type()) && v.IsZero()) || !v.IsZero() {
			p.add(level, key+": "+p.scalar(v), p.from(path, v))
		}
	case v.Kind() == reflect.Struct:
		p.add(level, key+":", "")
		before := len(p.lines)
		if p.structure(v, path, level+1); len(p.lines) == before {
			p.lines = p.lines[:before-1]
		}
	case v.Len() > 0:
		p.list(key, v, path, level)
	}
}

// from returns the source of a value; a secret may come from a file.
func (p *printer) from(path string, v reflect.Value) string {
	_, isSecret := v.Interface().(secret.Secret)
	if _, given := p.cfg.origins[path]; isSecret && !given {
		return "from " + path[strings.LastIndex(path, ".")+1:] + "_file"
	}
	return p.cfg.source(path)
}

// list prints a list: scalars on one line, anything else an element each.
func (p *printer) list(key string, v reflect.Value, path string, level int) {
	if isScalar(v.Type().Elem()) {
		var all []string
		for i := range v.Len() {
			all = append(all, plain(scalarText(v.Index(i))))
		}
		p.add(level, key+": ["+strings.Join(all, ", ")+"]", p.cfg.source(path))
		return
	}
	p.add(level, key+":", "")
	for i := range v.Len() {
		at := fmt.Sprintf("%s[%d]", path, i)
		p.dash = true
		if person, ok := v.Index(i).Interface().(PersonConfig); ok {
			p.add(level+1, person.text(), p.cfg.source(at))
			continue
		}
		p.structure(v.Index(i), at, level+1)
	}
}

// text returns the person as the file has them: an address, or a name with ids.
func (p PersonConfig) text() string {
	var ids []string
	for _, id := range p.IDs {
		ids = append(ids, plain(id.String()))
	}
	if p.Name == "" && len(ids) == 1 {
		return ids[0]
	}
	return "{name: " + plain(p.Name) + ", ids: [" + strings.Join(ids, ", ") + "]}"
}

// scalar returns the text of a value.
func (p *printer) scalar(v reflect.Value) string {
	text := scalarText(v)
	if _, days := v.Interface().(schedule.Weekdays); days {
		return "[" + strings.ReplaceAll(text, ",", ", ") + "]"
	}
	if v.Kind() == reflect.String || text == "" {
		return plain(text)
	}
	return text
}

// plain returns a text as YAML writes it, with quotes only where they are needed.
func plain(text string) string {
	var n yaml.Node
	n.SetString(text)
	if strings.ContainsAny(text, ",[]{}") { // also plain inside [ ] and { }
		n.Style = yaml.SingleQuotedStyle
	}
	out, err := yaml.Marshal(&n)
	if err != nil {
		return strconv.Quote(text)
	}
	return strings.TrimSuffix(string(out), "\n")
}
