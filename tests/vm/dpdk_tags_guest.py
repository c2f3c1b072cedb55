#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""dpdk_tags_guest.py PENSTOCK: VLANs on ports in the hands of DPDK, in a guest whose kernel has them. The packet sockets
that DPDK reads from hand tags over beside the frames; sub-interfaces stand on the TAPs. Every byte of what arrives is
compared."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'netns'))
from bed import shell, until  # noqa: E402
from dpdk_bed import DpdkBed, DpdkDaemon  # noqa: E402
from wire import AD, Q, Wire, exchange, frame, packet  # noqa: E402

COUNT = 32
STATION = '02:00:00:00:00:21'
INTERFACES = (  # on a TAP, its name, its tag, the network
    ('dp0', 'dp0.10', (Q, 10), 10), ('dp1', 'dp1.20', (Q, 20), 20), ('dp1', 'dp1.300', (AD, 300), 30),
    ('dp1.300', 'dp1.300.40', (Q, 40), 40))
NEAR = {'untagged': ('10.1.0.2', 'fd01::2', ()), 'tagged': ('10.10.0.2', 'fd00:10::2', ((Q, 10),))}
FAR = {'untagged': ('10.2.0.2', 'fd02::2', ()), 'tagged': ('10.20.0.2', 'fd00:20::2', ((Q, 20),)),
       'tagged twice': ('10.40.0.2', 'fd00:40::2', ((AD, 300), (Q, 40)))}

shell('modprobe', 'tun')
bed = DpdkBed(sys.argv[1])
before = bed.traces()
label = 0


def mac_of(name, device):
    return json.loads(shell('ip', '-n', name, '-j', 'link', 'show', device).stdout)[0]['address']


def make_interfaces():
    lines = []
    for below, name, (tpid, vid), net in INTERFACES:
        protocol = '802.1ad' if tpid == AD else '802.1Q'
        lines += [f'link add link {below} name {name} type vlan protocol {protocol} id {vid}', f'link set {name} up',
                  f'address add 10.{net}.0.1/24 dev {name}', f'address add fd00:{net}::1/64 dev {name} nodad',
                  f'neighbour replace 10.{net}.0.2 lladdr {STATION} nud permanent dev {name}',
                  f'neighbour replace fd00:{net}::2 lladdr {STATION} nud permanent dev {name}']
    lines += [f'neighbour replace {address} lladdr {STATION} nud permanent dev dp1' for address in FAR['untagged'][:2]]
    bed.router('sh', '-c', 'ip -batch - <<END\n' + '\n'.join(lines) + '\nEND')


def count(reason):
    port = daemon.port('dp0')
    return port['forwarded'] if reason == 'forwarded' else sum(
        punt['packets'] for punt in port['punts'] if punt['reason'] == reason)


def send(source, destination, tags, expected):
    global label
    label += 1
    frames = [frame(macs['dp0'], macs['s0'], tags, packet(source, destination, 64, label, n)) for n in range(COUNT)]
    return exchange((s0, d0), s0, frames, expected)


def carried(what, near, far, family):
    """All arrive with the right tags, to the last byte of the packet, by the program."""
    def right():
        start = count('forwarded')
        got = send(near[family], far[family], near[2], COUNT)
        wanted = sorted(frame(STATION, macs['dp1'], far[2], packet(near[family], far[family], 63, label, n)).rstrip(b'\0')
                        for n in range(COUNT))
        assert not got['s0'] and len(got['d0']) <= COUNT, got
        if len(got['d0']) < COUNT:  # by the kernel, or lost, while it is not yet in the tables
            return False
        frames = sorted(data.rstrip(b'\0') for data in got['d0'])
        for came, should in zip(frames, wanted):
            assert came == should, f'{what}:\n  came   {came.hex()}\n  wanted {should.hex()}'
        return count('forwarded') - start == COUNT
    until(right, f'{what}, by the program')
    print(f'ok    {what}', flush=True)


def check_unknown():
    start = count('tag-unknown')
    got = send('10.1.0.2', '10.2.0.2', ((Q, 11),), 0)
    assert not got['s0'] and not got['d0'], got
    until(lambda: count('tag-unknown') - start == COUNT, 'an unknown tag goes to the kernel')
    print('ok    an unknown tag goes nowhere', flush=True)


def check_kernel():
    """The exception path has the tags, too: the router answers on its sub-interface, and asks."""
    lines = ('link add link s0 name s0.10 type vlan id 10', 'link set s0.10 up', 'address add 10.10.0.3/24 dev s0.10',
             'address add fd00:10::3/64 dev s0.10 nodad')
    shell(*bed.inside(bed.s, 'sh', '-c', 'ip -batch - <<END\n' + '\n'.join(lines) + '\nEND'))
    for where, address in ((bed.s, '10.10.0.1'), (bed.s, 'fd00:10::1'), (bed.r, '10.10.0.3'), (bed.r, 'fd00:10::3')):
        until(lambda: bed.ping(where, address, 3), f'ping {address}')
    print('ok    the router answers and asks on a sub-interface', flush=True)


daemon = DpdkDaemon(bed)
make_interfaces()
macs = {name: mac_of(where, name) for where, name in ((bed.r, 'dp0'), (bed.r, 'dp1'), (bed.s, 's0'))}
s0, d0 = Wire(bed.s, 's0'), Wire(bed.d, 'd0')
for number in (0, 1):
    for here, near in NEAR.items():
        for there, far in FAR.items():
            carried(f'IPv{4 + 2 * number}: {here} to {there}', near, far, number)
check_unknown()
check_kernel()
run = json.loads(bed.command('audit', '200', '-j').stdout)['run']
assert run['differences'] == 0 and run['same'] > 0, run
assert daemon.end() == 0
assert bed.traces() == before, f'left {bed.traces() - before}'
