package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// A Fault is something wrong in the configuration, and where it stands.
type Fault struct {
	File    string `json:"file"`    // the file, or the environment variable or flag
	Line    int    `json:"line"`    // in the file, from 1; 0: none in particular
	Path    string `json:"path"`    // such as teams[0].shifts[0].end; "": the whole
	Message string `json:"message"` // one sentence; never holds a secret
}

// A Warning reads like a Fault, but the program starts all the same.
type Warning = Fault

// Error returns the fault as one line: file:line: path: message.
func (f Fault) Error() string {
	where := f.File
	if f.Line > 0 {
		where += ":" + strconv.Itoa(f.Line)
	}
	if f.Path != "" {
		where += ": " + f.Path
	}
	return where + ": " + f.Message
}

// Faults is all that is wrong in a configuration, in the order of the file and
// then what came from elsewhere. As an error it means exit status 2.
type Faults []Fault

// Error returns the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults as errors.
func (f Faults) Unwrap() []error {
	errs := make([]error, len(f))
	for i, fault := range f {
		errs[i] = fault
	}
	return errs
}

// notFound is said of a file that is not there.
const notFound = "not found; copy config.example.yaml"

// Is reports whether target is fs.ErrNotExist and all that is wrong is that
// there is no configuration, which not every command needs.
func (f Faults) Is(target error) bool {
	return target == fs.ErrNotExist && len(f) == 1 && f[0].Message == notFound
}

// maxFaults bounds what a hopeless file can make us say.
const maxFaults = 200

// An origin is where a value comes from: a line of the file, or a variable of
// the environment or a flag, by name. The zero origin is the default.
type origin struct {
	line int
	name string
}

// A report collects what is wrong with one configuration.
type report struct {
	file     string
	origins  map[string]origin
	faults   Faults
	warnings []Warning
	faulty   map[string]bool // paths that have a fault
}

func newReport(file string) *report {
	return &report{file: file, origins: map[string]origin{}, faulty: map[string]bool{}}
}

// fault notes a fault, unless one was noted for the path or for what it is part
// of: one mistake is reported once.
func (r *report) fault(path, format string, args ...any) {
	for p := path; p != ""; p = parent(p) {
		if r.faulty[p] {
			return
		}
	}
	r.faulty[path] = true
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, r.at(path, format, args...))
	}
}

// warn notes a warning.
func (r *report) warn(path, format string, args ...any) {
	if len(r.warnings) < maxFaults {
		r.warnings = append(r.warnings, r.at(path, format, args...))
	}
}

// at places a sentence: where the value comes from or, if it was not given,
// where in the file the thing begins that lacks it.
func (r *report) at(path, format string, args ...any) Fault {
	f := Fault{File: r.file, Path: path, Message: clip(fmt.Sprintf(format, args...), 400)}
	for p := path; p != ""; p = parent(p) {
		o, ok := r.origins[p]
		if ok && o.name != "" {
			f.File = o.name
		}
		if ok {
			f.Line = o.line
			break
		}
	}
	return f
}

// sorted returns faults in the order of the file, then those from elsewhere; on
// one line, by path.
func (r *report) sorted(faults []Fault) []Fault {
	elsewhere := func(f Fault) int {
		if f.File == r.file {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(elsewhere(a)-elsewhere(b), a.Line-b.Line, strings.Compare(a.Path, b.Path))
	})
	return faults
}

// parent returns the path of what path is part of: teams for teams[0], teams[0]
// for teams[0].name, "" at the top.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// join returns the path of a key of the thing at path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// quote returns s in quotes, on one line and not too long, and masked if it
// looks like a token.
func quote(s string) string {
	if looksLikeToken(s) {
		return "•••"
	}
	return strconv.Quote(clip(s, 60))
}

// clip shortens s to about n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// didYouMean returns "; did you mean X?" for the name that word is most likely a
// slip for, and what can be written instead if none is near.
func didYouMean(word string, names []string) string {
	best, distance := "", 1+min(len(word), 9)/3
	for _, name := range names {
		if d := levenshtein.ComputeDistance(clip(word, 40), name); d < distance {
			best, distance = name, d
		}
	}
	if best != "" {
		return "; did you mean " + best + "?"
	}
	if len(names) > 0 && len(names) <= 15 {
		return "; there are " + strings.Join(names, ", ")
	}
	return ""
}
