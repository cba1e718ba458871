package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// maxSkew is how far our clock may be from the API's before times on cards look
// wrong.
const maxSkew = time.Minute

// findings is the document of `doctor --json`.
type findings struct {
	Findings []chat.Finding `json:"findings"`
}

// A doctor looks at an installation, one thing after another.
type doctor struct {
	config   *Config
	clerk    *clerk // nil if the database cannot be opened
	links    []linkRow
	adapters []chat.Adapter
	broken   map[chat.Network]bool // a fault is noted, which every call would meet again
	known    map[chat.Address]bool // looked up
	usage    bool                  // a fault of the configuration is noted
	found    findings
	show     func(chat.Finding) // called for each finding as it is made
}

func (d *doctor) note(f chat.Finding) {
	d.found.Findings = append(d.found.Findings, f)
	d.show(f)
}

// count returns how many findings are of a level.
func (d *doctor) count(level chat.Level) int {
	n := 0
	for _, f := range d.found.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

func (d *doctor) ok(check, format string, args ...any) {
	d.note(chat.Finding{Level: chat.LevelOK, Check: check, Message: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(check, message, next string) {
	d.note(chat.Finding{Level: chat.LevelWarn, Check: check, Message: message, Next: next})
}

func (d *doctor) fault(check, message, next string) {
	d.note(chat.Finding{Level: chat.LevelFault, Check: check, Message: message, Next: next})
}

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	post  bool
	ready bool
}

// doctor examines the installation and prints what it finds.
func (p *program) doctor(cmd *cobra.Command, user string, o doctorOptions) error {
	d := &doctor{broken: map[chat.Network]bool{}, known: map[chat.Address]bool{}, show: func(f chat.Finding) {
		if !p.json {
			p.showFinding(f)
		}
	}}
	if o.ready {
		return p.onlyReady(cmd, d)
	}
	log := slog.New(slog.DiscardHandler) // the findings say it all
	if d.configuration(LoadOptions{Path: p.config, Flags: cmd.Flags(), Serving: true}); d.config == nil {
		return p.endDoctor(d)
	}
	var err error
	if d.adapters, err = networks(d.config, p.streams, nil, log); err != nil {
		d.usage = true
		d.fault("networks", err.Error(), "Mend it and run doctor again.")
	}
	d.store(cmd.Context(), log)
	if d.clerk != nil {
		defer d.clerk.close()
	}
	d.readiness(cmd.Context(), false)
	d.api(cmd.Context(), user)
	d.clock(cmd.Context())
	d.networks(cmd.Context())
	d.public(cmd.Context())
	d.people(cmd.Context())
	d.linked(cmd.Context())
	if o.post {
		d.post(cmd.Context())
	}
	return p.endDoctor(d)
}

// configuration loads it.
func (d *doctor) configuration(opts LoadOptions) {
	cfg, warnings, err := Load(opts)
	if err != nil {
		d.usage = true
		lines := strings.Split(err.Error(), "\n")
		for i, line := range lines {
			next := ""
			if i == len(lines)-1 {
				next = "Mend it and run doctor again."
			}
			d.fault("configuration", line, next)
		}
		return
	}
	d.config = cfg
	d.ok("configuration", "%s is well-formed: %s, %s", cfg.file, count(len(cfg.Teams), "team"), count(len(cfg.Alerts), "alert"))
	for _, w := range warnings {
		d.warn("configuration", w.Error(), "")
	}
}

// endDoctor prints the document, if it is asked for, and fails if there are
// faults.
func (p *program) endDoctor(d *doctor) error {
	faults, warnings := d.count(chat.LevelFault), d.count(chat.LevelWarn)
	var err error
	switch {
	case p.json:
		if err := p.printJSON(d.found); err != nil {
			return err
		}
		if faults > 0 {
			err = errors.New("") // the document says it
		}
	case faults > 0:
		err = fmt.Errorf("\n%s, %s", count(faults, "fault"), count(warnings, "warning"))
	case warnings > 0:
		fmt.Fprintf(p.out, "\nNo faults, %s.\n", count(warnings, "warning"))
	default:
		fmt.Fprintf(p.out, "\nAll is well.\n")
	}
	if err != nil && d.usage {
		return usageError{err}
	}
	return err
}

// showFinding prints a finding as a line, and the next step below it.
func (p *program) showFinding(f chat.Finding) {
	mark := map[chat.Level]string{chat.LevelOK: "ok   ", chat.LevelWarn: "warn ", chat.LevelFault: "FAULT"}[f.Level]
	fmt.Fprintf(p.out, "%s  %-20s  %s\n", mark, f.Check, printable(f.Message))
	if f.Next != "" {
		fmt.Fprintf(p.out, "%29s→ %s\n", "", printable(f.Next))
	}
}

// store opens the database, or finds the running serve that has it open.
func (d *doctor) store(ctx context.Context, log *slog.Logger) {
	c, err := clerkFor(ctx, d.config, existing, log)
	if errors.Is(err, store.ErrNoDatabase) {
		d.folder(err)
		return
	}
	if err != nil {
		d.fault("store", err.Error(), "docs/operating.md says more, under When something is wrong.")
		return
	}
	d.clerk = c
	table, err := ask[linkTable](ctx, c, "links", struct{}{})
	if err != nil {
		d.fault("store", err.Error(), "See the log of the running serve.")
		return
	}
	d.links = table.Links
	agents, dead := map[string]bool{}, map[string]bool{}
	for _, l := range table.Links {
		agents[string(l.Agent)] = true
		if l.State != "active" {
			dead[string(l.Agent)] = true
		}
	}
	d.ok("store", "%s opens with its key: %s linked", d.config.Store.Path, are(len(agents), "agent"))
	d.damage(ctx)
	if len(dead) > 0 {
		d.warn("store", fmt.Sprintf("%d of %s: the credential is not known to work", len(dead), count(len(agents), "agent")),
			"floorwalker links shows them; they link again with /floor link.")
	}
}

// folder says that there is no database, and whether one can be made there.
func (d *doctor) folder(missing error) {
	dir := filepath.Dir(d.config.Store.Path)
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		d.fault("store", fmt.Sprintf("no file can be made in %s: %v", dir, reason(err)), "Let the user that runs serve write there, or correct store.path.")
		return
	}
	f.Close()
	os.Remove(f.Name())
	d.warn("store", missing.Error(), "If there should be one, correct store.path.")
}

// damage names what is stored and cannot be read.
func (d *doctor) damage(ctx context.Context) {
	table, err := ask[damageTable](ctx, d.clerk, "examine", struct{}{})
	if err != nil {
		d.fault("store", err.Error(), "See the log of the running serve.")
		return
	}
	const named = 5
	if n := len(table.Damaged); n > 0 {
		more := ""
		if n > named {
			more = fmt.Sprintf(" and %d more", n-named)
		}
		d.warn("store", "damaged, and passed over: "+strings.Join(table.Damaged[:min(n, named)], ", ")+more,
			"Look after the disk. What was there is lost, but for a backup; docs/operating.md says more.")
	}
}

// api asks the counters API, with a session id that cannot exist and then for a
// user, if one is given.
func (d *doctor) api(ctx context.Context, user string) {
	switch before := time.Now(); {
	case !d.probe(ctx) || user == "":
	case d.clerk == nil:
		d.fault("api", user+": not asked for, because the credential is in the store", "Mend the store first.")
	default:
		answer, err := ask[statsAnswer](ctx, d.clerk, "stats", userArgs{User: user})
		if err != nil {
			d.fault("api", fmt.Sprintf("%s: %v", user, err), "floorwalker link "+user+" stores a new credential.")
			return
		}
		d.ok("api", "answered for %s with %s in %s", user, count(len(answer.Document.Metrics), "number"), time.Since(before).Round(time.Millisecond))
	}
}

// probe asks with a session id that cannot exist, and reports whether what
// answers may be the counters API: one that refuses it is.
func (d *doctor) probe(ctx context.Context) bool {
	before, at := time.Now(), d.config.Dashboard.BaseURL
	client, err := dashboard.New(clientConfig(d.config, slog.New(slog.DiscardHandler)))
	if err != nil {
		d.fault("api", err.Error(), "Set dashboard.base_url to the address of your dashboard.")
		return false
	}
	defer client.Close()
	_, err = client.Counters(ctx, dashboard.Query{Credential: dashboard.Credential{SSID: secret.New("floorwalker-doctor")}})
	e, failed := errors.AsType[*dashboard.Error](err)
	switch {
	case failed && e.Class == dashboard.ClassCredential:
		d.ok("api", "%s answers, and refuses a session that does not exist, as it should, in %s", at, time.Since(before).Round(time.Millisecond))
	case failed && foreign(e):
		d.fault("api", fmt.Sprintf("something answers at %s, but it is not the counters API: %s", at, foreignAnswer(e)),
			"Set dashboard.base_url to the address at which your vendor has the dashboard for you.")
		return false
	case failed && e.Class == dashboard.ClassTransient:
		d.fault("api", inWords(err).Error(), "Check the address, DNS and firewalls from this machine.")
		return false
	case err == nil:
		d.warn("api", at+" answers with counters for a session that does not exist", "Check that dashboard.base_url is the counters API.")
	default:
		d.warn("api", fmt.Sprintf("%s answers in an unexpected way: %v", at, inWords(err)),
			"Check that dashboard.base_url is the counters API: floorwalker doctor USER asks for a linked user.")
	}
	return true
}

// foreign reports whether an answer is one that the counters API does not give:
// without a code of the vendor's, which begin at 1000, and not for want of a
// service behind a gateway.
func foreign(e *dashboard.Error) bool {
	return e.Status > 0 && e.Status < 500 && e.Status != http.StatusTooManyRequests && e.Code < 1000
}

// foreignAnswer says what is strange about an answer.
func foreignAnswer(e *dashboard.Error) string {
	if e.Err != nil {
		return fmt.Sprintf("%v (HTTP %d)", e.Err, e.Status)
	}
	return fmt.Sprintf("it says %q (HTTP %d)", e.Message, e.Status)
}

// clock compares our clock with the API's.
func (d *doctor) clock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, d.config.Dashboard.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, d.config.Dashboard.BaseURL, nil)
	if err != nil {
		return // the check of the API has said so
	}
	sent := time.Now()
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		return
	}
	resp.Body.Close()
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		d.warn("clock", "the dashboard's answers carry no date, so I cannot compare clocks", "Check that this machine's clock is synchronised.")
		return
	}
	skew := sent.Add(time.Since(sent) / 2).Sub(theirs).Round(time.Second)
	if skew.Abs() > maxSkew {
		d.fault("clock", fmt.Sprintf("this machine's clock differs from the dashboard's by %s", skew.Abs()), "Synchronise it (NTP): shifts and digests follow it.")
		return
	}
	d.ok("clock", "within %s of the dashboard's", max(skew.Abs(), time.Second))
}
