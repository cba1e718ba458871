// Package bot is the core of floorwalker: it answers commands, and knows no
// chat network, no database and no file format.
//
// # What is where
//
//	bot            this package: commands and what they say
//	bot/chat       the vocabulary shared with the networks, and their contract
//	bot/stats      what a counter means; differences between snapshots
//	bot/schedule   civil time: shifts, digests, quiet hours, holidays
//	bot/alert      rules and their state machine
//	bot/secret     a string that does not print
//	adapters/…     one driver per network
//	dashboard      client of the counters API; dashboard/sim stands in for it
//	store          what lasts, on bbolt, credentials sealed
//
// Dependencies point inwards: the leaves below bot import nothing of ours but
// secret, bot imports its leaves and the types of dashboard, the store and the
// adapters import those, and package main puts everything together. A test
// keeps it so.
//
// # How a request travels
//
// An adapter receives an event, acknowledges it to its network at once, and
// hands a [chat.Request] to [Bot.Handle] in one of a bounded number of
// goroutines. Handle drops redeliveries, finds the [command] that the words, the
// button or the form name, checks the person's role, and runs it. The handler
// returns a [chat.Reply] or an error, and [Bot.explain] is the only place where
// an error becomes text. The adapter draws the reply.
//
// A slow API holds nobody up: after 800 ms /mystats answers with the stored
// numbers and their age, and the reply's Then, which joins the call that is
// under way, replaces them.
//
// # Who owns what
//
// The bot starts no goroutine: requests run in the adapter's. What lasts is in
// the [Store], each change one transaction. Memory holds the ids of recent
// requests, the link attempts of the last ten minutes, and the configuration,
// which is swapped whole; all of it may be lost. kill -9 at any line is
// harmless.
//
// # Trust
//
// Every right is checked when a command runs, also for a button: it acts with
// the presser's own. What is not listed is denied. Text that looks like a
// secret is refused before it is parsed, and text is never logged. Credentials
// come in by a form, if the network allows one, or by an administrator's
// command, are verified by one live call, and leave the store only towards the
// dashboard.
package bot
