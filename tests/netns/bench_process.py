# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A bench as a process: what it holds while it runs, and that nothing of it stays, however it ends."""
import os
import signal
import subprocess
import sys
import time

WAIT_S = 60
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


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


def program_exists(number):
    return subprocess.run(['bpftool', 'prog', 'show', 'id', str(number)], capture_output=True).returncode == 0


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


def until(condition, what):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, f'after {WAIT_S} s not yet: {what}'
        time.sleep(0.05)


def end_midway(process, number, running, gone=()):
    """Ends a bench by a signal once it is running, which `running` says of its process id. Its namespaces, its configuration,
    its processes and its programs are gone then; so is what the conditions in `gone` say."""
    try:
        until(lambda: running(process.pid), 'running')
        held, helpers = programs(process.pid), children(process.pid)
        process.send_signal(number)
        code = process.wait(timeout=WAIT_S)
    finally:
        process.kill()
    assert code == (-number if number == signal.SIGKILL else 1), code
    after = f'gone after signal {number}'
    until(lambda: not namespaces(process.pid), f'namespaces {after}')
    until(lambda: not os.path.exists(f'/run/penstock-bench-{process.pid}.yaml'), f'configuration {after}')
    until(lambda: not any(program_exists(program) for program in held), f'programs {after}')
    until(lambda: not any(runs(helper) for helper in helpers), f'processes {after}')
    for condition in gone:
        until(condition, f'the rest {after}')


def needs_root(what='to make network namespaces'):
    if os.geteuid() != 0:
        print(f'skipped: needs root {what}')
        sys.exit(77)


def run_tests(names):
    """Runs all functions test_... of a file, in their order: run_tests(globals())."""
    for name, test in list(names.items()):
        if name.startswith('test_'):
            test()
            print(f'{name}: ok', flush=True)
