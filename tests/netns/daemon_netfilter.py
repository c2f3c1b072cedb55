#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_netfilter.py PENSTOCK: rules that concern forwarded packets keep them in the kernel, which is said
and undone; `bypass` forwards in spite of them; policy rules and IPsec policies likewise. Also: reload."""
import os
import signal
import sys
import time

from bed import Bed, Daemon, Stream, until

bed = Bed(sys.argv[1])
before = bed.traces()
config = f'/tmp/{bed.prefix}.yaml'


def configure(text):
    with open(config, 'w') as out:
        out.write(text)


def held(daemon, reason):
    """Whether all ports are held for this reason."""
    ports = daemon.status()['ports']
    return all((port['hold'] or {}).get('reason') == reason for port in ports) and ports


def free(daemon):
    return all(port['hold'] is None for port in daemon.status()['ports'])


def soon(condition, what):
    """Waits, and tells how long it took: a second at most, on a machine that has nothing else to do."""
    start = time.monotonic()
    value = until(condition, what)
    print(f'    {what}: {time.monotonic() - start:.2f} s')
    return value


def punts(daemon, reason):
    return sum(punt['packets'] for punt in daemon.port('r0')['punts'] if punt['reason'] == reason)


def grows(value, by=200):
    start = value()
    return until(lambda: value() - start >= by, 'packets')


def nft(*words):
    bed.router('nft', *words)


configure('netfilter: respect\n')
daemon = Daemon(bed, '-c', config, 'r0', 'r1')
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')
stream = Stream(bed, '10.2.0.2', rate=500)
forwarded = lambda: daemon.port('r0')['forwarded']
grows(forwarded)
assert free(daemon)

# A forward chain with rules; a chain on another hook does not matter.
nft('add', 'table', 'inet', 'guard')
nft('add', 'chain', 'inet', 'guard', 'in', '{ type filter hook input priority 0; }')
nft('add', 'rule', 'inet', 'guard', 'in', 'counter', 'accept')
time.sleep(0.5)
assert free(daemon), daemon.status()['ports']
nft('add', 'chain', 'inet', 'guard', 'transit', '{ type filter hook forward priority 0; }')
nft('add', 'rule', 'inet', 'guard', 'transit', 'counter', 'accept')
ports = soon(lambda: held(daemon, 'netfilter'), 'held because of nftables')
assert 'guard' in ports[0]['hold']['detail'], ports[0]['hold']
assert daemon.status()['state'] == 'held'
assert 'netfilter' in bed.command('status').stdout and 'guard' in bed.command('show', 'rules').stdout
grows(lambda: punts(daemon, 'netfilter'))
answer = bed.command('lookup', '10.2.0.2', 'from', 'r0').stdout
assert 'goes to the kernel' in answer and 'netfilter' in answer, answer

# Bypass is a choice; so is the way back.
configure('netfilter: bypass\n')
assert bed.command('reload').returncode == 0
soon(lambda: free(daemon), 'free by bypass')
grows(forwarded)
assert 'bypassed' in bed.command('show', 'rules').stdout
configure('netfilter: respect\n')
os.kill(daemon.pid, signal.SIGHUP)
soon(lambda: held(daemon, 'netfilter'), 'held again')
nft('delete', 'table', 'inet', 'guard')
soon(lambda: free(daemon), 'free without rules')
grows(forwarded)
print('nftables: held, said, bypassed on demand, free again')

# Legacy iptables.
bed.router('iptables-legacy', '-A', 'FORWARD', '-p', 'udp', '--dport', '9', '-j', 'DROP')
soon(lambda: held(daemon, 'netfilter'), 'held because of iptables')
bed.router('iptables-legacy', '-D', 'FORWARD', '-p', 'udp', '--dport', '9', '-j', 'DROP')
soon(lambda: free(daemon), 'free without iptables')
print('legacy iptables: the same')

# IPsec policies.
policy = ['dir', 'fwd', 'src', '192.0.2.0/24', 'dst', '198.51.100.0/24']
bed.router('ip', 'xfrm', 'policy', 'add', *policy, 'action', 'block')
soon(lambda: held(daemon, 'xfrm'), 'held because of IPsec')
bed.router('ip', 'xfrm', 'policy', 'delete', *policy)
soon(lambda: free(daemon), 'free without IPsec')
print('IPsec policies: the same')

# A policy rule for one ingress holds that port only.
bed.router('ip', 'rule', 'add', 'iif', 'r1', 'lookup', '100')
soon(lambda: (daemon.port('r1')['hold'] or {}).get('reason') == 'policy-rule', 'r1 held')
assert daemon.port('r0')['hold'] is None
bed.router('ip', 'rule', 'delete', 'iif', 'r1', 'lookup', '100')
soon(lambda: free(daemon), 'free without the rule')
print('a policy rule for one interface holds that one')

# A reload takes all or nothing.
configure('netfilter: maybe\n')
status, line = bed.refused('reload')
assert status == 1 and "'netfilter' is 'maybe'" in line, line
configure('stale-after: 7\n')
status, line = bed.refused('reload')
assert status == 1 and "'stale-after' cannot change while running" in line, line
configure('ports: [{interface: r9}]\n')
status, line = bed.refused('reload')
assert status == 1 and 'r9' in line and 'no such interface' in line, line
assert free(daemon) and len(daemon.status()['ports']) == 2
configure('ports: [{interface: r1, mode: generic}]\n')
assert bed.command('reload').returncode == 0
until(lambda: daemon.port('r1')['mode'] == 'generic', 'r1 generic')
grows(forwarded)
configure('')
assert bed.command('reload').returncode == 0
until(lambda: daemon.port('r1')['mode'] == 'native', 'r1 native again')
result = stream.end()
assert result['lost'] == 0, result
print(f"reload: all or nothing; {result['sent']} packets through all of this, none lost")

os.unlink(config)
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
