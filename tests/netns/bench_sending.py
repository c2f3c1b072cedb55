#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What `penstock bench modes` can be told to send: captures, large frames, mixes, by each generator. Everything arrives,
right; what is wrong is refused in a line, and nothing is left behind.

bench_sending.py PENSTOCK bench
"""
import glob
import json
import os
import random
import subprocess
import sys
import tempfile

from bench_process import namespaces, needs_root, run_tests

COMMAND = sys.argv[1:] + ['modes']
PACKETS = 500


def capture(path):
    """500 datagrams to where a route leads, and 100 that stay: their TTL is 1."""
    sys.argv[1:] = []
    import bench_equal as equal
    chance = random.Random(7)
    front = b'\x02\x00\x00\x00\x00\x09\x02\x00\x00\x00\x00\x08'
    packets = [front + equal.ipv4(f'198.18.{i % 256}.9', 17, equal.udp(chance, 100), ttl=1 if i % 6 == 5 else 9)
               for i in range(6 * PACKETS // 5)]
    equal.write(path, equal.pcap(packets))


def run(*arguments):
    process = subprocess.Popen(COMMAND + [*arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, told = process.communicate(timeout=200)
    assert not namespaces(process.pid), f'left behind: {namespaces(process.pid)}'
    return process.returncode, out, told


def measured(*arguments):
    """Names of the figures of a short run, in which nothing may be wrong; and what the generator can do."""
    code, out, told = run('--quick', '--json', *arguments)
    assert code == 0, f'{arguments}: exit status {code}\n{told}'
    record = json.loads(out)
    for figure in record['figures']:
        assert figure['median'] >= 0, figure
    return {figure['name'] for figure in record['figures']}, record['scenes']


def test_capture():
    capture('mixed.pcap')
    names, scenes = measured('--modes', 'kernel', '--pcap', 'mixed.pcap')
    assert len(scenes) == 1 and f'of whose {6 * PACKETS // 5} packets {PACKETS} are to be forwarded' in scenes[0]['text'], scenes
    assert not any('latency' in name for name in names), names
    assert 'modes pcap 2-routes kernel most' in names or scenes[0]['sender'] > 0, names


def test_large():
    names, _ = measured('--modes', 'penstock', '--size', '9018')
    assert any('9018-bytes penstock latency-at-10% p50' in name for name in names), names


def test_mix():
    for generator in ('afxdp', 'live'):
        names, scenes = measured('--modes', 'penstock', '--family', 'mix', '--size', 'imix', '--generator', generator,
                                 '--destinations', 'zipf', '--flows', '1000')
        assert scenes[0]['text'].startswith('IPv4+6, 2 routes'), scenes
        assert any(name.startswith('modes IPv4+6 2-routes imix penstock latency') for name in names), names


def test_dpdk():
    """The second build sends by DPDK, and nothing of DPDK's stays."""
    before = set(glob.glob('/run/dpdk/penstock-bench-*'))
    if not os.path.exists(COMMAND[0] + '-bench'):
        code, out, told = run('--generator', 'dpdk')
        assert code == 2 and '--generator dpdk: want one of' in told, (code, told)
        print('    built without DPDK')
        return
    names, scenes = measured('--modes', 'kernel', '--size', '128', '--generator', 'dpdk')
    assert scenes[0]['sender'] > 0 and 'modes IPv4 1-routes 128-bytes kernel latency-at-10% p50' in names, (scenes, names)
    assert set(glob.glob('/run/dpdk/penstock-bench-*')) <= before


def test_bad_input():
    for status, text, arguments in (
            (2, '--generator tcpreplay: want one of afxdp, live', ['--generator', 'tcpreplay']),
            (2, 'needs --pcap FILE', ['--generator', 'pcap']),
            (2, '--pcap is for the generator pcap', ['--pcap', 'mixed.pcap', '--generator', 'live']),
            (2, '--flows 0', ['--flows', '0']), (2, '--flows 65537', ['--flows', '65537']),
            (2, 'want uniform, zipf or trace', ['--destinations', 'all']),
            (2, '--size 9019', ['--size', '9019']), (2, '4, 6, both or mix', ['--family', 'any']),
            (2, 'frames of 3520 bytes at most', ['--generator', 'live', '--size', '9018']),
            (2, 'IPv4 of one size only', ['--generator', 'pktgen', '--size', 'imix']),
            (2, 'IPv4 of one size only', ['--generator', 'pktgen', '--family', 'mix']),
            (2, 'one destination after the other only', ['--generator', 'pktgen', '--destinations', 'trace']),
            (1, '/nonexistent', ['--pcap', '/nonexistent']),
            (2, '--destinations', ['--workload', 'attack', '--destinations', 'zipf']),
            (2, '--vlans 10,10: want up to 8 of 0 to 4094, each once', ['--vlans', '10,10']),
            (2, '--vlans 4095: want', ['--vlans', '4095']), (2, '--vlans ten: want', ['--vlans', 'ten']),
            (2, '--modes nolookup: want for VLANs', ['--vlans', '10', '--modes', 'nolookup']),
            (2, 'either it or --vlans', ['--vlans', '10', '--workload', 'stick']),
            (2, 'a workload without any', ['--workload', 'stick', '--vlans', '10']),
            (2, 'another one of 1 to 4094 behind the colon', ['--vlans', '10,20:20']),
            (2, 'another one of 1 to 4094 behind the colon', ['--vlans', '10:0']),
            (2, 'another one of 1 to 4094 behind the colon', ['--vlans', '10:']),
            (2, '--vlans :10: want up to 8', ['--vlans', ':10']),
            (1, 'does --routes lead there', ['--pcap', 'mixed.pcap', '--routes', 'elsewhere', '--modes', 'kernel'])):
        code, out, told = run('--quick', *arguments)
        lines = [line for line in told.splitlines() if line.startswith('penstock: ')]
        assert code == status and not out and len(lines) == 1 and text in lines[0], (arguments, code, out, told)


def test_vlans():
    """Where the kernel has none, one line says so; where it has, tests/vm runs them."""
    if subprocess.run(['unshare', '-n', 'ip', 'link', 'add', 'link', 'lo', 'name', 'tagged', 'type', 'vlan', 'id', '5'],
                      capture_output=True, check=False).returncode == 0:
        print('    this kernel has VLANs')
        return
    for arguments in (['--workload', 'stick'], ['--vlans', '10,20']):
        code, out, told = run('--quick', *arguments)
        assert code == 1 and not out and len(told.splitlines()) == 1, (code, out, told)
        assert 'VLANs need the module 8021q, which this kernel does not have' in told, told


needs_root()
with tempfile.TemporaryDirectory() as directory:
    COMMAND[0] = os.path.abspath(COMMAND[0])
    os.chdir(directory)
    with open('elsewhere', 'w') as routes:
        routes.write('192.88.100.0/24 1\n')
    run_tests(globals())
