// Package dashboard reads an agent's counters from the Agent Dashboard API:
//
//	POST {base}/api/v2/agentDashboard/counters
//
// There is no agent id in that call: the [Credential] decides whose counters
// come back. So one credential belongs to one agent, and an answer is never
// shown under another agent's name.
//
// A [Client] asks politely and once. Per base URL it has one connection pool,
// one limit of calls a second, one limit of calls in flight and one circuit
// breaker; per agent it has one flight at a time, which the callers share who
// do not insist on a fresh answer, and an answer that stays good for a few
// seconds. What it cannot answer, it returns as an [Error] whose [Class] says
// what to do about it.
//
// The payload is undocumented and its types drift, so nothing of it is decoded
// into fields. [Counters] keeps the row by its exact keys (aTT and ATT are two
// of them), unknown keys included, and a [Value] keeps the text as it came and
// reads it as a number, a text, a duration or a map of counts when asked. A
// missing value stays missing; it never becomes zero.
//
// A credential travels in the request's body only. No error and no log line of
// this package holds one, and none quotes an answer that could not be read.
package dashboard
