// Package slacktest is a Slack in one process: a workspace with people, channels
// and one installed app, for testing that app without the network.
//
// It is written from Slack's documentation and from what others measured, not
// from what our adapter does: it does not import the adapter, nor the library
// the adapter is built on. Slack's own clients are run against it in the tests
// of this package, so that it is judged by people who did not write it.
//
// # The tour
//
// A [Server] answers three kinds of traffic on one listener:
//
//   - the Web API, under [Server.APIURL]: tokens from the header only, scopes,
//     rate limits, block checks, errors by Slack's names;
//   - Socket Mode connections, whose single-use URLs apps.connections.open hands
//     out: hello, pings, one-of-many delivery, redelivery, recycling;
//   - response_urls and upload URLs.
//
// A test acts as the people of the workspace. [Server.Slash] types a command,
// [Server.Press] presses a button, [Server.SubmitView] and [Server.CloseView]
// finish a modal, [Server.OpenHome] opens the app's home, [Server.Event] makes
// anything else happen. Each returns an [Interaction], which knows when and how
// the app acknowledged it, what the person saw, and what came back. After
// [Server.UseHTTP] the same calls go out as signed HTTP requests instead.
//
// It then looks at what people see: [Server.Messages], [Server.Ephemerals],
// [Server.View], [Server.Home], each with a Plain form; and at what the app did:
// [Server.Calls], [Server.Acks], [Server.Sockets]. [Server.Wait] and the other
// Wait functions sleep until something changes; they do not poll.
//
// [Server.Fail] makes a method misbehave; [Socket] has the faults of a
// connection; [Server.Revoke] takes the tokens away.
//
// # Concurrency
//
// All methods may be called from several goroutines. One mutex guards the whole
// workspace and is never held across I/O. Results are copies; the decoded JSON
// inside them (blocks, metadata) is shared and must not be changed.
//
// Time is package time, so a Server made inside a testing/synctest bubble on an
// in-memory listener follows the bubble's clock. Slack's own durations are the
// defaults of [Times], for tests on real sockets to shorten.
//
// # Where Slack's behaviour is not documented
//
// The stricter reading is implemented, so that an app that works here does not
// depend on the friendlier one:
//
//   - An ack counts only on the connection that its envelope went out on, and a
//     redelivered envelope has a new id. Trigger id and event id stay the same.
//   - A command's response_url has no original message: replace_original posts a
//     new message and delete_original does nothing. Slack's maintainers say so
//     in answers to users, the documentation is silent.
//     [Options.CommandReplace] turns on the other reading.
//   - A refused post uses up one of the five uses of a response_url.
//   - A message is too long from 13,200 characters over all of its blocks.
//   - Blocks this package does not know are refused.
package slacktest
