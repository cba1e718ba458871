package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// answerTime is how long an answer may take, its Then included.
const answerTime = 2 * time.Minute

// A talk is one Run: the loop that reads lines and serves them one by one.
type talk struct {
	*Console
	app   chat.App
	pool  *chat.Pool
	start string // of request ids: they stay unique when a database outlives the console
	count int
}

// Run serves the console until ctx is done, the input ends or somebody quits;
// it returns nil then. A read from the input that is under way when ctx ends
// goes on in the background until there is a line, because nothing can stop it.
func (c *Console) Run(ctx context.Context, app chat.App) error {
	t := &talk{Console: c, app: app, start: rand.Text()[:8]}
	t.pool = chat.NewPool(chat.PoolConfig{Running: 1, Timeout: answerTime})
	defer t.pool.Drain()
	if tty, ok := c.in.(*terminal); ok {
		defer tty.restore()
		t.say("You are %s. Type %s or “help”.", t.who(), strings.Join(t.commands(), ", "))
	}
	for {
		s, err := t.read(ctx, func() (string, error) { return c.in.line(t.prompt()) })
		switch {
		case errors.Is(err, errLongLine):
			t.say("%v.", err)
		case errors.Is(err, io.EOF) || ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("console: %w", err)
		case !t.line(ctx, strings.TrimSpace(chat.Clean(s))):
			return nil
		}
	}
}

// read reads from the input until ctx is done.
func (t *talk) read(ctx context.Context, from func() (string, error)) (string, error) {
	if ctx.Err() != nil {
		return "", ctx.Err() // an earlier read may still be under way
	}
	type result struct {
		s   string
		err error
	}
	got := make(chan result, 1)
	go func() {
		s, err := from()
		got <- result{s, err}
	}()
	select {
	case r := <-got:
		return r.s, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// recover tells the person that there will be no answer. The pool would survive
// the panic too, but say so only after the next line is read.
func (t *talk) recover() {
	if value := recover(); value != nil {
		t.config.Log.Error("panic in a request", "value", value, "stack", string(debug.Stack()))
		t.say("Something went wrong on my side; the log says what.")
	}
}

func (t *talk) prompt() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return text(t.persona+"> ", bold).paint(t.color)
}

// who describes the persona.
func (t *talk) who() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, _ := t.person(t.persona)
	return describe(p)
}

// describe returns "asha (Asha Rao, agent)".
func describe(p Person) string {
	notes := slices.DeleteFunc([]string{p.Name, p.Role}, func(s string) bool { return s == "" || s == p.ID })
	if len(notes) == 0 {
		return p.ID
	}
	return p.ID + " (" + strings.Join(notes, ", ") + ")"
}

// commands returns the names that people can type, with their slash.
func (t *talk) commands() []string {
	var names []string
	for _, c := range t.app.Commands() {
		names = append(names, "/"+c.Name)
	}
	return names
}

// line serves one line and reports whether to go on.
func (t *talk) line(ctx context.Context, s string) bool {
	word, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	number, err := strconv.Atoi(word)
	switch {
	case s == "":
	case s == "quit" || s == "exit":
		return false
	case s == "help" || s == "?":
		t.help()
	case word == "as":
		t.as(rest)
	case word == "wait":
		t.wait(ctx, rest)
	case err == nil && rest == "":
		t.press(ctx, number)
	case strings.HasPrefix(word, "#") && strings.HasPrefix(rest, "/"):
		t.command(ctx, rest, chat.Address{Network: chat.Console, ID: word})
	case strings.HasPrefix(word, "/"):
		t.command(ctx, s, chat.Address{})
	default:
		t.say("A command begins with a slash, such as %s. “help” lists what else there is.", strings.Join(t.commands(), " or "))
	}
	return true
}

// described is how many people help says more of than their names.
const described = 4

func (t *talk) help() {
	names := "any simple name"
	if len(t.config.People) > 0 {
		var people []string
		for i, p := range t.config.People {
			if i < described {
				people = append(people, describe(p))
			} else {
				people = append(people, p.ID)
			}
		}
		names = strings.Join(people, ", ")
	}
	t.say("/command     one of %s; in a channel: #channel /command", strings.Join(t.commands(), ", "))
	t.say("1, 2, …      press that button of your last card")
	t.say("as NAME      be somebody else: %s", chat.Clip(names, 400, nil))
	t.say("wait 30s     let time pass; what the bot sends appears")
	t.say("quit         leave")
}

func (t *talk) as(name string) {
	p, ok := t.person(name)
	if !ok {
		p, ok = t.person(strings.ToLower(name))
	}
	if !ok {
		var ids []string
		for _, p := range t.config.People {
			ids = append(ids, p.ID)
		}
		if len(ids) == 0 {
			t.say("Write as NAME, where the name is of lower-case letters and digits.")
			return
		}
		t.say("There is no %q here. You can be %s.", name, strings.Join(ids, ", "))
		return
	}
	t.mu.Lock()
	t.persona = p.ID
	t.mu.Unlock()
	t.say("You are now %s.", describe(p))
}

// wait lets time pass. What was sent meanwhile, and before, is shown.
func (t *talk) wait(ctx context.Context, how string) {
	d, err := time.ParseDuration(how)
	if err != nil || d <= 0 {
		t.say("How long? Write for example: wait 30s")
		return
	}
	t.mu.Lock()
	t.waiting = true
	for _, p := range t.held {
		t.show(p)
	}
	t.held = nil
	t.mu.Unlock()
	err = t.config.Advance(ctx, d)
	t.mu.Lock()
	t.waiting = false
	t.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		t.say("Time did not pass as it should: %v", err)
	}
}

// request returns a request of the persona.
func (t *talk) request(kind chat.Kind) chat.Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	p, _ := t.person(t.persona)
	return chat.Request{
		ID: fmt.Sprintf("%s-%d", t.start, t.count), Kind: kind, From: chat.Address{Network: chat.Console, ID: t.persona},
		Name: p.Name, At: time.Now(), SecretForms: true,
	}
}

// command serves a line such as "/mystats week".
func (t *talk) command(ctx context.Context, s string, in chat.Address) {
	word, rest, _ := strings.Cut(s, " ")
	if !slices.Contains(t.commands(), word) {
		t.say("There is no %s here. You can type %s.", chat.Clip(word, 40, nil), strings.Join(t.commands(), ", "))
		return
	}
	r := t.request(chat.KindCommand)
	r.In, r.Command, r.Text = in, word[1:], t.mentions(strings.TrimSpace(rest))
	t.serve(ctx, r, nil)
}

var mention = regexp.MustCompile(`(^|[^<])@([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)`)

// mentions returns the text with @name as <@console:name>, for people who exist.
func (t *talk) mentions(s string) string {
	return mention.ReplaceAllStringFunc(s, func(m string) string {
		before, name, _ := strings.Cut(m, "@")
		if _, ok := t.person(name); !ok {
			return m
		}
		return before + "<@" + chat.Address{Network: chat.Console, ID: name}.String() + ">"
	})
}

// press presses a button of the persona's last card.
func (t *talk) press(ctx context.Context, number int) {
	p := t.pressable()
	switch {
	case p == nil:
		t.say("There is no card with buttons for you yet.")
		return
	case number < 1 || number > len(p.message.Actions):
		t.say("The last card has buttons 1 to %d.", len(p.message.Actions))
		return
	}
	a := p.message.Actions[number-1]
	if a.URL != "" {
		t.say("Open %s in a browser.", a.URL)
		return
	}
	if a.Confirm != nil && !t.confirmed(ctx, a.Confirm) {
		return
	}
	r := t.request(chat.KindAction)
	r.In, r.Ref, r.Action = p.in, p.ref, chat.Action{ID: a.ID, Value: a.Value}
	if !a.Replace {
		p = nil
	}
	t.serve(ctx, r, p)
}

// confirmed asks before an action counts.
func (t *talk) confirmed(ctx context.Context, q *chat.Confirm) bool {
	t.mu.Lock()
	t.print(drawCard("please confirm", chat.Fit(chat.Message{
		Title: q.Title, Tone: chat.Warning, Blocks: []chat.Block{chat.Paragraph{Text: chat.T(q.Text)}},
	}, limits(t.width())), nil, t.width()))
	t.mu.Unlock()
	yes, no := chat.OneLine(q.Yes), chat.OneLine(q.No)
	s, err := t.read(ctx, func() (string, error) {
		return t.in.line(fmt.Sprintf("yes = %s, anything else = %s: ", yes, no))
	})
	s = strings.ToLower(strings.TrimSpace(s))
	if err == nil && (s == "y" || s == "yes" || s == strings.ToLower(yes)) {
		return true
	}
	t.say("Nothing was done.")
	return false
}

// serve answers a request, and then the forms that this leads to. What it shows
// takes the place of a post, if one is given.
func (t *talk) serve(ctx context.Context, r chat.Request, on *post) {
	form := t.answer(ctx, r, on)
	for form != nil {
		values, err := t.fill(ctx, *form)
		if err != nil {
			t.say("Nothing was sent.")
			return
		}
		next := t.request(chat.KindForm)
		next.In, next.Form, next.Value, next.Values = r.In, form.ID, form.Value, values
		form = t.answer(ctx, next, nil)
	}
}

// answer has the app answer a request, shows each message, and returns the form
// if the answer is one. It returns when the answer is complete.
func (t *talk) answer(ctx context.Context, r chat.Request, on *post) *chat.Form {
	var form *chat.Form
	done := make(chan struct{})
	accepted := t.pool.Go(func(ctx context.Context) {
		defer close(done)
		defer t.recover()
		err := chat.Answer(ctx, t.app, r, func(_ context.Context, reply chat.Reply) error {
			if reply.Form != nil {
				form = reply.Form
			} else if reply.Message != nil { // which may replace the answer when nobody waits for that any more
				on = t.reply(r, *reply.Message, on)
			}
			return nil
		})
		if errors.Is(err, context.DeadlineExceeded) {
			t.say("There was no answer in time.")
		}
	})
	if !accepted {
		return nil
	}
	select {
	case <-done:
	case <-ctx.Done():
		t.pool.Drain()
	}
	return form
}

// fill asks for the values of a form, one field at a time.
func (t *talk) fill(ctx context.Context, f chat.Form) (map[string]secret.Secret, error) {
	t.mu.Lock()
	t.print(drawForm(t.persona, f, t.width()))
	t.mu.Unlock()
	values := map[string]secret.Secret{}
	for _, in := range f.Fields {
		v, err := t.field(ctx, in)
		if err != nil {
			return nil, err
		}
		values[in.Name] = secret.New(v)
	}
	return values, nil
}

// field asks for one value; on a terminal again, if it is needed.
func (t *talk) field(ctx context.Context, in chat.Input) (string, error) {
	from, prompt := t.in.line, chat.OneLine(in.Label)
	switch {
	case in.Secret:
		from, prompt = t.in.secret, prompt+" (not shown)"
	case in.Value != "":
		prompt += " [" + chat.Clip(chat.OneLine(in.Value), 40, nil) + "]"
	}
	_, typed := t.in.(*terminal)
	for {
		s, err := t.read(ctx, func() (string, error) { return from(prompt + ": ") })
		if err != nil {
			return "", err
		}
		if s == "" && !in.Secret {
			s = in.Value
		}
		if s != "" || in.Optional || !typed {
			return s, nil
		}
	}
}
