// Package store keeps what the bot knows in one bbolt file: who is linked, their
// sealed credentials, the last counters of each, the audit trail. It implements
// [bot.Store].
//
// # On disk
//
// The live file has these buckets. Signed and sealed records are explained
// below; JSON forms are those of forms.go, frozen by testdata/v1.
//
//	meta         "schema"        → signed {version, created}
//	             "compact"       → 0x01; there while a compaction is due
//	keys         data key id     → {kek, created, wrapped}      id: 4 bytes, big-endian
//	agents       agent id        → signed agent                 id: 16 hex digits
//	addresses    "network:id"    → signed {agent}
//	users        vendor user id  → agent id
//	credentials  agent id        → sealed {ssid, user_id, token}
//	seen         agent id        → {first, last}                see [bot.Seen]
//	audit        time and number → entry                        see auditKey
//	done         SHA-256 of a request id → when its effect was stored, 8 bytes of Unix seconds
//	workspaces   network         → signed {id, since}
//
// An agent is in agents, and then in credentials, once in addresses for each of
// its addresses, in users if its user id is known, and perhaps in seen. Nothing
// else names an agent's id, except the audit trail.
//
// Beside the file lie "<file>.pid" with the process id of its owner, and for
// moments "<file>.new-…" and "<file>.compact". The key file, if there is one, is
// made with a new database and never again.
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
// What this does not do: names, ids, addresses and numbers are readable in the
// file; putting back an old copy of it, or of a whole agent, is not noticed; and
// counters and the audit trail are not signed. Keep the file on an encrypted
// disk that only the bot writes to.
//
// bbolt leaves old bytes in free pages. So a deletion of an agent ends with a
// compaction: the live records are copied to a new file that replaces the old
// one. It is marked as due in the transaction that deletes, and made up for at
// the next start if the process dies in between.
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
// Iterators read a page of records per transaction and yield outside it, so a
// slow consumer holds nothing, and may write. The file is mapped at its full
// size from the start, because a writer that has to map anew waits for every
// reader.
//
// # Errors
//
// Every method is one transaction, and nil means that it is on disk. A full disk
// is [bot.ErrNotSaved]: nothing was written, and the store works on when there is
// space. Any other error of a commit leaves open whether it was written: the
// store then refuses to write, [Store.Failed] is closed, and the process must
// stop and start again. [ErrDamaged] is a record, or a file, that the store did
// not write like this. Everything else is a fault of the request, and nothing
// has happened.
package store
