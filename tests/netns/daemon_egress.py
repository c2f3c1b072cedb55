#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_egress.py PENSTOCK DROP.bpf.o [only]: a port that cannot take redirected frames is named and loses nothing, also when
another port comes to an engine that would have to redirect; ports that come, go and change are followed. only: the first of
that."""
import itertools
import json
import os
import sys
import time

from bed import Bed, Daemon, Stream, shell, until

bed = Bed(sys.argv[1])
drop = os.path.abspath(sys.argv[2])
before = bed.traces()


def gro(on):
    shell(*bed.inside(bed.d, 'ethtool', '-K', 'd0', 'gro', 'on' if on else 'off'))


def punts(daemon, name, reason):
    return sum(punt['packets'] for punt in daemon.port(name)['punts'] if punt['reason'] == reason)


# The far end has neither XDP nor GRO: a redirect to r1 would be lost.
gro(False)
plan = json.loads(bed.command('plan', '-j', 'r0', 'r1').stdout)['ports']
assert plan[0]['egress']['possible'] and not plan[1]['egress']['possible'], plan
assert 'gro on' in plan[1]['egress']['fix'], plan[1]['egress']
daemon = Daemon(bed, 'r0', 'r1')
egress = daemon.port('r1')['egress']
assert not egress['possible'] and 'neither XDP nor GRO' in egress['reason'] and 'gro on' in egress['fix'], egress
assert 'no egress: the other end' in bed.command('status').stdout
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping by the kernel')
stream = Stream(bed, '10.2.0.2')
until(lambda: punts(daemon, 'r0', 'egress-unable') > 500, 'packets counted as egress-unable')
gro(True)
until(lambda: daemon.port('r1')['egress']['possible'], 'r1 takes frames')
start = daemon.port('r0')['forwarded']
until(lambda: daemon.port('r0')['forwarded'] - start > 500, 'packets forwarded')
result = stream.end()
assert result['lost'] == 0, result
print('an egress that takes no frames is named and loses nothing; GRO switched on takes effect')

if sys.argv[3:] == ['only']:
    assert daemon.end() == 0
    assert bed.traces() == before, bed.traces() - before
    sys.exit()

# Down and up.
bed.router('ip', 'link', 'set', 'r1', 'down')
until(lambda: not daemon.port('r1')['carrier'], 'r1 down')
bed.router('ip', 'link', 'set', 'r1', 'up')
bed.router('ip', '-6', 'address', 'add', 'fd02::1/64', 'dev', 'r1', 'nodad', check=False)
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping after down and up')

# Gone and back: another ifindex, the same name.
for round_ in range(3):
    old = daemon.port('r1')['ifindex']
    bed.router('ip', 'link', 'delete', 'r1')
    until(lambda: daemon.port('r1')['state'] == 'absent', 'r1 absent')
    bed.pair(bed.d, 'd0', 'r1', 2)
    until(daemon.forwards, 'attached to the new r1')
    assert daemon.port('r1')['ifindex'] != old
    start = daemon.port('r0')['forwarded']
    until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping through the new r1')
    until(lambda: bed.ping(bed.s, '10.2.0.2', 10) and daemon.port('r0')['forwarded'] - start >= 10, 'by XDP')
print('a port that is deleted and made again is attached again')

# Another name under traffic, and the old one again; then into another namespace, where our program must not stay.
stream = Stream(bed, '10.2.0.2', 5001, 1000)
bed.router('ip', 'link', 'set', 'r1', 'name', 'q1')
until(lambda: daemon.port('r1')['state'] == 'absent', 'r1 absent')
until(lambda: punts(daemon, 'r0', 'egress-foreign') > 100, 'the kernel sends out of q1')
bed.router('ip', 'link', 'set', 'q1', 'name', 'r1')
until(daemon.forwards, 'attached to r1 again')
start = daemon.port('r0')['forwarded']
until(lambda: daemon.port('r0')['forwarded'] - start > 500, 'packets forwarded')
result = stream.end()
assert not result['lost'], result
shell('ip', '-n', bed.r, 'link', 'set', 'r1', 'netns', bed.s)
until(lambda: daemon.port('r1')['state'] == 'absent', 'r1 absent')
assert 'xdp' not in shell('ip', '-n', bed.s, 'link', 'show', 'r1').stdout
shell('ip', '-n', bed.s, 'link', 'set', 'r1', 'netns', bed.r)
until(lambda: daemon.port('r1')['state'] == 'running', 'attached when it is back, though it is down')
bed.router('ip', 'address', 'add', '10.2.0.1/24', 'dev', 'r1')
bed.router('ip', 'link', 'set', 'r1', 'up')
until(daemon.forwards, 'attached')
start = daemon.port('r0')['forwarded']
until(lambda: bed.ping(bed.s, '10.2.0.2', 10) and daemon.port('r0')['forwarded'] - start >= 10, 'ping by XDP through r1 that is back')
print(f"a port renamed under traffic loses none of {result['sent']} packets; one that leaves takes no program along, and is taken when it is back")

# A foreign program while we run cannot come; ours cannot be replaced by mistake.
result = bed.router('ip', 'link', 'set', 'dev', 'r0', 'xdp', 'obj', drop, 'sec', 'xdp', check=False)
assert result.returncode != 0, 'the kernel let a foreign program replace ours'
# Somebody takes ours away by force: noticed, and attached again.
for again in (False, True):
    was = bed.programs('r0')
    link = next(each['id'] for each in json.loads(bed.router('bpftool', '-j', 'link', 'show').stdout)
                if each.get('prog_id') == was)
    bed.router('bpftool', 'link', 'detach', 'id', str(link))
    if again:  # too soon: Linux forwards for some seconds, and it says so
        port = until(lambda: (port := daemon.port('r0'))['state'] == 'kernel' and port, 'r0 is the kernel\'s')
        assert port['mode'] == 'kernel' and 'another attempt follows' in port['why'], port
    until(lambda: bed.programs('r0') not in (None, was), 'attached again')
    until(daemon.forwards, 'forwards again')
assert 'took our XDP program away' in daemon.text()
print('a program taken away is noticed and attached again')

# Programs of the generic hook and sockets reach r1 all the same. Before a program comes that does not, it is closed.
assert daemon.end() == 0
gro(False)
config = f'/tmp/{bed.prefix}.yaml'
with open(config, 'w') as out:
    out.write('mode: afxdp\n')
daemon = Daemon(bed, '-c', config, 'r0', 'r1')
for was, mode in itertools.permutations(('generic', 'native', 'afxdp'), 2):
    for port in ('r0', 'r1'):
        assert bed.command('mode', port, was).returncode == 0
    until(lambda: daemon.port('r1')['egress']['possible'] == (was != 'native'), f'r1 in mode {was}')
    stream = Stream(bed, '10.2.0.2', rate=5000)
    for each in (mode, was, mode, was):
        time.sleep(0.2)
        assert bed.command('mode', 'r0', each).returncode == 0
    time.sleep(0.2)
    result = stream.end()
    assert result['lost'] == result['twice'] == 0, (was, mode, result)
print('before another engine comes to a port, what it could not reach is left to the kernel')

assert daemon.end() == 0
os.unlink(config)
assert bed.traces() == before, bed.traces() - before
