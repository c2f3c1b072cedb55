#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The kernel's pktgen as a generator, in kernels that have it: its packets arrive, right and with times, through Linux and
through penstock; what it cannot send is refused; and the module is gone afterwards.

bench_pktgen.py PENSTOCK bench
"""
import json
import os
import subprocess
import sys

import bench_forward as forward

COMMAND = [os.path.abspath(sys.argv[1]), *sys.argv[2:], 'modes', '--quick', '--generator', 'pktgen']


def run(*arguments):
    process = subprocess.Popen(COMMAND + [*arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, told = process.communicate(timeout=500)
    assert not forward.namespaces(process.pid), f'left behind: {forward.namespaces(process.pid)}'
    return process.returncode, out, told


def has_module():
    return os.path.exists('/proc/net/pktgen')


def refused(text, *arguments):
    code, out, told = run(*arguments)
    lines = [line for line in told.splitlines() if line.startswith('penstock: ')]
    assert code == 1 and not out and text in lines[0], (arguments, code, told)


if os.geteuid() != 0:
    print('skipped: needs root to make network namespaces')
    sys.exit(77)
before = has_module()
if not before and subprocess.run(['modprobe', '-qn', 'pktgen'], check=False).returncode != 0:
    refused('no module pktgen (CONFIG_NET_PKTGEN)')
    print('skipped: this kernel has no pktgen, and the bench says so')
    sys.exit(77)
code, out, told = run('--json', '--modes', 'kernel,penstock', '--size', '128')
assert code == 0, told
record = json.loads(out)
figures = {figure['name']: figure['median'] for figure in record['figures']}
print(record['scenes'], figures)
assert record['scenes'][0]['sender'] > 0
for mode in ('kernel', 'penstock'):
    assert 0 < figures[f'modes IPv4 1-routes 128-bytes {mode} latency-at-0% p50'] < 1e6, figures
refused('IPv4 of one size', '--family', '6', '--modes', 'kernel')
refused('IPv4 of one size', '--size', 'imix', '--modes', 'kernel')
refused('use it with --routes 1', '--routes', '10', '--modes', 'kernel')
assert has_module() == before
print('pktgen: sends, is judged, and leaves nothing behind')
