package bot_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// weekConfig is four teams in three zones, polled every five minutes.
func weekConfig(t testing.TB) bot.Config {
	d := stats.Defaults()
	for i := range d {
		d[i].Confirmed = d[i].Name != "total_calls" && d[i].Name != "idle"
	}
	const catchUp = 2 * time.Hour
	ist, london, newYork := zone(t, "Asia/Kolkata"), zone(t, "Europe/London"), zone(t, "America/New_York")
	day := schedule.Shift{Name: "day", Days: days, Start: 9 * 60, End: 18 * 60}
	support := schedule.Rota{Team: "support", Zone: ist, Shifts: []schedule.Shift{day}, Holidays: []schedule.Date{schedule.NewDate(2026, 3, 26)}}
	nights := schedule.Rota{Team: "nights", Zone: london, Shifts: []schedule.Shift{{Name: "night", Days: schedule.EveryDay, Start: 22 * 60, End: 6 * 60}}}
	sales := schedule.Rota{Team: "sales", Zone: newYork, Shifts: []schedule.Shift{{Name: "day", Days: days, Start: 9 * 60, End: 17 * 60}}}
	silent := schedule.Rota{Team: "silent", Zone: ist, Shifts: []schedule.Shift{{Name: "day", Days: days, Start: 10 * 60, End: 16 * 60}}}
	member := func(name string) []bot.Person { return []bot.Person{{Addresses: []chat.Address{person(name)}}} }
	return bot.Config{
		Metrics: d, Zone: ist, Admins: []chat.Address{person("dev")},
		PollInterval: 5 * time.Minute, RequestsPerSecond: 50, MaxInFlight: 32,
		Teams: []bot.Team{{
			Name: "support", Zone: ist, Channels: []chat.Address{person("#support")}, Rota: support, Poll: true, MinCoverage: 0.8,
			Members: append(member("asha"), member("ravi")...), Supervisors: member("meera"),
			Digests: []bot.Digest{
				{Name: "end", Schedule: schedule.Digest{Rota: support, Shift: "day", CatchUp: catchUp}},
				{Name: "midday", ToSupervisors: true, Schedule: schedule.Digest{Rota: support, Days: days, Times: []schedule.TimeOfDay{13 * 60}, CatchUp: catchUp}},
			},
		}, {
			Name: "nights", Zone: london, Channels: []chat.Address{person("#nights")}, Rota: nights, Poll: true, MinCoverage: 0.8,
			Members: member("leo"),
			Digests: []bot.Digest{
				{Name: "end", Schedule: schedule.Digest{Rota: nights, Shift: "night", CatchUp: catchUp}},
				{Name: "half", Schedule: schedule.Digest{Rota: nights, Days: schedule.EveryDay, Times: []schedule.TimeOfDay{90}, CatchUp: catchUp}},
			},
		}, {
			Name: "sales", Zone: newYork, Channels: []chat.Address{person("#sales")}, Rota: sales, Poll: true, MinCoverage: 0.8,
			Members: member("nina"),
			Digests: []bot.Digest{
				{Name: "end", Schedule: schedule.Digest{Rota: sales, Shift: "day", CatchUp: catchUp}},
				{Name: "week", Schedule: schedule.Digest{Rota: sales, Days: schedule.On(time.Friday), Times: []schedule.TimeOfDay{17*60 + 30}, Covers: schedule.CoverSinceLast, CatchUp: catchUp}},
			},
		}, {
			Name: "silent", Zone: ist, Channels: []chat.Address{person("#silent")}, Rota: silent, MinCoverage: 0.8,
			Members: member("bo"),
			Digests: []bot.Digest{{Name: "end", Schedule: schedule.Digest{Rota: silent, Shift: "day", CatchUp: catchUp}}},
		}},
	}
}

// weekPosts is everything that arrives in the week, in order: when, in UTC; the
// promise; "again" if it is marked as re-sent, "edit" if it takes the place of an
// earlier one; what it says before and beside the numbers.
const weekPosts = `
Mon 01:30 digest/nights/half/2026-03-23T01:30/console:#nights | | Sun 22 Mar 22:00 – Mon 23 Mar 01:30 Europe/London · 100% observed
Mon 06:00 digest/nights/end/2026-03-23T06:00/console:#nights | | Sun 22 Mar 22:00 – Mon 23 Mar 06:00 Europe/London · 100% observed
Mon 07:30 digest/support/midday/2026-03-23T13:00/console:meera | | Mon 23 Mar 09:00–13:00 Asia/Kolkata · 100% observed
Mon 10:30 digest/silent/end/2026-03-23T16:00/console:#silent | No data: the one linked agent could not be read. | Mon 23 Mar 10:00–16:00 Asia/Kolkata
Mon 12:30 digest/support/end/2026-03-23T18:00/console:#support | | Mon 23 Mar 09:00–18:00 Asia/Kolkata · 100% observed
Mon 21:00 digest/sales/end/2026-03-23T17:00/console:#sales | | Mon 23 Mar 09:00–17:00 America/New_York · 100% observed
Tue 01:30 digest/nights/half/2026-03-24T01:30/console:#nights | | Mon 23 Mar 22:00 – Tue 24 Mar 01:30 Europe/London · 100% observed
Tue 06:00 digest/nights/end/2026-03-24T06:00/console:#nights | | Mon 23 Mar 22:00 – Tue 24 Mar 06:00 Europe/London · 100% observed
Tue 07:30 digest/support/midday/2026-03-24T13:00/console:meera | | Tue 24 Mar 09:00–13:00 Asia/Kolkata · 100% observed
Tue 07:30 digest/support/midday/2026-03-24T13:00/console:meera again | | Tue 24 Mar 09:00–13:00 Asia/Kolkata · 100% observed
Tue 09:00 notice/relink/ravi/2026-03-24/console:ravi | The dashboard does not accept your credential any more, so I stopped asking with it. | [Link my account]
Tue 10:30 digest/silent/end/2026-03-24T16:00/console:#silent | No data: the one linked agent could not be read. | Tue 24 Mar 10:00–16:00 Asia/Kolkata
Tue 12:30 digest/support/end/2026-03-24T18:00/console:#support | | Tue 24 Mar 09:00–18:00 Asia/Kolkata · 81% observed
Tue 12:30 digest/support/end/2026-03-24T18:00/console:#support again | | Tue 24 Mar 09:00–18:00 Asia/Kolkata · 81% observed
Tue 21:00 digest/sales/end/2026-03-24T17:00/console:#sales | | Tue 24 Mar 09:00–17:00 America/New_York · 100% observed
Wed 01:30 digest/nights/half/2026-03-25T01:30/console:#nights | | Tue 24 Mar 22:00 – Wed 25 Mar 01:30 Europe/London · 100% observed
Wed 06:00 digest/nights/end/2026-03-25T06:00/console:#nights | | Tue 24 Mar 22:00 – Wed 25 Mar 06:00 Europe/London · 89% observed
Wed 07:30 digest/support/midday/2026-03-25T13:00/console:meera | Partial: only 77% of the time was observed. | Wed 25 Mar 09:00–13:00 Asia/Kolkata · 77% observed
Wed 10:30 notice/channel/console:#silent/2026-W13/console:dev | console:#silent of the team silent: send to console:#silent. | What is for it is not posted. Correct it under teams in the configuration, or bring it back.
Wed 12:30 digest/support/end/2026-03-25T18:00/console:#support | | Wed 25 Mar 09:00–18:00 Asia/Kolkata · 90% observed
Wed 21:02 digest/sales/end/2026-03-25T17:00/console:#sales | | Wed 25 Mar 09:00–17:00 America/New_York · 94% observed · last numbers of 16:27
Wed 21:05 digest/sales/end/2026-03-25T17:00/console:#sales edit | | Wed 25 Mar 09:00–17:00 America/New_York · 95% observed
Thu 01:30 digest/nights/half/2026-03-26T01:30/console:#nights | | Wed 25 Mar 22:00 – Thu 26 Mar 01:30 Europe/London · 100% observed
Thu 06:10 digest/nights/end/2026-03-26T06:00/console:#nights | | Wed 25 Mar 22:00 – Thu 26 Mar 06:00 Europe/London · 100% observed
Thu 22:00 digest/sales/end/2026-03-26T17:00/console:#sales | Delayed, covers 09:00–17:00. | Thu 26 Mar 09:00–17:00 America/New_York · 88% observed · last numbers of 15:57
Fri 01:30 digest/nights/half/2026-03-27T01:30/console:#nights | | Thu 26 Mar 22:00 – Fri 27 Mar 01:30 Europe/London · 100% observed
Fri 06:00 digest/nights/end/2026-03-27T06:00/console:#nights | | Thu 26 Mar 22:00 – Fri 27 Mar 06:00 Europe/London · 100% observed
Fri 21:00 digest/sales/end/2026-03-27T17:00/console:#sales again | Partial: only 76% of the time was observed. | Fri 27 Mar 09:00–17:00 America/New_York · 76% observed
Fri 21:30 digest/sales/week/2026-03-27T17:30/console:#sales | | Fri 20 Mar 17:30 – Fri 27 Mar 17:30 America/New_York · 93% observed · last numbers of 17:00
Sat 01:30 digest/nights/half/2026-03-28T01:30/console:#nights | | Fri 27 Mar 22:00 – Sat 28 Mar 01:30 Europe/London · 100% observed
Sat 06:00 digest/nights/end/2026-03-28T06:00/console:#nights | | Fri 27 Mar 22:00 – Sat 28 Mar 06:00 Europe/London · 100% observed
Sun 01:00 digest/nights/half/2026-03-29T01:30/console:#nights | | Sat 28 Mar 22:00 – Sun 29 Mar 01:30 Europe/London · 3 h shift, clocks went forward · 100% observed
Sun 05:00 digest/nights/end/2026-03-29T06:00/console:#nights | | Sat 28 Mar 22:00 – Sun 29 Mar 06:00 Europe/London · 7 h shift, clocks went forward · 100% observed
Mon 00:30 digest/nights/half/2026-03-30T01:30/console:#nights | | Sun 29 Mar 22:00 – Mon 30 Mar 01:30 Europe/London · 100% observed
Mon 05:00 digest/nights/end/2026-03-30T06:00/console:#nights | | Sun 29 Mar 22:00 – Mon 30 Mar 06:00 Europe/London · 100% observed
`

// weekSkips is what is on record of digests that were not sent.
const weekSkips = `
support/end/2026-03-27T18:00 late
support/midday/2026-03-27T13:00 late
silent/end/2026-03-27T16:00 late
`

// weekDead is what could not be delivered.
const weekDead = `
digest/silent/end/2026-03-25T16:00/console:#silent dead send to console:#silent: chat: destination gone
digest/silent/end/2026-03-26T16:00/console:#silent dead send to console:#silent: chat: destination gone
`

// TestWeek is a week of four teams in which the bot is stopped and killed at bad
// moments, the API and the network fail, the clocks go forward, a credential
// expires, and somebody has a holiday. What arrives is exactly this, and so is
// what is recorded of what does not; and nobody is polled but on shift.
func TestWeek(t *testing.T) {
	dir := t.TempDir()
	cryptotest.SetGlobalRandom(t, 1) // agents' ids fix when they are polled
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(utc(t, "2026-03-22 18:00")))
		w := &week{site: newSite(t, dir, weekConfig(t)), ids: map[bot.AgentID]string{}}
		w.slow = time.Second
		w.net.AddPerson("dev", chat.Person{Name: "dev"})
		w.open()
		for i, name := range weekPeople() {
			w.ids[w.link(name, i)] = name
		}
		w.close()
		w.play()
		w.open()
		defer w.close()
		for what, c := range map[string]struct{ got, want string }{
			"arrived": {w.posted(), weekPosts}, "skipped": {w.skipped(), weekSkips}, "not delivered": {w.undelivered(), weekDead},
		} {
			if want := strings.TrimPrefix(c.want, "\n"); c.got != want {
				t.Errorf("%s:\n%s\ndifference:\n%s", what, c.got, cmp.Diff(want, c.got))
			}
		}
		w.judgePolls()
		w.judgeOccurrences()
	})
}

// weekPeople are the agents of the week, in the order of the floor.
func weekPeople() []string { return []string{"asha", "ravi", "leo", "nina", "bo"} }

// A week is a site through a week.
type week struct {
	*site
	ids map[bot.AgentID]string
}

// play lets the week happen.
func (w *week) play() {
	w.start()

	// Monday: the bot is down when support's shift ends, for half a minute.
	w.until("2026-03-23 12:29:50")
	w.kill()
	w.until("2026-03-23 12:30:20")
	w.start()

	// Tuesday: it is killed when midday's post has arrived and the answer has not.
	w.until("2026-03-24 07:30:01")
	w.onItsWay(1)
	time.Sleep(500 * time.Millisecond)
	w.kill()
	w.start()
	// Ravi's credential expires. Support's own post gets no clear answer.
	w.until("2026-03-24 09:00")
	w.fault(w.floor.Agents()[1].UserID, "expired")
	w.until("2026-03-24 12:29")
	w.refuse("#support", errArrived)
	w.until("2026-03-24 12:30:02")
	w.refuse("#support", nil)

	// Wednesday: ravi links again; an hour without the API, and then from before
	// the end of sales' shift until after its digest. A channel is archived.
	w.until("2026-03-25 03:00")
	w.fault(w.floor.Agents()[1].UserID, "")
	w.link("ravi", 1)
	w.until("2026-03-25 04:58")
	w.fault("*", "reset")
	w.until("2026-03-25 05:58")
	w.fault("*", "")
	w.until("2026-03-25 10:00")
	w.net.Remove("#silent")
	w.until("2026-03-25 20:30")
	w.fault("*", "html502")
	w.until("2026-03-25 21:03:30")
	w.fault("*", "")

	// Thursday: a channel asks to wait, for ten minutes. The bot is down over the
	// end of sales' shift.
	w.until("2026-03-26 05:59")
	w.refuse("#nights", &chat.RetryError{After: 45 * time.Second, Err: errors.New("too many messages")})
	w.until("2026-03-26 06:10")
	w.refuse("#nights", nil)
	w.until("2026-03-26 20:00")
	w.stop()
	w.until("2026-03-26 22:00")
	w.start()

	// Friday: down over three digests for too long, killed before sales' post
	// arrives.
	w.until("2026-03-27 07:00")
	w.kill()
	w.until("2026-03-27 15:00")
	w.start()
	w.until("2026-03-27 21:00:00")
	w.onItsWay(1)
	w.kill()
	w.until("2026-03-27 21:00:20")
	w.start()

	// Saturday and Sunday: restarts when nights' digests are due, once in the gap.
	w.until("2026-03-28 06:00")
	w.stop()
	w.start()
	w.until("2026-03-29 00:59:50")
	w.kill()
	w.until("2026-03-29 01:00:10")
	w.start()
	w.until("2026-03-30 05:30")
	w.stop()
}

// onItsWay waits until so many messages are on their way.
func (w *week) onItsWay(n int) {
	for range 100 {
		if w.line.busy() == n {
			return
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
	}
	w.t.Errorf("%s: nothing is on its way", time.Now().UTC())
}

// name writes the names of people in the place of their ids.
func (w *week) name(text string) string {
	for id, name := range w.ids {
		text = strings.ReplaceAll(text, string(id), name)
	}
	return text
}

// numbers begins what a digest says of them.
var numbers = regexp.MustCompile(`\d+ calls? answered.*`)

// posted writes what arrived as weekPosts does.
func (w *week) posted() string {
	var b strings.Builder
	of := map[chat.Ref]string{}
	for _, p := range w.arrived() {
		what := w.name(p.key)
		of[p.ref] = what
		switch {
		case p.edits != chat.Ref{}:
			what = of[p.edits] + " edit"
		case p.resent:
			what += " again"
		}
		lines := strings.Split(p.text, "\n")
		fmt.Fprintf(&b, "%s %s | %s| %s\n", p.at.UTC().Format("Mon 15:04"), what, numbers.ReplaceAllString(lines[1]+" ", ""), lines[len(lines)-1])
	}
	return b.String()
}

// digests calls fn with every digest of the week.
func (w *week) digests(fn func(team bot.Team, d bot.Digest)) {
	for _, team := range w.config.Teams {
		for _, d := range team.Digests {
			fn(team, d)
		}
	}
}

// skipped writes what is on record of digests that were not sent.
func (w *week) skipped() string {
	var b strings.Builder
	w.digests(func(team bot.Team, d bot.Digest) {
		for _, o := range w.occurrences(team.Name, d.Name) {
			if o.Skipped != "" {
				fmt.Fprintf(&b, "%s/%s/%s %s\n", team.Name, d.Name, o.Nominal, o.Skipped)
			}
		}
	})
	return b.String()
}

// undelivered writes what is in the outbox and not sent.
func (w *week) undelivered() string {
	var b strings.Builder
	for row, err := range w.store.Rows() {
		if err != nil {
			w.t.Fatal(err)
		}
		if row.State != bot.RowSent {
			fmt.Fprintf(&b, "%s %s %s\n", w.name(row.Key), row.State, row.Reason)
		}
	}
	return b.String()
}

// judgeOccurrences checks that every due time of the week is on record, once.
func (w *week) judgeOccurrences() {
	from, to := utc(w.t, "2026-03-22 18:00"), utc(w.t, "2026-03-30 05:30")
	w.digests(func(team bot.Team, d bot.Digest) {
		var want, got []string
		for o := range d.Schedule.Schedule().Between(from, to) {
			want = append(want, o.Nominal.String())
		}
		for _, o := range w.occurrences(team.Name, d.Name) {
			got = append(got, o.Nominal.String())
		}
		slices.Reverse(got)
		if !slices.Equal(got, want) {
			w.t.Errorf("%s/%s is on record for %v, want %v", team.Name, d.Name, got, want)
		}
	})
}

// judgePolls checks that nobody was asked about but on shift and, in the five
// minutes after it, about how it ended; and everybody as often as they should.
func (w *week) judgePolls() {
	names := map[string]string{}
	for i, name := range weekPeople() {
		names[w.floor.Agents()[i].UserID] = name
	}
	count := func(name, from, to string) (n int) {
		for _, a := range w.requests() {
			if names[a.user] == name && !a.at.Before(utc(w.t, from)) && a.at.Before(utc(w.t, to)) {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		name, from, to string
		want           int
	}{
		{"nina", "2026-03-23 12:00", "2026-03-23 22:00", 8*12 + 1}, // a shift without trouble
		{"leo", "2026-03-23 21:00", "2026-03-24 07:00", 8*12 + 1},  // and a night
		{"ravi", "2026-03-24 09:05", "2026-03-25 03:00", 0},        // refused, and not linked again
		{"bo", "2026-03-22 18:00", "2026-03-30 05:30", 0},          // of a team that is not polled
		{"asha", "2026-03-25 12:30:05", "2026-03-27 03:30", 0},     // a holiday
		{"leo", "2026-03-28 21:00", "2026-03-29 06:00", 7*12 + 1},  // a night of seven hours, with a restart
	} {
		if n := count(c.name, c.from, c.to); n != c.want {
			w.t.Errorf("%s was asked about %d times from %s to %s, want %d", c.name, n, c.from, c.to, c.want)
		}
	}
	for _, a := range w.requests() {
		name := names[a.user]
		if !works(w.t, name, a.at) && !works(w.t, name, a.at.Add(-5*time.Minute-time.Second)) {
			w.t.Errorf("%s was asked about at %s", name, a.at.UTC().Format(time.DateTime))
		}
	}
}

// works says when people of the week work, as their contracts have it.
func works(t testing.TB, name string, at time.Time) bool {
	switch name {
	case "asha", "ravi":
		at = at.In(zone(t, "Asia/Kolkata"))
		return weekday(at) && at.Day() != 26 && 9 <= at.Hour() && at.Hour() < 18
	case "leo":
		at = at.In(zone(t, "Europe/London"))
		return at.Hour() >= 22 || at.Hour() < 6
	case "nina":
		at = at.In(zone(t, "America/New_York"))
		return weekday(at) && 9 <= at.Hour() && at.Hour() < 17
	}
	return false
}

func weekday(at time.Time) bool { return at.Weekday() != time.Saturday && at.Weekday() != time.Sunday }
