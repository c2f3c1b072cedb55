#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_modes.py PENSTOCK: `penstock mode` takes one port from each mode to each other and back under traffic, and what cannot
be leaves everything as it was. With PENSTOCK_TEST_SCALE=50 a million packets during each change."""
import itertools
import os
import sys
import time

from bed import Bed, Daemon, Stream, scaled, until

MODES = ('kernel', 'generic', 'native', 'afxdp')
PACKETS = scaled(1000 * scaled(4, 200), 2200000)  # there and back
RATE = scaled(3000, 20000)

bed = Bed(sys.argv[1])
before = bed.traces()
config = f'/tmp/{bed.prefix}.yaml'
with open(config, 'w') as out:
    out.write('mode: afxdp\n')
daemon = Daemon(bed, '-c', config, 'r0', 'r1')
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')


def switch(port, mode):
    done = bed.command('mode', port, mode)
    assert done.returncode == 0 and done.stdout.startswith(f'{port}: {mode} ('), done
    assert daemon.port(port)['mode'] == mode, daemon.port(port)


def there_and_back(port, was, mode):
    """Over and over; returns how often, and what became of the packets."""
    switch(port, was)
    stream = Stream(bed, '10.2.0.2', rate=RATE)
    begin, times, carried = time.monotonic(), 0, daemon.port('r0')['forwarded']
    while time.monotonic() < begin + PACKETS / RATE:
        for each in (mode, was):
            time.sleep(0.3)
            switch(port, each)
            times += 1
            now = daemon.port('r0')['forwarded']
            assert now >= carried, f'{was} to {mode}: the counter went from {carried} to {now}'
            carried = now
    time.sleep(0.3)
    return times, stream.end()


counts = {}
for port in ('r0', 'r1'):
    for was, mode in itertools.combinations(MODES, 2):
        times, result = there_and_back(port, was, mode)
        assert result['twice'] == 0, (port, was, mode, result)
        counts[port, was, mode] = (result['lost'], result['sent'], times)
        print(f"{port} {was} to {mode} and back: {times} changes, {result['sent']} packets, {result['lost']} lost", flush=True)
bad = {change: count for change, count in counts.items() if count[0]}
assert not bad, f'lost packets: {bad}'
print(f'{sum(times for _, _, times in counts.values())} changes between modes: {sum(sent for _, sent, _ in counts.values())} '
      'packets, none lost')

# What cannot be changes nothing.
switch('r0', 'native')
for arguments, want in ((('r9', 'native'), 'not a port'), (('r0', 'fast'), 'no such mode'), (('r0',), 'which interface')):
    status, line = bed.refused('mode', *arguments)
    assert want in line and status == (2 if len(arguments) == 1 else 1), (arguments, status, line)
assert daemon.port('r0')['mode'] == 'native'
switch('r0', 'kernel')
assert bed.command('mode', 'r0', 'auto').stdout.startswith('r0: native (')
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')
print('what cannot be is refused, auto is the best again')

# Rights that no port needed at the start are gone.
daemon.end()
daemon = Daemon(bed, 'r0', 'r1')
status, line = bed.refused('mode', 'r0', 'afxdp')
assert status == 1 and 'CAP_NET_RAW' in line and 'restart' in line, line
assert daemon.port('r0')['mode'] == 'native'

daemon.end()

# Sockets behind the generic hook, for drivers whose own is not to be used.
with open(config, 'w') as out:
    out.write('mode: afxdp\nafxdp: {hook: generic}\n')
daemon = Daemon(bed, '-c', config, 'r0', 'r1')
text = bed.command('status').stdout
assert 'r0: afxdp [copy, generic hook' in text and 'r1: afxdp [copy, generic hook' in text, text
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')
stream = Stream(bed, '10.2.0.2', rate=RATE)
start = daemon.port('r0')['forwarded']
until(lambda: daemon.port('r0')['forwarded'] - start > 500, 'packets through the sockets')
for mode in ('native', 'afxdp'):
    switch('r0', mode)
result = stream.end()
assert result['lost'] == result['twice'] == 0, result
print(f"behind the generic hook: {result['sent']} packets, none lost")
daemon.end()
os.unlink(config)
assert bed.traces() == before, bed.traces() - before
