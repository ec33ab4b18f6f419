package health

// The codes that flattoned itself sets. The others come from lines, which have theirs in daemon/capture and hw.
const (
	SyslogFailing   Code = "syslog_failing"
	StoreFailed     Code = "store_failed"
	AuditFailed     Code = "audit_failed"
	DiskLow         Code = "disk_low"
	KeyFile         Code = "key_file"
	UpstreamFailing Code = "upstream_failing"
	UpstreamBehind  Code = "upstream_behind"
	UpstreamGone    Code = "upstream_gone"
	ClockUnsynced   Code = "clock_unsynced"
	BusAway         Code = "bus_away"
	Unguarded       Code = "shutdown_unguarded"
	Stopping        Code = "stopping"
	Starting        Code = "starting"
	ProcessDown     Code = "process_down"
	ProcessStopped  Code = "process_stopped"
	LinesUnkept     Code = "lines_unkept"
	UnitRefused     Code = "unit_refused"
	VersionsApart   Code = "versions_apart"
	NoRealTime      Code = "no_realtime"
	SelfTestFailed  Code = "self_test_failed"
	CodecPoor       Code = "codec_poor"
	SourceLost      Code = "source_lost"
	Undeclared      Code = "undeclared"
)
