// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pcap/pcap.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/replay/pcapng.h"

#define PCAPNG_FIRST 0x0a /* byte of a file, which no pcap begins with */

struct capture {
	char path[256]; /* for errors */
	FILE *file;     /* NULL: libpcap has it */
	__u64 size;
	pcap_t *pcap;
	struct pcapng *pcapng;
	__u64 number; /* of packets so far */
	__u64 bytes;  /* of these, for progress */
};

/* What a file is that is no capture, where that is plain to see. */
static int refuse_first(const struct capture *capture, int first, struct why *why)
{
	if (first == EOF && ferror(capture->file))
		return why_set(why, errno, "%s: cannot be read: %s", capture->path, strerror(errno));
	if (first == EOF)
		return why_set(why, ENODATA, "%s: is empty, not a capture", capture->path);
	if (first == 0x1f || first == 0xfd || first == 0x28)
		return why_set(why, EPROTONOSUPPORT,
			       "%s: is packed; unpack it: zcat, xzcat or zstdcat %s | penstock replay - ...",
			       capture->path, capture->path);
	return 0;
}

static int open_file(struct capture *capture, const char *path, struct why *why)
{
	struct stat status;

	if (strcmp(path, "-") == 0) {
		snprintf(capture->path, sizeof(capture->path), "standard input");
		if (isatty(STDIN_FILENO))
			return why_set(
				why, EINVAL,
				"standard input is a terminal; give a capture: ... | penstock replay -");
		capture->file = fdopen(dup(STDIN_FILENO), "rb");
	} else {
		snprintf(capture->path, sizeof(capture->path), "%s", path);
		capture->file = fopen(path, "rbe");
	}
	if (!capture->file)
		return why_set(why, errno, "%s: cannot be opened: %s", capture->path, strerror(errno));
	if (fstat(fileno(capture->file), &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return why_set(why, EISDIR, "%s: is a directory, not a capture", capture->path);
		capture->size = S_ISREG(status.st_mode) ? (__u64)status.st_size : 0;
	}
	return 0;
}

static int open_pcap(struct capture *capture, struct why *why)
{
	char error[PCAP_ERRBUF_SIZE];
	int type;

	capture->pcap =
		pcap_fopen_offline_with_tstamp_precision(capture->file, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!capture->pcap)
		return why_set(why, EBADMSG, "%s: is not a capture: %s", capture->path, error);
	capture->file = NULL; /* pcap_close() closes it */
	type = pcap_datalink(capture->pcap);
	if (type == DLT_EN10MB)
		return 0;
	return why_set(why, EPROTONOSUPPORT,
		       "%s: its link type is %s, not Ethernet; capture on one interface, not on 'any'",
		       capture->path,
		       pcap_datalink_val_to_name(type) ? pcap_datalink_val_to_name(type) : "?");
}

int capture_open(const char *path, struct capture **ret, struct why *why)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int r, first;

	if (!capture)
		return why_set(why, ENOMEM, "out of memory");
	r = open_file(capture, path, why);
	if (r)
		goto close_capture;
	first = getc(capture->file);
	r = refuse_first(capture, first, why);
	if (r)
		goto close_capture;
	ungetc(first, capture->file);
	r = first == PCAPNG_FIRST ? pcapng_new(capture->file, capture->path, &capture->pcapng)
				  : open_pcap(capture, why);
	if (r == -ENOMEM)
		(void)why_set(why, ENOMEM, "out of memory");
	if (r)
		goto close_capture;
	*ret = capture;
	return 0;
close_capture:
	capture_close(capture);
	return r;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	pcapng_free(capture->pcapng);
	if (capture->pcap)
		pcap_close(capture->pcap);
	if (capture->file)
		fclose(capture->file);
	free(capture);
}

static int next_of_pcap(struct capture *capture, struct capture_packet *ret, struct why *why)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int r = pcap_next_ex(capture->pcap, &header, &bytes);

	if (r == PCAP_ERROR_BREAK)
		return 0;
	if (r != 1)
		return why_set(why, EBADMSG, "%s: packet %llu: %s", capture->path,
			       (unsigned long long)capture->number + 1, pcap_geterr(capture->pcap));
	memset(ret, 0, sizeof(*ret));
	ret->time = (__u64)header->ts.tv_sec * 1000000000 + (__u64)header->ts.tv_usec;
	ret->captured = header->caplen;
	ret->length = header->len;
	ret->bytes = bytes;
	return 1;
}

int capture_next(struct capture *capture, struct capture_packet *ret, struct why *why)
{
	int r = capture->pcapng ? pcapng_next(capture->pcapng, ret, why) : next_of_pcap(capture, ret, why);

	if (r <= 0)
		return r;
	capture->number++;
	if (ret->captured > CAPTURE_MOST)
		return why_set(why, EBADMSG, "%s: packet %llu: %u bytes are more than a frame can have",
			       capture->path, (unsigned long long)capture->number, ret->captured);
	if (ret->length < ret->captured)
		ret->length = ret->captured;
	capture->bytes += 16 + ret->captured;
	return 1;
}

const char *capture_interface(const struct capture *capture, __u32 interface)
{
	return capture->pcapng ? pcapng_interface(capture->pcapng, interface) : "";
}

void capture_progress(const struct capture *capture, __u64 *ret_at, __u64 *ret_size)
{
	*ret_at = capture->bytes;
	*ret_size = capture->size;
}
