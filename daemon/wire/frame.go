package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/secret"
)

// headerSize is the length of a frame's header, metaSize that of the length in front of a card's JSON.
const (
	headerSize = 5
	metaSize   = 2
)

// ErrProtocol: the peer sent what this version of the protocol doesn't have. The connection is of no more use.
var ErrProtocol = errors.New("not the line protocol")

// appendFrame appends a message's frame to b. Of a card it appends all but the card, and counts that in.
func appendFrame(b []byte, m Message, from Side) ([]byte, error) {
	k := m.kind()
	if kinds[k].from != from {
		return nil, fmt.Errorf("a %s message is not %s's to send", k, from)
	}
	payload, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	length := len(payload)
	if k == kindCard {
		length += metaSize + secret.CardSize
	}
	if length > MaxPayload {
		return nil, fmt.Errorf("a %s message of %d bytes, when %d is the most", k, length, MaxPayload)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	b = append(b, byte(k))
	if k == kindCard {
		b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	}
	return append(b, payload...), nil
}

// readFrame reads one frame that from sent, each part straight to where it belongs and not a byte further:
// a buffered reader would take digits into the heap. It returns io.EOF if r ends before the frame begins.
func readFrame(r io.Reader, from Side) (Message, *secret.Card, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err == io.ErrUnexpectedEOF {
		return nil, nil, cut(err)
	} else if err != nil {
		return nil, nil, err
	}
	length, k := int64(binary.BigEndian.Uint32(header[:4])), kind(header[4])
	switch e, known := kinds[k]; {
	case !known:
		return nil, nil, fmt.Errorf("%w: %s is unknown to version %d", ErrProtocol, k, MaxVersion)
	case e.from != from:
		return nil, nil, fmt.Errorf("%w: a %s message from %s", ErrProtocol, k, from)
	case length > MaxPayload:
		return nil, nil, fmt.Errorf("%w: a %s message of %d bytes", ErrProtocol, k, length)
	}
	if k == kindCard {
		return readCard(r, length)
	}
	m, err := readMessage(r, k, length)
	return m, nil, err
}

func readMessage(r io.Reader, k kind, length int64) (Message, error) {
	payload := make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, cut(err)
	}
	m, err := kinds[k].decode(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: a %s message: %w", ErrProtocol, k, err)
	}
	return m, nil
}

func readCard(r io.Reader, length int64) (_ Message, _ *secret.Card, err error) {
	var size [metaSize]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, nil, cut(err)
	}
	meta := int64(binary.BigEndian.Uint16(size[:]))
	if length != metaSize+meta+secret.CardSize {
		return nil, nil, fmt.Errorf("%w: a card message whose lengths don't add up", ErrProtocol)
	}
	m, err := readMessage(r, kindCard, meta)
	if err != nil {
		return nil, nil, err
	}
	page, err := locked.Bytes(secret.CardSize)
	if err != nil {
		return nil, nil, fmt.Errorf("receive a card: %w", err)
	}
	defer locked.Free(page)
	encoded := page[:secret.CardSize]
	if _, err := io.ReadFull(r, encoded); err != nil {
		return nil, nil, cut(err)
	}
	card, err := secret.NewCard()
	if err != nil {
		return nil, nil, fmt.Errorf("receive a card: %w", err)
	}
	if err := card.UnmarshalFrom(encoded); err != nil {
		card.Destroy()
		return nil, nil, fmt.Errorf("%w: a card message: %w", ErrProtocol, err)
	}
	return m, card, nil
}

// cut makes an end in the middle of a frame what it is.
func cut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("the peer was cut off within a message: %w", io.ErrUnexpectedEOF)
	}
	return err
}
