package bot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
)

// Alerts are kept in records, so that state, episodes and notices change in one
// transaction:
//
//	alerts    <subject>                     a standing: where the rules stand for it
//	handling  open/<number>                 which episode has that number
//	handling  bulletin/<recipient>/<row>    a message about episodes, as it stands
//	handling  <subject>/<end>/<episode>     an episode that is over
//	handling  numbers                       the last numbers given out
//	silences  <number>                      a silence
//	quiet     <recipient>                   a reader
//
// A subject is an agent's id, "team:" and a team's name, or "source".

const sourceSubject = "source"

func teamSubject(team string) string { return "team:" + team }

// A standing is where the rules stand for one subject.
type standing struct {
	Name  string                `json:"name,omitempty"`  // an agent's, for cards
	Teams []string              `json:"teams,omitempty"` // an agent's: whose shifts count
	Vain  time.Time             `json:"vain,omitzero"`   // the source's: since when it is asked in vain
	Rules map[string]*ruleState `json:"rules,omitempty"` // by name
}

// A ruleState is where one rule stands for one subject.
type ruleState struct {
	State   alert.State             `json:"state,omitzero"`
	Budgets map[string]alert.Budget `json:"budgets,omitempty"` // of an agent, by team
	Episode *episode                `json:"episode,omitempty"` // the open one, which State names
}

// An episode is what people need to know of one that is open.
type episode struct {
	N         int                  `json:"n"`     // people say it: /floor ack 12
	Teams     []string             `json:"teams"` // whose supervisors it concerns
	Began     time.Time            `json:"began"`
	Outcome   alert.Outcome        `json:"outcome"`          // of its first fire: told, if it was to any of Teams
	Held      []string             `json:"held,omitempty"`   // those of Teams in which a silence keeps it from being told
	Spent     []string             `json:"spent,omitempty"`  // those of Teams that have been told often enough in their shift
	Hushed    map[string]time.Time `json:"hushed,omitempty"` // until when the cards say that it is silenced, by team
	Handling  alert.Handling       `json:"handling"`
	Policy    alert.Policy         `json:"policy,omitzero"`
	AckName   string               `json:"ack_name,omitempty"` // whose Handling.Ack is
	Acked     bool                 `json:"acked,omitempty"`    // the cards say so
	Reminded  bool                 `json:"reminded,omitempty"` // that the acknowledgement ends
	Sentence  string               `json:"sentence"`           // the rule's message, of the last value that was bad
	Value     string               `json:"value,omitempty"`    // the newest
	Limit     string               `json:"limit,omitempty"`
	Shown     string               `json:"shown,omitempty"`     // the value that the messages show
	Bulletins []string             `json:"bulletins,omitempty"` // their keys, oldest first
}

// An opening says where the episode of a number is.
type opening struct {
	Subject string    `json:"subject"`
	Rule    string    `json:"rule"`
	Began   time.Time `json:"began"`
}

// An ending is an episode that is over, as it is kept.
type ending struct {
	N       int           `json:"n"`
	Rule    string        `json:"rule"`
	Began   time.Time     `json:"began"`
	Ended   time.Time     `json:"ended"`
	Reason  alert.Reason  `json:"reason"`
	Outcome alert.Outcome `json:"outcome"`
	Text    string        `json:"text"`
	AckedBy string        `json:"acked_by,omitempty"`
}

// keepEndings is how long an episode that is over is kept.
const keepEndings = 90 * 24 * time.Hour

// An open episode in hand, with all that belongs to it.
type openEpisode struct {
	*episode
	subject, rule string
	standing      *standing
	state         *ruleState
}

func (o openEpisode) id() string { return o.state.State.Episode }

// labels are what silences look at, for one of the episode's teams.
func (o openEpisode) labels(team string) alert.Labels {
	l := alert.Labels{Rule: o.rule}
	if team != "" {
		l.Teams = []string{team}
	}
	if o.standing.Name != "" || o.isAgent() {
		l.Agent = o.subject
	}
	return l
}

func (o openEpisode) isAgent() bool {
	return o.subject != sourceSubject && !strings.HasPrefix(o.subject, "team:")
}

// who names the subject for people.
func (o openEpisode) who() string {
	if team, ok := strings.CutPrefix(o.subject, "team:"); ok {
		return team
	}
	if o.subject == sourceSubject {
		return "the dashboard"
	}
	return cut(o.standing.Name, 40)
}

// A desk is where one transaction works on alerts: it reads records once, keeps
// what changes, and at the end writes that and the messages that follow from it.
// The first error stays, and makes all that comes after do nothing.
type desk struct {
	tx   Tx
	c    *Config
	now  time.Time
	poll time.Duration // how often an agent is polled at present
	err  error
	next time.Time // when something is due, as far as it was looked at

	subjects  map[string]*standing
	touched   []string // of subjects, in the order of their change
	bulletins map[string]*bulletin
	line      []*bulletin // the same, in the order they were read or made
	listed    map[chat.Address]bool
	readers   map[chat.Address]*reader
	hushes    []silence
	hushRead  bool
	wrote     bool // anything at all
	rows      bool // a row of the outbox
}

func newDesk(tx Tx, c *Config, now time.Time, poll time.Duration) *desk {
	return &desk{
		tx: tx, c: c, now: now.UTC().Round(0), poll: max(poll, time.Second),
		subjects: map[string]*standing{}, bulletins: map[string]*bulletin{},
		listed: map[chat.Address]bool{}, readers: map[chat.Address]*reader{},
	}
}

// fail keeps the first error.
func (d *desk) fail(err error) {
	if d.err == nil && err != nil {
		d.err = err
	}
}

// wake notes that something is due at a time.
func (d *desk) wake(at time.Time) {
	if !at.IsZero() && (d.next.IsZero() || at.Before(d.next)) {
		d.next = at
	}
}

// standing returns a subject's standing, an empty one if there is none.
func (d *desk) standing(subject string) *standing {
	if s := d.subjects[subject]; s != nil {
		return s
	}
	s := new(standing)
	if d.err == nil {
		found, _, err := ReadRecord[standing](d.tx, RecordAlerts, subject)
		d.fail(err)
		*s = found
	}
	d.subjects[subject] = s
	return s
}

// touch notes that a standing has changed.
func (d *desk) touch(subject string) {
	if !slices.Contains(d.touched, subject) {
		d.touched = append(d.touched, subject)
	}
}

// open returns the open episode of a rule and a subject.
func (d *desk) open(subject, rule string) (openEpisode, bool) {
	s := d.standing(subject)
	rs := s.Rules[rule]
	if rs == nil || rs.Episode == nil {
		return openEpisode{}, false
	}
	return openEpisode{rs.Episode, subject, rule, s, rs}, true
}

// allOpen returns the open episodes by their numbers.
func (d *desk) allOpen() []openEpisode {
	var all []openEpisode
	for _, k := range d.openings() {
		if o, ok := d.open(k.Value.Subject, k.Value.Rule); ok && k.Key == openKey(o.N) {
			all = append(all, o)
		}
	}
	return all
}

func (d *desk) openings() []Keyed[opening] {
	var all []Keyed[opening]
	if d.err != nil {
		return nil
	}
	for k, err := range EachRecord[opening](d.tx, RecordHandling, "open/") {
		if err != nil {
			d.fail(err)
			return nil
		}
		all = append(all, k)
	}
	return all
}

// closeOrphans ends what is left of episodes whose agents were unlinked.
func (d *desk) closeOrphans() {
	for _, k := range d.openings() {
		if o, ok := d.open(k.Value.Subject, k.Value.Rule); ok && k.Key == openKey(o.N) {
			continue
		}
		end := over{Who: "unlinked", Text: "an agent who was unlinked (" + k.Value.Rule + ")", Began: k.Value.Began, Ended: d.now, Reason: alert.Missing}
		for _, b := range d.allBulletins() {
			for i := range b.Members {
				if m := &b.Members[i]; openKey(m.N) == k.Key && m.Over == nil {
					b.end(m, &end)
				}
			}
		}
		d.drop(RecordHandling, k.Key)
	}
}

func openKey(n int) string { return fmt.Sprintf("open/%08d", n) }

func (d *desk) put(kind RecordKind, key string, v any) {
	if d.err == nil {
		d.wrote = true
		d.fail(WriteRecord(d.tx, kind, key, v))
	}
}

func (d *desk) drop(kind RecordKind, key string) {
	if d.err == nil {
		d.wrote = true
		d.fail(d.tx.DropRecord(kind, key))
	}
}

// close writes what has changed: messages first, because they mark episodes.
func (d *desk) close() error {
	for i := 0; i < len(d.line) && d.err == nil; i++ {
		d.post(d.line[i])
	}
	for _, subject := range d.touched {
		d.writeStanding(subject)
	}
	for addr, r := range d.readers {
		if r.changed {
			d.put(RecordQuiet, addr.String(), r)
		}
	}
	return d.err
}

// writeStanding stores a standing, or drops one that says nothing.
func (d *desk) writeStanding(subject string) {
	s := d.subjects[subject]
	for name, rs := range s.Rules {
		if rs.State.Phase == alert.Inactive && rs.Episode == nil && d.now.Sub(rs.State.Seen) > 24*time.Hour {
			delete(s.Rules, name)
		}
	}
	if len(s.Rules) == 0 && s.Vain.IsZero() {
		d.drop(RecordAlerts, subject)
		return
	}
	d.put(RecordAlerts, subject, s)
}

// errIdle undoes a transaction that found nothing to do.
var errIdle = errors.New("nothing to do")

// atDesk runs f in a transaction, and delivers what it has promised. It returns
// when something is due next, as far as f has looked.
func (b *Bot) atDesk(now time.Time, f func(*desk)) (next time.Time, err error) {
	c := b.config.Load()
	rows := false
	err = b.store.Update(func(tx Tx) error {
		d := newDesk(tx, c, now, b.pollEvery(c))
		f(d)
		err := d.close()
		next, rows = d.next, d.rows
		if err == nil && !d.wrote {
			return errIdle
		}
		return err
	})
	if errors.Is(err, errIdle) {
		err = nil
	}
	if err == nil && rows {
		b.bells.ring()
	}
	return next, err
}

// pollEvery is how often each agent is polled at present.
func (b *Bot) pollEvery(c *Config) time.Duration {
	return max(c.PollInterval, b.WatchStatus().Interval)
}
