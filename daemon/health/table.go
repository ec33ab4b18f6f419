package health

import (
	"fmt"
	"slices"
	"strings"
)

// Declared is what there is to know of a condition before it stands.
type Declared struct {
	Code     Code
	Severity Severity
	// Words say what is wrong. Remedy says what to do; LINE in it is the line's name.
	Words, Remedy string
	// MessageID is the journal's MESSAGE_ID of the condition's beginning and end. It never changes.
	MessageID string
	// Audited names the requirement by which beginning and end belong in the audit log, empty where none asks for it.
	Audited string
}

// Why a condition is in the audit log. PCI DSS 4.0.1, 10.7.2, has failures of critical security controls detected,
// alerted and addressed, and 10.7.3 has their beginning and end on record. Of the controls that it lists the box is two: what keeps a card from the
// agent's side is a segmentation control, and it keeps an audit log, to whose times 10.6.1 applies.
const (
	segmentation = "PCI DSS 10.7.2: segmentation control"
	auditLogging = "PCI DSS 10.7.2: audit logging"
	timekeeping  = "PCI DSS 10.6.1: synchronised time"
)

// table is every unhealthy state that there is.
var table = []Declared{
	// The box: its store and its log.
	{StoreFailed, Fault, "nothing can be stored, neither a card nor an entry of the audit log",
		"make room where state_dir lies, and see that it can be written", "cc9d136a17b8463a8e3a37bc6c9a03a7", auditLogging},
	{StoreAway, Fault, "the database doesn't answer, so nothing can be stored, neither a card nor an entry of the audit log",
		"see that PostgreSQL runs, and can be reached at [store] postgres; the box connects to it again by itself", "b1cf99d3599742a1870f48b50cd79fd1", auditLogging},
	{StoreDamaged, Fault, "the database is damaged, so nothing more is stored in it, neither a card nor an entry of the audit log",
		"stop flattoned, keep a copy of state_dir, then put its files back or restore a backup; what was acknowledged before lies in them and in flattone.db-wal", "42e9f9d98fbe48afbf7c98f1fb59434f", auditLogging},
	{AuditFailed, Fault, "the audit log can't be written, so that no line can be armed",
		"flattoned's log says why; flattone events shows what was noted last", "c0eba5a47efb484eb116d6f3f7410c39", auditLogging},
	{CheckpointStuck, Warning, "the audit log's checkpoints don't leave the box, so that nobody elsewhere could tell what is changed in it",
		"the detail says which place doesn't take them; a later one makes good what it missed", "5e7d0c6a7a0f4c5e9b7f0d8a3c1b2e46", auditLogging},
	{DiskLow, Warning, "the disk that holds state_dir is almost full",
		"make room: once it is full, no card can be taken", "8c5ebcb7290b4dbe84222cbbec0b6e55", ""},
	{KeyFile, Warning, "the vault's key comes from a file, which is for demonstration only: whoever copies this disk can read every card",
		"keep the key in a TPM or HSM before real cards come", "ed14499c34a846daba4f9d57bfc577f6", ""},
	{KeyOld, Warning, "the vault's key is in use for longer, or for more cards, than it may be, and was not rotated",
		"flattoned's log says why not; once the vault is unlocked: flattone vault rotate", "f7f5732415fa42397a2f4118bd7d1700", ""},
	{VaultLocked, Fault, "the vault is locked, so no card can be taken",
		"k of its custodians open it: flattone custody unlock; if there are none yet, flattone custody enrol", "5b0a3f61c2d94e5c8f3e7d1b6a90c4e2", ""},
	{VaultTrouble, Fault, "cards whose time is over may not be shredded, or what lies under old keys not be sealed anew",
		"flattoned's log says why; it is tried again each minute", "3f6a1cb2f19245b0a5d1df5d2f2f7c1e", ""},
	{Unresolved, Fault, "cards were shredded a day after they were taken, and nothing was ever heard of what became of them",
		"find out why nobody was charged; it stands until flattoned starts anew", "b9c4e0f3a4f84f0f9a1f8c2de7a60b11", ""},
	// The way upstream.
	{UpstreamFailing, Warning, "the last delivery upstream failed",
		"see that the receiver answers; nothing is lost, and each event is tried again", "e7ad55ebae914bbeacc17254cefe1b31", ""},
	{UpstreamBehind, Fault, "events have waited for over ten minutes to be delivered upstream",
		"see that the receiver answers; what waits is delivered then", "482f1833b99a4d8c80d52cb3a2bf5739", ""},
	{UpstreamGone, Fault, "the receiver said that it is gone for good, so nothing more is delivered upstream",
		"put the right address into its [upstream.NAME], and restart flattoned; or, if it is back, flattone upstream resume NAME; what waits is delivered then", "7a1008aa9e284ca59181ef429c7a6708", ""},
	{UpstreamDead, Fault, "events were refused upstream for good, or given up, and whatever else is told of their cards waits behind them",
		"flattone upstream list --dead says which and why; then flattone upstream replay, or drop", "c3f1d64b0f7e4a0f8d0b7c41d3b95e62", ""},
	{SyslogFailing, Warning, "the syslog receiver can't be told what is wrong",
		"see that it answers at [syslog] address, and that ca_file vouches for it; what waits is told then", "598c613fdbf04c3c81150997ce989998", ""},
	{ClientsUnheard, Warning, "what clients ask doesn't reach the box",
		"the detail says why; a connection comes back by itself, and whoever asks again under the same id is answered", "9f292fe5747f44738c7ff8faf313e4cd", ""},
	// Payments.
	{GatewayAway, Fault, "a provider can't be reached, so cards aren't charged, or not yet",
		"see that the network leads to him, and that his certificate is good: flattoned's log says what went wrong", "181e18e832e24596b2c966a732012e68", ""},
	{GatewayRefused, Fault, "a provider refuses what the box asks, so cards aren't charged",
		"compare [gateway] with the account there: keys, addresses, and what the account may do; flattoned's log says what he refused", "c2a6604c55a5460d89093a9a588a8de3", ""},
	{PaymentsUnknown, Fault, "it isn't known yet what became of payments, because a provider doesn't say",
		"don't take those cards again: flattone payment list; they are asked for until it is known", "11f1dd6ecb83444d90c8879bc12fa705", ""},
	// The machine.
	{SwapOn, Warning, "memory may be written to a disk that isn't encrypted: cards and keys are in locked memory, which is never swapped; tokens, numbers of callers and sound aren't",
		"swapoff what is named, and take it out of /etc/fstab; or encrypt it: see crypttab(5), option swap", "6f35293679620c5a50a509b1d11851ee", ""},
	{ClockUnsynced, Warning, "the machine's clock is not synchronised, so the times in the audit log may be wrong",
		"have the machine follow a time server: timedatectl timesync-status says what is wrong", "74e54dcb387b459ab1ad893f47769712", timekeeping},
	{ClockJumped, Warning, "the machine's clock was set, and nobody vouches for it: cards are kept and shredded by the time that has passed",
		"have the machine follow a time server; if the clock is right as it is, restart flattoned, which takes it so", "9103464f0dc04a699891e2ee32153672", timekeeping},
	{BusAway, Warning, "the box is not on the system's D-Bus, so that nobody there sees how it is, and the clock isn't watched",
		"systemctl status dbus says more; was the package installed whole?", "dbf176af13dd41a8861ecd5ff992037e", ""},
	{Unguarded, Warning, "the machine may stop or sleep in the middle of a card: logind doesn't say when, or won't wait",
		"systemctl status systemd-logind says more; was the package installed whole?", "a24ac17a669a4ce6b989910f4a4eb7fb", ""},
	{Stopping, Notice, "the machine is about to stop or to sleep, so no card is taken",
		"wait until it is up again", "c1be19adf9ba4b708e124a8dc952f821", ""},
	{LinesUnkept, Warning, "systemd doesn't answer, so lines that run go on, but none is started or stopped",
		"systemctl status dbus says why", "bd5b1751e37949f9ad5aa6164d36c2da", ""},
	// A line's process.
	{Starting, Notice, "its process is starting",
		"wait a moment; flattoned's log says more if it doesn't come up", "914c72d70a01409483d9e783783c6f6c", ""},
	{ProcessDown, Fault, "its process has ended, and is started again",
		"its log says why it ended: journalctl -u flattone-line@LINE, or flattoned's log where no systemd runs it", "76af76f3601149d78360682747ae6b5c", segmentation},
	{ProcessStopped, Fault, "somebody has stopped its unit",
		"systemctl start flattone-line@LINE", "dadd3490d14d423ebd60a86fec926a55", segmentation},
	{UnitRefused, Fault, "systemd won't start or stop its unit",
		"flattoned's log has systemd's answer; was the package installed whole?", "adef43a301334a68ac91079f3a8c1251", segmentation},
	{VersionsApart, Fault, "its process is of a version that flattoned doesn't speak with: too many upgrades lie between the two",
		"once no call is on it: flattone restart LINE", "4edd067f4e424bb7a111a4e830a5b8c9", segmentation},
	{NoRealTime, Warning, "it runs without real-time priority: while the machine is busy its sound has gaps",
		"let it have CAP_SYS_NICE, as its unit in the package does", "a13dac128cd9432ba7c246eb420fae34", ""},
	// Why a line is held: nothing the caller says reaches the agent.
	{"call_unknown", Fault, "it can't tell whether a card is being keyed",
		"flattone ack LINE, once the caller has stopped keying", "35ae5dffc71f49b98f1d419fc93df3d0", ""},
	{"line_restarted", Fault, "its process restarted in the middle of a call that was armed",
		"flattone ack LINE, once the caller has stopped keying", "040d0ee82ba4429b86f926a9515ec7f6", ""},
	{"sound_stands", Fault, "its device gave no sound for a while: the call may be another now",
		"flattone ack LINE, once the caller has stopped keying", "69166a8a13fa4e2a99c46757771fedbf", ""},
	{"legs_swapped_or_coupled", Fault, "a key was heard on the agent's side: he pressed one, or caller and agent are swapped or coupled",
		"if nobody pressed a key, put the wiring right; then: flattone ack LINE", "af0033843cdb4e38b63a868cb8f349c8", segmentation},
	{"line_broken", Fault, "its sound processing failed",
		"flattone restart LINE", "61887c3e2bac4abca7f5fe856e77f481", segmentation},
	{SelfTestFailed, Fault, "its self-test failed: a key of its own was not masked or not captured, or its sound isn't judged",
		"flattone restart LINE, and report it if it comes again; its log says what was found", "c9a314af995143e49ff0bf98e3887f3e", segmentation},
	{"relay_open", Fault, "its bypass relay joins caller and agent past the box, where nothing is masked",
		"it switches between calls, once the self-test passes; if it doesn't, look at the cable of what [line.relay] names", "a1dc8fedb2c945daabd11afeaefe5414", segmentation},
	{"bypassed", Fault, "it has a fault, and lets the caller through unmasked so that telephony goes on, as on_fault says",
		"flattone restart LINE, between two calls; what else is told of it says why", "3a90681c7cfe425ab4e4c4f1d5e54c72", segmentation},
	// It waits for a device.
	{"device_absent", Fault, "the device is not there",
		"look at its cable and power; flattone devices lists what is there", "2aacb04c83f7462fb8e51529da94e64b", ""},
	{"device_moved", Fault, "the device is on another port than it was adopted on",
		"plug it in where it was, or adopt it anew", "b1fed9f35c7b4174921411a9913a93a7", ""},
	{"device_replaced", Fault, "another card is in the device's place",
		"plug the right one in, or adopt this one anew", "331683da685a4ac79ab03ca95cff50c2", ""},
	{"device_swapped", Fault, "the device was plugged in anew, and may have been swapped with one like it",
		"see that the right one is plugged in there, and adopt it anew", "538826bce0be4391af2f902b005eec46", ""},
	// What stands in the way of taking cards.
	{"monitor_open", Fault, "its sound card's mixer lets an input through to an output, past the mask",
		"the line's log says which control, and how to close it", "fc7419dd236a43358cbc922aba6d4a58", segmentation},
	{"mixer_unread", Fault, "its sound card's mixer can't be read, and may let an input through to an output, past the mask",
		"the line's log says why", "1ea81d8e2de24c1298e76ff9af5dcf41", segmentation},
	{"modem_silent", Fault, "its modem doesn't answer",
		"look at its cable and power", "65b80c388b0e44a29f29aca506d34218", ""},
	{"modem_refuses", Fault, "its modem refuses what it is told",
		"the line's log says which command; is it the right profile?", "4a5d5a99731c425da1f0714c7eda593d", ""},
	{"modem_no_sound", Fault, "its modem gives no sound of a call, or only part of it",
		"look at the cable of its sound; the line's log says more", "68675dce8b084ab38255835ae9079c3a", ""},
	{"modem_deaf", Fault, "its modem doesn't take the sound that it is given",
		"look at the cable of its sound; the line's log says more", "5060eaa21921496caa51d1ecc5b71218", ""},
	{"emergency_call", Warning, "an emergency number was dialled on the agent's side, so the line was opened, and takes no card in this call",
		"nothing, while that call lasts; if it is over and this still stands: flattone ack LINE", "2c491c37f3ab409d8556b5f16ab211dc", segmentation},
	{"untuned", Warning, "untuned: nobody has measured it as it is now",
		"flattone tune LINE", "c0f1497d227c49c1a161abcf6fdc6e23", ""},
	// What a line suffers from. It goes on.
	{CodecPoor, Warning, "keys are suspected so late that their heads may be heard",
		"raise its lookahead_ms to that, but to 100 at the most, or have it use another codec", "7f576bbc44a44a8b8c6368c3fda4670a", segmentation},
	{"input_dead", Warning, "not even noise comes in",
		"look at its cable and mute switch", "adb78953d29541e5ab7912fa4cd9bbbd", ""},
	{"input_clips", Warning, "what comes in is too loud",
		"turn it down before the box", "6158af5f98044f9cb9bea44ee392a6f7", ""},
	{"gain_clips", Warning, "what comes in is too loud for its gain",
		"lower the gain in [line.sound]", "58662be6216d472d9acfc3066619fc5b", ""},
	{"clocks_apart", Warning, "its device's clock and the other's differ too much",
		"change one of the devices", "9e1529c1a0ad42b6b0ed664c31410ced", ""},
	{SourceLost, Warning, "what tells of its calls is away: they are only presumed",
		"look at the cable of what [line.calls] names", "762a757e7f1e41baa4fd42aaec111aed", ""},
	{RecorderOn, Warning, "the recorder in front of the box didn't say that it pauses, and a card was taken: it may have recorded its keys",
		"see that it answers at [recorder_hook] url, and look at its recording; it stands until it is told to go on", "3d220cc27a404536b70950d08ef59e24", segmentation},
	{RecorderPaused, Warning, "the recorder in front of the box doesn't say that it goes on: calls may not be recorded",
		"see that it answers at [recorder_hook] url; it is told again each minute", "3c12899dfbce4fcdaebfb093e24b1c9b", ""},
	{"recorder_full", Warning, "its calls are no longer recorded: half a gigabyte of the disk is left to others",
		"make room where the folder of [line.recorder] lies", "f05a47776d024c3291e659accc07ff87", ""},
	{"recorder_failed", Warning, "its calls are not recorded: the file can't be written",
		"the line's log says why; see that flattone-line may write where the folder of [line.recorder] lies", "6dd4ff7798f5404bbac6153dbb7967cf", ""},
	{"recorder_behind", Warning, "a part of a call's recording is missing, as the disk didn't keep up",
		"keep recordings on a faster disk; it stands until the next recording begins", "81c7f42d0c8940dc8dd313243eb6e810", ""},
	// A line of another version said what this one has no words for.
	{Undeclared, Fault, "something is wrong that this version has no words for",
		"have flattoned and flattone-line be of one version; the line's log says more", "cbca4c322c4c49a2bb54246c9c72f7c8", ""},
}

// All are all declared conditions.
func All() []Declared { return slices.Clone(table) }

// Lookup finds a condition's declaration.
func Lookup(code Code) (Declared, bool) {
	i := slices.IndexFunc(table, func(d Declared) bool { return d.Code == code })
	if i < 0 {
		return Declared{}, false
	}
	return table[i], true
}

// declared is a code's declaration, or that of what isn't declared. A code that is none is not repeated.
func declared(code Code) Declared {
	if d, ok := Lookup(code); ok {
		return d
	}
	d, _ := Lookup(Undeclared)
	if code != "" && len(code) <= longestCode && strings.Trim(string(code), "abcdefghijklmnopqrstuvwxyz_") == "" {
		d.Code = code
	}
	return d
}

const longestCode = 40

// LookAheadNeeded is what there is to say besides of a line that is [CodecPoor].
func LookAheadNeeded(ms int) string { return fmt.Sprintf("it needs a look-ahead of %d ms", ms) }

// RemedyFor is the remedy for a line.
func (d Declared) RemedyFor(line string) string { return strings.ReplaceAll(d.Remedy, "LINE", line) }
