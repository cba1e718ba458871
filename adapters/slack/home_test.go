package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
)

// A page's cards stand below each other, whatever they hold; what does not fit
// is counted, and Slack takes the page.
func TestDrawnPagesAreValid(t *testing.T) {
	t.Parallel()
	d := dealer{rand.New(rand.NewPCG(3, 4))}
	cut := 0
	for i := range 12 {
		cards := make([]chat.Message, 1+d.IntN(12))
		for j := range cards {
			cards[j] = d.message()
		}
		blocks := drawPage(cards)
		if problems := homeProblems(blocks); len(problems) > 0 || sizeOf(blocks) > 250_000 {
			t.Fatalf("page %d has %d bytes and %v", i, sizeOf(blocks), problems)
		}
		b, err := json.Marshal(blocks[len(blocks)-1])
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), `"+`) && strings.Contains(string(b), "more") {
			cut++
		}
	}
	if cut == 0 {
		t.Error("every page fitted: the test shows nothing")
	}
	three := drawPage([]chat.Message{note("One", "1"), note("Two", "2"), note("Three", "3")})
	var kinds strings.Builder
	for _, b := range three {
		kinds.WriteString(string(b.BlockType()) + " ")
	}
	if kinds.String() != "header section divider header section divider header section " {
		t.Errorf("three cards are %s", kinds.String())
	}
	wide := make([]chat.Message, 30)
	for i := range wide {
		wide[i] = note("Wide", strings.Repeat("☃", 2500)) // three bytes each
		wide[i].Blocks = append(wide[i].Blocks, wide[i].Blocks[0], wide[i].Blocks[0])
	}
	if blocks := drawPage(wide); sizeOf(blocks) > 250_000 {
		t.Errorf("a page has %d bytes", sizeOf(blocks))
	}
	long := drawPage([]chat.Message{note("One", "1"), {Blocks: many(60)}, {Blocks: many(60)}, {Blocks: many(60)}, {Blocks: many(60)}, {Blocks: many(60)}})
	if last, err := json.Marshal(long[len(long)-1]); err != nil || len(long) > maxViewBlocks || !strings.Contains(string(last), "+") {
		t.Errorf("%d blocks, the last %s", len(long), last)
	}
}

func many(n int) []chat.Block {
	var blocks []chat.Block
	for i := range n {
		blocks = append(blocks, chat.Paragraph{Text: chat.T(fmt.Sprint(i))})
	}
	return blocks
}

// pages returns an app whose home page is what is said at the time.
func pages(say func() []chat.Message) *app {
	return &app{handle: func(_ context.Context, r chat.Request) (chat.Reply, error) {
		if r.Kind == chat.KindHome || r.Action.ID == "home" {
			return chat.Reply{Page: say()}, nil
		}
		return chat.Show(note("answer", r.Action.Value)), nil
	}}
}

// at waits until the home page holds the words.
func (r *running) at(user, words string) slacktest.View {
	r.Helper()
	v, err := r.srv.WaitHome(r.ctx, user, func(v slacktest.View) bool { return strings.Contains(v.Plain(), words) })
	if err != nil {
		v, _ := r.srv.Home(user)
		r.Fatalf("the page never says %q but\n%s", words, v.Plain())
	}
	return v
}

// A page that shows what it shall show already is not published again, not even
// after a restart; one that changed is, over the one that stands there.
func TestUnchangedPageIsNotPublished(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	says := func(words string) *app {
		return pages(func() []chat.Message { return []chat.Message{note("Today", words), note("Help", "/floor help")} })
	}
	for i, words := range []string{"42 calls", "42 calls", "43 calls"} {
		r := run(t, srv, adapter(t, srv), says(words))
		for range 3 {
			_, err := srv.OpenHome(asha).WaitAck(r.ctx)
			r.must(err)
			r.at(asha, words)
		}
		r.must(r.stop())
		_, err := srv.WaitSockets(r.ctx, 0)
		r.must(err)
		if n, want := len(srv.Calls("views.publish")), []int{1, 1, 2}[i]; n != want {
			t.Fatalf("after %d openings the page was published %d times, want %d", 3*i+3, n, want)
		}
	}
	all := srv.Calls("views.publish")
	if all[0].Args["hash"] != "" || all[1].Args["hash"] == "" {
		t.Errorf("the hashes are %q and %q, want none and then that of the page", all[0].Args["hash"], all[1].Args["hash"])
	}
}

// The second half of an answer replaces the first by the hash that Slack gave
// it, so that no third one in between is overwritten unseen.
func TestPageInTwoHalves(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	r := run(t, srv, adapter(t, srv), &app{handle: func(context.Context, chat.Request) (chat.Reply, error) {
		page := func(words string) chat.Reply { return chat.Reply{Page: []chat.Message{note("Today", words)}} }
		first := page("old numbers")
		first.Then = func(context.Context) (chat.Reply, error) { return page("new numbers"), nil }
		return first, nil
	}})
	srv.OpenHome(asha)
	r.at(asha, "new numbers")
	r.must(r.stop())
	all := srv.Calls("views.publish")
	if len(all) != 2 || all[1].Args["hash"] == "" || all[1].Error != "" {
		t.Errorf("the calls are %+v", all)
	}
}

// Of several pages that wait for their turn only the newest is published.
func TestWaitingPagesAreLeftOut(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	a := adapter(t, srv)
	s := a.session(&app{}, identity{team: "T0TEAM"})
	e, _ := a.joinEdit("home " + asha)
	e.turn <- struct{}{} // one is under way
	var all sync.WaitGroup
	for n := range 5 {
		all.Go(func() {
			if err := s.responder(asha, "", "").publish(t.Context(), []chat.Message{note("Page", fmt.Sprint("number ", n))}); err != nil {
				t.Error(err)
			}
		})
		for waiting := 0; waiting < n+2; time.Sleep(time.Millisecond) {
			a.mu.Lock()
			waiting = e.users
			a.mu.Unlock()
		}
	}
	<-e.turn
	all.Wait()
	if v, _ := srv.Home(asha); !strings.Contains(v.Plain(), "number 4") || len(srv.Calls("views.publish")) != 1 {
		t.Errorf("after %d calls the page is\n%s", len(srv.Calls("views.publish")), v.Plain())
	}
}

// A button of the page that is answered by the page replaces it; another opens a
// window; a form that was asked for there is answered in its window, and then
// the page is made anew.
func TestButtonsOfPage(t *testing.T) {
	t.Parallel()
	srv := workspace(t, slacktest.Options{})
	var mu sync.Mutex
	linked := false
	home := func() chat.Reply {
		mu.Lock()
		defer mu.Unlock()
		if linked {
			return chat.Reply{Page: []chat.Message{note("Today", "42 calls")}}
		}
		m := note("Not linked yet", "I don't know you")
		m.Actions = []chat.Action{
			{ID: "floor", Value: "link", Label: "Link", Form: true},
			{ID: "floor", Value: "help", Label: "Help"},
			{ID: "home", Label: "Refresh", Replace: true},
		}
		return chat.Reply{Page: []chat.Message{m}}
	}
	bot := &app{handle: func(_ context.Context, r chat.Request) (chat.Reply, error) {
		switch {
		case r.Kind == chat.KindHome || r.Action.ID == "home":
			return home(), nil
		case r.Kind == chat.KindForm && r.Values["user"].Reveal() == "":
			f := linkForm()
			f.Errors = map[string]string{"user": "who?"}
			return chat.Ask(f), nil
		case r.Kind == chat.KindForm:
			mu.Lock()
			defer mu.Unlock()
			linked = true
			return chat.Show(note("Linked", "well done")), nil
		case r.Action.Value == "link":
			return chat.Ask(linkForm()), nil
		}
		return chat.Show(note("answer", "to "+r.Action.Value)), nil
	}}
	r := run(t, srv, adapter(t, srv), bot)
	srv.OpenHome(asha)
	page := r.at(asha, "Not linked yet")
	_, err := srv.Press(asha, page, "Help")
	r.must(err)
	r.shows("to help")
	_, err = srv.CloseView(asha)
	r.must(err)
	refreshed, err := srv.Press(asha, page, "Refresh")
	r.must(err)
	_, err = refreshed.WaitAck(r.ctx)
	r.must(err)
	_, err = srv.Press(asha, page, "Link")
	r.must(err)
	_, err = srv.WaitView(r.ctx, asha, nil)
	r.must(err)
	r.submit(nil)
	r.shows("who?") // the window goes on
	r.submit(map[string]string{"user": "1"})
	r.shows("well done")
	r.at(asha, "42 calls")
}

// What a page shows decides its digest, and a page has no words that a hostile
// name could make live.
func TestPageIsEscaped(t *testing.T) {
	for _, s := range hostile {
		blocks := drawPage([]chat.Message{note(s, s), {Title: s, Footer: chat.T(s), Actions: []chat.Action{{ID: "x", Label: s}}}})
		if problems := homeProblems(blocks); problems != nil {
			t.Errorf("%.40q: %v", s, problems)
		}
	}
	one := []slack.Block{section("1")}
	if digest(one) != digest([]slack.Block{section("1")}) || digest(one) == digest([]slack.Block{section("2")}) {
		t.Error("the digest does not tell pages apart")
	}
}
