package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"floorwalker/bot"
	"floorwalker/store"
)

// digestRow is one line of `digest list`.
type digestRow struct {
	Team    string     `json:"team"`
	Name    string     `json:"name"`
	Nominal string     `json:"nominal"` // what the schedule says, in the team's zone
	At      time.Time  `json:"at"`
	Last    *time.Time `json:"last"`    // when it last ran; null: never
	Skipped string     `json:"skipped"` // why the last one did not
	To      []string   `json:"to"`
}

// digestTable is the document of `digest list --json`.
type digestTable struct {
	Digests []digestRow `json:"digests"`
}

func (o *office) digests(context.Context, struct{}) (digestTable, error) {
	list, err := o.bot.PlannedDigests(time.Now(), func(string) bool { return true })
	if err != nil {
		return digestTable{}, err
	}
	table := digestTable{Digests: []digestRow{}}
	for _, d := range list {
		row := digestRow{Team: d.Team, Name: d.Name, Nominal: d.Next.Nominal.String(), At: d.Next.At.UTC(), Skipped: d.Last.Skipped, To: []string{}}
		if !d.Last.At.IsZero() {
			at := d.Last.At.UTC()
			row.Last = &at
		}
		for _, to := range d.To {
			row.To = append(row.To, to.String())
		}
		table.Digests = append(table.Digests, row)
	}
	return table, nil
}

// previewArgs names a digest as TEAM/NAME.
type previewArgs struct {
	Digest string `json:"digest"`
}

func (o *office) preview(ctx context.Context, a previewArgs) (string, error) {
	m, err := o.bot.Preview(ctx, a.Digest, time.Now())
	if err != nil {
		return "", fmt.Errorf("%w: floorwalker digest list shows those there are", err)
	}
	return m.Plain(), nil
}

// outboxRow is one line of `outbox`. It holds no text of the message.
type outboxRow struct {
	Key      string       `json:"key"`
	To       string       `json:"to"`
	State    bot.RowState `json:"state"`
	Attempts int          `json:"attempts"`
	InDoubt  bool         `json:"in_doubt"`
	Added    time.Time    `json:"added"`
	Next     *time.Time   `json:"next"`
	Reason   string       `json:"reason"`
}

// outboxTable is the document of `outbox --json`.
type outboxTable struct {
	Rows    []outboxRow `json:"rows"`
	Damaged []string    `json:"damaged"` // records that cannot be read, and are passed over
}

// outboxArgs say which rows to list.
type outboxArgs struct {
	All bool `json:"all"` // also what is sent and cancelled
}

func (o *office) outbox(_ context.Context, a outboxArgs) (outboxTable, error) {
	states := []bot.RowState{bot.RowPending, bot.RowLeased, bot.RowDead}
	if a.All {
		states = nil
	}
	table := outboxTable{Rows: []outboxRow{}, Damaged: []string{}}
	for r, err := range o.store.Rows(states...) {
		if err != nil {
			return outboxTable{}, fmt.Errorf("read the outbox: %w", err)
		}
		row := outboxRow{Key: r.Key, To: r.To.String(), State: r.State, Attempts: r.Attempts, InDoubt: r.InDoubt, Added: r.Added.UTC(), Reason: r.Reason}
		if r.State == bot.RowPending && !r.Next.IsZero() {
			next := r.Next.UTC()
			row.Next = &next
		}
		if r.UponContact() {
			row.Reason = "waits for their first command on " + string(r.To.Network)
		}
		table.Rows = append(table.Rows, row)
	}
	table.Damaged = append(table.Damaged, o.store.Damaged()...)
	return table, nil
}

// damageTable names what of the store cannot be read.
type damageTable struct {
	Damaged []string `json:"damaged"`
}

// examine reads everything but history.
func (o *office) examine(context.Context, struct{}) (damageTable, error) {
	if err := o.store.Examine(); err != nil {
		return damageTable{}, err
	}
	return damageTable{append([]string{}, o.store.Damaged()...)}, nil
}

// auditTable is the document of `audit --json`.
type auditTable struct {
	Entries []bot.AuditEntry `json:"entries"`
	Damaged []string         `json:"damaged"` // entries that cannot be read, and are passed over
}

// auditArgs say from when on.
type auditArgs struct {
	Since time.Time `json:"since"`
}

func (o *office) audit(_ context.Context, a auditArgs) (auditTable, error) {
	table := auditTable{Entries: []bot.AuditEntry{}, Damaged: []string{}}
	for e, err := range o.store.AuditTrail(a.Since) {
		if err != nil {
			return auditTable{}, fmt.Errorf("read the audit trail: %w", err)
		}
		table.Entries = append(table.Entries, e)
	}
	for _, record := range o.store.Damaged() {
		if strings.HasPrefix(record, store.AuditRecord) {
			table.Damaged = append(table.Damaged, record)
		}
	}
	return table, nil
}

// withClerk runs do with a clerk.
func (p *program) withClerk(cmd *cobra.Command, do func(*clerk) error) error {
	c, err := p.openClerk(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	return do(c)
}

func (p *program) digestCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "digest", Short: "Shift summaries: when they are due, and how one would look now"}
	list := &cobra.Command{
		Use: "list", Short: "List the digests in the order of their due times", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withClerk(cmd, func(c *clerk) error { return p.digestList(cmd, c) })
		},
	}
	p.addJSON(list)
	preview := &cobra.Command{
		Use: "preview TEAM/NAME", Short: "Show a digest as it would be now", Args: one("which digest? floorwalker digest list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withClerk(cmd, func(c *clerk) error {
				text, err := ask[string](cmd.Context(), c, "preview", previewArgs{args[0]})
				if err == nil {
					fmt.Fprintln(p.out, strings.TrimSpace(text))
				}
				return err
			})
		},
	}
	cmd.AddCommand(list, preview)
	return cmd
}

func (p *program) digestList(cmd *cobra.Command, c *clerk) error {
	table, err := ask[digestTable](cmd.Context(), c, "digests", struct{}{})
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(table)
	}
	if len(table.Digests) == 0 {
		fmt.Fprintln(p.out, "No digest is configured: see digests under teams in config.example.yaml.")
		return nil
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DIGEST\tDUE\tAT\tLAST\tTO")
	for _, d := range table.Digests {
		last := "never"
		if d.Last != nil {
			last = localTime(*d.Last)
		}
		if d.Skipped != "" {
			last += " (skipped: " + d.Skipped + ")"
		}
		fmt.Fprintf(w, "%s/%s\t%s\t%s\t%s\t%s\n", d.Team, d.Name, strings.Replace(d.Nominal, "T", " ", 1),
			localTime(d.At), last, strings.Join(d.To, ", "))
	}
	return w.Flush()
}

func (p *program) outboxCommand() *cobra.Command {
	var args outboxArgs
	cmd := &cobra.Command{
		Use: "outbox", Short: "List what waits to be sent, and what could not be", Args: cobra.NoArgs,
		Long: "Outbox lists messages by state: pending ones wait or are tried again, leased\n" +
			"ones are on their way, dead ones were given up, with the reason. Texts are not\n" +
			"shown.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withClerk(cmd, func(c *clerk) error { return p.outbox(cmd, c, args) })
		},
	}
	cmd.Flags().BoolVar(&args.All, "all", false, "also what was sent or cancelled")
	p.addJSON(cmd)
	return cmd
}

func (p *program) outbox(cmd *cobra.Command, c *clerk, args outboxArgs) error {
	table, err := ask[outboxTable](cmd.Context(), c, "outbox", args)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(table)
	}
	for _, record := range table.Damaged {
		fmt.Fprintf(p.err, "damaged, and passed over: %s\n", printable(record))
	}
	if len(table.Rows) == 0 {
		fmt.Fprintln(p.out, "Nothing waits, and nothing failed.")
		return nil
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STATE\tTO\tADDED\tATTEMPTS\tREASON\tKEY")
	for _, r := range table.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", r.State, r.To, localTime(r.Added), r.Attempts, printable(cutText(cmp.Or(r.Reason, "–"), 60)), printable(r.Key))
	}
	return w.Flush()
}

func (p *program) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", Short: "Print who did what", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withClerk(cmd, func(c *clerk) error { return p.audit(cmd, c) })
		},
	}
	p.addJSON(cmd)
	return cmd
}

// audit prints the audit trail as far as it can be read; an entry that cannot is
// named, and an error at the end.
func (p *program) audit(cmd *cobra.Command, c *clerk) error {
	table, err := ask[auditTable](cmd.Context(), c, "audit", auditArgs{})
	if err != nil {
		return err
	}
	if p.json {
		err = p.printJSON(table)
	} else {
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "AT\tACTOR\tACTION\tOBJECT\tDETAIL")
		for _, e := range table.Entries {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.At.Local().Format("2006-01-02 15:04:05 MST"), printable(e.Actor), e.Action, printable(e.Object), printable(e.Detail))
		}
		err = w.Flush()
	}
	if err == nil && len(table.Damaged) > 0 {
		err = fmt.Errorf("the audit trail is not whole, these cannot be read: %s; a backup may have them", printable(strings.Join(table.Damaged, "; ")))
	}
	return err
}
