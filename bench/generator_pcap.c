// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The frames of a capture by an AF_XDP socket, again and again: at the times at which they were captured, at
// a rate, or as fast as possible.
//
// They have the tags that they were captured with. Where the load has VLANs, frames of one of these keep
// their tag, and those without one if the load has such, too; all others get the VLAN of the mix in its
// place, and keep their priority.

#include "bench/generator.h"
#include "bench/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct generator_pcap {
	const struct generator_bed *bed;
	struct sender *sender;
	struct sender_source source;
	struct load load;
	__u64 pass_ns; // of the capture's own times, to the first frame of the next pass
};

static bool generator_pcap_has_vlan(const struct lane_vlans *vlans, __u16 vlan)
{
	for (unsigned int i = 0; i < vlans->count; i++)
		if (vlans->in[i] == vlan)
			return true;
	return false;
}

// Gives a frame another VLAN in the place of its own; 0: none. Returns its size then.
static __u32 generator_pcap_tag(__u8 *bytes, __u32 size, bool tagged, __u16 vlan)
{
	const unsigned int macs = 12, behind = macs + TRAFFIC_TAG;
	__u8 priority = tagged ? bytes[macs + 2] & 0xf0 : 0;

	if (tagged && !vlan) {
		memmove(bytes + macs, bytes + behind, size - behind);
		size -= TRAFFIC_TAG;
	}
	if (!tagged && vlan) {
		memmove(bytes + behind, bytes + macs, size - macs);
		size += TRAFFIC_TAG;
	}
	if (vlan) {
		bytes[macs] = 0x81;
		bytes[macs + 1] = 0x00;
		bytes[macs + 2] = priority | vlan >> 8;
		bytes[macs + 3] = vlan;
	}
	return size;
}

static __u32 generator_pcap_make(void *arg, __u64 number, __u64 now_ns, __u8 *bytes)
{
	const struct generator_pcap *pcap = arg;
	const struct lane *lane = pcap->bed->lane;
	const struct recording *recording = pcap->bed->recording;
	__u32 which = number % recording->count,
	      size = recording_frame(recording, which, lane->s.mac, lane->r0.mac, bytes);
	bool tagged = bytes[12] == 0x81 && bytes[13] == 0x00;
	__u16 own = tagged ? (bytes[14] << 8 | bytes[15]) & 0xfff : 0;

	if (pcap->load.vlans.count && !generator_pcap_has_vlan(&pcap->load.vlans, own))
		size = generator_pcap_tag(bytes, size, tagged, load_vlan(&pcap->load, which));
	return recording_pad(bytes, size);
}

static __u64 generator_pcap_due(void *arg, __u64 number)
{
	const struct generator_pcap *pcap = arg;
	const struct recording *recording = pcap->bed->recording;

	if (pcap->pass_ns)
		return number / recording->count * pcap->pass_ns +
		       recording->frames[number % recording->count].time;
	return pcap->load.rate > 0 ? number / pcap->load.rate * 1e9 : 0;
}

static void generator_pcap_close(void *sender)
{
	struct generator_pcap *pcap = sender;

	sender_close(pcap->sender);
	free(pcap);
}

static int generator_pcap_open(const struct generator_bed *bed, void **ret_sender, struct why *why)
{
	struct generator_pcap *pcap;
	int err;

	if (!bed->recording)
		return why_set(why, EINVAL, "generator pcap: needs --pcap FILE");
	pcap = calloc(1, sizeof(*pcap));
	if (!pcap)
		return -ENOMEM;
	pcap->bed = bed;
	err = sender_open(&bed->lane->s, bed->recording->largest + TRAFFIC_TAG > SENDER_CHUNK, &pcap->sender,
			  why);
	if (err < 0) {
		free(pcap);
		return err;
	}
	*ret_sender = pcap;
	return 0;
}

// From the last frame to the next pass as long as between frames.
static __u64 generator_pcap_pass(const struct recording *recording)
{
	__u64 span = recording->frames[recording->count - 1].time;
	__u64 pass = recording->count > 1 ? span + span / (recording->count - 1) : span;

	return pass ? pass : 1;
}

static int generator_pcap_start(void *sender, const struct load *load, struct why *why)
{
	struct generator_pcap *pcap = sender;
	const struct recording *recording = pcap->bed->recording;
	__u64 total = load_packets(load);

	pcap->load = *load;
	pcap->pass_ns = load->timing == LOAD_AS_CAPTURED ? generator_pcap_pass(recording) : 0;
	if (!load->packets && total) { // whole passes, so that the same part of each run is forwarded
		total = (total + recording->count / 2) / recording->count * recording->count;
		total = total ? total : recording->count;
	}
	pcap->source = (struct sender_source){
		.arg = pcap,
		.make = generator_pcap_make,
		.due = generator_pcap_due,
		.total = total ? total : ~0ull,
		.most_ns = total ? 0 : load->seconds * 1e9,
	};
	return sender_start(pcap->sender, &pcap->source, load->cpu);
}

static void generator_pcap_counts(void *sender, struct generator_counts *ret_counts)
{
	sender_counts(((struct generator_pcap *)sender)->sender, ret_counts);
}

static int generator_pcap_stop(void *sender, struct generator_counts *ret_counts)
{
	return sender_stop(((struct generator_pcap *)sender)->sender, ret_counts);
}

const struct generator_way generator_pcap = {
	.name = "pcap",
	.summary = "the packets of --pcap FILE by an AF_XDP socket, again and again",
	.can = GENERATOR_BRINGS,
	.largest = RECORDING_ROOM + TRAFFIC_TAG,
	.open = generator_pcap_open,
	.close = generator_pcap_close,
	.start = generator_pcap_start,
	.counts = generator_pcap_counts,
	.stop = generator_pcap_stop,
};
