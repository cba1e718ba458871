package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
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
	clerk    *clerk
	adapters []chat.Adapter
	found    findings
	show     func(chat.Finding) // called for each finding as it is made
}

func (d *doctor) note(f chat.Finding) {
	d.found.Findings = append(d.found.Findings, f)
	d.show(f)
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
	post bool
}

// doctor examines the installation and prints what it finds.
func (p *program) doctor(cmd *cobra.Command, user string, o doctorOptions) error {
	d := &doctor{show: func(f chat.Finding) {
		if !p.json {
			p.showFinding(f)
		}
	}}
	log := slog.New(slog.DiscardHandler) // the findings say it all
	cfg, warnings, err := Load(LoadOptions{Path: p.config, Flags: cmd.Flags(), Serving: true})
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			d.fault("configuration", line, "Mend it and run doctor again.")
		}
		return p.endDoctor(d)
	}
	d.config = cfg
	d.ok("configuration", "%s is well-formed: %d teams, %d alerts", cfg.file, len(cfg.Teams), len(cfg.Alerts))
	for _, w := range warnings {
		d.warn("configuration", w.Error(), "")
	}
	if d.adapters, err = networks(cfg, p.streams, nil, log); err != nil {
		d.fault("networks", err.Error(), "Mend it and run doctor again.")
	}
	d.store(cmd.Context(), log)
	if d.clerk != nil {
		defer d.clerk.close()
	}
	d.api(cmd.Context(), user)
	d.networks(cmd.Context())
	d.people(cmd.Context())
	if o.post {
		d.post(cmd.Context())
	}
	return p.endDoctor(d)
}

// endDoctor prints the document, if it is asked for, and fails if there are
// faults.
func (p *program) endDoctor(d *doctor) error {
	if p.json {
		if err := p.printJSON(d.found); err != nil {
			return err
		}
	}
	faults := 0
	for _, f := range d.found.Findings {
		if f.Level == chat.LevelFault {
			faults++
		}
	}
	if faults > 0 && p.json {
		return errors.New("")
	}
	if faults > 0 {
		return fmt.Errorf("\n%d of %d checks failed", faults, len(d.found.Findings))
	}
	if !p.json {
		fmt.Fprintf(p.out, "\nAll is well.\n")
	}
	return nil
}

// showFinding prints a finding as a line, and the next step below it.
func (p *program) showFinding(f chat.Finding) {
	mark := map[chat.Level]string{chat.LevelOK: "ok   ", chat.LevelWarn: "warn ", chat.LevelFault: "FAULT"}[f.Level]
	fmt.Fprintf(p.out, "%s  %-14s  %s\n", mark, f.Check, printable(f.Message))
	if f.Next != "" {
		fmt.Fprintf(p.out, "%23s→ %s\n", "", printable(f.Next))
	}
}

// store opens the database, or finds the running serve that has it open.
func (d *doctor) store(ctx context.Context, log *slog.Logger) {
	c, err := clerkFor(ctx, d.config, log)
	if err != nil {
		d.fault("store", err.Error(), "The key belongs to the database: bring both back from the same installation.")
		return
	}
	d.clerk = c
	table, err := ask[linkTable](ctx, c, "links", struct{}{})
	if err != nil {
		d.fault("store", err.Error(), "See the log of the running serve.")
		return
	}
	agents, dead := map[string]bool{}, map[string]bool{}
	for _, l := range table.Links {
		agents[string(l.Agent)] = true
		if l.State != "active" {
			dead[string(l.Agent)] = true
		}
	}
	d.ok("store", "%s opens with its key: %d agents are linked", d.config.Store.Path, len(agents))
	if len(dead) > 0 {
		d.warn("store", fmt.Sprintf("%d of %d agents have a credential that is not known to work", len(dead), len(agents)),
			"floorwalker links shows them; they link again with /floor link.")
	}
}

// api asks the counters API, for a user if one is given, else with a session id
// that cannot exist: an API that refuses it is there.
func (d *doctor) api(ctx context.Context, user string) {
	before := time.Now()
	if user != "" && d.clerk != nil {
		answer, err := ask[statsAnswer](ctx, d.clerk, "stats", userArgs{User: user})
		if err != nil {
			d.fault("api", fmt.Sprintf("%s: %v", user, err), "floorwalker link "+user+" stores a new credential.")
		} else {
			d.ok("api", "answered for %s with %d numbers in %s", user, len(answer.Document.Metrics), time.Since(before).Round(time.Millisecond))
		}
		d.clock(ctx)
		return
	}
	client, err := dashboard.New(clientConfig(d.config, slog.New(slog.DiscardHandler)))
	if err != nil {
		d.fault("api", err.Error(), "Set dashboard.base_url to the address of your dashboard.")
		return
	}
	defer client.Close()
	_, err = client.Counters(ctx, dashboard.Query{Credential: dashboard.Credential{SSID: secret.New("floorwalker-doctor")}})
	class, failed := dashboard.ClassOf(err)
	switch {
	case failed && class == dashboard.ClassCredential:
		d.ok("api", "%s answers, and refuses a session that does not exist, as it should, in %s",
			d.config.Dashboard.BaseURL, time.Since(before).Round(time.Millisecond))
	case failed && class == dashboard.ClassTransient:
		d.fault("api", inWords(err).Error(), "Check the address, DNS and firewalls from this machine.")
	default:
		d.warn("api", fmt.Sprintf("%s answers in an unexpected way: %v", d.config.Dashboard.BaseURL, err),
			"Check that dashboard.base_url is the counters API: floorwalker doctor USER asks for a linked user.")
	}
	d.clock(ctx)
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

// networks lets every adapter look at its own set-up.
func (d *doctor) networks(ctx context.Context) {
	if len(d.adapters) == 0 {
		d.warn("networks", "no chat network is configured", "Set slack.bot_token and slack.app_token: floorwalker manifest slack prints the app to create.")
	}
	for _, a := range d.adapters {
		if a.Network() == chat.Console {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		for _, f := range a.Check(ctx) {
			d.note(f)
		}
		cancel()
	}
}

// people looks up everybody who is told of alerts: an alert to a wrong id is
// never heard.
func (d *doctor) people(ctx context.Context) {
	known := map[chat.Address]bool{}
	look := func(role string, addr chat.Address) {
		i := slices.IndexFunc(d.adapters, func(a chat.Adapter) bool { return a.Network() == addr.Network })
		if i < 0 || known[addr] {
			return
		}
		known[addr] = true
		person, err := d.adapters[i].Lookup(ctx, addr.ID)
		switch {
		case errors.Is(err, chat.ErrGone):
			d.fault(role, fmt.Sprintf("%s is nobody there", addr), "Correct the id: in Slack it is in the profile under ⋮, Copy member ID.")
		case err != nil:
			d.warn(role, fmt.Sprintf("%s could not be looked up: %v", addr, err), "Run doctor again in a minute.")
		default:
			d.ok(role, "%s is %s", addr, cutText(person.Name, 60))
		}
	}
	for _, a := range d.config.Admins {
		look("admin", a)
	}
	for _, t := range d.config.Teams {
		for _, s := range t.Supervisors {
			for _, a := range s.IDs {
				look("supervisor", a)
			}
		}
	}
}

// post sends a short message to every channel.
func (d *doctor) post(ctx context.Context) {
	for _, t := range d.config.Teams {
		for _, channel := range t.Channels {
			i := slices.IndexFunc(d.adapters, func(a chat.Adapter) bool { return a.Network() == channel.Network })
			if i < 0 {
				continue
			}
			m := chat.Message{Title: "Floorwalker can post here", Blocks: []chat.Block{
				chat.Paragraph{Text: chat.T("This is a test by an administrator. Digests of team " + t.Name + " will appear here.")}}}
			_, err := d.adapters[i].Send(ctx, chat.Outgoing{To: channel, Message: m, Key: "doctor/" + channel.String() + "/" + time.Now().Format(time.RFC3339)})
			if err != nil {
				d.fault("channel", fmt.Sprintf("%s of team %s: %v", channel, t.Name, err), "Invite the bot to the channel: /invite @floorwalker")
				continue
			}
			d.ok("channel", "%s of team %s: posted", channel, t.Name)
		}
	}
}
