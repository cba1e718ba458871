package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"floorwalker/bot/stats"
	"floorwalker/dashboard"
)

// A lesson is what a series of snapshots of one agent says about a key.
type lesson struct {
	key     string
	seen    int // in how many snapshots it was a number
	moved   int // how often it changed
	rose    int // how often it rose
	fell    int
	largest float64
}

// counting reports whether the key behaves like a counter: it moves, and only
// upwards.
func (l lesson) counting() bool { return l.rose > 0 && l.fell == 0 }

// learned is what a series says in all.
type learned struct {
	dictionary stats.Dictionary
	first      dashboard.Counters
	last       dashboard.Counters
	count      int
	lessons    map[string]lesson
	fresh      []string // keys that the dictionary does not know
	missedFits bool     // missed never exceeded offered
	age        string   // how the login's age behaved
}

// learn reads a series of snapshots of one agent, oldest first.
func learn(d stats.Dictionary, series []dashboard.Counters) learned {
	l := learned{dictionary: d, count: len(series), lessons: map[string]lesson{}, missedFits: true}
	if len(series) == 0 {
		return l
	}
	l.first, l.last = series[0], series[len(series)-1]
	var before stats.Sample
	for i, c := range series {
		now := d.Sample(c, c.At)
		for _, v := range now.Values {
			l.lessons[v.Key] = l.lessons[v.Key].with(v, before, i > 0)
		}
		before = now
		offered, missed := d.Read(c, "offered"), d.Read(c, "missed")
		if offered.Known() && missed.Known() && missed.Value > offered.Value {
			l.missedFits = false
		}
	}
	for key := range l.last.Row {
		known := func(m stats.Metric) bool { return m.Key == key || strings.HasPrefix(m.Key, key+".") }
		if !slices.ContainsFunc(d, known) {
			l.fresh = append(l.fresh, key)
		}
	}
	slices.Sort(l.fresh)
	l.age = l.loginAge()
	return l
}

func (l lesson) with(v stats.Value, before stats.Sample, compare bool) lesson {
	l.key = v.Key
	l.seen++
	l.largest = max(l.largest, v.N)
	was, ok := before.Value(v.Key)
	if !compare || !ok || was == v.N {
		return l
	}
	l.moved++
	if v.N > was {
		l.rose++
	} else {
		l.fell++
	}
	return l
}

// loginAge says whether the login's age, read as hours, minutes and seconds,
// grew as the clock did.
func (l learned) loginAge() string {
	a, ok1 := l.first.Value("l.duration").Duration()
	b, ok2 := l.last.Value("l.duration").Duration()
	passed := l.last.At.Sub(l.first.At)
	switch {
	case !ok1 || !ok2:
		return "l.duration is not three numbers that could be hours, minutes and seconds."
	case b < a:
		return "l.duration started again: a new login."
	case (b - a - passed).Abs() <= 5*time.Second:
		return "l.duration, read as hours, minutes and seconds, grew with the clock: it is the age of the login."
	}
	return fmt.Sprintf("l.duration, read as hours, minutes and seconds, grew by %s while %s passed: read it otherwise.", b-a, passed.Round(time.Second))
}

// proposals returns the keys whose default reading the series supports, for a
// person to confirm.
func (l learned) proposals() []stats.Metric {
	var list []stats.Metric
	for _, m := range l.dictionary {
		lesson := l.lessons[m.Key]
		switch {
		case m.Confirmed:
		case m.Kind == stats.Counter && lesson.counting() && (m.Name != "missed" || l.missedFits):
			list = append(list, m)
		case m.Kind == stats.Average && lesson.moved > 0 && lesson.largest > 1 && lesson.largest < 3*3600:
			list = append(list, m)
		case m.Name == "login_age" && strings.Contains(l.age, "it is the age"):
			list = append(list, m)
		}
	}
	return list
}

// report writes what was learned for a person.
func (l learned) report(w io.Writer) {
	fmt.Fprintf(w, "%d snapshots from %s to %s.\n\n", l.count, l.first.At.Local().Format("15:04"), l.last.At.Local().Format("15:04"))
	fmt.Fprintf(w, "%-24s %-18s %8s  %s\n", "KEY", "READ AS", "NOW", "BEHAVIOUR")
	for _, key := range slices.Sorted(maps.Keys(l.lessons)) {
		lesson := l.lessons[key]
		now, _ := l.dictionary.Sample(l.last, l.last.At).Value(key)
		fmt.Fprintf(w, "%-24s %-18s %8.6g  %s\n", printable(cutText(key, 24)), l.nameOf(key), now, lesson.behaviour())
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, l.age)
	if l.missedFits {
		fmt.Fprintln(w, "MH never exceeded TH, as it must if they are missed and offered calls.")
	} else {
		fmt.Fprintln(w, "MH exceeded TH: they are not missed and offered calls.")
	}
	if len(l.fresh) > 0 {
		fmt.Fprintf(w, "Keys that are not in the dictionary: %s.\n", printable(strings.Join(l.fresh, ", ")))
	}
}

func (l lesson) behaviour() string {
	switch {
	case l.moved == 0:
		return "did not move"
	case l.counting():
		return fmt.Sprintf("only rose, %d times: a counter", l.rose)
	}
	return fmt.Sprintf("rose %d times, fell %d times", l.rose, l.fell)
}

func (l learned) nameOf(key string) string {
	for _, m := range l.dictionary {
		if m.Key == key || m.Kind == stats.Map && strings.HasPrefix(key, m.Key+".") {
			return m.Name
		}
	}
	return "–"
}

// yaml writes the proposal as a piece of configuration.
func (l learned) yaml(w io.Writer) {
	list := l.proposals()
	if len(list) == 0 {
		fmt.Fprintln(w, "# Nothing to confirm yet: the numbers moved too little. Try again during a busy hour.")
		return
	}
	fmt.Fprintln(w, "# Compare each with the dashboard's own screen before you keep it.")
	fmt.Fprintln(w, "dashboard:\n  metrics:")
	for _, m := range list {
		fmt.Fprintf(w, "    - {key: %s, confirmed: true}   # %s: %s\n", m.Key, m.Name, m.Label)
	}
}

// learnOptions are the flags of doctor learn.
type learnOptions struct {
	period time.Duration
	write  string
}

// learn takes snapshots of an agent and says what they mean.
func (p *program) learn(cmd *cobra.Command, user string, o learnOptions) error {
	cfg, _, err := p.load(cmd, false)
	if err != nil {
		return err
	}
	if o.period < cfg.Dashboard.PollInterval {
		return usageError{fmt.Errorf("--for: %s is shorter than dashboard.poll_interval, %s", o.period, cfg.Dashboard.PollInterval)}
	}
	c, err := p.openClerk(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	series, err := p.snapshots(cmd.Context(), c, user, cfg.Dashboard.PollInterval, o.period)
	if err != nil {
		return err
	}
	l := learn(cfg.Dictionary, series)
	l.report(p.out)
	fmt.Fprintln(p.out)
	if o.write == "" {
		l.yaml(p.out)
		return nil
	}
	f, err := os.OpenFile(o.write, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--write: %w", err)
	}
	l.yaml(f)
	if err := f.Close(); err != nil {
		return fmt.Errorf("--write: %w", err)
	}
	fmt.Fprintf(p.out, "The proposal is in %s: compare it with the dashboard, then move it into the configuration.\n", o.write)
	return nil
}

// snapshots asks for a user's counters every interval for a period. A call that
// fails is left out, but the first must succeed. An interrupt ends the series
// early, with what there is.
func (p *program) snapshots(ctx context.Context, c *clerk, user string, every, period time.Duration) ([]dashboard.Counters, error) {
	var series []dashboard.Counters
	all := int(period/every) + 1
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := range all {
		if n > 0 {
			select {
			case <-ctx.Done():
				return series, nil
			case <-tick.C:
			}
		}
		counters, err := ask[dashboard.Counters](ctx, c, "counters", userArgs{User: user})
		if err != nil && n == 0 {
			return nil, err
		}
		if err == nil {
			series = append(series, counters)
		}
		p.progress("snapshot", n+1, all)
	}
	return series, nil
}
