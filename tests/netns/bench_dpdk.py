#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_dpdk.py PENSTOCK bench: builds l3fwd, compares for a moment, tells all, and leaves nothing behind."""
import glob
import json
import os
import subprocess
import sys

from dpdk_bed import has_plugin

penstock = os.path.abspath(sys.argv[1])
bench = [penstock, *sys.argv[2:], 'dpdk']


def run(*arguments):
    try:
        return subprocess.run([*bench, *arguments], capture_output=True, text=True, timeout=280)
    except subprocess.TimeoutExpired as error:
        sys.exit(f'{arguments}: not done after {error.timeout} s; it said:\n{(error.stderr or b"").decode()}')


def traces():
    return set(glob.glob('/run/netns/penstock-bench-*-D') + glob.glob('/run/dpdk/*bench-*-[plt]'))


for words, part in ((['--rounds', '0'], 'from 1 to'), (['--routes', 'x'], '--routes x'), (['--seconds', '0'], 'from 0.05'),
                    (['--egress', 'tap'], '--egress tap'),
                    (['other'], 'unknown argument other')):
    result = run(*words)
    assert result.returncode == 2 and part in result.stderr and not result.stdout, (words, result)
if os.geteuid() != 0:
    print('skipped: needs root')
    sys.exit(77)
if not has_plugin(penstock) or not os.path.exists('/usr/share/dpdk/examples/l3fwd'):
    print('skipped: needs libdpdk-dev, and the sources of l3fwd in dpdk-doc')
    sys.exit(77)
before = traces()
for words, name in (([], 'dpdk IPv4'), (['--ipv6', '--egress', 'memif'], 'dpdk memif IPv6')):
    result = run('--routes', '1000', '--packets', '512', '--rounds', '2', '--seconds', '0.1', '--json', *words)
    assert result.returncode == 0, result
    record = json.loads(result.stdout)
    figures = {figure['name']: figure for figure in record['figures']}
    for program in ('dpdk', 'l3fwd', 'testpmd'):
        assert record['machine'][program].startswith('DPDK '), record['machine']
    for traffic in ('uniform', 'few'):
        for what in ('penstock', 'l3fwd', 'times-l3fwd', 'testpmd', 'replay', 'replay-times-penstock'):
            assert figures[f'{name} 1000-routes {traffic} {what}']['median'] > 0, figures
assert traces() <= before, traces() - before
print('all routers are measured, with both devices; nothing left behind')
