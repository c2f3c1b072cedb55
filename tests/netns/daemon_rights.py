#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_rights.py PENSTOCK: a running daemon has the capabilities that its engines need and no other, executes nothing, and
says which one it lacks; without them all it still follows routes, reloads and cleans up."""
import atexit
import json
import os
import re
import stat
import sys

from bed import BPFFS, Bed, Daemon, shell, until

bed = Bed(sys.argv[1])
path = f'/tmp/{bed.prefix}.yaml'
atexit.register(lambda: os.path.exists(path) and os.unlink(path))
before = bed.traces()
NUMBERS = {'NET_ADMIN': 12, 'NET_RAW': 13, 'IPC_LOCK': 14, 'SYS_PTRACE': 19, 'SYS_ADMIN': 21, 'PERFMON': 38, 'BPF': 39}
BASE = {'NET_ADMIN', 'PERFMON', 'BPF'}
platform = json.loads(bed.command('plan', '-j', 'r0').stdout)['platform']
if not platform['tells_features']:
    BASE |= {'SYS_ADMIN', 'SYS_PTRACE'}  # to look at the other ends of veths


def rights(pid, field):
    with open(f'/proc/{pid}/status') as file:
        return int(re.search(rf'^{field}:\s*([0-9a-f]+)$', file.read(), re.M).group(1), 16)


def expect_rights(daemon, names):
    mask = sum(1 << NUMBERS[name] for name in names)
    for field in ('CapEff', 'CapPrm', 'CapBnd'):
        assert rights(daemon.pid, field) == mask, f'{field} is {rights(daemon.pid, field):x}, not {mask:x}'
    assert rights(daemon.pid, 'CapInh') == rights(daemon.pid, 'CapAmb') == 0
    assert rights(daemon.pid, 'NoNewPrivs') == 1 and rights(daemon.pid, 'Seccomp') == 2
    for task in os.listdir(f'/proc/{daemon.pid}/task'):
        assert rights(f'{daemon.pid}/task/{task}', 'CapEff') & ~mask == 0, task


def configure(text):
    with open(path, 'w') as file:
        file.write(text)


def works(daemon):
    for address in ('10.2.0.2', 'fd02::2'):
        until(lambda: bed.ping(bed.s, address), f'{address} answers')
    bed.router('ip', 'route', 'replace', '10.66.0.0/16', 'via', '10.2.0.2')
    until(lambda: 'is forwarded' in bed.command('lookup', '10.66.0.1', 'from', 'r0').stdout, 'a new route is followed')
    bed.router('ip', 'route', 'del', '10.66.0.0/16')


# The least there is, for engines in the kernel; reload, and a port given up and taken again, need no more.
configure('ports: [{interface: r0}, {interface: r1}]\n')
daemon = Daemon(bed, '-c', path)
expect_rights(daemon, BASE)
works(daemon)
for mode in ('generic', 'native', 'auto'):
    configure(f'mode: {mode}\nports: [{{interface: r0}}, {{interface: r1}}]\n')
    assert bed.command('reload').returncode == 0
    until(lambda: {port['mode'] for port in daemon.status()['ports']} == {'native' if mode == 'auto' else mode}, mode)
    until(daemon.forwards, 'forwarding')
    works(daemon)
bed.router('nft', 'add', 'table', 'inet', 't')
bed.router('nft', 'add', 'chain', 'inet', 't', 'f', '{ type filter hook forward priority 0 ; policy drop ; }')
until(lambda: daemon.port('r0')['hold'], 'rules are seen')
bed.router('nft', 'delete', 'table', 'inet', 't')
until(lambda: daemon.port('r0')['hold'] is None, 'and that they are gone')
assert not daemon.status()['log'], daemon.status()['log']
for top, names, files in os.walk(f'{BPFFS}/penstock'):
    assert stat.S_IMODE(os.stat(top).st_mode) == 0o700, top
print('ok    three capabilities do, and pins are for root alone')

# What was given up does not come back: another engine needs another daemon.
afxdp = [option for option in daemon.port('r0')['plan']['options'] if option['mode'] == 'afxdp']
if afxdp and platform.get('xsk', True):
    configure('mode: afxdp\nports: [{interface: r0}, {interface: r1}]\n')
    line = bed.refused('reload')[1]
    assert 'afxdp was asked for, but CAP_NET_RAW is missing' in line, line
    until(daemon.forwards, 'the old configuration holds')
    assert {port['mode'] for port in daemon.status()['ports']} == {'native'}
    print('ok    a mode that needs more is refused with the name of what is missing')
assert daemon.end() == 0
assert not bed.traces() - before, bed.traces() - before

if afxdp:
    daemon = Daemon(bed, '-c', path)
    expect_rights(daemon, BASE | {'NET_RAW', 'IPC_LOCK'})
    works(daemon)
    assert daemon.end() == 0
    assert not bed.traces() - before, bed.traces() - before
    print('ok    AF_XDP keeps two more')

# Each one missing at the start is named, and nothing is left.
configure('ports: [{interface: r0}, {interface: r1}]\n')
for name in ('NET_ADMIN', 'BPF', 'PERFMON'):
    # as SYS_ADMIN counts as BPF and PERFMON
    drop = f'-{name.lower()},-sys_admin'
    result = shell(*bed.inside(bed.r, 'setpriv', f'--bounding-set={drop}', f'--inh-caps={drop}', bed.penstock, 'run', '-c', path),
                   check=False)
    assert result.returncode == 1 and f'CAP_{name} is missing' in result.stderr, (name, result)
    assert not bed.traces() - before, bed.traces() - before
if afxdp:
    configure('mode: afxdp\nports: [{interface: r0}, {interface: r1}]\n')
    for name in ('net_raw', 'ipc_lock'):
        result = shell(*bed.inside(bed.r, 'setpriv', f'--bounding-set=-{name}', f'--inh-caps=-{name}', bed.penstock, 'run', '-c', path),
                       check=False)
        assert result.returncode == 1 and f'CAP_{name.upper()} is missing' in result.stderr, result
        assert not bed.traces() - before, bed.traces() - before
print('ok    a missing capability is named')

# A daemon that is given exactly these is content, and one that is given more keeps no more.
configure('mode: native\nports: [{interface: r0}, {interface: r1}]\n')
keep = '-all,' + ','.join(f'+{name.lower()}' for name in sorted(BASE))
daemon = Daemon(bed, '-c', path, wrap=bed.inside(bed.r, 'setpriv', f'--bounding-set={keep}', f'--inh-caps={keep}'))
expect_rights(daemon, BASE)
works(daemon)
assert daemon.end() == 0
assert not bed.traces() - before, bed.traces() - before
print('ok    exactly these are enough from the start')
