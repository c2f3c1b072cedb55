#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""tests/leftovers sees what tests can leave behind, and nothing once it is gone.

Runs in a mount namespace of its own, so that all it makes goes with it.
"""
import os
import subprocess
import sys
import tempfile

LEFTOVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'leftovers')
INSIDE = 'PENSTOCK_LEFTOVERS_TEST'


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def compare(notes, patience):
    done = subprocess.run([LEFTOVERS, 'compare', notes, patience], stdout=subprocess.PIPE, text=True)
    return done.returncode, done.stdout


def dead_pid():
    """A number for names that no living process has."""
    process = subprocess.Popen(['true'])
    process.wait()
    return process.pid


def test(folder):
    notes, bpffs = f'{folder}/notes', f'{folder}/bpf'
    namespace, link = f'ps-leftovers-{dead_pid()}', f'psl{os.getpid()}'
    os.mkdir(bpffs)
    run('mount', '-t', 'bpf', 'bpf', bpffs)
    run(LEFTOVERS, 'note', notes)
    process = None
    try:
        process = subprocess.Popen(['sleep', '1000'], env={**os.environ, 'PENSTOCK_LEFTOVERS': notes})
        run('ip', 'netns', 'add', namespace)
        run('ip', 'link', 'add', link, 'type', 'veth', 'peer', f'{link}p')
        os.mkdir(f'{bpffs}/penstock')
        run('bpftool', 'map', 'create', f'{bpffs}/penstock/left', 'type', 'array', 'key', '4', 'value', '4',
            'entries', '1', 'name', 'left')
        status, output = compare(notes, '0')
        assert status == 1, output
        for sign in (f'process {process.pid}: sleep 1000', f'network namespace {namespace}',
                     f'interface {link}', f'pin {bpffs}/penstock/left', 'behind: BPF map'):
            assert sign in output, f'{sign} is not in:\n{output}'
    finally:
        if process:
            process.kill()
            process.wait()
        subprocess.run(['ip', 'netns', 'del', namespace])
        subprocess.run(['ip', 'link', 'del', link])
        run('umount', bpffs)
    status, output = compare(notes, '15')
    assert status == 0, output


if os.geteuid() != 0:
    print('skipped: needs root to make network namespaces')
    sys.exit(77)
if INSIDE not in os.environ:
    os.environ[INSIDE] = '1'
    os.execvp('unshare', ['unshare', '--mount', sys.executable, *sys.argv])
with tempfile.TemporaryDirectory(prefix='penstock-leftovers-') as scratch:
    test(scratch)
