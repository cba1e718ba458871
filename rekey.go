package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"floorwalker/bot"
	"floorwalker/bot/secret"
	"floorwalker/store"
)

// envNewKey holds the new master key for rekey, where keys are not in files.
const envNewKey = envPrefix + "STORE_KEY_NEW"

// rekeyArgs ask for new keys. Like a credential, the new master key travels only
// within this process, or over a socket that this user alone can open.
type rekeyArgs struct {
	NewKey string `json:"new_key"` // the master key; "" for a new data key
	Actor  string `json:"actor"`
}

// rekeyResult is the document of `rekey --json`.
type rekeyResult struct {
	MasterKey string   `json:"master_key"` // its id
	DataKey   uint32   `json:"data_key"`   // its id
	Records   int      `json:"records"`    // written anew
	Already   bool     `json:"already"`    // the master key was the new one before
	Damaged   []string `json:"damaged"`    // records that could not be read before
}

func (o *office) rekey(_ context.Context, a rekeyArgs) (rekeyResult, error) {
	by := bot.AuditEntry{Actor: a.Actor}
	var done store.Rekeyed
	var err error
	if a.NewKey == "" {
		done, err = o.store.Rekey(by)
	} else {
		done, err = o.store.RekeyMaster(secret.New(a.NewKey), by)
	}
	return resultOf(done), err
}

func resultOf(done store.Rekeyed) rekeyResult {
	return rekeyResult{done.MasterKey, done.DataKey, done.Records, done.Already, append([]string{}, done.Damaged...)}
}

func (p *program) rekeyCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "rekey", Short: "Seal the database under new keys", Args: cobra.NoArgs,
		Long: "Rekey makes a new data key and seals every credential under it. With\n" +
			"--new-key-file, or " + envNewKey + " in the environment, it\n" +
			"changes the master key instead; a file that is not there is made. Either way\n" +
			"nothing that the old key opens is left in the database, but backups are as they\n" +
			"were. It works while serve runs, and goes on where it was interrupted.",
		RunE: func(cmd *cobra.Command, _ []string) error { return p.rekey(cmd, file) },
	}
	cmd.Flags().StringVar(&file, "new-key-file", "", "`file` of the new master key")
	p.addJSON(cmd)
	return cmd
}

// rekey has the keys changed, and says what is to be done with the new one.
func (p *program) rekey(cmd *cobra.Command, file string) error {
	text := os.Getenv(envNewKey)
	if file != "" && text != "" {
		return usageError{fmt.Errorf("both --new-key-file and %s are given: which is the new key?", envNewKey)}
	}
	cfg, log, err := p.load(cmd, false)
	if err != nil {
		return err
	}
	result, err := p.changeKeys(cmd.Context(), cfg, log, newKey{file, secret.New(text)})
	if err != nil {
		return err
	}
	for _, record := range result.Damaged {
		fmt.Fprintf(p.err, "damaged before, and not readable now: %s\n", printable(record))
	}
	if p.json {
		return p.printJSON(result)
	}
	if file == "" && text == "" {
		fmt.Fprintf(p.out, "Data key %d seals the database now: %d records are written anew, and the old data key is gone.\n"+
			"Backups of before hold what it opened.\n", result.DataKey, result.Records)
		return nil
	}
	fmt.Fprint(p.out, keyAdvice(result, cfg, file))
	return nil
}

// A newKey says where the new master key is: in a file or in text, or nowhere, if
// it is to stay.
type newKey struct {
	file string
	text secret.Secret
}

// changeKeys changes the keys through the running serve, or by itself. A database
// that the configured key does not open may be under the new one already, because
// this command was interrupted before it could say so.
func (p *program) changeKeys(ctx context.Context, cfg *Config, log *slog.Logger, next newKey) (rekeyResult, error) {
	c, err := clerkFor(ctx, cfg, existing, log)
	if err != nil {
		return changed(cfg, log, next, err)
	}
	defer c.close()
	if next.file != "" {
		if next.text, err = store.KeyFile(next.file); err != nil {
			return rekeyResult{}, err
		}
	}
	return ask[rekeyResult](ctx, c, "rekey", rekeyArgs{next.text.Reveal(), actor()})
}

// changed opens a database with the new key, which completes what a rekey left
// undone, or returns why it could not be opened with the old one.
func changed(cfg *Config, log *slog.Logger, next newKey, why error) (rekeyResult, error) {
	if _, inUse := errors.AsType[*store.InUseError](why); inUse || next.file == "" && next.text.IsZero() {
		return rekeyResult{}, why
	}
	config := storeConfig(cfg, log)
	config.Existing = true
	config.Key, config.KeyFile = next.text, next.file
	st, err := store.Open(config)
	if err != nil {
		return rekeyResult{}, why
	}
	defer st.Close()
	return resultOf(store.Rekeyed{MasterKey: st.MasterKey(), Already: true}), nil
}

// keyAdvice says what to do with the new master key.
func keyAdvice(r rekeyResult, cfg *Config, file string) string {
	state := "now; the old key does not open it any more"
	if r.Already {
		state = "already"
	}
	text := fmt.Sprintf("The database is sealed under master key %s %s.\n", r.MasterKey, state)
	switch {
	case !cfg.Store.Key.IsZero():
		text += "Before the next start, give the new key as store.key (" + envPrefix + "STORE_KEY), where the old one came from.\n"
	case file == "":
		text += fmt.Sprintf("Before the next start, write the new key into %s (mode 0600).\n", cfg.Store.KeyFile)
	case sameFile(file, cfg.Store.KeyFile):
	default:
		text += fmt.Sprintf("Before the next start, put its file in place:\n  mv %s %s.until-%s\n  mv %s %s\n",
			cfg.Store.KeyFile, cfg.Store.KeyFile, time.Now().Format(time.DateOnly), file, cfg.Store.KeyFile)
	}
	return text + "Backups of before open with the old key: keep it, elsewhere, for as long as you keep them.\n"
}

func sameFile(a, b string) bool {
	absolute, err := filepath.Abs(a)
	if err != nil {
		return false
	}
	other, err := filepath.Abs(b)
	return err == nil && absolute == other
}
