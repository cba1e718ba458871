package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// output is what go test prints of every benchmark that the table wants.
func output() string {
	var b strings.Builder
	for _, m := range measures() {
		for _, name := range m.names() {
			b.WriteString(name + "-2   3   12.5 " + m.metric)
			if m.ratio != "" {
				b.WriteString("   2.5 " + m.ratio)
			}
			b.WriteString("\nPASS\n")
		}
	}
	return b.String()
}

func TestTable(t *testing.T) {
	// Several measures read one benchmark: its lines become one.
	merged := map[string]result{}
	for _, r := range parse(output()) {
		maps.Copy(r.metrics, merged[r.name].metrics)
		merged[r.name] = r
	}
	var results []result
	for _, r := range merged {
		results = append(results, r)
	}
	rows, err := table(results)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := write(&out, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"12.5", "2.5 WebSocket echo", "10,000", "resident memory"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if _, err := table(results[1:]); err == nil || !strings.Contains(err.Error(), "renamed") {
		t.Errorf("a benchmark that is gone: %v", err)
	}
}

// TestBenchmarksExist holds the table to the benchmarks that there are.
func TestBenchmarksExist(t *testing.T) {
	for _, s := range suites(1) {
		files, err := filepath.Glob(filepath.Join("..", "..", s.pkg, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		name := regexp.MustCompile(`Benchmark\w+`).FindString(s.bench)
		found := false
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "func "+name+"(b *testing.B)")
		}
		if !found {
			t.Errorf("%s has no %s", s.pkg, name)
		}
	}
}
