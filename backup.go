package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"floorwalker/bot"
	"floorwalker/store"
)

// failureTrailer says, after what was streamed, why there is no more of it.
const failureTrailer = "Floorwalker-Failure"

// streamBackup answers with a backup. The command writes the file, as whoever
// runs it: serve may write next to nowhere.
func (o *office) streamBackup(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Trailer", failureTrailer)
	if err := o.store.WriteBackup(w); err != nil {
		w.Header().Set(failureTrailer, err.Error())
	}
}

// fetchBackup writes the backup that an office streams to out.
func (c *clerk) fetchBackup(ctx context.Context, out io.Writer) error {
	resp, err := c.post(ctx, "backup/stream", struct{}{})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(out, resp.Body); err != nil {
		return fmt.Errorf("copy it from the running serve: %w", err)
	}
	if why := resp.Trailer.Get(failureTrailer); why != "" {
		return errors.New(why)
	}
	return nil
}

// backedUp records that somebody has a backup, read back.
func (o *office) backedUp(_ context.Context, a userArgs) (struct{}, error) {
	return struct{}{}, o.store.Record(bot.AuditEntry{Actor: a.Actor, Action: "backup"})
}

func (p *program) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write everything that is stored into a file, but for the key", Args: one("which file? floorwalker backup saved.tar"),
		Long: "Backup writes a new tar file with the database and the history, while serve\n" +
			"runs or not, and reads it back. The key is not in it: keep the key file\n" +
			"elsewhere, for without it the credentials in the backup cannot be opened. - is\n" +
			"standard output, which cannot be read back.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withClerk(cmd, func(c *clerk) error { return p.backup(cmd.Context(), c, args[0]) })
		},
	}
}

func (p *program) backup(ctx context.Context, c *clerk, file string) error {
	if file == "-" {
		return p.backupOut(ctx, c)
	}
	if err := store.SaveBackup(file, func(w io.Writer) error { return c.fetchBackup(ctx, w) }); err != nil {
		return err
	}
	if _, err := ask[struct{}](ctx, c, "backed-up", userArgs{Actor: actor()}); err != nil {
		return fmt.Errorf("%s is whole, but not in the audit trail: %w", file, err)
	}
	fmt.Fprintf(p.out, "%s holds the database and the history, verified. The key is not in it.\n", file)
	return nil
}

// backupOut writes a backup to the standard output, for where no file can be
// written, as in a container.
func (p *program) backupOut(ctx context.Context, c *clerk) error {
	if isTerminal(p.out) {
		return usageError{errors.New("a backup is nothing for a terminal: floorwalker backup - > saved.tar")}
	}
	if err := c.fetchBackup(ctx, p.out); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err := ask[struct{}](ctx, c, "backed-up", userArgs{Actor: actor()})
	return err
}

func (p *program) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Bring a backup back, where there is no database yet", Args: one("which file? floorwalker restore saved.tar"),
		Long: "Restore makes the database and the history from a backup. Put the configuration\n" +
			"and the key that the backup was made under in their places first; it refuses to\n" +
			"replace a database. Messages whose time is over are not sent. - is standard\n" +
			"input.",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, log, err := p.load(cmd, false)
			if err != nil {
				return err
			}
			if args[0] == "-" {
				err = store.RestoreFrom(storeConfig(cfg, log), "standard input", p.in)
			} else {
				err = store.Restore(storeConfig(cfg, log), args[0])
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(p.out, "%s is restored from %s.\n", cfg.Store.Path, args[0])
			return nil
		},
	}
}
