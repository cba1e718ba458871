package main

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot/chat"
)

// TestPictures draws one card in every look.
func TestPictures(t *testing.T) {
	t.Parallel()
	dir, err := nodeDir()
	if err != nil {
		t.Fatal(err)
	}
	_, noNode := findNode(dir)
	_, noChromium := findChromium()
	if err := errors.Join(noNode, noChromium); err != nil {
		t.Skip("skipped: ", err)
	}
	out := t.TempDir()
	m := chat.Message{Title: "Not linked yet", Private: true, Blocks: []chat.Block{chat.Paragraph{Text: chat.T("I don't know which dashboard account is yours.")}},
		Actions: []chat.Action{{ID: "floor", Label: "Link my account", Style: chat.Primary}}}
	cards := map[chat.Network][]card{}
	for _, n := range networks() {
		cards[n.name] = []card{{name: "not-linked", message: m, at: time.Now(), typed: "/mystats"}}
	}
	if err := run(t.Context(), out, "not-linked.", cards, nil); err != nil {
		t.Fatal(err)
	}
	for _, network := range networks() {
		for _, look := range network.looks {
			name := "not-linked." + look
			picture := decode(t, filepath.Join(out, name+".png"))
			size := picture.Bounds().Size()
			if size.X < 1200 || size.X > 1400 || size.Y < 200 || size.Y > 600 {
				t.Errorf("%s is %v pixels, want about 1300 by 400", name, size)
			}
			if n := ink(picture); n < 3000 {
				t.Errorf("%s has only %d pixels of another colour than its corner", name, n)
			}
		}
	}
	if index, err := os.ReadFile(filepath.Join(out, "index.html")); err != nil || !bytes.Contains(index, []byte("not-linked.slack-light.png")) {
		t.Errorf("the index does not show the pictures: %v", err)
	}
}

func decode(t *testing.T, file string) image.Image {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return picture
}

// ink counts the pixels that differ from the first.
func ink(p image.Image) (n int) {
	b := p.Bounds()
	paper := p.At(b.Min.X, b.Min.Y)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if p.At(x, y) != paper {
				n++
			}
		}
	}
	return n
}

// TestCards plays the parts as the command does: each card of which a picture is
// expected is there and has something to draw, and no name is there twice.
func TestCards(t *testing.T) {
	for _, network := range networks() {
		t.Run(string(network.name), func(t *testing.T) {
			seen := map[string]bool{}
			parts := everything()
			if network.name != chat.Slack {
				parts = []part{firstDays, watched} // the others are long, and the same
			}
			for _, part := range parts {
				cards, err := play(t, network.name, part)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range cards {
					if seen[c.name] {
						t.Errorf("two cards are called %s", c.name)
					}
					seen[c.name] = true
					if c.form == nil && c.page == nil && c.message.Plain() == "" {
						t.Errorf("the card %s is empty", c.name)
					}
				}
			}
			for _, name := range []string{"mystats", "stale", "alert-recovered", "alert-after-quiet", "alert-many", "notices-bundled"} {
				if !seen[name] {
					t.Errorf("there is no card %s", name)
				}
			}
			if network.name == chat.Slack && !seen["digest-delayed"] {
				t.Error("there is no card digest-delayed")
			}
			if seen["link-form"] == (network.name == chat.Discord) || seen["home"] != (network.name == chat.Slack) {
				t.Errorf("the cards are %v", slices.Sorted(maps.Keys(seen)))
			}
		})
	}
}

// TestLinkPages checks that the link page is in each of its states.
func TestLinkPages(t *testing.T) {
	pages, err := linkPages(t)
	if err != nil {
		t.Fatal(err)
	}
	for i, words := range []string{"Check and link", "Confirm that", "does not accept", "You are linked", "does not work any more"} {
		if i = 2 * i; i >= len(pages) || !strings.Contains(pages[i].html, words) {
			t.Errorf("page %d of %d does not say %q", i+1, len(pages), words)
		}
	}
}

func TestFromANSI(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"plain <b> & é\n", "plain &lt;b&gt; &amp; é"},
		{"a\x1b[1mb\x1b[0mc", `a<span class="s1">b</span>c`},
		{"\x1b[33;1mx\x1b[0m\x1b[2my\x1b[0m", `<span class="s33 s1">x</span><span class="s2">y</span>`},
		{"\x1b[2mopen", `<span class="s2">open</span>`},
	} {
		if got := fromANSI(test.text); got != test.want {
			t.Errorf("fromANSI(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}
