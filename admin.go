package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"floorwalker/adapters/discord"
	"floorwalker/adapters/slack"
	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// actor names whoever runs a command, for the audit trail.
func actor() string {
	u, err := user.Current()
	if err != nil {
		return fmt.Sprintf("cli:%d", os.Getuid())
	}
	return "cli:" + u.Uid
}

// printJSON prints one document.
func (p *program) printJSON(document any) error {
	e := json.NewEncoder(p.out)
	e.SetIndent("", "  ")
	return e.Encode(document)
}

// linkOptions are the flags of link.
type linkOptions struct {
	name     string
	teams    []string
	noVerify bool
}

// link reads a credential and has it stored.
func (p *program) link(cmd *cobra.Command, user string, o linkOptions) error {
	if err := checkUser(user); err != nil {
		return err
	}
	if addr, _ := chat.ParseAddress(user); isName(addr) {
		return usageError{fmt.Errorf("%s is a name; write the id (%s)", quote(addr.ID), idMenu[addr.Network])}
	}
	args := linkArgs{User: user, Name: o.name, Teams: o.teams, NoVerify: o.noVerify, Actor: actor()}
	if err := p.readCredential(&args); err != nil {
		return err
	}
	cfg, log, err := p.load(cmd, false)
	if err != nil {
		return err
	}
	c, err := clerkFor(cmd.Context(), cfg, anew, log)
	if err != nil {
		return err
	}
	defer c.close()
	result, err := ask[linkResult](cmd.Context(), c, "link", args)
	if err != nil {
		return fmt.Errorf("%s is not linked: %w", user, err)
	}
	fmt.Fprintln(p.out, linkSentence(user, result))
	return nil
}

// checkUser refuses what is no address.
func checkUser(user string) error {
	if _, err := chat.ParseAddress(user); err != nil {
		return usageError{err}
	}
	return nil
}

// linkSentence says what a link did.
func linkSentence(user string, r linkResult) string {
	switch {
	case r.Moved && r.Joined:
		return user + " is linked: it left its former agent, and is now a second address of another one."
	case r.Moved:
		return user + " is linked, as another person than before: the user id differs. Its former agent is deleted, unless it has other addresses."
	case r.Joined:
		return user + " is linked: a second address of an agent who was here already, under that agent's name."
	case r.State == bot.LinkUnverified:
		return user + " is linked, unverified: the first call will show whether the credential works."
	case !r.LoggedIn:
		return user + " is linked. The agent is not logged in to the dashboard, so there are no numbers yet."
	case r.Relink:
		return user + " is linked again, with the new credential."
	}
	return user + " is linked. Try: floorwalker stats " + user
}

// readCredential asks for a credential on a terminal, secrets unechoed, and else
// reads lines name=value to the end of the input.
func (p *program) readCredential(args *linkArgs) error {
	if isTerminal(p.in) {
		return p.promptCredential(p.in.(*os.File), args)
	}
	fields := map[string]*string{"user_id": &args.UserID, "token": &args.Token, "ssid": &args.SSID}
	lines := bufio.NewScanner(io.LimitReader(p.in, 64<<10))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		field := fields[strings.TrimSpace(name)]
		if !ok || field == nil {
			return usageError{fmt.Errorf("standard input, line %d: write user_id=…, token=… or ssid=…", n)}
		}
		*field = strings.TrimSpace(value)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the credential: %w", err)
	}
	return nil
}

func (p *program) promptCredential(terminal *os.File, args *linkArgs) error {
	fmt.Fprintln(p.err, "The dashboard shows user id and token under the agent's profile.")
	fmt.Fprintln(p.err, "A session id instead is for trying out: it ends with the login. Empty lines skip.")
	fmt.Fprint(p.err, "User id: ")
	line, err := readLine(terminal)
	if err != nil {
		return fmt.Errorf("read the user id: %w", err)
	}
	args.UserID = strings.TrimSpace(line)
	for _, secret := range []struct {
		prompt string
		into   *string
	}{{"Token (not shown): ", &args.Token}, {"Session id (not shown): ", &args.SSID}} {
		fmt.Fprint(p.err, secret.prompt)
		b, err := term.ReadPassword(int(terminal.Fd()))
		fmt.Fprintln(p.err)
		if err != nil {
			return fmt.Errorf("read from the terminal: %w", err)
		}
		*secret.into = strings.TrimSpace(string(b))
	}
	return nil
}

// readLine reads to the end of a line, byte by byte, so that nothing that
// follows is swallowed.
func readLine(r io.Reader) (string, error) {
	var line strings.Builder
	b := make([]byte, 1)
	for line.Len() < 4096 {
		if n, err := r.Read(b); n == 0 && err != nil {
			return "", err
		}
		if b[0] == '\n' {
			break
		}
		line.WriteByte(b[0])
	}
	return line.String(), nil
}

// links prints who is linked.
func (p *program) links(cmd *cobra.Command) error {
	c, err := p.openClerk(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	table, err := ask[linkTable](cmd.Context(), c, "links", struct{}{})
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(table)
	}
	if len(table.Links) == 0 {
		fmt.Fprintln(p.out, "Nobody is linked yet. People link themselves with /floor link, or you do: floorwalker link slack:U0123456789")
		return nil
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "USER\tNAME\tTEAMS\tCREDENTIAL\tSTATE\tLINKED BY\tLINKED AT")
	for _, l := range table.Links {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.User, printable(l.Name), strings.Join(l.Teams, ", "),
			l.Credential, l.State, l.LinkedBy, localTime(l.LinkedAt))
	}
	return w.Flush()
}

// localTime writes a time for whoever sits at this machine, with its zone: they
// may not be where the team is.
func localTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printable makes a name from outside safe for a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, s)
}

// unlink has a user deleted.
func (p *program) unlink(cmd *cobra.Command, user string, all bool) error {
	if err := checkUser(user); err != nil {
		return err
	}
	c, err := p.openClerk(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	result, err := ask[unlinkResult](cmd.Context(), c, "unlink", userArgs{User: user, Actor: actor(), All: all})
	if err != nil {
		return err
	}
	if len(result.Kept) > 0 {
		fmt.Fprintf(p.out, "%s is unlinked. The agent stays linked as %s, with credential and numbers;\nto delete those too: floorwalker unlink %s --all\n",
			user, addressList(result.Kept), result.Kept[0])
		return nil
	}
	fmt.Fprintf(p.out, "%s is unlinked: credential and numbers are deleted.\n", user)
	for _, a := range result.Addresses {
		if a.String() != user {
			fmt.Fprintf(p.out, "%s was the same agent and is unlinked too.\n", a)
		}
	}
	return nil
}

// addressList writes addresses in a sentence.
func addressList(list []chat.Address) string {
	var each []string
	for _, a := range list {
		each = append(each, a.String())
	}
	return strings.Join(each, ", ")
}

// stats prints a user's counters of now.
func (p *program) stats(cmd *cobra.Command, user string) error {
	if err := checkUser(user); err != nil {
		return err
	}
	c, err := p.openClerk(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	answer, err := ask[statsAnswer](cmd.Context(), c, "stats", userArgs{User: user})
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(answer.Document)
	}
	fmt.Fprintln(p.out, strings.TrimSpace(answer.Card))
	return nil
}

// check prints what is wrong with the configuration, or what it means.
func (p *program) check(cmd *cobra.Command) error {
	return check(p.out, LoadOptions{Path: p.config, Flags: cmd.Flags(), Serving: true}, p.json)
}

// manifest prints how to create the app on a network. It needs no configuration,
// but takes what it can from one that is there.
func (p *program) manifest(cmd *cobra.Command, network string) error {
	cfg, _, err := Load(LoadOptions{Path: p.config, Flags: cmd.Flags()})
	noFile := p.config == "" && errors.Is(err, fs.ErrNotExist)
	if err != nil && !noFile {
		return err
	}
	if cfg == nil {
		cfg = &Config{}
	}
	var text []byte
	switch chat.Network(network) {
	case chat.Slack:
		text, err = slack.Manifest(slackConfig(cfg, nil, nil))
	case chat.Discord:
		text, err = discord.Manifest(discordConfig(cfg, nil, nil))
	default:
		err = fmt.Errorf("there is no manifest for %q: write floorwalker manifest slack, or discord", network)
	}
	if err != nil {
		return usageError{err}
	}
	_, err = p.out.Write(text)
	return err
}
