package bot_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	_ "time/tzdata"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
	"floorwalker/bot/schedule"
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

// A stage is a bot with a real store and a simulated API, and the people who
// talk to it.
type stage struct {
	t       *testing.T
	path    string
	floor   *sim.Sim
	store   *store.Store
	wrap    func(*store.Store) bot.Store // what the bot gets instead; nil: the store itself
	client  *dashboard.Client
	bot     *bot.Bot
	seeing  sync.Mutex // guards came and sent
	seen    strings.Builder
	came    []arrival // since the last line
	all     []arrival // before
	log     syncBuffer
	agent   map[string]int          // by person
	last    map[string]chat.Message // what each person saw last
	where   map[string]string       // and on which network
	form    map[string]chat.Form
	again   chat.Request
	count   int // of requests
	net     *chattest.Network
	discord *chattest.Network
	config  bot.Config
	specs   []alert.RuleSpec
	sent    map[chat.Ref]chat.Address
	stop    func()                   // ends what run began; nil: nothing runs
	typed   []string                 // words of commands that look like secrets, and of link pages
	pages   map[string]secret.Secret // the words of link pages, by person
}

const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func newStage(t *testing.T, dir string) *stage {
	s := &stage{
		t: t, path: filepath.Join(dir, "floor.db"),
		agent: map[string]int{}, last: map[string]chat.Message{}, where: map[string]string{}, form: map[string]chat.Form{}, pages: map[string]secret.Secret{},
		net: chattest.NewNetwork(chat.Console), discord: chattest.NewNetwork(chat.Discord), config: stageConfig(t), sent: map[chat.Ref]chat.Address{},
	}
	s.net.AddChannel("#support")
	for _, name := range []string{"asha", "ravi", "meera", "dev", "nobody"} {
		s.net.AddPerson(name, chat.Person{Name: name})
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
	var st bot.Store = s.store
	if s.wrap != nil {
		st = s.wrap(s.store)
	}
	s.bot = bot.New(s.config, s.client, st, nothing{}, log)
}

// run starts the loops of the bot, as serve does.
func (s *stage) run() {
	ctx, cancel := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	b := s.bot
	if _, err := s.store.Recover(time.Now()); err != nil {
		s.t.Fatal(err)
	}
	g.Go(func() error { return b.Watch(ctx) })
	g.Go(func() error { return b.Digests(ctx) })
	g.Go(func() error { return b.Deliver(ctx, wire{s.net, s}) })
	g.Go(func() error { return b.Deliver(ctx, wire{s.discord, s}) })
	s.stop = func() {
		cancel()
		if err := g.Wait(); err != nil && !errors.Is(err, errKilled) {
			s.t.Error(err)
		}
		s.stop = nil
	}
}

// wire is the network as the deliverer sees it; what goes over it is shown.
type wire struct {
	*memory
	s *stage
}

// memory is the network in memory, under a name that leaves its method Network
// visible.
type memory = chattest.Network

func (w wire) Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error) {
	ref, err := w.memory.Send(ctx, out)
	if err == nil {
		w.s.seeing.Lock()
		w.s.sent[ref] = out.To
		w.s.seeing.Unlock()
		w.s.arrived("to", out.To, out.Message, out.Resent)
	}
	return ref, err
}

func (w wire) Edit(ctx context.Context, ref chat.Ref, m chat.Message) error {
	w.s.seeing.Lock()
	to, there := w.s.sent[ref]
	w.s.seeing.Unlock()
	if !there {
		return fmt.Errorf("message_not_found: %w", chat.ErrGone)
	}
	err := w.memory.Edit(ctx, ref, m)
	if err == nil {
		w.s.arrived("edited, to", to, m, false)
	}
	return err
}

// An arrival is a message that was sent or edited.
type arrival struct {
	at  time.Time
	to  chat.Address
	how string
	m   chat.Message
}

// arrived notes what was sent.
func (s *stage) arrived(how string, to chat.Address, m chat.Message, again bool) {
	if again {
		how = "re-sent, " + how
	}
	s.seeing.Lock()
	defer s.seeing.Unlock()
	s.came = append(s.came, arrival{time.Now(), to, how, m})
}

// flush shows what has arrived, with the time in the vendor's zone. Which of two
// people gets their message first at the same instant is nobody's promise.
func (s *stage) flush() {
	s.seeing.Lock()
	defer s.seeing.Unlock()
	slices.SortStableFunc(s.came, func(a, b arrival) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.to.String(), b.to.String()))
	})
	for _, a := range s.came {
		s.last[a.to.ID], s.where[a.to.ID] = a.m, string(a.to.Network)
		fmt.Fprintf(&s.seen, "%s %s %s:\n", a.at.In(kolkata(s.t)).Format("15:04:05"), a.how, a.to.ID)
		for line := range strings.Lines(hideIDs(a.m.Plain()) + "\n") {
			s.seen.WriteString("  " + line)
		}
	}
	s.all, s.came = append(s.all, s.came...), nil
}

// sendFails makes the network refuse what is sent.
func (s *stage) sendFails(what string, n int) error {
	errs := map[string]error{"gone": chat.ErrGone, "rejected": chat.ErrRejected, "refused": chat.ErrRefused,
		"unclear": chat.ErrUnclear, "retry": &chat.RetryError{After: time.Minute, Err: errors.New("too many")}}
	if errs[what] == nil {
		return fmt.Errorf("no such failure: %s", what)
	}
	s.net.Fail(errs[what], n)
	return nil
}

func (s *stage) close() {
	if s.stop != nil {
		s.stop()
	}
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
		if strings.Contains(s.log.String(), secret) {
			s.t.Errorf("the log holds %q", secret)
		}
	}
	if s.log.String() == "" {
		s.t.Error("nothing was logged, so nothing was looked at")
	}
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// nothing counts nothing.
type nothing struct{}

func (nothing) Command(string, string, time.Duration) {}
func (nothing) Delivery(string, string, string)       {}

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
	rota := schedule.Rota{Team: "support", Zone: kolkata(t), Shifts: []schedule.Shift{{
		Name: "day", Days: schedule.On(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday), Start: 9 * 60, End: 18 * 60,
	}}}
	return bot.Config{
		Metrics: d, Zone: kolkata(t), Admins: []chat.Address{person("dev")},
		PollInterval: time.Minute, RequestsPerSecond: 50, MaxInFlight: 32,
		Teams: []bot.Team{{
			Name: "support", Zone: kolkata(t), Channels: []chat.Address{person("#support")},
			Rota: rota, Poll: true, MinCoverage: 0.8,
			Digests:     []bot.Digest{{Name: "day-summary", Schedule: schedule.Digest{Rota: rota, Shift: "day", CatchUp: 2 * time.Hour}}},
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
		time.Sleep(time.Until(at) + 500*time.Millisecond) // after what is due at that second
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
	case "restart":
		running := s.stop != nil
		if running {
			s.stop()
		}
		if err := s.store.Close(); err != nil {
			return err
		}
		s.open()
		if running {
			s.run()
		}
		return nil
	}
	return s.doAlerts(line)
}

func (s *stage) link(name, number string) error {
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
		Address: to, Name: a.Name, Actor: "cli:0",
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
