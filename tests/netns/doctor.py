#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""doctor.py PENSTOCK DROP.bpf.o: `penstock doctor` names each thing that is broken here on purpose, its fix mends it, and
then it is silent about it; without and with a daemon."""
import json
import os
import shlex
import sys

from bed import BPFFS, Bed, Daemon, shell, until

bed = Bed(sys.argv[1])
drop = os.path.abspath(sys.argv[2])


def ask(*words):
    result = bed.command('doctor', '-j', *words)
    assert result.stderr == '', result.stderr
    document = json.loads(result.stdout)
    bad = document['wrong'] + document['suspicious']
    assert result.returncode == (1 if bad else 0), (result.returncode, document)
    assert len(document['findings']) == bad + document['hints']
    return document


def about(part, *words):
    return [each for each in ask(*words)['findings'] if part in f"{each['object']}: {each['text']}"]


def found(weight, part, break_it, where=None, mend=None, words=()):
    """Breaks something, expects a finding, runs its fix (or `mend`) and expects that it is gone."""
    assert not about(part, *words), f'already before: {about(part, *words)}'
    for command in break_it:
        shell(*bed.inside(where or bed.r, *shlex.split(command)))
    findings = until(lambda: about(part, *words), part, 10)
    assert len(findings) == 1 and findings[0]['weight'] == weight, findings
    fix = mend or findings[0]['fix'].split(' (')[0].replace('PEER', 's0')
    shell(*bed.inside(where or bed.r, *shlex.split(fix)))
    until(lambda: not about(part, *words), f'no longer: {part}', 10)
    print(f'ok    {weight}: {part}')


# A box that is as it should be says so.
bed.router('sysctl', '-qw', 'net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.r0.send_redirects=0',
           'net.ipv4.conf.r1.send_redirects=0', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.r0.rp_filter=0',
           'net.ipv4.conf.r1.rp_filter=0')
clean = ask()
assert not clean['daemon'] and not clean['wrong'] and not clean['suspicious'], clean
text = bed.command('doctor')
assert text.returncode == 0 and '0 wrong, 0 suspicious' in text.stdout and 'no daemon runs' in text.stdout, text

found('wrong', 'net.ipv4.ip_forward', ['sysctl -qw net.ipv4.ip_forward=0'])
found('suspicious', 'net.ipv6.conf.all.forwarding', ['sysctl -qw net.ipv6.conf.all.forwarding=0'])
found('wrong', 'r0: IPv4 forwarding is off', ['sysctl -qw net.ipv4.conf.r0.forwarding=0'])
found('hint', 'r1: packets that leave by the interface', ['sysctl -qw net.ipv4.conf.r1.send_redirects=1'])
found('hint', 'r0: rp_filter is strict', ['sysctl -qw net.ipv4.conf.r0.rp_filter=1'])
found('hint', 'r0: other ports cannot send to it', ['ethtool -K s0 gro off'], bed.s)
found('suspicious', 'r0: what the other end of the veth sends by itself has no checksum', ['ethtool -K s0 tx on'], bed.s)
found('suspicious', 'netfilter: ', ['nft add table inet t', 'nft add chain inet t f { type filter hook forward priority 0 ; }',
                                    'nft add rule inet t f counter'], mend='nft delete table inet t')
found('suspicious', 'xfrm: ', ['ip xfrm policy add src 10.1.0.0/24 dst 10.2.0.0/24 dir fwd tmpl proto esp mode tunnel'],
      mend='ip xfrm policy flush')
found('suspicious', 'r1: generic is not possible: r1 belongs to bridge br0',
      ['ip link add br0 type bridge', 'ip link set r1 master br0'], words=['r1'])
bed.router('ip', 'link', 'del', 'br0')
found('suspicious', 'r0: generic is not possible: XDP program', [f'ip link set dev r0 xdp obj {drop} sec xdp'], words=['r0'])
found('suspicious', 'r0: is down', ['ip link set r0 down'], words=['r0'])
shell(*bed.inside(bed.r, 'ip', 'address', 'replace', 'fd01::1/64', 'dev', 'r0', 'nodad'))

shell('umount', BPFFS)
assert about('penstock run: would refuse: no BPF file system')[0]['weight'] == 'wrong'
shell('mount', '-t', 'bpf', 'bpf', BPFFS)
assert bed.refused('doctor', 'r9')[0] == 1
assert bed.refused('doctor', '--facts')[0] == 2

# With a daemon: its ports, and what it knows.
bed.router('ip', 'route', 'add', '10.9.0.0/16', 'via', '10.2.0.2')
daemon = Daemon(bed, 'r0', 'r1')
assert bed.ping(bed.s, '10.2.0.2')
until(lambda: not ask()['suspicious'] and not ask()['wrong'], 'nothing is wrong with the daemon', 20)
assert ask()['daemon']
found('suspicious', 'r0: other ports cannot send to it', ['ethtool -K s0 gro off'], bed.s)
bed.router('ip', 'route', 'add', '10.8.0.0/16', 'via', '10.2.0.77')
until(lambda: about('gateway 10.2.0.77 does not answer'), 'a dead gateway is named', 20)
bed.router('ip', 'route', 'del', '10.8.0.0/16')
until(lambda: not about('gateway 10.2.0.77'), 'no longer', 20)
print('ok    a gateway that does not answer')
found('suspicious', 'ip rule: ', ['ip rule add from 10.1.0.0/24 to 10.7.0.0/16 tos 8 lookup 100'],
      mend='ip rule del from 10.1.0.0/24 to 10.7.0.0/16 tos 8 lookup 100')
ping = bed.spawn(bed.s, 'ping', '-q', '-i', '0.005', '-t', '1', '10.2.0.2')
until(lambda: about('packets go to the kernel: TTL'), 'what goes to the kernel is named', 20)
ping.terminate()
ping.wait()
print('ok    packets that go to the kernel')
bed.router('nft', 'add', 'table', 'inet', 't')
bed.router('nft', 'add', 'chain', 'inet', 't', 'f', '{ type filter hook forward priority 0 ; policy drop ; }')
until(lambda: about('stay in the kernel for it') and about('r0: all its packets stay in the kernel'), 'the hold is named', 20)
bed.router('nft', 'delete', 'table', 'inet', 't')
until(lambda: ask()['suspicious'] == 0, 'all is well again', 20)
print('ok    rules that hold the ports')
assert daemon.end() == 0
