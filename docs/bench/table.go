package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// A result is one line of `go test -bench`.
type result struct {
	name    string             // without the number of processors
	metrics map[string]float64 // by unit
}

// parse reads the output of `go test -bench`.
func parse(text string) []result {
	var list []result
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		r := result{name: words[0], metrics: map[string]float64{}}
		if at := strings.LastIndexByte(r.name, '-'); at > 0 {
			r.name = r.name[:at]
		}
		for i := 2; i+1 < len(words); i += 2 {
			if v, err := strconv.ParseFloat(words[i], 64); err == nil {
				r.metrics[words[i+1]] = v
			}
		}
		list = append(list, r)
	}
	return list
}

// A measure is what one row of the table shows.
type measure struct {
	what   string
	unit   string
	bench  string  // its name; "%" is where the number of agents stands
	metric string  // as the benchmark reports it
	scale  float64 // from the metric's unit to the row's
	limit  string  // what it is compared with; "": nothing
	ratio  string  // the metric that says how often the limit
	at     int     // how many agents, of a benchmark with one size; 0: none
}

// measures are the rows.
func measures() []measure {
	const http, put, echo = "bare net/http loop", "one bare bbolt put", "WebSocket echo"
	return []measure{
		{what: "/mystats, the core alone", unit: "µs", bench: "BenchmarkMystats", metric: "ns/op", scale: 1e-3},
		{what: "Slack: command to acknowledgement", unit: "ms", bench: "BenchmarkAck", metric: "ack-ms", scale: 1, limit: echo, ratio: "ratio"},
		{what: "watch round, processor time per agent", unit: "µs", bench: "BenchmarkGrowth/agents=%", metric: "cpu-µs/agent", scale: 1, limit: http, ratio: "cpu-ratio"},
		{what: "watch round, from first call to commit", unit: "ms", bench: "BenchmarkWatchRound/latency=0s", metric: "ns/op", scale: 1e-6, limit: http, ratio: "ratio", at: 10_000},
		{what: "  of it writing", unit: "ms", bench: "BenchmarkGrowth/agents=%", metric: "commit-ms", scale: 1},
		{what: "  the same, empty history", unit: "ms", bench: "BenchmarkWatchAged/days=0", metric: "commit-ms", scale: 1, at: 1000},
		{what: "  the same, history of 35 days", unit: "ms", bench: "BenchmarkWatchAged/days=35", metric: "commit-ms", scale: 1, at: 1000},
		{what: "one rule judged, nothing wrong", unit: "ns", bench: "BenchmarkAlertRound/breaching=0", metric: "ns/judgement", scale: 1, at: 10_000},
		{what: "one rule judged, 1 in 100 breaches", unit: "ns", bench: "BenchmarkAlertRound/breaching=100", metric: "ns/judgement", scale: 1, at: 10_000},
		{what: "batch of 256 samples committed", unit: "ms", bench: "BenchmarkBatchCommit/agents=%", metric: "ns/op", scale: 1e-6, limit: put, ratio: "ratio"},
		{what: "start-up with so many links", unit: "ms", bench: "BenchmarkStartGrowth/agents=%", metric: "ns/op", scale: 1e-6},
		{what: "resident memory, watching", unit: "MB", bench: "BenchmarkGrowth/agents=%", metric: "resident-MB", scale: 1},
		{what: "disk per agent and shift of 9 h", unit: "B", bench: "BenchmarkSize", metric: "B/agent-day", scale: 1, at: 1000},
		{what: "  while the day is written to", unit: "B", bench: "BenchmarkSize", metric: "B/agent-day-open", scale: 1, at: 1000},
	}
}

// sizes are the numbers of agents that are measured.
func sizes() []int { return []int{100, 1000, 10_000} }

// A row is a measure with its values.
type row struct {
	What   string              `json:"what"`
	Unit   string              `json:"unit"`
	Values map[string]*float64 `json:"values"` // by number of agents; "any" where it does not matter
	Limit  string              `json:"limit,omitempty"`
	Ratio  *float64            `json:"ratio"` // to the limit, at the largest size
}

// anySize is the column of what does not depend on the number of agents.
const anySize = "any"

// table finds the values of every measure; one that is missing is an error.
func table(results []result) ([]row, error) {
	of := map[string]result{}
	for _, r := range results {
		of[r.name] = r
	}
	var rows []row
	for _, m := range measures() {
		r := row{What: m.what, Unit: m.unit, Values: map[string]*float64{}, Limit: m.limit}
		for column, name := range m.names() {
			found := of[name]
			v, ok := found.metrics[m.metric]
			if !ok {
				return nil, fmt.Errorf("%s does not report %s: has the benchmark been renamed?", name, m.metric)
			}
			r.Values[column] = new(v * m.scale)
			if ratio, ok := found.metrics[m.ratio]; ok && (column == anySize || column == strconv.Itoa(m.largest())) {
				r.Ratio = new(ratio)
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// largest is the largest size that a measure has.
func (m measure) largest() int {
	if m.at > 0 {
		return m.at
	}
	return sizes()[len(sizes())-1]
}

// names returns the benchmarks of a measure by column.
func (m measure) names() map[string]string {
	if before, _, grows := strings.Cut(m.bench, "%"); grows {
		names := map[string]string{}
		for _, n := range sizes() {
			names[strconv.Itoa(n)] = before + strconv.Itoa(n)
		}
		return names
	}
	if m.at > 0 {
		return map[string]string{strconv.Itoa(m.at): m.bench}
	}
	return map[string]string{anySize: m.bench}
}

// write prints rows as a table.
func write(out io.Writer, rows []row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tany\t100\t1,000\t10,000\t\t× the limit\t")
	widest := 0
	for _, r := range rows {
		widest = max(widest, utf8.RuneCountInString(r.What))
	}
	for _, r := range rows {
		fmt.Fprintf(w, "%-*s\t", widest, r.What)
		for _, column := range []string{anySize, "100", "1000", "10000"} {
			if v := r.Values[column]; v != nil {
				fmt.Fprint(w, significant(*v))
			}
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, r.Unit, "\t")
		if r.Ratio != nil {
			fmt.Fprintf(w, "%.1f %s", *r.Ratio, r.Limit)
		}
		fmt.Fprintln(w, "\t")
	}
	return w.Flush()
}

// significant writes a number with three digits that matter.
func significant(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2g", v)
}
