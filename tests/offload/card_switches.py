#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""card_switches.py PENSTOCK MODULES BEHIND: a router between two hosts whose ports are those of a card that is not there, in a
guest whose kernel has the modules of offload/nfpcheck. The card passes all on to what is behind it: generic XDP, or AF_XDP
with memory of the driver's (BEHIND: generic, afxdp). Under traffic of both families ports go from mode offload to each other
mode and back, both and one; the program is taken off the card and comes back; the card fails; its tables change. No packet is
lost, none comes twice. With PENSTOCK_TEST_SCALE=50 a million packets during each.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'netns'))
import bed as beds  # noqa: E402
from bed import Bed, Daemon, Stream, scaled, shell, until  # noqa: E402

PACKETS = scaled(100 * scaled(50, 200), 1000000)
RATE = scaled(1000, 2000)  # of each family: the guest is emulated
PORTS = ('r0', 'r1')
ROUTES = 500
CONTROL = '/sys/module/nfp_standin/parameters/control_error'


class CardBed(Bed):
    """The bed with cables of the card instead of veth pairs."""

    def pair(self, host, outer, inner, number, queues=1):
        self.cable(host, outer, f'far{number - 1}', inner, f'nfp{number - 1}', number)

    def stations(self):
        """So that no packet waits for an answer about one."""
        for name, device, other, there, number, end in ((self.r, 'r0', self.s, 's0', 1, 2), (self.r, 'r1', self.d, 'd0', 2, 2),
                                                        (self.s, 's0', self.r, 'r0', 1, 1)):
            mac = json.loads(shell('ip', '-j', '-n', other, 'link', 'show', 'dev', there).stdout)[0]['address']
            for address in (f'10.{number}.0.{end}', f'fd0{number}::{end}'):
                shell('ip', '-n', name, 'neighbour', 'replace', address, 'lladdr', mac, 'nud', 'permanent', 'dev', device)


def states():
    return {port['interface']: port for port in (daemon.status() or {}).get('ports', [])}


def until_card(ports=PORTS):
    """The card forwards for them, or would."""
    def there():
        now = states()
        return all(name in now and now[name]['mode'] == 'offload' and now[name]['card']['running'] and
                   now[name]['card']['behind'] == behind for name in ports)
    until(there, f'{ports} on the card, {behind} behind it: {daemon.text()}', 240)


def until_off():
    until(lambda: not any(port['card']['running'] for port in states().values()), 'off the card')


def switch(ports, mode):
    for port in ports:
        done = bed.command('mode', port, mode)
        assert done.returncode == 0, done
    if mode == 'offload':
        until_card(ports)


def there_and_back(ports, mode):
    switch(ports, mode)
    assert all(states()[port]['mode'] == mode for port in ports), states()
    time.sleep(0.3)
    switch(ports, 'offload')
    return 2


def on_card():
    """{port: id of the program on the card}"""
    return {port['devname']: place['id'] for port in json.loads(bed.router('bpftool', '-j', 'net', 'show').stdout)[0]['xdp']
            for place in port.get('multi_attachments', ()) if place['mode'] == 'offload'}


def taken_off():
    """By somebody else; one may be back before the other one has gone."""
    was = on_card()
    links = {link['prog_id']: link['id'] for link in json.loads(bed.router('bpftool', '-j', 'link', 'show').stdout)}
    for number in was.values():
        bed.router('bpftool', 'link', 'detach', 'id', str(links[number]))
    until(lambda: (now := on_card()).keys() == was.keys() and not set(now.values()) & set(was.values()), 'others on the card')
    until_card()
    return 2


def fails():
    """The firmware no longer answers when tables are written."""
    with open(CONTROL, 'w') as file:
        file.write('110')
    routes(('add', 'delete'), 1)
    until_off()
    with open(CONTROL, 'w') as file:
        file.write('0')
    until_card()
    return 2


def routes(verbs, count):
    """In prefixes that no packet of the streams goes to."""
    lines = [f'route {verb} 100.{64 + n // 256}.{n % 256}.0/24 via 10.2.0.2' for verb in verbs for n in range(count)]
    bed.router('sh', '-c', 'ip -batch - <<END\n' + '\n'.join(lines) + '\nEND')


def tables_change():
    routes(('add', 'delete'), ROUTES)
    return 2 * ROUTES


def departed():
    """Datagrams that the sending host has sent."""
    lines = shell(*bed.inside(bed.s, 'cat', '/proc/net/snmp', '/proc/net/snmp6')).stdout.splitlines()
    names, counts = (line.split() for line in lines if line.startswith('Udp:'))
    return int(counts[names.index('OutDatagrams')]) + sum(int(line.split()[1]) for line in lines if line.startswith('Udp6OutDatagrams'))


def series(what, once):
    """Over and over until it has had its packets."""
    carried = sum(port['forwarded'] for port in states().values())
    streams = [Stream(bed, '10.2.0.2', 5001, RATE), Stream(bed, 'fd02::2', 5003, RATE)]
    begin, before_it, times = time.monotonic(), departed(), 0
    while departed() - before_it < PACKETS:
        times += once()
        time.sleep(0.3)
    results = [stream.end() for stream in streams]
    sent, lost, twice = (sum(result[name] for result in results) for name in ('sent', 'lost', 'twice'))
    carried = sum(port['forwarded'] for port in states().values()) - carried
    print(f'{what}: {times} times, {sent} packets, {lost} lost, {twice} twice; {carried} by programs, '
          f'{time.monotonic() - begin:.0f} s', flush=True)
    assert lost == 0 and twice == 0 and carried > 0, (what, results, bed.router('ip', '-s', 'link').stdout, daemon.text())


penstock, modules, behind = sys.argv[1:4]
beds.WAIT_S = 240
if os.environ.get('PENSTOCK_BED') != str(os.getpid()):  # once
    shell('insmod', f'{modules}/nfp_standin.ko', 'cables=1', f'zero_copy={int(behind == "afxdp")}')
    shell('sysctl', '-qw', 'net.core.netdev_max_backlog=100000')  # nobody who waits for a CPU loses packets
bed = CardBed(penstock)
bed.stations()
before = bed.traces()
config = f'/tmp/{bed.prefix}.yaml'
with open(config, 'w') as out:
    out.write('mode: offload\n')
daemon = Daemon(bed, '-c', config, *PORTS)
until_card()
for address in ('10.2.0.2', 'fd02::2'):
    until(lambda: bed.ping(bed.s, address, 1), f'ping {address}')
for ports in (PORTS, ('r0',), ('r1',))[:scaled(1, 3)]:
    for mode in ('kernel', 'generic', 'afxdp'):
        series(f"{' and '.join(ports)} from offload before {behind} to {mode} and back", lambda: there_and_back(ports, mode))
series('the program taken off the card and loaded again', taken_off)
series('the card fails and comes back', fails)
series('changes of its tables', tables_change)
assert daemon.end() == 0
os.unlink(config)
assert bed.traces() == before, bed.traces() - before
