#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""penstock replay through one router, told in three ways: the commands that set it up, what ip(8) prints of it
afterwards, and the running kernel itself, asked by nobody. All three must give the same answers and bytes.

    tests/netns/replay_kernel.py PENSTOCK
"""
import json
import os
import socket
import struct
import sys
import tempfile

import bed as beds

COMMANDS = """\
neigh add 10.1.0.2 lladdr 02:00:00:00:01:02 dev r0 nud permanent
neigh add 10.2.0.2 lladdr 02:00:00:00:02:02 dev r1 nud permanent
neigh add 10.2.0.3 lladdr 02:00:00:00:02:03 dev r1 nud permanent
neigh add fd02::2 lladdr 02:00:00:00:02:02 dev r1 nud permanent
neigh add fd02::3 lladdr 02:00:00:00:02:03 dev r1 nud permanent
nexthop add id 7 via 10.2.0.2 dev r1
nexthop add id 8 via 10.2.0.3 dev r1
nexthop add id 9 group 7,2/8,1
nexthop add id 10 blackhole
route add 198.18.0.0/15 via 10.2.0.2
route add 198.18.5.0/24 via 10.2.0.3 mtu 900
route add 198.18.6.0/24 nexthop via 10.2.0.2 dev r1 weight 3 nexthop via 10.2.0.3 dev r1 weight 1
route add 198.18.7.0/24 nhid 9
route add 198.18.8.0/24 nhid 10
route add 198.18.9.0/24 via 10.2.0.2 metric 200
route add 198.18.9.0/24 via 10.2.0.3 metric 100
route add 198.18.10.0/24 via inet6 fd02::3 dev r1
route add 198.18.11.0/24 via 10.1.0.2
route add 198.18.12.0/24 via 10.2.0.99
route add 198.18.13.0/24 table 77 via 10.2.0.2
route add blackhole 198.18.14.0/24
route add unreachable 198.18.15.0/24
route add prohibit 198.18.16.0/24
route add throw 198.18.17.0/24
route add 2001:db8:1::/48 via fd02::2
route add 2001:db8:2::/48 nexthop via fd02::2 dev r1 weight 2 nexthop via fd02::3 dev r1
route add 2001:db8:3::/48 via fd02::3 metric 10
route add 2001:db8:3::/48 via fd02::2 metric 20
route add blackhole 2001:db8:4::/48
route add 2001:db8:5::/48 dev r1
"""
# What not every kernel has: {mac0}, {mac1} are those of the ports.
TAGGED = """\
link add link r0 name r0.7 address {mac0} type vlan id 7
link add link r1 name r1.8 address {mac1} type vlan id 8
link add link r1 name r1.9 address {mac1} type vlan proto 802.1ad id 9
link add red type vrf table 1007
link set red up
link set r0.7 master red
link set r1.9 master red
link set r0.7 up
link set r1.8 up
link set r1.9 mtu 1400 up
address add 10.7.0.1/24 dev r0.7
address add 10.8.0.1/24 dev r1.8
address add 10.7.9.1/24 dev r1.9
neigh add 10.8.0.2 lladdr 02:00:00:00:08:02 dev r1.8 nud permanent
neigh add 10.7.9.2 lladdr 02:00:00:00:09:02 dev r1.9 nud permanent
route add 198.18.18.0/24 via 10.8.0.2
route add 198.18.19.0/24 vrf red via 10.7.9.2
route add 198.18.0.0/15 vrf red via 10.7.9.2
route add blackhole 198.18.5.0/24 vrf red
"""
WANTED4 = [f'198.18.{n}.{host}' for n in range(5, 19) for host in (1, 2, 3)] + [
    '10.1.0.1', '10.2.0.1', '10.2.0.2', '10.2.0.255', '10.2.0.50', '10.1.0.255', '127.0.0.1', '224.0.0.5', '8.8.8.8']
WANTED6 = [f'2001:db8:{n}::{host}' for n in range(1, 7) for host in (1, 2, 3)] + [
    'fd01::1', 'fd02::1', 'fd02::', 'fd02::2', 'fd02::77', 'ff02::1', '::1', 'fe80::1']


def sum16(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame4(mac, to, payload):
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 28 + payload, 7, 0, 64, 17, 0, socket.inet_aton('10.1.0.2'),
                       socket.inet_aton(to))
    head = head[:10] + struct.pack('!H', sum16(head)) + head[12:]
    return mac + b'\x02\0\0\0\1\2\x08\0' + head + struct.pack('!HHHH', 1000, 53, 8 + payload, 0) + bytes(payload)


def frame6(mac, to, payload):
    return (mac + b'\x02\0\0\0\1\2\x86\xdd' + struct.pack('!IHBB', 6 << 28, 8 + payload, 17, 64) +
            socket.inet_pton(socket.AF_INET6, 'fd01::2') + socket.inet_pton(socket.AF_INET6, to) +
            struct.pack('!HHHH', 1000, 53, 8 + payload, 0) + bytes(payload))


def tagged(frame, vid, kind=0x8100):
    return frame[:12] + struct.pack('!HH', kind, vid) + frame[12:]


def write_capture(path, mac):
    frames = [frame4(mac, to, size) for to in WANTED4 for size in (18, 1000)]
    frames += [tagged(frame4(mac, to, 18), vid) for to in [*WANTED4, '10.7.0.1', '10.7.9.1'] for vid in (7, 8)]
    frames += [frame6(mac, to, size) for to in WANTED6 for size in (18, 1000)]
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for i, frame in enumerate(frames):
            file.write(struct.pack('<IIII', 1700000000, i, len(frame), len(frame)) + frame)
    return len(frames)


def mac_of(bed, name):
    return json.loads(bed.router('ip', '-j', 'link', 'show', name).stdout)[0]['address']


def write_commands(bed, path, commands):
    with open(path, 'w') as file:
        file.write('addr add 127.0.0.1/8 dev lo\naddr add ::1/128 dev lo\n')
        for name, number in (('r0', 1), ('r1', 2)):
            file.write(f'link add {name} address {mac_of(bed, name)} type veth\n'
                       f'addr add 10.{number}.0.1/24 dev {name}\naddr add fd0{number}::1/64 dev {name}\n')
        file.write(commands)


def write_printed(bed, path):
    shows = (('ip', '-d', 'address'), ('ip', 'nexthop'), ('ip', '-4', 'route', 'show', 'table', 'all'),
             ('ip', '-6', 'route', 'show', 'table', 'all'), ('ip', 'neighbour'),
             ('sysctl', '-a', '-r', r'^net\.ipv[46]\.(ip_forward|conf)'))
    with open(path, 'w') as file:
        file.write('\n'.join(bed.router(*show).stdout for show in shows))


def replay(bed, *router):
    """The report with every packet explained, and what was written."""
    done = bed.router('setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--bounding-set', '-all',
                      bed.penstock, 'replay', 'in.pcap', '--in', 'r0', '-j', '--explain', '100000', '-o', 'out',
                      *router, check=False)
    assert done.returncode == 0, done.stderr
    with open('out', 'rb') as file:
        return json.loads(done.stdout), file.read()


def tagged_commands(bed):
    """Those for VLANs and a VRF, if this kernel has both."""
    for name, kind in (('vlan0', ('link', 'r0', 'name', 'vlan0', 'type', 'vlan', 'id', '3')),
                       ('vrf0', ('vrf0', 'type', 'vrf', 'table', '3'))):
        if bed.router('ip', 'link', 'add', *kind, check=False).returncode != 0:
            print(f'this kernel has no {name[:-1]}: without VLANs and VRFs')
            return ''
        bed.router('ip', 'link', 'delete', name)
    return TAGGED.format(mac0=mac_of(bed, 'r0'), mac1=mac_of(bed, 'r1'))


def main():
    bed = beds.Bed(sys.argv[1], bpffs=False)
    with tempfile.TemporaryDirectory(prefix='penstock-replay-') as directory:
        os.chmod(directory, 0o777)
        os.chdir(directory)
        mac = bytes.fromhex(mac_of(bed, 'r0').replace(':', ''))
        count = write_capture('in.pcap', mac)
        commands = COMMANDS + tagged_commands(bed)
        with open('batch', 'w') as file:
            file.write(commands)
        bed.router('ip', '-batch', 'batch')
        bed.router('sysctl', '-qw', 'net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.r0.send_redirects=0')
        write_commands(bed, 'typed', commands)
        with open('typed', 'a') as file:
            file.write('net.ipv4.conf.all.send_redirects = 0\nnet.ipv4.conf.r0.send_redirects = 0\n')
        write_printed(bed, 'printed')
        kernel = replay(bed, '--kernel')
        assert kernel[0]['packets'] == count and kernel[0]['forwarded'] > count / 5, kernel[0]['reasons']
        for name in ('typed', 'printed'):
            report, written = replay(bed, '-c', name)
            for ours, theirs in zip(report['explained'], kernel[0]['explained']):
                assert (ours['verdict'], ours['reason']) == (theirs['verdict'], theirs['reason']), (name, ours, theirs)
                assert ours.get('out') == theirs.get('out'), (name, ours, theirs)
                assert ours.get('route') == theirs.get('route'), (name, ours, theirs)
            assert report['reasons'] == kernel[0]['reasons'] and report['ports'] == kernel[0]['ports']
            assert written == kernel[1], name
        if commands != COMMANDS:
            ways = {(packet.get('interface'), packet['route'].get('dev')) for packet in kernel[0]['explained']
                    if packet['verdict'] == 'forward'}
            assert ways >= {('r0', 'r1.8'), ('r0.7', 'r1.9')}, ways
        print(f'{count} packets: the same by commands, by what ip prints, and by the kernel')
        os.chdir('/')


if __name__ == '__main__':
    main()
