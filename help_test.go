package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// TestHelpFits: every help fits a terminal of 80 columns, and every command of ours
// is in a group, so that the list can be read.
func TestHelpFits(t *testing.T) {
	root := newRoot(&program{})
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for line := range strings.Lines(c.Long + "\n" + c.UsageString()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s --help: %d columns: %s", c.CommandPath(), n, line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	for _, c := range root.Commands() {
		if c.GroupID == "" && c.Name() != "version" {
			t.Errorf("%s is in no group", c.Name())
		}
	}
}
