// Package discordtest is a Discord in one process: people, guilds and one app
// with its bot, for testing that app without the network.
//
// It is written from Discord's documentation and from what others measured, not
// from what our adapter does: it does not import the adapter, nor the library
// the adapter is built on. Clients that others wrote are run against it in the
// tests of this package.
//
// # The tour
//
// A [Server] answers three kinds of traffic on one listener:
//
//   - the REST API, under [Server.APIURL], of versions 9 and 10: tokens,
//     permissions, limits and their headers, checks of every body, errors by
//     Discord's codes;
//   - the gateway, whose address GET /gateway gives: HELLO, IDENTIFY, RESUME,
//     heartbeats, events, and the close codes;
//   - the addresses of attachments.
//
// A test acts as the people. [Server.Slash] uses a command, [Server.Suggest]
// types into one, [Server.Press] presses a button, [Server.Choose] picks from a
// select, [Server.Submit] sends a form off, [Server.Deliver] makes anything else
// happen. Each returns an [Interaction], which knows when and how the app
// answered first, what the person saw, and what came back. After
// [Server.UseHTTP] the same calls go out as signed HTTP requests instead.
//
// It then looks at what people see: [Server.Messages], [Server.Ephemerals],
// [Server.Screen], [Server.Modal], each with a Plain form; and at what the app
// did: [Server.Calls], [Server.Conns], [Server.Identifies]. [Server.Wait] and the
// other Wait functions sleep until something changes; they do not poll.
//
// [Server.Fail] makes a route misbehave; [Server.OnIdentify], [Server.OnResume],
// [Server.OnConnect] and [Conn] have the faults of the gateway;
// [Server.RevokeToken] takes the token away; [Server.RemoveGuild],
// [Server.RemoveChannel] and [Server.Outage] take places away.
//
// # Concurrency
//
// All methods may be called from several goroutines. One mutex guards the whole
// network and is never held across I/O. Results are copies; the decoded JSON
// inside them (embeds, components) is shared and must not be changed.
//
// Time is package time, so a Server made inside a testing/synctest bubble on an
// in-memory listener follows the bubble's clock. Discord's own durations are the
// defaults of [Times], for tests on real sockets to shorten.
//
// # Where Discord's behaviour is not documented
//
// The stricter reading is implemented, so that an app that works here does not
// depend on the friendlier one:
//
//   - A nonce is enforced over all channels, not for each.
//   - An edit that uploads files without listing the old ones loses the old ones
//     on version 9 too.
//   - An embed that names a file which the message does not have is refused.
//   - Keys that no message has are refused; Discord ignores them.
//   - Texts are counted in UTF-16 units, after trimming.
//   - allowed_mentions with "parse": null notifies like none at all.
//   - Mentions in code and behind backslashes count as mentions when it comes to
//     notifying.
//   - A call without Discord's form of User-Agent is turned away as Cloudflare
//     does it.
//   - A connection without heartbeats is closed with 4009 after two intervals.
package discordtest
