#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""`bench goals` as far as it goes in seconds: it starts measuring, ends when it is told to and leaves nothing behind;
`bench program`, `bench modes` and `bench events` in short,
`bench compare` on files. COMMAND is what takes "goals" as its next argument.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile

from bench_process import WAIT_S, until

COMMAND = sys.argv[1:]


def bench_namespaces():
    try:
        return {name for name in os.listdir('/run/netns') if name.startswith('penstock-bench-')}
    except FileNotFoundError:
        return set()


def test_interrupted():
    before = bench_namespaces()
    process = subprocess.Popen(COMMAND + ['goals', '--quick', '--json'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    until(lambda: bench_namespaces() - before, 'the first bench runs')
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1, process.returncode
    assert not out and 'interrupted' in errors, (out, errors)
    until(lambda: not bench_namespaces() - before, 'its namespaces gone')


def test_program():
    done = subprocess.run(COMMAND + ['program', '--rounds', '1', '--json'], stdout=subprocess.PIPE, text=True, check=True)
    medians = {figure['name']: figure['median'] for figure in json.loads(done.stdout)['figures']}
    for name in ('penstock', 'nolookup', 'fiblookup'):
        for what in ('IPv4 ns', 'IPv4 times-ours', 'IPv6 ns', 'IPv6 times-ours', 'instructions', 'code'):
            assert medians[f'program {name} {what}'] > 0, (name, what)
    assert medians['program penstock IPv4 times-ours'] == 1


def modes(*options):
    """Figures of the one scene and subject, without their common front, which is the second result. Every packet that
    arrives is right, once and in order, else the exit code is 1."""
    done = subprocess.run(COMMAND + ['modes', '--quick', '--json', *options], stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout)
    medians = {figure['name'].removesuffix('-at-least'): figure['median'] for figure in result['figures']}
    front, = {name.rsplit(' ', 1)[0] for name in medians if name.endswith(' most')}
    scene, = result['scenes']
    assert front.startswith(scene['name']) and not scene['not_measured'], (front, scene)
    assert 0 < medians[f'{front} most'] and 0 < scene['sender']
    return {name[len(front) + 1:]: value for name, value in medians.items() if name.startswith(front)}, front


def test_modes():
    for family, size, name in (('4', 'imix', 'imix'), ('6', '64', '64-bytes')):
        medians, front = modes('--modes', 'penstock', '--family', family, '--size', size, '--routes', '1000')
        assert front.startswith(f'modes IPv{family} ') and front.endswith(f'-routes {name} penstock'), front
        for load in ('0%', '10%', '50%', '90%'):
            latency = [medians[f'latency-at-{load} {part}'] for part in ('p50', 'p99', 'p99.9', 'max')]
            assert 0 < latency[0] and latency == sorted(latency), latency


def test_workloads():
    for workload, family, routes in (('leaf', '6', '3954'), ('attack', '4', '1'), ('home', '4', '4')):
        _, front = modes('--workload', workload, '--family', family, '--modes', 'penstock')
        assert front.startswith(f'modes IPv{family} {routes}-routes {workload} '), front


def has_plugin():
    return os.path.exists(os.path.join(os.path.dirname(COMMAND[0]), 'penstock-dpdk.so'))


def test_dpdk_between():
    """DPDK takes the ports and gives them back: what comes after it works, too."""
    if not has_plugin():
        return print('built without DPDK (libdpdk-dev): nothing of it is measured')
    done = subprocess.run(COMMAND + ['modes', '--quick', '--json', '--modes', 'penstock-dpdk,penstock,kernel'],
                          stdout=subprocess.PIPE, text=True, check=True)
    figures = json.loads(done.stdout)['figures']
    most = {figure['name'].split()[-2]: figure['median'] for figure in figures if ' most' in figure['name']}
    assert set(most) == {'penstock-dpdk', 'penstock', 'kernel'} and all(most.values()), most


def test_scale():
    done = subprocess.run(COMMAND + ['scale', '--routes', '1,1000', '--rounds', '1', '--seconds', '0.05', '--json'],
                          stdout=subprocess.PIPE, text=True, check=True)
    names = {figure['name'] for figure in json.loads(done.stdout)['figures']}
    for routes in ('IPv4 1-routes', 'IPv6 1-routes', 'IPv4 1000-routes', 'IPv6 241-routes'):
        assert f'forward {routes} penstock rate' in names, names
    for cpus in {1, len(os.sched_getaffinity(0))}:
        assert f'cpus IPv4 1-routes {cpus} penstock rate' in names, names


def test_events():
    done = subprocess.run(COMMAND + ['events', '--times', '1', '--rate', '3000', '--json'], stdout=subprocess.PIPE,
                          text=True, check=True)
    lost = {figure['name'].split()[1]: figure['median'] for figure in json.loads(done.stdout)['figures']
            if figure['name'].endswith(' lost')}
    blocked = lost.pop('failover')  # what came until the link was known to be down; after that, all arrive
    assert blocked < 3000 * 0.5, f'the other way was not taken: {blocked} lost'
    assert len(lost) == 10 and not any(lost.values()), lost


def test_bad_usage():
    for arguments in (['goals', 'surplus'], ['goals', '--nonsense'], ['compare'], ['compare', 'one'],
                      ['compare', '/nonexistent', '/nonexistent'],
                      ['program', '--rounds', '0'], ['program', '--rounds', '1x'], ['program', 'surplus'], ['modes', '--modes', 'drop'],
                      ['modes', '--size', '63'], ['modes', '--size', '9019'], ['modes', '--family', '5'],
                      ['modes', '--routes', '0'], ['modes', 'surplus'], ['modes', '--workload', 'none'], ['modes', '--workload', 'home', '--routes', '1'],
                      ['modes', '--rounds', '0'], ['modes', '--workload', 'attack', '--generator', 'live'], ['modes', '--size', '64,128,256,512,1024'],
                      ['scale', '--rounds', '0'], ['scale', '--cpus', '100000'], ['scale', 'surplus'], ['scale', '--seconds', 'x'],
                      ['events', '--times', '0'], ['events', '--rate', '1x'], ['events', 'surplus']):
        done = subprocess.run(COMMAND + arguments, capture_output=True, text=True)
        assert done.returncode == 2, f'{arguments}: exit code {done.returncode}'
        assert done.stderr and not done.stdout, f'{arguments}: {done}'


def record(path, ratio, rate, names=('ratio', 'rate')):
    figure = {'unit': '', 'better': 'more'}
    with open(path, 'w') as out:
        json.dump({'bench': 'test', 'version': 1, 'machine': {}, 'figures': [
            {'name': names[0], 'relative': True, 'values': [ratio * (1 + k / 1000) for k in range(5)], **figure},
            {'name': names[1], 'relative': False, 'values': [rate] * 5, **figure}]}, out)


def compare(before, after):
    with tempfile.TemporaryDirectory() as directory:
        paths = [os.path.join(directory, name) for name in ('before', 'after')]
        record(paths[0], *before)
        record(paths[1], *after)
        done = subprocess.run(COMMAND + ['compare', '--json', *paths], capture_output=True, text=True)
    return done.returncode, {change['name']: change['verdict'] for change in json.loads(done.stdout)}


def test_compare():
    assert compare((1, 100), (1, 50)) == (0, {'ratio': 'no evidence', 'rate': 'not judged'})
    assert compare((1, 100), (0.9, 100)) == (1, {'ratio': 'worse', 'rate': 'not judged'})
    assert compare((1, 100), (1.1, 100)) == (0, {'ratio': 'better', 'rate': 'not judged'})
    with tempfile.TemporaryDirectory() as directory:
        paths = [os.path.join(directory, name) for name in ('before', 'after')]
        record(paths[0], 1, 100, names=('ratio', 'old'))
        record(paths[1], 1, 100, names=('ratio', 'new'))
        done = subprocess.run(COMMAND + ['compare', *paths], capture_output=True, text=True)
    assert done.returncode == 0 and '2 in only one of the two' in done.stdout, done


test_bad_usage()
test_compare()
if os.geteuid() != 0:
    print('skipped: needs root to make network namespaces')
    sys.exit(77)
test_program()
test_modes()
test_workloads()
test_dpdk_between()
test_scale()
test_events()
test_interrupted()
