package bot

import (
	"slices"
	"strings"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
)

const (
	// waitingMost is how many messages about alerts wait for one recipient. What
	// comes then joins the last of them.
	waitingMost = 3

	// hourlyMost is how many messages about alerts one recipient gets in an hour.
	// The last of them takes in whatever comes after it, by edits.
	hourlyMost = 20

	// keepEdits is how long a network may be away and a message be edited after.
	keepEdits = 24 * time.Hour
)

// A bulletin is one message to one recipient about one or more episodes, as it
// stands. When anything in it changes, the message that waits to be sent is
// amended, and one that was sent is edited in place.
//
// Each step of each episode that it tells is a promise, a key of the outbox. One
// of them carries the message; the others are rows that are cancelled at once,
// and say which row carries theirs.
type bulletin struct {
	To      chat.Address   `json:"to"`
	Row     string         `json:"row"`            // carries the message
	Edit    string         `json:"edit,omitempty"` // carries the last edit of it
	Edits   int            `json:"edits,omitempty"`
	Vital   bool           `json:"vital,omitempty"` // an edit that is not known to be made tells what they must hear
	Kind    string         `json:"kind"`            // what it is told for: fire, rise, escalate, repeat; or quiet, crowd
	Group   alert.Group    `json:"group,omitzero"`  // what joins it
	Due     time.Time      `json:"due,omitzero"`    // not to be sent before
	Rest    []chat.Address `json:"rest,omitempty"`  // where else the recipient can be reached
	Edited  time.Time      `json:"edited,omitzero"` // when a value was last brought up to date
	Members []member       `json:"members"`

	// What follows is of the present transaction.

	key      string
	fresh    bool // it has no row yet
	changed  bool
	gone     bool
	promises []string // to be kept by the next row
}

// The kinds of bulletins that are not told for a step of one rule.
const (
	kindQuiet = "quiet" // the summary at the end of quiet hours
	kindCrowd = "crowd" // one message for what would be too many
)

// A member is an episode that a bulletin tells of.
type member struct {
	N       int    `json:"n"`
	Subject string `json:"subject"`
	Rule    string `json:"rule"`
	Episode string `json:"episode"`
	Team    string `json:"team"` // for whose sake the recipient is told
	Over    *over  `json:"over,omitempty"`
}

// An over is what a card says of an episode that has ended.
type over struct {
	Who      string         `json:"who"`
	Text     string         `json:"text"`
	Value    string         `json:"value,omitempty"`
	Limit    string         `json:"limit,omitempty"`
	Severity alert.Severity `json:"severity"`
	Began    time.Time      `json:"began"`
	Ended    time.Time      `json:"ended"`
	Reason   alert.Reason   `json:"reason"`
}

// over reports whether all that it tells of has ended.
func (b *bulletin) over() bool {
	return !slices.ContainsFunc(b.Members, func(m member) bool { return m.Over == nil })
}

// end promises to tell that a member has ended.
func (b *bulletin) end(m *member, o *over) {
	m.Over = o
	b.promises = append(b.promises, alert.Key(m.Episode, alert.StepResolve, b.To.String()))
	b.changed = true
}

const bulletinPrefix = "bulletin/"

func bulletinKey(to chat.Address, row string) string {
	return bulletinPrefix + to.String() + "/" + row
}

// bulletin returns the bulletin with a key, nil if it is no more.
func (d *desk) bulletin(key string) *bulletin {
	if b, ok := d.bulletins[key]; ok {
		return b
	}
	if d.err != nil {
		return nil
	}
	b, found, err := ReadRecord[bulletin](d.tx, RecordHandling, key)
	d.fail(err)
	if !found {
		d.bulletins[key] = nil
		return nil
	}
	return d.keep(key, b)
}

func (d *desk) keep(key string, b bulletin) *bulletin {
	b.key = key
	d.bulletins[key] = &b
	d.line = append(d.line, &b)
	return &b
}

// bulletinsBelow returns the bulletins whose keys begin with a prefix, those of
// this transaction included.
func (d *desk) bulletinsBelow(prefix string) []*bulletin {
	if d.err != nil {
		return nil
	}
	for k, err := range EachRecord[bulletin](d.tx, RecordHandling, prefix) {
		if err != nil {
			d.fail(err)
			return nil
		}
		if _, known := d.bulletins[k.Key]; !known {
			d.keep(k.Key, k.Value)
		}
	}
	var all []*bulletin
	for _, b := range d.line {
		if strings.HasPrefix(b.key, prefix) && !b.gone {
			all = append(all, b)
		}
	}
	return all
}

func (d *desk) allBulletins() []*bulletin { return d.bulletinsBelow(bulletinPrefix) }

// bulletinsTo returns the open bulletins of a recipient.
func (d *desk) bulletinsTo(to chat.Address) []*bulletin {
	all := d.bulletinsBelow(bulletinPrefix + to.String() + "/")
	return slices.DeleteFunc(all, func(b *bulletin) bool { return b.To != to })
}

// bulletinsOf returns the bulletins that tell of an episode, oldest first.
func (d *desk) bulletinsOf(e *episode) []*bulletin {
	var all []*bulletin
	for _, key := range e.Bulletins {
		if b := d.bulletin(key); b != nil && !b.gone {
			all = append(all, b)
		}
	}
	return all
}

// stepKind is a step without its number or severity.
func stepKind(step string) string {
	kind, _, _ := strings.Cut(step, "-")
	return kind
}

// tell promises one recipient a step of an episode.
func (d *desk) tell(o openEpisode, step, team string, to recipient) {
	key := alert.Key(o.id(), step, to.addr.String())
	b := d.place(o, stepKind(step), team, to)
	if b.fresh && b.Row == "" {
		b.Row, b.key = key, bulletinKey(to.addr, key)
		d.bulletins[b.key] = b
		d.line = append(d.line, b)
	} else {
		b.promises = append(b.promises, key)
	}
	b.changed = true
	if !slices.ContainsFunc(b.Members, func(m member) bool { return m.Episode == o.id() }) {
		b.Members = append(b.Members, member{N: o.N, Subject: o.subject, Rule: o.rule, Episode: o.id(), Team: team})
	}
	if !slices.Contains(o.Bulletins, b.key) {
		o.Bulletins = append(o.Bulletins, b.key)
	}
	d.touch(o.subject)
}

// promised reports whether a key is promised, in this transaction or before.
func (d *desk) promised(key string) bool {
	for _, b := range d.line {
		if b.fresh && b.Row == key || slices.Contains(b.promises, key) {
			return true
		}
	}
	_, found := d.row(key)
	return found
}

func (d *desk) row(key string) (Row, bool) {
	if d.err != nil || key == "" {
		return Row{}, false
	}
	r, found, err := d.tx.Row(key)
	d.fail(err)
	return r, found && err == nil
}

// place returns the bulletin that a new episode, or a new step of one, goes into
// for a recipient: the summary of their quiet hours, the message about the same
// rule and team that was begun less than a poll ago, the last one of a crowd, or
// a new one.
func (d *desk) place(o openEpisode, kind, team string, to recipient) *bulletin {
	mine := d.bulletinsTo(to.addr)
	if until, quiet := d.quietUntil(to.addr, team); quiet && o.Handling.Severity < alert.Critical {
		for _, b := range mine {
			if b.Kind == kindQuiet && d.unsent(b) {
				return b
			}
		}
		return d.begin(to, bulletin{Kind: kindQuiet, Due: until})
	}
	var waiting []*bulletin
	for _, b := range mine {
		if b.closed() {
			continue
		}
		if b.Kind == kind && b.Group.Join(o.rule, team, d.now, d.poll) == b.Group {
			return b
		}
		if b.Kind != kindQuiet && d.unsent(b) {
			waiting = append(waiting, b)
		}
	}
	if len(waiting) >= waitingMost {
		return waiting[len(waiting)-1]
	}
	switch sent := d.reader(to.addr).lately(d.now); {
	case sent >= hourlyMost:
		for _, b := range slices.Backward(mine) {
			if b.Kind == kindCrowd {
				return b
			}
		}
		fallthrough // it was dropped, so an hour is over since
	case sent == hourlyMost-1:
		kind = kindCrowd
	}
	group := alert.Group{}.Join(o.rule, team, d.now, d.poll)
	return d.begin(to, bulletin{Kind: kind, Group: group, Due: group.Due()})
}

// begin makes a new bulletin, and counts the message it becomes.
func (d *desk) begin(to recipient, b bulletin) *bulletin {
	r := d.reader(to.addr)
	r.Sent, r.changed = append(r.Sent, d.now), true
	b.To, b.Rest, b.fresh, b.Edited = to.addr, to.rest, true, d.now
	return &b
}

// unsent reports whether nobody can have seen the bulletin yet.
func (d *desk) unsent(b *bulletin) bool {
	if b.fresh {
		return true
	}
	row, found := d.row(b.Row)
	return found && row.State == RowPending && !row.InDoubt
}

// mark notes that all messages about an episode are to be drawn anew.
func (d *desk) mark(o openEpisode) {
	o.Shown = o.Value
	for _, b := range d.bulletinsOf(o.episode) {
		b.changed = true
	}
	d.touch(o.subject)
}

// revalue has the newest message to each recipient drawn anew, not too often,
// because the value in it has changed.
func (d *desk) revalue(o openEpisode) {
	done := map[chat.Address]bool{}
	for _, b := range slices.Backward(d.bulletinsOf(o.episode)) {
		if done[b.To] {
			continue
		}
		done[b.To] = true
		if d.now.Sub(b.Edited) > valueEvery-d.poll/2 { // rounds jitter
			b.changed, b.Edited, o.Shown = true, d.now, o.Value
		}
	}
}

// valueEvery is how often a message is edited only because a value in it moves.
const valueEvery = 5 * time.Minute

// resolvedUnsent is why a message is cancelled when all that it tells of has
// ended before anybody could read it.
const resolvedUnsent = "resolved before it was sent"

// post keeps the promises of a bulletin, and brings its message up to date.
func (d *desk) post(b *bulletin) {
	if !b.changed || b.gone || d.err != nil {
		return
	}
	if b.fresh && b.over() && b.Kind != kindQuiet {
		b.promises = append(b.promises, b.Row)
		d.unkept(b, resolvedUnsent)
		d.forget(b)
		return
	}
	if b.fresh {
		d.enqueue(Row{Key: b.Row, To: b.To, Lane: LaneAlert, Message: d.card(b), NotBefore: b.Due})
		d.carried(b, b.Row)
		d.put(RecordHandling, b.key, b)
		b.fresh = false
		return
	}
	row, found := d.row(b.Row)
	switch {
	case !found, row.State == RowDead, row.State == RowCancelled:
		d.unkept(b, "the message was not delivered")
		d.forget(b)
		return
	case row.State == RowPending && b.over() && b.Kind != kindQuiet && d.withhold(b, resolvedUnsent):
		return
	}
	m := d.card(b)
	edit, _ := d.row(b.Edit)
	b.Vital = b.Vital && edit.State != RowSent || len(b.promises) > 0
	switch {
	case d.amend(b.Row, m, b.Due):
		d.cancel(b.Edit, "carried by "+b.Row) // it was promised during an attempt, which failed
		b.Edit, b.Vital = "", false
		d.carried(b, b.Row)
	case d.lost(b):
		d.replace(b, m)
	case b.Edit != "" && d.amend(b.Edit, m, time.Time{}):
		d.carried(b, b.Edit)
	default:
		b.Edit = d.editKey(b)
		d.enqueue(Row{Key: b.Edit, To: b.To, Lane: LaneAlert, Message: m, Edits: b.Row, GiveUp: d.now.Add(keepEdits)})
		d.carried(b, b.Edit)
	}
	b.changed = false
	d.put(RecordHandling, b.key, b)
}

// withhold cancels the message of a bulletin that nobody can have seen, and with it
// the edit that was promised during an attempt, which failed.
func (d *desk) withhold(b *bulletin, reason string) bool {
	if !d.cancel(b.Row, reason) {
		return false
	}
	d.cancel(b.Edit, reason)
	d.unkept(b, reason)
	d.forget(b)
	return true
}

// closed reports whether a bulletin takes in nothing more, because all of it is
// over.
func (b *bulletin) closed() bool { return b.over() && b.Kind != kindQuiet && b.Kind != kindCrowd }

// editKey returns the key of the next edit: a promise, if there is one to keep.
func (d *desk) editKey(b *bulletin) string {
	if key, ok := d.promise(b); ok {
		return key
	}
	episode, step, to, _ := alert.ParseKey(b.Row)
	b.Edits++
	return alert.Key(episode, step+"-edit-"+decimal(float64(b.Edits)), to)
}

// promise returns the first promise of a bulletin that no row keeps yet.
func (d *desk) promise(b *bulletin) (key string, ok bool) {
	for _, key := range b.promises {
		if _, found := d.row(key); !found {
			return key, true
		}
	}
	return "", false
}

// carried records that the promises are kept by a row.
func (d *desk) carried(b *bulletin, by string) { d.unkept(b, "carried by "+by) }

// unkept records why promises have no message of their own.
func (d *desk) unkept(b *bulletin, reason string) {
	for _, key := range b.promises {
		if d.enqueue(Row{Key: key, To: b.To, Lane: LaneAlert}) {
			d.cancel(key, reason)
		}
	}
	b.promises = nil
}

// forget drops a bulletin that nothing will change any more.
func (d *desk) forget(b *bulletin) {
	b.gone = true
	d.drop(RecordHandling, b.key)
}

func (d *desk) enqueue(r Row) (added bool) {
	if d.err != nil {
		return false
	}
	r.Added = d.now
	added, err := d.tx.Enqueue(r)
	d.fail(err)
	d.wrote, d.rows = true, d.rows || added
	return added
}

func (d *desk) cancel(key, reason string) (cancelled bool) {
	if d.err != nil {
		return false
	}
	cancelled, err := d.tx.Cancel(key, reason, d.now)
	d.fail(err)
	d.wrote = d.wrote || cancelled
	return cancelled
}

func (d *desk) amend(key string, m chat.Message, due time.Time) (amended bool) {
	if d.err != nil {
		return false
	}
	amended, err := d.tx.Amend(key, m, due)
	d.fail(err)
	d.wrote, d.rows = d.wrote || amended, d.rows || amended
	return amended
}
