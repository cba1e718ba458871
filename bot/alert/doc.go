// Package alert holds the rules that supervisors write and the state machine
// that decides when one of them fires. It is pure: no clock, no store, no
// goroutine. Time comes in with each sample, state comes in and goes out by
// value, and whoever calls decides what to keep.
//
// # From a configuration to a transition
//
//	RuleSpec ──Compile──▶ Rule ──Judge(values)──▶ Sample ──Step(State)──▶ State, Change
//
// [Load] turns the configured [RuleSpec]s and the built-ins into [Rule]s, or
// into [Faults] that point at the place. A rule names the values it reads
// ([Rule.Needs]); [Rule.Judge] reads them once a poll and says whether the
// condition holds; [Rule.Step] moves the state of one rule and one subject, and
// the [Change] says what happened and why.
//
// # The rule language
//
// A condition compares numbers and combines the results:
//
//	increase(missed, "30m") >= 3 && !(calls_per_hour > 5)
//
// It has numbers, true and false, names from [Env], parentheses, + - * /, the
// comparisons < <= > >= == !=, && || ! (also written and, or, not) and
// increase(counter, "30m"), nothing else. The expression library parses it;
// this package checks the tree against that list and keeps a small tree of its
// own. Walking that tree needs no virtual machine per goroutine and allocates
// nothing; the library's machine is the oracle in the tests. A source has at most
// 512 bytes, so that a hostile one cannot keep the parser busy, and division is
// allowed only by a constant other than zero, so that no value is infinite.
//
// "No data" is a third result beside true and false. A rule that reads a value
// that is missing is not evaluated at all: its state is held, it neither fires
// nor resolves. A NaN would not do: it compares false, and ! makes that true.
//
// # The state machine
//
// One instance exists per rule and subject; a subject is an agent, a team or
// the source. Its [State] is inactive, pending, firing or recovering. The first
// matching row decides:
//
//	from           event                                to          reason
//	not inactive   rule disabled, deleted, changed      inactive    disabled, deleted, rule_changed
//	not inactive   only for, keep_firing_for or text    judged anew rule_edited
//	not inactive   absent from 3 good rounds            inactive    missing
//	not inactive   no fresh data for longer than hold   inactive    expired_no_data
//	any            sample not fresh or not in order     held        —
//	not inactive   counter reset, no breach now         inactive    counter_reset
//	inactive       breach, for > 0                      pending     breached
//	inactive       breach, for = 0                      firing      breached
//	pending        breach, credit ≥ for                 firing      held
//	pending        no breach                            inactive    cleared
//	firing         clear, keep_firing_for > 0           recovering  clearing
//	firing         clear, keep_firing_for = 0           inactive    recovered
//	recovering     not clear                            firing      relapsed
//	recovering     clear, credit ≥ keep_firing_for      inactive    recovered
//	any            none of these                        held        —
//
// Time counts as credit, not as the difference of two clocks: an interval
// counts only when both its ends breach, and then for at most two polls. A
// process that stalls for half an hour therefore proves two polls, not half an
// hour, and a restart loses nothing, because the credit is stored.
//
// Missing data never resolves an alert and never fires one. How fresh the data
// is stands beside the phase, in [State.Data], never inside it.
//
// # What people hear
//
// The rest of the package decides about notices, also purely: the keys of
// notices ([Key]), the budget of first fires ([Budget]), which message an
// agent's fire joins ([Group]), acknowledgement, escalation and repetition
// ([Handling]), and silences ([Silence]). Whether somebody was told is known
// only to the outbox; a [Change] with Resolve set means "tell those, if any".
//
// # Stored form
//
// [State], [Handling], [Budget] and [Silence] are stored by encoding/json
// with short keys; the tags are part of the database's format. An inactive
// state need not be stored: the zero State steps like it, but for refusing old
// samples and for telling episodes apart when a clock was set back. A firing
// state takes about 230 bytes.
package alert
