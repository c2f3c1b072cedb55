#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_status.py PENSTOCK: status says per port what it does, why, how fast, what goes to the kernel and what to do about it,
and what the log last complained about; in JSON all of it, with every fact."""
import json
import sys
import time

from bed import Bed, Daemon, shell, until

bed = Bed(sys.argv[1])
begin = int(time.time())
daemon = Daemon(bed, 'r0', 'r1')

port = daemon.port('r0')
plan = json.loads(bed.command('plan', '-j', 'r0').stdout)['ports'][0]
assert port['plan']['wish'] == 'auto' and port['plan']['mode'] == port['mode'] == 'native', port['plan']
assert port['plan']['tiers'] == ['native', 'kernel'] == plan['tiers'], plan
assert [option['mode'] for option in port['plan']['options']][-1] == 'kernel', port['plan']
assert port['plan']['effect'] == plan['effect'] and port['plan']['effect'], plan
assert begin <= port['since'] <= time.time() and port['why'], port
for name in ('mtu', 'driver', 'ifindex', 'xdp_features', 'rxvlan', 'queues'):
    assert port['facts'][name] == plan['facts'][name], (name, port['facts'], plan['facts'])
print('ok    status holds the plan and its facts')


def punt(reason):
    return next((each for each in daemon.port('r0')['punts'] if each['reason'] == reason), None)


# Packets whose TTL ends here, for some seconds: counted, with a rate and a word on what to do; others need nothing done.
bed.spawn(bed.s, 'ping', '-q', '-i', '0.01', '-t', '1', '10.2.0.2')
flood = bed.children[-1]
until(lambda: (each := punt('ttl')) and each['rate'] > 10, 'a rate of TTL punts')
assert 'routing loop' in punt('ttl')['todo'], punt('ttl')
text = bed.command('status').stdout
assert 'TTL or hop limit is used up (ttl)' in text and 'what to do: if they are many: look for a routing loop' in text, text
assert all(a['packets'] >= b['packets'] for a, b in zip(daemon.port('r0')['punts'], daemon.port('r0')['punts'][1:]))
others = [each for each in daemon.port('r0')['punts'] if each['reason'] in ('local', 'not-ip', 'link-multicast')]
assert others and all(each['todo'] is None for each in others), others
flood.terminate()
flood.wait()
until(lambda: punt('ttl')['rate'] == 0, 'the rate ends')
assert 'routing loop' not in bed.command('status').stdout
print('ok    punts have rates, and what to do while they go on')

assert daemon.status()['log'] == [], daemon.status()['log']
shell(*bed.inside(bed.s, 'ethtool', '-K', 's0', 'gro', 'off'))
log = until(lambda: daemon.status()['log'], 'a warning is kept')
assert log[-1]['level'] == 'warning' and 'gro on' in log[-1]['text'] and begin <= log[-1]['time'] <= time.time(), log
assert 'warning, ' in bed.command('status').stdout and ' ago: r0: packets that would leave here' in bed.command('status').stdout
print('ok    the last warnings')
assert daemon.end() == 0
