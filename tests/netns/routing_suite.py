#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""routing_suite.py PENSTOCK frr|bird: a routing suite feeds the router 100,000 routes over BGP, then takes them back.

    S: BIRD with static routes ------ BGP ------ R: FRR or BIRD, penstock ------ D

While routes come and go, numbered datagrams over a route that does not change must all arrive. After each phase the
data plane must equal the kernel: the audit finds no difference, and a sample of addresses gets from `penstock lookup`
the next hop that `ip route get` names. ROUTES and SEED in the environment.
"""
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from bed import Bed, Daemon, Stream, shell, skip, until

ROUTES = int(os.environ.get('ROUTES', 100000))
SEED = int(os.environ.get('SEED', 20260703))
SAMPLE = 200
AUDITED = 2000
LOAD_S = 120
QUIET = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}

BIRD_ROUTER = '''
router id 10.1.0.1;
protocol device { }
protocol kernel { ipv4 { export all; import none; }; }
protocol bgp feeder { local 10.1.0.1 as 65001; neighbor 10.1.0.2 as 65002; ipv4 { import all; export none; }; }
'''
BIRD_FEEDER = '''
router id 10.1.0.2;
protocol device { }
protocol static { ipv4; ROUTES }
protocol bgp peer { local 10.1.0.2 as 65002; neighbor 10.1.0.1 as 65001;
	connect delay time 1; connect retry time 1; error wait time 1, 2;
	ipv4 { import none; export all; next hop self; }; }
'''
FRR_BGPD = '''
router bgp 65001
 bgp router-id 10.1.0.1
 no bgp ebgp-requires-policy
 neighbor 10.1.0.2 remote-as 65002
'''


class Suite:
    """The routing daemons of one run, with their files in one folder."""

    def __init__(self, bed, folder):
        self.bed, self.folder = bed, folder

    def write(self, name, text):
        path = f'{self.folder}/{name}'
        with open(path, 'w') as file:
            file.write(text)
        return path

    def start(self, where, *command):
        child = subprocess.Popen(self.bed.inside(where, *command), stdin=subprocess.DEVNULL, **QUIET)
        self.bed.children.append(child)
        return child

    def bird(self, where, name, text):
        config = self.write(name, text)
        shell('/usr/sbin/bird', '-p', '-c', config)
        return self.start(where, '/usr/sbin/bird', '-f', '-c', config, '-s', config + '.ctl', '-P', config + '.pid')

    def frr(self, **daemons):
        """FRR on the router: the configuration of each daemon beside zebra."""
        shutil.chown(self.folder, 'frr', 'frr')
        os.chmod(self.folder, 0o755)
        for name, text in {'zebra': '', **daemons}.items():
            config = self.write(name, text)
            shutil.chown(config, 'frr', 'frr')
            self.start(self.bed.r, f'/usr/lib/frr/{name}', '-f', config, '-z', f'{self.folder}/zserv', '-i',
                       f'{config}.pid', '--vty_socket', self.folder, '-A', '127.0.0.1')
            until(lambda: os.path.exists(f'{config}.vty'), f'{name} is up')


def make_prefixes(rng):
    """Distinct prefixes of the lengths that a full table has, within 16.0.0.0 to 63.255.255.255."""
    found = set()
    while len(found) < ROUTES:
        length = rng.choice((16, 19, 20, 21, 22, 22, 23, 23) + (24,) * 12)
        found.add((rng.randrange(16 << 24, 64 << 24) >> (32 - length) << (32 - length), length))
    return sorted(found)


def dotted(address):
    return socket.inet_ntoa(struct.pack('!I', address))


def kernel_routes(bed):
    return bed.router('ip', '-4', 'route', 'show').stdout.count('\n')


def kernel_answer(bed, address):
    """(gateway or None, interface) for a packet that comes in by r1; None: it would not be forwarded."""
    result = bed.router('ip', '-j', 'route', 'get', address, 'from', '10.2.0.2', 'iif', 'r1', check=False)
    if result.returncode != 0:
        return None
    route = json.loads(result.stdout)[0]
    return route.get('gateway'), route.get('dev')


def answer(bed, address):
    result = json.loads(bed.command('lookup', address, 'from', 'r1', '-j').stdout)
    return (result['via'], result['interface']) if result['action'] == 'forward' else None


def compare(bed, rng, prefixes):
    """The audit, and a sample of addresses, half of them in the prefixes that were fed."""
    audit = json.loads(bed.command('audit', str(AUDITED), '-j').stdout)
    assert audit['run']['samples'] >= AUDITED and audit['run']['differences'] == 0, audit
    for i in range(SAMPLE):
        base, length = rng.choice(prefixes)
        address = dotted(base + rng.randrange(1 << (32 - length)) if i % 2 else rng.randrange(16 << 24, 64 << 24))
        ours, kernel = answer(bed, address), kernel_answer(bed, address)
        assert ours == kernel, f'{address}: penstock {ours}, kernel {kernel}'


def wait_settled(daemon):
    """Until the mirror has seen all that the kernel had to tell."""
    def quiet():
        before = daemon.status()['mirror']
        time.sleep(0.5)
        after = daemon.status()['mirror']
        return before['events'] == after['events'] and after['lag_us'] < 100000
    until(quiet, 'the mirror has caught up', LOAD_S)


def phase(bed, daemon, rng, prefixes, what, wanted):
    """Waits for the kernel's table to have its size, then compares."""
    begun = time.monotonic()
    until(lambda: kernel_routes(bed) == wanted, f'{what}: {wanted} routes in the kernel', LOAD_S)
    kernel_s = time.monotonic() - begun
    wait_settled(daemon)
    compare(bed, rng, prefixes)
    print(f'{what}: {kernel_s:.1f} s until the kernel had {wanted} routes; penstock equals it', flush=True)


def need(which):
    if not shutil.which('bird', path='/usr/sbin') or (which == 'frr' and not os.path.exists('/usr/lib/frr/zebra')):
        skip(f'{which} is not installed')


def main():
    which = sys.argv[2]
    need(which)
    rng = random.Random(SEED)
    print(f'{which}: {ROUTES} routes, seed {SEED}', flush=True)
    prefixes = make_prefixes(rng)
    bed = Bed(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(bed, folder)
        daemon = Daemon(bed, 'r0', 'r1')
        assert bed.ping(bed.s, '10.2.0.2')
        own = kernel_routes(bed)
        stream = Stream(bed, '10.2.0.2', rate=1000)
        if which == 'frr':
            suite.frr(bgpd=FRR_BGPD)
        else:
            suite.bird(bed.r, 'router', BIRD_ROUTER)
        routes = ' '.join(f'route {dotted(base)}/{length} blackhole;' for base, length in prefixes)
        feeder = suite.bird(bed.s, 'feeder', BIRD_FEEDER.replace('ROUTES', routes))
        phase(bed, daemon, rng, prefixes, 'fed', own + ROUTES)
        feeder.terminate()
        phase(bed, daemon, rng, prefixes, 'withdrawn', own)
        result = stream.end()
        print(f'over a route that did not change: {result}')
        assert result['sent'] > 1000 and result['lost'] == 0 and result['twice'] == 0
        until(lambda: daemon.port('r0')['forwarded'] >= result['sent'] * 0.99, 'the fast path carried them', 5)
        daemon.end()


if __name__ == '__main__':
    main()
