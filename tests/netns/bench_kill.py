#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Benches that are ended at random moments, by Ctrl-C, by kill, by kill -9 and by kill -9 of all their process group,
leave nothing behind: no namespace, program, process, file, page, and no folder of DPDK's.

bench_kill.py PENSTOCK bench [TIMES [SEED [NAME]]]
"""
import glob
import importlib.machinery
import importlib.util
import os
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
COMMAND = [os.path.abspath(sys.argv[1]), *sys.argv[2:3]]
TIMES = int(sys.argv[3]) if len(sys.argv) > 3 else 3  # each bench, by each signal
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 20261130
ENDS_S = 40  # how long it may take to end then, and what is left to go

# How many seconds of a run are of interest.
BENCHES = {
    'afxdp': (4, ['modes', '--quick', '--modes', 'penstock']),
    'live': (4, ['modes', '--quick', '--generator', 'live', '--modes', 'penstock-afxdp,kernel']),
    'dpdk': (4, ['modes', '--quick', '--generator', 'dpdk', '--modes', 'kernel,penstock-generic']),
    'engines': (6, ['modes', '--quick', '--modes', 'penstock-dpdk,testpmd-afxdp']),
    'events': (4, ['events', '--times', '1']),
    'routers': (20, ['dpdk', '--routes', '1000', '--seconds', '0.1']),
}
ENDS = {'Ctrl-C': (signal.SIGINT, True), 'kill': (signal.SIGTERM, False), 'kill -9': (signal.SIGKILL, False),
        'kill -9 of the group': (signal.SIGKILL, True)}


def load_leftovers():
    loader = importlib.machinery.SourceFileLoader('leftovers', os.path.join(HERE, '..', 'leftovers'))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('leftovers', loader))
    loader.exec_module(module)
    return module


def huge_pages():
    """How many the machine has; those that a process takes are in no file, and go with it."""
    found = {}
    for path in glob.glob('/sys/kernel/mm/hugepages/*/nr_hugepages'):
        with open(path) as file:
            found[path] = file.read().strip()
    return found


def end(arguments, how, seconds, mark):
    """Starts a bench and ends it after so many seconds, if it still runs."""
    number, all_of_it = ENDS[how]
    process = subprocess.Popen(COMMAND + arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL, start_new_session=True,
                               env={**os.environ, 'PENSTOCK_LEFTOVERS': mark})
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        (os.killpg if all_of_it else os.kill)(process.pid, number)
    try:
        process.wait(ENDS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f'does not end {ENDS_S} s after {how}') from None
    return process.pid


def left(leftovers, before, mark, pid):
    """What is left, once nothing more goes. Temporary files of benches have their number in the name: others are of
    somebody else."""
    latest = time.monotonic() + ENDS_S
    while True:
        found = [text for text in leftovers.leftovers(before, mark)[0]
                 if f'-{pid}' in text or not text.startswith('file /tmp/')]
        if not found or time.monotonic() > latest:
            return found
        time.sleep(0.2)


def test(name, latest, arguments, chance, leftovers):
    mark = f'bench_kill-{os.getpid()}-{name}'
    pages = huge_pages()
    for how in ENDS:
        for _ in range(TIMES):
            seconds = chance.uniform(0, 1) ** 2 * latest
            before = set(leftovers.state())
            what = f'bench {" ".join(arguments)}: {how} after {seconds:.3f} s'
            try:
                pid = end(arguments, how, seconds, mark)
            except AssertionError as error:
                raise AssertionError(f'{what}: {error}') from None
            found = left(leftovers, before, mark, pid)
            assert not found, f'{what}: left behind: {found}'
            assert huge_pages() == pages, f'{what}: huge pages {pages} before, {huge_pages()} after'
    print(f'{name}: ok', flush=True)


def main():
    print(f'seed {SEED}')
    chance = random.Random(SEED)
    lacks = [] if os.path.exists(COMMAND[0] + '-bench') else ['dpdk', 'engines', 'routers']
    for name, (latest, arguments) in BENCHES.items():
        if name in lacks:
            print(f'{name}: built without DPDK')
        elif len(sys.argv) <= 5 or sys.argv[5] == name:
            start = time.monotonic()
            test(name, latest, arguments, chance, load_leftovers())
            print(f'    {time.monotonic() - start:.0f} s')


if os.geteuid() != 0:
    print('skipped: needs root to make network namespaces')
    sys.exit(77)
main()
