#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_fallback.py PENSTOCK REFUSE.so: a driver that refuses what should be possible: the port runs in the next best mode and
says why; what was asked for by name is not replaced; reload and other settings lead to another try."""
import json
import os
import sys

from bed import Bed, Daemon, until

bed = Bed(sys.argv[1])
refuse = os.path.abspath(sys.argv[2])
path = f'/tmp/{bed.prefix}.yaml'
refused = f'/tmp/{bed.prefix}-refused'
before = bed.traces()
wrap = [*bed.inside(bed.r), 'env', f'LD_PRELOAD={refuse}', f'REFUSE_NATIVE={refused}']


class Patient(Daemon):
    def until_forwarding(self):
        """Not all ports will run."""


def write(where, text):
    with open(where, 'w') as file:
        file.write(text)


def failures(daemon):
    return sum('r1: mode native fails, the next best is taken' in entry['text'] for entry in daemon.status()['log'])


try:
    write(path, 'ports: [{interface: r0}, {interface: r1}]\n')
    plan = json.loads(bed.command('plan', '-j', 'r1').stdout)['ports'][0]
    assert plan['mode'] == 'native', 'nothing tells beforehand'
    write(refused, f"{plan['facts']['ifindex']}\n")
    daemon = Daemon(bed, '-c', path, wrap=wrap)
    port = daemon.port('r1')
    assert port['mode'] == 'generic', port
    assert 'native is not possible: it was tried, and failed: the kernel refuses native XDP' in port['why'], port['why']
    native = next(option for option in port['plan']['options'] if option['mode'] == 'native')
    assert not native['possible'] and native['fix'] == 'penstock reload tries again', native
    assert daemon.port('r0')['mode'] == 'native' and failures(daemon) == 1, daemon.status()['log']
    until(lambda: bed.ping(bed.s, '10.2.0.2') and bed.ping(bed.d, '10.1.0.2'), 'forwarding in both modes')
    print('ok    the next best mode, with the reason')

    assert bed.command('reload').returncode == 0
    until(lambda: failures(daemon) == 2, 'it was tried again')
    until(daemon.forwards, 'and works as before')
    bed.router('ip', 'link', 'set', 'r1', 'mtu', '1400')  # it might be that
    until(lambda: failures(daemon) == 3, 'it was tried with other settings')
    until(daemon.forwards, 'and works as before')
    os.unlink(refused)
    assert bed.command('reload').returncode == 0
    until(lambda: daemon.port('r1')['mode'] == 'native' and daemon.forwards(), 'mended, it runs native')
    until(lambda: bed.ping(bed.s, '10.2.0.2'), 'forwarding')
    print('ok    reload and other settings lead to another try')
    assert daemon.end() == 0

    # Asked for by name: no other mode instead.
    write(refused, f"{plan['facts']['ifindex']}\n")
    write(path, 'ports: [{interface: r0}, {interface: r1, mode: native}]\n')
    daemon = Patient(bed, '-c', path, wrap=wrap)
    until(lambda: (port := daemon.port('r1')) and port['state'] == 'kernel' and 'refuses native' in port['why'], 'left to the kernel')
    until(lambda: daemon.port('r0')['mode'] == 'native', 'the other runs')
    until(lambda: bed.ping(bed.s, '10.2.0.2'), 'forwarding, by the kernel')
    assert daemon.end() == 0
    print('ok    a mode asked for by name is not replaced')
finally:
    for each in (path, refused):
        if os.path.exists(each):
            os.unlink(each)
assert bed.traces() == before, bed.traces() - before
