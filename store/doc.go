// Package store keeps what the bot knows in one bbolt file: who is linked, their
// sealed credentials, the last counters of each, what was promised to whom, the
// audit trail. Samples of the counters go to files of their own, one a day. It
// implements [bot.Store].
//
// # On disk
//
// The live file has these buckets. Signed and sealed records are explained
// below; JSON forms stand beside the code that uses them, and are frozen by
// testdata/v1, v2 and v3.
//
//	meta         "schema"        → signed {version, created}
//	             "compact"       → 0x01; there while a compaction is due
//	             "clock"         → {since, seen, trusted}; see [Store.TrustedTime]
//	keys         data key id     → {kek, created, wrapped}      id: 4 bytes, big-endian
//	agents       agent id        → signed agent                 id: 16 hex digits
//	addresses    "network:id"    → signed {agent}
//	users        vendor user id  → agent id
//	credentials  agent id        → sealed {ssid, user_id, token}
//	first, last  agent id        → answer                       see [bot.Seen] and encodeAnswer
//	audit        time and number → entry                        see auditKey
//	done         SHA-256 of a request id → when its effect was stored, 8 bytes of Unix seconds
//	workspaces   network         → signed {id, since}
//	outbox       number          → row                          8 bytes, big-endian, in the order of arrival
//	promises     key of a row    → its number
//	queue        address, 0x00, lane, number → when it is due   rows that wait, see queueValue
//	occurrences  team, 0x00, digest, 0x00, nominal time → {at, from, to, skipped, recorded}
//	forget       agent id        → 0x01; there until history has forgotten the agent
//
//	alerts, silences, handling, quiet, digests, networks
//	             any key         → signed JSON of package bot's, see [bot.Records]
//
// An agent is in agents, and then in credentials, once in addresses for each of
// its addresses, in users if its user id is known, and perhaps in first and last.
// Else its id is in the audit trail, in keys and messages of the outbox, and in
// records of the bot's; those whose keys begin with it go with the agent.
//
// Beside the file lie "<file>-history", "<file>.pid" with the process id of its
// owner, and for moments "<file>.new-…", "<file>.compact" and "<file>.restore".
// The key file, if there is one, is made with a new database and never again.
//
// # Keys
//
// The master key, 32 bytes, never lies in the database. It wraps data keys,
// AES-256-GCM with the associated data "dek|v1|<data key>|<master key>", where a
// master key's id is a hash of it. Data keys do the work: the newest one seals
// and signs, all of them open and verify, and which one is said by the record
// and never found by trial. A master key with another id than the one that a
// data key was wrapped under is refused with both ids.
//
//	sealed  0x01 | data key id, 4 bytes | nonce, 12 | ciphertext | tag, 16     AES-256-GCM
//	signed  0x01 | data key id, 4 bytes | HMAC-SHA-256, 32 | body
//
// Both are bound to the record's kind (with the schema of its form) and to its
// key in the bucket, each with its length before it. So a sealed credential that
// is copied to another agent does not open, and an address cannot be pointed at
// another agent, nor an agent given another address, by somebody who can only
// write the file. The MAC key is derived from the data key by HKDF.
//
// [Store.Rekey] makes a new data key, writes every sealed and signed record under
// it, and deletes the old one; while there are two, one was interrupted.
// [Store.RekeyMaster] wraps the data keys under another master key. Both end with
// a compaction.
//
// What this does not do: names, ids, addresses and numbers are readable in the
// file; putting back an old copy of it, or of a whole agent, is not noticed; and
// counters, history, the outbox and the audit trail are not signed. Keep the
// files on an encrypted disk that only the bot writes to.
//
// bbolt leaves old bytes in free pages. So a deletion of an agent ends with a
// compaction: the live records are copied to a new file that replaces the old
// one. It is marked as due in the transaction that deletes, and made up for at
// the next start if the process dies in between.
//
// # Outbox
//
// A row is a message that the bot has promised, under a key that is in the outbox
// once. [Store.Lease] gives, for each address, the first row that may leave, and
// notes on disk that it is leased before anybody sends it; [Store.Settle] notes
// what came of it. So a row that was leased when the process died, or whose
// lease ran out, may have arrived: it is in doubt, and tried again.
//
//	pending → leased → sent | pending | dead,  pending → dead | cancelled
//
// The queue repeats of each row that waits what decides when it leaves. A settled
// row leaves the queue, loses its message, and goes after 90 days.
//
// A row, place, promise or occurrence that cannot be read, an entry of the audit
// trail or a record of the bot's own, is passed over and named, see
// [Store.Damaged]: one lost message must not keep all others from being sent, nor
// one person's quiet hours all alerts.
//
// # History
//
// The directory "<file>-history", mode 0700, holds a bbolt file for each UTC date,
// "2026-03-02.db": the samples with ticks on that date.
//
//	meta    "day"      → {format, date}
//	        "compact"  → 0x01 if written to since the last compaction; 0x02 if samples of a forgotten agent may be in free pages
//	agents  agent id   → number in this file, 3 bytes
//	names   number, 4 bytes → key of a value, such as "TH"
//	chunks  hour, agent's number → the agent's samples of that hour, see chunk
//
// Numbers are given in the order in which agents and keys come, so agents who are
// polled one after the other lie beside each other, and a batch of results
// changes few pages. A chunk of sixty polls takes about 150 bytes. To read a
// shift is to read one small record for each hour of it.
//
// Samples are stored once for each agent and tick; what was stored first stays. A
// day is compacted when it has ended and at the end of its retention deleted
// whole. Files are opened when they are needed, and inspected the first time.
// One that is damaged is refused by name; when it is to be written to, it is
// renamed to "….db.damaged-1", and a new one begun: then reading that day yields
// what there is and an error, and never just less.
//
// Unlinking an agent notes in the live file that history is to forget it, from
// which moment on no sample of the agent is stored. [Store.ForgetHistory], or
// else the next [Store.TrimHistory], deletes the samples day by day, compacts
// each file that held some, and strikes the note when all is done.
//
// # Backup
//
// A backup is a tar file of history/2026-03-02.db and so on, floorwalker.db, and
// manifest.json with the SHA-256 of each. It does not hold the master key.
//
// # Schema
//
// The schema record has the same form for ever, so that every version can read
// it. A newer schema is refused; an older one is migrated step by step in one
// transaction. A file that is empty, cut short or damaged is refused, and never
// taken for a new database: a new one is made under another name and linked to
// its path when it is complete.
//
// # Concurrency
//
// One process owns the file, by bbolt's lock on it; another gets [InUseError] at
// once. In the process a [Store] may be used by any number of goroutines: one
// writes at a time, readers see the last commit and do not wait for the writer.
// History has a writer of its own. Iterators read a page of records per
// transaction and yield outside it, so a slow consumer holds nothing, and may
// write. The file is mapped at its full size from the start, because a writer
// that has to map anew waits for every reader.
//
// # Errors
//
// A method that writes is one transaction, unless it says otherwise, and nil
// means that it is on disk. A full disk is [bot.ErrNotSaved]: nothing was
// written, and the store works on when there is space. Any other error of a
// commit leaves open whether it was written: the store then refuses to write,
// [Store.Failed] is closed, and the process must stop and start again.
// [ErrDamaged] is a record, or a file, that the store did not write like this.
// Everything else is a fault of the request, and nothing has happened.
package store
