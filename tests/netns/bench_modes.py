#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Rows of `penstock bench modes` beside penstock's own and the kernel's: DPDK's routers, whose packets the sink judges by what
these do, and what this machine has no ports for. What cannot be had is left out with a reason, and nothing stays behind.

bench_modes.py PENSTOCK bench
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

from bench_process import ENDS, end_midway, namespaces, needs_root, run_tests
from dpdk_bed import has_plugin

PENSTOCK = os.path.abspath(sys.argv[1])
COMMAND = [PENSTOCK, *sys.argv[2:], 'modes', '--quick']
BUILT = 'l3fwd-afxdp,testpmd-afxdp'
NOT_HERE = 'penstock-offload,penstock-afxdp-copy'
TRACES = '/tmp/penstock-bench-*'


def run(*arguments, **more):
    process = subprocess.Popen(COMMAND + [*arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    out, told = process.communicate(timeout=280)
    assert not namespaces(process.pid), f'left behind: {namespaces(process.pid)}'
    return process.returncode, out, told


def has_l3fwd():
    return has_plugin(PENSTOCK) and os.path.exists('/usr/share/dpdk/examples/l3fwd')


def check_rows(*arguments, scene, names):
    """The sink finds each packet as the subject makes it, or the exit status is not 0; they do arrive."""
    code, out, told = run('--json', *arguments)
    assert code == 0, f'{arguments}: exit status {code}\n{told}'
    record = json.loads(out)
    medians = {figure['name'].removesuffix('-at-least'): figure['median'] for figure in record['figures']}
    for name in names:
        assert medians[f'modes {scene} {name} most'] > 0, medians
        assert name in record['remarks'], record['remarks']
        version = record['machine'][name.removesuffix('-afxdp')]
        assert re.fullmatch(r'DPDK \d+\.\d+\..+', version) and record['machine']['dpdk'] == version, record['machine']
    return record


def test_dpdk():
    """Both families at once: l3fwd takes one off TTLs, not off hop limits, and testpmd off none."""
    if not has_l3fwd():
        print('    needs libdpdk-dev, and the sources of l3fwd in dpdk-doc')
        return
    check_rows('--modes', BUILT, '--family', 'mix', scene='IPv4+6 2-routes 64-bytes', names=BUILT.split(','))


def test_many_routes():
    """More than l3fwd holds as shipped; of one family."""
    if not has_l3fwd():
        print('    needs libdpdk-dev, and the sources of l3fwd in dpdk-doc')
        return
    with open('routes', 'w') as out:
        out.writelines(f'{11 + i // 65536}.{i // 256 % 256}.{i % 256}.0/24 {1 + i % 7}\n' for i in range(70000))
    check_rows('--modes', 'l3fwd-afxdp', '--routes', 'routes', scene='IPv4 70000-routes 64-bytes', names=['l3fwd-afxdp'])


def test_not_here():
    """veth has no card and no zero copy; with nothing in the PATH, nothing of DPDK's is installed or can be built."""
    code, out, told = run('--json', '--modes', f'{NOT_HERE},{BUILT}', env=os.environ | {'PATH': '/nonexistent'})
    assert code == 0, (code, told)
    record = json.loads(out)
    missing = record['scenes'][0]['not_measured']
    assert not record['figures'] and set(missing) == {*NOT_HERE.split(','), *BUILT.split(',')}, missing
    for name, reason in (('penstock-offload', 'no port here takes programs on the device'),
                         ('penstock-afxdp-copy', 'no zero copy here'), ('l3fwd-afxdp', 'apt-get install'),
                         ('testpmd-afxdp', 'no dpdk-testpmd; apt-get install dpdk-dev')):
        assert reason in missing[name] and '\n' not in missing[name], missing
    code, out, told = run('--modes', f'{NOT_HERE}')
    for name in NOT_HERE.split(','):
        assert sum(line.startswith(f'{name} ') and ' not measured: ' in line for line in out.splitlines()) == 1, out


def test_attack():
    code, out, told = run('--json', '--modes', BUILT, '--workload', 'attack')
    assert code == 0, (code, told)
    missing = json.loads(out)['scenes'][0]['not_measured']
    assert set(missing.values()) == {'it forwards the packets of an attack, too'} and len(missing) == 2, missing


def test_signals():
    """While l3fwd is built."""
    if not has_l3fwd():
        print('    needs libdpdk-dev, and the sources of l3fwd in dpdk-doc')
        return
    for number in ENDS:
        before = set(glob.glob(TRACES))
        process = subprocess.Popen([*COMMAND, '--modes', 'l3fwd-afxdp'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end_midway(process, number, lambda _: any(glob.glob(f'{made}/l3fwd-source/*.o') for made in set(glob.glob(TRACES)) - before),
                   gone=[lambda: set(glob.glob(TRACES)) <= before])


needs_root()
before = set(glob.glob(TRACES))
with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    run_tests(globals())
    os.chdir('/')
