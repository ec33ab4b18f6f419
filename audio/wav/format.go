package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/flattone/flattone/audio"
)

// maxChunks bounds the chunks before the samples, so that a hostile file can't keep the parser busy.
const maxChunks = 256

// layout is what the header says about where the samples lie.
type layout struct {
	rate    audio.Rate
	offset  int64 // of the first sample
	bytes   int64 // of samples, as declared
	present int64 // of samples, as far as the file goes
}

// parse walks the chunks up to the samples. It checks the format, not whether all declared samples are there.
func parse(r io.ReaderAt, size int64) (layout, error) {
	var head [12]byte
	if size == 0 {
		return layout{}, &Error{Reason: ErrEmpty, Detail: "the file has no bytes"}
	}
	if err := readFull(r, head[:], 0); err != nil {
		return layout{}, notWAV(err, "the file is shorter than a header")
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return layout{}, &Error{Reason: ErrNotWAV, Detail: fmt.Sprintf("it begins with %q, not with RIFF and WAVE", head[:4]), Remedy: convert("", 0)}
	}
	var l layout
	at := int64(len(head))
	for range maxChunks {
		var chunk [8]byte
		if err := readFull(r, chunk[:], at); err != nil {
			return layout{}, notWAV(err, "it ends before any samples")
		}
		at += int64(len(chunk))
		length := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			rate, err := parseFormat(r, at, length)
			if err != nil {
				return layout{}, err
			}
			l.rate = rate
		case "data":
			if l.rate == 0 {
				return layout{}, &Error{Reason: ErrNotWAV, Detail: "the samples come before their format"}
			}
			l.offset, l.bytes, l.present = at, length, max(0, min(length, size-at))
			return l, nil
		}
		at += length + length%2 // chunks are padded to even lengths
	}
	return layout{}, &Error{Reason: ErrNotWAV, Detail: fmt.Sprintf("no samples within %d chunks", maxChunks)}
}

// pcmGUID is the tail of the sub-format of WAVE_FORMAT_EXTENSIBLE that repeats a plain format tag.
const pcmGUID = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// parseFormat reads the fmt chunk at offset at and gives the rate if the format is ours.
func parseFormat(r io.ReaderAt, at, length int64) (audio.Rate, error) {
	var f [40]byte
	if length < 16 {
		return 0, &Error{Reason: ErrNotWAV, Detail: fmt.Sprintf("its format has %d bytes, of at least 16", length)}
	}
	if err := readFull(r, f[:min(length, int64(len(f)))], at); err != nil {
		return 0, notWAV(err, "it ends within its format")
	}
	tag, subtype := binary.LittleEndian.Uint16(f[0:]), ""
	channels := binary.LittleEndian.Uint16(f[2:])
	rate := audio.Rate(binary.LittleEndian.Uint32(f[4:]))
	align := binary.LittleEndian.Uint16(f[12:])
	bits := binary.LittleEndian.Uint16(f[14:])
	if tag == tagExtensible && length >= int64(len(f)) {
		bits = min(bits, binary.LittleEndian.Uint16(f[18:])) // a container may hold fewer valid bits
		tag, subtype = binary.LittleEndian.Uint16(f[24:]), string(f[26:])
	}
	switch {
	case tag != tagPCM || subtype != "" && subtype != pcmGUID:
		return 0, &Error{Reason: ErrEncoding, Detail: fmt.Sprintf("it is %s", encodingName(tag)), Remedy: convert("", rate)}
	case channels != 1:
		return 0, &Error{Reason: ErrChannels, Detail: fmt.Sprintf("it has %d channels", channels), Remedy: convert("", rate)}
	case bits != 8*frameBytes || align != frameBytes:
		return 0, &Error{Reason: ErrEncoding, Detail: fmt.Sprintf("it has %d bits a sample", bits), Remedy: convert("", rate)}
	case !rate.Supported():
		return 0, &Error{Reason: ErrRate, Detail: fmt.Sprintf("it has %d Hz, and 8000, 16000, 44100 and 48000 are supported", int(rate)), Remedy: convert("", rate)}
	}
	return rate, nil
}

// encodingName names the format tags that telephone recordings come in.
func encodingName(tag uint16) string {
	switch tag {
	case tagPCM, tagExtensible:
		return "an unknown extensible format"
	case 2:
		return "Microsoft ADPCM"
	case 3:
		return "floating point"
	case 6:
		return "A-law"
	case 7:
		return "mu-law"
	case 0x11:
		return "IMA ADPCM"
	case 0x31:
		return "GSM 06.10"
	case 0x55:
		return "MP3"
	}
	return fmt.Sprintf("compressed (format tag %#04x)", tag)
}

// readFull fills b from offset at. An io.ReaderAt may say io.EOF with the last byte: that is no error here.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	if n, err := r.ReadAt(b, at); n < len(b) {
		return err
	}
	return nil
}

// notWAV turns the end of the file into a refusal, and leaves other errors as they are.
func notWAV(err error, detail string) error {
	if errors.Is(err, io.EOF) {
		return &Error{Reason: ErrNotWAV, Detail: detail}
	}
	return fmt.Errorf("wav: read the header: %w", err)
}
