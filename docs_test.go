package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// documents returns the text of every document for people, by its name.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all[name] = string(text)
		}
	}
	if len(all) < 8 {
		t.Fatalf("%d documents: the test looks at nothing", len(all))
	}
	return all
}

var (
	codeSpan  = regexp.MustCompile("`([^`\n]+)`")
	codeBlock = regexp.MustCompile("(?ms)^ *```(\\w*)\n(.*?)^ *```")
)

// blocks returns the fenced blocks of a language.
func blocks(text, language string) []string {
	var list []string
	for _, m := range codeBlock.FindAllStringSubmatch(text, -1) {
		if m[1] == language {
			list = append(list, m[2])
		}
	}
	return list
}

// TestDocumentedCommands: each command line in the documents is one that the
// program understands, as far as names of commands and flags go.
func TestDocumentedCommands(t *testing.T) {
	seen := 0
	for name, text := range documents(t) {
		var lines []string
		for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
			lines = append(lines, m[1])
		}
		for line := range strings.Lines(text) {
			lines = append(lines, strings.TrimSpace(line))
		}
		for _, line := range lines {
			if args, ok := strings.CutPrefix(strings.TrimPrefix(line, "./"), "floorwalker "); ok && !strings.Contains(args, " is ") {
				seen++
				if wrong := wrongCommand(args); wrong != "" {
					t.Errorf("%s: floorwalker %s: %s", name, args, wrong)
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d command lines found", seen)
	}
}

// wrongCommand says what is wrong with a command line.
func wrongCommand(args string) string {
	args, _, _ = strings.Cut(args, "#")
	words := strings.Fields(args)
	root := newRoot(&program{})
	// A flag before the command, with its value, is one of all commands.
	for len(words) > 1 && strings.HasPrefix(words[0], "--") {
		if root.PersistentFlags().Lookup(strings.TrimPrefix(words[0], "--")) == nil {
			return "there is no flag " + words[0]
		}
		words = words[2:]
	}
	if slices.Equal(words, []string{"help"}) {
		return "" // the library adds it when the program runs
	}
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root && len(words) > 0 {
		return "there is no such command"
	}
	return wrongFlag(cmd, rest)
}

func wrongFlag(cmd *cobra.Command, words []string) string {
	for _, w := range words {
		name, ok := strings.CutPrefix(strings.Trim(w, "[]"), "--")
		if !ok || name == "help" {
			continue
		}
		name, _, _ = strings.Cut(name, "=")
		var found *pflag.Flag
		if found = cmd.Flags().Lookup(name); found == nil {
			found = cmd.InheritedFlags().Lookup(name)
		}
		if found == nil {
			return "there is no flag --" + name
		}
	}
	return ""
}

// TestDocumentedSettings: each setting that the documents name by its path is one
// of the configuration, each variable of the environment one that is read.
func TestDocumentedSettings(t *testing.T) {
	known, sections := map[string]bool{"dashboard.metrics": true, "http.trusted_proxies": true}, map[string]bool{}
	for _, s := range settings(&Config{}) {
		known[s.path] = true
		section, _, _ := strings.Cut(s.path, ".")
		sections[section] = true
	}
	path := regexp.MustCompile(`^[a-z]+\.[a-z_.]+$`)
	seen := 0
	for name, text := range documents(t) {
		for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
			setting, _, _ := strings.Cut(m[1], ":")
			if variable, ok := strings.CutPrefix(m[1], envPrefix); ok && variable != "" {
				setting = settingOf(known, variable)
			}
			section, _, _ := strings.Cut(setting, ".")
			if !path.MatchString(setting) || !sections[section] || strings.Contains(setting, "path>") {
				continue
			}
			if seen++; !known[setting] {
				t.Errorf("%s: there is no setting %s", name, m[1])
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d settings found", seen)
	}
}

// settingOf returns the setting of a variable without its prefix, or a path that
// is none.
func settingOf(known map[string]bool, variable string) string {
	variable, _, _ = strings.Cut(variable, "=")
	for setting := range known {
		if strings.ToUpper(strings.ReplaceAll(setting, ".", "_")) == variable {
			return setting
		}
	}
	if variable == "CONFIG" || envPrefix+variable == envNewKey {
		return ""
	}
	return "store." + strings.ToLower(variable)
}

// TestDocumentedLinks: what the documents link to is there.
func TestDocumentedLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for name, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
	}
}

// TestRulesDocument: the tests of the rules in docs/rules.md pass, every rule has
// one, and what the document shows is what is tested.
func TestRulesDocument(t *testing.T) {
	t.Setenv("FLOORWALKER_CONFIG", "")
	const config, tests = "docs/rules/config.yaml", "docs/rules/tests.yaml"
	var out bytes.Buffer
	if status := run(t.Context(), []string{"rules", "test", tests, "--config", config}, streams{strings.NewReader(""), &out, &out}); status != 0 {
		t.Errorf("exit %d\n%s", status, out.String())
	}
	shown, err := os.ReadFile("docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	for _, file := range []string{config, tests} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources.WriteString(string(text))
	}
	examples := blocks(string(shown), "yaml")
	if len(examples) < 6 {
		t.Errorf("%d examples: the test looks at nothing", len(examples))
	}
	for _, b := range examples {
		if !strings.Contains(sources.String(), b) {
			t.Errorf("docs/rules.md shows what is not tested:\n%s", b)
		}
	}
	cfg, _, err := Load(LoadOptions{Path: config})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range cfg.Alerts {
		if !strings.Contains(out.String(), " "+r.Name+": ") {
			t.Errorf("rule %s has no test", r.Name)
		}
		if !strings.Contains(string(shown), "`"+r.Name+"`") && !strings.Contains(string(shown), "name: "+r.Name+"\n") {
			t.Errorf("docs/rules.md does not mention %s", r.Name)
		}
	}
}

// TestFaultsDocument: each test that docs/faults.md or .ci/faults names exists.
func TestFaultsDocument(t *testing.T) {
	var tests strings.Builder
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "*/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	for _, name := range []string{"docs/faults.md", ".ci/faults"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(text), -1)
		if len(named) < 20 {
			t.Errorf("%s names %d tests: the test looks at nothing", name, len(named))
		}
		for _, test := range named {
			if !strings.Contains(tests.String(), "func "+test+"(") {
				t.Errorf("%s names %s, which is not there", name, test)
			}
		}
	}
}

// TestDrawing: the arrows of docs/architecture.md are the imports of the code.
func TestDrawing(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	drawings := blocks(string(text), "mermaid")
	if len(drawings) != 1 {
		t.Fatalf("%d drawings", len(drawings))
	}
	drawn, box := arrows(drawings[0])
	for dir, files := range goFiles(t) {
		name := dir
		if dir == "." {
			name = "main"
		}
		if strings.HasSuffix(dir, "test") || strings.HasPrefix(dir, "docs/") {
			continue
		}
		if !box[name] {
			t.Errorf("%s is not in the drawing", name)
			continue
		}
		imports := importsOf(t, files)
		if dir == "." { // it imports the leaves as well, which would be no drawing any more
			imports = slices.DeleteFunc(imports, func(to string) bool { return strings.HasPrefix(to, "bot/") })
		}
		if want, got := strings.Join(imports, " "), strings.Join(drawn[name], " "); want != got {
			t.Errorf("%s imports %s, and is drawn with %s", name, want, got)
		}
	}
}

// arrows reads a drawing: where the arrows of each box lead, sorted, and which
// boxes there are. A box is named by the first line of its text.
func arrows(drawing string) (drawn map[string][]string, boxes map[string]bool) {
	names, drawn, boxes := map[string]string{}, map[string][]string{}, map[string]bool{}
	for line := range strings.Lines(drawing) {
		line = strings.TrimSpace(line)
		if id, label, ok := strings.Cut(line, `["`); ok {
			name, _, _ := strings.Cut(label, "<br>")
			names[id], boxes[name] = name, true
		}
		if from, to, ok := strings.Cut(line, " --> "); ok {
			for id := range strings.SplitSeq(to, " & ") {
				drawn[names[from]] = append(drawn[names[from]], names[id])
			}
			slices.Sort(drawn[names[from]])
		}
	}
	return drawn, boxes
}

// importsOf returns which of our packages files import, sorted.
func importsOf(t *testing.T, files []string) []string {
	t.Helper()
	set := map[string]bool{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			if ours, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "floorwalker/"); ok {
				set[ours] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}
