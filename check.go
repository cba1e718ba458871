package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/schedule"
)

// nextDigests is how many digests check lists.
const nextDigests = 5

// A checked is what check has to say of a configuration, in the form of its JSON
// document.
type checked struct {
	Faults   Faults    `json:"faults"`
	Warnings []Warning `json:"warnings"`
	Digests  []dueRun  `json:"digests"`
}

// A dueRun is a digest that will be due.
type dueRun struct {
	Team    string         `json:"team"`
	Name    string         `json:"name"`
	Nominal schedule.Civil `json:"nominal"` // what the schedule says
	At      time.Time      `json:"at"`      // when that is, UTC

	text string // the same for people
}

// check loads the configuration and writes what it amounts to: for people what
// is in effect and from where, the next digests, holidays, the capacity and the
// warnings; for scripts one JSON document. Faults are the error, and stand in the
// document too.
func check(w io.Writer, opts LoadOptions, asJSON bool) error {
	cfg, warnings, err := Load(opts)
	var faults Faults
	if err != nil && !errors.As(err, &faults) {
		return err
	}
	now := time.Now()
	result := checked{Faults: faults, Warnings: warnings}
	if cfg != nil {
		result.Digests = nextRuns(cfg, now)
		result.Warnings = append(result.Warnings, oddDates(cfg, now)...)
	}
	if asJSON {
		return errors.Join(writeChecked(w, result), err)
	}
	if cfg == nil {
		writeWarnings(w, warnings)
		return err
	}
	return writeReport(w, cfg, result, now)
}

// writeChecked writes the document; a list without elements is a list too.
func writeChecked(w io.Writer, c checked) error {
	c.Faults = append(Faults{}, c.Faults...)
	c.Warnings = append([]Warning{}, c.Warnings...)
	c.Digests = append([]dueRun{}, c.Digests...)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(c)
}

// writeReport writes what people read, the most important last.
func writeReport(w io.Writer, cfg *Config, c checked, now time.Time) error {
	if err := cfg.Print(w); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if len(c.Digests) > 0 {
		fmt.Fprintln(w, "Next digests:")
	}
	for _, d := range c.Digests {
		fmt.Fprintf(w, "  %s\n", d.text)
	}
	for _, t := range cfg.Teams {
		if days := comingHolidays(t, now); days != "" {
			fmt.Fprintf(w, "Holidays of %s: %s\n", t.Name, days)
		}
	}
	fmt.Fprintf(w, "Capacity: %s.\n", cfg.capacityLine())
	writeWarnings(w, c.Warnings)
	_, err := fmt.Fprintf(w, "%s: no faults, %s\n", cfg.file, count(len(c.Warnings), "warning"))
	return err
}

func writeWarnings(w io.Writer, warnings []Warning) {
	for _, warning := range warnings {
		fmt.Fprintln(w, "warning:", warning.Error())
	}
}

// count returns "1 warning", "2 warnings".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// nextRuns returns the digests that are due next, of all teams.
func nextRuns(cfg *Config, now time.Time) []dueRun {
	var runs []dueRun
	for s := range cfg.schedules {
		for _, o := range s.Upcoming(now, nextDigests) {
			runs = append(runs, dueRun{
				Team: s.team, Name: s.name, Nominal: o.Nominal, At: o.At.UTC(),
				text: fmt.Sprintf("%s/%s  %s, %s", s.team, s.name, o.Describe(s.Zone), o.At.UTC().Format(time.RFC3339)),
			})
		}
	}
	slices.SortStableFunc(runs, func(a, b dueRun) int { return a.At.Compare(b.At) })
	return runs[:min(len(runs), nextDigests)]
}

// oddDates returns a warning for each date of the coming year on which the
// clocks move a digest.
func oddDates(cfg *Config, now time.Time) []Warning {
	var warnings []Warning
	for s := range cfg.schedules {
		for _, text := range s.OddDates(now) {
			warnings = append(warnings, Warning{File: cfg.file, Line: cfg.origins[s.path].line, Path: s.path, Message: text})
		}
	}
	return warnings
}

// A digestSchedule is when a digest is due, with its names and its path.
type digestSchedule struct {
	schedule.Schedule
	team, name, path string
}

// schedules yields when each digest is due.
func (c *Config) schedules(yield func(digestSchedule) bool) {
	for i, t := range c.Teams {
		for j, d := range t.Digests {
			s := digestSchedule{t.Digest(d).Schedule(), t.Name, d.Name, fmt.Sprintf("teams[%d].digests[%d]", i, j)}
			if !yield(s) {
				return
			}
		}
	}
}

// comingHolidays lists a team's holidays from now on, those of a year at most.
func comingHolidays(t TeamConfig, now time.Time) string {
	today := schedule.DateOf(now, cmp.Or(t.Timezone, time.UTC))
	days := slices.Sorted(slices.Values(t.Holidays))
	days = slices.DeleteFunc(days, func(d schedule.Date) bool { return d < today || d > today+366 })
	var texts []string
	for _, d := range slices.Compact(days) {
		texts = append(texts, d.String())
	}
	return strings.Join(texts, ", ")
}
