// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/config.h"
#include "host/config_fixed.h"

static struct config *config;
static struct why why;

static int parse(const char *text)
{
	why.text[0] = 0;
	return config_parse("f.yaml", text, strlen(text), &config, &why);
}

Test(config, an_empty_file_is_all_defaults)
{
	static const char *const texts[] = { "", "{}", "# nothing\n", "---\n" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_assert_eq(parse(texts[i]), 0, "'%s': %s", texts[i], why.text);
		cr_expect_null(config->name);
		cr_expect_null(config->bpffs);
		cr_expect_null(config->control.group);
		cr_expect_eq(config->port_count, 0);
		cr_expect_eq(config->mode, CONFIG_MODE_AUTO);
		cr_expect_eq(config->netfilter, CONFIG_NETFILTER_RESPECT);
		cr_expect_eq(config->stale_after, 5);
		cr_expect_eq(config->log.level, LOG_LEVEL_INFO);
		cr_expect_eq(config->log.format, LOG_FORMAT_AUTO);
		cr_expect_eq(config->image.nexthops, 0);
		cr_expect_null(config->afxdp.cpus);
		cr_expect_eq(config->afxdp.workers, 0);
		cr_expect_eq(config->afxdp.frames, 32768);
		cr_expect_eq(config->afxdp.busy_poll, 0);
		cr_expect_eq(config->afxdp.hook, CONFIG_HOOK_AUTO);
		cr_expect_eq(config->calibrate, CONFIG_CALIBRATE_NO);
		config_free(config);
	}
}

Test(config, every_key_arrives)
{
	cr_assert_eq(parse("name: edge-1\n"
			   "mode: generic\n"
			   "ports:\n"
			   "  - interface: eth0\n"
			   "    mode: native\n"
			   "  - interface: eth1.5\n"
			   "  - {interface: eth2, mode: kernel, tags: in-frame}\n"
			   "netfilter: bypass\n"
			   "stale-after: 60\n"
			   "bpffs: /run/bpf\n"
			   "calibrate: yes\n"
			   "control:\n  group: netops\n"
			   "metrics: {listen: '[::1]:9477'}\n"
			   "log: {level: debug, format: json}\n"
			   "image:\n"
			   "  node-chunks: 8192\n"
			   "  run-cells: 262144\n"
			   "  nexthops: 1000\n"
			   "  buckets: 4096\n"
			   "dpdk:\n"
			   "  lcores: 1,3-4\n"
			   "  eal: --iova-mode=va --no-telemetry\n"
			   "  memory: 512\n"
			   "  buffers: 20000\n"
			   "  mtu: 9000\n"
			   "  poll: busy\n"
			   "afxdp:\n"
			   "  cpus: 2-5,8\n"
			   "  workers: 5\n"
			   "  frames: 65536\n"
			   "  busy-poll: 20\n"
			   "  hook: generic\n"),
		     0, "%s", why.text);
	cr_expect_str_eq(config->name, "edge-1");
	cr_expect_eq(config->calibrate, CONFIG_CALIBRATE_YES);
	cr_expect_eq(config->afxdp.hook, CONFIG_HOOK_GENERIC);
	cr_assert_eq(config->port_count, 3);
	cr_expect_str_eq(config->ports[0].interface, "eth0");
	cr_expect_eq(config->ports[0].mode, CONFIG_MODE_NATIVE);
	cr_expect_str_eq(config->ports[1].interface, "eth1.5");
	cr_expect_eq(config->ports[1].mode, CONFIG_MODE_GENERIC, "the default of the file");
	cr_expect_eq(config->ports[2].mode, CONFIG_MODE_KERNEL);
	cr_expect_eq(config->ports[0].tags, CONFIG_TAGS_AUTO);
	cr_expect_eq(config->ports[2].tags, CONFIG_TAGS_IN_FRAME);
	cr_expect_eq(config->netfilter, CONFIG_NETFILTER_BYPASS);
	cr_expect_eq(config->stale_after, 60);
	cr_expect_str_eq(config->bpffs, "/run/bpf");
	cr_expect_str_eq(config->control.group, "netops");
	cr_expect_str_eq(config->metrics.listen, "[::1]:9477");
	cr_expect_eq(config->log.level, LOG_LEVEL_DEBUG);
	cr_expect_eq(config->log.format, LOG_FORMAT_JSON);
	cr_expect_eq(config->image.node_chunks, 8192);
	cr_expect_eq(config->image.run_cells, 262144);
	cr_expect_eq(config->image.nexthops, 1000);
	cr_expect_eq(config->image.buckets, 4096);
	cr_expect_str_eq(config->dpdk.lcores, "1,3-4");
	cr_expect_str_eq(config->dpdk.eal, "--iova-mode=va --no-telemetry");
	cr_expect_eq(config->dpdk.memory, 512);
	cr_expect_eq(config->dpdk.buffers, 20000);
	cr_expect_eq(config->dpdk.mtu, 9000);
	cr_expect_eq(config->dpdk.poll, CONFIG_POLL_BUSY);
	cr_expect_str_eq(config->afxdp.cpus, "2-5,8");
	cr_expect_eq(config->afxdp.workers, 5);
	cr_expect_eq(config->afxdp.frames, 65536);
	cr_expect_eq(config->afxdp.busy_poll, 20);
	config_free(config);
}

Test(config, each_choice_can_be_set)
{
	static const struct {
		const char *text;
		size_t offset;
		int value;
	} choices[] = {
		{ "mode: auto", offsetof(struct config, mode), CONFIG_MODE_AUTO },
		{ "mode: native", offsetof(struct config, mode), CONFIG_MODE_NATIVE },
		{ "mode: generic", offsetof(struct config, mode), CONFIG_MODE_GENERIC },
		{ "mode: afxdp", offsetof(struct config, mode), CONFIG_MODE_AFXDP },
		{ "mode: offload", offsetof(struct config, mode), CONFIG_MODE_OFFLOAD },
		{ "afxdp: {workers: 0}", offsetof(struct config, afxdp.workers), 0 },
		{ "afxdp: {workers: 64}", offsetof(struct config, afxdp.workers), 64 },
		{ "afxdp: {frames: 0}", offsetof(struct config, afxdp.frames), 32768 },
		{ "afxdp: {busy-poll: 0}", offsetof(struct config, afxdp.busy_poll), 0 },
		{ "mode: kernel", offsetof(struct config, mode), CONFIG_MODE_KERNEL },
		{ "netfilter: respect", offsetof(struct config, netfilter), CONFIG_NETFILTER_RESPECT },
		{ "netfilter: bypass", offsetof(struct config, netfilter), CONFIG_NETFILTER_BYPASS },
		{ "log: {level: error}", offsetof(struct config, log.level), LOG_LEVEL_ERROR },
		{ "log: {level: warning}", offsetof(struct config, log.level), LOG_LEVEL_WARNING },
		{ "log: {level: info}", offsetof(struct config, log.level), LOG_LEVEL_INFO },
		{ "log: {level: debug}", offsetof(struct config, log.level), LOG_LEVEL_DEBUG },
		{ "log: {format: auto}", offsetof(struct config, log.format), LOG_FORMAT_AUTO },
		{ "log: {format: text}", offsetof(struct config, log.format), LOG_FORMAT_TEXT },
		{ "image: {nexthops: 0}", offsetof(struct config, image.nexthops), 0 },
		{ "image: {node-chunks: 0}", offsetof(struct config, image.node_chunks), 0 },
		{ "dpdk: {poll: adaptive}", offsetof(struct config, dpdk.poll), CONFIG_POLL_ADAPTIVE },
		{ "dpdk: {memory: 0, buffers: 0, mtu: 0}", offsetof(struct config, dpdk.mtu), 0 },
		{ "log: {format: json}", offsetof(struct config, log.format), LOG_FORMAT_JSON },
	};

	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		cr_assert_eq(parse(choices[i].text), 0, "%s: %s", choices[i].text, why.text);
		cr_expect_eq(*(int *)((char *)config + choices[i].offset), choices[i].value, "%s",
			     choices[i].text);
		config_free(config);
	}
}

/* One line: file, line, key, what is allowed. */
Test(config, refusals_say_where_what_and_what_else)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "name: edge\nfast: yes\n",
		  "f.yaml:2: unknown key 'fast'; allowed here: name, ports, mode, "
		  "netfilter, stale-after, calibrate, bpffs, control, metrics, log, image, dpdk, afxdp" },
		{ "log:\n  level: loud\n",
		  "f.yaml:2: 'level' is 'loud'; allowed: error, warning, info, debug" },
		{ "log:\n  colour: red\n", "f.yaml:2: unknown key 'colour'; allowed here: level, format" },
		{ "ports:\n- { interface: eth0, tags: beside }\n",
		  "f.yaml:2: 'tags' is 'beside'; allowed: auto, in-frame" },
		{ "\n\nmode: warp\n", "f.yaml:3: 'mode' is 'warp'; allowed: auto, native, generic, afxdp, "
				      "offload, kernel, dpdk" },
		{ "mode: [auto]\n", "f.yaml:1: 'mode' holds a list or a mapping; allowed: auto, native, "
				    "generic, afxdp, offload, kernel, dpdk" },
		{ "mode:\n",
		  "f.yaml:1: 'mode' is ''; allowed: auto, native, generic, afxdp, offload, kernel, dpdk" },
		{ "ports:\n  - interface: eth0\n    mode: offlaod\n",
		  "f.yaml:3: 'mode' is 'offlaod'; allowed: auto, native, generic, afxdp, offload, kernel, "
		  "dpdk" },
		{ "ports:\n  - interface: eth0\n  - mode: native\n",
		  "f.yaml:3: an entry of 'ports' lacks its key 'interface'" },
		{ "ports:\n  - interface: ../../etc\n",
		  "f.yaml:2: 'interface' is '../../etc'; allowed: the name of a network interface" },
		{ "ports:\n  - interface: a-name-that-is-too-long\n",
		  "f.yaml:2: 'interface' is 'a-name-that-is-too-long'; allowed: the name of a network "
		  "interface" },
		{ "ports:\n  - interface: wan\n    device: eth1\n",
		  "f.yaml:3: 'device' is 'eth1'; allowed: dpdk: and a device as DPDK names it, such as "
		  "dpdk:0000:03:00.0" },
		{ "ports:\n  - {interface: a, device: 'dpdk:x', mode: native}\n",
		  "f.yaml: 'mode' of the device 'a' is 'native'; allowed: auto, dpdk, kernel" },
		{ "dpdk: {lcores: all}\n",
		  "f.yaml:1: 'lcores' is 'all'; allowed: numbers of CPUs such as 2,4-5" },
		{ "dpdk: {poll: sometimes}\n", "f.yaml:1: 'poll' is 'sometimes'; allowed: adaptive, busy" },
		{ "calibrate: maybe\n", "f.yaml:1: 'calibrate' is 'maybe'; allowed: no, yes" },
		{ "afxdp: {hook: driver}\n", "f.yaml:1: 'hook' is 'driver'; allowed: auto, generic" },
		{ "dpdk: {mtu: 100}\n", "f.yaml:1: 'mtu' is '100'; allowed: 0, or 1280 to 16000 (bytes)" },
		{ "ports:\n  - {interface: a, device: 'dpdk:x'}\n  - {interface: b, device: 'dpdk:x'}\n",
		  "f.yaml: device 'dpdk:x' is listed twice" },
		{ "ports: eth0\n",
		  "f.yaml:1: 'ports' is 'eth0'; allowed: a list, one '- interface: NAME' for "
		  "each port" },
		{ "ports:\n  - eth0\n", "f.yaml:2: 'ports' is 'eth0'; allowed: 'key: value' lines" },
		{ "ports:\n  - interface: a\n  - interface: a\n", "f.yaml: port 'a' is listed twice" },
		{ "stale-after: 1\n", "f.yaml:1: 'stale-after' is '1'; allowed: 2 to 3600 (seconds)" },
		{ "stale-after: -5\n", "f.yaml:1: 'stale-after' is '-5'; allowed: 2 to 3600 (seconds)" },
		{ "stale-after: 5s\n", "f.yaml:1: 'stale-after' is '5s'; allowed: 2 to 3600 (seconds)" },
		{ "stale-after: 99999999999999999999999\n",
		  "f.yaml:1: 'stale-after' is '99999999999999999999999'; allowed: 2 to 3600 (seconds)" },
		{ "image:\n  node-chunks: 5000\n", "f.yaml:2: 'node-chunks' is '5000'; allowed: 0, or a "
						   "power of two, 4096 to 16777216 (chunks)" },
		{ "afxdp:\n  cpus: 3-2\n",
		  "f.yaml:2: 'cpus' is '3-2'; allowed: a list of up to 64 CPUs such as 2-5,8" },
		{ "afxdp:\n  workers: 65\n",
		  "f.yaml:2: 'workers' is '65'; allowed: 0, or 1 to 64 (threads)" },
		{ "afxdp:\n  frames: 5000\n", "f.yaml:2: 'frames' is '5000'; allowed: 0, or a power of two, "
					      "4096 to 1048576 (frames of 2 KiB)" },
		{ "afxdp:\n  busy-poll: 10001\n",
		  "f.yaml:2: 'busy-poll' is '10001'; allowed: 0, or 1 to 10000 (microseconds)" },
		{ "bpffs: sys/fs/bpf\n", "f.yaml:1: 'bpffs' is 'sys/fs/bpf'; allowed: an absolute path" },
		{ "bpffs: /sys/../etc\n", "f.yaml:1: 'bpffs' is '/sys/../etc'; allowed: an absolute path" },
		{ "name: 12\n", "f.yaml:1: 'name' is '12'; allowed: at most 31 of letters, digits, '-', '_'; "
				"not digits alone" },
		{ "name: a\nname: b\n", "f.yaml:2: 'name' is given twice; allowed: once" },
		{ "just a text\n", "f.yaml:1: 'the file' is 'just a text'; allowed: 'key: value' lines" },
		{ "mode: &x auto\nports: []\nname: *x\n",
		  "f.yaml: uses '&' or '*' references; write the values out" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(parse(cases[i].text), -EINVAL, "'%s' was taken", cases[i].text);
		cr_expect_str_eq(why.text, cases[i].message, "'%s' gave '%s'", cases[i].text, why.text);
	}
	cr_expect_eq(parse("mode: 'auto\n"), -EINVAL);
	cr_expect_not_null(strstr(why.text, "not YAML"), "%s", why.text);
}

Test(config, lists_of_cpus)
{
	static const char *const bad[] = {
		"",     "x",    "1,",   ",1",    "1-",   "-1",     "2-1",
		"1 ,2", "1,,2", "1024", "1-1-2", "0-64", "0-63,5", "99999999999999999999"
	};
	int cpu[64];

	cr_assert_eq(config_cpus("2-5,8", cpu, 64), 5);
	cr_expect(cpu[0] == 2 && cpu[3] == 5 && cpu[4] == 8);
	cr_expect_eq(config_cpus("0-63", cpu, 64), 64);
	cr_expect_eq(config_cpus("1023", cpu, 1), 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(config_cpus(bad[i], cpu, 64), -EINVAL, "'%s' was taken", bad[i]);
}

/* More ports than the image has. */
Test(config, too_many_ports_are_refused)
{
	char *text = malloc(257 * 32);
	size_t size = (size_t)sprintf(text, "ports:\n");

	for (int i = 0; i < 256; i++)
		size += (size_t)sprintf(text + size, "- interface: p%d\n", i);
	cr_assert_eq(parse(text), 0, "%s", why.text);
	cr_expect_eq(config->port_count, 256);
	cr_expect_eq(config_add_port(config, "p255", &why), 0, "it is there already");
	cr_expect_eq(config_add_port(config, "one-more", &why), -ENOSPC);
	config_free(config);
	sprintf(text + size, "- interface: p256\n");
	cr_expect_eq(parse(text), -EINVAL);
	free(text);
}

Test(config, ports_from_the_command_line_join)
{
	cr_assert_eq(parse("mode: generic\nports: [{interface: eth0, mode: native}]\n"), 0, "%s", why.text);
	cr_expect_eq(config_add_port(config, "eth1", &why), 0);
	cr_expect_eq(config_add_port(config, "eth0", &why), 0);
	cr_expect_eq(config_add_port(config, "a/b", &why), -EINVAL);
	cr_expect_eq(config_add_port(config, "", &why), -EINVAL);
	cr_assert_eq(config->port_count, 2);
	cr_expect_eq(config->ports[0].mode, CONFIG_MODE_NATIVE);
	cr_expect_str_eq(config->ports[1].interface, "eth1");
	cr_expect_eq(config->ports[1].mode, CONFIG_MODE_GENERIC);
	config_free(config);
}

static char path[64];

static void write_file(mode_t mode)
{
	int fd;

	strcpy(path, "/tmp/penstock-config-XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "mode: native\n", 13), 13);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

Test(config, a_file_loads)
{
	write_file(0644);
	cr_expect_eq(config_load(path, &config, &why), 0, "%s", why.text);
	cr_expect_eq(config->mode, CONFIG_MODE_NATIVE);
	config_free(config);
	unlink(path);
}

Test(config, files_that_others_can_write_are_refused)
{
	write_file(0666);
	cr_expect_eq(config_load(path, &config, &why), -EPERM);
	cr_expect_not_null(strstr(why.text, "others can write"), "%s", why.text);
	unlink(path);
}

Test(config, what_is_no_regular_file_is_refused)
{
	char link_path[80];

	write_file(0644);
	snprintf(link_path, sizeof(link_path), "%s-link", path);
	cr_assert_eq(symlink(path, link_path), 0);
	cr_expect_eq(config_load(link_path, &config, &why), -ELOOP);
	unlink(link_path);
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(config_load(path, &config, &why), -EINVAL, "a FIFO must neither block nor be read");
	unlink(path);
	cr_expect_eq(config_load(path, &config, &why), -ENOENT);
	cr_expect_eq(config_load("/tmp", &config, &why), -EINVAL);
}

/* Ports of DPDK: a name and a device, whatever the mode of the others. */
Test(config, devices_are_ports_with_a_name)
{
	cr_assert_eq(parse("mode: generic\nports:\n  - {interface: dp1, device: 'dpdk:net_null0'}\n"), 0,
		     "%s", why.text);
	cr_expect_str_eq(config->ports[0].device, "dpdk:net_null0");
	cr_expect_eq(config->ports[0].mode, CONFIG_MODE_AUTO);
	cr_assert_eq(config_add_port(config, "dpdk:0000:03:00.0", &why), 0);
	cr_expect_str_eq(config->ports[1].interface, "dp0");
	cr_expect_str_eq(config->ports[1].device, "dpdk:0000:03:00.0");
	cr_expect_eq(config->ports[1].mode, CONFIG_MODE_AUTO);
	cr_assert_eq(config_add_port(config, "dpdk:net_af_packet0,iface=r0", &why), 0);
	cr_expect_str_eq(config->ports[2].interface, "dp2");
	cr_assert_eq(config_add_port(config, "wan=dpdk:net_null1", &why), 0);
	cr_expect_str_eq(config->ports[3].interface, "wan");
	cr_expect_str_eq(config->ports[3].device, "dpdk:net_null1");
	cr_assert_eq(config_add_port(config, "eth0", &why), 0);
	cr_expect_null(config->ports[4].device);
	cr_expect_eq(config->ports[4].mode, CONFIG_MODE_GENERIC);

	cr_expect_eq(config_add_port(config, "dpdk:", &why), -EINVAL);
	cr_expect_eq(config_add_port(config, "dpdk:a b", &why), -EINVAL);
	cr_expect_eq(config_add_port(config, "=dpdk:net_null2", &why), -EINVAL);
	cr_expect_eq(config_add_port(config, "a-name-that-is-too-long=dpdk:net_null2", &why), -EINVAL);
	cr_expect_eq(config_add_port(config, "lan=dpdk:net_null1", &why), -EINVAL);
	cr_expect_str_eq(why.text, "device 'dpdk:net_null1' is listed twice");
	cr_expect_eq(config_add_port(config, "wan=dpdk:net_null2", &why), -EINVAL);
	cr_expect_str_eq(why.text, "port 'wan' is listed twice");
	cr_expect_eq(config->port_count, 5);
	config_free(config);
}

Test(config, what_a_reload_cannot_change)
{
	static const struct {
		const char *text, *fixed;
	} differences[] = {
		{ "name: b", "name" },
		{ "bpffs: /run/bpf", "bpffs" },
		{ "control: { group: adm }", "control.group" },
		{ "ports: [ { interface: dp0, device: 'dpdk:net_null0' } ]", "device" },
		{ "dpdk: { lcores: '1' }", "dpdk" },
		{ "dpdk: { eal: '--no-pci' }", "dpdk" },
		{ "dpdk: { memory: 512 }", "dpdk" },
		{ "dpdk: { buffers: 2048 }", "dpdk" },
		{ "dpdk: { mtu: 9000 }", "dpdk" },
		{ "dpdk: { poll: busy }", "dpdk" },
		{ "metrics: { listen: '127.0.0.1:9477' }", "metrics.listen" },
		{ "image: { nexthops: 256 }", "image" },
		{ "image: { buckets: 64 }", "image" },
		{ "image: { node-chunks: 8192 }", "image" },
		{ "image: { run-cells: 262144 }", "image" },
		{ "afxdp: { cpus: '0' }", "afxdp" },
		{ "afxdp: { workers: 2 }", "afxdp" },
		{ "afxdp: { frames: 8192 }", "afxdp" },
		{ "afxdp: { busy-poll: 50 }", "afxdp" },
		{ "afxdp: { hook: generic }", "afxdp" },
		{ "stale-after: 60", "stale-after" },
		{ "mode: native\nnetfilter: bypass\nlog: { level: debug }\nports: [ { interface: eth0 } ]",
		  NULL },
	};
	struct config *usual;

	cr_assert_eq(config_default(&usual), 0);
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		const char *fixed = differences[i].fixed;

		cr_assert_eq(parse(differences[i].text), 0, "'%s': %s", differences[i].text, why.text);
		for (int turned = 0; turned < 2; turned++) {
			const char *found = turned ? config_fixed_difference(config, usual)
						   : config_fixed_difference(usual, config);

			cr_expect(fixed ? found && strcmp(found, fixed) == 0 : !found,
				  "'%s': %s instead of %s", differences[i].text, found, fixed);
		}
		cr_expect_null(config_fixed_difference(config, config));
		config_free(config);
	}
	config_free(usual);
}
