#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A very short `bench forward`: every packet arrives right, and nothing is left behind, however it ends.

bench_forward.py COMMAND: the command that takes "forward" as its next argument.
"""
import ipaddress
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

SEED = 20260703
WAIT_S = 60
COMMAND = sys.argv[1:]


def namespaces(pid):
    try:
        return [name for name in os.listdir('/run/netns') if name.startswith(f'penstock-bench-{pid}-')]
    except FileNotFoundError:
        return []


def programs(pid):
    """Ids of the BPF programs that the process holds."""
    ids = set()
    try:
        for fd in os.listdir(f'/proc/{pid}/fdinfo'):
            with open(f'/proc/{pid}/fdinfo/{fd}') as info:
                ids |= {int(line.split()[1]) for line in info if line.startswith('prog_id:')}
    except (FileNotFoundError, ProcessLookupError):
        pass
    return ids


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as out:
        return [int(child) for child in out.read().split()]


def runs(pid):
    """Does the process live? A zombie that nobody has reaped yet does not."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


def program_exists(number):
    return subprocess.run(['bpftool', 'prog', 'show', 'id', str(number)], capture_output=True).returncode == 0


def until(condition, what):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, f'after {WAIT_S} s not yet: {what}'
        time.sleep(0.05)


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


def end_by(number, router):
    """Ends a running bench by a signal in the middle of a measurement."""
    process = subprocess.Popen(COMMAND + ['forward', '--seconds', '60', '--subjects', router],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes = 2 if router == 'penstock' else 1
    try:
        # Generator, sinks and baselines are loaded, the guard and the daemon run; the rest is a matter of milliseconds.
        until(lambda: len(programs(process.pid)) >= 10 and len(children(process.pid)) >= processes, 'bench running')
        time.sleep(0.5)
        held, helpers = programs(process.pid), children(process.pid)
        assert len(namespaces(process.pid)) == 4
        process.send_signal(number)
        code = process.wait(timeout=WAIT_S)
    finally:
        process.kill()
    until(lambda: not namespaces(process.pid), f'namespaces gone after signal {number}')
    until(lambda: not os.path.exists(f'/run/penstock-bench-{process.pid}.yaml'), 'configuration gone')
    until(lambda: not any(program_exists(program) for program in held), f'programs gone after signal {number}')
    until(lambda: not any(runs(helper) for helper in helpers), f'processes gone after signal {number}')
    return code


def test_signals():
    for router in ('nolookup', 'penstock'):
        assert end_by(signal.SIGINT, router) == 1
        assert end_by(signal.SIGTERM, router) == 1
        assert end_by(signal.SIGKILL, router) == -signal.SIGKILL


def test_bad_usage():
    for arguments in (['--family', '5'], ['--rounds', '0'], ['--rounds', '1x'], ['--seconds', '-1'],
                      ['--subjects', 'nolookup,router'], ['--cpu', '100000'], ['--routes', '/nonexistent'], ['--routes', '0'],
                      ['--routes', '99999999999'],
                      ['--nonsense'], ['surplus']):
        done = subprocess.run(COMMAND + ['forward', *arguments], capture_output=True, text=True)
        assert done.returncode == 2, f'{arguments}: exit code {done.returncode}'
        assert done.stderr and not done.stdout, f'{arguments}: {done}'


def main():
    if os.geteuid() != 0:
        print('skipped: needs root to make network namespaces')
        sys.exit(77)
    print(f'seed {SEED}')
    for name, test in list(globals().items()):
        if name.startswith('test_'):
            test()
            print(f'{name}: ok')


if __name__ == '__main__':
    main()
