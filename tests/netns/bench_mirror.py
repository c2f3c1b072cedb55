#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A very short `bench mirror`: every figure is there and makes sense, and nothing is left behind, however it ends.

bench_mirror.py COMMAND: the command that takes "mirror" as its next argument.
"""
import json
import subprocess
import sys
import time

from bench_process import ENDS, children, end_midway, namespaces, needs_root, run_tests

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


def running(pid):
    if not daemons(pid):
        return False
    time.sleep(0.5)
    assert len(namespaces(pid)) == 4
    return True


def test_signals():
    for number in ENDS:
        process = subprocess.Popen(COMMAND + [*SMALL, '--seconds', '60'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end_midway(process, number, running)


def test_bad_usage():
    for arguments in (['--routes', '0'], ['--routes', '99999999'], ['--rounds', '0'], ['--rounds', '21'], ['--rate', 'x'],
                      ['--seconds', '-1'], ['--changes', ''], ['--nonsense'], ['surplus']):
        done = subprocess.run(COMMAND + arguments, capture_output=True, text=True)
        assert done.returncode == 2, f'{arguments}: exit code {done.returncode}'
        assert done.stderr and not done.stdout, f'{arguments}: {done}'


needs_root()
run_tests(globals())
