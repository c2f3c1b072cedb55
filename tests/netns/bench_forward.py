#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A very short `bench forward`: every packet arrives right, and nothing is left behind, however it ends.

bench_forward.py COMMAND: the command that takes "forward" as its next argument.
"""
import ipaddress
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from bench_process import ENDS, children, end_midway, namespaces, needs_root, programs, run_tests

SEED = 20260703
COMMAND = sys.argv[1:]


def run(*arguments):
    """Runs a whole bench; returns its JSON."""
    process = subprocess.Popen(COMMAND + ['forward', '--json', *arguments], stdout=subprocess.PIPE, text=True)
    out, _ = process.communicate(timeout=200)
    assert process.returncode == 0, f'exit code {process.returncode}'
    assert not namespaces(process.pid), f'left behind: {namespaces(process.pid)}'
    return json.loads(out)


def check_figures(result):
    """Each router's figures, flat, as `bench compare` reads them."""
    figures = {figure['name']: figure for figure in result['figures']}
    assert len(figures) == len(result['figures'])
    for family in result['families']:
        for router in family['subjects']:
            front = f"forward IPv{family['family']} {family['routes']}-routes {router['name']}"
            assert figures[f'{front} of-nolookup']['values'] == router['of_reference']['rounds'], front
            assert figures[f'{front} rate']['values'] == router['packets_per_second']['rounds'], front
            assert figures[f'{front} lost']['values'] == figures[f'{front} wrong']['values'] == [0], front


def check_result(result, families, routers):
    check_figures(result)
    assert [family['family'] for family in result['families']] == families
    for family in result['families']:
        assert [router['name'] for router in family['subjects']] == routers
        for router in family['subjects']:
            where = f"{router['name']}, IPv{family['family']}"
            for lane in ('packets', 'reference_packets'):
                packets = router[lane]
                assert packets['sent'] > 0, f"{where}: nothing sent"
                assert packets['arrived'] == packets['sent'], f"{where}: {lane} {packets}"
                assert not any(packets['wrong'].values()), f"{where}: {lane} {packets}"
            assert router['packets_per_second']['median'] > 0, where


def random_routes(path):
    """Nested prefixes of both families over ids that fall on all gateways."""
    chance = random.Random(SEED)
    with open(path, 'w') as out:
        for _ in range(2000):
            length = chance.randint(12, 32)
            address = 0x0b000000 | chance.getrandbits(24) & 0xff0301
            out.write(f'{ipaddress.ip_network((address >> 32 - length << 32 - length, length))} '
                      f'{chance.randint(1, 300)}\n')
            length = chance.randint(20, 128)
            address = 0x2a00 << 112 | chance.getrandbits(112) & 0xff03 << 96 | chance.getrandbits(8)
            out.write(f'{ipaddress.ip_network((address >> 128 - length << 128 - length, length))} '
                      f'{chance.randint(1, 300)}\n')


def test_one_route():
    routers = ['penstock', 'penstock-generic', 'nolookup', 'fiblookup', 'lpmtrie', 'kernel', 'nolookup-generic',
               'fiblookup-generic']
    result = run('--rounds', '2', '--seconds', '0.05', '--subjects', ','.join(routers))
    check_result(result, [4, 6], routers)


def test_many_routes():
    routers = ['penstock', 'kernel', 'fiblookup', 'lpmtrie']
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'routes')
        random_routes(path)
        result = run('--rounds', '1', '--seconds', '0.05', '--subjects', ','.join(routers), '--routes', path)
    check_result(result, [4, 6], routers)
    for family in result['families']:
        assert family['routes'] > 1000


def test_full_tables():
    result = run('--rounds', '1', '--seconds', '0.05', '--subjects', 'penstock', '--routes', 'full')
    check_result(result, [4, 6], ['penstock'])
    assert [family['routes'] for family in result['families']] == [1171945, 282855]


def running(pid, processes):
    """Generator, sinks and baselines are loaded, the guard and the daemon run; the rest is a matter of milliseconds."""
    if len(programs(pid)) < 10 or len(children(pid)) < processes:
        return False
    time.sleep(0.5)
    assert len(namespaces(pid)) == 4
    return True


def test_signals():
    """In the middle of a measurement."""
    for router, processes in (('nolookup', 1), ('penstock', 2)):
        for number in ENDS:
            process = subprocess.Popen(COMMAND + ['forward', '--seconds', '60', '--subjects', router],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            end_midway(process, number, lambda pid: running(pid, processes))


def test_bad_usage():
    for arguments in (['--family', '5'], ['--rounds', '0'], ['--rounds', '1x'], ['--seconds', '-1'],
                      ['--subjects', 'nolookup,router'], ['--cpu', '100000'], ['--routes', '/nonexistent'], ['--routes', '0'],
                      ['--routes', '99999999999'],
                      ['--nonsense'], ['surplus']):
        done = subprocess.run(COMMAND + ['forward', *arguments], capture_output=True, text=True)
        assert done.returncode == 2, f'{arguments}: exit code {done.returncode}'
        assert done.stderr and not done.stdout, f'{arguments}: {done}'


def main():
    needs_root()
    print(f'seed {SEED}')
    run_tests(globals())


if __name__ == '__main__':
    main()
