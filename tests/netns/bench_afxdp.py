#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_afxdp.py COMMAND: a very short `bench afxdp`: both routers forward, every packet of ours arrives right, and nothing
is left behind."""
import json
import os
import shutil
import subprocess
import sys

SKIPPED = 77

if os.geteuid() != 0:
    print('skipped: needs root')
    sys.exit(SKIPPED)
if not shutil.which('dpdk-testpmd'):
    print('skipped: there is no dpdk-testpmd; apt-get install dpdk-dev')
    sys.exit(SKIPPED)
if len(os.sched_getaffinity(0)) < 2:
    print('skipped: needs two CPUs')
    sys.exit(SKIPPED)
run = subprocess.Popen([*sys.argv[1:], 'afxdp', '--rounds', '2', '--seconds', '0.2', '--json'], stdout=subprocess.PIPE,
                       text=True)
out = run.communicate(timeout=250)[0]
assert run.returncode == 0, run.returncode
figures = {figure['name']: figure for figure in json.loads(out)['figures']}
assert set(figures) == {f'afxdp IPv4 1-routes {what}' for what in ('penstock-afxdp', 'testpmd-afxdp', 'times-testpmd')}
assert all(value > 0 for figure in figures.values() for value in figure['values']), figures
left = {name for name in os.listdir('/run/netns') if f'-{run.pid}-' in name} if os.path.isdir('/run/netns') else set()
assert not left, left
for words in (['--rounds', '0'], ['--seconds', 'x'], ['--fast'], ['more']):
    result = subprocess.run([*sys.argv[1:], 'afxdp', *words], capture_output=True, text=True)
    assert result.returncode == 2 and result.stderr and not result.stdout, (words, result)
print(f"penstock and testpmd forwarded in turns, {figures['afxdp IPv4 1-routes times-testpmd']['median']:.2f} times as much")
