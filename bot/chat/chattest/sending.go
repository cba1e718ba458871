package chattest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// The parts of the suite about what the bot says unasked.

func testSend(s *session) {
	for _, to := range []string{s.User, s.Channel} {
		if to == "" {
			continue
		}
		ref := s.send(to, full("news for "+to))
		if ref.Network != s.Adapter.Network() {
			s.Errorf("Send returned the reference %+v, which is of another network", ref)
		}
		seen := s.awaitSeen("news for " + to)
		if (seen.In == "") != (to == s.User) {
			s.Errorf("what was sent to %s stands in %q", to, seen.In)
		}
		for _, words := range []string{"Warning", "strong words", "Calls offered", "42", "Asha Rao", "small print", "data.json"} {
			if !strings.Contains(strings.ToLower(seen.Text), strings.ToLower(words)) { // a network may write in capitals
				s.Errorf("%q is missing in\n%s", words, seen.Text)
			}
		}
		if !strings.Contains(seen.Text, "nine o'clock: 3") && !strings.Contains(seen.Text, "Calls per hour") {
			s.Errorf("the chart is missing in\n%s", seen.Text)
		}
	}
	s.never(s.Other, "news for "+s.User)
}

// full returns a message with one of everything.
func full(title string) chat.Message {
	return chat.Message{
		Title: title, Tone: chat.Warning,
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.Join(chat.Strong("strong words"), chat.T(" at "), chat.At(time.Unix(1772440500, 0), chat.DayClock))},
			chat.Fields{{Label: "Calls offered", Value: "42", Note: "▲ 3"}, {Label: "Missed", Value: "–"}},
			chat.Table{Columns: []chat.Column{{Title: "Name"}, {Title: "Calls", Numeric: true}}, Rows: [][]string{{"Asha Rao", "7"}}, More: 2},
			chat.Chart{Title: "Calls per hour", Labels: []string{"09", "10"}, Unit: "calls", Alt: "nine o'clock: 3, ten o'clock: none",
				Series: []chat.Series{{Name: "calls", Points: []chat.Point{{Value: 3}, {Missing: true}}}}},
		},
		Footer:  chat.T("small print"),
		Actions: []chat.Action{{ID: "x", Label: "Refresh"}, {Label: "Open", URL: "https://example.com/"}},
		Files:   []chat.File{{Name: "data.json", Type: "application/json", Data: []byte("{}")}},
	}
}

func testSendPrivate(s *session) {
	if s.Channel == "" {
		s.Skip("the network has no channels")
	}
	_, err := s.Adapter.Send(context.Background(), chat.Outgoing{
		To: s.address(s.Channel), Key: "k", Message: chat.Message{Title: "for one pair of eyes", Private: true},
	})
	if err == nil {
		s.Error("a private message to a channel was sent without an error")
	}
	s.never(s.Other, "for one pair of eyes")
}

func testEdit(s *session) {
	if !s.Can.Edit {
		s.Skip("the network cannot edit")
	}
	for _, to := range []string{s.User, s.Channel} {
		if to == "" {
			continue
		}
		ref := s.send(to, chat.Message{Title: "it burns in " + to, Tone: chat.Critical})
		s.awaitSeen("it burns in " + to)
		if err := s.Adapter.Edit(context.Background(), ref, chat.Message{Title: "the fire is out in " + to, Tone: chat.Good, Word: "Recovered"}); err != nil {
			s.Fatalf("Edit: %v", err)
		}
		if seen := strings.ToLower(s.awaitSeen("the fire is out in " + to).Text); !strings.Contains(seen, "recovered") || strings.Contains(seen, "good") {
			s.Errorf("the message's own word does not stand in place of the tone's:\n%s", seen)
		}
	}
	s.never(s.User, "it burns")
	if all := holding(s.Sees(s.User), "the fire is out in "+s.User); len(all) != 1 {
		s.Errorf("the edited message is there %d times", len(all))
	}
}

func testResent(s *session) {
	out := chat.Outgoing{To: s.address(s.User), Message: chat.Message{Title: "the promise"}, Key: "alert/1/2/3"}
	for _, out.Resent = range []bool{false, true} {
		if _, err := s.Adapter.Send(context.Background(), out); err != nil {
			s.Fatalf("Send: %v", err)
		}
	}
	if s.Can.Suppress {
		s.awaitSeen("the promise")
		if all := holding(s.Sees(s.User), "the promise"); len(all) != 1 {
			s.Errorf("the key was not used to suppress the second:\n%s", screen(all))
		}
		return
	}
	s.awaitSeen("(re-sent)")
	if all := s.Sees(s.User); len(holding(all, "the promise")) != 2 || len(holding(all, "(re-sent)")) != 1 {
		s.Errorf("want the message, and once more as re-sent:\n%s", screen(all))
	}
	if found := holding(s.Sees(s.User), out.Key); len(found) > 0 {
		s.Errorf("the key can be read:\n%s", screen(found))
	}
}

func testGone(s *session) {
	_, err := s.Adapter.Send(context.Background(), chat.Outgoing{To: s.address(s.Gone), Message: chat.Message{Title: "hello"}, Key: "k"})
	if !errors.Is(err, chat.ErrGone) {
		s.Errorf("Send to somebody unknown: %v, want ErrGone", err)
	}
	ref := s.send(s.User, chat.Message{Title: "here"})
	for _, ref := range []chat.Ref{{Network: s.Adapter.Network(), ID: "nonsense"}, {Network: s.Adapter.Network(), ID: ref.ID + "0"}, {}} {
		if err := s.Adapter.Edit(context.Background(), ref, chat.Message{Title: "x"}); !errors.Is(err, chat.ErrGone) {
			s.Errorf("Edit of %+v, which is no message: %v, want ErrGone", ref, err)
		}
	}
}

// That the bot may not write to one place says nothing about the others.
func testBarred(s *session) {
	if s.Barred == "" {
		s.Skip("the network bars the bot from nowhere")
	}
	_, err := s.Adapter.Send(context.Background(), chat.Outgoing{To: s.address(s.Barred), Message: chat.Message{Title: "not allowed"}, Key: "k"})
	for _, class := range []error{chat.ErrBarred, chat.ErrRefused, chat.ErrFinal, chat.ErrGone, chat.ErrRejected, chat.ErrUnclear} {
		if errors.Is(err, class) != (class == chat.ErrBarred) {
			s.Errorf("Send to a channel that the bot may not write to: %v, want ErrBarred and nothing else", err)
		}
	}
	s.never(s.User, "not allowed")
	s.send(s.User, chat.Message{Title: "elsewhere it is"})
	s.awaitSeen("elsewhere it is")
}

func testContext(s *session) {
	ref := s.send(s.User, chat.Message{Title: "before"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.refuses("a cancelled context", func() error {
		_, err := s.Adapter.Send(ctx, chat.Outgoing{To: s.address(s.User), Message: chat.Message{Title: "too late"}, Key: "k"})
		return err
	})
	if s.Can.Edit {
		s.refuses("a cancelled context", func() error { return s.Adapter.Edit(ctx, ref, chat.Message{Title: "too late"}) })
	}
	if s.Stall != nil {
		s.Stall(true)
		s.refuses("a network that does not answer", func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			_, err := s.Adapter.Send(ctx, chat.Outgoing{To: s.address(s.User), Message: chat.Message{Title: "into the void"}, Key: "k2"})
			return err
		})
		s.Stall(false)
	}
	s.never(s.User, "too late")
}

// refuses checks that a call ends soon, with an error that does not make the
// caller give up on the message.
func (s *session) refuses(why string, call func() error) {
	s.Helper()
	ended := make(chan error, 1)
	go func() { ended <- call() }()
	select {
	case err := <-ended:
		if err == nil || errors.Is(err, chat.ErrGone) || errors.Is(err, chat.ErrRejected) || errors.Is(err, chat.ErrBarred) || errors.Is(err, chat.ErrRefused) || errors.Is(err, chat.ErrFinal) {
			s.Errorf("with %s the error is %v", why, err)
		}
	case <-time.After(patience):
		s.Fatalf("with %s the call does not end", why)
	}
}

func testLookup(s *session) {
	if p, err := s.Adapter.Lookup(context.Background(), s.User); err != nil || p.Name == "" {
		s.Errorf("Lookup: %+v, %v", p, err)
	}
	if _, err := s.Adapter.Lookup(context.Background(), s.Gone); !errors.Is(err, chat.ErrGone) {
		s.Errorf("Lookup of somebody unknown: %v, want ErrGone", err)
	}
}

func testCheck(s *session) {
	findings := s.Adapter.Check(context.Background())
	if len(findings) == 0 {
		s.Error("Check looked at nothing")
	}
	for _, f := range findings {
		if f.Check == "" || f.Message == "" || (f.Level != chat.LevelOK) != (f.Next != "") {
			s.Errorf("not a finding: %+v", f)
		}
	}
	if all := append(s.Sees(s.User), s.Sees(s.Other)...); len(all) > 0 {
		s.Errorf("Check posted\n%s", screen(all))
	}
}

// Hostile are texts that have broken chat programs, for an adapter's own tests.
// Each but the empty one holds the word Asha.
func Hostile() []string {
	return []string{
		"Asha <!channel> <!here> <!everyone> @channel @everyone @here",
		"Asha <@U0000001> <@&1> <#C0000001> <@!1> &lt;!channel&gt;",
		"Asha *b* _i_ ~s~ `c` ```x``` ||s|| > q\n> q\n# h [l](https://evil.example) <https://evil.example|bank>",
		"Asha " + strings.Repeat("long ", 1000),
		"Asha" + strings.Repeat("x", 5000),
		"Asha \u202egnirts\u202c \u2066 مرحبا 王小明 " + strings.Repeat("👨\u200d👩\u200d👧\u200d👦", 40),
		"Asha" + strings.Repeat("\u0301", 2000),
		"Asha \xff\xfe\x00\x1b[31m\x07\x9b2J \r\n\t",
		"Asha \\\" ' \" ` ${x} %s {{.}} :x: :joy:",
		"",
	}
}

func testHostile(s *session) {
	for i, text := range Hostile() {
		m := hostileMessage(fmt.Sprintf("case %d", i), text)
		to := s.User
		if i%2 == 0 && s.Channel != "" {
			to = s.Channel
		}
		s.send(to, m)
		m.Private = true
		s.app.reply(chat.Show(m))
		s.command("mystats", "")
		s.awaitRequest(i + 1)
		s.await(fmt.Sprintf("case %d, sent and answered", i), func() bool {
			return len(holding(s.Sees(s.User), fmt.Sprintf("case %d", i))) >= 2
		})
	}
	for _, user := range []string{s.User, s.Other} {
		for _, x := range s.Sees(user) {
			if len(x.Pings) > 0 {
				s.Errorf("a name pings %q:\n%s", x.Pings, screen([]Seen{x}))
			}
			if !strings.Contains(x.Text, "case 9") && !strings.Contains(x.Text, "Asha") {
				s.Errorf("the name cannot be read:\n%s", screen([]Seen{x}))
			}
		}
	}
}

// hostileMessage returns a message with the text in every place.
func hostileMessage(title, text string) chat.Message {
	return chat.Message{
		Title: title, Tone: chat.Critical,
		Blocks: []chat.Block{
			chat.Paragraph{Text: chat.Join(chat.T(text), chat.Strong(text), chat.Code(text), chat.Link(text, "https://example.com/?a=1&b=<>|"))},
			chat.Paragraph{Quiet: true, Text: chat.Mention(chat.Address{Network: "elsewhere", ID: "U1"}, text)},
			chat.Fields{{Label: text, Value: text, Note: text}},
			chat.Table{Columns: []chat.Column{{Title: text}, {Title: text, Numeric: true}}, Rows: [][]string{{text, text}, {text}, {}}},
			chat.Chart{Title: text, Labels: []string{text, text}, Unit: text, Alt: text,
				Series: []chat.Series{{Name: text, Points: []chat.Point{{Value: 1}}}, {Name: text}}},
		},
		Footer:  chat.T(text),
		Actions: []chat.Action{{ID: "a", Label: text}, {ID: "b", Label: text, Confirm: &chat.Confirm{Title: text, Text: text, Yes: text, No: text}}},
		Files:   []chat.File{{Name: text, Data: []byte("x"), Alt: text}},
	}
}

func testOversize(s *session) {
	m := chat.Message{Title: "much", Footer: chat.T(strings.Repeat("small print ", 300))}
	for i := range 60 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T(fmt.Sprintf("paragraph %d ", i) + strings.Repeat("words ", 50))})
	}
	fields := chat.Fields{}
	for i := range 60 {
		fields = append(fields, chat.Field{Label: fmt.Sprintf("fact %d", i), Value: "1"})
	}
	table := chat.Table{Columns: make([]chat.Column, 30), Rows: make([][]string, 500)}
	for i := range table.Rows {
		table.Rows[i] = []string{fmt.Sprintf("row %d", i)}
	}
	chart := chat.Chart{Title: "chart", Labels: make([]string, 100), Series: make([]chat.Series, 20), Alt: strings.Repeat("in words ", 500)}
	m.Blocks = append([]chat.Block{fields, table, chart, chart, chart, table}, m.Blocks...)
	for i := range 60 {
		m.Actions = append(m.Actions, chat.Action{ID: "a", Value: fmt.Sprint(i), Label: fmt.Sprintf("button %d", i)})
	}
	s.send(s.User, m)
	m.Title, m.Private = "plenty", true
	s.app.reply(chat.Show(m))
	s.command("mystats", "")
	for _, words := range []string{"much", "plenty"} {
		if seen := s.awaitSeen(words); !strings.Contains(seen.Text, " more") && !strings.Contains(seen.Text, chat.Ellipsis) {
			s.Errorf("nothing says that the message is not all:\n%s", screen([]Seen{seen}))
		}
	}
}
