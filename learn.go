package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
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
	compared   bool     // missed and offered were both numbers
	missedFits bool     // and missed never exceeded offered
	age        string   // how the login's age behaved; "" if too little time passed
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
		if offered.Known() && missed.Known() {
			l.compared = true
			l.missedFits = l.missedFits && missed.Value <= offered.Value
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
// grew as the clock did. In less than a minute it would have to be the third
// number that moves, whatever it is.
func (l learned) loginAge() string {
	a, ok1 := l.first.Value("l.duration").Duration()
	b, ok2 := l.last.Value("l.duration").Duration()
	passed := l.last.At.Sub(l.first.At)
	switch {
	case passed < time.Minute:
		return ""
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
	fmt.Fprintf(w, "%s from %s to %s.\n\n", count(l.count, "snapshot"), l.first.At.Local().Format("15:04"), l.last.At.Local().Format("15:04"))
	fmt.Fprintf(w, "%-24s %-18s %8s  %s\n", "KEY", "READ AS", "NOW", "BEHAVIOUR")
	for _, key := range slices.Sorted(maps.Keys(l.lessons)) {
		m := l.metricOf(key)
		now, _ := l.dictionary.Sample(l.last, l.last.At).Value(key)
		fmt.Fprintf(w, "%-24s %-18s %8.6g  %s\n", printable(cutText(key, 24)), cmp.Or(m.Name, "–"), now, l.lessons[key].behaviour(m.Kind))
	}
	fmt.Fprintln(w)
	if l.age != "" {
		fmt.Fprintln(w, l.age)
	}
	switch {
	case !l.compared:
	case l.missedFits:
		fmt.Fprintln(w, "MH never exceeded TH, as it must if they are missed and offered calls.")
	default:
		fmt.Fprintln(w, "MH exceeded TH: they are not missed and offered calls.")
	}
	if len(l.fresh) > 0 {
		fmt.Fprintf(w, "Keys that are not in the dictionary: %s.\n", printable(strings.Join(l.fresh, ", ")))
	}
}

// behaviour says how a key moved, and what that means for what it is read as.
// Only of a counter does rising alone say anything.
func (l lesson) behaviour(kind stats.Kind) string {
	counter := kind == stats.Counter || kind == stats.Map
	switch {
	case l.moved == 0:
		return "did not move"
	case l.fell > 0 && counter:
		return fmt.Sprintf("rose %s, fell %s: not a counter, or it started again", count(l.rose, "time"), count(l.fell, "time"))
	case l.fell > 0:
		return fmt.Sprintf("rose %s, fell %s", count(l.rose, "time"), count(l.fell, "time"))
	case counter:
		return fmt.Sprintf("only rose, %s: as a counter does", count(l.rose, "time"))
	case kind == "":
		return fmt.Sprintf("only rose, %s", count(l.rose, "time"))
	}
	return fmt.Sprintf("only rose, %s; read as %s, which says nothing yet", count(l.rose, "time"), indefinite(kind))
}

// indefinite returns "a gauge", "an average".
func indefinite(kind stats.Kind) string {
	if kind == stats.Average {
		return "an average"
	}
	return "a " + string(kind)
}

// metricOf returns what the dictionary has of a key, the zero Metric if nothing.
func (l learned) metricOf(key string) stats.Metric {
	for _, m := range l.dictionary {
		if m.Key == key || m.Kind == stats.Map && strings.HasPrefix(key, m.Key+".") {
			return m
		}
	}
	return stats.Metric{}
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
	cfg, log, err := p.load(cmd, false)
	if err != nil {
		return err
	}
	every := cfg.Dashboard.PollInterval
	if o.period < (fewSnapshots-1)*every {
		return usageError{fmt.Errorf("--for: %s is too short: with dashboard.poll_interval %s, watch for %s or more",
			formatDuration(o.period), formatDuration(every), formatDuration((fewSnapshots-1)*every))}
	}
	if err := vacant(o.write); err != nil {
		return usageError{err}
	}
	c, err := clerkFor(cmd.Context(), cfg, existing, log)
	if err != nil {
		return err
	}
	defer c.close()
	seen, err := p.watch(cmd.Context(), c, user, every, o.period)
	if err != nil {
		return err
	}
	seen.report(p.out)
	if err := seen.enough(every); err != nil {
		return err
	}
	l := learn(cfg.Dictionary, seen.series)
	l.report(p.out)
	fmt.Fprintln(p.out)
	l.yaml(p.out)
	if o.write == "" {
		return nil
	}
	return p.keepProposal(l, o.write)
}

// vacant returns an error unless a file can be made there: an hour's watch must
// not end in that.
func vacant(file string) error {
	if file == "" {
		return nil
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--write: %s is there already: choose another name", file)
	}
	if dir, err := os.Stat(filepath.Dir(file)); err != nil || !dir.IsDir() {
		return fmt.Errorf("--write: %s is not a directory: create it first", filepath.Dir(file))
	}
	return nil
}

// keepProposal writes a proposal to a new file.
func (p *program) keepProposal(l learned, file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--write: %w", err)
	}
	l.yaml(f)
	if err := f.Close(); err != nil {
		return fmt.Errorf("--write: %w", err)
	}
	fmt.Fprintf(p.out, "The proposal is in %s: compare it with the dashboard, then move it into the configuration.\n", file)
	return nil
}

// fewSnapshots is the least that conclusions are drawn from.
const fewSnapshots = 3

// A watch is a series of calls for one agent.
type watch struct {
	series  []dashboard.Counters // what they brought, oldest first
	planned int                  // calls
	made    int
	failed  int
	reason  error // of the last that failed
}

// watch asks for a user's counters every interval for a period. A call that
// fails is left out, but the first must succeed. An interrupt ends the series
// early, with what there is.
func (p *program) watch(ctx context.Context, c *clerk, user string, every, period time.Duration) (watch, error) {
	w := watch{planned: int(period/every) + 1}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for w.made < w.planned {
		if w.made > 0 {
			select {
			case <-ctx.Done():
				return w, nil
			case <-tick.C:
			}
		}
		counters, err := ask[dashboard.Counters](ctx, c, "counters", userArgs{User: user})
		switch {
		case err != nil && w.made == 0:
			return watch{}, err
		case err != nil && ctx.Err() != nil:
			return w, nil // interrupted, which is no failure of the call
		case err != nil:
			w.failed, w.reason = w.failed+1, err
		default:
			w.series = append(w.series, counters)
		}
		w.made++
		p.progress("snapshot", w.made, w.planned)
	}
	return w, nil
}

// report writes what was not as planned.
func (w watch) report(out io.Writer) {
	if w.made < w.planned {
		fmt.Fprintf(out, "Cut short: %d of %d calls were made.\n", w.made, w.planned)
	}
	if w.failed > 0 {
		fmt.Fprintf(out, "%d of %s failed, the last with: %s\n", w.failed, count(w.made, "call"), printable(w.reason.Error()))
	}
}

// enough returns an error if there is too little to conclude anything from.
func (w watch) enough(every time.Duration) error {
	span := time.Duration(0)
	if len(w.series) > 0 {
		span = w.series[len(w.series)-1].At.Sub(w.series[0].At).Round(time.Second) // calls take a moment
	}
	if len(w.series) >= fewSnapshots && span >= (fewSnapshots-1)*every {
		return nil
	}
	return fmt.Errorf("%s in %s: nothing can be said from fewer than %d in %s; run it again, for longer",
		count(len(w.series), "snapshot"), formatDuration(span), fewSnapshots, formatDuration((fewSnapshots-1)*every))
}
