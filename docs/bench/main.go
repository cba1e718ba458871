// Command bench measures the program and prints one table:
//
//	go run ./docs/bench [-json] [-rounds N]
//
// It runs the benchmarks that the packages have, at 100, 1,000 and 10,000 agents
// where size matters, so that growth can be seen. Where there is a bare limit (a
// plain net/http loop, one transaction of the database library, a WebSocket echo)
// it is measured in the same run, and the last column says how many times it the
// program takes. Run it from the repository's root, on a machine with nothing
// else to do.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	asJSON := flag.Bool("json", false, "print a JSON document")
	rounds := flag.Int("rounds", 3, "how often the long benchmarks repeat what they measure")
	flag.Parse()
	if err := run(ctx, os.Stdout, *rounds, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures everything and prints it.
func run(ctx context.Context, out io.Writer, rounds int, asJSON bool) error {
	var results []result
	for _, s := range suites(rounds) {
		fmt.Fprintln(os.Stderr, "measuring", s.pkg, s.bench)
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", s.bench, "-benchtime", s.time, "-timeout", "30m", s.pkg)
		text, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
		}
		results = append(results, parse(string(text))...)
	}
	rows, err := table(results)
	if err != nil {
		return err
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"rows": rows})
	}
	return write(out, rows)
}

// A suite is one run of a package's benchmarks.
type suite struct{ pkg, bench, time string }

// suites are all runs.
func suites(rounds int) []suite {
	few := fmt.Sprint(rounds, "x")
	return []suite{
		{"./bot", "^BenchmarkMystats$", "1s"},
		{"./adapters/slack", "^BenchmarkAck$", "2000x"},
		{"./bot", "^BenchmarkGrowth$", few},
		{"./bot", "^BenchmarkWatchRound$/^latency=0s$", few},
		{"./bot", "^BenchmarkWatchAged$", few},
		{"./bot", "^BenchmarkAlertRound$", few},
		{"./store", "^BenchmarkBatchCommit$", "30x"},
		{"./store", "^BenchmarkStartGrowth$", "10x"},
		{"./store", "^BenchmarkSize$", "1x"},
	}
}
