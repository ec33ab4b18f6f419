//go:build cgo

package sound

// #cgo pkg-config: alsa
// #include <alsa/asoundlib.h>
// #include <poll.h>
// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mixer is a card's, opened through ALSA's control interface. It belongs to one goroutine.
type mixer struct {
	name string
	ctl  *C.snd_ctl_t
}

// openMixer opens a mixer for reading and for its events. It is nil, without an error, where ALSA's configuration knows none of that name.
func openMixer(name string) (*mixer, error) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	// The configuration is read for this call alone: ALSA's shared one may be PortAudio's at the moment.
	var top, definition *C.snd_config_t
	var read *C.snd_config_update_t
	if err := C.snd_config_update_r(&top, &read, nil); err < 0 {
		return nil, fault("read ALSA's configuration for", name, err)
	}
	defer C.snd_config_update_free(read)
	defer C.snd_config_delete(top)
	kind := C.CString("ctl")
	defer C.free(unsafe.Pointer(kind))
	if err := C.snd_config_search_definition(top, kind, c, &definition); err == -C.ENOENT {
		return nil, nil
	} else if err < 0 {
		return nil, fault("find", name, err)
	}
	C.snd_config_delete(definition)
	m := &mixer{name: name}
	if err := C.snd_ctl_open_lconf(&m.ctl, c, C.SND_CTL_NONBLOCK|C.SND_CTL_READONLY, top); err < 0 {
		return nil, fault("open", name, err)
	}
	if err := C.snd_ctl_subscribe_events(m.ctl, 1); err < 0 {
		m.close()
		return nil, fault("watch", name, err)
	}
	return m, nil
}

func fault(what, mixer string, err C.int) error {
	return fmt.Errorf("sound: %s the mixer %s: %w", what, mixer, syscall.Errno(-err))
}

func (m *mixer) close() { C.snd_ctl_close(m.ctl) }

// changed takes the events that have come, and reports whether there was any.
func (m *mixer) changed() (any bool, err error) {
	var event *C.snd_ctl_event_t
	C.snd_ctl_event_malloc(&event)
	defer C.snd_ctl_event_free(event)
	for range mostEvents {
		switch err := C.snd_ctl_read(m.ctl, event); {
		case err == -C.EAGAIN || err == 0:
			return any, nil
		case err < 0:
			return any, fault("watch", m.name, err)
		}
		any = true
	}
	return any, nil
}

// wakes are what becomes readable when an event comes.
func (m *mixer) wakes() (fds []unix.PollFd) {
	n := C.snd_ctl_poll_descriptors_count(m.ctl)
	if n <= 0 {
		return nil
	}
	list := make([]C.struct_pollfd, n)
	for _, fd := range list[:max(0, C.snd_ctl_poll_descriptors(m.ctl, &list[0], C.uint(n)))] {
		fds = append(fds, unix.PollFd{Fd: int32(fd.fd), Events: int16(fd.events)})
	}
	return fds
}

// mostEvents are taken at once, so that a mixer that is being played with doesn't hold up who looks at it.
const mostEvents = 1000

// monitors are the ways that are open now.
func (m *mixer) monitors() ([]Monitor, error) {
	var list *C.snd_ctl_elem_list_t
	C.snd_ctl_elem_list_malloc(&list)
	defer C.snd_ctl_elem_list_free(list)
	if err := C.snd_ctl_elem_list(m.ctl, list); err < 0 { // how many there are
		return nil, fault("list", m.name, err)
	}
	if err := C.snd_ctl_elem_list_alloc_space(list, C.snd_ctl_elem_list_get_count(list)); err < 0 {
		return nil, fault("list", m.name, err)
	}
	defer C.snd_ctl_elem_list_free_space(list)
	if err := C.snd_ctl_elem_list(m.ctl, list); err < 0 {
		return nil, fault("list", m.name, err)
	}
	var id *C.snd_ctl_elem_id_t
	C.snd_ctl_elem_id_malloc(&id)
	defer C.snd_ctl_elem_id_free(id)
	var all []control
	for i := range C.snd_ctl_elem_list_get_used(list) {
		C.snd_ctl_elem_list_get_id(list, i, id)
		if C.snd_ctl_elem_id_get_interface(id) != C.SND_CTL_ELEM_IFACE_MIXER {
			continue
		}
		c, err := m.control(id)
		if errors.Is(err, syscall.ENOENT) { // vanished since
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return monitors(m.name, all), nil
}

// control reads one, its values only where they matter: some drivers ask the card for them.
func (m *mixer) control(id *C.snd_ctl_elem_id_t) (c control, err error) {
	c = control{name: C.GoString(C.snd_ctl_elem_id_get_name(id)), index: int(C.snd_ctl_elem_id_get_index(id)),
		number: int(C.snd_ctl_elem_id_get_numid(id))}
	failed := func(err C.int) (control, error) { return c, fault("read "+c.name+" of", m.name, err) }
	var info *C.snd_ctl_elem_info_t
	C.snd_ctl_elem_info_malloc(&info)
	defer C.snd_ctl_elem_info_free(info)
	C.snd_ctl_elem_info_set_id(info, id)
	if err := C.snd_ctl_elem_info(m.ctl, info); err < 0 {
		return failed(err)
	}
	switch C.snd_ctl_elem_info_get_type(info) {
	case C.SND_CTL_ELEM_TYPE_BOOLEAN:
		c.kind = toggle
	case C.SND_CTL_ELEM_TYPE_INTEGER:
		c.kind = volume
	case C.SND_CTL_ELEM_TYPE_ENUMERATED:
		c.kind = choice
	}
	if c.kind == 0 || wayOf(c.name, c.kind) == none {
		return c, nil
	}
	var value *C.snd_ctl_elem_value_t
	C.snd_ctl_elem_value_malloc(&value)
	defer C.snd_ctl_elem_value_free(value)
	C.snd_ctl_elem_value_set_id(value, id)
	if err := C.snd_ctl_elem_read(m.ctl, value); err < 0 {
		return failed(err)
	}
	for i := range C.snd_ctl_elem_info_get_count(info) {
		v := 0
		switch c.kind {
		case toggle:
			v = int(C.snd_ctl_elem_value_get_boolean(value, i))
		case volume:
			v = int(C.snd_ctl_elem_value_get_integer(value, i))
		case choice:
			v = int(C.snd_ctl_elem_value_get_enumerated(value, i))
		}
		c.values = append(c.values, v)
	}
	switch c.kind {
	case volume:
		c.min = int(C.snd_ctl_elem_info_get_min(info))
		var least, most C.long
		if C.snd_ctl_get_dB_range(m.ctl, id, &least, &most) == 0 {
			c.passes = least > silent
		}
	case choice:
		for i := range C.snd_ctl_elem_info_get_items(info) {
			C.snd_ctl_elem_info_set_item(info, i)
			if err := C.snd_ctl_elem_info(m.ctl, info); err < 0 {
				return failed(err)
			}
			c.items = append(c.items, C.GoString(C.snd_ctl_elem_info_get_item_name(info)))
		}
	}
	return c, nil
}

// silent is a gain, in hundredths of a decibel, that leaves no more of a key of -10 dBm0 than the mask is allowed to: -85 dBm0. ALSA's word for
// none at all is far below.
const silent = -7500
