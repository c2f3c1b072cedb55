#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_fallback.py PENSTOCK REFUSE.so: a driver that refuses what should be possible: the port runs in the next best mode and
says why, down to Linux itself; what was asked for by name is not replaced; reload and other settings lead to another try."""
import json
import os
import sys

from bed import Bed, Daemon, until

bed = Bed(sys.argv[1])
refuse = os.path.abspath(sys.argv[2])
path = f'/tmp/{bed.prefix}.yaml'
refused = f'/tmp/{bed.prefix}-refused'
before = bed.traces()
modes = {'native': refused, 'generic': f'{refused}-generic', 'afxdp': f'{refused}-socket'}
wrap = [*bed.inside(bed.r), 'env', f'LD_PRELOAD={refuse}', f'REFUSE_NATIVE={refused}', f"REFUSE_GENERIC={modes['generic']}",
        f"REFUSE_SOCKET={modes['afxdp']}"]


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

    # Nothing works: Linux, and both reasons.
    for name in ('native', 'generic'):
        write(modes[name], f"{plan['facts']['ifindex']}\n")
    daemon = Patient(bed, '-c', path, wrap=wrap)
    port = until(lambda: (port := daemon.port('r1')) and port['state'] == 'kernel' and port, 'left to the kernel')
    assert 'generic is not possible: it was tried, and failed: the kernel refuses generic XDP' in port['why'], port['why']
    options = {option['mode']: option for option in port['plan']['options']}
    assert all(not options[name]['possible'] and f'the kernel refuses {name} XDP' in options[name]['reason'] for name in
               ('native', 'generic')), options
    text = bed.command('status').stdout
    assert 'r1: kernel' in text and 'the kernel refuses generic XDP' in text, text
    until(lambda: bed.ping(bed.s, '10.2.0.2'), 'forwarding, by the kernel')
    os.unlink(modes['generic'])
    assert bed.command('reload').returncode == 0
    until(lambda: daemon.port('r1')['mode'] == 'generic', 'one mended, it runs in that')
    os.unlink(modes['native'])
    assert bed.command('reload').returncode == 0
    until(lambda: daemon.port('r1')['mode'] == 'native' and daemon.forwards(), 'both mended, it runs native')
    assert daemon.end() == 0
    print('ok    without any mode Linux forwards, and all reasons are told')

    # Asked for by name: no other mode instead.
    for name, words in (('native', 'refuses native XDP'), ('generic', 'refuses generic XDP'), ('afxdp', 'refuses an AF_XDP socket on queue 0')):
        write(modes[name], f"{plan['facts']['ifindex']}\n")
        write(path, f'ports: [{{interface: r0}}, {{interface: r1, mode: {name}}}]\n')
        daemon = Patient(bed, '-c', path, wrap=wrap)
        until(lambda: (port := daemon.port('r1')) and port['state'] == 'kernel' and words in port['why'], f'{name}: left to the kernel')
        assert words in bed.command('status').stdout
        until(lambda: daemon.port('r0')['mode'] == 'native', 'the other runs')
        until(lambda: bed.ping(bed.s, '10.2.0.2'), 'forwarding, by the kernel')
        os.unlink(modes[name])
        assert bed.command('reload').returncode == 0
        until(lambda: daemon.port('r1')['mode'] == name and daemon.forwards(), f'mended, it runs in mode {name}')
        until(lambda: bed.ping(bed.s, '10.2.0.2'), f'forwarding in mode {name}')
        assert daemon.end() == 0
        print(f'ok    {name}, asked for by name, is not replaced')

    # Live: it stays what it was, and says why.
    write(path, 'mode: afxdp\nports: [{interface: r0}, {interface: r1}]\n')
    daemon = Daemon(bed, '-c', path, wrap=wrap)
    assert bed.command('mode', 'r1', 'native').returncode == 0
    for name in ('generic', 'afxdp'):
        write(modes[name], f"{plan['facts']['ifindex']}\n")
        status, line = bed.refused('mode', 'r1', name)
        assert status == 1 and 'refuses' in line, line
        assert daemon.port('r1')['mode'] == 'native' and daemon.forwards(), daemon.port('r1')
        os.unlink(modes[name])
    assert daemon.end() == 0
    print('ok    a mode that fails leaves the one before')
finally:
    for each in (path, *modes.values()):
        if os.path.exists(each):
            os.unlink(each)
assert bed.traces() == before, bed.traces() - before
