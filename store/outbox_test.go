package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	gocmp "github.com/google/go-cmp/cmp"
)

// enqueue adds rows, "key address lane", in one transaction.
func enqueue(t testing.TB, s *Store, rows ...bot.Row) {
	t.Helper()
	err := s.Update(func(tx bot.Tx) error {
		for _, r := range rows {
			if _, err := tx.Enqueue(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rowTo is a row that may leave at once.
func rowTo(key, to string, lane bot.Lane) bot.Row {
	return bot.Row{Key: key, To: at(to), Lane: lane, Message: chat.Message{Title: key}, Added: noon}
}

// lease returns the keys of leased rows, separated by spaces.
func lease(t testing.TB, s *Store, now time.Time, n int) string {
	t.Helper()
	rows, _, err := s.Lease(chat.Slack, now, now.Add(30*time.Second), n)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range rows {
		keys = append(keys, r.Key)
	}
	return strings.Join(keys, " ")
}

func settle(t testing.TB, s *Store, key string, o bot.Outcome) {
	t.Helper()
	if err := s.Settle(key, o); err != nil {
		t.Fatal(err)
	}
}

// rowOf returns a row by its key.
func rowOf(t testing.TB, s *Store, key string) (r bot.Row) {
	t.Helper()
	err := s.View(func(tx bot.Tx) (err error) {
		found := false
		if r, found, err = tx.Row(key); !found {
			t.Errorf("row %s is not there", key)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLeaseOrder(t *testing.T) {
	s := open(t, testConfig(t))
	enqueue(t, s,
		rowTo("d1", "slack:U2", bot.LaneDigest), rowTo("d2", "slack:U1", bot.LaneDigest), rowTo("a1", "slack:U1", bot.LaneAlert),
		rowTo("n1", "slack:U3", bot.LaneNotice), rowTo("a2", "slack:U1", bot.LaneAlert), rowTo("x1", "discord:U1", bot.LaneNotice))
	for _, want := range []string{"n1 a1", "d1"} { // by lane over all addresses, then by age
		if got := lease(t, s, noon, 2); got != want {
			t.Errorf("leased %q, want %q", got, want)
		}
	}
	if got := lease(t, s, noon, 9); got != "" {
		t.Errorf("leased %q while every address is served", got)
	}
	settle(t, s, "a1", bot.Outcome{State: bot.RowSent, At: noon})
	enqueue(t, s, rowTo("n2", "slack:U2", bot.LaneNotice)) // before d1, which is leased
	for _, want := range []string{"a2", ""} {
		if got := lease(t, s, noon, 9); got != want {
			t.Errorf("leased %q, want %q", got, want)
		}
	}
	if got := lease(t, s, noon, 0); got != "" {
		t.Errorf("leased %q, want none", got)
	}
}

func TestPutOffRowLetsOthersPass(t *testing.T) {
	s := open(t, testConfig(t))
	held := rowTo("held", "slack:U1", bot.LaneAlert)
	held.NotBefore = noon.Add(time.Hour)
	enqueue(t, s, held, rowTo("next", "slack:U1", bot.LaneAlert))
	if got := lease(t, s, noon, 9); got != "next" {
		t.Errorf("leased %q", got)
	}
	settle(t, s, "next", bot.Outcome{State: bot.RowSent, At: noon})
	wantWake(t, s, noon.Add(time.Hour))
	if got := lease(t, s, noon.Add(time.Hour-1), 9); got != "" {
		t.Errorf("leased %q before its time", got)
	}
	if got := lease(t, s, noon.Add(time.Hour), 9); got != "held" {
		t.Errorf("leased %q at its time", got)
	}
}

func TestRetriedRowKeepsItsPlace(t *testing.T) {
	s := open(t, testConfig(t))
	enqueue(t, s, rowTo("first", "slack:U1", bot.LaneAlert), rowTo("second", "slack:U1", bot.LaneAlert), rowTo("last", "slack:U1", bot.LaneDigest))
	lease(t, s, noon, 9)
	settle(t, s, "first", bot.Outcome{State: bot.RowPending, Next: noon.Add(time.Minute), Reason: "busy", At: noon})
	if got := lease(t, s, noon.Add(59*time.Second), 9); got != "" {
		t.Errorf("%q has overtaken", got)
	}
	wantWake(t, s, noon.Add(time.Minute))
	enqueue(t, s, rowTo("urgent", "slack:U1", bot.LaneNotice))
	if got := lease(t, s, noon, 9); got != "urgent" {
		t.Errorf("leased %q: a lane before it need not wait", got)
	}
	settle(t, s, "urgent", bot.Outcome{State: bot.RowSent, At: noon})
	if got := lease(t, s, noon.Add(time.Minute), 9); got != "first" {
		t.Errorf("leased %q when it is due", got)
	}
	if r := rowOf(t, s, "first"); r.Attempts != 2 || r.Reason != "busy" || r.InDoubt {
		t.Errorf("row is %+v", r)
	}
}

// wantWake checks when the deliverer is to look again.
func wantWake(t testing.TB, s *Store, want time.Time) {
	t.Helper()
	if got, err := s.Wake(chat.Slack); err != nil || !got.Equal(want) {
		t.Errorf("wakes at %v, %v, want %v", got, err, want)
	}
}

func TestWake(t *testing.T) {
	s := open(t, testConfig(t))
	wantWake(t, s, time.Time{})
	enqueue(t, s, rowTo("other network", "discord:U1", bot.LaneAlert))
	wantWake(t, s, time.Time{})
	later := rowTo("later", "slack:U1", bot.LaneAlert)
	later.NotBefore, later.GiveUp = noon.Add(time.Hour), noon.Add(2*time.Hour)
	enqueue(t, s, later)
	wantWake(t, s, noon.Add(time.Hour))
	later.Key, later.GiveUp = "hopeless", noon.Add(time.Minute)
	enqueue(t, s, later)
	wantWake(t, s, noon.Add(time.Minute)) // to give it up
	enqueue(t, s, rowTo("now", "slack:U2", bot.LaneAlert))
	if got, err := s.Wake(chat.Slack); err != nil || got.IsZero() || got.After(noon) {
		t.Errorf("wakes at %v, %v, want at once", got, err)
	}
	lease(t, s, noon, 9)
	wantWake(t, s, noon.Add(30*time.Second)) // when the lease is over
	enqueue(t, s, rowTo("behind", "slack:U2", bot.LaneAlert))
	enqueue(t, s, rowTo("ahead", "slack:U2", bot.LaneNotice))
	wantWake(t, s, noon.Add(30*time.Second)) // else the deliverer would turn in a circle
}

// TestWakeWithALeaseThatIsOver has nothing to do at once: the row is behind one
// that is to be tried again later.
func TestWakeWithALeaseThatIsOver(t *testing.T) {
	s := open(t, testConfig(t))
	r := rowTo("lost", "slack:U1", bot.LaneDigest)
	r.GiveUp = noon.Add(10 * time.Second)
	enqueue(t, s, r, rowTo("other", "slack:U2", bot.LaneDigest))
	lease(t, s, noon, 9)
	wantWake(t, s, noon.Add(30*time.Second)) // to give it up, when the lease is over
	enqueue(t, s, rowTo("busy", "slack:U2", bot.LaneAlert))
	if got := lease(t, s, noon.Add(30*time.Second), 9); got != "busy" {
		t.Fatalf("leased %q", got)
	}
	settle(t, s, "busy", bot.Outcome{State: bot.RowPending, Next: noon.Add(time.Hour), At: noon})
	wantWake(t, s, noon.Add(time.Hour))
}

func TestGiveUp(t *testing.T) {
	s := open(t, testConfig(t))
	r := rowTo("late", "slack:U1", bot.LaneAlert)
	r.GiveUp = noon.Add(time.Minute)
	leased := rowTo("leased", "slack:U2", bot.LaneAlert)
	leased.GiveUp = r.GiveUp
	enqueue(t, s, r, leased, rowTo("behind", "slack:U1", bot.LaneAlert))
	if got := lease(t, s, noon.Add(time.Minute-1), 1); got != "late" {
		t.Fatalf("leased %q", got)
	}
	settle(t, s, "late", bot.Outcome{State: bot.RowPending, Next: noon, Reason: "no luck", At: noon})
	rows, _, err := s.Lease(chat.Slack, noon, noon.Add(time.Hour), 1) // late
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	if got := lease(t, s, noon.Add(2*time.Minute), 9); got != "" {
		t.Errorf("leased %q: overdue, and behind a leased one", got)
	}
	if r := rowOf(t, s, "leased"); r.State != bot.RowDead || r.Reason != "too late" || r.InDoubt || !r.Settled.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("overdue row: %+v", r)
	}
	if r := rowOf(t, s, "late"); r.State != bot.RowLeased {
		t.Errorf("a leased row was given up: %+v", r)
	}
	if got := lease(t, s, noon.Add(time.Hour), 9); got != "behind" {
		t.Errorf("leased %q when the lease of an overdue row was over", got)
	}
	if r := rowOf(t, s, "late"); r.State != bot.RowDead || r.Reason != "too late: no luck" || !r.InDoubt {
		t.Errorf("overdue row with a lease that is over: %+v", r)
	}
}

func TestLeaseIsTakenOver(t *testing.T) {
	s := open(t, testConfig(t))
	enqueue(t, s, rowTo("k", "slack:U1", bot.LaneAlert))
	lease(t, s, noon, 1)
	if got := lease(t, s, noon.Add(30*time.Second-1), 1); got != "" {
		t.Errorf("%q leased twice", got)
	}
	rows, _, err := s.Lease(chat.Slack, noon.Add(30*time.Second), noon.Add(time.Minute), 1)
	if err != nil || len(rows) != 1 || !rows[0].InDoubt || rows[0].Attempts != 2 {
		t.Fatalf("taken over: %+v, %v", rows, err)
	}
	settle(t, s, "k", bot.Outcome{State: bot.RowDead, Attempt: 1, Reason: "the first one's", At: noon})
	if r := rowOf(t, s, "k"); r.State != bot.RowLeased {
		t.Errorf("the first attempt settled what it had lost: %+v", r)
	}
	settle(t, s, "k", bot.Outcome{State: bot.RowSent, Attempt: 2, Ref: chat.Ref{Network: chat.Slack, ID: "1"}, At: noon})
	settle(t, s, "k", bot.Outcome{State: bot.RowDead, Attempt: 2, Reason: "again", At: noon})
	r := rowOf(t, s, "k")
	want := bot.Row{Key: "k", To: at("slack:U1"), Lane: bot.LaneAlert, Seq: 1, State: bot.RowSent, Attempts: 2, InDoubt: true,
		Ref: chat.Ref{Network: chat.Slack, ID: "1"}, Added: noon, Settled: noon}
	if diff := gocmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
}

func TestRecover(t *testing.T) {
	s := open(t, testConfig(t))
	enqueue(t, s, rowTo("a", "slack:U1", bot.LaneAlert), rowTo("b", "slack:U1", bot.LaneAlert), rowTo("c", "slack:U2", bot.LaneAlert), rowTo("d", "discord:U2", bot.LaneAlert))
	lease(t, s, noon, 9)
	if _, _, err := s.Lease(chat.Discord, noon, noon.Add(time.Hour), 1); err != nil {
		t.Fatal(err)
	}
	settle(t, s, "c", bot.Outcome{State: bot.RowSent, At: noon})
	s = reopen(t, s)
	for _, want := range []int{2, 0} {
		if n, err := s.Recover(noon.Add(time.Second)); n != want || err != nil {
			t.Errorf("recovered %d, %v, want %d", n, err, want)
		}
	}
	if r := rowOf(t, s, "a"); r.State != bot.RowPending || !r.InDoubt {
		t.Errorf("recovered: %+v", r)
	}
	if got := lease(t, s, noon.Add(time.Second), 9); got != "a" {
		t.Errorf("leased %q: a recovered row keeps its place", got)
	}
	settle(t, s, "a", bot.Outcome{State: bot.RowPending, Next: noon, At: noon})
	if r := rowOf(t, s, "a"); !r.InDoubt {
		t.Error("a clear failure has cleared the doubt about an earlier attempt")
	}
}

func TestCancel(t *testing.T) {
	s := open(t, testConfig(t))
	enqueue(t, s, rowTo("leased", "slack:U1", bot.LaneAlert), rowTo("pending", "slack:U1", bot.LaneAlert), rowTo("doubt", "slack:U2", bot.LaneAlert))
	lease(t, s, noon, 9)
	settle(t, s, "doubt", bot.Outcome{State: bot.RowPending, InDoubt: true, Next: noon, At: noon})
	for key, want := range map[string]bool{"leased": false, "pending": true, "doubt": false, "nobody": false} {
		for _, want := range []bool{want, false} {
			err := s.Update(func(tx bot.Tx) error {
				if ok, err := tx.Cancel(key, "resolved", noon); ok != want || err != nil {
					t.Errorf("cancel %s: %v, %v", key, ok, err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	if r := rowOf(t, s, "pending"); r.State != bot.RowCancelled || r.Reason != "resolved" || r.Settled != noon || r.Message.Title != "" {
		t.Errorf("cancelled: %+v", r)
	}
	settle(t, s, "leased", bot.Outcome{State: bot.RowSent, At: noon})
	if got := lease(t, s, noon, 9); got != "doubt" {
		t.Errorf("leased %q, want what is left", got)
	}
}

func TestEnqueueRefuses(t *testing.T) {
	s := open(t, testConfig(t))
	for name, r := range map[string]bot.Row{
		"no key":        rowTo("", "slack:U1", 0),
		"no address":    {Key: "k"},
		"zero byte":     {Key: "k", To: chat.Address{Network: chat.Slack, ID: "U\x001"}},
		"lane too high": rowTo("k", "slack:U1", 256),
		"lane too low":  rowTo("k", "slack:U1", -1),
	} {
		err := s.Update(func(tx bot.Tx) error {
			_, err := tx.Enqueue(r)
			return err
		})
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, state := range []bot.RowState{bot.RowLeased, ""} {
		if err := s.Settle("k", bot.Outcome{State: state}); err == nil {
			t.Errorf("outcome %q is accepted", state)
		}
	}
	if rows := collect(t, s.Rows()); len(rows) > 0 {
		t.Errorf("rows: %+v", rows)
	}
}

func TestRowsAndTrim(t *testing.T) {
	s := open(t, testConfig(t))
	const n = pageSize + 20
	for i := range n {
		enqueue(t, s, rowTo(fmt.Sprint("k", i), fmt.Sprint("slack:U", i%300), bot.LaneAlert))
	}
	lease(t, s, noon, 260)
	for i := range 258 {
		settle(t, s, fmt.Sprint("k", i), bot.Outcome{State: bot.RowSent, At: noon.Add(time.Duration(i) * time.Second)})
	}
	settle(t, s, "k258", bot.Outcome{State: bot.RowDead, Reason: "gone", At: noon})
	for _, test := range []struct {
		states []bot.RowState
		want   int
	}{{nil, n}, {[]bot.RowState{bot.RowSent}, 258}, {[]bot.RowState{bot.RowDead, bot.RowLeased}, 2}, {[]bot.RowState{bot.RowPending}, n - 260}} {
		rows := collect(t, s.Rows(test.states...))
		if len(rows) != test.want || !slices.IsSortedFunc(rows, func(a, b bot.Row) int { return cmp.Compare(a.Seq, b.Seq) }) {
			t.Errorf("%v: %d rows, want %d in their order", test.states, len(rows), test.want)
		}
	}
	if err := s.Trim(noon.Add(keepSettled), 0); err != nil {
		t.Fatal(err)
	}
	if got := len(collect(t, s.Rows())); got != n {
		t.Errorf("%d rows left, and none was old", got)
	}
	if err := s.Trim(noon.Add(keepSettled+257*time.Second), 0); err != nil {
		t.Fatal(err)
	}
	if got := len(collect(t, s.Rows())); got != n-258 {
		t.Errorf("%d rows left, want %d", got, n-258)
	}
	enqueue(t, s, rowTo("k0", "slack:U1", bot.LaneAlert), rowTo("k257", "slack:U1", bot.LaneAlert))
	if r, old := rowOf(t, s, "k0"), rowOf(t, s, "k257"); r.State != bot.RowPending || old.State != bot.RowSent {
		t.Errorf("promises do not fit the rows: %+v, %+v", r, old)
	}
}
