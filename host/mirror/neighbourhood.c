// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/neighbourhood.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "host/errand.h"
#include "host/mirror/netlink_socket.h"

#define BUCKETS 1024
#define AGAIN   5000 /* ms between pushes of the same neighbour */
#define AT_ONCE 64   /* requests in an errand: each takes the kernel some 20 us, and waits for its lock */
#define REQUEST 128  /* bytes */

/* The states in which the kernel itself would send to the link address. */
#define VALID (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

struct neighbour_entry {
	LIST_ENTRY(neighbour_entry) hash;
	__u32 ifindex;
	__u8 family;
	__u8 address[16];
	bool known;  /* the kernel has it */
	bool usable; /* the fib was given its link address */
	bool seen;
	bool gateway; /* routes use it */
	bool managed; /* the kernel says so */
	bool ours;    /* managed because of us, or about to be */
	bool made;    /* was not there before */
	__u8 flags;
	__u8 mac[6];
	__u16 state;
	__u64 asked; /* ms of the last request */
};

LIST_HEAD(neighbour_list, neighbour_entry);

struct neighbourhood {
	struct fib *fib;
	const struct links *links;
	struct netlink_socket *requests;
	bool managed;
	struct neighbour_list bucket[BUCKETS];
	__u64 now;
	unsigned pushes; /* left for this second */
	unsigned room;   /* requests left for this call */
	struct neighbourhood_stats stats;
	struct errands *errands;
	struct errand errand;
	/* what it sends; the thread's while it is under way */
	unsigned count, failures;
	char request[AT_ONCE][REQUEST] __attribute__((aligned(8)));
};

static size_t address_size(__u8 family)
{
	return family == AF_INET6 ? 16 : 4;
}

static struct neighbour_list *bucket_of(struct neighbourhood *neighbourhood, __u32 ifindex,
					const __u8 *address, __u8 family)
{
	__u32 hash = netlink_digest(ifindex, address, address_size(family));

	return &neighbourhood->bucket[(hash ^ hash >> 16) % BUCKETS];
}

static struct neighbour_entry *find(struct neighbourhood *neighbourhood, __u32 ifindex, __u8 family,
				    const __u8 *address)
{
	struct neighbour_entry *entry;

	LIST_FOREACH (entry, bucket_of(neighbourhood, ifindex, address, family), hash)
		if (entry->ifindex == ifindex && entry->family == family &&
		    !memcmp(entry->address, address, address_size(family)))
			return entry;
	return NULL;
}

static struct neighbour_entry *get(struct neighbourhood *neighbourhood, __u32 ifindex, __u8 family,
				   const __u8 *address)
{
	struct neighbour_entry *entry = find(neighbourhood, ifindex, family, address);

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->ifindex = ifindex;
	entry->family = family;
	memcpy(entry->address, address, address_size(family));
	LIST_INSERT_HEAD(bucket_of(neighbourhood, ifindex, address, family), entry, hash);
	return entry;
}

/* Forgets an entry that says nothing any more. */
static void prune(struct neighbour_entry *entry)
{
	if (entry->known || entry->gateway)
		return;
	LIST_REMOVE(entry, hash);
	free(entry);
}

static bool is_multicast(__u8 family, const __u8 *address)
{
	return family == AF_INET6 ? address[0] == 0xff : address[0] >= 224;
}

/* Made by an administrator or another daemon: none of our business. */
static bool is_foreign(const struct neighbour_entry *entry)
{
	return entry->known && !entry->ours &&
	       (entry->state & (NUD_PERMANENT | NUD_NOARP) || entry->flags & NTF_EXT_LEARNED ||
		entry->managed);
}

static void tell(struct neighbourhood *neighbourhood, struct neighbour_entry *entry, const __u8 *mac)
{
	if (mac || entry->usable)
		(void)fib_neighbour_set(neighbourhood->fib, entry->ifindex, entry->family, entry->address,
					mac);
	neighbourhood->stats.usable += (mac != NULL) - entry->usable;
	entry->usable = mac;
	if (mac)
		memcpy(entry->mac, mac, sizeof(entry->mac));
}

static void forget(struct neighbourhood *neighbourhood, struct neighbour_entry *entry)
{
	tell(neighbourhood, entry, NULL);
	neighbourhood->stats.known -= entry->known;
	neighbourhood->stats.kept -= entry->ours;
	entry->known = entry->managed = entry->ours = entry->made = false;
	entry->state = entry->flags = 0;
	entry->asked = 0;
	prune(entry);
}

/* --- requests --- */

static void send_requests(void *arg)
{
	struct neighbourhood *neighbourhood = arg;
	__u32 sequence;

	for (unsigned i = 0; i < neighbourhood->count; i++)
		if (netlink_socket_send(neighbourhood->requests, (struct nlmsghdr *)neighbourhood->request[i],
					&sequence))
			neighbourhood->failures++;
	neighbourhood->count = 0;
}

static void requests_sent(void *arg)
{
	struct neighbourhood *neighbourhood = arg;

	neighbourhood->stats.failures += neighbourhood->failures;
	neighbourhood->failures = 0;
}

/* There must be room. */
static void request(struct neighbourhood *neighbourhood, const struct neighbour_entry *entry, __u16 type,
		    __u8 flags, __u32 extended)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(neighbourhood->request[neighbourhood->count++]);
	struct ndmsg *header;

	neighbourhood->room--;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | (type == RTM_NEWNEIGH ? NLM_F_CREATE : 0);
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->ndm_family = entry->family;
	header->ndm_ifindex = (int)entry->ifindex;
	header->ndm_state = NUD_NONE;
	header->ndm_flags = flags;
	mnl_attr_put(message, NDA_DST, address_size(entry->family), entry->address);
	if (extended) {
		mnl_attr_put_u32(message, NDA_FLAGS_EXT, extended);
		mnl_attr_put_u8(message, NDA_PROTOCOL, NEIGHBOURHOOD_PROTOCOL);
	}
}

static void push(struct neighbourhood *neighbourhood, struct neighbour_entry *entry)
{
	if (!neighbourhood->pushes || !neighbourhood->room ||
	    (entry->asked && neighbourhood->now - entry->asked < AGAIN))
		return;
	neighbourhood->pushes--;
	neighbourhood->stats.pushes++;
	entry->asked = neighbourhood->now;
	request(neighbourhood, entry, RTM_NEWNEIGH, NTF_USE, 0);
}

static void manage(struct neighbourhood *neighbourhood, struct neighbour_entry *entry)
{
	if (entry->managed || !neighbourhood->room ||
	    (entry->asked && neighbourhood->now - entry->asked < 1000))
		return;
	if (!entry->ours) {
		entry->made = !entry->known;
		neighbourhood->stats.kept++;
	}
	entry->ours = true;
	entry->asked = neighbourhood->now;
	request(neighbourhood, entry, RTM_NEWNEIGH, NTF_EXT_LEARNED, NTF_EXT_MANAGED);
}

/* NTF_USE without the flags: the entry keeps its state and ages again. */
static void let_go(struct neighbourhood *neighbourhood, struct neighbour_entry *entry)
{
	if (!entry->ours || !neighbourhood->room)
		return;
	if (entry->made)
		request(neighbourhood, entry, RTM_DELNEIGH, 0, 0);
	else
		request(neighbourhood, entry, RTM_NEWNEIGH, NTF_USE, 0);
	neighbourhood->stats.kept--;
	entry->ours = entry->made = false;
}

/* --- tending --- */

static void mark_gateway(void *arg, __u32 ifindex, __u8 family, const __u8 *address)
{
	struct neighbourhood *neighbourhood = arg;
	struct neighbour_entry *entry;

	if (is_multicast(family, address))
		return;
	entry = get(neighbourhood, ifindex, family, address);
	if (!entry)
		return;
	neighbourhood->stats.gateways += !entry->gateway;
	entry->gateway = true;
}

static bool can_ask(const struct neighbourhood *neighbourhood, const struct neighbour_entry *entry)
{
	const struct link *link = links_find(neighbourhood->links, entry->ifindex);
	struct fib_interface interface;

	if (!link)
		return false;
	links_interface(neighbourhood->links, link, &interface);
	return interface.up && interface.ethernet;
}

static void tend_one(struct neighbourhood *neighbourhood, struct neighbour_entry *entry)
{
	if (!entry->gateway && entry->ours)
		let_go(neighbourhood, entry);
	if (is_foreign(entry) || !can_ask(neighbourhood, entry))
		return;
	if (entry->gateway && neighbourhood->managed)
		manage(neighbourhood, entry);
	else if (entry->gateway && (!entry->known || !(entry->state & VALID)) &&
		 entry->state != NUD_INCOMPLETE)
		push(neighbourhood, entry);
	else if (entry->state == NUD_STALE && !entry->managed)
		push(neighbourhood, entry);
}

static struct neighbour_entry *next_after(struct neighbourhood *neighbourhood, unsigned bucket,
					  struct neighbour_entry *entry)
{
	return entry ? LIST_NEXT(entry, hash) : LIST_FIRST(&neighbourhood->bucket[bucket]);
}

int neighbourhood_new(struct fib *fib, const struct links *links, struct netlink_socket *requests,
		      bool managed, struct errands *errands, struct neighbourhood **ret)
{
	struct neighbourhood *neighbourhood = calloc(1, sizeof(*neighbourhood));

	if (!neighbourhood)
		return -ENOMEM;
	neighbourhood->fib = fib;
	neighbourhood->links = links;
	neighbourhood->requests = requests;
	neighbourhood->managed = managed;
	neighbourhood->errands = errands;
	neighbourhood->errand =
		(struct errand){ .work = send_requests, .done = requests_sent, .arg = neighbourhood };
	*ret = neighbourhood;
	return 0;
}

void neighbourhood_free(struct neighbourhood *neighbourhood)
{
	struct neighbour_entry *entry;

	if (!neighbourhood)
		return;
	for (unsigned i = 0; i < BUCKETS; i++) {
		while ((entry = LIST_FIRST(&neighbourhood->bucket[i]))) {
			LIST_REMOVE(entry, hash);
			free(entry);
		}
	}
	free(neighbourhood);
}

void neighbourhood_undo(struct neighbourhood *neighbourhood)
{
	struct neighbour_entry *entry;

	send_requests(neighbourhood); /* that nobody came to */
	for (unsigned i = 0; i < BUCKETS; i++) {
		LIST_FOREACH (entry, &neighbourhood->bucket[i], hash) {
			neighbourhood->room = 1;
			let_go(neighbourhood, entry);
			send_requests(neighbourhood);
		}
	}
}

int neighbourhood_apply(struct neighbourhood *neighbourhood, const struct neighbour_message *message)
{
	struct neighbour_entry *entry;
	bool mine;

	if (is_multicast(message->family, message->address) || message->flags & NTF_PROXY)
		return 0;
	if (message->deleted) {
		entry = find(neighbourhood, message->ifindex, message->family, message->address);
		if (entry)
			forget(neighbourhood, entry);
		return 0;
	}
	entry = get(neighbourhood, message->ifindex, message->family, message->address);
	if (!entry)
		return -ENOMEM;
	neighbourhood->stats.known += !entry->known;
	entry->known = entry->seen = true;
	entry->state = message->state;
	entry->flags = message->flags;
	entry->managed = message->extended & NTF_EXT_MANAGED;
	mine = entry->managed && message->protocol == NEIGHBOURHOOD_PROTOCOL;
	if (mine && !entry->ours) { /* of a daemon that ended without taking it back */
		entry->ours = entry->made = true;
		neighbourhood->stats.kept++;
	}
	tell(neighbourhood, entry, message->state & VALID && message->has_mac ? message->mac : NULL);
	return 0;
}

void neighbourhood_sync_begin(struct neighbourhood *neighbourhood)
{
	struct neighbour_entry *entry;

	for (unsigned i = 0; i < BUCKETS; i++)
		LIST_FOREACH (entry, &neighbourhood->bucket[i], hash)
			entry->seen = false;
}

void neighbourhood_sync_end(struct neighbourhood *neighbourhood)
{
	struct neighbour_entry *entry, *next;

	for (unsigned i = 0; i < BUCKETS; i++) {
		for (entry = next_after(neighbourhood, i, NULL); entry; entry = next) {
			next = next_after(neighbourhood, i, entry);
			if (entry->known && !entry->seen)
				forget(neighbourhood, entry);
		}
	}
}

void neighbourhood_link_removed(struct neighbourhood *neighbourhood, __u32 ifindex)
{
	struct neighbour_entry *entry, *next;

	for (unsigned i = 0; i < BUCKETS; i++) {
		for (entry = next_after(neighbourhood, i, NULL); entry; entry = next) {
			next = next_after(neighbourhood, i, entry);
			if (entry->ifindex == ifindex)
				forget(neighbourhood, entry);
		}
	}
}

bool neighbourhood_tend(struct neighbourhood *neighbourhood, __u64 now)
{
	struct neighbour_entry *entry, *next;

	if (neighbourhood->errand.under_way)
		return true;
	if (now - neighbourhood->now >= 1000 || !neighbourhood->now) {
		neighbourhood->pushes = NEIGHBOURHOOD_PUSHES;
		neighbourhood->now = now;
	}
	neighbourhood->room = AT_ONCE;
	for (unsigned i = 0; i < BUCKETS; i++)
		LIST_FOREACH (entry, &neighbourhood->bucket[i], hash)
			entry->gateway = false;
	neighbourhood->stats.gateways = 0;
	fib_gateways(neighbourhood->fib, mark_gateway, neighbourhood);
	for (unsigned i = 0; i < BUCKETS; i++) {
		for (entry = next_after(neighbourhood, i, NULL); entry; entry = next) {
			next = next_after(neighbourhood, i, entry);
			tend_one(neighbourhood, entry);
			prune(entry);
		}
	}
	if (neighbourhood->count)
		errand_send(neighbourhood->errands, &neighbourhood->errand);
	return !neighbourhood->room;
}

void neighbourhood_stats(const struct neighbourhood *neighbourhood, struct neighbourhood_stats *ret)
{
	*ret = neighbourhood->stats;
}
