// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The driver speaks in three places: the verifier's log (lines "[nfp] ..."), the kernel's log (lines
 * "NFP net bpf: ...") and, when a program is attached, in the answer to the netlink message, which libbpf
 * prints.
 */
#include "offload/device_load.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define LOG_SIZE   (1u << 20)
#define WORDS_MOST 20
#define PATIENCE   60 /* seconds for one object */

/* What libbpf says; it has one place for all. */
static char complaints[8192];

static int complain(enum libbpf_print_level level, const char *format, va_list arguments)
{
	size_t used = strlen(complaints);

	if (level == LIBBPF_WARN && !strstr(format, "BEGIN PROG LOAD LOG"))
		vsnprintf(complaints + used, sizeof(complaints) - used, format, arguments);
	return 0;
}

static void add_word(json_t *words, const char *line, size_t length)
{
	json_t *word = json_stringn(line, length);
	size_t count = json_array_size(words);

	if (!word || !length || count == WORDS_MOST ||
	    (count && json_equal(word, json_array_get(words, count - 1))))
		json_decref(word);
	else
		json_array_append_new(words, word);
}

/* Lines of `text` that hold `mark`, from there or from behind it on. */
static void add_lines(json_t *words, const char *text, const char *mark, bool behind)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t length = strcspn(line, "\n");
		const char *found = memmem(line, length, mark, strlen(mark));

		if (!found)
			continue;
		found += behind ? strlen(mark) : 0;
		add_word(words, found, length - (size_t)(found - line));
	}
}

/* The verifier's last word, whoever said it. */
static void add_last_line(json_t *words, const char *log)
{
	const char *last = log;
	size_t length = 0;

	for (const char *line = log; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (*line != '\n' && strncmp(line, "processed ", 10) != 0) {
			last = line;
			length = strcspn(line, "\n");
		}
	add_word(words, last, length);
}

/* Else libbpf knows more than an error number: which map, which section. */
static void add_complaints(json_t *words)
{
	static const char *const empty[] = { "failed to load object", "Retrying without BTF",
					     "PROG LOAD LOG" };

	for (char *rest = complaints, *line; (line = strsep(&rest, "\n"));) {
		bool says = strncmp(line, "libbpf: ", 8) == 0;

		for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
			says = says && !strstr(line, empty[i]);
		if (says)
			add_word(words, line + 8, strlen(line + 8));
	}
}

/* The kernel's log, from now on. */
static int kernel_log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log >= 0)
		(void)lseek(log, 0, SEEK_END);
	return log;
}

static void kernel_log_read(int log, json_t *words)
{
	char record[8192];
	ssize_t length;

	while ((length = read(log, record, sizeof(record) - 1)) > 0) {
		record[length] = '\0';
		add_lines(words, record, "NFP net bpf: ", true);
	}
}

static json_t *program_document(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
		memset(&info, 0, sizeof(info));
	return json_pack("{s:s, s:i, s:i}", "name", bpf_program__name(program), "bpf",
			 (int)(info.xlated_prog_len / 8), "nfp", (int)(info.jited_prog_len / 8));
}

static json_t *map_document(const struct bpf_map *map)
{
	enum bpf_map_type type = bpf_map__type(map);
	const char *name = libbpf_bpf_map_type_str(type);

	return json_pack("{s:s, s:s, s:i, s:i, s:I}", "name", bpf_map__name(map), "type",
			 name ? name : "unknown", "key", (int)bpf_map__key_size(map), "value",
			 (int)bpf_map__value_size(map), "entries", (json_int_t)bpf_map__max_entries(map));
}

/* Binds all to the device; each program gets a part of the log. */
static void bind_to_device(struct bpf_object *object, unsigned int ifindex, char *log, size_t log_size)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_program (program, object) {
		bpf_program__set_ifindex(program, ifindex);
		bpf_program__set_log_level(program, 1);
		bpf_program__set_log_buf(program, log, log_size);
	}
	bpf_object__for_each_map (map, object)
		if (bpf_map__type(map) != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			bpf_map__set_ifindex(map, ifindex);
}

static int attach_programs(struct bpf_object *object, unsigned int ifindex)
{
	struct bpf_program *program;
	int error = 0;

	bpf_object__for_each_program (program, object) {
		if (error || bpf_program__type(program) != BPF_PROG_TYPE_XDP)
			continue;
		error = bpf_xdp_attach((int)ifindex, bpf_program__fd(program), XDP_FLAGS_HW_MODE, NULL);
		if (!error)
			(void)bpf_xdp_detach((int)ifindex, XDP_FLAGS_HW_MODE, NULL);
	}
	return error;
}

static volatile sig_atomic_t late;

static void on_alarm(int number)
{
	late = 1;
}

/* A signal ends the verifier; libbpf tries again five times, hence the interval. */
static void set_alarm(time_t seconds)
{
	struct itimerval timer = { .it_interval.tv_sec = seconds ? 1 : 0, .it_value.tv_sec = seconds };
	struct sigaction action = { .sa_handler = on_alarm };

	late = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Loads and attaches; *ret_step says what was the last. */
static int try_object(struct bpf_object *object, unsigned int ifindex, bool attach, char *log,
		      const char **ret_step)
{
	int error;

	*ret_step = "load";
	bind_to_device(object, ifindex, log, LOG_SIZE);
	error = bpf_object__load(object);
	if (error || !attach)
		return error;
	*ret_step = "attach";
	return attach_programs(object, ifindex);
}

static void describe(struct bpf_object *object, bool loaded, json_t *document)
{
	json_t *programs = json_object_get(document, "programs"), *maps = json_object_get(document, "maps");
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_map (map, object)
		json_array_append_new(maps, map_document(map));
	if (loaded)
		bpf_object__for_each_program (program, object)
			json_array_append_new(programs, program_document(program));
}

static void refuse(json_t *document, const char *step, int error)
{
	char text[128];

	libbpf_strerror(error, text, sizeof(text));
	json_object_set_new(document, "accepted", json_false());
	json_object_set_new(document, "step", json_string(step));
	json_object_set_new(document, "error", json_string(text));
}

static void judge(struct bpf_object *object, unsigned int ifindex, bool attach, json_t *document)
{
	json_t *words = json_object_get(document, "words");
	char *log = calloc(1, LOG_SIZE);
	const char *step = "load";
	int kernel_log, error = -ENOMEM;

	if (!log) {
		refuse(document, step, error);
		return;
	}
	kernel_log = kernel_log_open();
	set_alarm(PATIENCE);
	error = try_object(object, ifindex, attach, log, &step);
	if (error && late) {
		step = "time";
		error = -ETIME;
	}
	set_alarm(0);
	describe(object, !error || strcmp(step, "attach") == 0, document);
	add_lines(words, log, "[nfp] ", false);
	if (error && strcmp(step, "load") == 0)
		add_last_line(words, log);
	if (kernel_log >= 0) {
		kernel_log_read(kernel_log, words);
		close(kernel_log);
	}
	if (error) {
		refuse(document, step, error);
		add_lines(words, complaints, "Kernel error message: ", true);
		if (json_array_size(words) == 0)
			add_complaints(words);
	}
	free(log);
}

json_t *device_load(const char *path, const char *interface, bool attach)
{
	json_t *document = json_pack("{s:s, s:b, s:[], s:[], s:[]}", "object", path, "accepted", 1, "words",
				     "programs", "maps");
	unsigned int ifindex = if_nametoindex(interface);
	struct bpf_object *object;

	complaints[0] = '\0';
	libbpf_set_print(complain);
	object = bpf_object__open_file(path, NULL);
	if (!object) {
		refuse(document, "open", -errno);
		add_complaints(json_object_get(document, "words"));
		return document;
	}
	if (ifindex)
		judge(object, ifindex, attach, document);
	else
		refuse(document, "device", -ENODEV);
	bpf_object__close(object);
	return document;
}
