package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// A PlannedDigest is a digest with its next due time.
type PlannedDigest struct {
	Team, Name string
	Next       schedule.Occurrence
	Zone       *time.Location
	Last       Occurrence // zero: none yet
	To         []chat.Address
}

// PlannedDigests lists the digests of the teams that a filter accepts, in the
// order of their due times.
func (b *Bot) PlannedDigests(now time.Time, accept func(team string) bool) ([]PlannedDigest, error) {
	c := b.config.Load()
	var list []PlannedDigest
	for _, team := range c.Teams {
		if !accept(team.Name) {
			continue
		}
		for _, d := range team.Digests {
			next, err := d.Schedule.Schedule().Next(now)
			if err != nil {
				return nil, fmt.Errorf("digest %s/%s: %w", team.Name, d.Name, err)
			}
			last, err := b.lastOccurrence(team.Name, d.Name, now)
			if err != nil {
				return nil, err
			}
			to, err := b.audience(c, dueDigest{team: team, digest: d}, now)
			if err != nil {
				return nil, err
			}
			list = append(list, PlannedDigest{team.Name, d.Name, next, team.Zone, last, to})
		}
	}
	slices.SortStableFunc(list, func(a, b PlannedDigest) int { return a.Next.At.Compare(b.Next.At) })
	return list, nil
}

// digestList answers /floor digest list.
func (b *Bot) digestList(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	list, err := b.PlannedDigests(time.Now(), func(team string) bool { return r.sees(team) })
	if err != nil {
		return chat.Reply{}, err
	}
	m := chat.Message{Title: "Digests", Private: true}
	if len(list) == 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T("No digest is configured for your teams.")})
		return chat.Show(m), nil
	}
	table := chat.Table{Columns: []chat.Column{{Title: "Digest"}, {Title: "Next"}, {Title: "Last"}}}
	for _, d := range list {
		last := missing
		switch {
		case d.Last.Skipped != "":
			last = "skipped: " + strings.ReplaceAll(d.Last.Skipped, "_", " ")
		case !d.Last.At.IsZero():
			last = d.Last.At.In(d.Zone).Format("Mon 2 Jan 15:04")
		}
		table.Rows = append(table.Rows, []string{d.Team + "/" + d.Name, d.Next.Describe(d.Zone), last})
	}
	m.Blocks = append(m.Blocks, table)
	m.Footer = chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "digest preview TEAM/NAME")), chat.T(" shows one as it would be now."))
	return chat.Show(m), nil
}

// sees reports whether a person may see a team.
func (r *request) sees(team string) bool {
	return r.config.isAdmin(r.From) || slices.Contains(r.config.supervises(r.From), team)
}

// errNoDigest: there is no such digest, or it is not this person's to see.
var errNoDigest = errors.New("no such digest")

// findDigest finds TEAM/NAME, in large letters or small.
func (c *Config) findDigest(path string) (Team, Digest, error) {
	for _, team := range c.Teams {
		for _, d := range team.Digests {
			if strings.EqualFold(team.Name+"/"+d.Name, path) {
				return team, d, nil
			}
		}
	}
	return Team{}, Digest{}, errNoDigest
}

// digestNamed takes TEAM/NAME from the words, or TEAM if that has one digest.
func (r *request) digestNamed() (Team, Digest, error) {
	var mine, short, carried []string // TEAM/NAME; TEAM where that says it; as buttons carry it
	for _, t := range r.config.Teams {
		for _, d := range t.Digests {
			if !r.sees(t.Name) {
				continue
			}
			name := t.Name + "/" + d.Name
			mine, short, carried = append(mine, name), append(short, name), append(carried, buttonName(name))
			if len(t.Digests) == 1 {
				short[len(short)-1] = t.Name
			}
		}
	}
	i := -1
	switch {
	case len(r.args) == 0 && len(mine) == 1:
		i = 0
	case len(r.args) > 0:
		if i = r.name(mine); i < 0 {
			i = r.wholeName(short)
		}
		if i < 0 {
			i = r.wholeName(carried)
		}
	}
	if i < 0 {
		return Team{}, Digest{}, r.unknownDigest(mine)
	}
	team, d, err := r.config.findDigest(mine[i])
	if err != nil {
		return Team{}, Digest{}, err
	}
	return team, d, r.noMore()
}

// unknownDigest asks for one of the digests that the person may see.
func (r *request) unknownDigest(mine []string) error {
	if len(mine) == 0 {
		return &problem{text: "No digest is configured for your teams.", next: chat.T("An administrator adds them under teams in the configuration.")}
	}
	p := &problem{text: "Which digest?", next: chat.T("Say one of " + strings.Join(mine, ", ") + ".")}
	if len(mine) == 1 {
		p.next = chat.T("There is " + mine[0] + ".")
	}
	if typed := strings.Join(r.args, " "); typed != "" {
		p.text = fmt.Sprintf("I don't know a digest “%s”.", cut(typed, 60))
		if near := nearest(typed, mine); near != "" {
			p.next = didYouMean(near)
		}
	}
	return p
}

// digestPreview answers /floor digest preview: the digest as it would be now. It
// leaves no trace.
func (b *Bot) digestPreview(ctx context.Context, r *request) (chat.Reply, error) {
	team, d, err := r.digestNamed()
	if err != nil {
		return chat.Reply{}, err
	}
	m, err := b.Preview(ctx, team.Name+"/"+d.Name, time.Now())
	if err != nil {
		return chat.Reply{}, err
	}
	m.Private = true
	m.Footer = chat.Join(chat.T("Preview · "), m.Footer)
	return chat.Show(m), nil
}

// Preview returns a digest, named TEAM/NAME, as it would be if it were due now.
func (b *Bot) Preview(ctx context.Context, path string, now time.Time) (chat.Message, error) {
	c := b.config.Load()
	team, d, err := c.findDigest(path)
	if err != nil {
		return chat.Message{}, fmt.Errorf("%s: %w", path, err)
	}
	due, err := d.now(team, now)
	if err != nil {
		return chat.Message{}, err
	}
	report, err := b.report(ctx, c, team, due.window, now)
	if err != nil {
		return chat.Message{}, err
	}
	return report.message(due), nil
}

// now is the digest as if it were due at a time. One that is due at the end of a
// shift is about that shift, the running one or the last, and not about another
// that has begun since.
func (d Digest) now(team Team, now time.Time) (dueDigest, error) {
	nominal := schedule.CivilOf(now, team.Zone)
	window, err := d.Schedule.Window(nominal)
	if err != nil {
		return dueDigest{}, err
	}
	if shift, ok := team.Rota.Shift(d.Schedule.Shift); ok && d.Schedule.Covers == schedule.CoverShift {
		alone := team.Rota
		alone.Shifts = []schedule.Shift{shift}
		window, _ = schedule.Rotas{alone}.At(now)
	}
	return dueDigest{team: team, digest: d, run: schedule.Occurrence{Nominal: nominal, At: now}, window: window}, nil
}
