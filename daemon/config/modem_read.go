package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/flattone/flattone/hw/serial/at"
)

// bauds are those of the rates that a serial port may have which carry a call's sound: a byte at 8 kHz takes 80 000.
var bauds = []int{115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1500000, 2000000, 3000000, 4000000}

func (t *table) modemProfile(p *ModemProfile) {
	t.need("make", "write what people call it")
	t.text("make", &p.Make)
	if t.values["make"] == "" {
		t.fault("make", "is empty", "write what people call it")
	}
	t.need("kind", `write "pcm" (sound on a port of its own) or "voice" (V.253, one port for both)`)
	choice(t, "kind", &p.Kind, PCM, Voice)
	t.whole("baud", &p.Baud, 0, 1<<31-1)
	if !slices.Contains(bauds, p.Baud) {
		t.fault("baud", "is not a rate that a port has and sound fits in", "write 115200, 230400, 460800, 921600 or another usual rate above those")
	}
	t.period("frame_ms", &p.Frame, time.Millisecond, 5, 100)
	t.need("init", `write the commands that bring it up, such as ["ATE0", "AT+CLIP=1"]`)
	t.commands("init", &p.Init)
	t.commands("before", &p.Before)
	t.commands("optional", &p.Optional)
	t.need("answer", `write the commands that take a call, such as ["ATA"]`)
	t.commands("answer", &p.Answer)
	t.need("dial", `write the command that dials, with %s for the number, such as "ATD%s;"`)
	t.text("dial", &p.Dial)
	t.need("hang_up", `write the commands that end a call, such as ["AT+CHUP"]`)
	t.commands("hang_up", &p.HangUp)
	t.commands("audio_on", &p.AudioOn)
	if p.Kind == Voice {
		t.leaves("audio_off", &p.AudioOff)
	} else {
		t.commands("audio_off", &p.AudioOff)
	}
	t.whole("audio_tries", &p.AudioTries, 1, 5)
	t.command("calls", &p.Calls)
	t.command("reset", &p.Reset)
	t.sub("says").says(&p.Says, p.Kind)
	for _, ft := range t.subs("fits") {
		var f ModemFit
		ft.fit(&f)
		p.Fits = append(p.Fits, f)
	}
	for _, ut := range t.subs("usb") {
		var u ModemUSB
		ut.usb(&u, p.Kind)
		p.USB = append(p.USB, u)
	}
	t.judgeModem(p)
}

func (t *table) says(s *ModemSays, kind ModemKind) {
	t.need("ring", `write the lines that say that a call comes in, such as ["RING"]`)
	t.patterns("ring", &s.Ring)
	t.patterns("caller_id", &s.CallerID)
	for _, p := range s.CallerID {
		if !strings.Contains(p, "{") {
			t.fault("caller_id", fmt.Sprintf("has %s, which captures nothing", show(p)), "write {number} in the place of the number")
		}
	}
	t.patterns("began", &s.Began)
	t.patterns("ended", &s.Ended)
	if kind == PCM {
		t.need("began", "write the lines that say that a call is there")
		t.need("ended", "write the lines that say that it is over")
	}
	t.patterns("key", &s.Key)
	t.patterns("active", &s.Active)
}

func (t *table) fit(f *ModemFit) {
	t.need("ask", `write a question, such as "AT+QPCMV=?"`)
	t.command("ask", &f.Ask)
	t.text("says", &f.Says)
	if f.Ask != "" && !strings.HasSuffix(f.Ask, "?") && !strings.HasPrefix(f.Ask, "ATI") {
		t.fault("ask", "may change something", "ask what ends with ?, or ATI")
	}
}

// usbID is a USB device's vendor and product, as lsusb writes them.
var usbID = regexp.MustCompile(`^[0-9a-f]{4}:[0-9a-f]{4}$`)

func (t *table) usb(u *ModemUSB, kind ModemKind) {
	t.need("ids", `write the numbers that lsusb shows, such as ["2c7c:0125"]`)
	if list, ok := texts(t, "ids"); ok {
		for _, id := range list {
			if !usbID.MatchString(id) {
				t.fault("ids", fmt.Sprintf("has %s, which is no device's", show(id)), `write vendor and product as lsusb shows them, such as "2c7c:0125"`)
			}
		}
		u.IDs = list
	}
	t.need("port", "write the number of the interface for commands")
	t.whole("port", &u.Port, 0, 31)
	t.whole("sound_port", &u.SoundPort, 0, 31)
	if kind == PCM {
		t.need("sound_port", "write the number of the interface for sound")
	} else if t.has("sound_port") {
		t.fault("sound_port", `means nothing where kind is not "pcm"`, "leave it out")
	}
}

// judgeModem reports what can't be seen from one key of a modem's profile alone.
func (t *table) judgeModem(p *ModemProfile) {
	if d := p.Dial; t.has("dial") && (!isCommand(strings.Replace(d, "%s", "", 1)) || !strings.HasPrefix(d, "ATD") || !strings.Contains(d, "%s")) {
		t.fault("dial", "is no command that dials a number", `write it with %s for the number, such as "ATD%s;"`)
	}
	for _, c := range p.Optional {
		if !slices.Contains(slices.Concat(p.Init, p.Before), c) {
			t.fault("optional", fmt.Sprintf("has %q, which is in neither init nor before", c), "write there what is to be sent, and here what of it may be refused")
		}
	}
	if (p.Calls != "") != (len(p.Says.Active) > 0) {
		t.fault("calls", "and says.active make sense together only", "write both, or neither")
	}
	if p.Reset != "" && len(p.AudioOn) == 0 {
		t.fault("reset", "would never be sent: there is no audio_on to be in vain", "leave it out")
	}
	if p.Kind == Voice {
		t.need("audio_on", `write the command that begins the sound and is answered by CONNECT: ["AT+VTR"]`)
		t.need("audio_off", `write the code that ends it: ["<DLE>^"] or ["<DLE><ETX>"]`)
	}
	seen := map[string]bool{}
	for i, u := range p.USB {
		for _, id := range u.IDs {
			if seen[id] {
				judgement{r: t.r}.table(element("usb", i)).fault("ids", fmt.Sprintf("has %q, which stands above", id), "write each device once")
			}
			seen[id] = true
		}
	}
}

// isCommand reports whether a modem could be sent c.
func isCommand(c string) bool {
	odd := strings.ContainsFunc(c, func(r rune) bool { return r < ' ' || r > '~' || r == '%' })
	return strings.HasPrefix(c, "AT") && len(c) <= 120 && !odd
}

const aCommand = `write it whole, and one at a time: "AT+CLIP=1"`

func (t *table) command(key string, to *string) {
	c, ok := value[string](t, key, aText)
	switch {
	case ok && !isCommand(c):
		t.fault(key, "is no command", aCommand)
	case ok:
		*to = c
	}
}

// commands reads a list of commands. %s is the best format of a modem's sound.
func (t *table) commands(key string, to *[]string) {
	list, _ := texts(t, key)
	for _, c := range list {
		if !isCommand(c) && !(strings.HasPrefix(c, "AT+VSM=") && isCommand(strings.Replace(c, "%s", "", 1))) {
			t.fault(key, fmt.Sprintf("has %s, which is no command", show(c)), aCommand)
			return
		}
	}
	*to = list
}

// leaves reads the code by which a voice modem's sound is ended.
func (t *table) leaves(key string, to *[]string) {
	list, ok := texts(t, key)
	if ok && (len(list) != 1 || !slices.Contains([]string{"<DLE>^", "<DLE>!", "<DLE><ETX>"}, list[0])) {
		t.fault(key, "is no code that ends a voice modem's sound", `write ["<DLE>^"] or ["<DLE><ETX>"]`)
	}
	*to = list
}

// patterns reads what lines of a modem's are compared with. What is in one means something to hw/serial/at alone.
func (t *table) patterns(key string, to *[]string) {
	list, _ := texts(t, key)
	for _, p := range list {
		if reason, remedy := at.Flaw(p); reason != "" {
			t.fault(key, fmt.Sprintf("has %s, which %s", show(p), reason), remedy)
			return
		}
	}
	*to = list
}
