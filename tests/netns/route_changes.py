#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""route_changes.py PENSTOCK native|generic|afxdp|dpdk: routes change by the thousand under live traffic, in one engine.

Four flows, watched at the far end frame by frame. Two (IPv4, IPv6) have routes that stay, while routes around them, above
them and beside them come and go: every datagram must arrive, once, at their station. Two have a route that moves to and fro
between two gateways: every datagram must arrive, once, at one of the two, and after the last change at the last one only.
"""
import json
import signal
import sys
import time

from bed import HERE, WAIT_S, Bed, Daemon, Stream, scaled, shell, until
from dpdk_bed import DpdkBed, DpdkDaemon

STEADY, MOVING = ('10.2.0.2', 'fd02::2'), ('10.9.0.1', 'fd09::1')
GATEWAYS = (('10.2.0.3', '10.2.0.4'), ('fd02::3', 'fd02::4'))
STATIONS = ('02:00:00:00:09:03', '02:00:00:00:09:04')
RATE = 1000
ROUNDS = 100  # a batch of each
SECONDS = 5

mode = sys.argv[2]
bed = (DpdkBed if mode == 'dpdk' else Bed)(sys.argv[1])
egress = 'dp1' if mode == 'dpdk' else 'r1'


def start():
    if mode == 'dpdk':
        return DpdkDaemon(bed)
    config = f'/tmp/{bed.prefix}.yaml'
    with open(config, 'w') as out:
        out.write(f'mode: {mode}\n')
    return Daemon(bed, '-c', config, 'r0', 'r1')


def batch(lines):
    bed.router('sh', '-c', 'ip -batch - <<END\n' + '\n'.join(lines) + '\nEND')


def make_gateways():
    batch([f'neigh replace {gateway} lladdr {station} nud permanent dev {egress}'
           for family in GATEWAYS for gateway, station in zip(family, STATIONS)])


def change_of(number):
    """A round of changes: the moving routes, and what covers or neighbours all destinations, also by what it is."""
    four, six = (family[number % 2] for family in GATEWAYS)
    lines = [f'route replace {MOVING[0]}/32 via {four}', f'route replace {MOVING[1]}/128 via {six}',
             f'route replace 10.0.0.0/8 via {four}', f'route replace fd00::/8 via {six}',
             f'route replace {"blackhole" if number % 3 == 0 else "unreachable"} 10.9.0.0/16',
             f'route replace fd09::/{32 + number % 32} via {six}']
    if number % 2:
        lines += [f'route replace 10.2.{1 + number % 200}.0/24 via {four}', f'route replace 10.9.0.{2 + number % 200}/32 via {four}']
    else:
        lines += [f'route delete 10.2.{1 + (number - 1) % 200}.0/24', f'route delete 10.9.0.{2 + (number - 1) % 200}/32',
                  f'route delete fd09::/{32 + (number - 1) % 32}'] if number else []
    return lines


def change_routes():
    """Returns how many changes there were; the last of them lead to the second gateways."""
    end = time.monotonic() + SECONDS * scaled(1, 60)
    count = number = 0
    while time.monotonic() < end or number % 2:
        lines = [line for step in range(ROUNDS) for line in change_of(number + step)]
        batch(lines)
        count += len(lines)
        number += ROUNDS
    return count


class Watched:
    """The flows with a witness."""

    def __init__(self):
        self.witness = bed.spawn(bed.d, sys.executable, '-B', f'{HERE}/witness.py', 'd0', *STEADY, *MOVING)
        assert self.witness.stdout.readline() == 'ready\n'
        self.steady = {address: Stream(bed, address, 5001 + 2 * number, RATE) for number, address in enumerate(STEADY)}
        self.moving = {address: bed.spawn(bed.s, sys.executable, '-B', f'{HERE}/stream.py', 'send', address, '5005', str(RATE))
                       for address in MOVING}
        assert all(sender.stdout.readline() == 'ready\n' for sender in self.moving.values())

    def end(self):
        """What each address was sent and got."""
        sent = {}
        for address, stream in self.steady.items():
            result = stream.end()
            assert result['lost'] == 0 and result['twice'] == 0, f'{address}: {result}'
            sent[address] = result['sent']
        for address, sender in self.moving.items():
            sender.send_signal(signal.SIGTERM)
            sent[address] = json.loads(sender.communicate(timeout=WAIT_S)[0])['sent']
        time.sleep(0.3)  # what is under way arrives
        self.witness.send_signal(signal.SIGTERM)
        seen = json.loads(self.witness.communicate(timeout=WAIT_S)[0])
        for address, count in sent.items():
            assert count > 100, sent
            assert seen[address]['received'] == count and seen[address]['twice'] == 0, f'{address}: {count} sent, {seen[address]}'
        return {address: seen[address]['macs'] for address in sent}


def check_places(macs, stations):
    """Nothing went to who should not have it."""
    own = json.loads(shell('ip', '-n', bed.d, '-j', 'link', 'show', 'd0').stdout)[0]['address']
    for address in STEADY:
        assert set(macs[address]) == {own}, f'{address}: {macs[address]}'
    for address in MOVING:
        assert set(macs[address]) == set(stations), f'{address}: {macs[address]}'


def looked_up(address):
    result = json.loads(bed.command('lookup', address, '-j').stdout)
    return result['via'] if result['action'] == 'forward' else None


daemon = start()
make_gateways()
batch(change_of(0))
for each in STEADY:
    until(lambda: bed.ping(bed.s, each, 1), f'ping {each}')
for each, family in zip(MOVING, GATEWAYS):
    until(lambda: looked_up(each) == family[0], f'{each} in the data plane')
before = sum(port['forwarded'] for port in daemon.status()['ports'])
watched = Watched()
changes = change_routes()
macs = watched.end()
check_places(macs, STATIONS)
carried = sum(port['forwarded'] for port in daemon.status()['ports']) - before
total = sum(count for address in macs.values() for count in address.values())
assert carried > 0.9 * total, f'{carried} of {total} by the engine'
for each, family in zip(MOVING, GATEWAYS):
    until(lambda: looked_up(each) == family[1], f'{each} after the last change')
watched = Watched()
time.sleep(1)
check_places(watched.end(), STATIONS[1:])
run = json.loads(bed.command('audit', '2000', '-j').stdout)['run']
assert run['differences'] == 0 and run['same'] > 0, run
assert daemon.port('r0' if mode != 'dpdk' else 'dp0')['mode'] == mode
print(f'{mode}: {changes} route changes under traffic; {total} datagrams of 4 flows, none lost, none at a wrong station; '
      f'{carried} by the engine')
assert daemon.end() == 0
