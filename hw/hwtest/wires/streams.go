package wires

// Stream is what comes from a modem.
type Stream struct {
	Name string
	Wire string
	// Lines are those in it: of a voice modem, in what its shielding leaves.
	Lines []string
	// Codes are those in it, and Data what comes before each of them and behind the last. Codes is nil of a modem that doesn't shield.
	Codes string
	Data  []string
}

// Streams are what comes of the four makes, and of what may be between.
var Streams = []Stream{
	{Name: "an answer", Wire: "\r\nOK\r\n", Lines: []string{"OK"}},
	{Name: "an answer behind its command's echo", Wire: "AT+CLIP=1\r\r\nOK\r\n", Lines: []string{"AT+CLIP=1", "OK"}},
	{Name: "ends in any mix", Wire: "RING\r\r\n\n\rRING\nRING\r", Lines: []string{"RING", "RING", "RING"}},
	{Name: "a call at Quectel's", Wire: "\r\nRING\r\n\r\n+CLIP: \"5551234\",129,,,,0\r\n\r\n^DSCI: 1,1,3,0,5551234,129\r\n\r\nOK\r\n\r\nNO CARRIER\r\n",
		Lines: []string{"RING", `+CLIP: "5551234",129,,,,0`, "^DSCI: 1,1,3,0,5551234,129", "OK", "NO CARRIER"}},
	{Name: "a key at SIMCom's", Wire: "\r\r\n+RXDTMF: 8\r\r\n", Lines: []string{"+RXDTMF: 8"}},
	{Name: "an answer within a call at Huawei's", Wire: "\r\n^RSSI:18\r\n\r\nOK\r\n^CONN:1,0\r\n", Lines: []string{"^RSSI:18", "OK", "^CONN:1,0"}},
	{Name: "NULs and bytes of a wrong rate", Wire: "\x00\xff\r\n\x00O\x80\x00K\xfe\r\n\x7f\r\n", Lines: []string{"OK"}},
	{Name: "blanks around", Wire: "  OK \r\n   \r\n", Lines: []string{"OK"}},
	{Name: "a prompt and half a line", Wire: "\r\n> \r\nOK\r\nRIN", Lines: []string{">", "OK"}},

	{Name: "rings at a voice modem", Wire: "\r\nOK\r\n\x10R\r\nNMBR = 5551234\r\n\x10R", Lines: []string{"OK", "NMBR = 5551234"},
		Codes: "RR", Data: []string{"\r\nOK\r\n", "\r\nNMBR = 5551234\r\n", ""}},
	{Name: "sound begins", Wire: "\r\nCONNECT\r\n\x80\x81\x7f", Lines: []string{"CONNECT"}, Codes: "", Data: []string{"\r\nCONNECT\r\n\x80\x81\x7f"}},
	{Name: "DLE in sound", Wire: "\x80\x10\x10\x80\x10\x1a\x80\x10\x10\x10\x10", Codes: "", Data: []string{"\x80\x10\x80\x10\x10\x80\x10\x10"}},
	{Name: "DLE in sound beside a code", Wire: "\x10\x10\x10u\x10\x10\x10\x1a\x10u", Codes: "uu", Data: []string{"\x10", "\x10\x10\x10", ""}},
	{Name: "a key in sound", Wire: "\x80\x10/\x105\x81\x82\x105\x83\x10~\x84", Codes: "/55~", Data: []string{"\x80", "", "\x81\x82", "\x83", "\x84"}},
	{Name: "what looks like a code is sound", Wire: "\x10\x10b\x10\x10\x03\x10\x1ab", Codes: "", Data: []string{"\x10b\x10\x03\x10\x10b"}},
	{Name: "what looks like a result is sound", Wire: "\x80\r\nNO CARRIER\r\n\x80", Lines: []string{"NO CARRIER"}, Codes: "",
		Data: []string{"\x80\r\nNO CARRIER\r\n\x80"}},
	{Name: "nothing in sound", Wire: "\x80\x10\x00\x81", Codes: "", Data: []string{"\x80\x81"}},
	{Name: "sound ends", Wire: "\x80\x10\x03\r\nOK\r\n", Lines: []string{"OK"}, Codes: "\x03", Data: []string{"\x80", "\r\nOK\r\n"}},
	{Name: "hung up", Wire: "\x80\x10l\x81\x10b\x10d", Codes: "lbd", Data: []string{"\x80", "\x81", "", ""}},
}
