package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goFiles returns the Go files below the root by package directory, tests and
// test data left out.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() != "." && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			dir := filepath.ToSlash(filepath.Dir(name))
			files[dir] = append(files[dir], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 8 {
		t.Fatalf("found %d packages: the test looks at nothing", len(files))
	}
	return files
}

// mayImport says which of our packages each package may import: the dependency
// rule. A prefix that ends in /… covers what is below it. The root may import
// everything. chattest and the fakes serve tests.
var mayImport = map[string][]string{
	"bot/secret":                   {},
	"bot/chat":                     {"bot/secret"},
	"bot/schedule":                 {"bot/secret"},
	"bot/alert":                    {"bot/secret"},
	"bot/stats":                    {"bot/secret", "dashboard"},
	"bot/chart":                    {"bot/secret", "bot/chat"},
	"bot":                          {"bot/secret", "bot/chat", "bot/schedule", "bot/alert", "bot/stats", "bot/chart", "dashboard"},
	"dashboard":                    {"bot/secret"},
	"dashboard/sim":                {"bot/secret", "dashboard"},
	"store":                        {"bot", "bot/…", "dashboard"},
	"adapters/console":             {"bot/chat", "bot/chart", "bot/secret"},
	"adapters/slack":               {"bot/chat", "bot/chart", "bot/secret"},
	"adapters/discord":             {"bot/chat", "bot/chart", "bot/secret"},
	"adapters/web":                 {"bot/chat", "bot/chart", "bot/secret"},
	"adapters/slack/slacktest":     {},
	"adapters/discord/discordtest": {},
	"bot/chat/chattest":            {"bot/chat", "bot/secret"},
	"docs/bench":                   {},
	"docs/gallery":                 {"bot", "bot/…", "dashboard", "dashboard/sim", "store", "adapters/console", "adapters/slack", "adapters/discord", "adapters/web"},
}

// forbidden are libraries that belong to one place.
var forbidden = map[string][]string{
	"github.com/slack-go/slack":     {"adapters/slack"},
	"github.com/bwmarrin/discordgo": {"adapters/discord"},
	"go.etcd.io/bbolt":              {"store"},
	"go.yaml.in/yaml/v3":            {"."},
	"github.com/spf13/viper":        {"."},
	"github.com/expr-lang/expr":     {"bot/alert"},
	"github.com/prometheus":         {"."},
}

// TestImports keeps the dependency rule.
func TestImports(t *testing.T) {
	for dir, files := range goFiles(t) {
		allowed, known := mayImport[dir]
		if !known && dir != "." {
			t.Errorf("%s is no package of the layout: add it to the rule, with the architecture drawing", dir)
			continue
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range f.Imports {
				checkImport(t, dir, name, strings.Trim(spec.Path.Value, `"`), allowed)
			}
		}
	}
}

func checkImport(t *testing.T, dir, file, imported string, allowed []string) {
	t.Helper()
	for library, places := range forbidden {
		if (imported == library || strings.HasPrefix(imported, library+"/")) && !slices.Contains(places, dir) {
			t.Errorf("%s imports %s, which belongs to %s only", file, imported, strings.Join(places, ", "))
		}
	}
	ours, ok := strings.CutPrefix(imported, "floorwalker/")
	if !ok || dir == "." {
		return
	}
	for _, a := range allowed {
		if below, ok := strings.CutSuffix(a, "/…"); ours == a || ok && path.Dir(ours) == below {
			return
		}
	}
	t.Errorf("%s imports %s, which the dependency rule does not allow for %s", file, imported, dir)
}

// TestDocs wants a comment on every package and every exported name.
func TestDocs(t *testing.T) {
	packages := goFiles(t)
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		documented := false
		for _, name := range packages[dir] {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			documented = documented || f.Doc.Text() != ""
			for _, decl := range f.Decls {
				checkDoc(t, name, decl)
			}
		}
		if !documented {
			t.Errorf("package %s has no comment", dir)
		}
	}
}

func checkDoc(t *testing.T, file string, decl ast.Decl) {
	t.Helper()
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && receiverExported(d) && d.Doc.Text() == "" {
			t.Errorf("%s: func %s has no comment", file, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc.Text() == "" && s.Doc.Text() == "" {
					t.Errorf("%s: type %s has no comment", file, s.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc.Text() == "" && s.Doc.Text() == "" && s.Comment.Text() == "" {
						t.Errorf("%s: %s has no comment", file, n)
					}
				}
			}
		}
	}
}

// receiverExported reports whether a function is one that godoc shows: a method
// of an unexported type is not.
func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	recv := d.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	if index, ok := recv.(*ast.IndexExpr); ok {
		recv = index.X
	}
	id, ok := recv.(*ast.Ident)
	return ok && id.IsExported()
}
