package bot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"floorwalker/bot/alert"
)

// TestAlertsReload reloads a hundred times while an alert is on its way through
// its life. Rules beside it come, go, change and are switched off; nobody hears
// of it early, late, twice or not at all.
func TestAlertsReload(t *testing.T) {
	calm := playReloads(t, 0)
	stormy := playReloads(t, 100)
	if len(calm) != 3 || !slices.Equal(calm, stormy) {
		t.Errorf("with 100 reloads\n%s\nwithout\n%s", strings.Join(stormy, "\n"), strings.Join(calm, "\n"))
	}
}

// playReloads returns what the rule that stays as it is makes people hear, with
// the times.
func playReloads(t *testing.T, reloads int) (heard []string) {
	dir := fastDir(t)
	cryptotest.SetGlobalRandom(t, 1)
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		stays := `when: missed >= 5 | clear: missed <= 3 | for: 3m | keep: 3m | message: {{.Agent}} has missed calls`
		for _, line := range []string{"at 2026-03-02 14:00", "link asha 0", "link ravi 1", "counters asha TH=9 MH=1", "counters ravi TH=9 MH=7",
			"rule stays " + stays, "run", "advance 1m", "counters asha TH=9 MH=6"} {
			s.must(line)
		}
		pause := 10 * time.Minute / time.Duration(max(1, reloads/2))
		for i := range 2 * max(1, reloads/2) {
			if i == max(1, reloads/2) {
				s.must("counters asha TH=9 MH=2")
			}
			if reloads > 0 {
				s.must(fmt.Sprintf("rule other when: missed >= %d | for: %dm | message: %d", 1+i/7%3, i/5%2, i/3%4))
				s.must(fmt.Sprintf("rule other-%d when: missed >= 4 | for: 0s | enabled: %v", i/4%3, i%3 > 0))
				s.must(fmt.Sprintf("rule other-%d", i/6%3))
			}
			time.Sleep(pause)
		}
		synctest.Wait()
		s.flush()
		told := map[string]bool{}
		for r, err := range s.store.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			episode, step, _, _ := alert.ParseKey(r.Key)
			told[episode] = told[episode] || step == alert.StepFire
			if step == alert.StepResolve && !told[episode] {
				t.Errorf("%s ends what was never told", r.Key)
			}
		}
		for _, a := range s.all {
			if text := a.m.Plain(); strings.Contains(text, "stays") && strings.Contains(text, "Asha") {
				heard = append(heard, a.at.UTC().Format("15:04:05 ")+a.how+" "+a.m.Title)
			}
		}
		s.close()
	})
	return heard
}
