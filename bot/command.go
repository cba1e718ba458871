package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"floorwalker/bot/chat"
)

// A handler answers a request. What it returns cannot be forgotten or sent
// twice, and its errors are explained in one place.
type handler func(*Bot, context.Context, *request) (chat.Reply, error)

// A command is a line of the command table. Buttons and forms name one too: a
// press is a command that is pressed, with the same words and the same rights.
type command struct {
	name    string
	summary string
	usage   string // what follows the name, for help
	group   string // the heading that it stands under there
	who     role
	options []chat.Option
	form    bool // may answer with a form
	sub     []command
	free    bool // words that name no subcommand are the command's own
	run     handler
}

// commandTable is everything that people can say to the bot.
func commandTable() []command {
	return []command{
		{name: "mystats", summary: "Your own numbers, for you alone", group: "Your numbers", usage: "[today|shift|week|raw|help]", run: (*Bot).mystats,
			options: []chat.Option{{Name: "view", Summary: "What to show; today if left out", Choices: views()}}},
		{name: "floor", summary: "Link your account, and everything else", run: (*Bot).help, sub: []command{
			{name: "help", summary: "What you can do here", group: "Your account", run: (*Bot).help},
			{name: "link", summary: "Connect your dashboard account", group: "Your account", run: (*Bot).link, form: true},
			{name: "unlink", summary: "Delete what is stored about you", group: "Your account", run: (*Bot).unlink},
			{name: "whoami", summary: "Who I think you are", group: "Your account", run: (*Bot).whoami},
			{name: "export", summary: "Everything stored about you, as a file", group: "Your account", run: (*Bot).export},
			{name: "team", summary: "Your team now, those first who need a look", group: "Your team", usage: "[name] | add|remove @user TEAM", who: supervisor, run: (*Bot).teamTable, free: true, sub: []command{
				{name: "show", summary: "Your team now, those first who need a look", usage: "[name]", who: supervisor, run: (*Bot).teamTable, options: teamOption()},
				{name: "add", summary: "Put somebody into a team", usage: "@user TEAM", who: supervisor, run: (*Bot).teamAdd, options: memberOptions()},
				{name: "remove", summary: "Take somebody out of a team", usage: "@user TEAM", who: supervisor, run: (*Bot).teamRemove, options: memberOptions()},
			}},
			{name: "digest", summary: "Shift summaries: when, what, or at once", group: "Your team", usage: "list|preview|now [TEAM/NAME]", who: supervisor, run: (*Bot).digestList, sub: []command{
				{name: "list", summary: "When each digest is due", who: supervisor, run: (*Bot).digestList},
				{name: "preview", summary: "A digest as it would be now, for you alone", who: supervisor, run: (*Bot).digestPreview, options: digestOption()},
				{name: "now", summary: "Post a digest now", who: supervisor, run: (*Bot).digestNow, options: digestOption()},
			}},
			{name: "alerts", summary: "What fires now", group: "Alerts", usage: "[N]", run: (*Bot).alerts},
			{name: "ack", summary: "Take an alert in hand for an hour", group: "Alerts", usage: "N", who: supervisor, run: (*Bot).ack,
				options: []chat.Option{{Name: "number", Summary: "The alert's number, or several: 12-15,18", Required: true}}},
			{name: "silence", summary: "Keep alerts silent: of a rule, @agent, RULE@agent or a number", group: "Alerts", usage: "WHAT 1h|shift|until 08:00 [comment]", who: supervisor,
				run: (*Bot).silence, options: []chat.Option{
					{Name: "what", Summary: "A rule, @agent, RULE@agent or an alert's number", Required: true, Complete: true},
					{Name: "for", Summary: "1h, shift or until 08:00", Required: true},
					{Name: "comment", Summary: "Why"},
				}},
			{name: "silences", summary: "What is silent, and until when", group: "Alerts", who: supervisor, run: (*Bot).silencesList},
			{name: "unsilence", summary: "End a silence", group: "Alerts", usage: "N", who: supervisor, run: (*Bot).unsilence,
				options: []chat.Option{{Name: "number", Summary: "The silence's number", Required: true}}},
			{name: "quiet", summary: "Your own quiet hours", group: "Alerts", usage: "22:00-07:00 [days]|off|show", who: supervisor, run: (*Bot).quiet,
				options: []chat.Option{{Name: "hours", Summary: "22:00-07:00, off or show"}, {Name: "days", Summary: "Such as mon-fri; every day if left out"}}},
			{name: "test", summary: "Send me a test alert", group: "Alerts", who: supervisor, run: (*Bot).testAlert},
			{name: "status", summary: "How the bot is doing", group: "Administration", who: admin, run: (*Bot).status},
			{name: "audit", summary: "Who did what", group: "Administration", who: admin, run: (*Bot).audit},
		}},
	}
}

func memberOptions() []chat.Option {
	return []chat.Option{
		{Name: "user", Summary: "Who", Kind: chat.OptionPerson, Required: true},
		{Name: "team", Summary: "Which team", Required: true, Complete: true},
	}
}

func teamOption() []chat.Option {
	return []chat.Option{{Name: "team", Summary: "Which team; may be left out if you have only one", Complete: true}}
}

func digestOption() []chat.Option {
	return []chat.Option{{Name: "digest", Summary: "TEAM/NAME; may be left out if there is only one", Complete: true}}
}

// views are the words that /mystats knows.
func views() []chat.Choice {
	return []chat.Choice{
		{Label: "Today", Value: "today"}, {Label: "This shift", Value: "shift"}, {Label: "This week", Value: "week"},
		{Label: "The raw payload", Value: "raw"}, {Label: "What the numbers mean", Value: "help"},
	}
}

// offer returns the command as networks offer it. Every answer is private.
func (c command) offer() chat.Command {
	out := chat.Command{Name: c.name, Summary: c.summary, Private: true, Form: c.form, Options: c.options}
	for _, s := range c.sub {
		out.Sub = append(out.Sub, s.offer())
	}
	return out
}

// A role is what somebody may do. The roles are not a ladder: an administrator
// is not by that a supervisor.
type role int

const (
	anyone     role = iota // the person asks about themselves only
	supervisor             // of at least one team
	admin
)

// may reports whether the person has the role.
func (r *request) may(who role) bool {
	switch who {
	case anyone:
		return true
	case supervisor:
		return len(r.config.supervises(r.From)) > 0 || r.config.isAdmin(r.From)
	case admin:
		return r.config.isAdmin(r.From)
	}
	return false
}

// route finds the handler of a request and the command's name for the log, and
// leaves the words that remain in r.args. Text is never logged: people paste
// secrets into it.
func (b *Bot) route(r *request) (string, handler) {
	switch r.Kind {
	case chat.KindAction:
		r.Command, r.Text = r.Action.ID, r.Action.Value
	case chat.KindForm:
		r.Command, r.Text = r.Form, r.Value
	case chat.KindHome:
		r.Command, r.Text = homePage, ""
	}
	if looksSecret(r.Text) && looksSecret(r.config.withoutNames(r.Text)) {
		return "secret", refuseSecret
	}
	words, err := splitWords(r.Text)
	if err != nil {
		return "unreadable", func(*Bot, context.Context, *request) (chat.Reply, error) { return chat.Reply{}, err }
	}
	r.args = words
	if r.Command == homePage && (r.Kind == chat.KindHome || r.Kind == chat.KindAction) {
		return b.routeHome(r)
	}
	return b.descend(r, b.commands, r.Command, "")
}

// descend finds the command called name among cs, and goes on with its
// subcommands as long as the words name one.
func (b *Bot) descend(r *request, cs []command, name, path string) (string, handler) {
	i := slices.IndexFunc(cs, func(c command) bool { return c.name == name })
	if i < 0 {
		return "unknown", func(*Bot, context.Context, *request) (chat.Reply, error) {
			return chat.Reply{}, unknownCommand(r, cs, name, path)
		}
	}
	c := cs[i]
	path = strings.TrimSpace(path + " " + c.name)
	if !r.may(c.who) {
		return path, func(*Bot, context.Context, *request) (chat.Reply, error) {
			return chat.Reply{}, notAllowed(r, path, c.who)
		}
	}
	if len(c.sub) > 0 && len(r.args) > 0 {
		word := strings.ToLower(r.args[0])
		if !c.free || slices.ContainsFunc(c.sub, func(s command) bool { return s.name == word }) {
			r.args = r.args[1:]
			return b.descend(r, c.sub, word, path)
		}
	}
	return path, c.run
}

func unknownCommand(r *request, cs []command, name, path string) error {
	help := r.config.typed(r.From.Network, "floor", "help")
	var names []string
	for _, c := range cs {
		if r.may(c.who) {
			names = append(names, c.name)
		}
	}
	if view, own := ownNumbers(name); own && path == "floor" {
		return &problem{text: fmt.Sprintf("I don't know “%s”.", cut(name, 30)), next: didYouMean(r.config.typed(r.From.Network, "mystats", view))}
	}
	if near := nearest(name, names); near != "" {
		command, rest, _ := strings.Cut(strings.TrimSpace(path+" "+near), " ")
		return &problem{
			text: fmt.Sprintf("I don't know “%s”.", cut(name, 30)),
			next: chat.Join(chat.T("Did you mean "), chat.Code(r.config.typed(r.From.Network, command, rest)),
				chat.T("? "), chat.Code(help), chat.T(" lists everything.")),
		}
	}
	return &problem{
		text: fmt.Sprintf("I don't know “%s”.", cut(name, 30)),
		next: chat.Join(chat.Code(help), chat.T(" lists what you can do.")),
	}
}

// ownNumbers reports whether a word asks for one's own numbers, and which view of
// them: people put it behind the wrong one of two commands.
func ownNumbers(word string) (view string, own bool) {
	if word == "mystats" || word == "stats" {
		return "", true
	}
	return word, slices.ContainsFunc(views(), func(v chat.Choice) bool { return v.Value == word })
}

func notAllowed(r *request, path string, who role) error {
	first, rest, _ := strings.Cut(path, " ")
	whose := "supervisors of a team"
	if who == admin {
		whose = "administrators"
	}
	return &problem{
		text: fmt.Sprintf("%s is for %s.", r.config.typed(r.From.Network, first, rest), whose),
		next: chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "help")), chat.T(" lists what you can do.")),
	}
}

// noMore returns an error if words are left.
func (r *request) noMore() error {
	if len(r.args) == 0 {
		return nil
	}
	return &problem{
		text: fmt.Sprintf("I don't know what to do with “%s”.", cut(r.args[0], 30)),
		next: chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "help")), chat.T(" lists what you can type.")),
	}
}

// splitWords splits at white space; double quotes, straight or curly, keep words
// together.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	quoted, inWord := false, false
	for _, r := range s {
		switch {
		case strings.ContainsRune(`"“”„`, r):
			quoted, inWord = !quoted, true
		case !quoted && strings.ContainsRune(" \t\r\n\u00a0", r):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quoted {
		return nil, &problem{text: "A quotation mark is open in that command.", next: chat.T("Close it and try again.")}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// help lists what this person may do.
func (b *Bot) help(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	m := chat.Message{Title: "What you can do", Private: true}
	var groups []string
	lines := map[string][]chat.Text{}
	add := func(c command, parent string) {
		if !r.may(c.who) {
			return
		}
		if lines[c.group] == nil {
			groups = append(groups, c.group)
			lines[c.group] = []chat.Text{chat.Strong(c.group)}
		}
		lines[c.group] = append(lines[c.group], helpLine(r, c, parent))
	}
	for _, c := range b.commands {
		if len(c.sub) == 0 {
			add(c, "")
		}
		for _, s := range c.sub {
			add(s, c.name)
		}
	}
	for _, group := range groups {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Lines(lines[group]...)})
	}
	m.Footer = chat.T("Answers are for you alone. Your credentials are kept encrypted and shown to nobody.")
	m.Actions = []chat.Action{{ID: "mystats", Label: "My numbers"}}
	return chat.Show(m), nil
}

func helpLine(r *request, c command, parent string) chat.Text {
	typed := r.config.typed(r.From.Network, c.name, c.usage)
	if parent != "" {
		typed = r.config.typed(r.From.Network, parent, strings.TrimSpace(c.name+" "+c.usage))
	}
	return chat.Join(chat.Code(typed), chat.T("  "+c.summary))
}
