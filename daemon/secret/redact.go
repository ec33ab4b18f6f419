package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what a secret looks like to everyone who may not see it. It is the same for every content,
// and for none.
const Redacted = "[redacted]"

// Format redacts under every verb and flag.
func (Text) Format(f fmt.State, _ rune) { io.WriteString(f, Redacted) }

// String redacts.
func (Text) String() string { return Redacted }

// LogValue redacts for log/slog.
func (Text) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText redacts for encoding/json, encoding/xml, toml and their kind.
func (Text) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// GobEncode refuses: a gob is made to be read back, and a redaction would be read back as a card.
func (Text) GobEncode() ([]byte, error) { return nil, ErrRefused }

// MarshalBinary refuses, as [Text.GobEncode] does.
func (Text) MarshalBinary() ([]byte, error) { return nil, ErrRefused }

// Format redacts under every verb and flag.
func (Card) Format(f fmt.State, _ rune) { io.WriteString(f, Redacted) }

// String redacts.
func (Card) String() string { return Redacted }

// LogValue redacts for log/slog.
func (Card) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText redacts for encoding/json, encoding/xml, toml and their kind.
func (Card) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// GobEncode refuses: see [Text.GobEncode].
func (Card) GobEncode() ([]byte, error) { return nil, ErrRefused }

// MarshalBinary refuses, as [Card.GobEncode] does.
func (Card) MarshalBinary() ([]byte, error) { return nil, ErrRefused }
