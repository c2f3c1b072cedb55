#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_moves.py PENSTOCK: the thread of the daemon that reads what the kernel tells does not run while news of a link waits.
Here a debugger holds it; with many routes behind the link it is the kernel that does not let go of the CPU. Other threads of
the daemon see that, and move it. It keeps the CPUs that it may run on, and is left alone otherwise."""
import ctypes
import os
import sys
import time

from bed import Bed, Daemon, skip, until

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
ALL_THREADS = 0x40000000  # __WALL
PATIENCE = 60  # s
libc = ctypes.CDLL(None, use_errno=True)


class Held:
    """The first thread of a process of ours, and no other, stands still while there is one of these."""

    def __init__(self, pid):
        self.pid = pid

    def ask(self, request):
        if libc.ptrace(request, self.pid, None, None) < 0:
            error = ctypes.get_errno()
            skip(f'the daemon cannot be traced: {os.strerror(error)}')

    def __enter__(self):
        self.ask(SEIZE)
        self.ask(INTERRUPT)
        assert os.WIFSTOPPED(os.waitpid(self.pid, ALL_THREADS)[1])

    def __exit__(self, *_):
        self.ask(DETACH)


def moves(daemon):
    return daemon.status()['mirror']['moves']


if len(os.sched_getaffinity(0)) < 2:
    skip('there is one CPU only: nowhere to move to')
bed = Bed(sys.argv[1])
before = bed.traces()
daemon = Daemon(bed, 'r0', 'r1')
cpus = os.sched_getaffinity(daemon.pid)

# How long the other threads take to get a CPU of a busy machine is not known.
start, seconds, end = moves(daemon), 0.1, time.monotonic() + PATIENCE
while moves(daemon) == start:
    assert time.monotonic() < end, 'nobody moves a daemon that does not run'
    with Held(daemon.pid):
        bed.router('ip', 'link', 'set', 'r0', 'down')
        time.sleep(seconds)
    bed.router('ip', 'link', 'set', 'r0', 'up')
    seconds = min(2 * seconds, 5)
until(lambda: os.sched_getaffinity(daemon.pid) == cpus, 'the daemon may run where it might before')

# No news, no moves.
until(daemon.forwards, 'as before')


def stays():
    """The kernel tells more of a link that came up, for seconds."""
    start = moves(daemon)
    with Held(daemon.pid):
        time.sleep(0.5)
    return moves(daemon) == start


until(stays, 'without news it is left alone')

# Bound to a CPU, it stays there.
cpu = min(cpus)
os.sched_setaffinity(daemon.pid, {cpu})
with Held(daemon.pid):
    bed.router('ip', 'link', 'set', 'r0', 'down')
    for _ in range(100):
        assert os.sched_getaffinity(daemon.pid) == {cpu}
        time.sleep(0.005)
bed.router('ip', 'link', 'set', 'r0', 'up')
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping again')
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
