// Package console is a chat network in a terminal: for the demo, for trying the
// bot out where no other network is set up, and for scripts.
//
// One person sits at it and plays one persona at a time. A line that begins with
// a slash is a command; "as NAME" changes the persona, a bare number presses
// that button of the persona's last card, "wait 30s" lets time pass, "quit"
// leaves. Answers are cards in box-drawing characters that stand for what a chat
// network would show: a card says who reads it, and what takes the place of an
// earlier card says "updated", because a terminal cannot take back what it has
// printed.
//
// On a terminal there is line editing with a history, forms ask for one field
// at a time and do not echo secrets, and what the bot sends appears as it comes.
// With piped input what the bot sends appears only at "wait", so that a script's
// output does not depend on chance, and an answer is complete before the next
// line is read.
//
// An address is console:asha, or console:#support for a channel. Everything that
// is shown is cleaned of control characters: no name can drive the terminal.
package console

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"floorwalker/bot/chat"
)

// Config says who is at the console. Only In and Out are required.
type Config struct {
	In  io.Reader
	Out io.Writer

	// People are the personas, in the order in which they are offered. If there
	// are none, anybody with a simple name may be played.
	People []Person

	// Start is the id of the first persona: the first of People, or "you".
	Start string

	Color Color
	Width int // columns of a card, from 24 to 100; 0 = the terminal's, or 80

	// Live shows what the bot sends as it comes, as on a terminal, also if In
	// and Out are none.
	Live bool

	// Advance lets time pass for "wait": nil sleeps.
	Advance func(ctx context.Context, d time.Duration) error

	// Dir is where the files of messages are written; "" makes a folder among
	// the temporary ones at the first file.
	Dir string

	// Pictures writes each chart as a picture too, and says where it is.
	Pictures bool

	// Log is told of panics; nil discards them.
	Log *slog.Logger
}

// A Person is somebody who can be played.
type Person struct {
	ID   string // lower case, such as "asha"
	Name string // such as "Asha Rao"
	Zone string // an IANA name, "" if unknown
	Role string // a word for the list of personas, such as "supervisor"
}

// Color says whether cards have colours.
type Color int

// The ways to choose.
const (
	ColorAuto   Color = iota // on a terminal, unless NO_COLOR is set or TERM is dumb
	ColorAlways              // as said
	ColorNever               // as said
)

// A Console is the adapter. Make it with [New]. Run may be called once.
type Console struct {
	config Config
	in     input
	live   bool
	color  bool

	mu      sync.Mutex // guards what follows, and keeps cards whole
	out     io.Writer
	persona string
	waiting bool             // time passes, so posts are shown
	held    []*post          // posts that wait for that
	posts   []*post          // the latest, for Edit
	last    map[string]*post // by persona: the last card with buttons
	ids     int              // the last id given out
	dir     string           // for files; "" until the first
}

// New returns a console. It reads the environment to choose colours.
func New(c Config) *Console {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Advance == nil {
		c.Advance = sleep
	}
	if c.Start == "" {
		c.Start = "you"
		if len(c.People) > 0 {
			c.Start = c.People[0].ID
		}
	}
	k := &Console{config: c, out: c.Out, persona: c.Start, last: map[string]*post{}, dir: c.Dir, live: c.Live}
	in, _ := c.In.(*os.File)
	out, _ := c.Out.(*os.File)
	k.color = c.Color == ColorAlways || c.Color == ColorAuto && isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if isTerminal(in) && isTerminal(out) {
		t := newTerminal(in, out)
		k.in, k.out, k.live = t, t, true
	} else {
		k.in = newPipe(c.In)
	}
	return k
}

func isTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Network returns [chat.Console].
func (c *Console) Network() chat.Network { return chat.Console }

// Lookup returns a persona. If no people are configured, everybody exists.
func (c *Console) Lookup(ctx context.Context, id string) (chat.Person, error) {
	p, ok := c.person(id)
	if !ok {
		return chat.Person{}, fmt.Errorf("look up %q: %w", id, chat.ErrGone)
	}
	return chat.Person{Name: p.Name, Zone: p.Zone}, ctx.Err()
}

var simpleName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)

// person returns somebody who can be played.
func (c *Console) person(id string) (Person, bool) {
	if len(c.config.People) == 0 {
		return Person{ID: id, Name: id}, simpleName.MatchString(id)
	}
	i := slices.IndexFunc(c.config.People, func(p Person) bool { return p.ID == id })
	if i < 0 {
		return Person{}, false
	}
	return c.config.People[i], true
}

// Check reports that a terminal needs no set-up.
func (c *Console) Check(context.Context) []chat.Finding {
	return []chat.Finding{{Level: chat.LevelOK, Check: "console", Message: "The console needs no set-up."}}
}

// width returns the columns of a card.
func (c *Console) width() int {
	w := c.config.Width
	if w == 0 {
		w = 80
		if t, ok := c.in.(*terminal); ok {
			w = t.width()
		}
	}
	return min(max(w, narrowest), widest)
}

// print shows lines. Called with mu held. A failing terminal is noticed at the
// next line that is read from it, so the error is not kept.
func (c *Console) print(lines []line) {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.paint(c.color) + "\n")
	}
	io.WriteString(c.out, b.String())
}

// say shows a sentence of the console itself.
func (c *Console) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.print(wrap([]run{{chat.Clean(fmt.Sprintf(format, args...)), dim}}, c.width()))
}
