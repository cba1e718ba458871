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
//	adapters/web   the public listener: link pages, and what platforms call
//	dashboard      client of the counters API; dashboard/sim stands in for it
//	store          what lasts, on bbolt, credentials sealed
//
// Dependencies point inwards: the leaves below bot import nothing of ours but
// secret, bot imports its leaves and the types of dashboard, the store and the
// adapters import those, and package main puts everything together. A test
// keeps it so.
//
// # What runs
//
//	adapter.Run    one per network: receives, and answers requests in a bounded pool
//	Bot.Deliver    one per network: takes what is due out of the outbox and sends it
//	Bot.Expire     one per network that is off: gives up in time what waits for it
//	Bot.Watch      polls the floor: a planner, at most MaxInFlight questions, one that
//	               puts answers into history, a writer that judges the rules, and one
//	               that tends what becomes due by itself
//	Bot.Digests    composes summaries when they are due
//	Bot.Leavers    looks once a day who is not on their network any more
//
// They live in one errgroup of the program. Each loop owns its state and its
// timer; others wake it through a channel of one slot. What one tells another
// goes through the store, or through [watching] and [bells], whose mutexes are
// never held across I/O.
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
// A home page, where a network has one, is answered the same way, by the cards
// of the commands below each other; its buttons name a command too, and have the
// page for their answer.
//
// A slow API holds nobody up: after 800 ms /mystats answers with the stored
// numbers and their age, and the reply's Then, which joins the call that is
// under way, replaces them.
//
// # How numbers travel
//
// Once per interval every agent on shift is asked for, at an offset that the id
// fixes, and once more when the shift ends. Results are written in batches, of
// at most 256 or a second: to history first, which is idempotent by agent and
// tick, then in one transaction of the live file: last snapshots, what rules
// make of them, and the rows of the outbox that follow. Meanwhile the next batch
// goes to history. A crash between the two repeats a write and loses nothing that
// anyone was told.
//
// # How a digest travels
//
// A schedule says which occurrences are due since the last one on record: at
// most one runs, the others are recorded as skipped, with the reason. Its window
// comes from its nominal time and never from now, so that a late run, or one
// that is repeated after a crash, says the same. It waits for the shift's last
// polls, two minutes at most. The occurrence, its rows of the outbox and, if it
// did not wait for all, that it is to be looked at again, are one transaction:
// what those polls bring edits it once, whichever process sees it.
//
// Copies for supervisors go where alerts go: to the first of a person's addresses
// that can be reached, and on to the next if that is gone.
//
// # How an alert travels
//
// The writer gives each answer to the agent's [stats.Tracker], which follows
// from history, and judges the rules before the transaction. In the transaction
// it steps their states. A first fire becomes an episode with a number, and a
// member of a [bulletin] for every supervisor: one message to one person about
// one or more episodes, with its rows of the outbox. What changes later, a value,
// an acknowledgement, a silence, the end, amends the row while it waits and edits
// the message once it was sent; rises, escalations and repetitions are bulletins
// of their own. An end reaches whoever has a message, and nobody else; if they
// have deleted it, it and whatever else they must hear comes in one new message.
//
// Silences, quiet hours, cap, and a budget for each team and shift of its own
// decide only about messages; states go on beneath them. What is due by time
// alone (an escalation, the end of a silence) follows from the records, is looked
// for at least every half minute, and so outlives restarts. All of it works at a
// [desk], which reads each record once and writes what has changed, messages
// included, in one transaction.
//
// # How a message is delivered
//
// A row of the outbox is leased on disk, sent, and settled. Its key is the
// promise. The promise is this: recorded exactly once, attempted at least once;
// a duplicate is possible only for a row in flight at a crash or without a clear
// answer: Discord's nonce suppresses it, on Slack it is marked "(re-sent)".
// Messages to one address leave in their order; what is put off lets others
// pass. Rows that cannot be delivered stay on record with their reason.
//
// What an adapter's error says decides what waits: [chat.ErrBarred] is about one
// address, [chat.ErrRefused] and [chat.ErrFinal] hold the network, and
// [chat.ErrGone] gives the row up. Administrators are told of a channel that
// nobody can write to, and, on another network, of one that has stopped for good.
// Nobody serves a network that is off: [Bot.Expire] gives up in time what waits
// for it. A notice for somebody on Discord who has never typed a command waits
// for their first one, and goes with its answer.
//
// What had to wait coalesces. For one person, more than three notices, of which
// the first has waited for a minute, become one message before the next attempt.
// Alerts coalesce when they are told, into bulletins: by rule and team, at the end
// of quiet hours, and from the fourth that waits on. Edits of one message that has
// not left amend it. Every digest comes by itself, and what may have arrived
// already is never touched.
//
// # Who owns what
//
// What lasts is in the [Store], each change one transaction. Memory holds the
// ids of recent requests, the link attempts of the last ten minutes, what puts
// "Linked" in the place of the answers that lead to link pages, how the
// loops are doing, and the configuration, which is swapped whole; all of it may
// be lost. kill -9 at any line is harmless.
//
// # Trust
//
// Every right is checked when a command runs, also for a button: it acts with
// the presser's own. What is not listed is denied. Text that looks like a
// secret is refused before it is parsed, and text is never logged. Credentials
// come in on a one-time page, by a form where there are no pages and the network
// allows one, or by an administrator's command. They are verified by one live
// call, and leave the store only towards the dashboard. What opens a page is a
// [ticket]: it is kept as a hash, belongs to one person, and links once.
package bot
