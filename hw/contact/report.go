package contact

import "slices"

// hookUsage is a hook switch in the HID usage tables: page 0x0b, Telephony Device, usage 0x20. It is on while the telephone is off
// the hook.
const hookUsage = 0x0b_0020

// bit is where a switch lies in the reports of a device.
type bit struct {
	report byte // number of the report, 0 where reports have none
	at     int  // from the first bit behind the number
}

// length is that of the shortest report that has the bit, with the byte of its number.
func (b bit) length() int { return 2 + b.at/8 }

// in reads the bit from a report; told is false where it is another report's, or too short.
func (b bit) in(report []byte) (on, told bool) {
	if b.report != 0 {
		if len(report) == 0 || report[0] != b.report {
			return false, false
		}
		report = report[1:]
	}
	if b.at/8 >= len(report) {
		return false, false
	}
	return report[b.at/8]>>(b.at%8)&1 != 0, true
}

// Tags of items with their types (Device Class Definition for HID 1.11, section 6.2.2), sizes left out.
const (
	mainInput      = 0x80
	mainOutput     = 0x90
	mainFeature    = 0xb0
	mainCollection = 0xa0
	mainEnd        = 0xc0

	globalPage  = 0x04
	globalSize  = 0x74
	globalID    = 0x84
	globalCount = 0x94
	globalPush  = 0xa4
	globalPop   = 0xb4

	localUsage = 0x08
	localLeast = 0x18
	localMost  = 0x28

	longItem = 0xfe
)

const (
	constant   = 1 << 0 // of an input: padding,
	variable   = 1 << 1 // and a field a usage, not numbers of usages
	mostUsages = 1 << 12
	mostBits   = 8 * (mostReport - 2)
)

// global is what items on end share until it is changed.
type global struct {
	page, size, count uint32
	id                byte
}

// hookSwitch finds a hook switch in a report descriptor: a field of one bit.
func hookSwitch(descriptor []byte) (found bit, ok bool) {
	var g global
	var stack []global
	var usages []uint32
	var least uint32
	at := map[byte]int{} // bits of each input report so far
	for len(descriptor) > 0 {
		head := descriptor[0]
		if head == longItem {
			if len(descriptor) < 2 {
				return bit{}, false
			}
			descriptor = descriptor[min(len(descriptor), 3+int(descriptor[1])):]
			continue
		}
		size := int(head & 3)
		if size == 3 {
			size = 4
		}
		if len(descriptor) < 1+size {
			return bit{}, false
		}
		var v uint32
		for i, b := range descriptor[1 : 1+size] {
			v |= uint32(b) << (8 * i)
		}
		descriptor = descriptor[1+size:]
		usage := v
		if size < 4 {
			usage |= g.page << 16
		}
		switch tag := head &^ 3; tag {
		case globalPage:
			g.page = v
		case globalSize:
			g.size = v
		case globalCount:
			g.count = v
		case globalID:
			g.id = byte(v)
		case globalPush:
			stack = append(stack, g)
		case globalPop:
			if len(stack) > 0 {
				g, stack = stack[len(stack)-1], stack[:len(stack)-1]
			}
		case localUsage:
			usages = append(usages, usage)
		case localLeast:
			least = usage
		case localMost:
			for u := least; u <= usage && len(usages) < mostUsages; u++ {
				usages = append(usages, u)
			}
		case mainInput:
			fields := int(min(g.count, mostBits))
			i := slices.Index(usages, hookUsage)
			if v&constant == 0 && v&variable != 0 && g.size == 1 && i >= 0 && i < fields && at[g.id]+i < mostBits {
				return bit{g.id, at[g.id] + i}, true
			}
			at[g.id] = min(mostBits, at[g.id]+fields*int(min(g.size, mostBits)))
			usages = nil
		case mainOutput, mainFeature, mainCollection, mainEnd:
			usages = nil
		}
	}
	return bit{}, false
}
