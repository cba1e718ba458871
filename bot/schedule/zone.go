package schedule

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/agnivade/levenshtein"
)

// zoneNames lists the names LoadZone accepts, sorted, one a line: those of the
// tz database (2025c) without abbreviations and fixed offsets. It serves to find
// the nearest name; a place that a newer database adds loads without it. The
// linker writes it, nothing else does.
//
//go:embed zones.txt
var zoneNames string

// LoadZone returns the time zone of a place, such as Europe/London, or UTC.
//
// It refuses what time.LoadLocation takes and people regret: no name at all,
// Local, abbreviations such as EST, and offsets such as Etc/GMT+2, which is two
// hours behind UTC. The error is a sentence with the reason, and with the
// nearest names if there is no such zone.
func LoadZone(name string) (*time.Location, error) {
	if err := refuseZone(name); err != nil {
		return nil, err
	}
	listed, ok := listedZone(name)
	if ok && listed != name { // some file systems would find it all the same
		return nil, unknownZone(name)
	}
	zone, err := time.LoadLocation(name)
	switch {
	case err != nil && ok:
		return nil, fmt.Errorf("time zone %s cannot be loaded: %w", name, err)
	case err != nil:
		return nil, unknownZone(name)
	}
	return zone, nil
}

// refuseZone returns the reason why name is not taken although it may load.
func refuseZone(name string) error {
	const place = `name a place, such as "Europe/London"`
	_, listed := listedZone(name)
	area, rest, slash := strings.Cut(name, "/")
	switch {
	case name == "":
		return errors.New("no time zone is given; " + place)
	case listed:
		return nil
	case strings.EqualFold(name, "Local"), strings.EqualFold(name, "localtime"):
		return fmt.Errorf("time zone %q is whatever this machine is set to; %s", name, place)
	case area == "posix", area == "right":
		return fmt.Errorf("time zone %q is a copy for special uses; write %q", name, rest)
	case area == "Etc" && reversed(rest) != "":
		return fmt.Errorf("time zone %q is a fixed offset with its sign reversed: it is %s; %s", name, reversed(rest), place)
	case area == "Etc", isUTC(name):
		return fmt.Errorf(`time zone %q is not a place; write "UTC", or %s`, name, place)
	case !slash && isAbbreviation(name):
		return fmt.Errorf("time zone %q is an abbreviation or an offset, not a place whose clocks may change; name a place, such as %q", name, placeOf(name))
	case !slash: // Factory, posixrules: names that are no place
		return unknownZone(name)
	}
	return nil
}

// reversed returns what GMT+2 means in the area Etc, UTC−2, and "" for other names.
func reversed(name string) string {
	sign := "−"
	number, ok := strings.CutPrefix(name, "GMT+")
	if !ok {
		sign = "+"
		number, ok = strings.CutPrefix(name, "GMT-")
	}
	if _, isNumber := digits(number); !ok || !isNumber {
		return ""
	}
	return "UTC" + sign + number
}

// isUTC reports whether name is another name for UTC.
func isUTC(name string) bool {
	return slices.Contains([]string{"GMT", "GMT0", "GMT+0", "GMT-0", "Greenwich", "UCT", "Universal", "Zulu"}, name)
}

// isAbbreviation reports whether s looks like EST, UTC+2, +05:30 or EST5EDT.
func isAbbreviation(s string) bool {
	return strings.ContainsAny(s, "+-0123456789") || len(s) <= 5 && strings.IndexFunc(s, unicode.IsLower) < 0
}

// placeOf returns a place whose clocks an abbreviation may stand for.
func placeOf(abbreviation string) string {
	switch letters, _, _ := strings.Cut(strings.ToUpper(abbreviation), "5"); letters {
	case "IST":
		return "Asia/Kolkata"
	case "EST", "EDT", "ET":
		return "America/New_York"
	case "CST", "CDT", "CT":
		return "America/Chicago"
	case "MST", "MDT", "MT":
		return "America/Denver"
	case "PST", "PDT", "PT":
		return "America/Los_Angeles"
	case "CET", "CEST", "MET", "MEZ":
		return "Europe/Berlin"
	case "AEST", "AEDT":
		return "Australia/Sydney"
	}
	return "Europe/London"
}

// listedZone returns the listed name that is name but for capitals.
func listedZone(name string) (string, bool) {
	for listed := range allZones() {
		if strings.EqualFold(listed, name) {
			return listed, true
		}
	}
	return "", false
}

// allZones yields the listed names.
func allZones() iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(zoneNames) {
			if !yield(strings.TrimSuffix(line, "\n")) {
				return
			}
		}
	}
}

func unknownZone(name string) error {
	near := nearestZones(name)
	switch len(near) {
	case 0:
		return fmt.Errorf("there is no time zone %q; names look like Europe/London or Asia/Kolkata", name)
	case 1:
		return fmt.Errorf("there is no time zone %q; the nearest name is %s", name, near[0])
	}
	return fmt.Errorf("there is no time zone %q; the nearest names are %s", name, strings.Join(near, ", "))
}

// nearestZones returns up to three listed names that name may have been meant
// for: those a few letters away, whole or in the part after the last slash. The
// first letter must be right, or Bangalore would be near Singapore.
func nearestZones(name string) []string {
	type match struct {
		name string
		far  int
	}
	var matches []match
	typed := foldZone(name)
	for listed := range allZones() {
		whole := foldZone(listed)
		if !strings.HasPrefix(cityOf(whole), firstByte(cityOf(typed))) {
			continue
		}
		far := min(levenshtein.ComputeDistance(typed, whole), levenshtein.ComputeDistance(cityOf(typed), cityOf(whole))+1)
		if far <= 1+len(cityOf(typed))/4 {
			matches = append(matches, match{listed, far})
		}
	}
	slices.SortStableFunc(matches, func(a, b match) int { return cmp.Compare(a.far, b.far) })
	var near []string
	for _, m := range matches[:min(3, len(matches))] {
		near = append(near, m.name)
	}
	return near
}

// foldZone brings a name into the form in which names are compared.
func foldZone(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")
}

// cityOf returns what follows the last slash.
func cityOf(name string) string { return name[strings.LastIndex(name, "/")+1:] }

func firstByte(s string) string { return s[:min(1, len(s))] }
