#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A very short `bench mirror`: every figure is there and makes sense, and nothing is left behind, however it ends.

bench_mirror.py COMMAND: the command that takes "mirror" as its next argument.
"""
import json
import os
import signal
import subprocess
import sys
import time

from bench_forward import WAIT_S, children, namespaces, runs, until

COMMAND = sys.argv[1:] + ['mirror']
SMALL = ['--routes', '3000', '--rounds', '1', '--seconds', '0.3', '--rate', '2000', '--changes', '5000']
FIGURES = {'cold_start', 'cold_start_cpu', 'memory', 'churn_rate', 'lag_p50', 'lag_p99', 'lag_max', 'lag_own', 'kernel_rate', 'kernel_cpu', 'inject_cpu',
           'inject_rate', 'applied_rate', 'applied_cpu', 'applied_overruns', 'carrier_lost', 'carrier_lost_call', 'link_down', 'link_down_call',
           'memory_peak'}


def command_of(pid):
    try:
        with open(f'/proc/{pid}/cmdline') as out:
            return out.read().split('\0')
    except FileNotFoundError:
        return []


def daemons(pid):
    return [child for child in children(pid) if command_of(child)[1:2] == ['run']]


def test_figures():
    done = subprocess.run(COMMAND + ['--json', *SMALL], stdout=subprocess.PIPE, text=True, timeout=100)
    assert done.returncode == 0, f'exit code {done.returncode}'
    result = json.loads(done.stdout)
    assert (result['routes4'], result['rounds'], result['changes']) == (3000, 1, 5000)
    figures = {figure['name'].removeprefix('mirror '): figure for figure in result['figures']}
    assert set(figures) == FIGURES, set(figures) ^ FIGURES
    for name, figure in figures.items():
        assert len(figure['values']) == 1 and figure['values'][0] >= 0, figure
        assert figure['low'] <= figure['median'] <= figure['high'], figure
        assert ('met' in figure) == ('at_most' in figure or 'at_least' in figure), figure
    value = {name: figure['median'] for name, figure in figures.items()}
    assert 0 < value['lag_p50'] <= value['lag_p99'] <= value['lag_max']
    assert 0 < value['applied_rate'] <= value['inject_rate']
    assert value['applied_overruns'] == 0
    assert 0 < value['memory'] <= value['memory_peak']
    assert value['cold_start_cpu'] > 0 and value['link_down'] <= value['link_down_call']


def test_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        process = subprocess.Popen(COMMAND + [*SMALL, '--seconds', '60'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: daemons(process.pid), 'the daemon runs')
            time.sleep(0.5)
            helpers = children(process.pid)
            assert len(namespaces(process.pid)) == 4
            process.send_signal(number)
            code = process.wait(timeout=WAIT_S)
        finally:
            process.kill()
        assert code == (-number if number == signal.SIGKILL else 1), code
        until(lambda: not namespaces(process.pid), f'namespaces gone after signal {number}')
        until(lambda: not any(runs(helper) for helper in helpers), f'processes gone after signal {number}')
        until(lambda: not os.path.exists(f'/run/penstock-bench-{process.pid}.yaml'), 'configuration gone')


def test_bad_usage():
    for arguments in (['--routes', '0'], ['--routes', '99999999'], ['--rounds', '0'], ['--rounds', '21'], ['--rate', 'x'],
                      ['--seconds', '-1'], ['--changes', ''], ['--nonsense'], ['surplus']):
        done = subprocess.run(COMMAND + arguments, capture_output=True, text=True)
        assert done.returncode == 2, f'{arguments}: exit code {done.returncode}'
        assert done.stderr and not done.stdout, f'{arguments}: {done}'


if os.geteuid() != 0:
    print('skipped: needs root to make network namespaces')
    sys.exit(77)
for name, test in list(globals().items()):
    if name.startswith('test_'):
        test()
        print(f'{name}: ok')
