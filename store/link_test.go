package store

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/dashboard"
	"github.com/google/go-cmp/cmp"
)

// A step is a link in a table test, "agent" naming the agents by letters in the
// order in which they are made.
type step struct {
	addr       string
	cred       dashboard.Credential
	same       string // SamePerson, separated by spaces
	unverified bool
	want       string // "new A", "relink A", "join A", "join relink A", "held"
	floor      string // afterwards: "A=slack:U1,discord:D1 B=slack:U2"
}

func TestLinkPlaces(t *testing.T) {
	for name, steps := range map[string][]step{
		"a new token for the same user": {
			{addr: "slack:U1", cred: pair("17", "t1"), want: "new A", floor: "A=slack:U1"},
			{addr: "slack:U1", cred: pair("17", "t2"), want: "relink A", floor: "A=slack:U1"},
		},
		"from a session to a token and back": {
			{addr: "slack:U1", cred: session("s1"), want: "new A", floor: "A=slack:U1"},
			{addr: "slack:U1", cred: pair("17", "t1"), want: "relink A", floor: "A=slack:U1"},
			{addr: "slack:U1", cred: session("s2"), want: "relink A", floor: "A=slack:U1"},
			{addr: "slack:U2", cred: pair("17", "t1"), want: "new B", floor: "A=slack:U1 B=slack:U2"}, // 17 is free again
		},
		"another user at the only address": {
			{addr: "slack:U1", cred: pair("17", "t1"), want: "new A", floor: "A=slack:U1"},
			{addr: "slack:U1", cred: pair("18", "t2"), want: "new B", floor: "B=slack:U1"},
		},
		"another user at one of two addresses": {
			{addr: "slack:U1", cred: pair("17", "t1"), want: "new A", floor: "A=slack:U1"},
			{addr: "discord:D1", cred: pair("17", "t1"), want: "join A", floor: "A=slack:U1,discord:D1"},
			{addr: "slack:U1", cred: pair("18", "t2"), want: "new B", floor: "A=discord:D1 B=slack:U1"},
		},
		"the same user and token joins when verified": {
			{addr: "slack:U1", cred: pair("17", "t1"), want: "new A", floor: "A=slack:U1"},
			{addr: "discord:D1", cred: pair("17", "t1"), unverified: true, want: "held", floor: "A=slack:U1"},
			{addr: "discord:D1", cred: pair("17", "t2"), want: "held", floor: "A=slack:U1"},
			{addr: "discord:D1", cred: pair("17", "t1"), want: "join A", floor: "A=slack:U1,discord:D1"},
		},
		"moving to a user who is held keeps the address where it was": {
			{addr: "slack:U1", cred: pair("17", "t1"), want: "new A", floor: "A=slack:U1"},
			{addr: "slack:U2", cred: pair("18", "t2"), want: "new B", floor: "A=slack:U1 B=slack:U2"},
			{addr: "slack:U2", cred: pair("17", "guess"), want: "held", floor: "A=slack:U1 B=slack:U2"},
			{addr: "slack:U2", cred: pair("17", "t1"), want: "join A", floor: "A=slack:U1,slack:U2"},
		},
		"a session's owner turns out to be held": {
			{addr: "slack:U1", cred: pair("17", "t1"), want: "new A", floor: "A=slack:U1"},
			{addr: "slack:U2", cred: session("s1"), want: "new B", floor: "A=slack:U1 B=slack:U2"},
			{addr: "slack:U2", cred: pair("17", "guess"), want: "held", floor: "A=slack:U1 B=slack:U2"},
			{addr: "slack:U2", cred: pair("17", "t1"), want: "join A", floor: "A=slack:U1,slack:U2"},
		},
		"one person by configuration": {
			{addr: "slack:U1", cred: pair("17", "t1"), want: "new A", floor: "A=slack:U1"},
			{addr: "discord:D1", cred: pair("17", "t1"), same: "slack:U1", unverified: true, want: "join A", floor: "A=slack:U1,discord:D1"},
			{addr: "discord:D2", cred: pair("17", "t2"), same: "slack:U9 slack:U1", want: "join relink A", floor: "A=slack:U1,discord:D1,discord:D2"},
			{addr: "discord:D3", cred: session("s1"), same: "slack:U1", want: "join relink A", floor: "A=slack:U1,discord:D1,discord:D2,discord:D3"},
		},
		"one person by configuration, two by user id": {
			{addr: "slack:U1", cred: pair("17", "t1"), want: "new A", floor: "A=slack:U1"},
			{addr: "discord:D1", cred: pair("18", "t2"), same: "slack:U1", want: "new B", floor: "A=slack:U1 B=discord:D1"},
			{addr: "discord:D2", cred: pair("18", "t3"), same: "slack:U1", want: "held", floor: "A=slack:U1 B=discord:D1"},
			{addr: "discord:D2", cred: pair("18", "t3"), same: "slack:U1 discord:D1", want: "join relink B", floor: "A=slack:U1 B=discord:D1,discord:D2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, testConfig(t))
			names := map[bot.AgentID]string{}
			for i, step := range steps {
				l := linkOf(step.addr, step.cred)
				for same := range strings.FieldsSeq(step.same) {
					l.SamePerson = append(l.SamePerson, at(same))
				}
				if step.unverified {
					l.State = bot.LinkUnverified
				}
				linked, err := s.Link(l)
				if got := outcome(names, linked, err); got != step.want {
					t.Fatalf("step %d: %s, want %s", i, got, step.want)
				}
				if got := floor(t, s, names); got != step.floor {
					t.Errorf("step %d: floor is %s, want %s", i, got, step.floor)
				}
				checkSound(t, s)
			}
		})
	}
}

// outcome puts what a link did in words, and names new agents.
func outcome(names map[bot.AgentID]string, l bot.Linked, err error) string {
	if err != nil {
		if errors.Is(err, bot.ErrHeld) {
			return "held"
		}
		return err.Error()
	}
	words := ""
	if _, known := names[l.Agent.ID]; !known {
		names[l.Agent.ID] = string(rune('A' + len(names)))
		words = "new "
	}
	if l.Joined {
		words += "join "
	}
	if l.Relink {
		words += "relink "
	}
	return words + names[l.Agent.ID]
}

// floor lists who is where.
func floor(t testing.TB, s *Store, names map[bot.AgentID]string) string {
	var all []string
	for _, a := range collect(t, s.Agents()) {
		var addrs []string
		for _, addr := range a.Addresses {
			addrs = append(addrs, addr.String())
		}
		all = append(all, names[a.ID]+"="+strings.Join(addrs, ","))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestLinkKeepsAndReplaces(t *testing.T) {
	s := open(t, testConfig(t))
	first := linkOf("slack:U1", pair("17", "t1"))
	first.Teams = []string{"support"}
	id := mustLink(t, s, first).Agent.ID
	if err := s.SetLinkState(id, bot.LinkRelink, "refused", noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}

	join := linkOf("discord:D1", pair("17", "t1"))
	join.Name, join.Teams = "asha#1", []string{"night", "support"}
	join.Audit.At, join.Audit.Actor = noon.Add(time.Hour), "cli:0"
	got := mustLink(t, s, join)
	want := bot.Agent{
		ID: id, Name: first.Name, Addresses: []chat.Address{at("slack:U1"), at("discord:D1")}, UserID: "17",
		Credential: bot.CredentialToken, State: bot.LinkActive, Changed: noon.Add(time.Hour),
		LinkedBy: "slack:U1", LinkedAt: noon, Teams: []string{"support", "night"},
	}
	if diff := cmp.Diff(bot.Linked{Agent: want, Joined: true}, got); diff != "" {
		t.Error("join:\n", diff)
	}
	trail := collect(t, s.AuditTrail(noon.Add(time.Hour)))
	if len(trail) != 1 || !strings.Contains(trail[0].Detail, "joined agent "+string(id)) {
		t.Errorf("the trail does not tell of the join: %+v", trail)
	}

	again := linkOf("discord:D1", dashboard.Credential{UserID: "17", Token: pair("", "t2").Token, SSID: session("s1").SSID})
	again.State, again.Name = bot.LinkUnverified, "Asha Rao"
	again.Audit.At, again.Audit.Actor = noon.Add(2*time.Hour), "discord:D1"
	got = mustLink(t, s, again)
	want.Name, want.State, want.Changed = "Asha Rao", bot.LinkUnverified, noon.Add(2*time.Hour)
	want.LinkedBy, want.LinkedAt = "discord:D1", noon.Add(2*time.Hour)
	if diff := cmp.Diff(bot.Linked{Agent: want, Relink: true}, got); diff != "" {
		t.Error("relink:\n", diff)
	}
	if c, err := s.Credential(id); err != nil || !c.Equal(again.Credential) {
		t.Errorf("the new credential is not there: %v", err)
	}
}

func TestLinkUnprovenTakesNothingAway(t *testing.T) {
	s := open(t, testConfig(t))
	mustLink(t, s, linkOf("slack:U1", pair("17", "t1")))
	l := linkOf("discord:D1", pair("17", "t1"))
	l.State, l.SamePerson = bot.LinkUnverified, []chat.Address{at("slack:U1")}
	if got := mustLink(t, s, l); got.Agent.State != bot.LinkActive || !got.Joined || got.Relink {
		t.Errorf("joined unverified with the same credential: %+v", got)
	}
}

func TestLeavingTheLastAddressIsAudited(t *testing.T) {
	s := open(t, testConfig(t))
	id := mustLink(t, s, linkOf("slack:U1", pair("17", "t1"))).Agent.ID
	mustLink(t, s, linkOf("slack:U1", pair("18", "t2")))
	deleted := slices.ContainsFunc(collect(t, s.AuditTrail(noon)), func(e bot.AuditEntry) bool {
		return e.Action == "unlink" && e.Object == string(id) && e.Actor == "slack:U1"
	})
	if !deleted {
		t.Error("the trail does not tell that the agent was deleted")
	}
	if _, err := s.Credential(id); !errors.Is(err, bot.ErrNotLinked) {
		t.Errorf("credential of the deleted agent: %v", err)
	}
}

func TestLinkRefuses(t *testing.T) {
	s := open(t, testConfig(t))
	for want, change := range map[string]func(*bot.Link){
		"not an address":     func(l *bot.Link) { l.Address = chat.Address{} },
		"not an address\t":   func(l *bot.Link) { l.Address.ID = "a b" },
		"active or unver":    func(l *bot.Link) { l.State = bot.LinkRelink },
		"token is missing":   func(l *bot.Link) { l.Credential.Token = session("").SSID },
		"no credential":      func(l *bot.Link) { l.Credential = dashboard.Credential{} },
		"key too large":      func(l *bot.Link) { l.Address.ID = strings.Repeat("x", 40000) },
		"longer than":        func(l *bot.Link) { l.Credential.UserID = strings.Repeat("x", 40000) },
		"not an address\t\t": func(l *bot.Link) { l.Address.Network = "Slack" },
	} {
		l := linkOf("slack:U1", pair("17", "t1"))
		change(&l)
		if _, err := s.Link(l); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	checkSound(t, s)
	for range s.Agents() {
		t.Error("something was linked")
	}
	if len(collect(t, s.AuditTrail(time.Time{}))) > 0 {
		t.Error("something was recorded")
	}
}

func TestLinkAllOrNone(t *testing.T) {
	s := open(t, testConfig(t))
	all := []bot.Link{linkOf("slack:U1", pair("17", "t1")), linkOf("slack:U2", pair("18", "t2")), linkOf("slack:U3", pair("17", "other"))}
	if linked, err := s.LinkAll(all); !errors.Is(err, bot.ErrHeld) || !strings.Contains(err.Error(), "slack:U3") || linked != nil {
		t.Errorf("with one that is held: %v, %v", linked, err)
	}
	for a := range s.Agents() {
		t.Errorf("stored all the same: %+v", a)
	}
	linked, err := s.LinkAll(all[:2])
	if err != nil || len(linked) != 2 || linked[1].Agent.UserID != "18" {
		t.Errorf("linked %+v, %v", linked, err)
	}
	checkSound(t, s)
}

func TestConcurrentLinksOfOneUser(t *testing.T) {
	s := open(t, testConfig(t))
	const n = 8
	var wg sync.WaitGroup
	var joined atomic.Int32
	for i := range n {
		wg.Go(func() {
			l, err := s.Link(linkOf(fmt.Sprintf("slack:U%d", i), pair("17", "t1")))
			if err != nil {
				t.Error(err)
			}
			if l.Joined {
				joined.Add(1)
			}
		})
	}
	wg.Wait()
	if joined.Load() != n-1 {
		t.Errorf("%d of %d joined, want all but the first", joined.Load(), n)
	}
	agents := collect(t, s.Agents())
	if len(agents) != 1 || len(agents[0].Addresses) != n {
		t.Errorf("%d agents: %+v", len(agents), agents)
	}
	checkSound(t, s)
}

func TestConcurrentLinksOfOneAddress(t *testing.T) {
	s := open(t, testConfig(t))
	const n = 8
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			l := linkOf("slack:U1", pair(fmt.Sprint(i), "t"))
			l.RequestID = "the same"
			if _, err := s.Link(l); err != nil && !errors.Is(err, bot.ErrDone) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if trail := collect(t, s.AuditTrail(noon)); len(trail) != 1 {
		t.Errorf("%d effects of one request", len(trail))
	}
	checkSound(t, s)
}

// A model is what [bot.Links] promises, in maps.
type model struct {
	at   map[string]bot.AgentID
	user map[bot.AgentID]string
	cred map[bot.AgentID]dashboard.Credential
}

func (m *model) holder(userID string) bot.AgentID {
	for id, u := range m.user {
		if u == userID && u != "" {
			return id
		}
	}
	return ""
}

// compatible: nothing says that the credential is not this agent's.
func (m *model) compatible(id bot.AgentID, userID string) bool {
	h := m.holder(userID)
	return h == id || h == "" && (userID == "" || m.user[id] == "")
}

// link returns the agent, "new" for a new one and "held" for an error.
func (m *model) link(l bot.Link) bot.AgentID {
	user, addr := l.Credential.UserID, l.Address.String()
	if id, ok := m.at[addr]; ok && m.compatible(id, user) {
		return id
	}
	for _, same := range l.SamePerson {
		id, ok := m.at[same.String()]
		if ok && m.compatible(id, user) {
			return id
		}
	}
	switch h := m.holder(user); {
	case h == "":
		return "new"
	case l.State == bot.LinkActive && m.cred[h].Token.Equal(l.Credential.Token):
		return h
	}
	return "held"
}

// linked records what a link did.
func (m *model) linked(l bot.Link, id bot.AgentID) {
	m.at[l.Address.String()] = id
	m.user[id], m.cred[id] = l.Credential.UserID, l.Credential
	for id := range m.user {
		if !slices.Contains(slices.Collect(maps.Values(m.at)), id) {
			m.unlink(id)
		}
	}
}

func (m *model) unlink(id bot.AgentID) {
	delete(m.user, id)
	delete(m.cred, id)
	maps.DeleteFunc(m.at, func(_ string, a bot.AgentID) bool { return a == id })
}

// randomLink draws from few values, so that they meet.
func randomLink(r *rand.Rand) bot.Link {
	pick := func(n int) string { return fmt.Sprint(r.IntN(n)) }
	c := pair("user"+pick(3), "token"+pick(2))
	if r.IntN(4) == 0 {
		c = session("session" + pick(3))
	}
	l := linkOf("slack:U"+pick(5), c)
	if r.IntN(4) == 0 {
		l.State = bot.LinkUnverified
	}
	for range r.IntN(3) {
		if same := at("slack:U" + pick(5)); same != l.Address {
			l.SamePerson = append(l.SamePerson, same)
		}
	}
	return l
}

func TestLinkAgainstModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	s := open(t, testConfig(t))
	m := &model{map[string]bot.AgentID{}, map[bot.AgentID]string{}, map[bot.AgentID]dashboard.Credential{}}
	for i := range 400 {
		switch ids := slices.Sorted(maps.Keys(m.user)); {
		case r.IntN(50) == 0:
			s = reopen(t, s)
		case r.IntN(8) == 0 && len(ids) > 0:
			id := ids[r.IntN(len(ids))]
			if _, err := s.Unlink(id, bot.AuditEntry{Action: "unlink"}, ""); err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			m.unlink(id)
		default:
			l := randomLink(r)
			want := m.link(l)
			got, err := s.Link(l)
			_, known := m.user[got.Agent.ID]
			switch {
			case want == "held" && errors.Is(err, bot.ErrHeld):
			case err == nil && (want == got.Agent.ID || want == "new" && !known):
				m.linked(l, got.Agent.ID)
			default:
				t.Fatalf("step %d: link of %s with %s %v: %+v, %v; want %s", i, l.Address, l.Credential.UserID, l.SamePerson, got, err, want)
			}
		}
		compare(t, s, m)
		if t.Failed() {
			t.Fatalf("after step %d", i)
		}
	}
	checkSound(t, s)
}

// compare fails the test if store and model differ.
func compare(t *testing.T, s *Store, m *model) {
	t.Helper()
	where := map[string]bot.AgentID{}
	for _, a := range collect(t, s.Agents()) {
		for _, addr := range a.Addresses {
			where[addr.String()] = a.ID
		}
		c, err := s.Credential(a.ID)
		if err != nil || !c.Equal(m.cred[a.ID]) || a.UserID != m.user[a.ID] {
			t.Errorf("agent %s: user %s, want %s; credential: %v", a.ID, a.UserID, m.user[a.ID], err)
		}
	}
	if diff := cmp.Diff(m.at, where); diff != "" {
		t.Error("addresses:\n", diff)
	}
}
