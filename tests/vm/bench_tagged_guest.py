#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_tagged_guest.py PENSTOCK [CHECK...]: `penstock bench modes` with tags over ports, in a guest whose kernel has VLANs and that
has four network cards on two cables. With the router on the same machine and with one that is set up by what the bench
tells; on a stick and not. Its sink finds every packet right, tag and all, or the bench fails; what a wire does to tags is
counted as wrong. However it ends, VLANs are gone and ports are as they were."""
import json
import os
import re
import signal
import subprocess
import sys
import time

COMMAND = [os.path.abspath(sys.argv[1]), 'bench', 'modes', '--quick']
HERE, AWAY = 'here', 'away'
WAIT_S = 240


def shell(*arguments, check=True):
    return subprocess.run(arguments, check=check, capture_output=True, text=True, timeout=60).stdout


def inside(*arguments, where=HERE):
    return ['nsenter', f'--net=/run/netns/{where}', *arguments]


def ip(*arguments, where=HERE):
    return shell('ip', '-n', where, *arguments)


def make():
    for name in (HERE, AWAY):
        shell('ip', 'netns', 'add', name)
    shell('modprobe', 'e1000')
    until(lambda: os.path.exists('/sys/class/net/eth3'), 'four network cards')
    for number in range(4):  # eth0 - eth1, eth2 - eth3
        shell('ip', 'link', 'set', f'eth{number}', 'netns', HERE)
    # s0 - r0: a cable on this machine; s1 - r1: one to another machine
    ip('link', 'add', 's0', 'type', 'veth', 'peer', 'name', 'r0')
    ip('link', 'add', 's1', 'type', 'veth', 'peer', 'name', 'r1', 'netns', AWAY)


def settings():
    links = {link['ifname']: {key: link.get(key) for key in ('ifindex', 'mtu', 'address', 'promiscuity', 'xdp', 'link')} |
             {'up': 'UP' in link['flags'], 'promisc': 'PROMISC' in link['flags']} for link in json.loads(ip('-d', '-j', 'link'))}
    return links | {f'{name} -k': shell(*inside('ethtool', '-k', name)) for name in links if name != 'lo'}


def differences(before):
    now = settings()
    return '\n'.join(f'{name}: {before.get(name)}\n{now.get(name)}' for name in before.keys() | now.keys()
                     if before.get(name) != now.get(name))


def until(condition, what):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, f'waited in vain: {what}'
        time.sleep(0.1)


def start(*arguments):
    return subprocess.Popen(inside(*COMMAND, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Told:
    """What the bench says, as it says it."""

    def __init__(self, process):
        self.process, self.text = process, ''

    def wait(self, word):
        while word not in self.text:
            line = self.process.stderr.readline()
            assert line, f'no "{word}" in:\n{self.text}'
            self.text += line


def run(*arguments, late=False):
    """The figures of a run that finds nothing wrong. `late`: but for packets that change places on the cable, where one finds
    room in a card's ring while others wait for it."""
    before = settings()
    process = start('--json', *arguments)
    out, told = process.communicate()
    if late and process.returncode == 1:
        assert re.search(r': (\d+) packets arrived wrong or twice, or after later ones \(\1\)$', told, re.MULTILINE), told
    else:
        assert process.returncode == 0, f'{arguments}: exit status {process.returncode}\n{told}'
    assert settings() == before, (arguments, differences(before))
    return json.loads(out), told


def check(record, *modes):
    for mode in modes:
        rates = [figure['median'] for figure in record['figures']
                 if f' {mode} ' in figure['name'] and figure['name'].removesuffix('-at-least').endswith(' most')]
        assert rates and min(rates) > 0, (mode, rates, record['scenes'], [figure['name'] for figure in record['figures']])


def check_cards():
    """The cards take tags off what they receive, unless they are told not to; no program runs in their driver."""
    assert 'rx-vlan-offload: on' in shell(*inside('ethtool', '-k', 'eth0'))
    modes = ('kernel', 'penstock-generic', 'penstock-afxdp')
    record, _ = run('--tx', 'eth0', '--dut', 'eth1', '--workload', 'stick', '--modes', ','.join(modes) + ',penstock', late=True)
    assert 'no native XDP' in record['scenes'][0]['not_measured']['penstock'], record['scenes']
    check(record, *modes)
    assert record['ports'] == {'tx': 'eth0', 'rx': 'eth0', 'dut': 'eth1'} and record['port']['driver'] == 'e1000', record['ports']
    record, _ = run('--tx', 'eth0', '--rx', 'eth2', '--dut', 'eth1,eth3', '--vlans', '0,10,20', '--family', 'mix', '--modes',
                    'kernel,penstock-generic', late=True)
    check(record, 'kernel', 'penstock-generic')
    print('ok    cards', flush=True)


def check_veth():
    modes = ('kernel', 'penstock', 'penstock-generic', 'penstock-afxdp')
    record, _ = run('--tx', 's0', '--rx', 's0', '--dut', 'r0', '--vlans', '0,4094:7', '--generator', 'live', '--modes',
                    ','.join(modes) + ',penstock-afxdp-copy,penstock-offload', late=True)
    check(record, *modes)
    missing = record['scenes'][0]['not_measured']
    assert record['scenes'][0]['name'] == 'modes IPv4 1-routes vlans-0,4094:7 64-bytes', record['scenes']
    assert set(missing) == {'penstock-afxdp-copy', 'penstock-offload'}, missing
    print('ok    veth', flush=True)


def check_switch():
    """A switch between the router and the two ports of the generator: it floods what it does not know."""
    ip('link', 'add', 'switch', 'type', 'bridge')
    for name in ('t2', 'x2', 'u2'):
        ip('link', 'add', name, 'type', 'veth', 'peer', 'name', f'{name}p')
        shell(*inside('ethtool', '-K', f'{name}p', 'txvlan', 'off', 'tx-vlan-stag-hw-insert', 'off'))
        ip('link', 'set', f'{name}p', 'up', 'master', 'switch')
    ip('link', 'set', 'switch', 'up')
    record, _ = run('--tx', 't2', '--rx', 'x2', '--dut', 'u2', '--vlans', '10,20:30', '--modes', 'kernel,penstock')
    check(record, 'kernel', 'penstock')
    assert record['ports'] == {'tx': 't2', 'rx': 'x2', 'dut': 'u2'}, record['ports']
    # a port of it that hands tags over beside the frames: nothing is measured
    shell(*inside('ethtool', '-K', 'x2p', 'txvlan', 'on'))
    before = settings()
    process = start('--tx', 't2', '--rx', 'x2', '--dut', 'u2', '--vlans', '10,20:30', '--modes', 'kernel')
    Told(process).wait('what comes to x2 has its tag beside the frame')
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=WAIT_S) == 1 and settings() == before, differences(before)
    ip('link', 'del', 'switch')
    print('ok    a switch', flush=True)


def check_signals():
    before = settings()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        process = start('--tx', 's0', '--dut', 'r0', '--workload', 'stick', '--modes', 'penstock')
        router = f'penstock-bench-{process.pid}-R'
        until(lambda: 'r0.40' in shell('ip', '-n', router, 'link', check=False), 'VLANs made')
        process.send_signal(number)
        code = process.wait(timeout=WAIT_S)
        assert code == (-number if number == signal.SIGKILL else 1), code
        until(lambda: not os.path.exists(f'/run/netns/{router}'), f'namespace gone after signal {number}')
        until(lambda: settings() == before, f'ports as before after signal {number}')
        # nor are they anywhere else
        assert not re.findall(r'r0\.[0-9]+@', shell('ip', '-a', 'netns', 'exec', 'ip', 'link')), shell('ip', '-a', 'netns', 'exec', 'ip', 'link')
    print('ok    signals', flush=True)


def remote(*faults):
    """A router on a stick elsewhere, as the bench says, but that its veth hands tags over beside the frames at first. Faults
    are of the wire behind it, once all is well. Returns exit status, figures and what was said."""
    before = settings()
    process = start('--json', '--tx', 's1', '--workload', 'stick', '--dut-config', 'dut.sh')
    told = Told(process)
    told.wait('waiting for the router')
    with open('dut.sh') as file:
        commands = re.sub(r'\bIN\b', 'r1', file.read())
    hidden = next(line for line in commands.splitlines() if line.startswith('ethtool'))
    assert not re.search(r'\bOUT\b', commands), commands
    shell(*inside('ethtool', '-K', 'r1', 'gro', 'on', 'txvlan', 'on', where=AWAY))
    shell(*inside('sh', '-ec', commands.replace(hidden, ''), where=AWAY))
    told.wait('has its tag beside the frame')
    shell(*inside(*hidden.split(), where=AWAY))
    told.wait('and forwards')
    for fault in faults:
        shell(*inside('tc', *fault.split(), where=AWAY))
    out, rest = process.communicate()
    for name in ('10', '20', '30', '40'):
        ip('link', 'del', f'bench.{name}', where=AWAY)
    shell(*inside('tc', 'qdisc', 'del', 'dev', 'r1', 'clsact', where=AWAY), check=False)
    ip('address', 'flush', 'dev', 'r1', where=AWAY)
    assert settings() == before, differences(before)
    return process.returncode, json.loads(out), told.text + rest



def check_remote():
    code, record, told = remote()
    assert code == 0, told
    check(record, 'remote')
    assert record['ports'] == {'tx': 's1', 'rx': 's1', 'dut': None}, record['ports']
    print('ok    a router elsewhere', flush=True)


def check_faults():
    """One destination in 256 loses its tag, or gets another one."""
    every = 'filter add dev r1 egress protocol 802.1q u32 match u8 77 0xff at 19'
    for fault in ('vlan pop', 'vlan modify id 41', 'vlan modify id 40 priority 1'):
        code, record, told = remote('qdisc add dev r1 clsact', f'{every} action {fault}')
        wrong = re.search(r'(\d+) packets arrived wrong or twice, or after later ones \((\d+)\); wrong was the VLAN tag of (\d+)$', told,
                          re.MULTILINE)
        assert code == 1 and wrong, f'{fault}: exit status {code}\n{told}'
        assert int(wrong.group(1)) == int(wrong.group(2)) + int(wrong.group(3)) > 0, wrong.group()
        check(record, 'remote')
    print('ok    faults', flush=True)


os.chdir('/tmp')
make()
for name, test in list(globals().items()):
    if name.startswith('check_') and name in (sys.argv[2:] or globals()):
        test()
