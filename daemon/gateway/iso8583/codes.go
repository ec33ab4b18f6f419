package iso8583

import "github.com/flattone/flattone/daemon/gateway"

// What a code says besides the classes of declines.
const (
	approves   gateway.Class = "approves"
	leavesOpen gateway.Class = "leaves open"
)

// codes are the response codes (field 39) of ISO 8583:1987 and those that the networks added. What isn't here declines, and doesn't say why.
var codes = map[string]gateway.Class{
	"00": approves,
	"11": approves, // a very important person
	"16": approves, // and the magnetic stripe is to be written

	"08": leavesOpen, // approved, if the holder can identify himself: nobody can by phone
	"09": leavesOpen, // in progress
	"10": leavesOpen, // approved for less
	"68": leavesOpen, // the issuer answered too late
	"87": leavesOpen, // approved without the cash
	"94": leavesOpen, // it came a second time: what the first answer was isn't said

	"03": gateway.Misconfigured, // merchant
	"12": gateway.Misconfigured, // transaction
	"13": gateway.Misconfigured, // amount
	"30": gateway.Misconfigured, // format
	"40": gateway.Misconfigured, // function
	"58": gateway.Misconfigured, // not for this terminal

	"14": gateway.BadCard, // no such number
	"15": gateway.BadCard, // no such issuer
	"31": gateway.BadCard, // bank not supported
	"39": gateway.BadCard, // no credit account
	"42": gateway.BadCard, // no universal account
	"46": gateway.BadCard, // closed account
	"52": gateway.BadCard, // no current account
	"53": gateway.BadCard, // no savings account
	"56": gateway.BadCard, // no card record
	"57": gateway.BadCard, // not for this holder
	"62": gateway.BadCard, // restricted
	"78": gateway.BadCard, // blocked, first used

	"33": gateway.Expired, // and to be kept
	"54": gateway.Expired,

	"51": gateway.Funds,
	"61": gateway.Funds, // amount limit
	"65": gateway.Funds, // frequency limit

	"82": gateway.BadCVV,
	"N7": gateway.BadCVV,

	"04": gateway.Stolen, // to be kept
	"07": gateway.Stolen,
	"34": gateway.Stolen, // fraud suspected, to be kept
	"35": gateway.Stolen,
	"36": gateway.Stolen,
	"37": gateway.Stolen,
	"38": gateway.Stolen,
	"41": gateway.Stolen, // lost
	"43": gateway.Stolen,
	"59": gateway.Stolen, // fraud suspected

	"1A": gateway.NeedsHolder,
	"55": gateway.NeedsHolder, // wrong PIN
	"70": gateway.NeedsHolder, // PIN wanted

	"06": gateway.Later, // error
	"19": gateway.Later, // once more
	"90": gateway.Later, // end of day
	"91": gateway.Later, // issuer away
	"92": gateway.Later, // no route
	"96": gateway.Later, // malfunction
}

// given says that an advice, or a refund, was given before: by its number or by what it is of, the acquirer tells a repeat.
const given = "94"

// notFound are the codes of a reversal for a payment that isn't in the acquirer's books.
var notFound = map[string]bool{"21": true, "25": true}

// again reports whether an advice is to be repeated after a code: the acquirer couldn't take it just now.
func again(code string) bool {
	return code == "" || code != given && (codes[code] == gateway.Later || codes[code] == leavesOpen)
}
