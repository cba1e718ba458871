package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

const (
	// maxImport bounds a file of links: 10,000 agents have about 2 MB.
	maxImport = 16 << 20

	// verifyAtOnce is how many rows one request verifies: a request is short,
	// and progress can be shown after each.
	verifyAtOnce = 50
)

// importColumns are the columns that a file of links may have, in any order.
var importColumns = [...]string{"user", "user_id", "token", "ssid", "name", "team"}

// An importRow is one line of the file. The secrets travel as in [linkArgs].
type importRow struct {
	Line   int           `json:"line"`
	User   string        `json:"user"`
	Name   string        `json:"name"`
	Team   string        `json:"team"`
	UserID string        `json:"user_id"`
	Token  string        `json:"token"`
	SSID   string        `json:"ssid"`
	State  bot.LinkState `json:"state"` // what verification found
}

func (r importRow) credential() dashboard.Credential {
	return dashboard.Credential{UserID: r.UserID, Token: secret.New(r.Token), SSID: secret.New(r.SSID)}
}

// importFaults is everything wrong with a file of links, one fault a line.
type importFaults []string

// Error returns the faults, one a line. A file that is wrong as a whole is cut
// off: its lines say the same.
func (f importFaults) Error() string {
	text := strings.Join(f[:min(len(f), maxFaults)], "\n")
	if more := len(f) - maxFaults; more > 0 {
		text += "\nand " + count(more, "more fault")
	}
	return text
}

// readImport reads a file of links and finds everything that can be found
// without asking anybody. Values are never quoted: some are secrets.
func readImport(file string, r io.Reader, cfg *Config) ([]importRow, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxImport+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(data) > maxImport {
		return nil, importFaults{fmt.Sprintf("%s: larger than %d MB: split it", file, maxImport>>20)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, importFaults{file + ": not UTF-8: save the file as “CSV UTF-8”"}
	}
	p := &importer{file: file, config: cfg, users: map[string]int{}, accounts: map[string]importRow{}}
	return p.read(csv.NewReader(bytes.NewReader(data)))
}

// An importer collects the rows of a file and what is wrong with them.
type importer struct {
	file     string
	config   *Config
	columns  []string
	users    map[string]int       // line by user
	accounts map[string]importRow // first row by user id
	faults   importFaults
}

func (p *importer) fault(line int, column, format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf("%s:%d: %s: %s", p.file, line, column, fmt.Sprintf(format, args...)))
}

func (p *importer) read(c *csv.Reader) ([]importRow, error) {
	c.FieldsPerRecord = -1
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, importFaults{p.file + ": empty: the first line names the columns: " + strings.Join(importColumns[:], ",")}
	}
	if err == nil {
		err = p.header(header)
	}
	if err != nil {
		return nil, p.unreadable(err)
	}
	var rows []importRow
	for {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, p.unreadable(err)
		}
		line, _ := c.FieldPos(0)
		if row, ok := p.row(line, fields); ok {
			rows = append(rows, row)
		}
	}
	if len(p.faults) > 0 {
		return nil, p.faults
	}
	if len(rows) == 0 {
		return nil, importFaults{p.file + ": has a header but no rows"}
	}
	return rows, nil
}

// unreadable words an error of the CSV reader. Its text never quotes the line.
func (p *importer) unreadable(err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return append(p.faults, fmt.Sprintf("%s:%d: column %d: %v", p.file, e.Line, e.Column, e.Err))
	}
	return append(p.faults, p.file+":1: "+err.Error())
}

// header checks the names of the columns.
func (p *importer) header(fields []string) error {
	for _, f := range fields {
		name := strings.ToLower(strings.TrimSpace(f))
		if !slices.Contains(importColumns[:], name) {
			if looksLikeToken(f) {
				return errors.New("the first line must name the columns: " + strings.Join(importColumns[:], ","))
			}
			return fmt.Errorf("unknown column %q: the columns are %s", cutText(name, 30), strings.Join(importColumns[:], ","))
		}
		if slices.Contains(p.columns, name) {
			return fmt.Errorf("column %s is there twice", name)
		}
		p.columns = append(p.columns, name)
	}
	if !slices.Contains(p.columns, "user") {
		return errors.New("column user is missing: it holds addresses such as slack:U0123456789")
	}
	return nil
}

func cutText(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// row reads one line.
func (p *importer) row(line int, fields []string) (importRow, bool) {
	before := len(p.faults)
	if len(fields) != len(p.columns) {
		p.fault(line, "line", "has %s where the header has %d", count(len(fields), "field"), len(p.columns))
		return importRow{}, false
	}
	row := importRow{Line: line}
	into := map[string]*string{"user": &row.User, "user_id": &row.UserID, "token": &row.Token,
		"ssid": &row.SSID, "name": &row.Name, "team": &row.Team}
	for i, name := range p.columns {
		*into[name] = strings.TrimSpace(fields[i])
	}
	p.checkUser(row)
	if err := row.credential().Validate(); err != nil {
		column := "user_id"
		if row.UserID != "" {
			column = "token"
		}
		p.fault(line, column, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if row.Team != "" && !slices.ContainsFunc(p.config.Teams, func(t TeamConfig) bool { return t.Name == row.Team }) {
		p.fault(line, "team", "there is no team %q: the configuration has %s", cutText(row.Team, 40), teamNames(p.config))
	}
	return row, len(p.faults) == before
}

// checkUser looks at whom a row is about, and whether another row is too.
func (p *importer) checkUser(row importRow) {
	addr, err := chat.ParseAddress(row.User)
	if err != nil {
		p.fault(row.Line, "user", "not an address: write network:id, such as slack:U0123456789")
		return
	}
	if why := p.config.off(addr.Network); why != "" {
		p.fault(row.Line, "user", "%s cannot be reached: %s", addr, why)
	}
	if first, again := p.users[row.User]; again {
		p.fault(row.Line, "user", "%s is in line %d already", row.User, first)
	}
	p.users[row.User] = row.Line
	if row.UserID == "" {
		return
	}
	first, again := p.accounts[row.UserID]
	if again && !first.credential().Equal(row.credential()) {
		p.fault(row.Line, "user_id", "the same as in line %d, with another token", first.Line)
	}
	if !again {
		p.accounts[row.UserID] = row
	}
}

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

func (p *program) openImport(file string, cfg *Config) ([]importRow, error) {
	if file == "-" {
		return readImport("standard input", p.in, cfg)
	}
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usageError{fmt.Errorf("%s: not found", file)}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readImport(file, f, cfg)
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
