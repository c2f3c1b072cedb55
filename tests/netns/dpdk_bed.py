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
import shutil

from bed import Bed, Daemon, skip

# Rings that hold what comes while a busy machine leaves the worker waiting.
DEVICES = tuple(f'dpdk:net_af_packet{number},iface=r{number},framecnt=8192' for number in (0, 1))


def has_plugin(penstock):
    return os.path.exists(os.path.join(os.path.dirname(os.path.abspath(penstock)), 'penstock-dpdk.so'))


def hand_over(bed, interface):
    """Takes an interface of the router away from the kernel, for a packet socket alone."""
    bed.router('sysctl', '-qw', f'net.ipv6.conf.{interface}.disable_ipv6=1')
    bed.router('ip', 'address', 'flush', 'dev', interface)
    bed.router('nft', 'add', 'table', 'netdev', 'penstock_test')
    bed.router('nft', f'add chain netdev penstock_test {interface} '
               f'{{ type filter hook ingress device {interface} priority 0; policy drop; }}')


def give(bed, interface, number):
    """The addresses of the router on link `number`."""
    bed.router('ip', 'address', 'add', f'10.{number}.0.1/24', 'dev', interface)
    bed.router('ip', 'address', 'add', f'fd0{number}::1/64', 'dev', interface, 'nodad')


class DpdkBed(Bed):
    """A router without ports of the kernel."""

    def __init__(self, penstock):
        if not has_plugin(penstock):
            skip('penstock is built without DPDK (libdpdk-dev)')
        super().__init__(penstock)
        self.inode = os.stat(f'/run/netns/{self.r}').st_ino

    def remove(self):
        super().remove()
        if hasattr(self, 'inode'):  # what a killed daemon leaves
            shutil.rmtree(f'/run/dpdk/penstock-{self.inode}', ignore_errors=True)

    def pair(self, host, outer, inner, number):
        super().pair(host, outer, inner, number)
        hand_over(self, inner)

    def overflows(self):
        """Frames that found the queue of an interface of the router full, as whoever empties it had no CPU."""
        links = json.loads(self.router('ip', '-j', '-s', 'link').stdout)
        return sum(link['stats64']['tx']['dropped'] for link in links)

    def traces(self):
        """Also what DPDK could leave: interfaces and files."""
        links = json.loads(self.router('ip', '-j', 'link').stdout)
        found = super().traces() | {f"interface {link['ifname']}" for link in links}
        return found | set(glob.glob(f'/run/dpdk/penstock-{self.inode}*') +
                           glob.glob(f'/dev/hugepages/penstock-{self.inode}*'))


class DpdkDaemon(Daemon):
    def __init__(self, bed, *arguments, devices=DEVICES, wrap=None):
        super().__init__(bed, *arguments, *devices, wrap=wrap)
        for number, _ in enumerate(devices):
            give(bed, f'dp{number}', number + 1)
