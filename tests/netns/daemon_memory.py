#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_memory.py PENSTOCK SHORT_MEMORY: a daemon that finds no memory for what changes in its tables says so, ends, and
leaves forwarding to Linux; the next one starts afresh."""
import os
import sys

from bed import Bed, Daemon, until

bed = Bed(sys.argv[1])
preloaded = os.path.abspath(sys.argv[2])
sign = f'/tmp/{bed.prefix}.short'
before = bed.traces()

daemon = Daemon(bed, 'r0', 'r1', wrap=[*bed.inside(bed.r), 'env', f'LD_PRELOAD={preloaded}', f'SHORT_MEMORY={sign}'])
until(lambda: bed.ping(bed.s, '10.2.0.2'), 'packets flow')
try:
    with open(sign, 'w'):
        bed.router('ip', 'link', 'add', 'x0', 'type', 'veth', 'peer', 'name', 'x1')
        until(lambda: daemon.process.poll() is not None, 'the daemon ends')
finally:
    os.unlink(sign)
text = daemon.text()
assert 'memory ran out' in text and 'start it again' in text, text
assert daemon.end() == 1
assert bed.traces() == before, bed.traces() - before
assert bed.ping(bed.s, '10.2.0.2'), 'Linux forwards'
bed.router('ip', 'link', 'delete', 'x0')
daemon = Daemon(bed, 'r0', 'r1')
until(lambda: bed.ping(bed.s, '10.2.0.2') and daemon.port('r0')['forwarded'], 'the next one forwards')
assert daemon.end() == 0
print('ok    a daemon without memory says so and ends; Linux forwards, and the next one does')
