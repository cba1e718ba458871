// Package sim simulates the Agent Dashboard API: a floor of agents whose
// counters move as real ones would, and, on demand, everything that a bad day
// does to such an API.
//
// A [Sim] is an http.Handler. Put it behind a listener with [Sim.Serve], behind
// an httptest.Server, or behind an http.Client without any socket by
// [Sim.Transport], which also works in a synctest bubble.
//
// # The floor
//
// Calls come in a daily shape and now and then in a bad quarter of an hour, some
// are missed, average talk moves, hold and the counts by type and campaign grow,
// the login gets older, and all counters start again at midnight in
// Asia/Kolkata. Everything is a pure function of the seed, the agent and the
// time, so two simulations with the same seed agree whatever was asked before,
// and a demonstration can shift time by Config.Now.
//
// A test that needs certain numbers forces them by [Sim.Set] and [Sim.Add].
//
// # Bad days
//
// [Sim.Fault], or over HTTP
//
//	POST /sim/fault {"user_id": "100213", "fault": "slow:8s", "count": 3}
//
// makes the next answers go wrong, for one agent or (user_id "" or "*") for
// everybody; an agent's own fault comes first. Count says how many answers, 0 or
// none until cleared; fault "" clears. The faults:
//
//	code:1014    HTTP 200 with that error code, any code
//	expired      HTTP 401 with code 1014, as for a session that has ended
//	html502      a gateway's page
//	slow:8s      the answer, that much later
//	truncate     the first half of the answer, then the end of the connection
//	reset        the connection is reset
//	strings      every number as a string
//	emptyarray   [] where {} or a map of counts belongs
package sim
