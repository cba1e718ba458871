package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/dashboard"
)

// errOf is the error of what also says whether it changed anything.
func errOf(_ bool, err error) error { return err }

// mustUpdate runs a transaction that must succeed.
func mustUpdate(t testing.TB, s *Store, f func(bot.Tx) error) {
	t.Helper()
	if err := s.Update(f); err != nil {
		t.Fatal(err)
	}
}

// everything does one of each kind of write.
func everything(id bot.AgentID) func(tx bot.Tx) error {
	return func(tx bot.Tx) error {
		_, enqueued := tx.Enqueue(rowTo("k", "slack:U1", bot.LaneAlert))
		_, cancelled := tx.Cancel("old", "resolved", noon)
		_, recorded := tx.RecordOccurrence(bot.Occurrence{Team: "support", Name: "day"})
		return errors.Join(enqueued, cancelled, recorded,
			tx.SaveSeen(id, goldenForms()["v1/seen"].(bot.Seen)),
			tx.SaveLast(id, dashboard.Counters{At: noon.Add(time.Hour), Date: noon.Add(time.Hour)}),
			errOf(tx.SetLinkState(id, bot.LinkRelink, "refused", noon)),
			tx.PutRecord(bot.RecordAlerts, "a", []byte("{}")),
			tx.DropRecord(bot.RecordAlerts, "b"))
	}
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	s := open(t, testConfig(t))
	id := mustLink(t, s, linkOf("slack:U1", pair("17", "t1"))).Agent.ID
	enqueue(t, s, rowTo("old", "slack:U1", bot.LaneAlert))
	mustUpdate(t, s, func(tx bot.Tx) error { return tx.PutRecord(bot.RecordAlerts, "b", []byte("1")) })
	state := func() (words []string) {
		a, err := s.AgentAt(at("slack:U1"))
		seen, err2 := s.Seen(id)
		err3 := s.View(func(tx bot.Tx) error {
			_, occurred, err := tx.LastOccurrence("support", "day", noon)
			_, a, err2 := tx.Record(bot.RecordAlerts, "a")
			_, b, err3 := tx.Record(bot.RecordAlerts, "b")
			words = append(words, fmt.Sprint(occurred, a, b))
			return errors.Join(err, err2, err3)
		})
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		for _, r := range collect(t, s.Rows()) {
			words = append(words, r.Key+" "+string(r.State))
		}
		return append(words, string(a.State), fmt.Sprint(seen.First.At.Equal(noon), seen.Last.At.Equal(noon.Add(time.Hour))))
	}
	before := []string{"false false true", "old pending", "active", "false false"}
	after := []string{"true true false", "old cancelled", "k pending", "relink", "true true"}
	if got := state(); !slices.Equal(got, before) {
		t.Fatalf("before: %q", got)
	}
	failed := errors.New("no luck")
	err := s.Update(func(tx bot.Tx) error { return errors.Join(everything(id)(tx), failed) })
	if got := state(); !slices.Equal(got, before) || !errors.Is(err, failed) {
		t.Errorf("after a failure (%v): %q", err, got)
	}
	mustUpdate(t, s, everything(id))
	s = reopen(t, s)
	if got := state(); !slices.Equal(got, after) {
		t.Errorf("after an update: %q, want %q", got, after)
	}
}

func TestViewDoesNotWrite(t *testing.T) {
	s := open(t, testConfig(t))
	id := mustLink(t, s, linkOf("slack:U1", pair("17", "t1"))).Agent.ID
	enqueue(t, s, rowTo("old", "slack:U1", bot.LaneAlert))
	for name, write := range map[string]func(tx bot.Tx) error{
		"enqueue": func(tx bot.Tx) error { _, err := tx.Enqueue(rowTo("k", "slack:U1", 0)); return err },
		"cancel":  func(tx bot.Tx) error { _, err := tx.Cancel("old", "", noon); return err },
		"occur":   func(tx bot.Tx) error { _, err := tx.RecordOccurrence(bot.Occurrence{}); return err },
		"seen":    func(tx bot.Tx) error { return tx.SaveSeen(id, bot.Seen{}) },
		"last":    func(tx bot.Tx) error { return tx.SaveLast(id, dashboard.Counters{}) },
		"state":   func(tx bot.Tx) error { return errOf(tx.SetLinkState(id, bot.LinkRelink, "", noon)) },
		"put":     func(tx bot.Tx) error { return tx.PutRecord(bot.RecordAlerts, "a", []byte("1")) },
		"drop":    func(tx bot.Tx) error { return tx.DropRecord(bot.RecordAlerts, "a") },
	} {
		if err := s.View(write); err == nil {
			t.Errorf("%s in a view is no error", name)
		}
	}
}

func TestTxOfStrangers(t *testing.T) {
	s := open(t, testConfig(t))
	mustUpdate(t, s, func(tx bot.Tx) error {
		seen := goldenForms()["v1/seen"].(bot.Seen)
		return errors.Join(tx.SaveSeen("nobody", seen), tx.SaveLast("nobody", seen.Last))
	})
	err := s.Update(func(tx bot.Tx) error {
		if seen, err := tx.SeenTimes("nobody"); err != nil || !seen.Last.Date.IsZero() {
			t.Errorf("seen of nobody: %+v, %v", seen, err)
		}
		return errOf(tx.SetLinkState("nobody", bot.LinkRelink, "", noon))
	})
	if !errors.Is(err, bot.ErrNotLinked) {
		t.Errorf("state of nobody: %v", err)
	}
}

// occurrence is a digest's on a day of August.
func occurrence(team, name string, day int) bot.Occurrence {
	start := time.Date(2026, 8, day, 3, 30, 0, 0, time.UTC)
	return bot.Occurrence{
		Team: team, Name: name, Nominal: schedule.Civil{Date: schedule.NewDate(2026, 8, day), Time: 18 * 60}, At: start.Add(9 * time.Hour),
		Window: schedule.Span{Start: start, End: start.Add(9 * time.Hour)}, Recorded: start.Add(10 * time.Hour),
	}
}

func TestOccurrences(t *testing.T) {
	s := open(t, testConfig(t))
	lastBy := func(team, name string, by time.Time) (o bot.Occurrence, found bool) {
		err := s.View(func(tx bot.Tx) (err error) {
			o, found, err = tx.LastOccurrence(team, name, by)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return o, found
	}
	last := func(team, name string) (bot.Occurrence, bool) { return lastBy(team, name, noon.AddDate(1, 0, 0)) }
	if o, found := last("b", "day"); found {
		t.Errorf("found %+v in an empty store", o)
	}
	skipped := occurrence("b", "day", 3)
	skipped.Skipped, skipped.Window = "holiday", schedule.Span{}
	all := []bot.Occurrence{occurrence("b", "day", 2), skipped, occurrence("b", "day", 1), occurrence("b", "da", 9), occurrence("b", "dayz", 9), occurrence("a", "day", 5), occurrence("c", "day", 5)}
	for i, o := range append(all, all...) {
		o.Skipped += strings.Repeat("again", i/len(all))
		mustUpdate(t, s, func(tx bot.Tx) error {
			if added, err := tx.RecordOccurrence(o); added != (i < len(all)) || err != nil {
				t.Errorf("occurrence %d added: %v, %v", i, added, err)
			}
			return nil
		})
	}
	s = reopen(t, s)
	for _, want := range []bot.Occurrence{skipped, occurrence("b", "da", 9), occurrence("b", "dayz", 9), occurrence("a", "day", 5), occurrence("c", "day", 5)} {
		if o, found := last(want.Team, want.Name); !found || o != want {
			t.Errorf("last of %s/%s: %+v, want %+v", want.Team, want.Name, o, want)
		}
	}
	first, second := occurrence("b", "day", 1), occurrence("b", "day", 2)
	for _, c := range []struct {
		by   time.Time
		want bot.Occurrence
	}{{second.At, second}, {second.At.Add(-1), first}, {first.At, first}, {first.At.Add(-1), bot.Occurrence{}}} {
		if o, found := lastBy("b", "day", c.by); o != c.want || found == c.want.At.IsZero() {
			t.Errorf("last by %s: %+v, want %+v", c.by, o, c.want)
		}
	}
	for _, none := range []string{"d", "", "bday"} {
		if o, found := last(none, "day"); found {
			t.Errorf("last of %s/day: %+v", none, o)
		}
	}
	if err := s.Update(func(tx bot.Tx) error {
		_, err := tx.RecordOccurrence(occurrence("b\x00day", "", 1))
		return err
	}); err == nil {
		t.Error("a name that reaches into another digest's is accepted")
	}
}

func TestTrimKeepsTheNewestOccurrence(t *testing.T) {
	s := open(t, testConfig(t))
	mustUpdate(t, s, func(tx bot.Tx) error {
		for day := range 2 * pageSize {
			for _, name := range []string{"day", "night"} {
				if _, err := tx.RecordOccurrence(occurrence("support", name, day)); err != nil {
					return err
				}
			}
		}
		_, err := tx.RecordOccurrence(occurrence("support", "once", -200))
		return err
	})
	left := func() (keys []string) {
		err := s.view(func(t txn) error {
			for key := range t.keys(bucketOccurrences, "") {
				keys = append(keys, key)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	at := occurrence("", "", 2*pageSize-3).At
	if err := s.Trim(at.Add(keepSettled), 0); err != nil {
		t.Fatal(err)
	}
	if keys := left(); len(keys) != 7 || !strings.HasPrefix(keys[6], "support\x00once") {
		t.Errorf("left: %q", keys)
	}
	if err := s.Trim(at.AddDate(10, 0, 0), 0); err != nil {
		t.Fatal(err)
	}
	if keys := left(); len(keys) != 3 || !strings.HasSuffix(keys[0], occurrence("", "", 2*pageSize-1).Nominal.String()) {
		t.Errorf("left in the end: %q", keys)
	}
}

func TestRecords(t *testing.T) {
	s := open(t, testConfig(t))
	mustUpdate(t, s, func(tx bot.Tx) error {
		for i := range 3 * pageSize {
			if err := bot.WriteRecord(tx, bot.RecordAlerts, fmt.Sprintf("rule/%04d", i), i); err != nil {
				return err
			}
		}
		return errors.Join(bot.WriteRecord(tx, bot.RecordAlerts, "rule", "before"), bot.WriteRecord(tx, bot.RecordAlerts, "rulf", "after"),
			bot.WriteRecord(tx, bot.RecordSilences, "rule/0001", "of another kind"))
	})
	mustUpdate(t, s, func(tx bot.Tx) error { // the consumer drops, changes and adds
		n := 0
		for r, err := range bot.EachRecord[int](tx, bot.RecordAlerts, "rule/") {
			if err != nil || r.Value != n || r.Key != fmt.Sprintf("rule/%04d", n) {
				t.Fatalf("record %d: %+v, %v", n, r, err)
			}
			switch n % 3 {
			case 0:
				err = tx.DropRecord(bot.RecordAlerts, r.Key)
			case 1:
				err = bot.WriteRecord(tx, bot.RecordAlerts, r.Key, -n)
			case 2:
				err = bot.WriteRecord(tx, bot.RecordAlerts, "rul/"+r.Key, n)
			}
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 3*pageSize {
			t.Errorf("%d records", n)
		}
		return nil
	})
	s = reopen(t, s)
	err := s.View(func(tx bot.Tx) error {
		if v, found, err := bot.ReadRecord[int](tx, bot.RecordAlerts, "rule/0001"); v != -1 || !found || err != nil {
			t.Errorf("changed: %d, %v, %v", v, found, err)
		}
		if v, found, err := bot.ReadRecord[int](tx, bot.RecordAlerts, "rule/0003"); v != 0 || found || err != nil {
			t.Errorf("dropped: %d, %v, %v", v, found, err)
		}
		if v, found, err := bot.ReadRecord[int](tx, bot.RecordAlerts, "rule"); found || err == nil {
			t.Errorf("of another type: %d, %v, %v", v, found, err)
		}
		if n := len(collect(t, tx.Records(bot.RecordAlerts, ""))); n != 3*pageSize+2 {
			t.Errorf("%d records left", n)
		}
		for range tx.Records(bot.RecordAlerts, "rule/") {
			break // must not go on
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestRecordsRefuse(t *testing.T) {
	s := open(t, testConfig(t))
	for name, f := range map[string]func(tx bot.Tx) error{
		"another bucket, put":  func(tx bot.Tx) error { return tx.PutRecord(bucketAgents, "x", []byte("{}")) },
		"another bucket, drop": func(tx bot.Tx) error { return tx.DropRecord(bucketAgents, "x") },
		"another bucket, get":  func(tx bot.Tx) error { _, _, err := tx.Record(bucketCredentials, "x"); return err },
		"another bucket, list": func(tx bot.Tx) error {
			for _, err := range tx.Records(bucketCredentials, "") {
				return err
			}
			return nil
		},
		"no JSON": func(tx bot.Tx) error { return tx.PutRecord(bot.RecordAlerts, "x", []byte("{")) },
		"no key":  func(tx bot.Tx) error { return tx.PutRecord(bot.RecordAlerts, "", []byte("{}")) },
	} {
		if err := s.Update(f); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestRecordsAreBoundToTheirPlace moves quiet hours and makes up a silence, as
// somebody could who can write the file.
func TestRecordsAreBoundToTheirPlace(t *testing.T) {
	s := open(t, testConfig(t))
	mustUpdate(t, s, func(tx bot.Tx) error {
		return errors.Join(tx.PutRecord(bot.RecordQuiet, "a", []byte(`"22:00"`)), tx.PutRecord(bot.RecordQuiet, "z", []byte(`"22:00"`)))
	})
	tamper(t, s, move(string(bot.RecordQuiet), "a", "b"))
	tamper(t, s, func(t txn) error {
		return t.put(string(bot.RecordSilences), "a", slices.Clone(t.get(string(bot.RecordQuiet), "a")))
	})
	err := s.View(func(tx bot.Tx) error {
		for _, forged := range []struct {
			kind bot.RecordKind
			key  string
		}{{bot.RecordQuiet, "b"}, {bot.RecordSilences, "a"}} {
			if value, found, err := tx.Record(forged.kind, forged.key); found || err != nil || value != nil {
				t.Errorf("%v: %s, %v, %v", forged, value, found, err)
			}
		}
		var seen []string
		for r, err := range tx.Records(bot.RecordQuiet, "") {
			seen = append(seen, fmt.Sprint(r.Key, string(r.Value), err == nil))
		}
		if want := []string{`a"22:00"true`, `z"22:00"true`}; !slices.Equal(seen, want) {
			t.Errorf("listed: %q, want %q", seen, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if got, want := s.Damaged(), []string{`record "a" of silences`, `record "b" of quiet`}; !slices.Equal(got, want) {
		t.Errorf("named: %q, want %q", got, want)
	}
}

func TestRecordsGoWithTheirAgent(t *testing.T) {
	s := open(t, testConfig(t))
	id := mustLink(t, s, linkOf("slack:U1", pair("17", "t1"))).Agent.ID
	mustUpdate(t, s, func(tx bot.Tx) error {
		for _, key := range []string{string(id), string(id) + "/missed-burst", string(id) + "0", "slack:U1"} {
			for _, kind := range recordKinds() {
				if err := tx.PutRecord(kind, key, []byte("{}")); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if _, err := s.Unlink(id, bot.AuditEntry{Action: "unlink"}, ""); err != nil {
		t.Fatal(err)
	}
	err := s.View(func(tx bot.Tx) error {
		for _, kind := range recordKinds() {
			var left []string
			for _, r := range collect(t, tx.Records(kind, "")) {
				left = append(left, r.Key)
			}
			if want := []string{string(id) + "0", "slack:U1"}; !slices.Equal(left, want) {
				t.Errorf("%s: left %q, want %q", kind, left, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestUpdateHoldsNoReader reads while a transaction is open, and leases after it.
func TestUpdateHoldsNoReader(t *testing.T) {
	s := open(t, testConfig(t))
	mustUpdate(t, s, func(tx bot.Tx) error {
		read := make(chan int)
		go func() {
			n := 0
			for range s.Rows() {
				n++
			}
			read <- n
		}()
		if _, err := tx.Enqueue(rowTo("k", "slack:U1", bot.LaneAlert)); err != nil {
			return err
		}
		if n := <-read; n != 0 {
			t.Errorf("%d rows seen before the commit", n)
		}
		return nil
	})
	if rows, _, err := s.Lease(chat.Slack, noon, noon.Add(time.Minute), 1); err != nil || len(rows) != 1 {
		t.Errorf("leased: %v, %v", rows, err)
	}
}
