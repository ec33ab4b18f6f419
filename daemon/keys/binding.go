package keys

import "encoding/binary"

// Binding is additional data of what is sealed, encoded so that no two lists of fields give the same bytes: each field has its length before it.
type Binding []byte

// Bind begins a binding. Each purpose has its own, so that nothing sealed for one opens for another.
func Bind(purpose string) Binding { return Binding(nil).Text(purpose) }

// Text adds a field.
func (b Binding) Text(s string) Binding { return b.Bytes([]byte(s)) }

// Bytes adds a field.
func (b Binding) Bytes(field []byte) Binding {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(field))), field...)
}

// Number adds a field.
func (b Binding) Number(n int64) Binding {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(n))
}
