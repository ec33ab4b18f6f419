package session

import "github.com/flattone/flattone/daemon/capture"

// Hold has the tests hold a line as a fault does.
func (s *Session) Hold(reason capture.Code) (err error) {
	if stopped := s.do(func() { err = s.call.hold(reason) }); stopped != nil {
		return stopped
	}
	return err
}
