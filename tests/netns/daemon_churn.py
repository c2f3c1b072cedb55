#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_churn.py PENSTOCK [MODE]: a port is deleted and made again, renamed, given another MTU, taken down and up, over and over.
Traffic between the other ports loses nothing, the port runs again each time, and nothing grows: no pin, no program, no
map, no file, no memory."""
import collections
import json
import os
import random
import sys
import time

from bed import Bed, Daemon, Stream, scaled, shell, until

SEED = 20261130
WARM = 20  # events before anything is compared: buffers grow to their size
EVENTS = scaled(60, 1000)
MEMORY = 2048  # KiB that may come in all the rest

bed = Bed(sys.argv[1])
rng = random.Random(SEED)
mode = sys.argv[2] if len(sys.argv) > 2 else 'native'
before = bed.traces()
print(f'{EVENTS} events, mode {mode}, seed {SEED}', flush=True)


def pair():
    """The port that all this happens to; D's answers go by r1."""
    many = ['numrxqueues', '1', 'numtxqueues', '1']
    shell('ip', 'link', 'add', 'r2', 'netns', bed.r, *many, 'type', 'veth', 'peer', 'name', 'd2', 'netns', bed.d, *many)
    bed.router('ip', 'address', 'add', '10.3.0.1/24', 'dev', 'r2')
    bed.router('ip', 'address', 'add', 'fd03::1/64', 'dev', 'r2', 'nodad')
    bed.router('ip', 'link', 'set', 'r2', 'up')
    shell('ip', '-n', bed.d, 'address', 'add', '10.3.0.2/24', 'dev', 'd2')
    shell('ip', '-n', bed.d, 'link', 'set', 'd2', 'up')
    shell(*bed.inside(bed.d, 'ethtool', '-K', 'd2', 'gro', 'on', 'tx', 'off'))


def recreate():
    bed.router('ip', 'link', 'delete', 'r2')
    time.sleep(rng.choice((0, 0, 0.05)))
    pair()


def rename():
    bed.router('ip', 'link', 'set', 'r2', 'name', 'q2')
    time.sleep(rng.choice((0, 0, 0.05)))
    bed.router('ip', 'link', 'set', 'q2', 'name', 'r2')


def resize():
    for where, name in ((bed.r, 'r2'), (bed.d, 'd2')):
        shell('ip', '-n', where, 'link', 'set', name, 'mtu', str(rng.choice((1280, 1400, 1500))))


def flap():
    bed.router('ip', 'link', 'set', 'r2', 'down')
    time.sleep(rng.choice((0, 0, 0.05)))
    bed.router('ip', 'link', 'set', 'r2', 'up')


def unplug():
    shell('ip', '-n', bed.d, 'link', 'set', 'd2', 'down')
    shell('ip', '-n', bed.d, 'link', 'set', 'd2', 'up')


def offload():
    """Without GRO at its far end it takes no frames from other ports."""
    for state in ('off', 'on'):
        shell(*bed.inside(bed.d, 'ethtool', '-K', 'd2', 'gro', state))


def again(daemon):
    """The port runs and takes frames, on the interface that is there now."""
    port = daemon.port('r2')
    index = json.loads(bed.router('ip', '-j', 'link', 'show', 'dev', 'r2').stdout)[0]['ifindex']
    return port['state'] == 'running' and port['mode'] == mode and port['ifindex'] == index and port['egress']['possible'] and bed.programs('r2')


def memory(daemon):
    with open(f'/proc/{daemon.pid}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS:'))


def held(daemon):
    """What it holds, by kind, and how full its tables are."""
    kinds = collections.Counter()
    for each in os.listdir(f'/proc/{daemon.pid}/fd'):
        try:
            kinds[os.readlink(f'/proc/{daemon.pid}/fd/{each}').split(':[')[0]] += 1
        except FileNotFoundError:
            pass
    status = daemon.status()
    tables = {part['part']: part['used'] for part in status['tables']['image']}
    facts = {f"{port['interface']} {name}": port['engine'][name] for port in status['ports'] if port['engine']
             for name in ('frames', 'frames_astray')}
    return dict(kinds) | facts | {'pins': len(bed.pins()), 'links': len([pin for pin in bed.pins() if '/links/' in pin]),
                          'interfaces': tables['interfaces'], 'next hops': tables['next hops']}


def steady(daemon):
    """What it holds, if that is the same twice: a request to the API opens a socket for a moment."""
    one = held(daemon)
    time.sleep(0.3)
    return one if one == held(daemon) else None


pair()
config = f'/tmp/{bed.prefix}.yaml'
with open(config, 'w') as out:
    out.write(f'mode: {mode}\n')
daemon = Daemon(bed, '-c', config, 'r0', 'r1', 'r2')
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')
stream = Stream(bed, '10.2.0.2', rate=2000)
first = small = None
count = collections.Counter()
for number in range(WARM + EVENTS):
    event = rng.choice((recreate, recreate, rename, resize, flap, unplug, offload))
    event()
    count[event.__name__] += number >= WARM
    if rng.random() < 0.5 or number in (WARM - 1, WARM + EVENTS - 1):
        until(lambda: again(daemon), f'r2 runs again after {event.__name__}: {daemon.port("r2")}', 20)
    if number == WARM - 1:
        first = until(lambda: steady(daemon), 'nothing comes and goes')
        small = memory(daemon)
result = stream.end()
assert result['lost'] == 0 and result['twice'] == 0, result
until(lambda: held(daemon) == first, f'after the events it still holds what is not in {first}', 20)
grown = memory(daemon) - small
assert grown <= MEMORY, f'the daemon grew from {small} by {grown} KiB'
print(f'{dict(count)}: nothing more held than {first}; {grown} KiB more than {small}; {result} beside them')
bed.router('ip', 'neigh', 'flush', 'dev', 'r2', check=False)
until(lambda: bed.ping(bed.s, '10.3.0.2', 1), 'ping through r2')
start = daemon.port('r0')['forwarded']
until(lambda: bed.ping(bed.s, '10.3.0.2', 10) and daemon.port('r0')['forwarded'] - start >= 10, 'through r2 by XDP')
assert daemon.end() == 0
os.unlink(config)
assert bed.traces() == before, bed.traces() - before
