#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_replace.py PENSTOCK: the program of two daemons, each with tables of its own, in turn on the pinned links of both
ports, as a daemon that takes over does it, under traffic: no packet is lost, and counters go on."""
import ctypes
import glob
import os
import platform
import signal
import struct
import sys
import time

from bed import Bed, Daemon, Stream, scaled, skip, until

REPLACEMENTS = scaled(200, 1000)
RATE = scaled(5000, 15000)
PAUSE_S = scaled(1, 60) / 1000  # between two of them: the traffic needs CPUs, too
BPF, BPF_OBJ_GET, BPF_PROG_GET_FD_BY_ID, BPF_LINK_UPDATE = 321, 7, 13, 29
CLIB = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(64, b'\0'), 64)
    result = CLIB.syscall(BPF, command, buffer, 64)
    if result < 0:
        raise OSError(ctypes.get_errno(), f'bpf command {command}')
    return result


def program(number):
    return bpf(BPF_PROG_GET_FD_BY_ID, struct.pack('=I', number))


def pinned(path):
    name = ctypes.create_string_buffer(path.encode())
    return bpf(BPF_OBJ_GET, struct.pack('=QII', ctypes.addressof(name), 0, 0))


if platform.machine() != 'x86_64':
    skip('knows the number of a system call on x86-64 only')
bed = Bed(sys.argv[1])
before = bed.traces()
config = f'/tmp/{bed.prefix}.yaml'
with open(config, 'w') as out:
    out.write('stale-after: 3600\n')  # the tables of the one that is dead serve on
ports = ('r0', 'r1')
first = Daemon(bed, '-c', config, *ports)
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')
programs = {name: [program(bed.programs(name))] for name in ports}
first.end(signal.SIGKILL)
second = Daemon(bed, '-c', config, *ports)
links = {}
for port in second.status()['ports']:
    programs[port['interface']].append(program(bed.programs(port['interface'])))
    links[port['interface']] = pinned(*glob.glob(f"{second.status()['pins']}/links/{port['ifindex']}_*"))
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')

start = second.port('r0')['forwarded']
stream = Stream(bed, '10.2.0.2', rate=RATE)
os.kill(second.pid, signal.SIGSTOP)  # it would put its own program back
try:
    for number in range(REPLACEMENTS):
        for name in ports:
            bpf(BPF_LINK_UPDATE, struct.pack('=IIII', links[name], programs[name][number % 2], 0, 0))
        time.sleep(PAUSE_S)
finally:
    os.kill(second.pid, signal.SIGCONT)
assert second.forwards(), 'the last one was its own: it sees nothing wrong'
result = stream.end()
assert result['lost'] == 0 and result['twice'] == 0 and result['sent'] > REPLACEMENTS, result
# All of it by XDP: Linux would have lost none, either.
forwarded = second.port('r0')['forwarded'] - start
assert forwarded >= result['sent'], f"{forwarded} of {result['sent']} were forwarded by XDP"
print(f"{len(ports) * REPLACEMENTS} replacements: {result['sent']} packets, none lost")

for fd in [*links.values(), *sum(programs.values(), [])]:
    os.close(fd)
assert 'took our XDP program away' not in second.text(), second.text()
assert second.end() == 0
os.unlink(config)
assert bed.traces() == before, bed.traces() - before
