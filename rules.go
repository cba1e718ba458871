package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"floorwalker/bot/alert"
)

func (p *program) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "Test alert rules, and try them on what happened"}
	test := &cobra.Command{
		Use: "test FILE", Short: "Run the tests of rules", Args: one("which file? floorwalker rules test rules.yaml"),
		Long: "Test runs a file of tests against the rules of the configuration. A test says\n" +
			"what the polls of a rule bring, one item per poll, and where the rule must then\n" +
			"stand:\n\n" +
			"  tests:\n" +
			"    - name: a burst of missed calls\n" +
			"      rule: missed-burst\n" +
			"      interval: 1m                 # between polls; the default\n" +
			"      series:\n" +
			"        - {name: missed, values: \"0x30 1+1x3 4x10\"}\n" +
			"      expect:\n" +
			"        - {at: 31m, phase: inactive}\n" +
			"        - {at: 36m, phase: firing, value: 4}\n\n" +
			"Without expect, the rule must never fire. Items of a series:\n\n" +
			"  3        a value; true and false for a flag\n" +
			"  3x4      the value, and 4 more\n" +
			"  1+2x3    1, and 3 more, each 2 higher: 1 3 5 7; likewise 9-1x2\n" +
			"  r0       a value before which the counter started again\n" +
			"  _        the value is missing      !    the poll failed\n" +
			"  ~        the answer is stale       absent    not logged in\n" +
			"  _x3      three times a mark; so for the others",
		RunE: func(cmd *cobra.Command, args []string) error { return p.testRules(cmd, args[0]) },
	}
	p.addJSON(test)
	since := "7d"
	try := &cobra.Command{
		Use: "try NAME", Short: "Say when a rule would have fired", Args: one("which rule? floorwalker rules try missed-burst --since 7d"),
		Long: "Try replays a rule of the configuration file over the stored history, and says\n" +
			"when it would have fired. It tells nobody. The file may be newer than what serve\n" +
			"runs.",
		RunE: func(cmd *cobra.Command, args []string) error { return p.tryRule(cmd, args[0], since) },
	}
	try.Flags().StringVar(&since, "since", since, "how far back, such as 12h or 7d")
	p.addJSON(try)
	cmd.AddCommand(test, try)
	return cmd
}

// testedRule is the outcome of one test in `rules test --json`.
type testedRule struct {
	Name     string   `json:"name"`
	Rule     string   `json:"rule"`
	Failures []string `json:"failures"` // none: it passed
}

// testRules runs the tests of a file. The error is errFailed if one fails.
func (p *program) testRules(cmd *cobra.Command, file string) error {
	cfg, _, err := p.load(cmd, false)
	if err != nil {
		return err
	}
	tests, err := readTests(file)
	if err != nil {
		return usageError{err}
	}
	failed := 0
	results := []testedRule{}
	config := botConfig(cfg)
	for _, r := range alert.RunTests(tests, cfg.Rules, config.Derive()) {
		results = append(results, testedRule{r.Name, r.Rule, append([]string{}, r.Failures...)})
		if len(r.Failures) > 0 {
			failed++
		}
	}
	if p.json {
		err = p.printJSON(struct {
			Tests []testedRule `json:"tests"`
		}{results})
	} else {
		printTests(p.out, results)
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d tests failed", failed, len(results))
	}
	return err
}

// maxTests bounds a file of tests, in bytes.
const maxTests = 1 << 20

// readTests reads a file of tests, strictly: a mistyped key would test nothing.
func readTests(file string) ([]alert.Test, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var document struct {
		Tests []alert.Test `yaml:"tests"`
	}
	d := yaml.NewDecoder(io.LimitReader(f, maxTests))
	d.KnownFields(true)
	if err := d.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %s", file, strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", " "))
	}
	if len(document.Tests) == 0 {
		return nil, fmt.Errorf("%s: it has no tests; see floorwalker rules test --help", file)
	}
	return document.Tests, nil
}

func printTests(w io.Writer, results []testedRule) {
	for _, r := range results {
		if len(r.Failures) == 0 {
			fmt.Fprintf(w, "ok    %s: %s\n", r.Rule, printable(r.Name))
			continue
		}
		fmt.Fprintf(w, "FAIL  %s: %s\n", r.Rule, printable(r.Name))
		for _, f := range r.Failures {
			fmt.Fprintf(w, "      %s\n", printable(f))
		}
	}
}

// tryArgs ask the office to replay a rule. It travels as it is written, because
// the configuration file may be newer than what the running serve has.
type tryArgs struct {
	Rule  alert.RuleSpec `json:"rule"`
	Since time.Time      `json:"since"`
}

// triedEpisode is an episode in `rules try --json`.
type triedEpisode struct {
	Who    string     `json:"who"`
	Began  time.Time  `json:"began"`
	Ended  *time.Time `json:"ended"` // null: it would fire still
	Reason string     `json:"reason"`
	Text   string     `json:"text"`
	Told   bool       `json:"told"`
}

// triedRule is the document of `rules try --json`.
type triedRule struct {
	Rule     string         `json:"rule"`
	Since    time.Time      `json:"since"`
	Subjects int            `json:"subjects"`
	Polls    int            `json:"polls"`
	Episodes []triedEpisode `json:"episodes"`
}

func (o *office) tryRule(ctx context.Context, a tryArgs) (triedRule, error) {
	rule, err := alert.Compile(a.Rule, alert.NewEnv(vocabulary(o.config.Load().Dictionary)))
	if err != nil {
		return triedRule{}, err
	}
	trial, err := o.bot.Try(ctx, rule, a.Since, time.Now())
	if err != nil {
		return triedRule{}, err
	}
	result := triedRule{Rule: rule.Name, Since: a.Since.UTC(), Subjects: trial.Subjects, Polls: trial.Polls, Episodes: []triedEpisode{}}
	for _, e := range trial.Episodes {
		row := triedEpisode{Who: e.Who, Began: e.Began.UTC(), Reason: string(e.Reason), Text: e.Text, Told: e.Told}
		if !e.Ended.IsZero() {
			row.Ended = new(e.Ended.UTC())
		}
		result.Episodes = append(result.Episodes, row)
	}
	return result, nil
}

// tryRule asks the office to replay a rule of the configuration file.
func (p *program) tryRule(cmd *cobra.Command, name, since string) error {
	back, err := parseBack(since)
	if err != nil {
		return usageError{err}
	}
	cfg, log, err := p.load(cmd, false)
	if err != nil {
		return err
	}
	spec, err := ruleSpec(cfg, name)
	if err != nil {
		return usageError{err}
	}
	c, err := clerkFor(cmd.Context(), cfg, existing, log)
	if err != nil {
		return err
	}
	defer c.close()
	result, err := ask[triedRule](cmd.Context(), c, "try", tryArgs{spec, time.Now().Add(-back)})
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(result)
	}
	return printTried(p.out, result, since)
}

// ruleSpec returns a rule of the configuration as it is in effect, switched on:
// a rule is tried before it is.
func ruleSpec(cfg *Config, name string) (alert.RuleSpec, error) {
	var names []string
	for _, r := range cfg.Rules {
		if strings.EqualFold(r.Name, name) {
			spec := alert.RuleSpec{Name: r.Name, Teams: r.Teams, For: &r.For, KeepFiringFor: &r.KeepFiringFor, Severity: r.Severity.String()}
			if !r.BuiltIn {
				spec.Scope, spec.When, spec.Clear = string(r.Scope), r.When, r.Clear
			}
			for _, a := range cfg.Alerts {
				if a.Name == r.Name {
					spec.Message = a.Message
				}
			}
			return spec, nil
		}
		names = append(names, r.Name)
	}
	return alert.RuleSpec{}, fmt.Errorf("there is no rule %q: there are %s", name, strings.Join(names, ", "))
}

// parseBack reads 12h, 7d or 2w.
func parseBack(s string) (time.Duration, error) {
	units := map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	for unit, length := range units {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			if n, err := strconv.Atoi(digits); err == nil && n > 0 && n < 1000 {
				return time.Duration(n) * length, nil
			}
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("--since: %q is not a length of time: write 12h, 7d or 2w", s)
	}
	return d, nil
}

func printTried(w io.Writer, r triedRule, since string) error {
	told := 0
	for _, e := range r.Episodes {
		if e.Told {
			told++
		}
	}
	switch {
	case r.Polls == 0:
		fmt.Fprintf(w, "History holds nothing of the last %s that %s could be tried on.\n", since, r.Rule)
		return nil
	case len(r.Episodes) == 0:
		fmt.Fprintf(w, "%s would not have fired in the last %s (%d subjects, %d polls).\n", r.Rule, since, r.Subjects, r.Polls)
		return nil
	}
	fmt.Fprintf(w, "%s would have fired %d times in the last %s, %d of them told (%d subjects, %d polls).\n\n", r.Rule, len(r.Episodes), since, told, r.Subjects, r.Polls)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FIRED\tWHO\tFOR\tENDED\tTOLD\tMESSAGE")
	for _, e := range r.Episodes {
		length, ended := "–", "still fires"
		if e.Ended != nil {
			length, ended = e.Ended.Sub(e.Began).Round(time.Second).String(), strings.ReplaceAll(cmp.Or(e.Reason, "–"), "_", " ")
		}
		yes := map[bool]string{true: "yes", false: "no: third in the shift"}[e.Told]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", localTime(e.Began), printable(e.Who), length, ended, yes, printable(e.Text))
	}
	return t.Flush()
}
