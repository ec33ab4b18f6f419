package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"reflect"
)

// MAC is HMAC-SHA256 (FIPS 198-1) of digits under a key, for a purpose. Key and digits are in locked memory, and stay there alone: what the calculation has on
// the heap is wiped, and it is done once more with zeros, over what the first time has left on the stack and in registers.
func MAC(key []byte, purpose Binding, digits []byte) []byte {
	sum := mac(key, purpose, digits)
	mac(make([]byte, len(key)), purpose, make([]byte, len(digits)))
	return sum
}

func mac(key []byte, purpose Binding, digits []byte) []byte {
	h := hmac.New(sha256.New, key)
	defer wipeMAC(h)
	h.Write(purpose)
	h.Write(digits)
	return h.Sum(nil)
}

// wipeMAC zeroes what h holds: the key in its two pads, and the digits in the buffers of its two hashes.
func wipeMAC(h hash.Hash) {
	v := reflect.ValueOf(h).Elem()
	for _, f := range v.Fields() {
		switch f.Kind() {
		case reflect.Slice:
			clear(f.Bytes())
		case reflect.Interface:
			inner := f.Elem()
			reflect.NewAt(inner.Type().Elem(), inner.UnsafePointer()).Elem().SetZero()
		}
	}
}
