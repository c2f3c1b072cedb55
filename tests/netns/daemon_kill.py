#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_kill.py PENSTOCK: a daemon is killed at random moments: while it starts, while routes change, amid a change of
mode. The next one repairs what it finds; no packet is lost, no packet goes astray, and nothing is left at the end."""
import json
import random
import signal
import subprocess
import sys
import time

from bed import Bed, Daemon, Stream, scaled, until

SEED = 20261130
KILLS = scaled(12, 200)
RATE = scaled(3000, 10000)
MODES = ('native', 'generic', 'kernel')
ROUTES = 400

bed = Bed(sys.argv[1])
rng = random.Random(SEED)
print(f'{KILLS} kills, seed {SEED}', flush=True)
before = bed.traces()


class Early(Daemon):
    def until_forwarding(self):
        """It may not live that long."""


def churn():
    """Routes that come and go without end, in prefixes that no packet of the streams goes to."""
    routes = [f'100.{64 + i % 64}.{i // 64}.0/24' for i in range(ROUTES)] + [f'fd64:{i:x}::/48' for i in range(ROUTES)]
    lines = [f"{'-6 ' if ':' in route else ''}route {verb} {route}" +
             ('' if verb == 'delete' else f" via {'fd02::2' if ':' in route else '10.2.0.2'}")
             for verb in ('replace', 'delete') for route in routes]
    batch = f'/tmp/{bed.prefix}.batch'
    with open(batch, 'w') as out:
        out.write('\n'.join(lines) + '\n')
    return bed.spawn(bed.r, 'sh', '-c', f'while :; do ip -force -batch {batch} 2>/dev/null; sleep 0.2; done')


def whole(daemon):
    """Two links and the maps, each under its name."""
    pins = {pin.split('/', 2)[2] for pin in bed.pins()}
    links = {pin for pin in pins if pin.startswith('links/')}
    return len(links) == 2 and pins - links == {f'maps/{name}' for name in ('node', 'run', 'tables', 'counters', 'ports')}


def switch():
    """Asks for another mode and does not wait for the answer."""
    return subprocess.Popen([*bed.inside(bed.r), bed.penstock, 'mode', rng.choice(('r0', 'r1')), rng.choice(MODES)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


daemon = Daemon(bed, 'r0', 'r1')
for address in ('10.2.0.2', 'fd02::2'):
    until(lambda: bed.ping(bed.s, address, 1), f'ping {address}')
daemon.end(signal.SIGKILL)
streams = [Stream(bed, '10.2.0.2', 5001, RATE), Stream(bed, 'fd02::2', 5003, RATE)]
changing = churn()
when = {'at the start': 0, 'while routes change': 0, 'amid a change of mode': 0}
try:
    for _ in range(KILLS):
        moment = rng.choice(list(when))
        when[moment] += 1
        if moment == 'at the start':
            daemon = Early(bed, 'r0', 'r1')
            time.sleep(rng.uniform(0, 0.4))
        else:
            daemon = Daemon(bed, 'r0', 'r1')
            time.sleep(rng.uniform(0, 0.2))
        asked = []
        if moment == 'amid a change of mode':
            asked = [switch() for _ in range(rng.randrange(1, 4))]
            time.sleep(rng.uniform(0, 0.15))
        daemon.end(signal.SIGKILL)
        for each in asked:
            each.wait(60)
    daemon = Daemon(bed, 'r0', 'r1')
    until(lambda: whole(daemon), f'all pins in their places: {bed.pins()}', 10)
finally:
    changing.kill()
    changing.wait()
    bed.router('rm', '-f', f'/tmp/{bed.prefix}.batch')
results = [stream.end() for stream in streams]
assert all(result['lost'] == 0 and result['twice'] == 0 for result in results), results
kinds = ', '.join(f'{count} {moment}' for moment, count in when.items())
print(f"killed {kinds}: {sum(result['sent'] for result in results)} packets, none lost", flush=True)

# What the last one has is what the kernel has.
until(lambda: daemon.status()['mirror']['lag_us'] < 50000, 'the mirror is in step')
for _ in range(40):
    number = rng.randrange(ROUTES)
    address = rng.choice((f'100.{64 + number % 64}.{number // 64}.9', f'fd64:{number:x}::9'))
    source = 'fd01::2' if ':' in address else '10.1.0.2'

    def agree():
        told = json.loads(bed.command('lookup', address, 'from', 'r0', '-j').stdout)
        result = bed.router('ip', '-j', 'route', 'get', address, 'from', source, 'iif', 'r0', check=False)
        kernel = json.loads(result.stdout)[0].get('gateway') if result.returncode == 0 else None
        return (told['via'] if told['action'] == 'forward' else None) == kernel
    until(agree, f'{address} goes where Linux sends it', 10)
assert all(bed.programs(name) for name in ('r0', 'r1')) and daemon.port('r0')['mode'] == 'native'
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
print('the next one repairs what it finds, and leaves nothing')
