package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"floorwalker/bot/chat"
)

// A bot is an App that answers with the cards of this package's tests.
type bot struct {
	c        *Console
	requests []chat.Request
	handle   func(context.Context, chat.Request) (chat.Reply, error) // nil for the cards
}

func (*bot) Commands() []chat.Command {
	return []chat.Command{{Name: "mystats", Private: true}, {Name: "floor", Private: true}}
}

func (*bot) Complete(context.Context, chat.Request, string) []chat.Choice { return nil }
func (*bot) Event(context.Context, chat.Event)                            {}

func (b *bot) Handle(ctx context.Context, r chat.Request) (chat.Reply, error) {
	b.requests = append(b.requests, r)
	if b.handle != nil {
		return b.handle(ctx, r)
	}
	switch r.Command + r.Form + r.Action.ID + " " + r.Text {
	case "mystats ":
		return chat.Show(stats()), nil
	case "floor alert":
		b.send(ctx, "meera", alarm())
		b.send(ctx, "#support", digest())
		return chat.Show(chat.Message{Title: "Sent", Private: true}), nil
	case "floor link":
		return chat.Ask(linkForm()), nil
	case "link ":
		if r.Values["user"].Reveal() == "" {
			f := linkForm()
			f.Errors = map[string]string{"user": "Your user id is a number."}
			return chat.Ask(f), nil
		}
		checking := chat.Message{Title: "Checking…", Private: true}
		return chat.Reply{Message: &checking, Then: func(context.Context) (chat.Reply, error) {
			return chat.Show(chat.Message{Title: "You are linked", Tone: chat.Good, Private: true}), nil
		}}, nil
	case "floor public":
		return chat.Show(chat.Message{Title: "For all to see"}), nil
	case "floor export":
		return chat.Show(chat.Message{Title: "Your data", Private: true, Files: []chat.File{{Name: "my data.json", Data: []byte("{}")}}}), nil
	case "floor boom":
		panic("boom")
	}
	title := fmt.Sprintf("%s%s%s %s by %s", r.Command, r.Action.ID, r.Action.Value, r.Text, r.From.ID)
	return chat.Show(chat.Message{Title: title, Private: true}), nil
}

// send sends a message with the answer to a request, which no real bot does; so
// a script knows when it comes.
func (b *bot) send(ctx context.Context, to string, m chat.Message) chat.Ref {
	ref, err := b.c.Send(ctx, chat.Outgoing{To: chat.Address{Network: chat.Console, ID: to}, Message: m, Key: "k"})
	if err != nil {
		panic(err)
	}
	return ref
}

func linkForm() chat.Form {
	return chat.Form{
		ID: "link", Title: "Link your account", Submit: "Save", Intro: chat.T("It is kept sealed."),
		Fields: []chat.Input{{Name: "user", Label: "User id", Hint: "a number"}, {Name: "token", Label: "Token", Secret: true}, {Name: "ssid", Label: "Session", Secret: true, Optional: true}},
	}
}

var people = []Person{{"asha", "Asha Rao", "Asia/Kolkata", "agent"}, {"meera", "Meera Iyer", "Asia/Kolkata", "supervisor"}, {ID: "nobody", Role: "not linked"}}

// script runs a console over piped lines and returns what it printed.
func script(t *testing.T, b *bot, c Config, lines ...string) string {
	t.Helper()
	var out bytes.Buffer
	c.In, c.Out = strings.NewReader(strings.Join(lines, "\n")), &out
	if c.People == nil {
		c.People = people
	}
	if c.Advance == nil {
		c.Advance = func(context.Context, time.Duration) error { return nil }
	}
	b.c = New(c)
	if err := b.c.Run(t.Context(), b); err != nil {
		t.Errorf("Run: %v", err)
	}
	return out.String()
}

func TestPiped(t *testing.T) {
	var logged bytes.Buffer
	out := script(t, &bot{}, Config{Log: slog.New(slog.NewTextHandler(&logged, nil))},
		"", "/mystats", "3", "no", "3", "yes", "4", "9", "1", "1",
		"as nobody", "1", "as Meera", "/floor alert", "1", "wait 30s", "1", "2",
		"as asha", "1", "#support /floor public", "/floor public",
		"/floor link", "", "s3cret-1", "", "4711", "s3cret-2", "",
		"/floor boom", "/nonsense", "hello", "as carl", "as", "wait", "wait -3s", "?", "/floor link", "cut off")
	if strings.Contains(out, "s3cret") || strings.Contains(logged.String(), "s3cret") {
		t.Error("a secret is shown or logged")
	}
	if strings.Contains(out, "\x1b") {
		t.Error("piped output has colours")
	}
	if !strings.Contains(logged.String(), "boom") || !strings.Contains(logged.String(), "talk_test.go") {
		t.Errorf("the log does not say where it broke: %s", logged.String())
	}
	golden(t, "piped.txt", out)
}

func TestRequests(t *testing.T) {
	b := &bot{}
	script(t, b, Config{}, "  /mystats   week  ", `/floor silence missed-burst@asha 1h "by @meera, not @carl"`, "#support /floor alerts", "/floor x <@console:asha> a@b.example", "as nobody", "/mystats")
	var got []string
	for _, r := range b.requests {
		got = append(got, strings.Join([]string{r.From.String(), r.Name, r.In.String(), r.Command, r.Text}, "|"))
		if r.ID == "" || r.At.IsZero() || !r.SecretForms || r.Kind != chat.KindCommand {
			t.Errorf("not a request: %+v", r)
		}
	}
	want := []string{
		"console:asha|Asha Rao||mystats|week",
		`console:asha|Asha Rao||floor|silence missed-burst<@console:asha> 1h "by <@console:meera>, not @carl"`,
		"console:asha|Asha Rao|console:#support|floor|alerts",
		"console:asha|Asha Rao||floor|x <@console:asha> a@b.example",
		"console:nobody|||mystats|",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	again := &bot{}
	script(t, again, Config{}, "/mystats")
	if again.requests[0].ID == b.requests[0].ID {
		t.Error("two runs use the same request ids, which a database may remember")
	}
}

func TestPressIsOnTheLatestThatOneSees(t *testing.T) {
	b := &bot{}
	b.handle = func(ctx context.Context, r chat.Request) (chat.Reply, error) {
		if r.Kind == chat.KindCommand {
			b.send(ctx, r.Text, chat.Message{Title: "to " + r.Text, Actions: []chat.Action{{ID: "of " + r.Text, Label: "Press"}}})
		}
		return chat.Show(chat.Message{Title: "done"}), nil
	}
	script(t, b, Config{Live: true}, "/floor #support", "1", "/floor asha", "1", "/floor meera", "1", "/floor #support", "1", "as meera", "1")
	var pressed []string
	for _, r := range b.requests {
		if r.Kind == chat.KindAction {
			pressed = append(pressed, r.Action.ID)
			if (r.In.ID == "#support") != (r.Action.ID == "of #support") {
				t.Errorf("the press of %q came from %v", r.Action.ID, r.In)
			}
		}
	}
	want := []string{"of #support", "of asha", "of asha", "of #support", "of #support"}
	if diff := cmp.Diff(want, pressed); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAnybodyMayBePlayed(t *testing.T) {
	b := &bot{}
	out := script(t, b, Config{People: []Person{}}, "/mystats", "as li-2", "/floor hi @bo <@console:bo>", "as Not Simple", "as ")
	if len(b.requests) != 2 || b.requests[0].From.ID != "you" || b.requests[1].From.ID != "li-2" || b.requests[1].Text != "hi <@console:bo> <@console:bo>" {
		t.Errorf("the requests are %+v", b.requests)
	}
	if strings.Count(out, "Write as NAME") != 2 {
		t.Errorf("no word on what a name is:\n%s", out)
	}
}

// TestHelpNamesEverybody: a dozen people fit into the help.
func TestHelpNamesEverybody(t *testing.T) {
	var people []Person
	for id := range strings.FieldsSeq("asha meera dev nobody grace farhan anjali aoife imran harsh ritu nandini usha mei") {
		people = append(people, Person{ID: id, Name: "Somebody with a long name", Role: "agent"})
	}
	out := strings.Join(strings.Fields(script(t, &bot{}, Config{People: people}, "help")), " ")
	if !strings.Contains(out, "nobody (Somebody with a long name, agent), grace, farhan,") || !strings.Contains(out, "usha, mei wait 30s") {
		t.Errorf("help says\n%s", out)
	}
}

func TestPostsComeWithTime(t *testing.T) {
	b := &bot{}
	var during string
	var out bytes.Buffer
	b.c = New(Config{
		In: strings.NewReader("/mystats\nwait 1m\n/mystats week"), Out: &out, People: people,
		Advance: func(_ context.Context, d time.Duration) error {
			during = out.String()
			b.send(t.Context(), "asha", chat.Message{Title: fmt.Sprintf("after %v", d)})
			return nil
		},
	})
	ref := b.send(t.Context(), "meera", chat.Message{Title: "it burns"})
	if err := b.c.Edit(t.Context(), ref, chat.Message{Title: "the fire is out"}); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		t.Errorf("before any wait there is\n%s", out.String())
	}
	if err := b.c.Run(t.Context(), b); err != nil {
		t.Error(err)
	}
	s := out.String()
	if strings.Contains(s, "it burns") || strings.Contains(s, "edited") || !strings.Contains(during, "the fire is out") {
		t.Errorf("what was edited before it was shown is not shown once, as edited:\n%s", s)
	}
	stats, fire, after, week := strings.Index(s, "Calls offered"), strings.Index(s, "fire is out"), strings.Index(s, "after 1m0s"), strings.Index(s, "mystats week")
	if stats < 0 || fire < stats || after < fire || week < after {
		t.Errorf("the order is %d, %d, %d, %d:\n%s", stats, fire, after, week, s)
	}
	b.send(t.Context(), "asha", chat.Message{Title: "too late"})
	if strings.Contains(out.String(), "too late") {
		t.Error("a post appears after the wait")
	}
}

func TestWaitSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		c := New(Config{In: strings.NewReader("wait 30s"), Out: &out})
		start := time.Now()
		if err := c.Run(t.Context(), &bot{}); err != nil || time.Since(start) != 30*time.Second {
			t.Errorf("waited %v, error %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		in, typed := io.Pipe()
		c = New(Config{In: in, Out: &out})
		go io.WriteString(typed, "wait 5h\n")
		start = time.Now()
		if err := c.Run(ctx, &bot{}); err != nil || time.Since(start) != time.Second {
			t.Errorf("with a context of 1s it ran for %v, error %v", time.Since(start), err)
		}
		typed.Close()
	})
}

func TestNoAnswerInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bot{handle: func(ctx context.Context, _ chat.Request) (chat.Reply, error) {
			<-ctx.Done()
			return chat.Reply{}, ctx.Err()
		}}
		if out := script(t, b, Config{}, "/mystats"); !strings.Contains(out, "no answer in time") {
			t.Errorf("got\n%s", out)
		}
	})
}

func TestInput(t *testing.T) {
	b := &bot{}
	out := script(t, b, Config{}, "/mystats a\r", "/mystats "+strings.Repeat("x", longestLine), "/mystats \xff\x1b[2J", "quit", "/mystats after")
	if !strings.Contains(out, "longer than 64 KB") {
		t.Errorf("no word on the long line:\n%.500s", out)
	}
	if len(b.requests) != 2 || b.requests[0].Text != "a" || b.requests[1].Text != "\uFFFD [2J" {
		t.Errorf("the requests are %.300q", fmt.Sprint(b.requests))
	}
	broken := New(Config{In: iotest.ErrReader(errors.New("no light")), Out: io.Discard})
	if err := broken.Run(t.Context(), b); err == nil || !strings.Contains(err.Error(), "no light") {
		t.Errorf("a broken input: %v", err)
	}
}

func TestColor(t *testing.T) {
	for _, test := range []struct {
		how  Color
		want bool
	}{{ColorAuto, false}, {ColorNever, false}, {ColorAlways, true}} {
		out := script(t, &bot{}, Config{Color: test.how}, "/mystats")
		if got := strings.Contains(out, "\x1b["); got != test.want {
			t.Errorf("with %v into a pipe, colours: %v", test.how, got)
		}
	}
}

func TestFiles(t *testing.T) {
	c := New(Config{Out: io.Discard, In: strings.NewReader("")})
	first, err := c.save(chat.File{Name: "data.json", Data: []byte("1")})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(first)
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, test := range []struct{ name, want string }{
		{"data.json", "data-2.json"},
		{"../../etc/passwd", "etc_passwd"},
		{"..", "file"},
		{"", "file-2"},
		{".bashrc", "bashrc"},
		{"a\x00\x1b/b c.json", "a___b_c.json"},
		{strings.Repeat("x", 300) + ".csv", strings.Repeat("x", 96) + ".csv"},
	} {
		path, err := c.save(chat.File{Name: test.name, Data: []byte("2")})
		if err != nil || path != filepath.Join(dir, test.want) {
			t.Errorf("%q was written to %s (%v), want %s", test.name, path, err, test.want)
		}
	}
	info, err := os.Stat(first)
	if b, _ := os.ReadFile(first); err != nil || string(b) != "1" || info.Mode().Perm() != 0o600 {
		t.Errorf("the first file holds %q with mode %v", b, info.Mode())
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v %v", info.Mode(), err)
	}
	t.Chdir(dir)
	if out := script(t, &bot{}, Config{Dir: "."}, "/floor export"); !strings.Contains(out, "│ File my data.json is at my_data.json ") {
		t.Errorf("the card does not say where its file is:\n%s", out)
	}
	c.dir = filepath.Join(dir, "none")
	if s := line(c.file(chat.File{Name: "x"})).paint(false); !strings.Contains(s, "could not be written") {
		t.Errorf("a file that cannot be written: %s", s)
	}
}

func TestManyPostsAreForgotten(t *testing.T) {
	c := New(Config{In: strings.NewReader(""), Out: io.Discard, Live: true})
	b := &bot{c: c}
	first := b.send(t.Context(), "asha", help())
	second := b.send(t.Context(), "asha", help())
	for range rememberedPosts - 1 {
		b.send(t.Context(), "asha", help())
	}
	if err := c.Edit(t.Context(), first, help()); !errors.Is(err, chat.ErrGone) {
		t.Errorf("the oldest: %v, want ErrGone", err)
	}
	if err := c.Edit(t.Context(), second, help()); err != nil {
		t.Errorf("the oldest but one: %v", err)
	}
}

// TestPictures: where pictures are wanted, a chart is a file too.
func TestPictures(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	c := New(Config{In: strings.NewReader(""), Out: &out, Dir: dir, Pictures: true, Live: true, Color: ColorNever})
	m := chat.Message{Title: "day", Blocks: []chat.Block{chat.Chart{Labels: []string{"09", "10"}, Series: []chat.Series{{Name: "calls", Points: []chat.Point{{Value: 3}, {Value: 5}}}}}}}
	if _, err := c.Send(t.Context(), chat.Outgoing{To: chat.Address{Network: chat.Console, ID: "you"}, Message: m, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "chart.png"))
	if err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
		t.Errorf("no picture: %v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "chart.png") {
		t.Errorf("the card does not say where it is:\n%s", out.String())
	}
}
