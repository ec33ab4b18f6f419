//go:build !wireahead

package wire

const ahead = 0
