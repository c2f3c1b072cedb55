#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""`penstock bench modes` over ports of the machine: veth pairs in a namespace play the ports and the cables between them.
With the router on the same machine, and with one that somebody else sets up by what the bench tells. However it ends,
ports are back as they were; ports that are in use are refused.

bench_ports.py PENSTOCK bench
"""
import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile

from bench_process import ENDS, children, end_midway, namespaces, needs_root, run_tests, until

COMMAND = [os.path.abspath(sys.argv[1]), *sys.argv[2:], 'modes', '--quick']
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
    refused(2, '--tx eth2: want no VLANs, which are over veth only', '--tx', 'eth2', *here, '--vlans', '10')
    refused(2, '--tx eth2: want no VLANs, which are over veth only', '--tx', 'eth2', *here, '--workload', 'stick')
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
