package bot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// TestShiftsByDay: a week's shifts, each counted on the day that it began and no
// minute of them twice.
func TestShiftsByDay(t *testing.T) {
	shift := func(name string, start, end schedule.TimeOfDay) schedule.Shift {
		return schedule.Shift{Name: name, Days: schedule.EveryDay, Start: start * 60, End: end * 60}
	}
	rota := func(shifts ...schedule.Shift) schedule.Rota {
		return schedule.Rota{Team: "a", Zone: time.UTC, Shifts: shifts}
	}
	day, night := shift("day", 9, 18), shift("night", 22, 6)
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // a Monday
	for name, c := range map[string]struct {
		rotas schedule.Rotas
		until time.Duration
		want  string
	}{
		"days":        {schedule.Rotas{rota(day)}, 34 * time.Hour, "2 09–18, 3 09–10"},
		"nights":      {schedule.Rotas{rota(night)}, 50 * time.Hour, "2 22–06, 3 22–02"},
		"the clock":   {schedule.Rotas{rota(shift("early", 6, 14), shift("late", 14, 22), night)}, 40 * time.Hour, "2 06–06, 3 06–16"},
		"two teams":   {schedule.Rotas{rota(day), rota(shift("late", 12, 20), shift("evening", 21, 23))}, 30 * time.Hour, "2 09–20, 2 21–23"},
		"overlapping": {schedule.Rotas{rota(night), rota(shift("early", 5, 13))}, 38 * time.Hour, "2 06–13, 2 22–06, 3 06–13"},
		"within":      {schedule.Rotas{rota(day), rota(shift("short", 10, 12))}, 24 * time.Hour, "2 09–18"},
	} {
		var got []string
		for date, spans := range shiftsByDay(c.rotas, schedule.Span{Start: start, End: start.Add(c.until)}, time.UTC) {
			for _, s := range spans {
				got = append(got, fmt.Sprintf("%s %s–%s", date.String()[9:], s.Start.Format("15"), s.End.Format("15")))
			}
		}
		slices.Sort(got)
		if got := strings.Join(got, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestHourly: an hour that was hardly looked at is a gap, not an hour without
// calls; one in which calls are known is shown, however short the look.
func TestHourly(t *testing.T) {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	known := func(v float64) stats.Number { return stats.Number{Value: v, Quality: stats.Exact} }
	hours := []stats.Hour{
		{Offered: known(0), Missed: known(0), Observed: time.Minute},
		{Offered: known(0), Missed: known(0), Observed: 10 * time.Minute},
		{Offered: known(7), Missed: known(1), Observed: time.Minute},
		{Offered: stats.Number{Value: 3, Quality: stats.Estimated}},
		{Observed: time.Hour},
	}
	for i := range hours {
		hours[i].Start = start.Add(time.Duration(i) * time.Hour)
	}
	c, ok := hourly(hours, time.UTC)
	if !ok {
		t.Fatal("no chart")
	}
	for i, want := range []bool{true, false, false, false, true} {
		for _, s := range c.Series {
			if s.Points[i].Missing != want {
				t.Errorf("%s at %s: missing %v, want %v", s.Name, c.Labels[i], s.Points[i].Missing, want)
			}
		}
	}
}
