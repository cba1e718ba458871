package bot_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	_ "time/tzdata"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
	"floorwalker/store"
)

var update = flag.Bool("update", false, "rewrite the scripts' expected output")

// TestScripts plays the conversations of testdata/script. Each is a user story:
// a line that starts at the margin is done, and all that people see of it stands
// indented below. What nobody expected is a difference too.
//
//	at 2026-03-02 09:00         the time, in the vendor's zone; only forwards
//	advance 10m                 let that much time pass
//	link asha 0                 an administrator links asha to the floor's agent 0
//	counters asha TH=5 MH=1     what the API answers for asha's agent from now on
//	fault asha slow:8s 1        a fault of the simulated API, for so many answers
//	as asha: /mystats           a command; the console asks for secrets in forms
//	discord asha: /mystats      the same where forms may not ask for secrets
//	press asha Refresh          a button of the last message to asha
//	submit asha user_id=@2 token=@2    the form; @2 is what agent 2 has
//	again                       the network delivers the last request once more
//	restart                     kill the bot and start it on the same file
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
		for seen := range strings.Lines(s.seen.String()) {
			out.WriteString(strings.TrimRight("    "+strings.TrimRight(seen, "\n"), " ") + "\n")
		}
	}
	return out.String()
}

// A stage is a bot with a real store and a simulated API, and the people who
// talk to it.
type stage struct {
	t      *testing.T
	path   string
	floor  *sim.Sim
	store  *store.Store
	client *dashboard.Client
	bot    *bot.Bot
	seen   strings.Builder
	log    bytes.Buffer
	agent  map[string]int          // by person
	last   map[string]chat.Message // what each person saw last
	form   map[string]chat.Form
	again  chat.Request
	count  int      // of requests
	typed  []string // words of commands that look like secrets
}

const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func newStage(t *testing.T, dir string) *stage {
	s := &stage{
		t: t, path: filepath.Join(dir, "floor.db"),
		agent: map[string]int{}, last: map[string]chat.Message{}, form: map[string]chat.Form{},
	}
	s.floor = sim.New(sim.Config{Seed: 1})
	s.open()
	return s
}

func (s *stage) open() {
	var err error
	if s.store, err = store.Open(store.Config{Path: s.path, Key: secret.New(key)}); err != nil {
		s.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.client, err = dashboard.New(dashboard.Config{BaseURL: "http://127.0.0.1", Transport: s.floor.Transport(), Logger: log})
	if err != nil {
		s.t.Fatal(err)
	}
	s.bot = bot.New(stageConfig(s.t), s.client, s.store, nothing{}, log)
}

func (s *stage) close() {
	time.Sleep(time.Minute) // let calls that nobody waits for end
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
	s.noSecrets()
}

// noSecrets looks for every secret of the floor in everything that was logged
// and stored. What people typed into commands counts as secret too.
func (s *stage) noSecrets() {
	file, err := os.ReadFile(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	var secrets []string
	for _, a := range s.floor.Agents() {
		secrets = append(secrets, a.Token, a.SSID)
	}
	for _, secret := range append(secrets, s.typed...) {
		if bytes.Contains(file, []byte(secret)) {
			s.t.Errorf("the database holds the secret %q", secret)
		}
		if bytes.Contains(s.log.Bytes(), []byte(secret)) {
			s.t.Errorf("the log holds %q", secret)
		}
	}
	if s.log.Len() == 0 {
		s.t.Error("nothing was logged, so nothing was looked at")
	}
}

// nothing counts nothing.
type nothing struct{}

func (nothing) Command(string, string, time.Duration) {}

// kolkata is the vendor's zone.
func kolkata(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func person(name string) chat.Address { return chat.Address{Network: chat.Console, ID: name} }

func stageConfig(t testing.TB) bot.Config {
	d := stats.Defaults()
	for i := range d {
		d[i].Confirmed = d[i].Name != "total_calls" && d[i].Name != "idle"
	}
	return bot.Config{
		Metrics: d, Zone: kolkata(t), Admins: []chat.Address{person("dev")},
		Teams: []bot.Team{{
			Name: "support", Zone: kolkata(t),
			Supervisors: []bot.Person{{Addresses: []chat.Address{person("meera")}}},
			Members: []bot.Person{
				{Addresses: []chat.Address{person("asha"), {Network: chat.Discord, ID: "asha"}}},
				{Addresses: []chat.Address{person("ravi")}},
			},
		}},
	}
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
		time.Sleep(time.Until(at))
		return err
	case "advance":
		d, err := time.ParseDuration(words[1])
		time.Sleep(d)
		return err
	case "link":
		return s.link(words[1], words[2])
	case "counters":
		return s.counters(words[1], words[2:])
	case "fault":
		return s.fault(words[1:])
	case "press":
		return s.press(words[1], strings.Join(words[2:], " "))
	case "submit":
		return s.submit(words[1], words[2:])
	case "again":
		s.handle(s.again)
		return nil
	case "restart":
		if err := s.store.Close(); err != nil {
			return err
		}
		s.open()
		return nil
	}
	return errors.New("no such line")
}

func (s *stage) link(name, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	a := s.floor.Agents()[n]
	s.agent[name] = n
	_, _, err = s.bot.Link(context.Background(), bot.LinkRequest{
		Address: person(name), Name: a.Name, Actor: "cli:0",
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
			r := s.request("", name)
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
		k, v, _ := strings.Cut(f, "=")
		if number, ok := strings.CutPrefix(v, "@"); ok {
			n, err := strconv.Atoi(number)
			if err != nil {
				return err
			}
			a := s.floor.Agents()[n]
			v = map[string]string{"user_id": a.UserID, "token": a.Token, "ssid": a.SSID}[k]
			s.agent[name] = n
		}
		r.Values[k] = secret.New(v)
	}
	s.handle(r)
	return nil
}

// handle gives the bot a request as an adapter would, and notes what is seen.
func (s *stage) handle(r chat.Request) {
	s.again = r
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	reply, err := s.bot.Handle(ctx, r)
	for err == nil {
		s.show(r, reply)
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
	if !reply.Message.Private {
		s.t.Errorf("%s got an answer that is not private: %s", name, reply.Message.Title)
	}
	s.last[name] = *reply.Message
	s.seen.WriteString(hideIDs(reply.Message.Plain()) + "\n")
	for _, f := range reply.Message.Files {
		s.seen.WriteString(hideIDs(string(f.Data)))
	}
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
