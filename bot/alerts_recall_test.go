package bot_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestNoSupervisorAnyMore: who does not supervise a team any more is told nothing
// of it, neither what waits for the end of quiet hours nor that something critical
// still fires. Those who do hear all of it.
func TestNoSupervisorAnyMore(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		defer s.close()
		s.mustDo(t, "at 2026-03-02 14:00", "supervisor kim", "link asha 0", "counters asha TH=9 MH=1 HT=0",
			"team quiet 14:00-14:30", "rule burst when: missed >= 5 | for: 0s | message: {{.Agent}} has missed calls",
			"rule worse when: missed >= 6 | for: 0s | severity: critical | repeat: 20m | message: {{.Agent}} has missed many",
			"run", "advance 1m", "counters asha TH=9 MH=6", "advance 5m")
		s.config.Teams = slices.Clone(s.config.Teams)
		s.config.Teams[0].Supervisors = s.config.Teams[0].Supervisors[:1] // meera
		s.bot.Configure(s.config)
		s.mustDo(t, "advance 50m")
		s.flush()
		heard := map[string][]string{}
		for _, a := range s.all {
			if a.how == "to" && strings.Contains(a.m.Plain(), "has missed") {
				heard[a.to.ID] = append(heard[a.to.ID], a.at.UTC().Add(330*60e9).Format("15:04 ")+a.m.Title)
			}
		}
		if len(heard["kim"]) != 1 || len(heard["meera"]) < 4 {
			t.Errorf("heard: %q", heard)
		}
		for r, err := range s.store.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			if r.To == person("kim") && strings.Contains(r.Key, "/repeat") {
				t.Errorf("%s is %s: nothing of it is kim's any more", r.Key, r.State)
			}
		}
	})
}
