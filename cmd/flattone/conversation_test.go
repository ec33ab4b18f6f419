package main

import (
	"slices"
	"strings"

	"github.com/flattone/flattone/hw/hwtest/pty"
)

// conversation is what is typed, what is shown then, and what is in the box's files besides.
type conversation struct {
	unit         bool
	script       []pty.Turn
	shows, files []string
}

func conversations(calls string) map[string]conversation {
	begin := []pty.Turn{{"Name of the line [line-1]", ""}, {"Place [2]", ""}, {"Made of [1]", ""}}
	end := []pty.Turn{{"Keep [1]", ""}, {"Address of the receiver [-]", ""}, {"Auditor [-]", ""}, {"Go on?", "y"}}
	secret := "whsec_" + strings.Repeat("QUFB", 8)
	return map[string]conversation{
		"defaults": {true, slices.Concat(begin, []pty.Turn{{"The caller's side [1]", ""}, {"The agent's side [3]", ""}, {"Calls told by [1]", ""}}, end),
			[]string{"line-1-caller is now PCH in pci-0000:00:1f.3", "caller well: -18 dBm0 at the loudest"}, []string{"[device.line-1-caller]", "[device.headset]"}},
		"recordings": {false, []pty.Turn{{"Name of the line", "TRUNK 1"}, {"Name of the line", "trunk-1"}, {"Take line-1 out?", "maybe"}, {"Take line-1 out?", ""},
			{"Place", "3"}, {"Place", "1"}, {"Made of", "2"},
			{"Folder of the recordings", ""}, {"Folder of the recordings", "calls"}, {"Folder of the recordings", "/nowhere"}, {"Folder of the recordings", calls},
			{"Folder for what is heard", "/nowhere"}, {"Folder for what is heard", "DIR"}, {"Keep [1]", "2"}, {"Keep [1]", "5"}, {"Keep [1]", "4"},
			{"Address of the receiver", "http://example.com/"}, {"Address of the receiver", "https://example.com/hook"},
			{"The receiver's secret", "whsec_short"}, {"The receiver's secret", secret}, {"Auditor", "nobody-of-that-name"}, {"Auditor", "root"}, {"Go on?", "y"}},
			[]string{`"TRUNK 1": can't be used as a name`, "write 1 to 32 of a-z", `"maybe" is neither yes nor no`, `"3" is none of these`, "type a number from 1 to 2",
				"nothing was typed", `"calls" is no whole path`, "/nowhere/caller.wav does not exist", "the folder /nowhere does not exist", "is plain http to another machine",
				`is not "whsec_" and base64`, `nobody called "nobody-of-that-name"`, "has to be started again, by you",
				"lies on the disk with the cards", "until then type none or oneway", "type a number from 1 to 4"}, []string{secret}},
		"modem": {true, slices.Concat(begin, []pty.Turn{{"The caller's side", "/dev/ttyUSB7"}, {"The caller's side", "/dev/ttyUSB9"}, {"The caller's side", "/dev/ttyUSB2"},
			{"The agent's side", "99"}, {"The agent's side", "l"}, {"The agent's side", "3"}}, end),
			[]string{"nobody answers there", "fits no profile", `"99" is none of these`}, nil},
		"contact": {true, slices.Concat(begin, []pty.Turn{{"The caller's side", "1"}, {"The agent's side", "1"}, {"caller's channel [1]", "left"}, {"caller's channel", "3"}, {"caller's channel", "2"},
			{"agent's channel [2]", "2"}, {"The caller's side", "1"}, {"The agent's side", "1"}, {"caller's channel", ""}, {"agent's channel", ""},
			{"Calls told by", "3"}, {"Where it is [/dev/gpiochip0]", "/dev/nothing"}, {"Where it is", "/dev/null"}, {"Input", "seventeen"}, {"The contact says", ""}, {"and ground", "y"},
			{"Calls told by", "3"}, {"Where it is", "/dev/null"}, {"Input", "17"}, {"The contact says", "2"}, {"and ground", "y"}}, end),
			[]string{`"left" is no number`, "PCH has no channel 3 both ways", "name another device, or another channel", "/dev/nothing does not exist", "is not the number of a line of the chip"}, nil},
	}
}
