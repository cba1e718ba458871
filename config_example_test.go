package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"floorwalker/bot/chat"
)

const exampleFile = "config.example.yaml"

// commented matches a commented-out setting: a # that no space follows.
var commented = regexp.MustCompile(`(?m)^( *)#([^\s#])`)

// example returns the example, and the same with all its settings in effect.
func example(t *testing.T) (asIs, whole string) {
	t.Helper()
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(data), commented.ReplaceAllString(string(data), "$1$2")
}

func TestExampleLoads(t *testing.T) {
	clearEnvironment(t)
	asIs, whole := example(t)
	for name, text := range map[string]string{"as it is": asIs, "with all settings": whole} {
		cfg, warnings := mustLoad(t, LoadOptions{Path: configFile(t, exampleFile, text)})
		for _, w := range warnings {
			if w.Path != "dashboard.base_url" {
				t.Errorf("%s: %v", name, w)
			}
		}
		if len(cfg.Teams) != 1 || len(cfg.Admins) != 1 || cfg.On(chat.Slack) {
			t.Errorf("%s: it is not the minimum", name)
		}
	}
	// Copied as it is, it lacks the tokens, and is told so once each.
	_, _, err := Load(LoadOptions{Path: configFile(t, exampleFile, asIs), Serving: true})
	faults, _ := errors.AsType[Faults](err)
	if len(faults) != 2 || faults[0].Path != "slack.app_token" || faults[1].Path != "slack.bot_token" {
		t.Errorf("without tokens: %v", err)
	}
	t.Setenv("FLOORWALKER_SLACK_BOT_TOKEN", "xoxb-1")
	t.Setenv("FLOORWALKER_SLACK_APP_TOKEN", "xapp-1")
	mustLoad(t, LoadOptions{Path: configFile(t, exampleFile, asIs), Serving: true})
}

// TestExampleShowsDefaults loads the example with everything commented in, and
// holds every value that was commented out and has a default against that. In
// lists, that is the first time the key appears: a second rule shows others.
func TestExampleShowsDefaults(t *testing.T) {
	clearEnvironment(t)
	asIs, whole := example(t)
	before, _ := mustLoad(t, LoadOptions{Path: configFile(t, exampleFile, asIs)})
	after, _ := mustLoad(t, LoadOptions{Path: configFile(t, exampleFile, whole)})
	seen := 0
	shownBefore := map[string]bool{} // type and key
	inSettings := map[string]bool{}
	for _, s := range settings(after) {
		inSettings[s.path] = true
	}
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		for f := range fields(v.Type()) {
			at, fv := join(path, keyOf(f)), v.FieldByIndex(f.Index)
			_, active := before.origins[at]
			_, shown := after.origins[at]
			text, hasDefault := f.Tag.Lookup("default")
			switch {
			case isScalar(f.Type) && (active || !hasDefault && !inSettings[at]):
			case isScalar(f.Type) && !shown && inSettings[at]:
				t.Errorf("%s is not in the example", at)
			case isScalar(f.Type) && shown && shownBefore[v.Type().Name()+"."+keyOf(f)]:
			case isScalar(f.Type) && shown:
				seen++
				shownBefore[v.Type().Name()+"."+keyOf(f)] = true
				want := reflect.New(f.Type).Elem()
				if text != "" {
					if err := setScalar(want, text, f.Tag); err != nil {
						t.Errorf("%s: default: %v", at, err)
					}
				}
				if f.Tag.Get("path") == "relative" && text != "" {
					want.SetString((&report{file: after.file}).resolve(text))
				}
				if !reflect.DeepEqual(fv.Interface(), want.Interface()) {
					t.Errorf("%s is %s in the example, and %s by default", at, scalarText(fv), scalarText(want))
				}
			case fv.Kind() == reflect.Struct:
				walk(fv, at)
			case fv.Kind() == reflect.Pointer && !isScalar(f.Type) && !fv.IsNil() && fv.Elem().Kind() == reflect.Struct:
				walk(fv.Elem(), at)
			case fv.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct && !isScalar(f.Type.Elem()):
				for i := range fv.Len() {
					walk(fv.Index(i), fmt.Sprintf("%s[%d]", at, i))
				}
			}
		}
	}
	walk(reflect.ValueOf(after).Elem(), "")
	if seen < 40 {
		t.Errorf("only %d values compared", seen)
	}
}

// TestExampleDocumentsEveryKey walks Config and looks for every key in the
// example, with a comment before it, or before the key that it follows at once.
func TestExampleDocumentsEveryKey(t *testing.T) {
	_, whole := example(t)
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(whole), &doc); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(whole, "\n")
	found := map[string]bool{} // type and key
	var walk func(n *yaml.Node, typ reflect.Type)
	walk = func(n *yaml.Node, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if n.Kind == yaml.SequenceNode {
			for _, element := range n.Content {
				walk(element, typ)
			}
		}
		if n.Kind != yaml.MappingNode || typ.Kind() != reflect.Struct {
			return
		}
		for i := 0; i < len(n.Content); i += 2 {
			if f, ok := fieldOf(typ, n.Content[i].Value); ok {
				found[typ.Name()+"."+keyOf(f)] = found[typ.Name()+"."+keyOf(f)] || hasComment(lines, n.Content[i].Line)
				walk(n.Content[i+1], f.Type)
			}
		}
	}
	walk(doc.Content[0], reflect.TypeFor[Config]())
	keys := 0
	var check func(typ reflect.Type)
	check = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || isScalar(typ) {
			return
		}
		for f := range fields(typ) {
			keys++
			if documented, there := found[typ.Name()+"."+keyOf(f)]; !documented {
				t.Errorf("%s.%s: in the example: %v, with a comment: %v", typ.Name(), keyOf(f), there, documented)
			}
			if !isScalar(f.Type) {
				check(f.Type)
			}
		}
	}
	check(reflect.TypeFor[Config]())
	if keys < 80 {
		t.Errorf("only %d keys looked for", keys)
	}
}

// hasComment reports whether a comment stands before a line, counted from 1, or
// before the line above it.
func hasComment(lines []string, line int) bool {
	isComment := func(n int) bool { return n >= 0 && strings.HasPrefix(strings.TrimSpace(lines[n]), "# ") }
	above := line - 2
	return isComment(above) || above >= 0 && strings.TrimSpace(lines[above]) != "" && isComment(above-1)
}

// TestPrintRoundTrip loads what is printed.
func TestPrintRoundTrip(t *testing.T) {
	clearEnvironment(t)
	_, whole := example(t)
	for _, text := range []string{whole, readText(t, "testdata/config/design.yaml"), readText(t, "testdata/config/alias.yaml")} {
		path := configFile(t, "config.yaml", text)
		cfg, _ := mustLoad(t, LoadOptions{Path: path})
		first := printed(t, cfg)
		if strings.Contains(first, "xoxb-") || strings.Contains(first, "xapp-") {
			t.Errorf("a secret is printed:\n%s", first)
		}
		if err := os.WriteFile(path, []byte(first), 0o600); err != nil {
			t.Fatal(err)
		}
		again, _ := mustLoad(t, LoadOptions{Path: path})
		second := printed(t, again)
		if a, b := withoutSources(first), withoutSources(second); a != b {
			t.Errorf("printed:\n%s\nand after loading that:\n%s", a, b)
		}
	}
}

var sources = regexp.MustCompile(`(?m) +# .*$`)

func withoutSources(s string) string { return sources.ReplaceAllString(s, "") }

func printed(t *testing.T, cfg *Config) string {
	t.Helper()
	var b bytes.Buffer
	if err := cfg.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
