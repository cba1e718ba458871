package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// maxImport bounds a file of links: 10,000 agents have about 2 MB.
const maxImport = 16 << 20

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
		if strings.TrimSpace(strings.Join(fields, "")) == "" {
			continue // a spreadsheet's empty row has its commas
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
		next := ""
		if errors.Is(e.Err, csv.ErrBareQuote) || errors.Is(e.Err, csv.ErrQuote) {
			next = "; a field with a quotation mark in it stands in quotation marks, with that one doubled"
		}
		return append(p.faults, fmt.Sprintf("%s:%d: column %d: %v%s", p.file, e.Line, e.Column, e.Err, next))
	}
	return append(p.faults, p.file+":1: "+err.Error())
}

// header checks the names of the columns.
func (p *importer) header(fields []string) error {
	for _, f := range fields {
		name := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(f)), " ", "_") // User ID
		if !slices.Contains(importColumns[:], name) {
			return unknownColumn(f)
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

// unknownColumn says what is wrong with a header's field, which in a file of
// another kind is all of its first line.
func unknownColumn(field string) error {
	columns := strings.Join(importColumns[:], ",")
	switch {
	case strings.HasPrefix(field, "sep="):
		return errors.New("remove this line: the first one must name the columns: " + columns)
	case strings.Contains(field, ";"):
		return errors.New("semicolons separate the columns: save the file with commas")
	case strings.Contains(field, "\t"):
		return errors.New("tabs separate the columns: save the file with commas")
	case looksLikeToken(field), strings.ContainsAny(field, ":0123456789"): // a row, or a secret
		return errors.New("the first line must name the columns: " + columns)
	}
	return fmt.Errorf("unknown column %q: the columns are %s", cutText(strings.TrimSpace(field), 30), columns)
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
	if i := slices.IndexFunc(p.config.Teams, func(t TeamConfig) bool { return strings.EqualFold(t.Name, row.Team) }); i >= 0 {
		row.Team = p.config.Teams[i].Name
	} else if row.Team != "" {
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
	if isName(addr) {
		p.fault(row.Line, "user", "%s is a name; write the id (%s)", quote(addr.ID), idMenu[addr.Network])
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

// openImport reads a file of links, or the standard input.
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
