// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A hash of objects by id, and a list of all of them: the rare questions (which groups have this member,
 * which objects use this device) walk the list, the frequent one (what is behind this id) does not.
 */
#include "host/mirror/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define BUCKETS 1024

struct object {
	LIST_ENTRY(object) hash;
	LIST_ENTRY(object) all;
	__u32 id;
	bool group, seen;
	enum objects_state
		state; /* of an object that is not a group, or OTHER for a group that is unusable */
	struct route_path path;
	__u32 member_count;
	struct nexthop_member *member;
};

LIST_HEAD(object_list, object);

struct objects {
	struct object_list bucket[BUCKETS];
	struct object_list all;
	__u32 count, groups;
	objects_changed_fn *changed;
	void *arg;
};

static struct object_list *bucket_of(const struct objects *objects, __u32 id)
{
	return (struct object_list *)&objects->bucket[(id * 2654435761u) >> 22];
}

static struct object *find(const struct objects *objects, __u32 id)
{
	struct object *object;

	LIST_FOREACH (object, bucket_of(objects, id), hash)
		if (object->id == id)
			return object;
	return NULL;
}

static enum objects_state state_of(const struct nexthop_message *message)
{
	if (message->fdb || message->too_many)
		return OBJECTS_OTHER;
	if (message->blackhole)
		return OBJECTS_REJECTS;
	return message->encap ? OBJECTS_ENCAPS : OBJECTS_PATHS;
}

static struct object *insert(struct objects *objects, __u32 id)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	object->id = id;
	LIST_INSERT_HEAD(bucket_of(objects, id), object, hash);
	LIST_INSERT_HEAD(&objects->all, object, all);
	objects->count++;
	return object;
}

static void destroy(struct objects *objects, struct object *object)
{
	LIST_REMOVE(object, hash);
	LIST_REMOVE(object, all);
	objects->count--;
	objects->groups -= object->group;
	free(object->member);
	free(object);
}

static bool drop_member(struct object *group, __u32 id)
{
	__u32 kept = 0;

	for (__u32 i = 0; i < group->member_count; i++)
		if (group->member[i].id != id)
			group->member[kept++] = group->member[i];
	if (kept == group->member_count)
		return false;
	group->member_count = kept;
	return true;
}

/* A group that has this member; it is not in it any more when this returns. */
static struct object *leave_one_group(struct objects *objects, __u32 id)
{
	struct object *object;

	LIST_FOREACH (object, &objects->all, all)
		if (object->group && drop_member(object, id))
			return object;
	return NULL;
}

/* Removes an object the way the kernel does: out of its groups, groups that become empty with it. A group is
 * never a member, so this is at most two deep. */
static unsigned remove_object(struct objects *objects, struct object *object)
{
	__u32 id = object->id;
	bool group = object->group;
	struct object *holder;
	unsigned removed = 1;

	destroy(objects, object);
	objects->changed(objects->arg, id, true);
	while (!group && (holder = leave_one_group(objects, id))) {
		if (holder->member_count)
			objects->changed(objects->arg, holder->id, false);
		else
			removed += remove_object(objects, holder);
	}
	return removed;
}

static void move(struct object *object, struct object_list *to)
{
	LIST_REMOVE(object, all);
	LIST_INSERT_HEAD(to, object, all);
}

/* One removal may take others with it, of this list or of the main one: always the first that is left. */
static unsigned remove_all(struct objects *objects, struct object_list *leaving)
{
	struct object *object;
	unsigned removed = 0;

	while ((object = LIST_FIRST(leaving)))
		removed += remove_object(objects, object);
	return removed;
}

static void report_groups_of(struct objects *objects, __u32 id)
{
	struct object *object;

	LIST_FOREACH (object, &objects->all, all) {
		for (__u32 i = 0; object->group && i < object->member_count; i++) {
			if (object->member[i].id == id) {
				objects->changed(objects->arg, object->id, false);
				break;
			}
		}
	}
}

static bool same_path(const struct route_path *a, const struct route_path *b)
{
	return a->ifindex == b->ifindex && a->family == b->family &&
	       !memcmp(a->gateway, b->gateway, sizeof(a->gateway));
}

static bool unchanged(const struct object *object, const struct nexthop_message *message)
{
	if (object->group != message->group || object->state != state_of(message) ||
	    object->member_count != message->member_count || !same_path(&object->path, &message->path))
		return false;
	for (__u32 i = 0; i < message->member_count; i++)
		if (object->member[i].id != message->member[i].id ||
		    object->member[i].weight != message->member[i].weight)
			return false;
	return true;
}

static int fill(struct objects *objects, struct object *object, const struct nexthop_message *message)
{
	struct nexthop_member *member = NULL;

	if (message->member_count) {
		member = calloc(message->member_count, sizeof(*member));
		if (!member)
			return -ENOMEM;
		for (__u32 i = 0; i < message->member_count; i++)
			member[i] = message->member[i];
	}
	free(object->member);
	object->member = member;
	object->member_count = message->member_count;
	objects->groups += (__u32)message->group - (__u32)object->group;
	object->group = message->group;
	object->state = state_of(message);
	object->path = message->path;
	return 0;
}

/* Adds the paths of one member; false: the whole group has another state, *ret_state. */
static bool add_member(const struct objects *objects, const struct nexthop_member *member,
		       struct route_path *path, __u32 *count, enum objects_state *ret_state)
{
	const struct object *object = find(objects, member->id);

	if (!object || object->group) {
		*ret_state = OBJECTS_UNKNOWN;
		return false;
	}
	if (object->state != OBJECTS_PATHS) {
		*ret_state = object->state;
		return false;
	}
	path[*count] = object->path;
	path[(*count)++].weight = member->weight;
	return true;
}

int objects_new(objects_changed_fn *changed, void *arg, struct objects **ret)
{
	struct objects *objects = calloc(1, sizeof(*objects));

	if (!objects)
		return -ENOMEM;
	objects->changed = changed;
	objects->arg = arg;
	*ret = objects;
	return 0;
}

void objects_free(struct objects *objects)
{
	struct object *object;

	if (!objects)
		return;
	while ((object = LIST_FIRST(&objects->all)))
		destroy(objects, object);
	free(objects);
}

int objects_apply(struct objects *objects, const struct nexthop_message *message)
{
	struct object *object = find(objects, message->id);
	int r;

	if (message->deleted) {
		if (object)
			remove_object(objects, object);
		return 0;
	}
	if (object && unchanged(object, message)) {
		object->seen = true;
		return 0;
	}
	if (!object)
		object = insert(objects, message->id);
	if (!object)
		return -ENOMEM;
	r = fill(objects, object, message);
	if (r) {
		/* Old content would forward wrongly; an object that cannot be kept is unknown. */
		destroy(objects, object);
	} else {
		object->seen = true;
	}
	objects->changed(objects->arg, message->id, false);
	report_groups_of(objects, message->id);
	return r;
}

unsigned objects_link_lost(struct objects *objects, __u32 ifindex)
{
	struct object_list leaving = LIST_HEAD_INITIALIZER(leaving);
	struct object *object, *next;

	for (object = LIST_FIRST(&objects->all); object; object = next) {
		next = LIST_NEXT(object, all);
		if (!object->group && object->state != OBJECTS_REJECTS && object->path.ifindex == ifindex)
			move(object, &leaving);
	}
	return remove_all(objects, &leaving);
}

void objects_sync_begin(struct objects *objects)
{
	struct object *object;

	LIST_FOREACH (object, &objects->all, all)
		object->seen = false;
}

unsigned objects_sync_end(struct objects *objects)
{
	struct object_list leaving = LIST_HEAD_INITIALIZER(leaving);
	struct object *object, *next;

	for (object = LIST_FIRST(&objects->all); object; object = next) {
		next = LIST_NEXT(object, all);
		if (!object->seen)
			move(object, &leaving);
	}
	return remove_all(objects, &leaving);
}

enum objects_state objects_resolve(const struct objects *objects, __u32 id, struct route_path *path,
				   __u32 *ret_count)
{
	const struct object *object = find(objects, id);
	enum objects_state state;
	__u32 count = 0;

	if (!object)
		return OBJECTS_UNKNOWN;
	if (object->state != OBJECTS_PATHS)
		return object->state;
	if (!object->group) {
		path[0] = object->path;
		*ret_count = 1;
		return OBJECTS_PATHS;
	}
	for (__u32 i = 0; i < object->member_count; i++)
		if (!add_member(objects, &object->member[i], path, &count, &state))
			return state;
	*ret_count = count;
	return count ? OBJECTS_PATHS : OBJECTS_UNKNOWN;
}

__u32 objects_count(const struct objects *objects, __u32 *ret_groups)
{
	if (ret_groups)
		*ret_groups = objects->groups;
	return objects->count;
}
