// Package wire is what a line process and flattoned say to each other over /run/flattone/line.sock: a
// small versioned protocol of framed messages. Commands go down to the line, events come up, and one
// message carries a card.
//
// It exists so that the two may be restarted, upgraded and crash apart from each other, and so that a
// card crosses between them without ever lying in ordinary memory.
//
// # Frames
//
// A frame is a 32-bit big-endian length of what follows its 5-byte header, a byte that says which
// message it is, and that many bytes, 64 KiB at the most: one JSON object. Only a [Card] differs: a
// 16-bit big-endian length, the JSON object of that length, and the card as package secret lays it out.
//
// # Promises
//
//   - Order: messages arrive in the order in which Send returned or, for concurrent senders, took its
//     turn; a frame is never split by another. Nothing is promised across two connections.
//   - Delivery: none, beyond order. That Send returned nil means that the kernel has the message, not that
//     the peer read it. What must be known is answered in words: a command by [Answer], a card by [Stored]
//     or [NotStored]. A line resends a card that was not answered, on this connection or the next; its
//     capture id makes that harmless.
//   - Time: Send returns within [WriteTimeout] even if the peer has stopped reading. After a write that
//     failed nothing more is sent, since frames could no longer be told apart; the connection is closed.
//   - Digits: a card's bytes lie in locked memory on both sides and are written from and read into it
//     directly; no other message has room for a digit of it. A telephone number is in [Ringing] and [CallOut].
//
// # Versions
//
// The line opens with [Hello], which offers a range of versions; flattoned picks the highest that both
// speak and says so with [Welcome], or says why not with [Refused]. Every build speaks its own version N and
// N-1, so that either side may be upgraded first. Those three messages are read leniently, as they come
// before a version is agreed; in all others an unknown field is an error. So a message that is new, or has a new field, is a new
// kind, which has the version it came with, and the old one stays for as long as that version is spoken: what the agreed one doesn't
// have is neither sent nor taken.
package wire

import "time"

// The versions this build speaks. The first has no predecessor.
const (
	MaxVersion = 1 + ahead
	MinVersion = max(1, MaxVersion-1)
)

// MaxPayload bounds a frame, header not counted.
const MaxPayload = 64 << 10

// WriteTimeout bounds one Send. It is far longer than a peer that lives ever stays away, and shorter than
// a caller's patience.
const WriteTimeout = 2 * time.Second
