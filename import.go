package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/dashboard"
)

// verifyAtOnce is how many rows one request verifies: a request is short, and
// progress can be shown after each.
const verifyAtOnce = 50

// verifyArgs asks to verify rows, importArgs to store them.
type verifyArgs struct {
	Rows []importRow `json:"rows"`
}

type importArgs struct {
	Rows  []importRow `json:"rows"`
	Actor string      `json:"actor"`
}

// A verdict is what the API says of a row.
type verdict struct {
	Line  int           `json:"line"`
	State bot.LinkState `json:"state"`
	Fault string        `json:"fault"` // the API refuses the credential
}

type verifyResult struct {
	Verdicts []verdict `json:"verdicts"`
}

type importResult struct {
	Linked  int `json:"linked"`
	Relinks int `json:"relinks"`
}

// verify asks the API about rows, several at once within the client's limits.
func (o *office) verify(ctx context.Context, a verifyArgs) (verifyResult, error) {
	result := verifyResult{Verdicts: make([]verdict, len(a.Rows))}
	var g errgroup.Group
	g.SetLimit(o.config.Load().Dashboard.MaxInFlight)
	for i, row := range a.Rows {
		g.Go(func() error {
			result.Verdicts[i] = o.verifyRow(ctx, row)
			return nil
		})
	}
	g.Wait()
	return result, ctx.Err()
}

// verifyRow makes one call. Only a refusal is a fault of the row; an API that
// does not answer says nothing about the credential.
func (o *office) verifyRow(ctx context.Context, row importRow) verdict {
	v := verdict{Line: row.Line, State: bot.LinkActive}
	_, err := o.source.Counters(ctx, dashboard.Query{Credential: row.credential()})
	class, failed := dashboard.ClassOf(err)
	switch {
	case err == nil, failed && class == dashboard.ClassOffShift:
	case failed && (class == dashboard.ClassCredential || class == dashboard.ClassAccount):
		v.State, v.Fault = "", inWords(err).Error()
	default:
		v.State = bot.LinkUnverified
	}
	return v
}

// importRows links all rows or none.
func (o *office) importRows(_ context.Context, a importArgs) (importResult, error) {
	var links []bot.LinkRequest
	var states []bot.LinkState
	for _, row := range a.Rows {
		addr, err := chat.ParseAddress(row.User)
		if err != nil {
			return importResult{}, err
		}
		l := bot.LinkRequest{Address: addr, Name: row.Name, Credential: row.credential(), Actor: a.Actor}
		if row.Team != "" {
			l.Teams = []string{row.Team}
		}
		links = append(links, l)
		states = append(states, cmp.Or(row.State, bot.LinkUnverified))
	}
	linked, err := o.bot.LinkAll(links, states)
	if err != nil {
		return importResult{}, inWords(err)
	}
	result := importResult{Linked: len(linked)}
	for _, l := range linked {
		if l.Relink {
			result.Relinks++
		}
		if err := o.forget(l); err != nil {
			return result, err
		}
	}
	return result, nil
}

// importOptions are the flags of import.
type importOptions struct {
	apply    bool
	noVerify bool
}

// importFile verifies a file of links and, if told to, stores it. An error ends
// in what it means: nothing is stored.
func (p *program) importFile(cmd *cobra.Command, file string, o importOptions) error {
	if err := p.importLinks(cmd, file, o); err != nil {
		return fmt.Errorf("%w\nnothing is stored", err)
	}
	return nil
}

func (p *program) importLinks(cmd *cobra.Command, file string, o importOptions) error {
	cfg, log, err := p.load(cmd, false)
	if err != nil {
		return err
	}
	rows, err := p.openImport(file, cfg)
	if faults, ok := errors.AsType[importFaults](err); ok && !o.noVerify {
		return fmt.Errorf("%w\ncredentials are verified once the file is free of faults", faults)
	}
	if err != nil {
		return err
	}
	c, err := importClerk(cmd.Context(), cfg, o, log)
	if err != nil {
		return err
	}
	defer c.close()
	unverified := len(rows)
	if !o.noVerify {
		if unverified, err = p.verifyAll(cmd.Context(), c, file, rows); err != nil {
			return err
		}
	}
	if !o.apply {
		fmt.Fprintf(p.out, "%s fine%s. Nothing is stored yet: run it again with --apply.\n", are(len(rows), "row"), unverifiedWords(unverified, len(rows)))
		return nil
	}
	result, err := ask[importResult](cmd.Context(), c, "import", importArgs{rows, actor()})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s linked%s.%s\n", are(result.Linked, "user"), unverifiedWords(unverified, result.Linked), relinkWords(result))
	return nil
}

// importClerk returns a clerk for an import. One that stores nothing needs no
// database, and must not make one.
func importClerk(ctx context.Context, cfg *Config, o importOptions, log *slog.Logger) (*clerk, error) {
	if o.apply {
		return clerkFor(ctx, cfg, anew, log)
	}
	path, err := socketPath(cfg.Store.Path)
	if err != nil {
		return nil, usageError{err}
	}
	if c := dialOffice(ctx, path); c != nil {
		return c, nil // its limits on calls are then ours too
	}
	client, err := dashboard.New(clientConfig(cfg, log))
	if err != nil {
		return nil, err
	}
	reader := &office{source: client, log: log}
	reader.config.Store(cfg)
	return inProcess(reader, func() error {
		client.Close()
		return nil
	}), nil
}

// are returns "1 row is", "2 rows are".
func are(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return count(n, what) + " are"
}

func unverifiedWords(n, all int) string {
	switch {
	case n == 0:
		return ""
	case all == 1:
		return ", unverified"
	}
	return fmt.Sprintf(", %d of them unverified", n)
}

func relinkWords(r importResult) string {
	switch {
	case r.Relinks == 0:
		return ""
	case r.Linked == 1:
		return " It was linked before."
	case r.Relinks == 1:
		return " 1 of them was linked before."
	}
	return fmt.Sprintf(" %d of them were linked before.", r.Relinks)
}

// verifyAll has every row verified, and notes in it what was found. It returns
// how many could not be.
func (p *program) verifyAll(ctx context.Context, c *clerk, file string, rows []importRow) (unverified int, err error) {
	done, faults := 0, importFaults(nil)
	for part := range slices.Chunk(rows, verifyAtOnce) {
		result, err := ask[verifyResult](ctx, c, "verify", verifyArgs{part})
		if err != nil {
			return 0, err
		}
		for i, v := range result.Verdicts {
			part[i].State = v.State
			switch {
			case v.Fault != "":
				faults = append(faults, fmt.Sprintf("%s:%d: user_id: %s", file, v.Line, v.Fault))
			case v.State == bot.LinkUnverified:
				unverified++
			}
		}
		done += len(part)
		p.progress("verified", done, len(rows))
	}
	if len(faults) > 0 {
		return 0, faults
	}
	return unverified, nil
}

// progress shows on a terminal how far long work is; piped, nothing.
func (p *program) progress(what string, done, all int) {
	if !isTerminal(p.err) {
		return
	}
	fmt.Fprintf(p.err, "\r%s %d of %d", what, done, all)
	if done == all {
		fmt.Fprintln(p.err)
	}
}
