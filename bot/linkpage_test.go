package bot_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// onPages plays a test on a stage with link pages, in a bubble.
func onPages(t *testing.T, test func(t *testing.T, s *stage)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		defer s.close()
		s.mustDo(t, "at 2026-03-02 10:00", "pages")
		test(t, s)
	})
}

func (s *stage) mustDo(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if err := s.do(line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
}

// entry is what somebody enters who has the credential of an agent of the floor.
func (s *stage) entry(agent int) bot.LinkSubmission {
	a := s.floor.Agents()[agent]
	return bot.LinkSubmission{Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)}, Confirmed: true}
}

// opens reports whether a link page can be opened.
func (s *stage) opens(t *testing.T, words secret.Secret) bool {
	t.Helper()
	_, err := s.bot.LinkOffer(t.Context(), words)
	if err != nil && !errors.Is(err, bot.ErrNoTicket) {
		t.Fatal(err)
	}
	return err == nil
}

// tickets is how many records of link pages there are.
func (s *stage) tickets(t *testing.T) int {
	t.Helper()
	n := 0
	err := s.store.View(func(tx bot.Tx) error {
		for _, err := range tx.Records(bot.RecordNetworks, "web/") {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLinkPageOnce sends what is entered fifty times at once. One submission
// links, and no more tries are made than there are.
func TestLinkPageOnce(t *testing.T) {
	onPages(t, func(t *testing.T, s *stage) {
		s.mustDo(t, "as asha: /floor link", "fault * slow:2s")
		var mu sync.Mutex
		linked, gone, waits := 0, 0, 0
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				result, err := s.bot.RedeemLink(context.Background(), s.pages["asha"], s.entry(3))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, bot.ErrNoTicket):
					gone++
				case err != nil:
					t.Error(err)
				case result.Linked:
					linked++
				case strings.Contains(result.Message.Plain(), "several times"):
					waits++
				default:
					t.Errorf("an answer to a submission: %s", result.Message.Plain())
				}
			})
		}
		all.Wait()
		// Who comes when the tries are spent finds the page used, or is told to wait.
		if calls := s.client.Stats().Attempts; linked != 1 || gone < 4 || gone+waits != 49 || calls > 5 {
			t.Errorf("of 50 submissions 1 should link and 49 be refused, with 5 calls; %d linked, %d found the page used, %d were told to wait, with %d calls", linked, gone, waits, calls)
		}
		acts := 0
		for entry, err := range s.store.AuditTrail(time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if entry.Action == "link" {
				acts++
			}
		}
		if acts != 1 {
			t.Errorf("the audit trail has %d links, want 1", acts)
		}
		if s.opens(t, s.pages["asha"]) || s.tickets(t) != 0 {
			t.Error("the page is still there")
		}
	})
}

// TestLinkPageTries has the memory lost between tries: they are on disk.
func TestLinkPageTries(t *testing.T) {
	onPages(t, func(t *testing.T, s *stage) {
		s.mustDo(t, "as asha: /floor link")
		wrong := s.entry(3)
		wrong.Credential.Token = secret.New("not-the-token")
		for i := range 5 {
			result, err := s.bot.RedeemLink(t.Context(), s.pages["asha"], wrong)
			if err != nil || result.Linked || result.Offer.Tries != 4-i {
				t.Fatalf("try %d: linked %v, %d tries left, %v", i+1, result.Linked, result.Offer.Tries, err)
			}
			s.mustDo(t, "restart")
		}
		if _, err := s.bot.RedeemLink(t.Context(), s.pages["asha"], s.entry(3)); !errors.Is(err, bot.ErrNoTicket) {
			t.Errorf("a sixth try: %v, want ErrNoTicket", err)
		}
		if s.opens(t, s.pages["asha"]) {
			t.Error("a used-up page opens")
		}
	})
}

// TestLinkPageTriesOfOne: who has tried five times waits, on a new page too, and
// what was not tried is not spent.
func TestLinkPageTriesOfOne(t *testing.T) {
	onPages(t, func(t *testing.T, s *stage) {
		wrong := s.entry(3)
		wrong.Credential.Token = secret.New("not-the-token")
		for page, tries := range []int{4, 1} {
			s.mustDo(t, "as asha: /floor link")
			for range tries {
				if result, err := s.bot.RedeemLink(t.Context(), s.pages["asha"], wrong); err != nil || strings.Contains(result.Message.Plain(), "several times") {
					t.Fatalf("page %d: %v, %s", page+1, err, result.Message.Plain())
				}
			}
		}
		result, err := s.bot.RedeemLink(t.Context(), s.pages["asha"], s.entry(3))
		if err != nil || result.Linked || result.Offer.Tries != 4 || !strings.Contains(result.Message.Plain(), "several times") {
			t.Errorf("a sixth try: linked %v, %d tries left, %v: %s", result.Linked, result.Offer.Tries, err, result.Message.Plain())
		}
	})
}

// TestLinkPageBelongs to one person: it links them, whoever sends it, and no
// other words than its own open it.
func TestLinkPageBelongs(t *testing.T) {
	onPages(t, func(t *testing.T, s *stage) {
		s.mustDo(t, "as asha: /floor link", "as ravi: /floor link")
		words := s.pages["asha"].Reveal()
		for _, other := range []string{"", "x", words[:42], words + "x", strings.ToUpper(words), strings.Repeat("A", 43)} {
			if s.opens(t, secret.New(other)) {
				t.Errorf("%q opens a page", other)
			}
			if _, err := s.bot.RedeemLink(t.Context(), secret.New(other), s.entry(3)); !errors.Is(err, bot.ErrNoTicket) {
				t.Errorf("%q: %v, want ErrNoTicket", other, err)
			}
		}
		result, err := s.bot.RedeemLink(t.Context(), s.pages["asha"], s.entry(3))
		if err != nil || !result.Linked || result.Offer.Address != person("asha") {
			t.Errorf("linked %v: %v, %v; want asha", result.Linked, result.Offer.Address, err)
		}
		if _, err := s.store.AgentAt(person("ravi")); !errors.Is(err, bot.ErrNotLinked) {
			t.Errorf("ravi is linked by asha's page: %v", err)
		}
		if !s.opens(t, s.pages["ravi"]) {
			t.Error("ravi's page went with asha's")
		}
	})
}

// TestLinkPageGoes with a newer one, with its time, and with its person.
func TestLinkPageGoes(t *testing.T) {
	onPages(t, func(t *testing.T, s *stage) {
		s.mustDo(t, "as asha: /floor link")
		first := s.pages["asha"]
		s.mustDo(t, "as asha: /floor link")
		if s.opens(t, first) || !s.opens(t, s.pages["asha"]) || s.tickets(t) != 2 {
			t.Errorf("after a second page the first opens: %v, the second: %v; %d records", s.opens(t, first), s.opens(t, s.pages["asha"]), s.tickets(t))
		}

		s.mustDo(t, "advance 9m")
		if err := s.bot.TrimTickets(time.Now()); err != nil || !s.opens(t, s.pages["asha"]) {
			t.Errorf("a page of nine minutes was trimmed: %v", err)
		}
		s.mustDo(t, "advance 1m")
		if s.opens(t, s.pages["asha"]) {
			t.Error("a page of ten minutes opens")
		}
		if err := s.bot.TrimTickets(time.Now()); err != nil || s.tickets(t) != 0 {
			t.Errorf("%d records are left of an old page: %v", s.tickets(t), err)
		}

		s.mustDo(t, "link asha 3", "as asha: /floor link")
		agent, err := s.store.AgentAt(person("asha"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.bot.Unlink(agent, "console:asha", ""); err != nil || s.opens(t, s.pages["asha"]) || s.tickets(t) != 0 {
			t.Errorf("a page outlives its person's data: %v", err)
		}
	})
}

// TestLinkPageAnswerGone: where the answer that leads to the page cannot be replaced,
// its person is told in a message of its own; and in that alone where it can.
func TestLinkPageAnswerGone(t *testing.T) {
	for _, gone := range []error{nil, chat.ErrGone} {
		onPages(t, func(t *testing.T, s *stage) {
			reply, err := s.bot.Handle(t.Context(), command("asha", "floor link"))
			if err != nil {
				t.Fatal(err)
			}
			replaced := ""
			reply.Shown(func(_ context.Context, m chat.Message) error {
				replaced = m.Title
				return gone
			})
			s.keepPage("asha", *reply.Message)
			if result, err := s.bot.RedeemLink(t.Context(), s.pages["asha"], s.entry(3)); err != nil || !result.Linked || replaced != "Linked" {
				t.Fatalf("linked %v, %v; the answer was replaced by %q", result.Linked, err, replaced)
			}
			told := 0
			for r, err := range s.store.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(r.Key, "notice/link-page/") {
					told++
				}
			}
			if (told == 1) != (gone != nil) {
				t.Errorf("replacing the answer comes to %v, and %d messages follow", gone, told)
			}
		})
	}
}

// TestLinkPageName shows people as their network calls them, not as an event did.
func TestLinkPageName(t *testing.T) {
	onPages(t, func(t *testing.T, s *stage) {
		s.config.Lookup = func(context.Context, chat.Address) (chat.Person, error) { return chat.Person{Name: "Asha Rao"}, nil }
		s.bot.Configure(s.config)
		s.mustDo(t, "as asha: /floor link")
		offer, err := s.bot.LinkOffer(t.Context(), s.pages["asha"])
		if err != nil || offer.Name != "Asha Rao" {
			t.Errorf("the page is for %q, %v; want Asha Rao", offer.Name, err)
		}
		wrong := s.entry(3)
		wrong.Credential.Token = secret.New("not-the-token")
		for name, entered := range map[string]bot.LinkSubmission{"a wrong token": wrong, "nothing": {}} {
			result, err := s.bot.RedeemLink(t.Context(), s.pages["asha"], entered)
			if err != nil || result.Linked || result.Offer.Name != "Asha Rao" {
				t.Errorf("after %s the page is for %q, %v; want Asha Rao", name, result.Offer.Name, err)
			}
		}
	})
}
