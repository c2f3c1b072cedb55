#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_upgrade.py PENSTOCK PENSTOCK-NEXT: a daemon is killed and followed by one whose image has another layout, and
back again, under traffic: no packet is lost, nothing of the other version stays, and counters go on."""
import os
import random
import signal
import sys
import time

from bed import Bed, Daemon, Stream, scaled, shell, until

SEED = 20261130
UPGRADES = scaled(6, 100)
RATE = scaled(2000, 20000)
PAUSE_S = scaled(8, 600) / 1000  # in which traffic flows

bed = Bed(sys.argv[1])
rng = random.Random(SEED)
following = os.path.abspath(sys.argv[2])
now = int(bed.command('version').stdout.split()[-1])
then = int(shell(following, 'version').stdout.split()[0])
assert now != then
before = bed.traces()
print(f'image versions {now} and {then}, {UPGRADES} upgrades, seed {SEED}', flush=True)


def binary(version):
    return following if version == then else bed.penstock


def settled(version, name):
    """All pins are of this version: two links, and the maps."""
    pins = bed.pins()
    links = {pin for pin in pins if '/links/' in pin}
    return len(links) == 2 and all(pin.startswith(f'v{version}/{name}/') for pin in pins) and not any(
        'new_' in pin for pin in pins) and {os.path.basename(pin) for pin in pins - links} >= {'node', 'run', 'tables', 'counters', 'ports'}


class Early(Daemon):
    def until_forwarding(self):
        """Whoever starts it has other plans."""


version = now
daemon = Daemon(bed, 'r0', 'r1')
name = daemon.status()['name']
until(lambda: bed.ping(bed.s, '10.2.0.2', 1) and settled(version, name), 'forwarding')

stream = Stream(bed, '10.2.0.2', rate=RATE)
for _ in range(UPGRADES):
    was = [bed.programs(port) for port in ('r0', 'r1')]
    count = daemon.port('r0')['forwarded']
    daemon.end(signal.SIGKILL)
    version = now + then - version
    daemon = Daemon(bed, 'r0', 'r1', penstock=binary(version))
    programs = [bed.programs(port) for port in ('r0', 'r1')]
    assert all(programs) and not set(programs) & set(was), (programs, was)
    until(lambda: settled(version, name), f'pins of version {version} alone: {bed.pins()}', 10)
    port = daemon.port('r0')
    assert port['mode'] == 'native' and port['forwarded'] >= count, (port['forwarded'], count)
    until(lambda: daemon.port('r0')['forwarded'] > port['forwarded'], 'the new version forwards')
    assert 'took over from a daemon' in daemon.text(), daemon.text()
    time.sleep(PAUSE_S)
result = stream.end()
assert result['lost'] == 0 and result['twice'] == 0 and result['sent'] > 1000, result
print(f"{UPGRADES} upgrades between versions {now} and {then}: {result['sent']} packets, none lost", flush=True)

# Killed at some moment of the change; one of either version goes on from there.
stream = Stream(bed, '10.2.0.2', rate=RATE)
for _ in range(UPGRADES):
    daemon.end(signal.SIGKILL)
    half = Early(bed, 'r0', 'r1', penstock=binary(rng.choice((now, then))))
    time.sleep(rng.uniform(0, 0.3))
    half.end(signal.SIGKILL)
    version = rng.choice((now, then))
    daemon = Daemon(bed, 'r0', 'r1', penstock=binary(version))
    until(lambda: settled(version, name), f'pins of version {version} alone: {bed.pins()}', 10)
result = stream.end()
assert result['lost'] == 0 and result['twice'] == 0, result
print(f"{UPGRADES} times killed amid a change of version: {result['sent']} packets, none lost", flush=True)

# One port less, and a clean end: the other version's pins go, too.
daemon.end(signal.SIGKILL)
daemon = Daemon(bed, 'r0', penstock=binary(now + then - version))
until(lambda: not bed.programs('r1'), 'r1 given back')
assert bed.ping(bed.s, '10.2.0.2')
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
daemon = Daemon(bed, 'r0', 'r1')
daemon.end(signal.SIGKILL)
half = Early(bed, 'r0', 'r1', penstock=following)
time.sleep(0.3)
half.end()
until(lambda: bed.ping(bed.s, '10.2.0.2'), 'the kernel or XDP forwards')
daemon = Daemon(bed, 'r0', 'r1')
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
print('a clean end of either version leaves nothing of the other')
