package wires

// Codings of samples, as package dle writes them.
const (
	Signed16  = "16-bit signed linear"
	Signed8   = "8-bit signed linear"
	Unsigned8 = "8-bit unsigned linear"
	Mu        = "mu-law"
	A         = "A-law"
	Unusable  = "unusable"
)

// Format is a line of the answer to AT+VSM=?.
type Format struct {
	Line   string
	ID     int
	Coding string
}

// Formats are whole answers to AT+VSM=?, with the number of the best format in each, -1 for none.
var Formats = []struct {
	Make  string
	Lines []Format
	Best  int
}{
	{"Conexant CX93001", []Format{
		{`0,"SIGNED PCM",8,0,8000,0,0`, 0, Signed8},
		{`1,"UNSIGNED PCM",8,0,8000,0,0`, 1, Unsigned8},
		{`129,"IMA ADPCM",4,0,8000,0,0`, 129, Unusable},
		{`130,"UNSIGNED PCM",8,0,8000,0,0`, 130, Unsigned8},
		{`140,"2 Bit ADPCM",2,0,8000,0,0`, 140, Unusable},
	}, 1},
	{"USR", []Format{
		{`1,"UNSIGNED PCM",8,0,(7200,8000),(0),(0)`, 1, Unsigned8},
		{`128,"8-BIT LINEAR",8,0,(7200,8000),(0),(0)`, 128, Unsigned8},
		{`129,"ADPCM",4,0,(7200,8000),(0),(0)`, 129, Unusable},
		{`131,"ULAW",8,0,(7200,8000),(0),(0)`, 131, Mu},
		{`132,"ALAW",8,0,(7200,8000),(0),(0)`, 132, A},
		{`133,"LINEAR",16,0,(7200,8000),(0),(0)`, 133, Signed16},
	}, 133},
	{"Lucent", []Format{
		{`128,"8-BIT LINEAR",(7200,8000,11025)`, 128, Unsigned8},
		{`129,"16-BIT LINEAR",(7200,8000,11025)`, 129, Signed16},
		{`130,"8-BIT ALAW",(8000)`, 130, A},
		{`131,"8-BIT ULAW",(8000)`, 131, Mu},
		{`132,"IMA ADPCM",(7200,8000,11025)`, 132, Unusable},
	}, 129},
	{"V.253 by the book", []Format{
		{`+VSM: 0,"SIGNED PCM",8,0,8000,0,0`, 0, Signed8},
		{`+VSM: 1,"UNSIGNED PCM",8,0,8000,0,0`, 1, Unsigned8},
		{`+VSM: 4,"G.711U",8,0,8000,0,0`, 4, Mu},
		{`+VSM: 5,"G.711A",8,0,(7200-11025),0,0`, 5, A},
	}, 4},
	{"at 7200 Hz only", []Format{
		{`1,"UNSIGNED PCM",8,0,7200,0,0`, 1, Unusable},
		{`128,"16-BIT LINEAR",(7200,11025)`, 128, Unusable},
	}, -1},
}
