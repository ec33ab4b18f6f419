/* The mixer of a vcard, as a plugin of ALSA: controls in a file that the test writes.
 *
 *   ctl_type.vcard { lib "/folder/vcard.so" }
 *   ctl.line { type vcard dir "/folder" name "line" }
 *
 *   NAME.mixer        a control a line: NAME, TYPE, RANGE and VALUES with a tab between them, replaced whole. It is read again for whatever is asked.
 *                     bool -                       1,0      a channel each
 *                     int  0,31 or 0,31,-3450,1200 20,20    least and most, and what they are in hundredths of a decibel
 *                     enum Off,Mono,Stereo         2        its items
 *                     The line "hangs" makes whatever is asked stand still, without an end.
 *   NAME.card         see vcard.c. Whatever is asked of a card that was pulled out fails with -ENODEV, as the kernel's do.
 */
#include <alsa/asoundlib.h>
#include <alsa/control_external.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_CONTROLS = 64, MOST_CHANNELS = 8, MOST_ITEMS = 16 };

struct control {
	char name[44];
	int type;
	long range[4]; /* least, most, and of that decibels */
	int ranges;
	char items[256];
	long values[MOST_CHANNELS];
	int channels;
};

struct mixer {
	snd_ctl_ext_t ext;
	char file[4096], card[4096];
	struct stat seen; /* the file when the last event was read */
	struct control controls[MOST_CONTROLS];
	int count;
};

static int numbers(char *text, long *into, int most)
{
	int n = 0;
	char *rest;
	for (char *word = strtok_r(text, ",", &rest); word && n < most; word = strtok_r(NULL, ",", &rest))
		into[n++] = atol(word);
	return n;
}

/* load reads what the card has now. */
static int load(snd_ctl_ext_t *ext)
{
	struct mixer *m = ext->private_data;
	int32_t unplugged = 0; /* the first word of struct card */
	int fd = open(m->card, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, &unplugged, sizeof unplugged) < 0)
			unplugged = 1;
		close(fd);
	}
	if (unplugged)
		return -ENODEV;
	m->count = 0;
	FILE *f = fopen(m->file, "re");
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	char line[1024], type[8], range[256], values[128];
	while (m->count < MOST_CONTROLS && fgets(line, sizeof line, f)) {
		struct control *c = &m->controls[m->count];
		while (!strcmp(line, "hangs\n"))
			pause();
		if (sscanf(line, "%43[^\t]\t%7[^\t]\t%255[^\t]\t%127[^\n]", c->name, type, range, values) != 4)
			continue;
		c->type = !strcmp(type, "bool") ? SND_CTL_ELEM_TYPE_BOOLEAN
			: !strcmp(type, "int")	? SND_CTL_ELEM_TYPE_INTEGER
						: SND_CTL_ELEM_TYPE_ENUMERATED;
		strcpy(c->items, range);
		c->ranges = numbers(range, c->range, 4);
		c->channels = numbers(values, c->values, MOST_CHANNELS);
		m->count++;
	}
	fclose(f);
	return 0;
}

static struct control *control(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, int *err)
{
	struct mixer *m = ext->private_data;
	*err = load(ext);
	if (*err >= 0 && key >= (snd_ctl_ext_key_t)m->count)
		*err = -ENOENT;
	return *err < 0 ? NULL : &m->controls[key];
}

static int on_count(snd_ctl_ext_t *ext)
{
	int err = load(ext);
	return err < 0 ? err : ((struct mixer *)ext->private_data)->count;
}

static int on_list(snd_ctl_ext_t *ext, unsigned int i, snd_ctl_elem_id_t *id)
{
	int err;
	struct control *c = control(ext, i, &err);
	if (!c)
		return err;
	snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_MIXER);
	snd_ctl_elem_id_set_name(id, c->name);
	return 0;
}

static snd_ctl_ext_key_t on_find(snd_ctl_ext_t *ext, const snd_ctl_elem_id_t *id)
{
	struct mixer *m = ext->private_data;
	load(ext);
	for (int i = 0; i < m->count; i++)
		if (!strcmp(m->controls[i].name, snd_ctl_elem_id_get_name(id)))
			return (snd_ctl_ext_key_t)i;
	return SND_CTL_EXT_KEY_NOT_FOUND;
}

static int on_attribute(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, int *type, unsigned int *access, unsigned int *count)
{
	int err;
	struct control *c = control(ext, key, &err);
	if (!c)
		return err;
	*type = c->type;
	*access = SND_CTL_EXT_ACCESS_READ;
	if (c->type == SND_CTL_ELEM_TYPE_INTEGER && c->ranges == 4)
		*access |= SND_CTL_EXT_ACCESS_TLV_READ | SND_CTL_EXT_ACCESS_TLV_CALLBACK;
	*count = (unsigned int)c->channels;
	return 0;
}

static int on_range(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *least, long *most, long *step)
{
	int err;
	struct control *c = control(ext, key, &err);
	if (!c)
		return err;
	*least = c->range[0], *most = c->range[1], *step = 0;
	return 0;
}

static int on_decibels(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, int op, unsigned int id, unsigned int *tlv, unsigned int size)
{
	(void)id;
	int err;
	struct control *c = control(ext, key, &err);
	if (!c)
		return err;
	if (op || c->ranges != 4 || size < 4 * sizeof *tlv)
		return -ENXIO;
	tlv[0] = SND_CTL_TLVT_DB_MINMAX, tlv[1] = 2 * sizeof *tlv;
	tlv[2] = (unsigned int)c->range[2], tlv[3] = (unsigned int)c->range[3];
	return 0;
}

static int on_read(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *values)
{
	int err;
	struct control *c = control(ext, key, &err);
	for (int i = 0; c && i < c->channels; i++)
		values[i] = c->values[i];
	return err;
}

static int on_read_item(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, unsigned int *items)
{
	int err;
	struct control *c = control(ext, key, &err);
	for (int i = 0; c && i < c->channels; i++)
		items[i] = (unsigned int)c->values[i];
	return err;
}

/* item copies an item's name, if there is room, and tells how many there are. */
static int item(struct control *c, unsigned int n, char *name, size_t size)
{
	char items[sizeof c->items], *rest;
	unsigned int i = 0;
	strcpy(items, c->items);
	for (char *word = strtok_r(items, ",", &rest); word && i < MOST_ITEMS; word = strtok_r(NULL, ",", &rest), i++)
		if (i == n && name)
			snprintf(name, size, "%s", word);
	return (int)i;
}

static int on_items(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, unsigned int *items)
{
	int err;
	struct control *c = control(ext, key, &err);
	if (c)
		*items = (unsigned int)item(c, 0, NULL, 0);
	return err;
}

static int on_item_name(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, unsigned int n, char *name, size_t size)
{
	int err;
	struct control *c = control(ext, key, &err);
	if (c)
		item(c, n, name, size);
	return err;
}

/* on_event says once for each new file that something has changed, by its first control. */
static int on_event(snd_ctl_ext_t *ext, snd_ctl_elem_id_t *id, unsigned int *mask)
{
	struct mixer *m = ext->private_data;
	struct stat now;
	char moved[4096];
	int err = load(ext);
	if (err < 0)
		return err;
	while (read(ext->poll_fd, moved, sizeof moved) > 0)
		;
	if (stat(m->file, &now) < 0 || (now.st_ino == m->seen.st_ino && !memcmp(&now.st_mtim, &m->seen.st_mtim, sizeof now.st_mtim)))
		return -EAGAIN;
	m->seen = now;
	snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_MIXER);
	snd_ctl_elem_id_set_name(id, m->count ? m->controls[0].name : "");
	*mask = SND_CTL_EVENT_MASK_VALUE;
	return 1;
}

static void on_close(snd_ctl_ext_t *ext)
{
	if (ext->poll_fd >= 0)
		close(ext->poll_fd);
	free(ext->private_data);
}

static const snd_ctl_ext_callback_t callbacks = {
	.close = on_close,
	.elem_count = on_count,
	.elem_list = on_list,
	.find_elem = on_find,
	.get_attribute = on_attribute,
	.get_integer_info = on_range,
	.get_enumerated_info = on_items,
	.get_enumerated_name = on_item_name,
	.read_integer = on_read,
	.read_enumerated = on_read_item,
	.read_event = on_event,
};

SND_CTL_PLUGIN_DEFINE_FUNC(vcard)
{
	(void)root;
	const char *dir = NULL, *card = NULL;
	snd_config_iterator_t i, next;
	snd_config_for_each(i, next, conf) {
		snd_config_t *n = snd_config_iterator_entry(i);
		const char *id;
		if (snd_config_get_id(n, &id) < 0 || !strcmp(id, "type"))
			continue;
		if (!strcmp(id, "dir"))
			snd_config_get_string(n, &dir);
		else if (!strcmp(id, "name"))
			snd_config_get_string(n, &card);
		else
			return -EINVAL;
	}
	if (!dir || !card)
		return -EINVAL;
	struct mixer *m = calloc(1, sizeof *m);
	if (!m)
		return -ENOMEM;
	snprintf(m->file, sizeof m->file, "%s/%s.mixer", dir, card);
	snprintf(m->card, sizeof m->card, "%s/%s.card", dir, card);
	m->ext.version = SND_CTL_EXT_VERSION;
	strcpy(m->ext.id, "vcard");
	strcpy(m->ext.driver, "vcard");
	strcpy(m->ext.name, "virtual card");
	m->ext.callback = &callbacks;
	m->ext.private_data = m;
	m->ext.tlv.c = on_decibels;
	m->ext.poll_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int err = m->ext.poll_fd < 0 || inotify_add_watch(m->ext.poll_fd, dir, IN_MOVED_TO) < 0 ? -errno : load(&m->ext);
	stat(m->file, &m->seen);
	if (err >= 0)
		err = snd_ctl_ext_create(&m->ext, name, mode);
	if (err < 0) {
		on_close(&m->ext);
		return err;
	}
	*handlep = m->ext.handle;
	return 0;
}
SND_CTL_PLUGIN_SYMBOL(vcard);
