#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""penstock replay as its users run it: formats and pipes, what tcpdump makes of the output, refusals in one line,
and nothing left behind. Needs no root; where it is there, it is given away.

    tests/replay/replay.py PENSTOCK
"""
import gzip
import json
import lzma
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROUTER = """\
# one router in words that are typed ...
ip link set dev eth0 address 02:00:00:00:00:01 mtu 9000
link add eth1 address 02:00:00:00:00:02
link add link eth1 name eth1.10 type vlan id 10
link add red type vrf table 100
link add eth2 address 02:00:00:00:00:03 master red
addr add 192.0.2.1/24 dev eth0
addr add 198.51.100.1/24 dev eth1
addr add 203.0.113.1/24 dev eth1.10
addr add 192.0.2.1/24 dev eth2
neigh add 198.51.100.2 lladdr 02:00:00:00:01:02 dev eth1
neigh add 203.0.113.2 lladdr 02:00:00:00:02:02 dev eth1.10
neigh add 192.0.2.2 lladdr 02:00:00:00:03:02 dev eth2
nexthop add id 1 via 198.51.100.2 dev eth1
nexthop add id 2 via 203.0.113.2 dev eth1.10
nexthop add id 3 via 2001:db8:9::2 dev eth1
route add 10.0.0.0/8 via 198.51.100.2
route add 10.1.0.0/16 via 203.0.113.2
route add blackhole 10.9.0.0/16
route add default vrf red via 192.0.2.2 dev eth2
"""
ROUTES = '10.20.0.0/16 1\n10.21.0.0/16 2\n2001:db8:1::/48 3\n'


def sum16(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def datagram(to, ttl=64, payload=18, mac='020000000001'):
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 28 + payload, 7, 0, ttl, 17, 0, socket.inet_aton('192.0.2.9'),
                       socket.inet_aton(to))
    head = head[:10] + struct.pack('!H', sum16(head)) + head[12:]
    return (bytes.fromhex(mac + '0200000000fe0800') + head +
            struct.pack('!HHHH', 1000, 53, 8 + payload, 0) + bytes(payload))


# destination, what becomes of it: the port it leaves by, or the reason
CASES = (('10.0.0.1', 'eth1'), ('10.1.0.1', 'eth1'), ('10.20.0.1', 'eth1'), ('10.21.0.1', 'eth1'),
         ('10.9.0.1', 'blackhole'), ('192.0.2.1', 'local'), ('224.0.0.1', 'multicast'), ('11.0.0.1', 'no-route'))
PACKETS = [datagram(to) for to, _ in CASES] + [datagram('10.0.0.1', ttl=1), datagram('10.0.0.2', payload=1700)]
FORWARDED = sum(what == 'eth1' for _, what in CASES)


def pcap(order='<', nano=False, link=1, packets=PACKETS):
    unit = 1 if nano else 1000
    parts = [struct.pack(order + 'IHHIIII', 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)]
    for i, packet in enumerate(packets):
        parts.append(struct.pack(order + 'IIII', 1700000000 + i, 5000 // unit, len(packet), len(packet)) + packet)
    return b''.join(parts)


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)


def option(code, value):
    return struct.pack('<HH', code, len(value)) + value + bytes(-len(value) % 4)


def pcapng(name=b'eth0', link=1, flags=0):
    data = block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1))
    data += block(1, struct.pack('<HHI', link, 0, 0) + (option(2, name) if name else b'') + option(9, b'\x09'))
    for i, packet in enumerate(PACKETS):
        stamp = (1700000000 + i) * 10**9 + 5000
        body = struct.pack('<IIIII', 0, stamp >> 32, stamp & 0xffffffff, len(packet), len(packet)) + packet
        data += block(6, body + bytes(-len(body) % 4) + (option(2, struct.pack('<I', flags)) if flags else b''))
    return data


class Bed:
    def __init__(self, penstock):
        self.penstock = os.path.abspath(penstock)
        self.directory = tempfile.mkdtemp(prefix='penstock-replay-')
        os.chmod(self.directory, 0o777)
        os.chdir(self.directory)
        self.write('router.txt', ROUTER.encode())
        self.write('routes.txt', ROUTES.encode())
        self.give_away = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--bounding-set', '-all',
                          '--no-new-privs']
        if os.geteuid() != 0 or not self.may_run():
            self.give_away = []

    def write(self, name, data):
        with open(name, 'wb') as file:
            file.write(data)

    def may_run(self):
        """Nobody may not reach every directory that something is built in."""
        try:
            return subprocess.run([*self.give_away, self.penstock, 'version'], capture_output=True, timeout=60).returncode == 0
        except FileNotFoundError:
            return False

    def command(self, *arguments):
        return [*self.give_away, self.penstock, 'replay', *arguments]

    def run(self, *arguments, data=None):
        return subprocess.run(self.command(*arguments), input=data, capture_output=True, timeout=60)

    def good(self, *arguments, data=None):
        done = self.run(*arguments, data=data)
        assert done.returncode == 0, (arguments, done.stderr)
        return done

    def read(self, name):
        with open(name, 'rb') as file:
            return file.read()

    def refused(self, status, text, *arguments, data=None):
        before = set(os.listdir())
        done = self.run(*arguments, data=data)
        assert done.returncode == status, (arguments, done)
        lines = done.stderr.decode().splitlines()
        assert len(lines) == 1 and lines[0].startswith('penstock: '), (arguments, lines)
        assert text in lines[0], (arguments, lines[0])
        assert set(os.listdir()) == before, (arguments, set(os.listdir()) - before)


USUAL = ('-c', 'router.txt', '--routes', 'routes.txt')


def check_formats(bed):
    """Every way to give the packets gives the same bytes, run after run."""
    bed.write('in.pcapng', pcapng())
    bed.good('in.pcapng', *USUAL, '-o', 'right')
    right = bed.read('right')
    for name, data in (('little', pcap()), ('big', pcap('>')), ('nano', pcap(nano=True)), ('again', pcap('>', True))):
        bed.write(name, data)
        bed.good(name, *USUAL, '--in', 'eth0', '-o', 'out')
        assert bed.read('out') == right, name
        assert bed.good('-', *USUAL, '--in', 'eth0', '-o', '-', data=data).stdout == right, name
    bed.good('in.pcapng', *USUAL, '--in', 'eth0=eth0', '-o', 'out')
    assert bed.read('out') == right
    for name, pack in (('routes.gz', gzip.compress), ('routes.xz', lzma.compress)):
        bed.write(name, pack(ROUTES.encode()))
        bed.good('in.pcapng', '-c', 'router.txt', '--routes', name, '-o', 'out')
        assert bed.read('out') == right, name
    bed.write('unnamed', pcapng(b''))
    bed.good('unnamed', *USUAL, '--in', '0=eth0', '-o', 'out')
    assert bed.read('out') == right
    bed.good('little', *USUAL, '--in', 'eth0', '-o', 'port-%i.pcap')
    assert sorted(name for name in os.listdir() if name.startswith('port-')) == ['port-eth1.pcap']


def check_tcpdump(bed):
    """A tool that knows nothing of us reads what should be there."""
    if not shutil.which('tcpdump'):
        print('tcpdump is not installed: its view is left out')
        return
    for name in ('right', 'port-eth1.pcap'):
        text = subprocess.run(['tcpdump', '-nnevtt', '-r', name], capture_output=True, text=True, timeout=60,
                              check=True).stdout.split('\n1700')
        assert len(text) == FORWARDED, text
        for to, mac, tag in (('10.0.0.1', '02:00:00:00:01:02', False), ('10.1.0.1', '02:00:00:00:02:02', True),
                             ('10.20.0.1', '02:00:00:00:01:02', False), ('10.21.0.1', '02:00:00:00:02:02', True)):
            found = [part for part in text if f'> {to}.53' in part]
            assert len(found) == 1, (to, text)
            assert f'02:00:00:00:00:02 > {mac}' in found[0], found
            assert 'ttl 63' in found[0] and 'bad cksum' not in found[0], found
            assert ('vlan 10' in found[0]) == tag, found


def check_report(bed):
    report = json.loads(bed.good('in.pcapng', *USUAL, '-j', '--explain', '100').stdout)
    assert report['packets'] == len(PACKETS) and report['forwarded'] == FORWARDED, report
    assert report['dropped'] == 1 and report['kernel'] == len(PACKETS) - FORWARDED - 1, report
    for packet, (to, what) in zip(report['explained'], CASES):
        assert packet['ip']['destination'] == to, packet
        assert (packet['out']['port'] if 'out' in packet else packet['reason']) == what, packet
    assert report['explained'][-2]['reason'] == 'ttl' and report['explained'][-1]['reason'] == 'too-big', report
    text = bed.good('in.pcapng', *USUAL, '--explain', '2-2').stdout.decode()
    for words in ('packet 2, 60 bytes in by eth0', 'ttl 64', 'route 10.1.0.0/16, table main, via 203.0.113.2 dev eth1.10',
                  'forwarded out of eth1, 02:00:00:00:00:02 > 02:00:00:00:02:02, vlan 10, 64 bytes'):
        assert words in text, text
    assert 'packet 3' not in text, text
    vrf = bed.good('little', *USUAL, '--in', 'eth2', '--explain', '1').stdout.decode()
    assert 'not-for-us' in vrf, vrf
    bed.write('red', pcap(packets=[datagram('10.0.0.1', mac='020000000003')]))
    vrf = bed.good('red', *USUAL, '--in', 'eth2', '--explain', '1').stdout.decode()
    assert 'table 100 (vrf red)' in vrf and 'same-interface' in vrf, vrf
    bed.write('large', pcap(packets=[datagram('10.1.0.1', payload=size) for size in (1300, 1400, 1700)]))
    for mtu, fitting in ((1400, 1), (1500, 2), (9000, 3)):  # a VLAN has that of the device below
        bed.write('mtu.txt', f'{ROUTER}link set eth1 mtu {mtu}\n'.encode())
        assert json.loads(bed.good('large', '-c', 'mtu.txt', '--in', 'eth0', '-j').stdout)['forwarded'] == fitting, mtu
    bed.write('sent', pcapng(flags=2))
    assert json.loads(bed.good('sent', *USUAL, '-j').stdout)['outbound'] == len(PACKETS)
    speed = json.loads(bed.good('in.pcapng', *USUAL, '-j', '--repeat', '50').stdout)
    assert speed['forwarded'] == 50 * FORWARDED and speed['speed']['packets'] == 50 * len(PACKETS), speed


def check_refusals(bed):
    whole = pcap()
    bed.write('cut', whole[:-3])
    bed.write('cutng', pcapng()[:-3])
    bed.write('cooked', pcap(link=113))
    bed.write('tun', pcapng(b'eth0', 101))
    bed.write('empty', b'')
    bed.write('packed', gzip.compress(whole))
    bed.write('foreign', pcapng(b'wlan0'))
    out = ('-o', 'out2')
    bed.refused(1, 'packet 10: truncated dump file', 'cut', *USUAL, '--in', 'eth0', *out)
    bed.refused(1, 'is cut off', 'cutng', *USUAL, *out)
    bed.refused(1, 'not Ethernet', 'cooked', *USUAL, '--in', 'eth0', *out)
    bed.refused(1, 'not Ethernet', 'tun', *USUAL, *out)
    bed.refused(1, 'is empty', 'empty', *USUAL, *out)
    bed.refused(1, 'zcat', 'packed', *USUAL, *out)
    bed.refused(1, 'wlan0', 'foreign', *USUAL, *out)
    bed.refused(1, 'unknown file format', 'router.txt', *USUAL, '--in', 'eth0', *out)
    bed.refused(1, 'No such file', 'none', *USUAL, *out)
    bed.refused(1, 'is a directory', '.', *USUAL, *out)
    bed.refused(1, 'give --in INTERFACE', 'little', *USUAL, *out)
    bed.refused(1, 'no such interface', 'little', *USUAL, '--in', 'eth7', *out)
    bed.refused(1, 'give --in eth1', 'little', *USUAL, '--in', 'eth1.10', *out)
    bed.refused(1, 'No such file', 'little', *USUAL, '--in', 'eth0', '-o', 'no/such/folder')
    bed.refused(1, 'No such file', 'little', '-c', 'none', '--in', 'eth0', *out)
    for line, text in (('route add 10.0.0.0/8 via 10.99.0.1', 'no address above this line'),
                       ('route add 10.0.0.0/8 dev eth9', 'names eth9, which is no link'),
                       ('route add 10.0.0.1/8 via 198.51.100.2', 'bits behind its length'),
                       ('route add 10.0.0.0/33 via 198.51.100.2', 'neither a prefix'),
                       ('route add 10.0.0.0/8 via 198.51.100.2 metrik 7', "'metrik' is not a word of a route"),
                       ('route add 10.0.0.0/8 via', 'not the address of a gateway'),
                       ('10.0.0.0/8 17', 'no next hop 17'), ('2001:db8::/32 1', 'by an IPv4 gateway'),
                       ('2001:db8::/32 via inet 198.51.100.2', 'by an IPv4 gateway'), ('neigh add 10.0.0.1 dev eth0', 'lladdr'),
                       ('link add eth5 type vlan id 4096', 'not a VLAN id'), ('link add eth5', 'has no link address'),
                       ('addr add 10.0.0.300/8 dev eth0', 'not an address'), ('ip rule add from 10.0.0.1', "'rule'"),
                       ('net.ipv4.conf.eth0.rp_filter', 'not a setting'), ('\0\1\2', 'holds a 0 byte')):
        bed.write('bad.txt', ROUTER.encode() + line.encode() + b'\n')
        bed.refused(1, text, 'little', '-c', 'bad.txt', '--in', 'eth0', *out)
    bed.refused(2, 'which router', 'little')
    bed.refused(2, 'which capture', *USUAL)
    bed.refused(2, 'exclude each other', 'little', *USUAL, '--kernel')
    bed.refused(2, 'one capture', 'little', 'big', *USUAL)
    bed.refused(2, '--explain', 'little', *USUAL, '--explain', '7-3')
    bed.refused(2, '--repeat', 'little', *USUAL, '--repeat', '0')
    bed.refused(2, 'leave -o', 'little', *USUAL, '--repeat', '2', *out)
    bed.refused(2, 'not known', 'little', *USUAL, '--frobnicate')
    bed.refused(2, 'needs a value', 'little', '-c')


def check_interrupted(bed):
    """Ended in the middle: nothing is left, and a reader that goes away is told of in one line."""
    before = set(os.listdir())
    child = subprocess.Popen(bed.command('-', *USUAL, '--in', 'eth0', '-o', 'out3'), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdin.write(pcap()[:2000])
    child.stdin.flush()
    end = time.monotonic() + 30
    while set(os.listdir()) == before:
        assert time.monotonic() < end, 'the output was not begun'
        time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    child.stdin.write(pcap()[2000:] + bytes(16) * 3)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 1 and b'interrupted' in errors and errors.count(b'\n') == 1, (child.returncode, errors)
    assert set(os.listdir()) == before, set(os.listdir()) - before

    data = pcap(packets=PACKETS * 20000)
    reader = subprocess.Popen(['head', '-c', '100'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    child = subprocess.run(bed.command('-', *USUAL, '--in', 'eth0', '-o', '-'), input=data, stdout=reader.stdin,
                           stderr=subprocess.PIPE, timeout=60)
    reader.stdin.close()
    reader.wait(timeout=30)
    assert child.returncode == 1 and b'Broken pipe' in child.stderr and child.stderr.count(b'\n') == 1, child


def check_bench(bed):
    """It forwards, or it fails; how fast is not asked."""
    command = [bed.penstock, 'bench', 'replay']
    done = subprocess.run([*command, '--rounds', '1', '--seconds', '0.001', '--json'], capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)['figures']
    assert len(figures) == 6 and all(figure['median'] > 0 for figure in figures), figures
    for wrong in (['--rounds', '0'], ['--seconds', 'x'], ['surplus'], ['--nonsense']):
        assert subprocess.run([*command, *wrong], capture_output=True, timeout=60).returncode == 2, wrong


def main():
    bed = Bed(sys.argv[1])
    try:
        for check in (check_formats, check_tcpdump, check_report, check_refusals, check_interrupted, check_bench):
            check(bed)
            print(check.__name__, 'ok', flush=True)
    finally:
        os.chdir('/')
        shutil.rmtree(bed.directory)


if __name__ == '__main__':
    main()
