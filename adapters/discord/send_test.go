package discord

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/adapters/discord/discordtest"
	"floorwalker/bot/chat"
)

func to(id, title string) chat.Outgoing {
	return chat.Outgoing{To: chat.Address{Network: chat.Discord, ID: id}, Message: chat.Message{Title: title}, Key: "alert/" + title}
}

const postMessage, openDM = "POST /channels/{channel}/messages", "POST /users/@me/channels"

// A message whose first attempt had no clear answer arrives once.
func TestNonce(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, nil)
	srv.StoreThenFail(postMessage, 502, 1)
	if _, err := a.Send(t.Context(), toSupport("news")); !errors.Is(err, chat.ErrUnclear) {
		t.Fatalf("Send: %v, want unclear", err)
	}
	srv.Fail(postMessage, discordtest.Fault{Reset: true, Stored: true}, 1)
	if _, err := a.Send(t.Context(), toSupport("news")); !errors.Is(err, chat.ErrUnclear) {
		t.Fatalf("Send: %v, want unclear", err)
	}
	ref, err := a.Send(t.Context(), toSupport("news"))
	if err != nil {
		t.Fatal(err)
	}
	all := srv.Messages(support)
	if len(all) != 1 || ref.ID != support+":"+all[0].ID {
		t.Errorf("%d messages, ref %v", len(all), ref)
	}
	calls := srv.Calls(postMessage)
	if len(calls) != 3 {
		t.Errorf("%d calls, want one for each attempt", len(calls))
	}
	for _, c := range calls {
		var body struct {
			Nonce   string `json:"nonce"`
			Enforce bool   `json:"enforce_nonce"`
			Allowed *struct {
				Parse []string `json:"parse"`
			} `json:"allowed_mentions"`
		}
		if err := c.JSON(&body); err != nil {
			t.Fatal(err)
		}
		if body.Nonce == "" || len(body.Nonce) > maxNonce || !body.Enforce || strings.Contains(body.Nonce, "news") {
			t.Errorf("the nonce is %q, enforced %v", body.Nonce, body.Enforce)
		}
		if body.Allowed == nil || body.Allowed.Parse == nil || len(body.Allowed.Parse) > 0 {
			t.Errorf("allowed_mentions is %+v", body.Allowed)
		}
	}
	here, there := toSupport("").To, to(asha, "").To
	if one, other := nonceOf(here, ""), nonceOf(here, ""); one == other {
		t.Error("messages without a key have the same nonce")
	}
	if nonceOf(here, "k") == nonceOf(there, "k") {
		t.Error("a message to one suppresses one to another")
	}
}

// Nobody is written to who has not used a command. Discord suspends bots for it.
func TestFirstContact(t *testing.T) {
	srv := network(t, discordtest.Options{})
	memory := acquainted()
	r := run(t, srv, adapter(t, srv, memory), &app{})
	if _, err := r.a.Send(r.ctx, to(stranger, "hello")); !errors.Is(err, chat.ErrGone) || !strings.Contains(err.Error(), "has used a command") {
		t.Errorf("Send to a stranger: %v", err)
	}
	if n := len(srv.Calls(openDM)); n != 0 {
		t.Errorf("%d direct messages were opened", n)
	}
	i, err := srv.Slash(stranger, support, "mystats")
	r.must(err)
	r.reply(i, "answer")
	for _, title := range []string{"now", "and again"} {
		_, err := r.a.Send(r.ctx, to(stranger, title))
		r.must(err)
		r.message(stranger, title)
	}
	r.must(r.stop())

	// The channel is remembered: opening them anew looks like advertising.
	again := adapter(t, srv, memory)
	if _, err := again.Send(r.ctx, to(stranger, "after a restart")); err != nil {
		t.Error(err)
	}
	if n := len(srv.Calls(openDM)); n != 1 {
		t.Errorf("direct messages were opened %d times", n)
	}
}

// A command in direct messages tells their channel.
func TestChannelFromCommand(t *testing.T) {
	r := started(t, &app{})
	i, err := r.srv.Slash(stranger, "", "mystats")
	r.must(err)
	r.reply(i, "answer")
	_, err = r.a.Send(r.ctx, to(stranger, "news"))
	r.must(err)
	if n := len(r.srv.Calls(openDM)); n != 0 {
		t.Errorf("direct messages were opened %d times", n)
	}
}

// Somebody who closed their direct messages costs no opening each time.
func TestClosedDirectMessages(t *testing.T) {
	srv := network(t, discordtest.Options{})
	srv.AddUser(discordtest.User{ID: asha, Name: "asha", NoDM: true})
	a := adapter(t, srv, acquainted())
	for range 3 {
		if _, err := a.Send(t.Context(), to(asha, "hello")); !errors.Is(err, chat.ErrGone) {
			t.Errorf("Send: %v", err)
		}
	}
	if n := len(srv.Calls(openDM)); n != 1 {
		t.Errorf("direct messages were opened %d times", n)
	}
}

func TestOpensPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o opens
		start := time.Now()
		for range 5 {
			if err := o.wait(t.Context(), 3*time.Second, noHurry); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d != 12*time.Second {
			t.Errorf("5 openings in %v, want 3 s between them", d)
		}
		err := o.wait(t.Context(), 3*time.Second, patience)
		if retry, ok := errors.AsType[*chat.RetryError](err); !ok || retry.After != 3*time.Second {
			t.Errorf("an impatient one: %v", err)
		}
		tooFast := &Error{Code: 40003, class: classLimited, After: time.Second}
		for n := range 9 {
			retry, ok := errors.AsType[*chat.RetryError](o.failed(&chat.RetryError{After: time.Second, Err: tooFast}))
			if want := opensPause << min(n, opensPauses); !ok || retry.After != want {
				t.Errorf("failure %d: %v, want a pause of %v", n, retry, want)
			}
		}
		if err := o.wait(t.Context(), time.Second, patience); err == nil {
			t.Error("openings go on after Discord said that they are too fast")
		}
		o.worked()
		if retry, _ := errors.AsType[*chat.RetryError](o.failed(tooFast)); retry.After != opensPause {
			t.Errorf("after one that worked: %v", retry)
		}
	})
}

func TestOpensADay(t *testing.T) {
	srv := network(t, discordtest.Options{})
	memory := acquainted()
	memory.Save(keyOpen, fmt.Sprintf("%s %d", time.Now().UTC().Format(time.DateOnly), opensPerDay-1))
	a := adapter(t, srv, memory)
	if _, err := a.Send(t.Context(), to(asha, "the last")); err != nil {
		t.Error(err)
	}
	_, err := a.Send(t.Context(), to(meera, "one too many"))
	if retry, ok := errors.AsType[*chat.RetryError](err); !ok || retry.After > 24*time.Hour {
		t.Errorf("Send: %v, want to wait until tomorrow", err)
	}
	if n := a.Stats().Opens; n != opensPerDay {
		t.Errorf("%d openings today", n)
	}
	if _, err := a.Send(t.Context(), to(asha, "known")); err != nil {
		t.Errorf("direct messages that are open: %v", err)
	}
}

// An edit replaces everything: a chart that is not there any more is gone, and
// one that is there still is.
func TestEditCharts(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, nil)
	chart := chat.Chart{Title: "Calls", Labels: []string{"09", "10"}, Series: []chat.Series{{Name: "calls", Points: []chat.Point{{Value: 1}, {Value: 2}}}}, Alt: "one, then two"}
	out := toSupport("news")
	out.Message.Blocks = []chat.Block{chart}
	ref, err := a.Send(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	seen := func() discordtest.Message { return srv.Messages(support)[0] }
	if m := seen(); len(m.Attachments) != 1 || m.Attachments[0].Alt != "Calls: one, then two" {
		t.Errorf("%+v", m.Attachments)
	}
	if err := a.Edit(t.Context(), ref, chat.Message{Title: "still", Blocks: []chat.Block{chart}}); err != nil {
		t.Fatal(err)
	}
	if m := seen(); len(m.Attachments) != 1 || m.Embeds[0]["image"] == nil {
		t.Errorf("after an edit with a chart: %+v", m)
	}
	if err := a.Edit(t.Context(), ref, chat.Message{Title: "over"}); err != nil {
		t.Fatal(err)
	}
	if m := seen(); len(m.Attachments) != 0 || len(m.Embeds) != 0 || !strings.Contains(m.Plain(), "over") {
		t.Errorf("after an edit without one: %+v", m)
	}
}

// A memory that fails keeps nobody from being answered.
func TestMemoryFails(t *testing.T) {
	srv := network(t, discordtest.Options{})
	r := run(t, srv, adapter(t, srv, broken{}), &app{})
	r.answers()
	if _, err := r.a.Send(r.ctx, to(meera, "x")); err == nil || errors.Is(err, chat.ErrGone) {
		t.Errorf("Send: %v, want to try later", err)
	}
	_, err := r.a.Send(r.ctx, to(asha, "she has spoken"))
	r.must(err)
}

// broken is a Memory on a full disk.
type broken struct{}

func (broken) Load(string) (string, error) { return "", errors.New("no disk") }
func (broken) Save(string, string) error   { return errors.New("no disk") }

func TestLookup(t *testing.T) {
	srv := network(t, discordtest.Options{})
	a := adapter(t, srv, nil)
	if p, err := a.Lookup(t.Context(), asha); err != nil || p.Name != "Asha Rao" || p.Zone != "" {
		t.Errorf("%+v, %v", p, err)
	}
	for _, id := range []string{unknown, "nonsense", "../@me", ""} {
		if _, err := a.Lookup(t.Context(), id); !errors.Is(err, chat.ErrGone) {
			t.Errorf("%q: %v", id, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Lookup(ctx, asha); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
