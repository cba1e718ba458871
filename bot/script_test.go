package bot_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

var update = flag.Bool("update", false, "rewrite the scripts' expected output")

// TestScripts plays the conversations of testdata/script. Each is a user story:
// a line that starts at the margin is done, and all that people see of it stands
// indented below. What nobody expected is a difference too.
//
//	at 2026-03-02 09:00         the time, in the vendor's zone; only forwards
//	advance 10m                 let that much time pass
//	link asha 0                 an administrator links asha to the floor's agent 0
//	link asha 0 Asha            the same, under another name than the floor's
//	link discord:kim 2          the same on Discord
//	counters asha TH=5 MH=1     what the API answers for asha's agent from now on
//	fault asha slow:8s 1        a fault of the simulated API, for so many answers
//	as asha: /mystats           a command; the console asks for secrets in forms
//	discord asha: /mystats      the same where forms may not ask for secrets
//	home asha                   asha opens the home page
//	press asha Refresh          a button of the last message to asha, or of that page
//	submit asha user_id=@2 token=@2    the form; @2 is what agent 2 has
//	pages                       from now on there are link pages
//	open asha                   asha's link page, as it stands
//	redeem asha user_id=@2 token=@2 confirm   what asha enters there
//	again                       the network delivers the last request once more
//	poll 10m                    another poll interval, before run: fewer commits
//	run                         watch, post digests, deliver; what is sent is shown as it arrives
//	send fail rejected 2        the network's next answers to what is sent: gone, rejected, refused, unclear, retry
//	unseen 1                    so many of the next answers do not arrive
//	restart                     kill the bot and start it on the same file
//
// Those about alerts are at [stage.doAlerts].
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			cryptotest.SetGlobalRandom(t, 1) // agents' ids fix when they are polled
			var got string
			synctest.Test(t, func(t *testing.T) { got = play(t, dir, string(source)) })
			if got == string(source) {
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s plays differently (run with -update to accept):\n%s", file, got)
		})
	}
}

// play runs a script and returns it with the output that it made.
func play(t *testing.T, dir, source string) string {
	s := newStage(t, dir)
	defer s.close()
	var out strings.Builder
	for line := range strings.Lines(source) {
		switch line = strings.TrimRight(line, "\n"); {
		case strings.HasPrefix(line, " "):
			continue // the expected output
		case line == "" || strings.HasPrefix(line, "#"):
			fmt.Fprintln(&out, line)
			continue
		}
		fmt.Fprintln(&out, line)
		s.seen.Reset()
		if err := s.do(line); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		synctest.Wait()
		s.flush()
		for seen := range strings.Lines(s.seen.String()) {
			out.WriteString(strings.TrimRight("    "+strings.TrimRight(seen, "\n"), " ") + "\n")
		}
	}
	return out.String()
}

// do carries out one line.
func (s *stage) do(line string) error {
	if talk, text, ok := strings.Cut(line, ": "); ok && (strings.HasPrefix(talk, "as ") || strings.HasPrefix(talk, "discord ")) {
		network, name, _ := strings.Cut(talk, " ")
		return s.say(network, name, text)
	}
	words := strings.Fields(line)
	switch words[0] {
	case "at":
		at, err := time.ParseInLocation("2006-01-02 15:04", strings.Join(words[1:], " "), kolkata(s.t))
		time.Sleep(time.Until(at) + 500*time.Millisecond) // after what is due at that second
		return err
	case "advance":
		d, err := time.ParseDuration(words[1])
		time.Sleep(d)
		return err
	case "link":
		return s.link(words[1], words[2], strings.Join(words[3:], " "))
	case "counters":
		return s.counters(words[1], words[2:])
	case "fault":
		return s.fault(words[1:])
	case "home":
		r := s.request("", words[1])
		r.Kind = chat.KindHome
		s.handle(r)
		return nil
	case "press":
		return s.press(words[1], strings.Join(words[2:], " "))
	case "submit":
		return s.submit(words[1], words[2:])
	case "pages", "open", "redeem":
		return s.doPages(words)
	case "again":
		s.handle(s.again)
		return nil
	case "poll":
		d, err := time.ParseDuration(words[1])
		s.config.PollInterval = d
		s.bot.Configure(s.config)
		return err
	case "run":
		s.run()
		return nil
	case "send":
		n, err := strconv.Atoi(words[3])
		if err != nil {
			return err
		}
		return s.sendFails(words[2], n)
	case "unseen":
		n, err := strconv.Atoi(words[1])
		s.unseen = n
		return err
	case "restart":
		return s.restart()
	}
	return s.doAlerts(line)
}

func (s *stage) link(name, number, as string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	a := s.floor.Agents()[n]
	to := person(name)
	if id, there := strings.CutPrefix(name, "discord:"); there {
		name, to = id, chat.Address{Network: chat.Discord, ID: id}
		s.discord.AddPerson(id, chat.Person{Name: id})
	}
	s.agent[name] = n
	_, _, err = s.bot.Link(context.Background(), bot.LinkRequest{
		Address: to, Name: cmp.Or(as, a.Name), Actor: "cli:0",
		Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)},
	})
	return err
}

func (s *stage) counters(name string, fields []string) error {
	row := map[string]any{}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			row[k] = v
			continue
		}
		row[k] = n
	}
	return s.floor.Set(s.floor.Agents()[s.agent[name]].UserID, row)
}

func (s *stage) fault(words []string) error {
	user := "*"
	if words[0] != "*" {
		user = s.floor.Agents()[s.agent[words[0]]].UserID
	}
	count := 0
	if len(words) > 2 {
		count, _ = strconv.Atoi(words[2])
	}
	name := words[1]
	if name == "none" {
		name = ""
	}
	return s.floor.Fault(user, name, count)
}

// request is what every request has.
func (s *stage) request(network, name string) chat.Request {
	s.count++
	r := chat.Request{ID: fmt.Sprint("r", s.count), From: person(name), Name: name, At: time.Now(), SecretForms: true}
	if network == "discord" {
		r.From.Network, r.SecretForms = chat.Discord, false
	}
	return r
}

func (s *stage) say(network, name, text string) error {
	r := s.request(network, name)
	command, rest, _ := strings.Cut(text, " ")
	r.Command, r.Text = strings.TrimPrefix(command, "/"), strings.TrimSpace(rest)
	for word := range strings.FieldsSeq(rest) {
		if len(word) > 20 {
			s.typed = append(s.typed, word)
		}
	}
	s.handle(r)
	return nil
}

func (s *stage) press(name, label string) error {
	for _, a := range s.last[name].Actions {
		if a.Label == label {
			r := s.request(s.where[name], name)
			r.Kind, r.Action = chat.KindAction, chat.Action{ID: a.ID, Value: a.Value}
			s.handle(r)
			return nil
		}
	}
	return fmt.Errorf("%s sees no button %q", name, label)
}

func (s *stage) submit(name string, fields []string) error {
	form := s.form[name]
	if form.ID == "" {
		return fmt.Errorf("%s sees no form", name)
	}
	r := s.request("", name)
	r.Kind, r.Form, r.Value, r.Values = chat.KindForm, form.ID, form.Value, map[string]secret.Secret{}
	for _, f := range fields {
		k, v, err := s.entered(name, f)
		if err != nil {
			return err
		}
		r.Values[k] = v
	}
	s.handle(r)
	return nil
}

// entered reads what a person enters into a field: token=@2 is the token of the
// floor's agent 2, which the person then is.
func (s *stage) entered(name, field string) (key string, v secret.Secret, err error) {
	key, text, _ := strings.Cut(field, "=")
	number, ok := strings.CutPrefix(text, "@")
	if !ok {
		return key, secret.New(text), nil
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return key, v, err
	}
	a := s.floor.Agents()[n]
	s.agent[name] = n
	return key, secret.New(map[string]string{"user_id": a.UserID, "token": a.Token, "ssid": a.SSID}[key]), nil
}

// handle gives the bot a request as an adapter would, and notes what is seen.
func (s *stage) handle(r chat.Request) {
	s.again = r
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	reply, err := s.bot.Handle(ctx, r)
	for err == nil {
		if s.unseen > 0 {
			s.unseen--
			s.seen.WriteString("(not shown)\n")
		} else if s.show(r, reply); reply.Shown != nil {
			reply.Shown(func(_ context.Context, m chat.Message) error {
				s.seen.WriteString("in place of the answer:\n")
				s.show(r, chat.Show(m))
				return nil
			})
		}
		if reply.Then == nil {
			return
		}
		began := time.Now()
		reply, err = reply.Then(ctx)
		fmt.Fprintf(&s.seen, "after %v:\n", time.Since(began).Round(100*time.Millisecond))
	}
	fmt.Fprintf(&s.seen, "(%v)\n", err)
}

func (s *stage) show(r chat.Request, reply chat.Reply) {
	name := r.From.ID
	if reply.Form != nil {
		s.form[name] = *reply.Form
		s.seen.WriteString(reply.Form.Plain() + "\n")
		return
	}
	if reply.Page != nil {
		s.showPage(r, reply.Page)
		return
	}
	if !reply.Message.Private {
		s.t.Errorf("%s got an answer that is not private: %s", name, reply.Message.Title)
	}
	s.last[name], s.where[name] = *reply.Message, string(r.From.Network)
	s.keepPage(name, *reply.Message)
	s.seen.WriteString(hideIDs(reply.Message.Plain()) + "\n")
	for _, f := range reply.Message.Files {
		s.seen.WriteString(hideIDs(string(f.Data)))
	}
}

// showPage shows the home page, a line between its cards.
func (s *stage) showPage(r chat.Request, page []chat.Message) {
	all := chat.Message{}
	for i, m := range page {
		if i > 0 {
			s.seen.WriteString("--\n")
		}
		s.seen.WriteString(hideIDs(m.Plain()) + "\n")
		all.Actions = append(all.Actions, m.Actions...)
	}
	s.last[r.From.ID], s.where[r.From.ID] = all, string(r.From.Network)
}

// hideIDs replaces random ids, so that a script plays the same twice.
func hideIDs(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if before, _, ok := strings.Cut(line, "Request "); ok {
			lines[i] = before + "Request …"
		}
		if before, _, ok := strings.Cut(line, `"agent": "`); ok {
			lines[i] = before + `"agent": "…",`
		}
	}
	return strings.Join(lines, "\n")
}
