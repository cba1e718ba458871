package bot

import (
	"testing"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// TestSilenceHolds: a silence that is kept holds from then on, also for a poll
// that read the clock before it was made, until it ends or is ended.
func TestSilenceHolds(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 2, 10, minute, 0, 0, time.UTC) }
	made := silence{Silence: alert.Silence{Start: at(10), End: at(40)}}
	ended, endedEarly := made, made
	ended.Silence = made.Ended(at(20))
	endedEarly.Silence = made.Ended(at(5)) // by a clock that was set back
	for _, test := range []struct {
		name string
		s    silence
		now  int
		want bool
	}{
		{"before it was made", made, 9, true}, {"after", made, 11, true}, {"at its end", made, 40, false},
		{"ended", ended, 21, false}, {"ended before its start", endedEarly, 6, false},
	} {
		if got := test.s.holds(at(test.now)); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestSilenceUntilShiftEnds: the end of the shift is that of the team that is
// meant: an agent's, a rule's, or the supervisor's own.
func TestSilenceUntilShiftEnds(t *testing.T) {
	dev, lea := chat.Address{Network: chat.Console, ID: "dev"}, chat.Address{Network: chat.Console, ID: "lea"}
	team := func(name string, end schedule.TimeOfDay) Team {
		rota := schedule.Rota{Team: name, Zone: time.UTC, Shifts: []schedule.Shift{{Name: "day", Days: schedule.EveryDay, Start: 9 * 60, End: end}}}
		return Team{Name: name, Zone: time.UTC, Rota: rota, Poll: true}
	}
	c := &Config{Admins: []chat.Address{dev}, Teams: []Team{team("support", 18*60), team("sales", 23*60)}}
	c.Teams[0].Supervisors = []Person{{Addresses: []chat.Address{lea}}}
	asha := &Agent{ID: "a", Name: "Asha Rao", Teams: []string{"support"}}
	everywhere, sales := &alert.Rule{Name: "r"}, &alert.Rule{Name: "s", Teams: []string{"sales"}}
	for _, test := range []struct {
		name string
		by   chat.Address
		want wanted
		end  int
	}{
		{"an agent", dev, wanted{agent: asha}, 18},
		{"a rule of an agent", dev, wanted{agent: asha, rule: everywhere}, 18},
		{"a rule of all teams", dev, wanted{rule: everywhere}, 23},
		{"a rule of one team", dev, wanted{rule: sales}, 23},
		{"a supervisor's team", lea, wanted{rule: everywhere}, 18},
	} {
		d := newDesk(nil, c, time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), time.Minute)
		r := &request{config: c}
		r.From = test.by
		targets, err := d.targets(r, test.want)
		if err != nil {
			t.Fatal(err)
		}
		if end, err := d.shiftEnd(targets); err != nil || end.Hour() != test.end {
			t.Errorf("%s: until %v, %v; want %d:00", test.name, end, err, test.end)
		}
	}
}

// TestTheirTeam: quiet hours are those of the team that a person supervises, not
// those of the first that an alert is about; an administrator's are of no one team.
func TestTheirTeam(t *testing.T) {
	sid, admin := chat.Address{Network: chat.Slack, ID: "U0SID"}, chat.Address{Network: chat.Slack, ID: "U0DEV"}
	d := &desk{c: &Config{Admins: []chat.Address{admin}, Teams: []Team{{Name: "support"}, {Name: "sales", Supervisors: []Person{{Addresses: []chat.Address{sid}}}}}}}
	o := openEpisode{episode: &episode{Teams: []string{"support", "sales"}}}
	if got := d.theirTeam(sid, o); got != "sales" {
		t.Errorf("sid's team is %q, want sales", got)
	}
	if got := d.theirTeam(admin, o); got != "" {
		t.Errorf("the administrator's team is %q, want none", got)
	}
}
