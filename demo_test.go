package main

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestDemoAlert: in the demo meera is told of missed calls within half a minute,
// can act on it, and sees it end, before the shift does: that is a minute after the
// start or two, as the clock has it.
func TestDemoAlert(t *testing.T) {
	for _, second := range []time.Duration{0, 44, 59} {
		t.Run(strconv.Itoa(int(second)), func(t *testing.T) { demoAlert(t, second*time.Second) })
	}
}

func demoAlert(t *testing.T, second time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(second)
		var out, log bytes.Buffer
		in := strings.NewReader("as meera\nwait 30s\n/floor alerts\n1\nwait 90s\nas asha\n/floor alerts\n")
		if err := demo(t.Context(), streams{in, &out, &log}); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for _, want := range []string{"Asha Rao missed 3 calls within two minutes", "Acknowledge", "Silence 1 h", "Acknowledged by Meera Nair", "RECOVERED  Asha Rao missed 3", "Alerts about you"} {
			_, rest, found := strings.Cut(text, want)
			if !found {
				t.Fatalf("the demo does not say %q, in this order:\n%s\n%s", want, out.String(), log.String())
			}
			text = rest
		}
	})
}
