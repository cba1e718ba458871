package main

import (
	"context"
	"net"
	"net/http/httptest"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"floorwalker/dashboard/sim"
)

// TestMain lets the test binary be the program in scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"floorwalker": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
	}})
}

// TestProgram runs the scripts of testdata/script against the whole program.
func TestProgram(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("FLOORWALKER_STORE_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
			return startSim(e)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fault":    scriptFault,
			"waitfor":  waitFor,
			"hangup":   hangUp,
			"waitlog":  waitLog,
			"envsubst": envSubst,
		},
	})
}

// startSim starts a simulated API for a script, and puts its address and its
// first agents' credentials into the environment.
func startSim(e *testscript.Env) error {
	floor := sim.New(sim.Config{Seed: 1})
	server := httptest.NewServer(floor)
	e.Defer(server.Close)
	e.Values["floor"] = floor
	e.Setenv("API", server.URL)
	for i, a := range floor.Agents()[:4] {
		n := strconv.Itoa(i)
		e.Setenv("USER_ID"+n, a.UserID)
		e.Setenv("TOKEN"+n, a.Token)
		e.Setenv("SSID"+n, a.SSID)
	}
	return nil
}

// scriptFault is the script's "fault NUMBER|* NAME [COUNT]".
func scriptFault(ts *testscript.TestScript, _ bool, args []string) {
	floor := ts.Value("floor").(*sim.Sim)
	user := args[0]
	if n, err := strconv.Atoi(user); err == nil {
		user = floor.Agents()[n].UserID
	}
	name, count := args[1], 0
	if name == "none" {
		name = ""
	}
	if len(args) > 2 {
		count, _ = strconv.Atoi(args[2])
	}
	ts.Check(floor.Fault(user, name, count))
}

// hangUp is the script's "hangup FILE": SIGHUP to the process whose id is in a
// file.
func hangUp(ts *testscript.TestScript, _ bool, args []string) {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(syscall.Kill(pid, syscall.SIGHUP))
}

// waitLog is the script's "waitlog FILE TEXT": until a file holds a text.
func waitLog(ts *testscript.TestScript, _ bool, args []string) {
	for range 200 {
		if log, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(log), args[1]) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s never said %q", args[0], args[1])
}

// envSubst is the script's "envsubst FILE": $NAME in a file becomes its value.
func envSubst(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// waitFor is the script's "waitfor FILE": until a socket answers there, or a file
// is there.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	for range 200 {
		if strings.HasSuffix(path, ".sock") {
			if conn, err := net.Dial("unix", path); err == nil {
				conn.Close()
				return
			}
		} else if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear", args[0])
}
