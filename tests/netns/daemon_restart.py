#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_restart.py PENSTOCK: a second daemon is refused; one that is killed is followed by another without a lost
packet; one that hangs makes the program punt."""
import os
import signal
import subprocess
import sys
import time

from bed import BPFFS, WAIT_S, Bed, Daemon, Stream, until

KILLS = 5

bed = Bed(sys.argv[1])
before = bed.traces()


def links():
    return {os.path.join(top, name) for top, _, names in os.walk(f'{BPFFS}/penstock') if top.endswith('/links')
            for name in names}


def programs():
    return [bed.programs(name) for name in ('r0', 'r1')]


def punts(daemon, reason):
    return sum(punt['packets'] for port in daemon.status()['ports'] for punt in port['punts'] if punt['reason'] == reason)


daemon = Daemon(bed, 'r0', 'r1')
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')

# One daemon for each namespace, whatever its name.
for arguments in (['run', 'r0', 'r1'], ['run', '--name', bed.prefix, 'r0']):
    status, line = bed.refused(*arguments)
    assert status == 1 and f'pid {daemon.pid}' in line and 'this network namespace' in line, line
assert daemon.forwards()
print('a second daemon is refused with the pid of the first')

stream = Stream(bed, '10.2.0.2', rate=2000)
for round_ in range(KILLS):
    old, was, count = daemon, programs(), daemon.port('r0')['forwarded']
    assert all(was)
    old.end(signal.SIGKILL)
    assert programs() == was and len(links()) == 2, 'programs and links outlive their daemon'
    time.sleep(0.2)
    daemon = Daemon(bed, 'r0', 'r1')
    now = programs()
    assert all(now) and not set(now) & set(was), f'programs {was} are still there: {now}'
    assert len(links()) == 2
    port = daemon.port('r0')
    assert port['forwarded'] >= count, f"counters went back from {count} to {port['forwarded']}"
result = stream.end()
assert result['lost'] == 0 and result['twice'] == 0, result
print(f"{KILLS} times killed and followed: {result['sent']} packets, none lost")

# The next one is to run in another mode: the hook is another, the link cannot be taken over, and Linux bridges the gap.
config = f'/tmp/{bed.prefix}.yaml'
stream = Stream(bed, '10.2.0.2', rate=2000)
for mode in ('generic', 'native', 'generic', 'auto'):
    daemon.end(signal.SIGKILL)
    with open(config, 'w') as out:
        out.write(f'mode: {mode}\n')
    daemon = Daemon(bed, '-c', config, 'r0', 'r1')
    assert all(port['mode'] == mode.replace('auto', 'native') for port in daemon.status()['ports'])
    assert 'someone else' not in daemon.text() and len(links()) == 2, daemon.text()
result = stream.end()
assert result['lost'] == 0 and result['twice'] == 0, result
print(f"followed by one of another mode: {result['sent']} packets, none lost")

# A port that is made anew while nobody runs: the old link is rubbish, and swept.
daemon.end(signal.SIGKILL)
rubbish = links()
bed.router('ip', 'link', 'delete', 'r1')
bed.pair(bed.d, 'd0', 'r1', 2)
daemon = Daemon(bed, 'r0', 'r1')
until(lambda: len(links()) == 2 and len(links() - rubbish) == 1, 'the old link swept')
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')
# One port less than the one before had: it is given back to the kernel.
daemon.end(signal.SIGKILL)
daemon = Daemon(bed, 'r0')
until(lambda: len(links()) == 1 and not bed.programs('r1'), 'r1 given back')
print('rubbish of the daemon before is swept')

# Stale tables forward nothing.
daemon.end()
assert bed.traces() == before, bed.traces() - before
with open(config, 'w') as out:
    out.write('stale-after: 2\n')
daemon = Daemon(bed, '-c', config, 'r0', 'r1')
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')
stream = Stream(bed, '10.2.0.2', rate=500)
os.kill(daemon.pid, signal.SIGSTOP)
time.sleep(4)
os.kill(daemon.pid, signal.SIGCONT)
stale = until(lambda: punts(daemon, 'stale'), 'packets counted as stale')
until(lambda: daemon.port('r0')['forwarded_rate'] > 0, 'forwards again')
result = stream.end()
assert result['lost'] == 0, result
os.unlink(config)
print(f'a daemon that hangs: {stale} packets went to the kernel, none lost')

assert daemon.end(signal.SIGINT) == 0
assert bed.traces() == before, bed.traces() - before

# Asked to end while it starts, at whatever moment: nothing stays.
ends = []
for delay_ms in [*(quarter / 4 for quarter in range(120)), 1000]:
    process = subprocess.Popen(bed.inside(bed.r, bed.penstock, 'run', 'r0', 'r1'), stdin=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(delay_ms / 1000)
    process.send_signal(signal.SIGTERM)
    ends.append(process.wait(WAIT_S))
    until(lambda: bed.traces() == before, f'nothing stays after {delay_ms} ms', 5)
assert set(ends) <= {0, -signal.SIGTERM} and ends[-1] == 0, ends
print(f'ended at {len(ends)} moments of its start: nothing stays')

# A name instead of the namespace's number.
daemon = Daemon(bed, '--name', bed.prefix, 'r0', 'r1')
assert daemon.status()['name'] == bed.prefix
assert os.path.exists(f'/run/penstock/{bed.prefix}.sock')
assert bed.command('status', '--name', bed.prefix).returncode == 0
status, line = bed.refused('run', '--name', bed.prefix, 's0', where=bed.s)
assert status == 1 and 'this name' in line and f'pid {daemon.pid}' in line, line
other = Daemon(bed, 's0', where=bed.s)
assert other.status()['pid'] == other.pid and daemon.status()['pid'] == daemon.pid
assert other.end() == 0 and daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
print('daemons of two namespaces side by side, told apart by namespace and name')
