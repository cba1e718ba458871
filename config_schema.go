package main

import (
	"iter"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// keyOf returns the YAML key of a field, "" if it has none.
func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if key == "-" {
		return ""
	}
	return key
}

// fields yields the fields of a struct that have a key, in the order of the
// manual.
func fields(t reflect.Type) iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) {
		for f := range t.Fields() {
			if keyOf(f) != "" && !yield(f) {
				return
			}
		}
	}
}

// fieldOf returns the field with a key.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for f := range fields(t) {
		if keyOf(f) == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// keysOf returns the keys of a struct.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range fields(t) {
		keys = append(keys, keyOf(f))
	}
	return keys
}

// A setting is a scalar outside lists: what can come from the environment and
// from flags too.
type setting struct {
	path  string
	value reflect.Value
	tag   reflect.StructTag
}

// env returns the name of the setting's environment variable.
func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))
}

// flag returns the name of the setting's flag, where a command has one.
func (s setting) flag() string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(s.path)
}

// settings returns the settings of a Config, in the order of the manual.
func settings(cfg *Config) []setting {
	var all []setting
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		for f := range fields(v.Type()) {
			at, fv := join(path, keyOf(f)), v.FieldByIndex(f.Index)
			if isScalar(f.Type) {
				all = append(all, setting{at, fv, f.Tag})
			} else if f.Type.Kind() == reflect.Struct {
				walk(fv, at)
			}
		}
	}
	walk(reflect.ValueOf(cfg).Elem(), "")
	return all
}

// kindOf names what stands at a node, for a person.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

func isDuration(t reflect.Type) bool { return t == reflect.TypeFor[time.Duration]() }
