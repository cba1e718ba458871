package main

import (
	"context"
	"fmt"
	"net"

	"floorwalker/dashboard/sim"
)

// simOptions are the flags of sim.
type simOptions struct {
	listen string
	seed   uint64
	agents int
}

// simulate serves a simulated counters API until ctx ends. It prints where, and
// then one line for each agent: user id, token, session id, name.
func simulate(ctx context.Context, s streams, o simOptions) error {
	if o.agents < 1 || o.agents > 100_000 {
		return usageError{fmt.Errorf("--agents: %d is not between 1 and 100000", o.agents)}
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen: %w", err)}
	}
	floor := sim.New(sim.Config{Seed: o.seed, Agents: o.agents})
	fmt.Fprintf(s.out, "listening on http://%s\n", l.Addr())
	for _, a := range floor.Agents() {
		fmt.Fprintln(s.out, a)
	}
	return floor.Serve(ctx, l)
}
