#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""router_guest.py SERIES PENSTOCK: the daemon in a guest, between two hosts, with VLANs, VRFs and next-hop groups,
and with two network cards that take VLAN tags out of frames (vm run --nics e1000).

Each case sends numbered datagrams and compares every byte of what arrives with what a router makes of them. Where the
program must carry them, the port's counter must have grown by just their number.
"""
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'netns'))
from bed import RUN, Bed, Daemon, until  # noqa: E402
from wire import AD, Q, Wire, exchange, frame, mark_of, packet, tags_of  # noqa: E402

COUNT = 16
TTL = 64
ROUTER_MACS = {'r0': '02:00:00:00:00:10', 'r1': '02:00:00:00:00:11', 'n0': '02:00:00:00:00:12'}
HOST_MACS = {'s0': '02:00:00:00:00:20', 'd0': '02:00:00:00:00:21', 'n1': '02:00:00:00:00:22'}
FLOWS = 320

series = sys.argv[1]
bed = Bed(sys.argv[2])
label = 0


def batch(name, text):
    """Many commands of ip, one start of it."""
    subprocess.run(['ip', '-n', name, '-batch', '-'], input=text, text=True, check=True)


def router(text):
    batch(bed.r, text)


def sysctl(name, value):
    bed.router('sysctl', '-qw', f'{name}={value}')


class GuestDaemon(Daemon):
    """Asks the socket itself: programs start slowly here."""

    def ask(self, what):
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(10)
                sock.connect(glob.glob(f'{RUN}/*.sock')[0])
                sock.sendall(f'GET /v1/{what} HTTP/1.0\r\nHost: penstock\r\n\r\n'.encode())
                answer = b''.join(iter(lambda: sock.recv(65536), b''))
        except (OSError, IndexError):
            return None
        return json.loads(answer.partition(b'\r\n\r\n')[2])

    def status(self):
        return self.ask('status')

    def counted(self, reason):
        """Packets so far that came in by the entry and had this fate."""
        return sum(counter['packets'] for counter in self.ask('counters')['counters']
                   if (counter['interface'], counter['reason']) == (entry, reason))

    def forwarded(self):
        return self.counted('forwarded')


class Way:
    """In by these tags from this source; out to this destination with these tags to this station."""

    def __init__(self, source, destination, tags_in=(), tags_out=(), station=HOST_MACS['d0'], padded=True):
        self.source, self.destination = source, destination
        self.tags_in, self.tags_out, self.station, self.padded = tags_in, tags_out, station, padded

    def sent(self, number):
        content = packet(self.source, self.destination, TTL, label, number)
        data = frame(ROUTER_MACS[entry], HOST_MACS[sender.device], self.tags_in, content)
        return data if self.padded else data[:14 + 4 * len(self.tags_in) + len(content)]

    def wanted(self, number):
        content = packet(self.source, self.destination, TTL - 1, label, number)
        return frame(self.station, ROUTER_MACS['r1'], self.tags_out, content)


def send(way, expected=COUNT):
    """What came out of each wire."""
    global label
    label += 1
    return exchange(wires, sender, [way.sent(number) for number in range(COUNT)], expected)


def content(data):
    """Without the padding of shortest frames, of which a change of tags leaves more or less."""
    tags = 4 * len(tags_of(data))
    ip = data[14 + tags:]
    length = int.from_bytes(ip[2:4], 'big') if ip[0] >> 4 == 4 else 40 + int.from_bytes(ip[4:6], 'big')
    assert not any(ip[length:]), f'padding is not zero: {data.hex()}'
    return data[:14 + tags + length]


def arrives(what, way):
    """All arrive, once, right to the last byte, and nowhere else."""
    got = send(way)
    frames = sorted(map(content, got.pop('d0')))
    wanted = sorted(content(way.wanted(number)) for number in range(COUNT))
    assert not any(got.values()), f'{what}: came out elsewhere: {got}'
    assert len(frames) == len(wanted), f'{what}: {len(frames)} of {len(wanted)} arrived'
    for one, two in zip(frames, wanted):
        assert one == two, f'{what}:\n  came   {one.hex()}\n  wanted {two.hex()}'


def carried(what, way, soon=False):
    """They arrive, and the program carried each of them. soon: at first the kernel may."""
    def all_by_program():
        start = daemon.forwarded()
        arrives(what, way)
        grown = daemon.forwarded() - start
        assert grown <= COUNT, f'{what}: {grown} forwarded of {COUNT}'
        return grown == COUNT

    if soon:
        until(all_by_program, f'{what}: forwarded by the program')
    else:
        before = punts()
        assert all_by_program(), f'{what}: not by the program: before {before}, after {punts()}'
    print(f'ok    {what}', flush=True)


def punted(what, way, reason):
    """They arrive, and the kernel carried them for this reason."""
    start, before = daemon.forwarded(), daemon.counted(reason)
    arrives(what, way)
    assert daemon.forwarded() == start, f'{what}: the program forwarded'
    assert daemon.counted(reason) - before == COUNT, f'{what}: {punts()}'
    print(f'ok    {what}', flush=True)


def stopped(what, way, reason=None, soon=False):
    """Nothing arrives anywhere; the program names the reason."""
    def none():
        before, start = daemon.counted(reason) if reason else 0, daemon.forwarded()
        got = send(way, 0)
        right = not any(got.values()) and daemon.forwarded() == start
        right = right and (not reason or daemon.counted(reason) - before == COUNT)
        assert right or soon, f'{what}: {got} {punts()}'
        return right

    until(none, what)
    print(f'ok    {what}', flush=True)


def punts():
    counters = daemon.ask('counters')['counters']
    return {counter['reason']: counter['packets'] for counter in counters if counter['interface'] == entry}


def tag(vid, tpid=Q, priority=0):
    return tpid, priority << 13 | vid


# Before the daemon: the way things are when it starts.


def station(vid):
    return f'02:00:00:00:{vid >> 8:02x}:{vid & 0xff:02x}'


def sub(device, name, vid, net, more='', master=None):
    """A sub-interface with 10.NET.0.1 and fd00:NET::1, and on the far side a neighbour 2 for r1's."""
    text = f'link add link {device} name {name} type vlan id {vid} {more}\n'
    text += f'link set {name} master {master}\n' if master else ''
    text += f'link set {name} up\naddress add 10.{net}.0.1/24 dev {name}\n'
    text += f'address add fd00:{net}::1/64 dev {name} nodad\n'
    return text + (neighbours(name, vid, net) if name.startswith('r1') else '')


def neighbours(name, vid, net):
    return ''.join(f'neighbour replace {address} lladdr {station(vid)} nud permanent dev {name}\n'
                   for address in (f'10.{net}.0.2', f'fd00:{net}::2'))


def make_stations():
    for name in (bed.s, bed.d):  # hosts that ask for routers, or tell of groups, would be counted, too
        subprocess.run(bed.inside(name, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1',
                                  'net.ipv6.conf.default.disable_ipv6=1'), check=True)
    text = ''.join(f'link set {name} address {address}\n' for name, address in ROUTER_MACS.items() if name != 'n0')
    router(text + ''.join(f'neighbour replace {address} lladdr {HOST_MACS[host]} nud permanent dev {name}\n'
                          for address, host, name in (('10.2.0.2', 'd0', 'r1'), ('fd02::2', 'd0', 'r1'),
                                                      ('10.1.0.2', 's0', 'r0'), ('fd01::2', 's0', 'r0'))))
    for name, device in ((bed.s, 's0'), (bed.d, 'd0')):
        batch(name, f'link set {device} address {HOST_MACS[device]}\n')


def make_vlans():
    router(sub('r0', 'r0.10', 10, 10) + sub('r1', 'r1.20', 20, 20) +
           'link add link r0 name r0.100 type vlan protocol 802.1ad id 100\nlink set r0.100 up\n' +
           sub('r0.100', 'r0.100.200', 200, 42) +
           'link add link r1 name r1.300 type vlan protocol 802.1ad id 300\nlink set r1.300 up\n' +
           sub('r1.300', 'r1.300.400', 400, 40) +
           sub('r1', 'r1.30', 30, 30, 'egress-qos-map 0:5'))


VRFS = {'red': 101, 'blue': 102, 'green': 103}


def make_vrfs():
    """Each VRF: r0.10x in, r1.20x out, the same addresses in all."""
    text = ''
    for name, number in VRFS.items():
        text += f'link add {name} type vrf table {number}\nlink set {name} up\n'
        text += sub('r0', f'r0.{number}', number, 50, master=name)
        text += sub('r1', f'r1.{number + 100}', number + 100, 60, master=name)
        text += f'route add 10.61.0.0/16 vrf {name} via 10.60.0.2\nroute add fd00:61::/32 vrf {name} via fd00:60::2\n'
    text += 'route add 10.62.0.0/16 vrf blue via 10.60.0.2\nroute add fd00:62::/32 vrf blue via fd00:60::2\n'
    router(text)


# VLAN.

UNTAGGED4, UNTAGGED6 = ('10.1.0.2', '10.2.0.2'), ('fd01::2', 'fd02::2')
QINQ_IN, QINQ_OUT = (tag(100, AD), tag(200)), (tag(300, AD), tag(400))


def host(net, family):
    return f'10.{net}.0.2' if family == 4 else f'fd00:{net}::2'


def check_tags():
    for family, (near, far) in ((4, UNTAGGED4), (6, UNTAGGED6)):
        for what, source, destination, tags_in, tags_out, to in (
            ('untagged to untagged', near, far, (), (), None),
            ('tagged to another tag', host(10, family), host(20, family), (tag(10),), (tag(20),), station(20)),
            ('tagged to untagged', host(10, family), far, (tag(10),), (), None),
            ('untagged to tagged', near, host(20, family), (), (tag(20),), station(20)),
            ('the priority of what comes in is not passed on', host(10, family), host(20, family),
             (tag(10, priority=5),), (tag(20),), station(20)),
            ('a priority tag, VID 0, is untagged', near, far, (tag(0, priority=5),), (), None),
            ('QinQ to untagged', host(42, family), far, QINQ_IN, (), None),
            ('untagged to QinQ', near, host(40, family), (), QINQ_OUT, station(400)),
            ('QinQ to tagged', host(42, family), host(20, family), QINQ_IN, (tag(20),), station(20)),
            ('QinQ to QinQ', host(42, family), host(40, family), QINQ_IN, QINQ_OUT, station(400)),
        ):
            carried(f'IPv{family}: {what}', Way(source, destination, tags_in, tags_out, to or HOST_MACS['d0']))


def check_unknown_tags():
    for what, tags in (('VID', (tag(11),)), ('VID of 802.1ad', (tag(10, AD),)), ('inner VID', (tag(100, AD), tag(11))),
                       ('inner tag above a sub-interface', (tag(10), tag(11)))):
        for family, (near, far) in ((4, UNTAGGED4), (6, UNTAGGED6)):
            stopped(f'IPv{family}: an unknown {what} goes nowhere', Way(near, far, tags), 'tag-unknown')


def check_live_tags():
    """Added, down, up and removed while frames could come."""
    way = Way('10.11.0.2', '10.20.0.2', (tag(11),), (tag(20),), station(20))
    router(sub('r0', 'r0.11', 11, 11))
    carried('a VLAN added while running', way, soon=True)
    router('link set r0.11 down\n')
    stopped('a sub-interface that is down', way, 'ingress-down', soon=True)
    router('link set r0.11 up\n')
    carried('the same, up again', way, soon=True)
    router('link delete r0.11\n')
    stopped('a VLAN removed while running', way, 'tag-unknown', soon=True)

    way = Way('10.1.0.2', '10.21.0.2', (), (tag(21),), station(21))
    router(sub('r1', 'r1.21', 21, 21))
    carried('a VLAN added while running, as egress', way, soon=True)
    router('link set r1.21 down\n')
    stopped('an egress sub-interface that is down', way, soon=True)
    router('link set r1.21 up\n' + neighbours('r1.21', 21, 21).splitlines()[0] + '\n')
    carried('an egress sub-interface up again', way, soon=True)
    router('link delete r1.21\n')
    stopped('a VLAN removed, as egress', way, soon=True)


def check_priorities():
    way = Way('10.1.0.2', '10.30.0.2', (), (tag(30, priority=5),), station(30))
    punted('a VLAN with an egress QoS map is left to the kernel', way, 'egress-unable')


# VRF.


def vrf_way(name, destination, out=None, source=50, family=4):
    """In by the VRF's sub-interface, out by that of the VRF `out`."""
    vid = VRFS[out or name] + 100
    return Way(host(source, family), destination, (tag(VRFS[name]),), (tag(vid),), station(vid))


def check_vrfs():
    for name in VRFS:
        for family, far, net in ((4, '10.61.7.7', '10.62.7.7'), (6, 'fd00:61::77', 'fd00:62::77')):
            carried(f'IPv{family}, {name}: on link', vrf_way(name, host(60, family), family=family))
            carried(f'IPv{family}, {name}: by a route that all have', vrf_way(name, far, family=family))
            if name == 'blue':
                carried(f'IPv{family}, {name}: by a route of its own', vrf_way(name, net, family=family))
            else:
                stopped(f'IPv{family}, {name}: not by a route of another', vrf_way(name, net, family=family), 'no-route')
    stopped('main: not by a route of a VRF', Way('10.1.0.2', '10.61.7.7'), 'no-route')


def check_leaks():
    router('route add 10.70.0.0/16 vrf red via 10.60.0.2 dev r1.202\n' +
           'route add 10.71.0.0/16 vrf red via 10.2.0.2 dev r1\n' +
           'route add 10.72.0.0/16 via 10.60.0.2 dev r1.201\n')
    carried('a route that leaks from red to blue', vrf_way('red', '10.70.1.1', 'blue'), soon=True)
    stopped('it is not in green', vrf_way('green', '10.70.1.1'), 'no-route')
    carried('a route that leaks from red to main', Way('10.50.0.2', '10.71.1.1', (tag(101),)), soon=True)
    carried('a route that leaks from main to red', Way('10.1.0.2', '10.72.1.1', (), (tag(201),), station(201)), soon=True)
    router('route delete 10.70.0.0/16 vrf red\n')
    stopped('a leak that is closed', vrf_way('red', '10.70.1.1'), 'no-route', soon=True)


def check_moves():
    router('link set r0.101 master blue\n')
    carried('an interface moved from red to blue', vrf_way('red', '10.62.7.7', 'blue'), soon=True)
    carried('it sees the routes of blue only', vrf_way('red', '10.61.7.7', 'blue'))
    router('link set r0.101 nomaster\n')
    stopped('an interface moved out of all VRFs', vrf_way('red', '10.61.7.7'), 'no-route', soon=True)
    router('link set r0.101 master red\n')
    carried('an interface moved back to red', vrf_way('red', '10.61.7.7'), soon=True)
    router('link delete green\n')
    stopped('a VRF removed', vrf_way('green', '10.61.7.7'), 'no-route', soon=True)


# Next-hop groups.

MEMBERS = {number: f'02:00:00:00:aa:{number:02x}' for number in (11, 12, 13, 14)}


def spread(net, program=True):
    """Where each flow goes: {flow: member}. Each must arrive, right, by the program."""
    global label
    label += 1
    way = Way('10.1.0.2', f'10.{net}.1.1')
    members = {bytes.fromhex(address.replace(':', '')): number for number, address in MEMBERS.items()}
    start = daemon.forwarded()
    got = exchange(wires, sender, [way.sent(number) for number in range(FLOWS)], FLOWS)
    assert not got['s0'] and len(got['d0']) == FLOWS, f'{len(got["d0"])} of {FLOWS} arrived'
    flows = {}
    for data in got['d0']:
        number = mark_of(data)[1]
        flows[number] = members[data[:6]]
        way.station = MEMBERS[flows[number]]
        assert content(data) == content(way.wanted(number)), data.hex()
    assert len(flows) == FLOWS
    return flows if daemon.forwarded() - start == FLOWS or not program else None


def share(flows, member, low, high):
    part = Counter(flows.values())[member] / FLOWS
    assert low < part < high, f'member {member} has {part:.3f} of the flows: {Counter(flows.values())}'


def moved(before, after, gone):
    """Just the flows of the member that is gone have moved."""
    strays = {flow for flow in before if before[flow] != after[flow] and before[flow] != gone}
    assert not strays, f'{len(strays)} flows moved without need'
    assert gone not in after.values()


def check_groups():
    text = ''.join(f'neighbour replace 10.2.0.{number} lladdr {address} nud permanent dev r1\n'
                   f'nexthop add id {number} via 10.2.0.{number} dev r1\n' for number, address in MEMBERS.items())
    router(text + 'nexthop add id 100 group 11/12/13/14 type resilient buckets 128\nroute add 10.80.0.0/16 nhid 100\n'
           'route add 10.81.0.0/16 nexthop via 10.2.0.11 weight 1 nexthop via 10.2.0.12 weight 3\n')
    four = until(lambda: spread(80), 'the group is used by the program')
    for member in MEMBERS:
        share(four, member, 0.15, 0.36)
    assert spread(80) == four, 'flows stay where they are'
    print(f'ok    a resilient group spreads flows: {dict(Counter(four.values()))}')

    router('nexthop replace id 100 group 11/13/14 type resilient buckets 128\n')
    three = until(lambda: (flows := spread(80)) and 12 not in flows.values() and flows, 'no flow goes to member 12')
    moved(four, three, 12)
    print('ok    a member left out of the group: its flows move, no other')
    router('nexthop delete id 13\n')
    two = until(lambda: (flows := spread(80)) and 13 not in flows.values() and flows, 'no flow goes to member 13')
    moved(three, two, 13)
    print('ok    a member deleted: its flows move, no other')
    router('nexthop replace id 100 group 11/12/14 type resilient buckets 128\n')
    again = until(lambda: (flows := spread(80)) and 12 in flows.values() and flows, 'flows go to member 12 again')
    strays = [flow for flow in two if again[flow] not in (two[flow], 12)]
    assert not strays, f'{len(strays)} flows moved to a member that is not new'
    print(f'ok    a member comes back: {dict(Counter(again.values()))}')

    weighted = until(lambda: spread(81), 'the multipath route is used by the program')
    share(weighted, 12, 0.65, 0.85)
    print(f'ok    a multipath route follows its weights: {dict(Counter(weighted.values()))}')


# What the kernel does not tell.


def check_plan():
    document = json.loads(bed.command('plan', '-j', 'r0', 'r1').stdout)
    text = bed.command('plan', 'r0', 'r1').stdout
    tells = series != '6.1'
    platform = document['platform']
    assert platform['tells_features'] == tells, platform
    assert series == 'backports' or platform['kernel'].startswith(f'{series}.'), platform
    for port in document['ports']:
        assert port['mode'] == 'native' and port['reason'] and port['egress']['possible'], port
        assert (port['facts']['xdp_features'] is not None) == tells, port['facts']
    for port in daemon.status()['ports']:
        assert port['mode'] == 'native' and port['why'] and port['egress']['possible'], port
    print(f'ok    plan and run decide {"with" if tells else "without"} the kernel telling features:')
    print('\n'.join(f'      | {line}' for line in text.splitlines()))


def check_egress():
    """GRO off at the far end: redirected frames would be lost there, and no feature flag says so on 6.1."""
    way = Way(*UNTAGGED4)
    subprocess.run(bed.inside(bed.d, 'ethtool', '-K', 'd0', 'gro', 'off'), check=True)
    until(lambda: not daemon.port('r1')['egress']['possible'], 'r1 is known to take no frames')
    egress = daemon.port('r1')['egress']
    assert 'neither XDP nor GRO' in egress['reason'] and 'gro on' in egress['fix'], egress
    plan = json.loads(bed.command('plan', '-j', 'r1').stdout)['ports'][0]['egress']
    assert not plan['possible'] and plan['reason'] == egress['reason'], plan
    punted('an egress whose far end takes no frames is named, and loses nothing', way, 'egress-unable')
    subprocess.run(bed.inside(bed.d, 'ethtool', '-K', 'd0', 'gro', 'on'), check=True)
    carried('GRO on again', way, soon=True)


# Tags that travel beside the frames, where XDP cannot see them.


def hide_tags(name, device, on):
    subprocess.run(bed.inside(name, 'ethtool', '-K', device, 'txvlan', on, 'tx-vlan-stag-hw-insert', on), check=True)


def offloads(name, device):
    lines = subprocess.run(bed.inside(name, 'ethtool', '-k', device), check=True, stdout=subprocess.PIPE, text=True).stdout
    words = dict(line.split(':', 1) for line in lines.splitlines() if ':' in line)
    return [words[offload].split()[0] for offload in ('tx-vlan-offload', 'tx-vlan-stag-hw-insert')]


def red_way():
    return Way('10.50.0.2', '10.61.7.7', (tag(VRFS['red']),), (tag(VRFS['red'] + 100),), station(VRFS['red'] + 100))


def by_device(way):
    """The same, sent by a VLAN device of the host: the outer tag is beside the frame."""
    return Way(way.source, way.destination, way.tags_in[1:], way.tags_out, way.station, padded=False)


def check_hidden_tags():
    global sender
    batch(bed.s, f'link add link s0 name s0.v type vlan id {VRFS["red"]}\nlink set s0.v address {HOST_MACS["s0"]} up\n')
    hidden = Wire(bed.s, 's0.v')
    HOST_MACS['s0.v'] = HOST_MACS['s0']
    assert daemon.port('r0')['tags']['in_frame'], 'promised by the configuration'
    sender = hidden
    carried('a VLAN device at the other end, whose tags are in the frames', by_device(red_way()))
    run_with('', 'r0', 'r1')
    looks = series == '6.1'  # and not, where the daemon has no right to
    until(lambda: len(send(by_device(red_way()))['d0']) == COUNT, 'packets flow')
    if looks:
        carried('the same, as the daemon sees', by_device(red_way()), soon=True)
    else:
        punted('the same, but nobody has promised it', by_device(red_way()), 'tag-hidden')
    hide_tags(bed.s, 's0', 'on')
    tags = until(lambda: not (tags := daemon.port('r0')['tags'])['in_frame'] and tags, 'tags may be hidden')
    assert f'ethtool -K {"s0" if looks else "PEER"} txvlan off' in tags['fix'], tags
    status = bed.command('status').stdout
    assert 'VLANs: all packets that come in go to the kernel' in status and tags['fix'] in status, status
    plan = bed.command('plan', 'r0').stdout
    assert 'txvlan off' in plan and 'goes to the kernel' in plan, plan
    punted('a tag beside the frame', by_device(red_way()), 'tag-hidden')
    sender = s0
    punted('no tag, where one could be beside the frame', Way(*UNTAGGED4), 'tag-hidden')
    punted('no tag, IPv6', Way(*UNTAGGED6), 'tag-hidden')
    punted('a tag in the frame, where another could be beside it', red_way(), 'tag-hidden')
    hide_tags(bed.s, 's0', 'off')
    if looks:
        carried('tags in the frames again: none', Way(*UNTAGGED4), soon=True)
        carried('tags in the frames again: one', red_way())
        sender = hidden
        carried('tags in the frames again: one by a VLAN device', by_device(red_way()))
        sender = s0


def run_with(text, *ports):
    """A daemon with this configuration, in place of the one that runs."""
    global daemon
    if daemon and daemon.process.poll() is None:
        assert daemon.end() == 0
    path = f'/tmp/{bed.prefix}.yaml'
    with open(path, 'w') as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    daemon = GuestDaemon(bed, '-c', path, *ports)
    os.unlink(path)


def check_what_the_kernel_does():
    """Both hooks see such a frame without its tag: why all must go to the kernel. A kernel that puts tags into frames
    for XDP fails here."""
    global sender
    hidden = Wire(bed.s, 's0.v')
    hide_tags(bed.s, 's0', 'on')
    for mode in ('native', 'generic'):
        run_with(f'mode: {mode}\nports:\n- {{ interface: r0, tags: in-frame }}\n- {{ interface: r1 }}\n')
        until(lambda: len(send(Way(*UNTAGGED4))['d0']) == COUNT, 'packets flow')
        carried(f'{mode}: the configuration promises tags in the frames', red_way(), soon=True)
        sender = hidden
        punted(f'{mode}: a tag beside the frame is not seen', by_device(red_way()), 'no-route')
        sender = s0
        run_with(f'mode: {mode}\n', 'r0', 'r1')
        sender = hidden
        punted(f'{mode}: a tag beside the frame is known to be possible', by_device(red_way()), 'tag-hidden')
        sender = s0
    hide_tags(bed.s, 's0', 'off')


def check_tags_of_our_own():
    """Both ends of a veth in the router: the daemon sees to it that tags are in the frames, and undoes it."""
    router('link add x0 type veth peer name x1\nlink set x0 up\nlink set x1 up\n')
    for number in (signal.SIGKILL, signal.SIGTERM):
        run_with('', 'x0', 'r1')
        assert offloads(bed.r, 'x1') == ['on', 'on'] or number == signal.SIGTERM
        if number == signal.SIGKILL:
            router('link add link x0 name x0.5 type vlan id 5\nlink set x0.5 up\n')
        until(lambda: offloads(bed.r, 'x1') == ['off', 'off'], 'tags of x1 are in the frames')
        until(lambda: 'x1' in daemon.port('x0')['tags']['reason'], 'that is known')
        assert daemon.port('x0')['tags']['in_frame']
        plan = json.loads(bed.command('plan', '-j', 'x0').stdout)['ports'][0]
        assert not plan['change'], plan['change']
        daemon.end(number)
        assert offloads(bed.r, 'x1') == (['on', 'on'] if number == signal.SIGTERM else ['off', 'off'])
    plan = json.loads(bed.command('plan', '-j', 'x0').stdout)['ports'][0]
    assert plan['change'] == 'txvlan of x1 off, so that VLAN tags stay in the frames', plan['change']
    router('link delete x0\n')
    print('ok    txvlan of our own other end is off while VLANs need it, and on again after it')


# Network cards that take tags out of frames, where XDP cannot see them.


def rxvlan():
    lines = bed.router('ethtool', '-k', 'n0').stdout.splitlines()
    return next(line.split()[1] for line in lines if line.startswith('rx-vlan-offload:'))


def make_card():
    """n0 in R and n1 in S; their VLAN 50 is in the VRF red, whose routes differ from those of main."""
    subprocess.run(['modprobe', 'e1000'], check=True)
    until(lambda: os.path.exists('/sys/class/net/eth1'), 'two network cards')
    subprocess.run(['ip', '-batch', '-'], check=True, text=True,
                   input=f'link set eth0 name n0 netns {bed.r}\nlink set eth1 name n1 netns {bed.s}\n')
    batch(bed.s, f'link set n1 address {HOST_MACS["n1"]} up\n')
    router(f'link set n0 address {ROUTER_MACS["n0"]} up\n' + sub('n0', 'n0.50', 50, 90, master='red') +
           'route add 10.63.0.0/16 vrf red via 10.60.0.2\nroute add 10.63.0.0/16 via 10.2.0.2\n')
    until(lambda: 'LOWER_UP' in bed.router('ip', 'link', 'show', 'dev', 'n0').stdout, 'the cable is in')


def check_card():
    global daemon, entry, sender, wires
    make_card()
    entry, sender = 'n0', Wire(bed.s, 'n1')
    wires = (s0, d0, sender)
    red = Way('10.90.0.2', '10.63.1.1', (tag(50),), (tag(201),), station(201))
    until(lambda: len(send(red)['d0']) == COUNT, 'the kernel forwards from the card')
    assert rxvlan() == 'on'
    plan = json.loads(bed.command('plan', '-j', 'n0').stdout)['ports'][0]
    assert plan['mode'] == 'generic' and 'rxvlan off' in plan['change'], plan
    assert rxvlan() == 'on', 'plan changes nothing'
    for number in (signal.SIGKILL, signal.SIGTERM):
        daemon = GuestDaemon(bed, 'n0', 'r1')
        assert daemon.port('n0')['mode'] == 'generic' and rxvlan() == 'off'
        until(lambda: len(send(red)['d0']) == COUNT, 'frames from the card, of which the switch may have lost some')
        carried('a card that would hide tags: tagged frames', red, soon=True)
        carried('a card that would hide tags: untagged frames', Way('10.1.0.2', '10.2.0.2'))
        daemon.end(number)
        assert rxvlan() == ('on' if number == signal.SIGTERM else 'off')
    print('ok    rxvlan is off while the daemon runs, and on again after it, even if one was killed before')


def timed(check):
    start = time.monotonic()
    check()
    print(f'      {check.__name__}: {time.monotonic() - start:.1f} s', flush=True)


make_stations()
make_vlans()
make_vrfs()
s0, d0 = Wire(bed.s, 's0'), Wire(bed.d, 'd0')
wires, entry, sender, daemon = (s0, d0), 'r0', s0, None
for name, device in ((bed.s, 's0'), (bed.d, 'd0')):
    hide_tags(name, device, 'off')
before = bed.traces()
run_with('ports: [{ interface: r0, tags: in-frame }, { interface: r1, tags: in-frame }]\n')
carried('the first packets', Way(*UNTAGGED4), soon=True)
for each in (check_plan, check_tags, check_unknown_tags, check_live_tags, check_priorities, check_vrfs, check_leaks,
             check_moves, check_groups, check_egress, check_hidden_tags):
    timed(each)
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
arrives('the kernel forwards again', Way('10.10.0.2', '10.20.0.2', (tag(10),), (tag(20),), station(20)))
print('ok    ended, nothing left behind, and the kernel forwards again')
for each in (check_what_the_kernel_does, check_tags_of_our_own, check_card):
    timed(each)
