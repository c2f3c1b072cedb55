# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The bed of bed.py with a router whose ports are in the hands of DPDK:

    namespace S            namespace R                                 namespace D
    s0 10.1.0.2  -------  r0 = net_af_packet0 = dp0 10.1.0.1
                          r1 = net_af_packet1 = dp1 10.2.0.1  -------  d0 10.2.0.2

The kernel would forward what comes in by r0, too: a chain of nftables takes it away from its stack, behind
the packet socket that DPDK's driver reads from.
"""
import glob
import json
import os

from bed import Bed, Daemon, shell, skip

# Rings that hold what comes while a busy machine leaves the worker waiting.
DEVICES = tuple(f'dpdk:net_af_packet{number},iface=r{number},framecnt=8192' for number in (0, 1))


def need_plugin(penstock):
    if not os.path.exists(os.path.join(os.path.dirname(os.path.abspath(penstock)), 'penstock-dpdk.so')):
        skip('penstock is built without DPDK (libdpdk-dev)')


class DpdkBed(Bed):
    """Daemons bring their interfaces up, and give() them addresses."""

    def __init__(self, penstock):
        need_plugin(penstock)
        super().__init__(penstock)

    def pair(self, host, outer, inner, number):
        super().pair(host, outer, inner, number)
        self.router('sysctl', '-qw', f'net.ipv6.conf.{inner}.disable_ipv6=1')
        shell('ip', '-n', self.r, 'address', 'flush', 'dev', inner)
        self.router('nft', 'add', 'table', 'netdev', 'penstock_test')
        self.router('nft', f'add chain netdev penstock_test {inner} '
                    f'{{ type filter hook ingress device {inner} priority 0; policy drop; }}')

    def give(self, interface, number):
        shell('ip', '-n', self.r, 'address', 'add', f'10.{number}.0.1/24', 'dev', interface)
        shell('ip', '-n', self.r, 'address', 'add', f'fd0{number}::1/64', 'dev', interface, 'nodad')

    def traces(self):
        """Also what DPDK could leave: interfaces and files."""
        links = json.loads(self.router('ip', '-j', 'link').stdout)
        found = super().traces() | {f"interface {link['ifname']}" for link in links}
        inode = os.stat(f'/run/netns/{self.r}').st_ino
        return found | set(glob.glob(f'/run/dpdk/penstock-{inode}*') + glob.glob(f'/dev/hugepages/penstock-{inode}*'))


class DpdkDaemon(Daemon):
    def __init__(self, bed, *arguments, devices=DEVICES, wrap=None):
        super().__init__(bed, *arguments, *devices, wrap=wrap)
        for number, _ in enumerate(devices):
            bed.give(f'dp{number}', number + 1)
