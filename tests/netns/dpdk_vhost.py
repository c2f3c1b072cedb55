#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""dpdk_vhost.py PENSTOCK: two routers on the two ends of a vhost-user socket, as a host and its guest would be, with two
queues each: forwarding, the link that follows the far end, nothing left behind.

    S ------ r0 R: dp0, dp1 = net_vhost0 ~~~~~~ net_virtio_user0 = dp0 Q: dp1 ------ D
"""
import json
import os
import shutil
import signal
import subprocess
import sys

from bed import Daemon, shell, until
from dpdk_bed import DpdkBed

ADDRESSES = ('10.2.0.2', 'fd02::2')
# The far end maps the memory of a router, so that must be in few pieces.
CONFIG = 'dpdk: {{ eal: "--single-file-segments", lcores: "{lcores}" }}\n'


class TwoRouters(DpdkBed):
    def make(self):
        self.q = f'{self.prefix}-q'
        shell('ip', 'netns', 'add', self.q)
        super().make()
        shell(*self.inside(self.q, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'))

    def pair(self, host, outer, inner, number, queues=1):
        """The second link ends in the second router."""
        first, self.r = self.r, self.q if number == 2 else self.r
        super().pair(host, outer, inner, number)
        self.r = first

    def remove(self):
        super().remove()
        inode = os.stat(f'/run/netns/{self.q}').st_ino
        shutil.rmtree(f'/run/dpdk/penstock-{inode}', ignore_errors=True)
        shell('ip', 'netns', 'delete', self.q, check=False)


def start(where, devices, addresses, routes):
    daemon = Daemon(bed, '-c', config, *devices, where=where)
    for number, (four, six) in enumerate(addresses):
        shell('ip', '-n', where, 'address', 'add', four, 'dev', f'dp{number}')
        shell('ip', '-n', where, 'address', 'add', six, 'dev', f'dp{number}', 'nodad')
    for prefix, gateway in routes:
        shell('ip', '-n', where, 'route', 'add', prefix, 'via', gateway)
    return daemon


def start_host():
    return start(bed.r, (f'dpdk:net_af_packet0,iface=r0,framecnt=8192,qpairs={queues}',
                         f'dpdk:net_vhost0,iface={path},queues={queues}'),
                 (('10.1.0.1/24', 'fd01::1/64'), ('10.3.0.1/24', 'fd03::1/64')),
                 (('10.2.0.0/24', '10.3.0.2'), ('fd02::/64', 'fd03::2')))


def start_guest():
    return start(bed.q, (f'dpdk:net_virtio_user0,path={path},queues={queues}',
                         f'dpdk:net_af_packet0,iface=r1,framecnt=8192,qpairs={queues}'),
                 (('10.3.0.2/24', 'fd03::2/64'), ('10.2.0.1/24', 'fd02::1/64')),
                 (('10.1.0.0/24', '10.3.0.1'), ('fd01::/64', 'fd03::1')))


def forwarded(daemon, name):
    return daemon.port(name)['forwarded']


def check_forwarding(host, guest):
    for address in ADDRESSES:
        until(lambda: bed.ping(bed.s, address, 1), f'first ping of {address}')
        start = forwarded(host, 'dp0'), forwarded(guest, 'dp1')
        until(lambda: bed.ping(bed.s, address, 20), f'20 echoes of {address}')
        until(lambda: forwarded(host, 'dp0') - start[0] >= 20 and forwarded(guest, 'dp1') - start[1] >= 20, 'by the engine')
        bed.transfer(address)


def two_routers():
    host = start_host()
    assert not host.port('dp1')['carrier'], 'a link without a far end'
    guest = start_guest()
    until(lambda: host.port('dp1')['carrier'], 'the link is up when the far end has come')
    check_forwarding(host, guest)
    assert guest.end() == 0
    until(lambda: not host.port('dp1')['carrier'], 'the link is down when the far end has gone')
    assert json.loads(bed.command('lookup', '10.2.0.2', 'from', 'dp0', '-j').stdout)['action'] != 'forward'
    guest = start_guest()
    for prefix, gateway in (('10.2.0.0/24', '10.3.0.2'), ('fd02::/64', 'fd03::2')):
        shell('ip', '-n', bed.r, 'route', 'replace', prefix, 'via', gateway)
    check_forwarding(host, guest)
    assert guest.end() == 0
    host.end(signal.SIGKILL)
    assert os.path.exists(path), 'the socket of a killed daemon'
    host, guest = start_host(), start_guest()  # it is in nobody's way
    check_forwarding(host, guest)
    assert guest.end() == 0 and host.end() == 0
    assert not os.path.exists(path), f'{path} is left'
    assert bed.traces() == before, f'left {bed.traces() - before}'
    print(f'two routers on a vhost-user socket with {queues} queues: ping and TCP, a far end that goes and comes back,\n'
          'a host that is killed and started again')


# 0 is the far end of the socket, whose checksums are left to whoever takes the frame from it; 1 is the link to D.
TESTPMD = '''port stop all
csum set ip sw 0
csum set udp hw 0
csum set tcp hw 0
csum set ip sw 1
csum set udp sw 1
csum set tcp sw 1
port start all
set eth-peer 0 {router}
set eth-peer 1 {host}
set fwd csum
start
'''


def mac(where, device):
    return json.loads(shell('ip', '-n', where, '-j', 'link', 'show', device).stdout)[0]['address']


def start_testpmd(commands):
    with open(f'/tmp/{bed.prefix}.commands', 'w') as out:
        out.write(commands)
    return subprocess.Popen(
        bed.inside(bed.q, 'dpdk-testpmd', '--no-pci', '--no-telemetry', '--single-file-segments', '--no-shconf', '--no-huge',
                   '-m', '256', f'--lcores=0@{cpus[0]},1@{cpus[-1]}', f'--file-prefix={bed.prefix}', '--vdev',
                   f'net_virtio_user0,path={path},queues=1', '--vdev', 'net_af_packet0,iface=r1,framecnt=8192', '--',
                   f'--cmdline-file=/tmp/{bed.prefix}.commands', '--interactive', '--no-mlockall', '--total-num-mbufs=16384'),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def unfinished_checksums():
    """A guest leaves checksums to its card, which here is our device: what is forwarded has them nonetheless."""
    host = start(bed.r, ('dpdk:net_af_packet0,iface=r0,framecnt=8192', f'dpdk:net_vhost0,iface={path}'),
                 (('10.1.0.1/24', 'fd01::1/64'), ('10.2.0.1/24', 'fd02::1/64')), ())
    macs = {'router': mac(bed.r, 'dp1'), 'host': mac(bed.d, 'd0')}
    for where, device, addresses, station in ((bed.r, 'dp1', ('10.2.0.2', 'fd02::2'), macs['host']),
                                              (bed.d, 'd0', ('10.2.0.1', 'fd02::1'), macs['router'])):
        for address in addresses:
            shell('ip', '-n', where, 'neigh', 'replace', address, 'lladdr', station, 'nud', 'permanent', 'dev', device)
    testpmd = start_testpmd(TESTPMD.format(**macs))
    bed.s, bed.d = bed.d, bed.s  # from behind the guest
    try:
        until(lambda: host.port('dp1')['carrier'], 'testpmd has come')
        begin = forwarded(host, 'dp1')
        for address in ('10.1.0.2', 'fd01::2'):
            until(lambda: bed.ping(bed.s, address, 3), f'ping {address} from behind the guest')
            bed.transfer(address)
        assert forwarded(host, 'dp1') - begin > 1000, 'by the engine'
    finally:
        bed.s, bed.d = bed.d, bed.s
        testpmd.terminate()
        said = testpmd.communicate(timeout=60)[0]
    assert 'Tx offloads=0xc' in said, said  # of UDP and TCP
    assert host.end() == 0
    assert bed.traces() == before, f'left {bed.traces() - before}'
    print('a guest that leaves checksums to its card: TCP of both families')


bed = TwoRouters(sys.argv[1])
before = bed.traces()
path, config = f'/tmp/{bed.prefix}.sock', f'/tmp/{bed.prefix}.yaml'
cpus = sorted(os.sched_getaffinity(0))[:2]
queues = len(cpus)
with open(config, 'w') as out:
    out.write(CONFIG.format(lcores=','.join(map(str, cpus))))
two_routers()
if shutil.which('dpdk-testpmd'):
    unfinished_checksums()
else:
    print('not checked: unfinished checksums; dpdk-testpmd is not installed')
