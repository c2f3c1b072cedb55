#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""`penstock bench modes` over ports of the machine: veth pairs in a namespace play the ports and the cables between them.
With the router on the same machine, and with one that somebody else sets up by what the bench tells. However it ends,
ports are back as they were; ports that are in use are refused.

bench_ports.py PENSTOCK bench
"""
import atexit
import ctypes
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from bench_process import ENDS, children, end_midway, namespaces, needs_root, run_tests, until

COMMAND = [os.path.abspath(sys.argv[1]), *sys.argv[2:], 'modes', '--quick']
ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING, TP_STATUS_VLAN_VALID = 3, 263, 8, 4, 1 << 4
ROUTER, GATEWAY = socket.inet_aton('198.51.100.1'), bytes.fromhex('027073000100')
libc = ctypes.CDLL(None, use_errno=True)
HERE, AWAY = (f'ps-ports-{os.getpid()}-{name}' for name in ('here', 'away'))


def shell(*arguments, check=True):
    return subprocess.run(arguments, check=check, capture_output=True, text=True, timeout=60).stdout


def inside(*arguments, where=HERE):
    return ['nsenter', f'--net=/run/netns/{where}', *arguments]


def ip(*arguments, where=HERE):
    return shell('ip', '-n', where, *arguments)


def make():
    for name in (HERE, AWAY):
        shell('ip', 'netns', 'add', name)
    # eth2 - eth0: what is sent to the router; eth1 - eth3: what it sends; eth4, eth5: to and from another machine
    for one, other in (('eth2', 'eth0'), ('eth3', 'eth1')):
        ip('link', 'add', one, 'type', 'veth', 'peer', 'name', other)
    for one, other in (('eth4', 'r0'), ('eth5', 'r1')):
        ip('link', 'add', one, 'type', 'veth', 'peer', 'name', other, 'netns', AWAY)
    ip('link', 'set', 'eth3', 'up', 'mtu', '1400')
    ip('link', 'set', 'eth5', 'up')


def remove():
    for name in (HERE, AWAY):
        shell('ip', 'netns', 'del', name, check=False)


def settings():
    """All that is set on the ports, and on the namespace they are of."""
    links = {link['ifname']: {key: link.get(key) for key in ('ifindex', 'mtu', 'address', 'promiscuity', 'xdp', 'qdisc', 'group')} |
             {'up': 'UP' in link['flags'], 'promisc': 'PROMISC' in link['flags']} for link in json.loads(ip('-d', '-j', 'link'))}
    features = {name: shell(*inside('ethtool', '-k', name)) for name in links if name != 'lo'}
    forwarding = [shell(*inside('sysctl', '-n', name)) for name in ('net.ipv4.ip_forward', 'net.ipv4.conf.all.rp_filter')]
    return links, features, forwarding, ip('route'), ip('neighbour'), [a['addr_info'] for a in json.loads(ip('-j', '-4', 'address'))]


def start(*arguments):
    return subprocess.Popen(inside(*COMMAND, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_router_here():
    before = settings()
    process = start('--json', '--tx', 'eth2', '--rx', 'eth3', '--dut', 'eth0,eth1', '--modes', 'kernel,penstock')
    out, told = process.communicate(timeout=150)
    assert process.returncode == 0, (process.returncode, told)
    names = {figure['name'] for figure in json.loads(out)['figures']}
    for mode in ('kernel', 'penstock'):
        assert f'modes IPv4 1-routes 64-bytes {mode} latency-at-10% p50' in names, names
    assert settings() == before, (settings(), before)
    assert not namespaces(process.pid)


def test_router_elsewhere():
    """The other machine is set up by what the bench wrote, word by word."""
    before = settings()
    process = start('--json', '--tx', 'eth4', '--rx', 'eth5', '--dut-config', 'dut.sh')
    until(lambda: os.path.exists('dut.sh') and 'route replace' in open('dut.sh').read(), 'commands written')
    assert process.poll() is None
    with open('dut.sh') as file:
        commands = file.read().replace('IN', 'r0').replace('OUT', 'r1')
    shell(*inside('ethtool', '-K', 'r0', 'gro', 'on', where=AWAY))
    shell(*inside('sh', '-ec', commands, where=AWAY))
    out, told = process.communicate(timeout=150)
    assert process.returncode == 0, (process.returncode, told)
    assert 'waiting for the router to answer ARP on eth4' in told and 'and forwards' in told, told
    names = {figure['name'] for figure in json.loads(out)['figures']}
    assert 'modes IPv4 1-routes 64-bytes remote latency-at-10% p50' in names, names
    assert settings() == before


def test_signals():
    before = settings()

    def running(pid):
        if len(children(pid)) < 2:
            return False
        assert not {'eth0', 'eth2'} & {link['ifname'] for link in json.loads(ip('-j', 'link'))}
        return True
    for number in ENDS:
        process = start('--tx', 'eth2', '--rx', 'eth3', '--dut', 'eth0,eth1', '--modes', 'penstock')
        end_midway(process, number, running, gone=[lambda: settings() == before])


def has_vlans():
    return subprocess.run(['unshare', '-n', 'ip', 'link', 'add', 'link', 'lo', 'name', 'tagged', 'type', 'vlan', 'id', '5'],
                          capture_output=True, check=False).returncode == 0


class Stick(threading.Thread):
    """A router on a stick at r0, made of a packet socket, so that it needs no VLANs of the kernel's. From its first packet on,
    `tag` says with which it sends them on; what is not VLAN 40 is counted."""

    def __init__(self, tag):
        super().__init__(daemon=True)
        self.tag, self.others, self.passed, self.ended = tag, 0, 0, False
        with open('/proc/self/ns/net') as home, open(f'/run/netns/{AWAY}') as there:
            libc.setns(there.fileno(), 0)
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self.socket.bind(('r0', ETH_P_ALL))
            libc.setns(home.fileno(), 0)
        self.mac = self.socket.getsockname()[4]
        self.socket.settimeout(0.1)

    def answer(self, data, tag):
        if tag == 10 and data[20:22] == b'\0\1' and data[38:42] == ROUTER:
            arp = data[14:20] + b'\0\2' + self.mac + ROUTER + data[22:32]
            self.socket.send(data[6:12] + self.mac + b'\x81\0\0\x0a\x08\x06' + arp)

    def route(self, data, tag):
        if tag not in (10, 20, 30) or data[:6] != self.mac:
            return
        ttl = struct.unpack_from('!H', data, 22)[0] - 0x100
        check = struct.unpack_from('!H', data, 24)[0] + 0x100
        head = data[14:22] + struct.pack('!HH', ttl, (check & 0xffff) + (check >> 16))
        out = self.tag(self.passed)
        self.passed += 1
        self.others += out != 40
        between = b'' if out is None else struct.pack('!HH', 0x8100, out)
        self.socket.send(GATEWAY + self.mac + between + b'\x08\0' + head + data[26:])

    def run(self):
        while not self.ended:
            try:
                data, extra, _, address = self.socket.recvmsg(2048, 64)
            except TimeoutError:
                continue
            if address[2] == PACKET_OUTGOING or not extra:
                continue
            status, _, _, _, _, tag, _ = struct.unpack('IIIHHHH', extra[0][2][:20])
            if not status & TP_STATUS_VLAN_VALID:
                continue
            (self.answer if data[12:14] == b'\x08\x06' else self.route)(data, tag)


def through_stick(router, *arguments):
    before = settings()
    shell('ip', '-n', AWAY, 'link', 'set', 'r0', 'up')
    router.start()
    process = start('--json', '--tx', 'eth4', '--workload', 'stick', '--dut-config', 'stick.sh', *arguments)
    try:
        out, told = process.communicate(timeout=150)
    finally:
        process.kill()
        router.ended = True
        router.join()
    assert settings() == before
    return process.returncode, json.loads(out), told


def test_stick_elsewhere():
    """One cable to a router that is no Linux; at first it sends with no tag, then with a wrong one."""
    router = Stick(lambda number: (None, 41)[number // 40] if number < 80 else 40)
    code, record, told = through_stick(router)
    assert code == 0, told
    assert told.count('what comes to eth4 has no tag, not the tag of VLAN 40') == 1, told
    assert told.count('what comes to eth4 has the tag of VLAN 41, not the tag of VLAN 40') == 1 and 'and forwards' in told, told
    names = {figure['name'] for figure in record['figures']}
    assert 'modes IPv4 1-routes stick 64-bytes remote latency-at-10% p50' in names, names
    assert record['ports'] == {'tx': 'eth4', 'rx': 'eth4', 'dut': None}, record['ports']
    with open('stick.sh') as file:
        commands = file.read()
    for vlan in (10, 20, 30, 40):
        assert f'ip link add link IN name bench.{vlan} type vlan id {vlan}\n' in commands, commands
    assert 'OUT' not in commands and 'dev bench.40\n' in commands and 'ethtool -K IN txvlan off' in commands, commands


def test_faults_of_tags():
    """Once it forwards, one packet in 64 has no tag or a wrong one: none of them is taken for right."""
    for fault in (None, 41):
        router = Stick(lambda number, fault=fault: fault if number > 100 and number % 64 == 0 else 40)
        code, _, told = through_stick(router)
        wrong = re.search(r'wrong was the VLAN tag of (\d+)$', told, re.MULTILINE)
        assert code == 1 and wrong, (fault, code, told)
        # what comes when a trial has ended is of none
        assert router.others / 2 < int(wrong.group(1)) <= router.others, (fault, wrong.group(1), router.others)


def refused(status, text, *arguments):
    before = settings()
    process = start(*arguments)
    out, told = process.communicate(timeout=60)
    assert process.returncode == status and not out and len(told.splitlines()) == 1 and text in told, (arguments, process.returncode, told)
    assert settings() == before


def test_bad_input():
    here = ('--rx', 'eth3', '--dut', 'eth0,eth1')
    refused(2, 'belong together', '--tx', 'eth2')
    refused(2, 'belong together', '--dut', 'eth0,eth1')
    refused(2, 'belong together', '--tx', 'eth2', *here, '--dut-config', 'x')
    refused(2, 'want two ports', '--tx', 'eth2', '--rx', 'eth3', '--dut', 'eth0')
    refused(1, 'eth9: no such port', '--tx', 'eth9', *here)
    refused(1, 'lo: is no Ethernet port', '--tx', 'lo', *here)
    refused(1, 'eth3: is given twice', '--tx', 'eth3', *here)
    refused(2, '--modes nolookup: want for VLANs, some of', '--tx', 'eth2', *here, '--vlans', '10', '--modes', 'nolookup')
    refused(2, 'want one port: a router on a stick has no other', '--tx', 'eth2', *here, '--workload', 'stick')
    refused(2, 'belong together', '--tx', 'eth2', '--vlans', '10')
    if not has_vlans():
        refused(1, 'VLANs need the module 8021q, which this kernel does not have', '--tx', 'eth2', *here, '--vlans', '10')
        refused(1, 'VLANs need the module 8021q, which this kernel does not have', '--tx', 'eth2', '--dut', 'eth0', '--vlans', '10:20')
    refused(2, '--workload leaf: want one without groups', '--tx', 'eth2', '--rx', 'eth3', '--workload', 'leaf')
    ip('address', 'add', '10.9.9.9/24', 'dev', 'eth2')
    refused(1, 'eth2 is in use: it has addresses', '--tx', 'eth2', *here)
    ip('address', 'flush', 'dev', 'eth2')
    ip('link', 'add', 'br0', 'type', 'bridge')
    ip('link', 'set', 'eth2', 'master', 'br0')
    refused(1, 'eth2 is in use: it is part of a bridge', '--tx', 'eth2', *here)
    ip('link', 'del', 'br0')
    ip('link', 'add', 'mac0', 'link', 'eth2', 'type', 'macvlan')
    refused(1, 'eth2 is in use: it has other devices on it', '--tx', 'eth2', *here)
    ip('link', 'del', 'mac0')


needs_root()
atexit.register(remove)
with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    make()
    run_tests(globals())
