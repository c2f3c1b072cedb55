#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_changes.py PENSTOCK: routes, links, neighbours and frame sizes change under traffic.

Streams of numbered datagrams run over routes that do not change: none may be lost, doubled or go astray, while other
routes are added, replaced and deleted. After each change the data plane must answer as the kernel does. What Linux
answers by itself (traceroute, fragmentation needed) must still come from the router.
"""
import json
import random
import re
import sys
import time

from bed import Bed, Daemon, Stream, until

SEED = 20260703
ROUNDS = 40
ROUTES = 200

bed = Bed(sys.argv[1])
rng = random.Random(SEED)
print(f'seed {SEED}', flush=True)


def kernel_answer(address):
    """(gateway or None, interface) as `ip route get` has it for a packet that comes in by r0; None: not forwarded."""
    source = 'fd01::2' if ':' in address else '10.1.0.2'
    result = bed.router('ip', '-j', 'route', 'get', address, 'from', source, 'iif', 'r0', check=False)
    if result.returncode != 0:
        return None
    route = json.loads(result.stdout)[0]
    if route.get('type', 'unicast') != 'unicast' or route.get('dev') in ('lo', None):
        return None
    return route.get('gateway'), route['dev']


def answer(address):
    result = json.loads(bed.command('lookup', address, 'from', 'r0', '-j').stdout)
    return (result['via'], result['interface']) if result['action'] == 'forward' else None


def change_routes():
    """A batch of additions, replacements and deletions in 100.64.0.0/10 and fd64::/16, towards D and towards nobody."""
    lines = []
    for _ in range(ROUTES):
        verb = rng.choice(('replace', 'replace', 'replace', 'delete'))
        kind = rng.choice(('', '', '', 'blackhole ', 'unreachable '))
        if rng.random() < 0.5:
            length = rng.choice((16, 20, 24, 28, 32))
            base = rng.randrange(0x64400000, 0x64800000) >> (32 - length) << (32 - length)
            prefix = '.'.join(str(base >> shift & 255) for shift in (24, 16, 8, 0)) + f'/{length}'
            hop = '' if kind or verb == 'delete' else ' via 10.2.0.2'
            lines.append(f'route {verb} {"" if verb == "delete" else kind}{prefix}{hop}')
        else:
            prefix = f'fd64:{rng.randrange(64):x}::/{rng.choice((32, 48, 64))}'
            hop = '' if kind or verb == 'delete' else ' via fd02::2'
            lines.append(f'route {verb} {"" if verb == "delete" else kind}{prefix}{hop}')
    # Deleting what is not there fails, and the batch goes on.
    bed.router('sh', '-c', 'ip -force -batch - <<END\n' + '\n'.join(lines) + '\nEND\ntrue')


def in_step(daemon):
    before = daemon.status()['mirror']
    time.sleep(0.1)
    after = daemon.status()['mirror']
    return before['events'] == after['events'] and after['lag_us'] < 50000


def compare(count):
    for _ in range(count):
        if rng.random() < 0.5:
            address = f'100.{rng.randrange(64, 128)}.{rng.randrange(256)}.{rng.randrange(256)}'
        else:
            address = f'fd64:{rng.randrange(64):x}:{rng.randrange(4):x}::{rng.randrange(1, 9)}'
        until(lambda: answer(address) == kernel_answer(address),
              f'{address}: penstock {answer(address)}, kernel {kernel_answer(address)}', 2)


def routes_under_traffic(daemon):
    streams = [Stream(bed, '10.2.0.2', 5001, 2000), Stream(bed, 'fd02::2', 5003, 2000)]
    for _ in range(ROUNDS):
        change_routes()
    until(lambda: in_step(daemon), 'the mirror is in step')
    compare(60)
    for stream in streams:
        result = stream.end()
        print(f'{ROUNDS * ROUTES} route changes beside {result}')
        assert result['sent'] > 1000 and result['lost'] == 0 and result['twice'] == 0, result


def by_xdp(daemon, command):
    """Whether 20 pings were answered and XDP carried them all; the first ones of all may meet what is not known yet."""
    before = daemon.port('r0')['forwarded']
    answered = ' 20 received' in bed.router(*bed.inside(bed.s, *command), check=False).stdout
    return answered and daemon.port('r0')['forwarded'] >= before + 20


def link_flap(daemon):
    """Down: the routes go, without a word from the kernel. Up: traffic flows by XDP again."""
    bed.router('ip', 'route', 'add', '172.31.0.0/16', 'via', '10.2.0.2')
    until(lambda: answer('172.31.0.1') == ('10.2.0.2', 'r1'), 'the route')
    bed.router('ip', 'link', 'set', 'r1', 'down')
    until(lambda: answer('172.31.0.1') is None and answer('10.2.0.2') is None, 'nothing goes to the dead port', 2)
    compare(5)
    bed.router('ip', 'link', 'set', 'r1', 'up')
    until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping after the flap', 20)
    until(lambda: by_xdp(daemon, ['ping', '-c', '20', '-i', '0.02', '-q', '10.2.0.2']), 'XDP forwards again', 20)
    # IPv6 addresses go with the link.
    bed.router('ip', 'address', 'replace', 'fd02::1/64', 'dev', 'r1', 'nodad')
    until(lambda: bed.ping(bed.s, 'fd02::2', 1), 'IPv6 after the flap', 20)


def neighbour_move():
    """D gets another MAC address and the kernel learns it; packets follow within a second."""
    stream = Stream(bed, '10.2.0.2', 5005, 500)
    shown = json.loads(bed.router('ip', '-n', bed.d, '-j', 'link', 'show', 'd0').stdout)[0]['address']
    moved = shown[:-2] + f'{int(shown[-2:], 16) ^ 1:02x}'
    bed.router('ip', '-n', bed.d, 'link', 'set', 'd0', 'address', moved)
    for address in ('10.2.0.2', 'fd02::2'):
        bed.router('ip', 'neigh', 'replace', address, 'lladdr', moved, 'nud', 'reachable', 'dev', 'r1')
    until(lambda: moved in bed.command('lookup', '10.2.0.2', 'from', 'r0').stdout, 'the new MAC address', 1)
    time.sleep(1)
    result = stream.end()
    print(f'neighbour moved: {result}')
    assert result['received'] > 400, result


def traceroute():
    for address, hop in (('10.2.0.2', '10.1.0.1'), ('fd02::2', 'fd01::1')):
        command = ['traceroute', '-n', '-q', '1', '-w', '2', '-m', '3', address]
        out = bed.router(*bed.inside(bed.s, *command)).stdout
        assert re.search(rf'^ 1  {re.escape(hop)} ', out, re.M), out
        assert re.search(rf'^ 2  {re.escape(address)} ', out, re.M), out


def sizes(daemon):
    """Jumbo frames go through; what is too long for the egress is answered by Linux."""
    for where, device in ((bed.s, 's0'), (bed.r, 'r0'), (bed.r, 'r1'), (bed.d, 'd0')):
        bed.router('ip', '-n', where, 'link', 'set', device, 'mtu', '9000')
    until(lambda: daemon.forwards(), 'penstock forwards at MTU 9000')
    for address in ('10.2.0.2', 'fd02::2'):
        command = ['ping', '-c', '20', '-i', '0.02', '-M', 'do', '-s', '8900', '-q', address]
        until(lambda: by_xdp(daemon, command), f'XDP carries the jumbo frames to {address}', 20)
    bed.router('ip', 'link', 'set', 'r1', 'mtu', '1400')
    for address in ('10.2.0.2', 'fd02::2'):
        command = ['ping', '-c', '2', '-W', '1', '-M', 'do', '-s', '1500', address]
        def told():
            result = bed.router(*bed.inside(bed.s, *command), check=False)
            return re.search(r'mtu\s*[=:]\s*1400', result.stdout + result.stderr)
        until(told, f'{address}: the sender is told of MTU 1400', 10)


daemon = Daemon(bed, 'r0', 'r1')
for each in ('10.2.0.2', 'fd02::2'):
    until(lambda: bed.ping(bed.s, each, 1), f'ping {each}')
routes_under_traffic(daemon)
link_flap(daemon)
neighbour_move()
traceroute()
sizes(daemon)
assert daemon.end() == 0
