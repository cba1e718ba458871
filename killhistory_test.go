package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
)

// A history is what is known of an installation's alerts when all is over: what
// the database holds, what the network shows, how things stood at each kill, and
// what people were told. Its methods read it and nothing else, so that whoever
// has such records can have them judged, long after.
type history struct {
	Episodes    []heardOf
	Silences    []hush
	Rows        []bot.Row // the outbox
	Posts       []posted  // of the messages to people
	Kills       []killed
	Assured     []assured
	Audit       []bot.AuditEntry
	Supervisors map[string][]chat.Address // by team
}

// A heardOf is an episode as it is on record.
type heardOf struct {
	ID, Subject, Rule string
	N                 int
	Teams             []string
	Began             time.Time
	Ended             time.Time // zero: it is open
	Outcome           alert.Outcome
	AckedBy           string // as the record has it; "" for nobody
}

// A hush is a silence as it is on record.
type hush struct {
	alert.Silence
	N    int    `json:"n"`
	What string `json:"what"`
}

// A posted is a message that somebody has got.
type posted struct {
	Key    string // of its row; "" if no row promised it
	To     string // where it stands
	Marked bool   // "(re-sent)"
}

// A killed is how things stood when the program was killed.
type killed struct {
	At     time.Time
	Leased []string // the keys of rows on their way
	Unsent []unsent
}

// An unsent is an alert in a message that nobody can have seen yet.
type unsent struct {
	Row           string
	Rule, Subject string
	Team          string // for whose sake it is told; "" for the source
}

// An assured is what somebody was told is done.
type assured struct {
	What   string // ack, silence or unsilence
	By     string // address
	Object string // the alert's number, the silence's subject
	At     time.Time
}

// check returns everything that must never happen, and did.
func (h history) check() (faults []string) {
	rows := map[string]bot.Row{}
	for _, r := range h.Rows {
		rows[r.Key] = r
	}
	j := historian{h, rows, nil}
	for _, e := range h.Episodes {
		j.judgeFirst(e)
		j.judgeEnd(e)
	}
	j.judgeSteps()
	j.judgeBudgets()
	j.judgeSilent()
	j.judgePosts()
	j.judgeAssured()
	return j.faults
}

// A historian is one check of a history.
type historian struct {
	history
	rows   map[string]bot.Row
	faults []string
}

func (j *historian) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// fate returns what became of a promise in the end: the row that carried it.
func (j *historian) fate(r bot.Row) bot.Row {
	for range 100 {
		by, carried := strings.CutPrefix(r.Reason, "carried by ")
		next, found := j.rows[by]
		if r.State != bot.RowCancelled || !carried || !found {
			return r
		}
		r = next
	}
	return r
}

// of returns the promises of an episode to a recipient, edits left out: those of
// its end, or those of everything else.
func (j *historian) of(id string, to string, end bool) (list []bot.Row) {
	for _, r := range j.Rows {
		episode, step, recipient, ok := alert.ParseKey(r.Key)
		isEnd := strings.HasPrefix(step, alert.StepResolve)
		if ok && episode == id && (to == "" || recipient == to) && isEnd == end && !strings.Contains(step, "-edit-") {
			list = append(list, r)
		}
	}
	return list
}

// judgeFirst: an episode that was to be told was told to everybody of a team, or
// there is a reason why not. One that was not to be told was told to nobody.
func (j *historian) judgeFirst(e heardOf) {
	if e.Outcome != alert.Tell {
		for _, r := range j.of(e.ID, "", false) {
			if r.State != bot.RowCancelled && !j.withdrawn(e, r) {
				j.fault("#%d was not to be told (%s), and %s is %s", e.N, e.Outcome, r.Key, r.State)
			}
		}
		return
	}
	var why []string
	for _, team := range e.Teams {
		var missing strings.Builder
		for _, to := range j.Supervisors[team] {
			missing.WriteString(j.unheard(e, to.String()))
		}
		if missing.Len() == 0 {
			return
		}
		why = append(why, team+": "+missing.String())
	}
	j.fault("#%d was told to no team as a whole: %s", e.N, strings.Join(why, "; "))
}

// unheard says why a recipient did not hear of an episode, if there is no good
// reason for it.
func (j *historian) unheard(e heardOf, to string) string {
	var why []string
	for _, r := range j.of(e.ID, to, false) {
		switch last := j.fate(r); {
		case last.State == bot.RowSent,
			last.State == bot.RowCancelled && last.Reason == "resolved before it was sent" && !e.Ended.IsZero(),
			last.State == bot.RowCancelled && last.Reason == "silenced":
			return ""
		default:
			why = append(why, fmt.Sprintf("%s is %s (%s)", r.Key, last.State, last.Reason))
		}
	}
	return cmp.Or(strings.Join(why, ", "), to+" has no row") + " "
}

// judgeEnd: those who were told that an episode began hear that it ended.
func (j *historian) judgeEnd(e heardOf) {
	if e.Ended.IsZero() {
		return
	}
	for _, r := range j.of(e.ID, "", false) {
		_, _, to, _ := alert.ParseKey(r.Key)
		if j.fate(r).State != bot.RowSent || j.withdrawn(e, r) {
			continue
		}
		if !slices.ContainsFunc(j.of(e.ID, to, true), func(end bot.Row) bool { return j.fate(end).State == bot.RowSent }) {
			j.fault("#%d: %s was told by %s, and not that it ended", e.N, to, r.Key)
		}
	}
}

// withdrawn reports whether an episode may have been taken out of a message that
// goes by its name and went out for the sake of others: it was silenced or
// acknowledged while the message waited.
func (j *historian) withdrawn(e heardOf, r bot.Row) bool {
	r = j.fate(r)
	during := func(t time.Time) bool { return !t.Before(r.Added) && !t.After(r.Settled) }
	return slices.ContainsFunc(j.Silences, func(s hush) bool { return during(s.Start) && s.Matcher.Matches(e.labels(e.Teams...)) }) ||
		slices.ContainsFunc(j.Audit, func(a bot.AuditEntry) bool {
			return a.Action == "ack" && a.Object == fmt.Sprintf("alert %d", e.N) && during(a.At)
		})
}

func (e heardOf) labels(teams ...string) alert.Labels {
	return alert.Labels{Rule: e.Rule, Agent: e.Subject, Teams: teams}
}

// judgeSteps: no end is told to somebody who was not told of the beginning, and
// none of an episode that is open; nothing waits for ever.
func (j *historian) judgeSteps() {
	open := map[string]bool{}
	for _, e := range j.Episodes {
		open[e.ID] = e.Ended.IsZero()
	}
	for _, r := range j.Rows {
		id, step, to, ok := alert.ParseKey(r.Key)
		isOpen, known := open[id]
		switch {
		case !ok:
			continue
		case r.State == bot.RowPending || r.State == bot.RowLeased:
			j.fault("%s is still %s", r.Key, r.State)
		case !known:
			j.fault("%s is of an episode that is not on record", r.Key)
		}
		if !strings.HasPrefix(step, alert.StepResolve) || j.fate(r).State != bot.RowSent {
			continue
		}
		told := slices.ContainsFunc(j.of(id, to, false), func(first bot.Row) bool { return first.Seq < r.Seq && j.fate(first).State == bot.RowSent })
		if !told || isOpen {
			j.fault("%s: the end was told, of what is open: %v, and told: %v", r.Key, isOpen, told)
		}
	}
}

// judgeBudgets: a team is told of an agent by a rule twice in a shift, and the
// third time is held back for that reason alone.
func (j *historian) judgeBudgets() {
	told := map[string]int{}
	for _, e := range slices.SortedFunc(slices.Values(j.Episodes), func(a, b heardOf) int { return cmp.Compare(a.N, b.N) }) {
		if len(e.Teams) != 1 {
			continue // what each of several teams was told is not on record
		}
		of := e.Subject + " " + e.Rule
		switch e.Outcome {
		case alert.Tell:
			if told[of]++; told[of] > alert.FirstFires {
				j.fault("#%d: %s was told for the %dth time in the shift", e.N, of, told[of])
			}
		case alert.OverBudget:
			if told[of] < alert.FirstFires {
				j.fault("#%d: %s was over its budget after %d", e.N, of, told[of])
			}
		}
	}
}

// judgeSilent: nothing is promised that a silence hides, and what waits when a
// silence begins is withdrawn.
func (j *historian) judgeSilent() {
	hides := func(at time.Time, l alert.Labels) bool {
		return slices.ContainsFunc(j.Silences, func(s hush) bool { return s.Active(at) && s.Matcher.Matches(l) })
	}
	for _, e := range j.Episodes {
		for _, r := range j.of(e.ID, "", false) {
			loud := slices.ContainsFunc(e.Teams, func(team string) bool { return !hides(r.Added, e.labels(team)) })
			if !loud && r.State != bot.RowCancelled {
				j.fault("%s was promised while it was silenced", r.Key)
			}
		}
	}
	for _, k := range j.Kills {
		for _, u := range k.Unsent {
			if hides(k.At, alert.Labels{Rule: u.Rule, Agent: u.Subject, Teams: []string{u.Team}}) {
				j.fault("%s waits with %s of %s, which is silenced", u.Row, u.Rule, u.Subject)
			}
		}
	}
}

// judgePosts: what was promised came, once; again only if it was on its way at a
// kill, and then marked.
func (j *historian) judgePosts() {
	atKill := map[string]int{}
	for _, k := range j.Kills {
		for _, key := range k.Leased {
			atKill[key]++
		}
	}
	all, plain := map[string]int{}, map[string]int{}
	for _, p := range j.Posts {
		if _, promised := j.rows[p.Key]; !promised {
			j.fault("nobody promised a message that %s has got", p.To)
			continue
		}
		all[p.Key]++
		if !p.Marked {
			plain[p.Key]++
		}
	}
	for key := range maps.Keys(all) {
		if n := atKill[key]; all[key] > 1+n || plain[key] > 1 || plain[key] == 0 && n == 0 {
			j.fault("%s came %d times, %d of them without a mark, and was on its way at %d kills", key, all[key], plain[key], n)
		}
	}
	for _, r := range j.Rows {
		if _, _, _, ok := alert.ParseKey(r.Key); ok && r.State == bot.RowSent && r.Edits == "" && all[r.Key] == 0 {
			j.fault("%s is said to be sent, and did not come", r.Key)
		}
	}
}

// judgeAssured: what people were told is done is on record.
func (j *historian) judgeAssured() {
	for _, c := range j.Assured {
		kept := false
		switch c.What {
		case "ack":
			kept = slices.ContainsFunc(j.Episodes, func(e heardOf) bool { return fmt.Sprint(e.N) == c.Object && e.AckedBy != "" }) &&
				j.audited(c, "alert "+c.Object)
		case "silence":
			kept = slices.ContainsFunc(j.Silences, func(s hush) bool {
				return s.By == c.By && s.What == c.Object && !s.Start.After(c.At) && j.audited(c, fmt.Sprintf("silence %d", s.N))
			})
		case "unsilence":
			kept = slices.ContainsFunc(j.Silences, func(s hush) bool {
				return fmt.Sprint(s.N) == c.Object && !s.End.After(c.At) && j.audited(c, "silence "+c.Object)
			})
		}
		if !kept {
			j.fault("%s was told that %s of %s is done, and it is not on record", c.By, c.What, c.Object)
		}
	}
}

// audited reports whether the act is in the audit trail.
func (j *historian) audited(c assured, object string) bool {
	return slices.ContainsFunc(j.Audit, func(a bot.AuditEntry) bool {
		return a.Actor == c.By && a.Action == c.What && a.Object == object && !a.At.After(c.At)
	})
}
