package config

import (
	"errors"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flattone/flattone/configs"
)

// ModemsName is the folder of modem profiles beside the configuration. A profile there comes before the one of that name that flattone comes with.
const ModemsName = "modems"

// ModemProfile is how a make of modem is spoken to: what it means is said in hw/serial. configs/modems/quectel-ec25.toml explains it to people.
type ModemProfile struct {
	Make                           string
	Kind                           ModemKind
	Baud                           int
	Frame                          time.Duration
	Init, Optional, Before, Answer []string
	Dial                           string
	HangUp, AudioOn, AudioOff      []string
	AudioTries                     int
	Calls, Reset                   string
	Says                           ModemSays
	// Fits is what all must be answered for a modem to be of this make.
	Fits []ModemFit
	// USB is where the ports are, by which device it is.
	USB []ModemUSB
}

// ModemKind is how a modem carries sound.
type ModemKind string

// The kinds of modems.
const (
	PCM   ModemKind = "pcm"   // commands on one port, 16-bit linear sound on another
	Voice ModemKind = "voice" // V.253: both on one port
)

// ModemSays is by which lines a modem tells of what.
type ModemSays struct{ Ring, CallerID, Began, Ended, Key, Active []string }

// ModemFit is a question that changes nothing, and part of a line of its answer.
type ModemFit struct{ Ask, Says string }

// ModemUSB is where a USB device with one of the IDs has its ports: the numbers of interfaces.
type ModemUSB struct {
	// IDs are vendor and product, "2c7c:0125".
	IDs []string
	// SoundPort is 0 for a [Voice] modem, which has none.
	Port, SoundPort int
}

// ModemProfiles are all profiles that a configuration file may name. Any error but the system's is [Faults].
func ModemProfiles(file string) (map[string]ModemProfile, error) {
	all := map[string]ModemProfile{}
	var faults Faults
	for _, name := range modemNames(file) {
		p, known, err := modemProfile(file, name)
		switch wrong, isFaults := errors.AsType[Faults](err); {
		case isFaults:
			faults = append(faults, wrong...)
		case err != nil:
			return nil, err
		case known:
			all[name] = p
		}
	}
	return all, faults.err()
}

// ModemDraft is a profile to begin with, for a make that no profile is for: with all explanations, and without what tells makes apart.
func ModemDraft(make string) string {
	doc, err := configs.Modems.ReadFile(ModemsName + "/quectel-ec25.toml")
	if err != nil {
		panic(err) // it is compiled in
	}
	_, text, _ := strings.Cut(string(doc), "version = ")
	text, _, _ = strings.Cut(text, "# What a modem of this make")
	return "version = " + makeKey.ReplaceAllLiteralString(text, "make = "+strconv.Quote(make))
}

// makeKey is the key with what people call a modem.
var makeKey = regexp.MustCompile(`(?m)^make = "[^"]*"`)

// modemNames are those of all profiles there are, sorted.
func modemNames(file string) []string {
	var names []string
	own, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ModemsName, "*.toml"))
	ours, _ := configs.Modems.ReadDir(ModemsName)
	for _, f := range own {
		names = append(names, filepath.Base(f))
	}
	for _, f := range ours {
		names = append(names, f.Name())
	}
	for i := range names {
		names[i] = strings.TrimSuffix(names[i], ".toml")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// modemProfile reads the profile of a name that a configuration file uses.
func modemProfile(file, name string) (p ModemProfile, known bool, err error) {
	if nameFlaw(name) != "" { // it would be part of a path
		return p, false, nil
	}
	from, doc, err := read(filepath.Join(filepath.Dir(file), ModemsName, name+".toml"))
	if errors.Is(err, ErrAbsent) {
		from = path.Join("configs", ModemsName, name+".toml")
		if doc, err = configs.Modems.ReadFile(path.Join(ModemsName, name+".toml")); err != nil {
			return p, false, nil
		}
	}
	if err == nil {
		p, err = parseModem(from, doc)
	}
	return p, true, err
}

// parseModem reads a profile that is in memory. Any error is [Faults].
func parseModem(name string, doc []byte) (ModemProfile, error) {
	t, err := document(name, doc)
	if err != nil {
		return ModemProfile{}, err
	}
	p := modemDefaults()
	t.modemProfile(&p)
	t.r.unknown()
	if err := t.r.faults.err(); err != nil {
		return ModemProfile{}, err
	}
	return p, nil
}
