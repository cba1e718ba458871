package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"floorwalker/bot/alert"
)

// TestTry: a rule that is tried on what happened says what it said when it did.
func TestTry(t *testing.T) {
	dir := fastDir(t)
	cryptotest.SetGlobalRandom(t, 1)
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		for _, line := range []string{
			"at 2026-03-02 10:00", "link asha 0", "link ravi 1", "counters asha TH=20 MH=1", "counters ravi TH=20 MH=1",
			`rule missed-burst when: increase(missed, "30m") >= 3 | clear: increase(missed, "30m") <= 1 | message: {{.Agent}} missed {{.Value}} calls, limit {{.Threshold}}`,
			`rule team-missed scope: team | when: missed >= 7 | clear: missed <= 3 | for: 0s | message: {{.Team}}: {{.Value}}`,
			`rule flaps when: missed >= 5 | for: 0s | keep: 0s`, "run",
			"advance 30m", "counters asha TH=26 MH=5", "advance 40m", "counters asha TH=26 MH=1", "advance 2m",
			"counters asha TH=26 MH=6", "advance 2m", "counters asha TH=26 MH=0", "advance 2m", "counters asha TH=26 MH=9", "advance 5m",
			"fault asha code:1043", "advance 5m",
		} {
			s.must(line)
		}
		real := map[string][]string{}
		for _, a := range s.all {
			rule, _, _ := strings.Cut(a.m.Footer.Plain(), " ·")
			if a.how == "to" && a.to.ID == "meera" {
				real[rule] = append(real[rule], a.at.UTC().Format("15:04"))
			}
		}
		since := time.Now().Add(-2 * time.Hour)
		for _, rule := range s.config.Rules {
			trial, err := s.bot.Try(t.Context(), rule, since, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			ended := 0
			for _, e := range trial.Episodes {
				if e.Told {
					told = append(told, e.Began.Add(alert.GroupWait).UTC().Format("15:04"))
				}
				if !e.Ended.IsZero() {
					ended++
				}
			}
			same := fmt.Sprint(told) == fmt.Sprint(real[rule.Name])
			if rule.Scope == alert.ScopeTeam { // the floor's rounds end when the last agent was polled, those of a trial on the minute
				same = len(told) == len(real[rule.Name])
			}
			if len(told) == 0 || !same || ended == 0 || trial.Polls < 80 {
				t.Errorf("%s: tried %v, told then %v: %+v", rule.Name, told, real[rule.Name], trial)
			}
		}
		trial, err := s.bot.Try(t.Context(), s.config.Rules[0], since, time.Now())
		if err != nil || trial.Episodes[0].Text != "Asha Rao missed 4 calls, limit 3" || trial.Subjects != 2 {
			t.Errorf("%+v, %v", trial, err)
		}
		if trial, err = s.bot.Try(t.Context(), s.config.Rules[2], since, time.Now()); err != nil || trial.Episodes[2].Told {
			t.Errorf("the third in a shift is told: %+v, %v", trial, err)
		}
		s.close()
	})
}
