// Floorwalker brings a contact centre's dashboard into chat: agents ask for
// their own numbers, teams read how a shift went, supervisors hear at once when
// a threshold is crossed.
//
// This file holds the commands: each parses its words, loads the configuration
// and calls one function. What serve and demo put together is in serve.go and
// demo.go, what administrators do in admin.go, clerk.go and office.go, the
// configuration in config.go. The tour of the program itself is the comment of
// package bot.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // the program brings its own zones: servers lack them or have old ones

	"github.com/spf13/cobra"
)

// Exit statuses: 0 done, 1 failed, 2 wrong use or configuration.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is an error that means exit status 2.
type usageError struct{ err error }

// Error returns the error's text.
func (u usageError) Error() string { return u.err.Error() }

// Unwrap returns the error.
func (u usageError) Unwrap() error { return u.err }

// run does what the command line says and returns the exit status. Errors go to
// s.err, one sentence a line.
func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(&program{streams: s})
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	running := false // cobra's own complaints come before a command runs
	root.PersistentPreRun = func(*cobra.Command, []string) { running = true }
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(s.err, text)
	}
	var faults Faults
	var usage usageError
	if !running || errors.As(err, &faults) || errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// A program is one run of floorwalker: its streams and the flags that all
// commands know.
type program struct {
	streams
	config string // --config
	json   bool   // --json, of the commands that have it
}

// newRoot makes the tree of commands.
func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "floorwalker",
		Short: "A contact centre's dashboard, in chat",
		Long: "Floorwalker answers agents who ask for their own numbers in Slack or Discord.\n" +
			"Try it without any set-up: floorwalker demo",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	flags := root.PersistentFlags()
	flags.StringVar(&p.config, "config", "", "configuration `file` (default config.yaml)")
	flags.String("log-level", "", "debug, info, warn or error (default info)")
	flags.String("log-format", "", "text or json (default text)")
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"To try it:", []*cobra.Command{p.demoCommand(), p.simCommand()}},
		{"To run it:", []*cobra.Command{p.checkCommand(), p.doctorCommand(), p.manifestCommand(), p.serveCommand()}},
		{"Agents:", []*cobra.Command{p.linkCommand(), p.importCommand(), p.linksCommand(), p.unlinkCommand(), p.statsCommand()}},
		{"What is sent, and who did what:", []*cobra.Command{p.digestCommand(), p.rulesCommand(), p.outboxCommand(), p.auditCommand()}},
		{"The database:", []*cobra.Command{p.backupCommand(), p.restoreCommand(), p.rekeyCommand()}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, c := range group.commands {
			c.GroupID = group.title
			root.AddCommand(c)
		}
	}
	root.AddCommand(p.versionCommand())
	return root
}

func (p *program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run the bot", Args: cobra.NoArgs,
		Long: "Serve runs the bot until it is interrupted, and makes the database and its key\n" +
			"where there are none. Meanwhile the other commands reach it through a socket\n" +
			"beside the database: run them as the same user, or as root. SIGHUP reloads the\n" +
			"configuration.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := p.load(cmd, true)
			if err != nil {
				return err
			}
			easeCollector()
			return serve(cmd.Context(), p.streams, cfg, log)
		},
	}
}

// easeCollector trades memory for processor time, unless the operator has decided
// on it: a watch round makes much garbage beside little that lasts, and with half
// the collections it takes a tenth less.
func easeCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}

func (p *program) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "The whole product in one process, on a simulated floor", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return demo(cmd.Context(), p.streams) },
	}
}

func (p *program) simCommand() *cobra.Command {
	var listen string
	var seed uint64
	var agents int
	cmd := &cobra.Command{
		Use: "sim", Short: "A simulated counters API, to try the bot against", Args: cobra.NoArgs,
		Long: "Sim prints its address, for dashboard.base_url, and for each of its agents a\n" +
			"line: user id, token, session id, name. Give --listen a port to find it there\n" +
			"again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return simulate(cmd.Context(), p.streams, simOptions{listen, seed, agents})
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "`host:port` to listen on")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "decides who works there and how")
	cmd.Flags().IntVar(&agents, "agents", 12, "how many agents")
	return cmd
}

func (p *program) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "check", Short: "Check the configuration and show what it means", Args: cobra.NoArgs,
		Long: "Check prints what is wrong with the configuration, line by line; or every\n" +
			"setting and where it comes from, the next digests, holidays, and how many\n" +
			"agents can be polled. It asks nobody: doctor does.",
		RunE: func(cmd *cobra.Command, _ []string) error { return p.check(cmd) },
	}
	p.addJSON(cmd)
	return cmd
}

func (p *program) doctorCommand() *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use: "doctor [USER]", Short: "Look for what is wrong with an installation", Args: cobra.MaximumNArgs(1),
		Long: "Doctor checks the configuration, the database and its key, the counters API, the\n" +
			"clock, tokens, scopes and people's ids. With USER, a linked address, it asks the\n" +
			"API for that user's counters.",
		RunE: func(cmd *cobra.Command, args []string) error {
			user := ""
			if len(args) > 0 {
				user = args[0]
			}
			return p.doctor(cmd, user, o)
		},
	}
	cmd.Flags().BoolVar(&o.post, "post", false, "send a short test message to every team's channels")
	cmd.Flags().BoolVar(&o.ready, "ready", false, "only ask the running serve whether it is ready")
	p.addJSON(cmd)
	cmd.AddCommand(p.learnCommand())
	return cmd
}

func (p *program) learnCommand() *cobra.Command {
	var o learnOptions
	cmd := &cobra.Command{
		Use: "learn USER", Short: "Watch a linked agent's numbers and say what they seem to mean", Args: one("which agent? floorwalker doctor learn slack:U0123456789 --for 30m"),
		RunE: func(cmd *cobra.Command, args []string) error { return p.learn(cmd, args[0], o) },
	}
	cmd.Flags().DurationVar(&o.period, "for", 30*time.Minute, "how long to watch")
	cmd.Flags().StringVar(&o.write, "write", "", "write the proposal to a new `file`")
	return cmd
}

func (p *program) linkCommand() *cobra.Command {
	var o linkOptions
	cmd := &cobra.Command{
		Use: "link USER", Short: "Connect a user's dashboard account", Args: one("which user? floorwalker link slack:U0123456789"),
		Long: "Link stores a user's credential after one live call has proven it. USER is an\n" +
			"address such as slack:U0123456789. On a terminal it asks for user id, token and\n" +
			"session id; piped, it reads lines user_id=…, token=…, ssid=… to the end.",
		RunE: func(cmd *cobra.Command, args []string) error { return p.link(cmd, args[0], o) },
	}
	cmd.Flags().StringVar(&o.name, "name", "", "the user's `name`, as cards and tables show it")
	cmd.Flags().StringArrayVar(&o.teams, "team", nil, "add the user to a `team`; may be repeated")
	cmd.Flags().BoolVar(&o.noVerify, "no-verify", false, "store the credential without asking the dashboard")
	return cmd
}

func (p *program) importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use: "import FILE.csv", Short: "Link many users from a file", Args: one("which file? floorwalker import agents.csv"),
		Long: "Import reads a CSV file whose first line names its columns, in any order: user,\n" +
			"user_id, token, ssid, name, team. - is standard input. Every credential is\n" +
			"verified by one call; nothing is stored without --apply, and then all or\n" +
			"nothing.",
		Example: "  user,user_id,token,name,team\n" +
			"  slack:U0123456789,100213,8bcc562d…,Asha Rao,support",
		RunE: func(cmd *cobra.Command, args []string) error { return p.importFile(cmd, args[0], o) },
	}
	cmd.Flags().BoolVar(&o.apply, "apply", false, "store the links; without it this only checks")
	cmd.Flags().BoolVar(&o.noVerify, "no-verify", false, "do not ask the dashboard")
	return cmd
}

func (p *program) linksCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "links", Short: "List who is linked", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.links(cmd) },
	}
	p.addJSON(cmd)
	return cmd
}

func (p *program) unlinkCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "unlink USER", Short: "Delete a user's credential and numbers", Args: one("which user? floorwalker links lists them"),
		Long: "Unlink deletes an agent's credential and numbers, in the history too, and\n" +
			"cannot be undone. Of an agent with several addresses it takes only the one\n" +
			"away, and all else stays; with --all it deletes everything all the same.",
		RunE: func(cmd *cobra.Command, args []string) error { return p.unlink(cmd, args[0], all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "delete everything of an agent who has other addresses, too")
	return cmd
}

// one wants exactly one argument, and else asks the question.
func one(question string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New(question)
		}
		return nil
	}
}

func (p *program) statsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "stats USER", Short: "Read a user's counters now", Args: one("which user? floorwalker stats slack:U0123456789"),
		Long: "Stats asks the dashboard for a linked user's counters, and shows them as a\n" +
			"card, or says why there are none.",
		RunE: func(cmd *cobra.Command, args []string) error { return p.stats(cmd, args[0]) },
	}
	p.addJSON(cmd)
	return cmd
}

func (p *program) manifestCommand() *cobra.Command {
	return &cobra.Command{
		Use: "manifest slack|discord", Short: "Print the app to create on a network", Args: one("which network? floorwalker manifest slack"),
		Long: "Manifest prints what to paste where a network asks how the app shall be. For\n" +
			"Slack: api.slack.com/apps, Create New App, From a manifest. For Discord, which\n" +
			"has no manifest, it prints the steps and the link that invites the bot.",
		RunE: func(cmd *cobra.Command, args []string) error { return p.manifest(cmd, args[0]) },
	}
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(*cobra.Command, []string) { fmt.Fprintln(p.out, "floorwalker", version()) },
	}
}

func (p *program) addJSON(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.json, "json", false, "print one JSON document for scripts")
}

// load reads the configuration and makes the logger it asks for. serving asks also
// for what only a running bot needs, and logs the warnings: other commands have
// something else to say, and check and doctor say them.
func (p *program) load(cmd *cobra.Command, serving bool) (*Config, *slog.Logger, error) {
	cfg, warnings, err := Load(LoadOptions{Path: p.config, Flags: cmd.Flags(), Serving: serving})
	if err != nil {
		return nil, nil, err
	}
	log := newLogger(p.err, cfg.Log)
	if serving {
		logWarnings(log, warnings)
	}
	return cfg, log, nil
}

// logWarnings says what is odd about a configuration, and where.
func logWarnings(log *slog.Logger, warnings []Warning) {
	for _, w := range warnings {
		log.Warn("configuration", "at", strings.TrimSuffix(w.File+":"+fmt.Sprint(w.Line), ":0"), "path", w.Path, "warning", w.Message)
	}
}

// newLogger makes the program's logger.
func newLogger(w io.Writer, c LogConfig) *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(c.Level)) != nil {
		level = slog.LevelInfo // Load has refused any other word
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
