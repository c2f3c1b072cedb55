#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""`penstock bench equal`: one capture through every mode, and what comes out compared byte by byte; that differences are
found; that what cannot be replayed is refused in a line; and that nothing is left behind, however it ends.

bench_equal.py PENSTOCK bench
"""
import ipaddress
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

from bench_process import ENDS, children, end_midway, namespaces, needs_root, programs, run_tests

SEED = 20261130
MODES = ['kernel', 'penstock-generic', 'penstock', 'penstock-afxdp', 'penstock-dpdk', 'replay']
COMMAND = sys.argv[1:] + ['equal']


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(to, protocol, body, ttl=64, options=b'', bad=False, fragment=0):
    header = struct.pack('!BBHHHBBH', 0x45 + len(options) // 4, 0, 20 + len(options) + len(body), 7, fragment, ttl, protocol, 0)
    header += ipaddress.ip_address('203.0.113.77').packed + ipaddress.ip_address(to).packed + options
    header = header[:10] + struct.pack('!H', checksum(header) ^ bad) + header[12:]
    return b'\x08\x00' + header + body


def ipv6(to, protocol, body, hops=64):
    return b'\x86\xdd' + struct.pack('!IHBB', 0x60000000, len(body), protocol, hops) + \
        ipaddress.ip_address('2001:db8:99::77').packed + ipaddress.ip_address(to).packed + body


def udp(chance, size):
    return struct.pack('!HHHH', chance.randint(1, 65535), 53, 8 + size, 0) + chance.randbytes(size)


def tcp(chance, size):
    return struct.pack('!HHIIBBHHH', chance.randint(1, 65535), 443, chance.getrandbits(32), 1, 0x50, 0x10, 512, 0, 0) + \
        chance.randbytes(size)


def packet(chance):
    """Anything that a link carries, most of it to be forwarded."""
    kind, to = chance.random(), f'198.18.{chance.randint(0, 255)}.{chance.randint(1, 254)}'
    to6, size = f'2001:2:0:{chance.randint(0, 65535):x}::1', chance.choice((0, 1, 18, 20, 64, 500, 1401))
    if kind < 0.4:
        return ipv4(to, 17, udp(chance, size))
    if kind < 0.5:
        return ipv4(to, 6, tcp(chance, size))
    if kind < 0.8:
        return ipv6(to6, *chance.choice(((17, udp(chance, size)), (6, tcp(chance, size)))))
    return chance.choice((
        ipv4(to, 17, udp(chance, size), ttl=1), ipv4(to, 17, udp(chance, size), bad=True),
        ipv4(to, 17, udp(chance, size), fragment=0x2000), ipv4(to, 17, chance.randbytes(24), fragment=0x0010),
        ipv4('203.0.113.1', 17, udp(chance, size)), ipv4('255.255.255.255', 17, udp(chance, size)),
        ipv4(to, 47, chance.randbytes(60)), ipv6(to6, 17, udp(chance, size), hops=1), ipv6('fe80::1', 17, udp(chance, size)),
        b'\x88\xcc' + chance.randbytes(60), b'\x08\x06' + chance.randbytes(46)))


def frames(count, chance):
    return [chance.choice((b'\x00\x11\x22\x33\x44\x55', b'\xff' * 6) if i % 20 == 0 else (b'\x00\x11\x22\x33\x44\x55',)) +
            b'\x00\x66\x77\x88\x99\xaa' + packet(chance) for i in range(count)]


def pcap(packets, link=1, cut=0):
    parts = [struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)]
    for i, data in enumerate(packets):
        parts.append(struct.pack('<IIII', 1700000000, 100 * i, len(data), len(data) + cut) + data)
    return b''.join(parts)


def pcapng(packets):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)

    data = block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1)) + block(1, struct.pack('<HHI', 1, 0, 0))
    for i, content in enumerate(packets):
        data += block(6, struct.pack('<IIIII', 0, 0, 1000 * i, len(content), len(content)) + content)
    return data


def write(name, data):
    with open(name, 'wb') as out:
        out.write(data)
    return name


def run(*arguments, seconds=200):
    process = subprocess.Popen(COMMAND + [*arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, told = process.communicate(timeout=seconds)
    assert not namespaces(process.pid), f'left behind: {namespaces(process.pid)}'
    return process.returncode, out, told


def expect(status, *arguments):
    code, out, told = run('--json', *arguments)
    assert code == status, f'{arguments}: exit status {code}\n{out}{told}'
    return {mode['mode']: mode for mode in json.loads(out)['modes']}


def test_all_modes():
    """Whatever a capture holds: equal bytes from every mode."""
    chance = random.Random(SEED)
    packets = frames(3000, chance)
    modes = expect(0, '--pcap', write('mixed.pcap', pcap(packets)), '--keep', '.')
    print('   ', modes)
    assert list(modes) == MODES
    kernel = modes['kernel']
    assert 2000 < kernel['forwarded'] < 3000, kernel
    for name, mode in modes.items():
        if 'skipped' in mode:
            assert name == 'penstock-dpdk', mode
            continue
        assert mode['equal'] and mode['others'] == 0, (name, mode)
        assert name == 'replay' or mode['missing'] == 0, (name, mode)
        assert (mode['fragments'] > 50) == (name == 'penstock-dpdk'), (name, mode)
    assert modes['replay']['forwarded'] > 0.9 * kernel['forwarded'], modes
    with open('kernel.pcap', 'rb') as kept:
        assert len(kept.read()) == 24 + 16 * kernel['forwarded'] + kernel['bytes']


def test_only_ours():
    """What penstock itself forwards, all of it: replay too is equal to the byte, from pcapng, as it was captured."""
    chance = random.Random(SEED + 1)
    packets = [b'\x02\x00\x00\x00\x00\x09\x02\x00\x00\x00\x00\x08' + ipv4(f'198.19.{i % 256}.9', 17, udp(chance, 200)) for i in range(400)]
    modes = expect(0, '--pcap', write('ours.pcapng', pcapng(packets)), '--modes', 'kernel,penstock,replay', '--rate', 'captured')
    assert all(mode['forwarded'] == 400 and mode['missing'] == mode['left'] == 0 for mode in modes.values()), modes


def test_differences_are_found():
    """A router without lookup sends all to one gateway: not equal where there are several."""
    chance = random.Random(SEED + 2)
    with open('routes', 'w') as out:
        for i in range(8):
            out.write(f'198.18.{32 * i}.0/19 {i + 1}\n')
    packets = [b'\x02\x00\x00\x00\x00\x09\x02\x00\x00\x00\x00\x08' + ipv4(f'198.18.{i % 256}.9', 17, udp(chance, 30)) for i in range(256)]
    modes = expect(1, '--pcap', write('eight.pcap', pcap(packets)), '--modes', 'kernel,nolookup', '--routes', 'routes')
    assert modes['nolookup']['missing'] == modes['nolookup']['others'] == 256 * 7 // 8, modes


def refused(status, text, *arguments):
    code, out, told = run(*arguments)
    assert code == status and not out, (arguments, code, out, told)
    assert text in told and len(told.splitlines()) == 1, (arguments, told)


def test_bad_input():
    some = frames(3, random.Random(SEED))
    refused(2, '--pcap is missing')
    refused(2, '--rate fast', '--pcap', 'x', '--rate', 'fast')
    refused(2, '--modes', '--pcap', 'x', '--modes', 'kernel,router')
    refused(1, '/nonexistent', '--pcap', '/nonexistent')
    refused(1, 'holds no packets', '--pcap', write('empty.pcap', pcap([])))
    refused(1, 'zero.pcap', '--pcap', write('zero.pcap', b''))
    refused(1, 'text.pcap', '--pcap', write('text.pcap', b'not a capture at all, but some text of enough length'))
    refused(1, 'Ethernet', '--pcap', write('raw.pcap', pcap(some, link=101)))
    refused(1, 'cut short', '--pcap', write('snap.pcap', pcap(some, cut=10)))
    refused(1, 'half.pcap', '--pcap', write('half.pcap', pcap(some)[:-7]))
    refused(1, 'too short for Ethernet', '--pcap', write('short.pcap', pcap([some[0][:13]])))
    refused(1, 'more than the 9014', '--pcap', write('huge.pcap', pcap([some[0] + bytes(9014)])))


def test_signals():
    """In the middle."""
    write('slow.pcap', pcap(frames(20, random.Random(SEED))))
    for number in ENDS:
        process = subprocess.Popen(COMMAND + ['--pcap', 'slow.pcap', '--modes', 'penstock,kernel', '--rate', '1'],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end_midway(process, number, lambda pid: len(children(pid)) >= 2 and len(programs(pid)) >= 8)


def main():
    needs_root()
    print(f'seed {SEED}')
    with tempfile.TemporaryDirectory() as directory:
        COMMAND[0] = os.path.abspath(COMMAND[0])
        os.chdir(directory)
        run_tests(globals())


if __name__ == '__main__':
    main()
