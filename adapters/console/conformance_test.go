package console

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
)

// A sitter is somebody at the console of a test: types lines and reads cards.
type sitter struct {
	t     *testing.T
	lines chan string

	mu  sync.Mutex // guards out
	out strings.Builder
}

// sit returns a console with a sitter. Its input ends with the test.
func sit(t *testing.T, c Config) (*Console, *sitter) {
	in, typed := io.Pipe()
	s := &sitter{t: t, lines: make(chan string, 1000)}
	go func() {
		defer typed.Close()
		for l := range s.lines {
			io.WriteString(typed, l+"\n")
		}
	}()
	t.Cleanup(func() { close(s.lines) })
	c.In, c.Out = in, s
	return New(c), s
}

func (s *sitter) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(b)
}

func (s *sitter) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// do types what makes a person act.
func (s *sitter) do(a chattest.Act) error {
	lines := "as " + a.User + "\n"
	switch a.Kind {
	case chat.KindCommand:
		if a.In != "" {
			lines += a.In + " "
		}
		text := strings.NewReplacer("<@console:", "@", ">", "").Replace(a.Text)
		lines += strings.TrimSpace("/" + a.Command + " " + text)
	case chat.KindAction:
		all := s.sees(a.User)
		i := slices.IndexFunc(all, func(x chattest.Seen) bool { return x.ID == a.On })
		n := 0
		if i >= 0 {
			n = slices.Index(all[i].Buttons, a.Label) + 1
		}
		if n == 0 {
			return fmt.Errorf("no button %q on %q", a.Label, a.On)
		}
		lines += fmt.Sprint(n)
		if a.Label == "Delete it" { // the one that asks first
			lines += "\nyes"
		}
	case chat.KindForm:
		lines = ""
		for i, v := range a.Values {
			if i > 0 {
				lines += "\n"
			}
			lines += v.Value
		}
	}
	s.lines <- lines
	return nil
}

// sees reads the cards on the screen as a persona would.
func (s *sitter) sees(user string) []chattest.Seen {
	type card struct {
		chattest.Seen
		to string
	}
	var cards []card
	drop := func(match func(card) bool) {
		for i := len(cards) - 1; i >= 0; i-- {
			if match(cards[i]) {
				cards = slices.Delete(cards, i, i+1)
				return
			}
		}
	}
	for i, raw := range strings.Split(s.String(), "╭─ ")[1:] {
		heading, rest, _ := strings.Cut(raw, " ─")
		rest, _, _ = strings.Cut(rest, "╰")
		body, buttons, _ := strings.Cut(rest, "├")
		c := card{Seen: chattest.Seen{ID: fmt.Sprint(i), Text: inside(body) + " " + inside(buttons)}}
		notes := strings.Split(heading, " · ")
		c.to = strings.TrimPrefix(notes[0], "DM to ")
		c.Private = slices.Contains(notes, "only you see this") || notes[0] != c.to || slices.Contains(notes, "form")
		c.Form = slices.Contains(notes, "form")
		if strings.HasPrefix(c.to, "#") {
			c.In = c.to
		}
		for _, b := range strings.Split(inside(buttons), "[")[1:] {
			_, label, _ := strings.Cut(b, "] ")
			c.Buttons = append(c.Buttons, strings.TrimSpace(label))
		}
		drop(func(old card) bool { return old.Form }) // it was sent, or something would not stand below it
		if slices.Contains(notes, "updated") || slices.Contains(notes, "edited") {
			drop(func(old card) bool { return old.to == c.to })
		}
		cards = append(cards, c)
	}
	var seen []chattest.Seen
	for _, c := range cards {
		if c.to == user || c.In != "" {
			seen = append(seen, c.Seen)
		}
	}
	return seen
}

// inside returns the words inside a card's borders.
func inside(s string) string {
	var words []string
	for l := range strings.Lines(s) {
		if _, l, ok := strings.Cut(l, "│ "); ok {
			words = append(words, strings.Fields(strings.TrimSuffix(l, " │\n"))...)
		}
	}
	return strings.Join(words, " ")
}

func TestConformance(t *testing.T) {
	chattest.Run(t, func(t *testing.T) chattest.Harness {
		c, s := sit(t, Config{Live: true, Width: 80, Dir: t.TempDir(), People: []Person{{ID: "ann", Name: "Ann"}, {ID: "bob", Name: "Bob"}}})
		t.Cleanup(func() { checkFrames(t, s.String(), 80) })
		return chattest.Harness{
			Adapter: c, User: "ann", Other: "bob", Channel: "#floor", Gone: "carl",
			Can: chattest.Capabilities{Forms: true, SecretForms: true, Edit: true, Confirm: true},
			Do:  s.do, Sees: s.sees,
		}
	})
}

// checkFrames checks that every border is where it belongs, and that nothing
// got through that drives a terminal.
func checkFrames(t *testing.T, out string, width int) {
	t.Helper()
	card := false
	for l := range strings.Lines(out) {
		l = strings.TrimSuffix(l, "\n")
		card = card || strings.HasPrefix(l, "╭")
		if w := chat.Width(l); card && w != width || w > width {
			t.Errorf("a line has %d columns, not %d: %q", w, width, l)
		}
		if card && !strings.ContainsAny(l[len(l)-3:], "╮│┤╯") {
			t.Errorf("a line has no border: %q", l)
		}
		card = card && !strings.HasPrefix(l, "╰")
		if chat.Clean(l) != l {
			t.Errorf("a line drives the terminal: %q", l)
		}
	}
}
