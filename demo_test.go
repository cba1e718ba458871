package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
)

// TestDemoAlert: in the demo meera is told of missed calls within half a minute,
// can act on it, and sees it end.
func TestDemoAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, log bytes.Buffer
		in := strings.NewReader("as meera\nwait 30s\n/floor alerts\nwait 30s\n/floor alerts\n1\nwait 60s\nas asha\n/floor alerts\n")
		if err := demo(t.Context(), streams{in, &out, &log}); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for _, want := range []string{"Asha Rao missed 3 calls within two minutes", "Acknowledge", "Silence 1 h", "Acknowledged by Meera Nair", "Recovered: Asha Rao missed 3", "Alerts about you"} {
			_, rest, found := strings.Cut(text, want)
			if !found {
				t.Fatalf("the demo does not say %q, in this order:\n%s\n%s", want, out.String(), log.String())
			}
			text = rest
		}
	})
}
