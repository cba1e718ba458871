package schedule

import (
	"slices"
	"testing"
	"time"
)

func TestDue(t *testing.T) {
	const (
		newYork = "America/New_York"
		latest  = 2 * time.Hour
		skip    = 0
	)
	for _, test := range []struct {
		name      string
		zone      string
		times     []string
		last, now string
		catchUp   time.Duration
		run       string // "" for none
		delayed   bool
		skipped   []string
	}{
		{name: "nothing yet", zone: "UTC", times: []string{"16:00"}, last: "2026-06-01T16:00Z", now: "2026-06-02T15:59Z", catchUp: latest},
		{name: "on the minute", zone: "UTC", times: []string{"16:00"}, last: "2026-06-01T16:00Z", now: "2026-06-02T16:00Z", catchUp: latest, run: "2026-06-02T16:00"},
		{name: "a slow loop", zone: "UTC", times: []string{"16:00"}, last: "2026-06-01T16:00Z", now: "2026-06-02T16:05Z", catchUp: skip, run: "2026-06-02T16:00"},
		{name: "recorded already", zone: "UTC", times: []string{"16:00"}, last: "2026-06-02T16:00Z", now: "2026-06-02T16:01Z", catchUp: latest},
		{name: "the clock went back", zone: "UTC", times: []string{"16:00"}, last: "2026-06-02T16:00Z", now: "2026-06-02T15:30Z", catchUp: latest},
		{name: "delayed", zone: "UTC", times: []string{"16:00"}, last: "2026-06-01T16:00Z", now: "2026-06-02T16:06Z", catchUp: latest, run: "2026-06-02T16:00", delayed: true},
		{name: "delayed, policy skip", zone: "UTC", times: []string{"16:00"}, last: "2026-06-01T16:00Z", now: "2026-06-02T16:06Z", catchUp: skip, skipped: []string{"2026-06-02T16:00 late"}},
		{name: "just young enough", zone: "UTC", times: []string{"16:00"}, last: "2026-06-01T16:00Z", now: "2026-06-02T17:59Z", catchUp: latest, run: "2026-06-02T16:00", delayed: true},
		{name: "too old", zone: "UTC", times: []string{"16:00"}, last: "2026-06-01T16:00Z", now: "2026-06-02T18:00Z", catchUp: latest, skipped: []string{"2026-06-02T16:00 late"}},
		{
			name: "the newest of several", zone: "UTC", times: []string{"08:00", "16:00", "17:00"},
			last: "2026-06-01T17:00Z", now: "2026-06-02T17:30Z", catchUp: latest, run: "2026-06-02T17:00", delayed: true,
			skipped: []string{"2026-06-02T08:00 late", "2026-06-02T16:00 late"},
		},
		{
			name: "down for two days, and on time again", zone: "UTC", times: []string{"16:00"},
			last: "2026-06-01T16:00Z", now: "2026-06-04T16:00Z", catchUp: skip, run: "2026-06-04T16:00",
			skipped: []string{"2026-06-02T16:00 late", "2026-06-03T16:00 late"},
		},
		{
			name: "coalesced", zone: newYork, times: []string{"02:15", "02:30", "03:00"},
			last: "2026-03-07T09:00Z", now: "2026-03-08T07:00Z", catchUp: latest, run: "2026-03-08T02:15",
			skipped: []string{"2026-03-08T02:30 coalesced", "2026-03-08T03:00 coalesced"},
		},
		{
			name: "coalesced and late", zone: newYork, times: []string{"02:15", "02:30"},
			last: "2026-03-07T09:00Z", now: "2026-03-08T12:00Z", catchUp: latest,
			skipped: []string{"2026-03-08T02:15 late", "2026-03-08T02:30 coalesced"},
		},
		{
			name: "no such date", zone: "Pacific/Apia", times: []string{"08:00"},
			last: "2011-12-29T18:00Z", now: "2011-12-30T19:00Z", catchUp: latest, run: "2011-12-31T08:00", delayed: true,
			skipped: []string{"2011-12-30T08:00 no_such_date"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := Schedule{Zone: zone(t, test.zone), Days: EveryDay, Times: clocks(t, test.times...)}
			plan, err := s.Due(instant(t, test.last), instant(t, test.now), test.catchUp)
			if err != nil {
				t.Fatal(err)
			}
			run := ""
			if plan.Ready {
				run = plan.Run.Nominal.String()
			}
			if run != test.run || plan.Delayed != test.delayed {
				t.Errorf("run %q, delayed %v; want %q, %v", run, plan.Delayed, test.run, test.delayed)
			}
			var skipped []string
			for _, k := range plan.Skipped {
				skipped = append(skipped, k.Nominal.String()+" "+string(k.Reason))
				if want, _ := Resolve(k.Nominal, s.Zone); !k.At.Equal(want) {
					t.Errorf("%s would have run at %s, want %s", k.Nominal, k.At, want)
				}
			}
			if !slices.Equal(skipped, test.skipped) {
				t.Errorf("skipped %q, want %q", skipped, test.skipped)
			}
		})
	}
}

// However long ago the last run was, the plan is bounded.
func TestDueBacklog(t *testing.T) {
	s := Schedule{Zone: time.UTC, Days: EveryDay, Times: clocks(t, "16:00")}
	plan, err := s.Due(time.Time{}, instant(t, "2026-06-02T16:01Z"), time.Hour)
	if err != nil || !plan.Ready || len(plan.Skipped) != 89 {
		t.Errorf("ready %v, %d skipped, %v; want a run and 89", plan.Ready, len(plan.Skipped), err)
	}
}

// TestDueCoversAll wakes a loop at odd intervals for a year: every nominal time
// is planned once, as a run or as skipped.
func TestDueCoversAll(t *testing.T) {
	s := Schedule{Zone: zone(t, "America/New_York"), Days: EveryDay, Times: clocks(t, "02:15", "02:30", "13:00")}
	seen := map[Civil]int{}
	last := instant(t, "2026-01-01T12:00Z")
	naps := []time.Duration{30 * time.Second, time.Minute, 7 * time.Hour, 31 * time.Hour, 10 * time.Minute, 0, -time.Hour}
	now := last
	for i := 0; now.Before(instant(t, "2027-01-01T12:00Z")); i++ {
		now = now.Add(naps[i%len(naps)])
		plan, err := s.Due(last, now, 2*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range plan.Skipped {
			seen[k.Nominal]++
			last = k.At
		}
		if plan.Ready {
			seen[plan.Run.Nominal]++
			last = plan.Run.At
		}
	}
	for d := date(t, "2026-01-02"); d < date(t, "2026-12-31"); d++ {
		for _, at := range s.Times {
			if n := seen[Civil{d, at}]; n != 1 {
				t.Errorf("%s was planned %d times", Civil{d, at}, n)
			}
		}
	}
}
