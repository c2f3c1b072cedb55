#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""plan_facts.py PENSTOCK: what `penstock plan -j` says about interfaces, against what ip, ethtool, /proc and /sys say."""
import json
import os
import re
import sys

from bed import Bed, shell

bed = Bed(sys.argv[1])
before = bed.traces()


def facts(name):
    document = json.loads(bed.command('plan', '-j', name).stdout)
    return document['platform'], document['ports'][0]['facts']


def ethtool(name, *options):
    return bed.router('ethtool', *options, name, check=False).stdout


def same(what, here, there):
    assert here == there, f'{what}: plan says {here!r}, the kernel {there!r}'


def compare(name):
    """Everything that another tool tells, too."""
    _, here = facts(name)
    link = json.loads(bed.router('ip', '-j', '-d', 'link', 'show', 'dev', name).stdout)[0]
    same('ifindex', here['ifindex'], link['ifindex'])
    same('mtu', here['mtu'], link['mtu'])
    same('up', here['up'], 'UP' in link['flags'])
    same('carrier', here['carrier'], 'LOWER_UP' in link['flags'])
    same('kind', here['kind'], link.get('linkinfo', {}).get('info_kind'))
    same('master', here['master'], link.get('master'))
    driver = dict(re.findall(r'^([\w-]+): *(.*)$', ethtool(name, '-i'), re.M))
    same('driver', here['driver'] or '', driver.get('driver', ''))
    same('firmware', here['firmware'] or '', driver.get('firmware-version', ''))
    features = dict(re.findall(r'^\s*([\w-]+): (.*)$', ethtool(name, '-k'), re.M))
    for ours, theirs in (('rxvlan', 'rx-vlan-offload'), ('txvlan', 'tx-vlan-offload'), ('lro', 'large-receive-offload'),
                         ('gro', 'generic-receive-offload'), ('gro_hw', 'rx-gro-hw'), ('tx_checksum', 'tx-checksumming')):
        same(ours, here[ours], features[theirs].startswith('on'))
    same('rxvlan_fixed', here['rxvlan_fixed'], '[fixed]' in features['rx-vlan-offload'])
    channels = [int(number) for number in re.findall(r'^(?:RX|TX|Combined):\s*(\d+)', ethtool(name, '-l'), re.M)]
    if len(channels) == 4:  # RX and TX: maxima, then what is set
        same('queues', (here['queues_max'], here['rx_queues'], here['queues']), (channels[1], channels[2], channels[3]))
    return here


for name in ('r0', 'r1', 'lo'):
    compare(name)
print('ok    facts are those of ip and ethtool')

for option, fact in (('gro', 'gro'), ('rxvlan', 'rxvlan'), ('tx', 'tx_checksum')):
    for value in ('off', 'on'):
        bed.router('ethtool', '-K', 'r0', option, value)
        same(option, compare('r0')[fact], value == 'on')
bed.router('ip', 'link', 'set', 'r0', 'mtu', '1400')
bed.router('ip', 'link', 'set', 'r1', 'down')
same('mtu', compare('r0')['mtu'], 1400)
assert not compare('r1')['up']
bed.router('ip', 'link', 'set', 'r1', 'up')
print('ok    and they follow')

bed.router('ip', 'link', 'add', 'br0', 'type', 'bridge')
bed.router('ip', 'link', 'set', 'r1', 'master', 'br0')
same('bridge members', facts('br0')[1]['members'], 1)
same('place in a bridge', (compare('r1')['master'], facts('r1')[1]['master_kind']), ('br0', 'bridge'))
bed.router('ip', 'link', 'set', 'r1', 'nomaster')
bed.router('ip', 'link', 'del', 'br0')
for kind, fact in (('macvlan', 'macvlans'), ('vlan id 5', 'vlans')):
    made = bed.router('ip', 'link', 'add', 'link', 'r0', 'name', 'up0', 'type', *kind.split(), check=False)
    if made.returncode == 0:
        same(fact, facts('r0')[1][fact], 1)
        bed.router('ip', 'link', 'del', 'up0')
    else:
        print(f'note  this kernel has no {kind.split()[0]}')
same('nothing on top', [facts('r0')[1][fact] for fact in ('vlans', 'macvlans', 'uppers', 'members')], [0, 0, 0, 0])
print('ok    so does the place among other devices')

box, _ = facts('r0')
same('kernel', box['kernel'], os.uname().release)
same('cpus', box['cpus'], os.sysconf('SC_NPROCESSORS_ONLN'))
jit = bed.router('cat', '/proc/sys/net/core/bpf_jit_enable', check=False)  # only the first namespace has it
same('jit', box['jit'], int(jit.stdout) if jit.returncode == 0 else None)
with open('/proc/meminfo') as file:
    memory = dict(re.findall(r'^(\w+):\s+(\d+)', file.read(), re.M))
same('hugepages', box['hugepages'], int(memory['HugePages_Total']))
same('bpffs', box['bpffs'], '/sys/fs/bpf')
limited = shell('prlimit', '--memlock=65536:65536', *bed.inside(bed.r, bed.penstock, 'plan', '-j', 'r0'))
same('memlock', json.loads(limited.stdout)['platform']['memlock'], 65536)
print('ok    and the box')

# Facts as lines: only what is not as with an ordinary card; the same in JSON.
lines = bed.command('plan', '--facts', 'r0').stdout.splitlines()
told = dict(line.split(': ', 1) for line in lines if ': ' in line)
same('lines', (told['name'], told['kind'], told['mtu'], told['driver']), ('r0', 'veth', '1400', 'veth'))
assert 'up' not in told and 'lro' not in told, lines
same('nothing was touched', bed.traces(), before)
