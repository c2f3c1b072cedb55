#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""card_guest.py PENSTOCK MODULES OBJECT [CASE...]: the daemon with a card that is not there, in a guest whose kernel has the
modules of offload/nfpcheck; OBJECT is some program that the card takes. Each case begins with no device and no daemon; without names, all are run.
"""
import glob
import ipaddress
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'netns'))
sys.path.insert(0, HERE)
from bed import until  # noqa: E402
from card_maps import BLACKHOLE, NO_ROUTE, PROHIBIT, TABLE_FULL, UNREACHABLE, CardMaps, set_counters  # noqa: E402

WAIT_S = 240  # of patience: the guest is emulated, and fills half a million elements
SEED = 20261130
ROUTES4, ROUTES6, CHANGES, GATEWAYS = 10000, 2000, 1000, 40
LOG = '/run/card-daemon.log'
DUMP = '/run/card-program'
SOCKET = '/run/penstock/*.sock'
PARAMETERS = '/sys/module/nfp_standin/parameters'
LACKING = ('reason', TABLE_FULL), ('group', frozenset({('reason', TABLE_FULL)}))
REASONS = {'unreachable': UNREACHABLE, 'prohibit': PROHIBIT, 'blackhole': BLACKHOLE}

penstock, modules, foreign = sys.argv[1:4]
draw = random.Random(SEED)


def shell(*arguments, check=True, text=None):
    return subprocess.run(arguments, check=check, capture_output=True, text=True, input=text, timeout=WAIT_S)


def ip(*lines):
    """Many commands of ip, one start of it."""
    shell('ip', '-batch', '-', text='\n'.join(lines) + '\n')


def wait(condition, what):
    return until(condition, what, WAIT_S)


class Daemon:
    """A running daemon."""

    def __init__(self, *words):
        self.log = open(LOG, 'a+')
        self.start = self.log.tell()
        self.process = subprocess.Popen([penstock, 'run', *words], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT)

    def text(self):
        with open(LOG) as log:
            log.seek(self.start)
            return log.read()

    def status(self):
        assert self.process.poll() is None, f'the daemon ended:\n{self.text()}'
        result = shell(penstock, 'status', '-j', check=False)
        return json.loads(result.stdout) if result.returncode == 0 else None

    def port(self, name):
        return next((port for port in (self.status() or {}).get('ports', []) if port['interface'] == name), None)

    def until_mode(self, mode, *names):
        def there():
            ports = {port['interface']: port for port in (self.status() or {}).get('ports', [])}
            return all(name in ports and ports[name]['mode'] == mode for name in names) and ports
        try:
            return wait(there, f'{names} in mode {mode}')
        except AssertionError:
            print(self.text(), json.dumps(self.status(), indent=1))
            raise

    def until_trouble(self, name, *words, behind='generic'):
        """The card of a port is not in use, for a reason with these words; what is behind it runs."""
        def there():
            port = self.port(name)
            card = port and port['card']
            return card and not card['running'] and all(word in (card['why'] or '') for word in words) and port
        try:
            port = wait(there, f'{name}: {words}')
        except AssertionError:
            print(self.text(), json.dumps(self.port(name), indent=1))
            raise
        assert port['state'] == 'running' and port['mode'] == port['card']['behind'] == behind, port
        return port['card']['why']

    def mode(self, name, mode):
        return shell(penstock, 'mode', name, mode, check=False)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(WAIT_S)
        self.log.close()
        return status


def hooks(name):
    """Where programs are on an interface: {'generic', 'offload'}."""
    said = json.loads(shell('bpftool', '-j', 'net', 'show').stdout)[0]['xdp']
    return {place for each in said if each['devname'] == name
            for place in ([mode['mode'] for mode in each['multi_attachments']] if 'multi_attachments' in each
                          else [each['mode']])}


def insmod(name, *parameters):
    shell('insmod', f'{modules}/{name}.ko', *parameters)


def control_error(number):
    """From now on the card's firmware answers requests about maps so; 0: as it should."""
    with open(f'{PARAMETERS}/control_error', 'w') as file:
        file.write(str(number))


# The kernel's routes, and what a card must make of them.


def gateways():
    """{address: (device, MAC)}: half behind nfp0, half behind its VLAN 10 and nfp1."""
    found = {}
    for i in range(GATEWAYS):
        device, net = (('nfp0', 1), ('nfp0.10', 3), ('nfp1', 2), ('nfp0', 1))[i % 4]
        found[f'10.{net}.0.{10 + i}'] = device, f'02:00:00:00:{net:02x}:{10 + i:02x}'
        found[f'fd0{net}::{10 + i}'] = device, f'02:00:00:00:{net:02x}:{10 + i:02x}'
    return found


def drawn_prefix(family):
    if family == 4:
        length = draw.choice((12, 16, 19, 20, 21, 22, 23, 24, 24, 24, 24, 24, 25, 28, 32))
        return ipaddress.ip_network((draw.randrange(20 << 24, 120 << 24) >> (32 - length) << (32 - length), length))
    length = draw.choice((29, 32, 36, 40, 44, 48, 48, 48, 56, 64, 128))
    return ipaddress.ip_network((((0x20010db8 << 96) | draw.getrandbits(96)) >> (128 - length) << (128 - length), length))


def drawn_way(family):
    """What follows the prefix of a route: a gateway, several, or no way at all."""
    stations = [address for address in gateways() if (':' in address) == (family == 6)]
    kind = draw.random()
    if kind < 0.03:
        return draw.choice(tuple(REASONS))
    if kind < 0.08:  # a few groups for many routes, as routing suites make them
        first = draw.randrange(0, len(stations) - 3)
        return ' '.join(f'nexthop via {address}' for address in stations[first:first + 3])
    return f'via {draw.choice(stations)}'


def route_line(verb, prefix, way):
    kind, way = (way, '') if way in REASONS else ('', way)
    return f'route {verb} {kind} {prefix} {way}'


def make_ports():
    """Addresses, a VLAN, neighbours."""
    ip('link set nfp0 up', 'link set nfp1 up', 'link add link nfp0 name nfp0.10 type vlan id 10', 'link set nfp0.10 up',
       'address add 10.1.0.1/24 dev nfp0', 'address add 10.2.0.1/24 dev nfp1', 'address add 10.3.0.1/24 dev nfp0.10',
       'address add fd01::1/64 dev nfp0 nodad', 'address add fd02::1/64 dev nfp1 nodad',
       'address add fd03::1/64 dev nfp0.10 nodad',
       *(f'neighbour replace {address} lladdr {mac} nud permanent dev {device}'
         for address, (device, mac) in gateways().items()))


def make_routes(count4=ROUTES4, count6=ROUTES6):
    table = {}
    for family, count in ((4, count4), (6, count6)):
        size = len(table)
        while len(table) < size + count:
            table.setdefault(drawn_prefix(family), drawn_way(family))
    ip(*(route_line('add', prefix, way) for prefix, way in table.items()))
    return table


def change_routes(table, count):
    lines = []
    for _ in range(count):
        kind = draw.random()
        prefix = draw.choice(tuple(table)) if kind < 0.7 else drawn_prefix(draw.choice((4, 6)))
        if kind < 0.35:
            way = table.pop(prefix)
            lines.append(route_line('delete', prefix, way if way in REASONS else ''))
        elif prefix not in table:
            table[prefix] = drawn_way(prefix.version)
            lines.append(route_line('add', prefix, table[prefix]))
        elif prefix.version == 4:
            table[prefix] = drawn_way(4)
            lines.append(route_line('replace', prefix, table[prefix]))
    ip(*lines)


class Expected:
    """The kernel's tables as `ip` prints them now, searched one length after the other."""

    def __init__(self, ports):
        self.ports = ports  # {device: (number, tags)}
        self.macs = {}
        for line in json.loads(shell('ip', '-j', 'neigh', 'show', 'nud', 'permanent').stdout):
            self.macs[line['dst'], line['dev']] = line['lladdr']
        self.tables = ({}, {})
        for family, word in ((0, '-4'), (1, '-6')):
            for route in json.loads(shell('ip', '-j', word, 'route', 'show', 'table', 'main').stdout):
                self.add(family, route)

    def add(self, family, route):
        if route['dst'] == 'default' or route['dst'].startswith(('fe80', 'ff00')):
            return
        prefix = ipaddress.ip_network(route['dst'])
        hops = route.get('nexthops') or ([route] if 'gateway' in route else [])
        if route.get('type') in REASONS:
            means = 'reason', REASONS[route['type']]
        elif not hops:
            return  # on link: each station has an answer of its own
        else:
            ways = frozenset(self.way(hop) for hop in hops)
            means = next(iter(ways)) if len(ways) == 1 else ('group', ways)
        lengths = self.tables[family].setdefault(prefix.prefixlen, {})
        have = lengths.get(int(prefix.network_address))
        if family == 1 and have and means[0] != 'reason':  # IPv6 prints the members of a route one by one
            both = frozenset((have[1] if have[0] == 'group' else {have}) | (means[1] if means[0] == 'group' else {means}))
            means = ('group', both) if len(both) > 1 else means
        lengths[int(prefix.network_address)] = means

    def way(self, hop):
        number, tags = self.ports[hop['dev']]
        return 'forward', self.macs[hop['gateway'], hop['dev']], number, tags

    def answer(self, family, address):
        width = (32, 128)[family]
        for length in sorted(self.tables[family], reverse=True):
            found = self.tables[family][length].get(address >> (width - length) << (width - length))
            if found:
                return found
        return 'reason', NO_ROUTE

    def addresses(self, table, most):
        """The first, the last and a drawn address of prefixes, and those right beside them."""
        prefixes = list(table)
        if len(prefixes) > most:
            prefixes = draw.sample(prefixes, most)
        for prefix in prefixes:
            first, last = int(prefix.network_address), int(prefix.broadcast_address)
            family, top = (0, (1 << 32) - 1) if prefix.version == 4 else (1, (1 << 128) - 1)
            for address in {first, last, draw.randint(first, last), max(first - 1, 0), min(last + 1, top)}:
                yield family, address


def differences(daemon, table, most, full=False):
    """Looks addresses up on the card and in the kernel's routes; those that differ. full: the card may lack room."""
    numbers = {port['interface']: port['port'] for port in daemon.status()['ports']}
    ports = {'nfp0': (numbers['nfp0'], ()), 'nfp1': (numbers['nfp1'], ()), 'nfp0.10': (numbers['nfp0'], (10,))}
    expected, found, looked, lacking = Expected(ports), [], 0, 0
    with CardMaps() as card:
        assert card.whole() and not card.held(), 'the card has no tables, or does not forward'
        for family, address in expected.addresses(table, most):
            looked += 1
            is_there, right = card.hop(card.leaf(0, family, address)), expected.answer(family, address)
            if full and is_there in LACKING:
                lacking += 1
            elif is_there != right:
                found.append((('IPv4', 'IPv6')[family], ipaddress.ip_address(address), is_there, right))
    return found, looked, lacking


def audit(daemon, table, what, most=100000):
    """The card has what the kernel has; soon: its thread may be behind."""
    begin = time.monotonic()
    few = []

    def equal():
        few[:] = differences(daemon, table, min(most, 200))[0]
        return not few
    try:
        wait(equal, what)
    except AssertionError:
        print(f'{what}: differ: {few[:9]}')
        raise
    found, looked, _ = differences(daemon, table, most)
    assert not found, f'{what}: {len(found)} of {looked} differ: {found[:5]}'
    assert looked > 3 * min(len(table), most), 'the audit has become weak'
    print(f'ok    {what}: {looked} addresses of {len(table)} prefixes, none differs from the kernel '
          f'({time.monotonic() - begin:.1f} s)', flush=True)


# Cases: the stand-in for a Netronome card.


def standin(*parameters):
    insmod('nfp_standin', *parameters)
    make_ports()
    shell('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1')


def forwarding(*names):
    daemon = Daemon(*names)
    daemon.until_mode('offload', *names)
    return daemon


def case_routes():
    """10,000 routes and 1,000 changes, as the card has them."""
    standin()
    table = make_routes()
    plan = json.loads(shell(penstock, 'plan', '-j', 'nfp0').stdout)['ports'][0]
    assert plan['mode'] == 'offload' and plan['tiers'] == ['offload', 'generic', 'kernel'], plan
    assert plan['facts']['driver'] == 'nfp' and 'hw-offload' in plan['facts']['xdp_features'], plan['facts']
    print('ok    planned: the card, generic XDP behind it, the kernel')

    daemon = forwarding('nfp0', 'nfp1')
    assert hooks('nfp0') == hooks('nfp1') == {'generic', 'offload'}, (hooks('nfp0'), hooks('nfp1'))
    card = daemon.port('nfp0')['card']
    assert card['running'] and card['live'] and card['punted'] == 0 and card['starts'] == 1, card
    assert card['elements'] <= 2048000 and 0 < card['node_used'] <= card['node_total'], card
    text = shell(penstock, 'status').stdout
    assert 'card nfp_standin: forwards, behind it generic; 0 packets forwarded, 0 passed on; ' in text, text
    print(f'ok    both ports are on the card; {card["writes"]} elements were written')
    audit(daemon, table, 'after the start', 2500)

    for i in range(4):
        change_routes(table, CHANGES // 4)
        audit(daemon, table, f'after {CHANGES // 4 * (i + 1)} changes', 500)
    audit(daemon, table, 'after all changes')
    ip(*(f'neighbour replace 10.1.0.{10 + 4 * i} lladdr 02:00:00:00:ff:{i:02x} nud permanent dev nfp0' for i in range(5)))
    audit(daemon, table, 'after neighbours moved', 500)
    assert daemon.port('nfp0')['card']['starts'] == 1 and daemon.port('nfp0')['card']['troubles'] == 0
    assert daemon.end() == 0
    assert hooks('nfp0') == hooks('nfp1') == set()
    with CardMaps() as card:
        assert not card.fd, card.fd
    print('ok    ended, nothing is left on the card')


def case_daemon_dies():
    """A card has no clock; what is behind it goes on. A card that cannot replace a program live needs not."""
    standin('live_replace=0')
    table = make_routes(300, 100)
    daemon = forwarding('nfp0', 'nfp1')
    daemon.end(signal.SIGKILL)
    wait(lambda: hooks('nfp0') == hooks('nfp1') == {'generic'}, 'the card lets go, the engine behind it does not')
    print('ok    killed: the kernel took the program off the card, generic XDP is still there')
    daemon = forwarding('nfp0', 'nfp1')
    assert hooks('nfp0') == {'generic', 'offload'}
    audit(daemon, table, 'a daemon after that, on a card without live replacement')
    assert daemon.end() == 0


def case_modes():
    """Switched live; a foreign program on the card."""
    standin()
    daemon = forwarding('nfp0', 'nfp1')
    for mode, places in (('generic', {'generic'}), ('kernel', set())):
        result = daemon.mode('nfp1', mode)
        assert result.returncode == 0, result.stderr
        assert hooks('nfp1') == places and hooks('nfp0') == {'generic', 'offload'}, hooks('nfp1')
        assert daemon.port('nfp1')['card'] is None and daemon.port('nfp1')['mode'] == mode
    print('ok    switched to an engine of the host and to the kernel; the other port stays on the card')

    shell('bpftool', 'prog', 'load', foreign, '/sys/fs/bpf/foreign', 'type', 'xdp', 'dev', 'nfp1')
    shell('bpftool', 'net', 'attach', 'xdpoffload', 'pinned', '/sys/fs/bpf/foreign', 'dev', 'nfp1')
    result = daemon.mode('nfp1', 'offload')
    assert result.returncode == 1 and 'is attached by someone else' in result.stderr, result
    shell('bpftool', 'net', 'detach', 'xdpoffload', 'dev', 'nfp1')
    assert daemon.mode('nfp1', 'generic').returncode == 0
    shell('bpftool', 'net', 'attach', 'xdpoffload', 'pinned', '/sys/fs/bpf/foreign', 'dev', 'nfp1')
    assert daemon.mode('nfp1', 'offload').returncode == 0
    daemon.until_trouble('nfp1', 'the card runs a program of someone else', 'ip link set dev nfp1 xdpoffload off')
    assert hooks('nfp1') == {'generic', 'offload'} and daemon.port('nfp0')['mode'] == 'offload'
    shell('bpftool', 'net', 'detach', 'xdpoffload', 'dev', 'nfp1')
    os.unlink('/sys/fs/bpf/foreign')
    daemon.until_mode('offload', 'nfp0', 'nfp1')
    print('ok    a foreign program on the card is named, left alone, and waited for')
    assert daemon.end() == 0


def case_zero_copy():
    """Behind a card whose driver has zero copy is AF_XDP, with its program in the driver."""
    standin('zero_copy=1')
    table = make_routes(300, 100)
    plan = json.loads(shell(penstock, 'plan', '-j', 'nfp0').stdout)['ports'][0]
    assert plan['mode'] == 'offload' and plan['tiers'] == ['offload', 'afxdp', 'kernel'], plan
    daemon = forwarding('nfp0', 'nfp1')
    assert hooks('nfp0') == hooks('nfp1') == {'driver', 'offload'}, (hooks('nfp0'), hooks('nfp1'))
    port = daemon.port('nfp0')
    assert port['card']['behind'] == 'afxdp' and 'zero copy' in port['how'], port
    audit(daemon, table, 'beside the program in the driver')
    assert daemon.mode('nfp0', 'afxdp').returncode == 0 and hooks('nfp0') == {'driver'}
    assert daemon.mode('nfp0', 'offload').returncode == 0
    daemon.until_mode('offload', 'nfp0')
    control_error(110)
    ip('route replace 99.0.0.0/8 via 10.1.0.10')
    daemon.until_trouble('nfp0', 'Connection timed out', behind='afxdp')
    assert hooks('nfp0') == hooks('nfp1') == {'driver'}
    control_error(0)
    daemon.until_mode('offload', 'nfp0', 'nfp1')
    print('ok    the program in the driver stays when the card fails')
    assert daemon.end() == 0 and hooks('nfp0') == hooks('nfp1') == set()


def program_on(name):
    """The card's program of a port: instructions of BPF and of the card, and its writes to bytes 16 to 19 of something."""
    said = json.loads(shell('bpftool', '-j', 'net', 'show').stdout)[0]['xdp']
    number = next(mode['id'] for each in said if each['devname'] == name
                  for mode in each['multi_attachments'] if mode['mode'] == 'offload')
    program = json.loads(shell('bpftool', '-j', 'prog', 'show', 'id', str(number)).stdout)
    shell('bpftool', 'prog', 'dump', 'xlated', 'id', str(number), 'file', DUMP)  # as text it takes minutes here
    with open(DUMP, 'rb') as file:
        writes = sum(code == 0x63 and offset == 16 and registers & 15 < 10
                     for code, registers, offset, _ in struct.iter_unpack('<BBhi', file.read()))
    return program['bytes_xlated'] // 8, program['bytes_jited'] // 8, writes


def case_queues():
    """What is passed on to AF_XDP comes by the queues that it reads, where the firmware lets a program choose."""
    seen = {}
    for name, behind, queues, parameters in (('chooses', 'afxdp', 4, ('zero_copy=1', 'queues=4')),
                                             ('may not', 'afxdp', 0, ('zero_copy=1', 'queues=4', 'queue_select=0')),
                                             ('need not', 'generic', 0, ('queues=4',))):
        standin('entries=70000', *parameters)  # small: soon filled
        daemon = forwarding('nfp0')
        card = daemon.port('nfp0')['card']
        assert (card['behind'], card['steered_queues'], card['troubles']) == (behind, queues, 0), card
        assert (f' passed on, over {queues} queues; ' in shell(penstock, 'status').stdout) == bool(queues)
        seen[name] = program_on('nfp0')
        if name == 'chooses':
            assert daemon.mode('nfp0', behind).returncode == 0 and daemon.mode('nfp0', 'offload').returncode == 0
            daemon.until_mode('offload', 'nfp0')
            assert daemon.port('nfp0')['card']['steered_queues'] == queues and program_on('nfp0') == seen[name]
        assert daemon.end() == 0
        shell('rmmod', 'nfp_standin')
        print(f'ok    {name}: {seen[name]} instructions of BPF, of the card, writes', flush=True)
    assert seen['may not'] == seen['need not'] and seen['chooses'][2] == seen['may not'][2] + 1, seen
    assert all(more > less for more, less in zip(seen['chooses'], seen['may not'])), seen


def case_counters():
    """The card's counters are shown apart, and in the sums; what it passed on is counted by who takes it."""
    standin()
    daemon = forwarding('nfp0', 'nfp1')
    before = daemon.port('nfp0')
    set_counters(before['ifindex'], {0: (1000, 64000), NO_ROUTE: (70, 7000), BLACKHOLE: (5, 300)})
    port = wait(lambda: (each := daemon.port('nfp0'))['card']['forwarded'] and each, 'the card has counted')
    card = port['card']
    assert (card['forwarded'], card['passed_on'], card['dropped']) == (1000, 70, 5), card
    assert card['reasons'] == {'forwarded': 1000, 'no-route': 70, 'blackhole': 5}, card['reasons']
    assert port['forwarded'] - before['forwarded'] == 1000 and port['dropped'] - before['dropped'] == 5, (port, before)
    assert 'no-route' not in {punt['reason'] for punt in port['punts']}, port['punts']
    assert daemon.port('nfp1')['card']['forwarded'] == 0, 'each port has its own'
    assert '; 1000 packets forwarded, 70 passed on;' in shell(penstock, 'status').stdout
    counters = json.loads(shell(penstock, 'show', 'counters', '-j').stdout)['counters']
    assert {'interface': 'nfp0', 'reason': 'forwarded', 'packets': 1000, 'bytes': 64000}.items() <= next(
        each for each in counters if (each['interface'], each['reason']) == ('nfp0', 'forwarded')).items(), counters

    assert daemon.mode('nfp0', 'generic').returncode == 0
    assert daemon.port('nfp0')['forwarded'] - before['forwarded'] == 1000, 'they outlive the card'
    assert daemon.mode('nfp0', 'offload').returncode == 0
    daemon.until_mode('offload', 'nfp0')
    set_counters(before['ifindex'], {0: (10, 640)})
    wait(lambda: daemon.port('nfp0')['forwarded'] - before['forwarded'] == 1010, 'another program counts on')
    print('ok    counters of the card: apart, in the sums, and going on over programs')
    assert daemon.end() == 0


def case_device_goes():
    """The driver is unloaded and comes back, as after a change of firmware."""
    standin()
    table = make_routes(300, 100)
    daemon = forwarding('nfp0', 'nfp1')
    shell('rmmod', 'nfp_standin')
    wait(lambda: (port := daemon.port('nfp0')) and port['state'] == 'absent' and port['card'] is None, 'it is seen to be gone')
    with CardMaps() as card:
        assert not card.fd, card.fd
    print('ok    the device is gone, and with it all of the card')
    standin()
    ip(*(route_line('replace', prefix, way) for prefix, way in table.items()))
    daemon.until_mode('offload', 'nfp0', 'nfp1')
    audit(daemon, table, 'the device came back')
    assert daemon.end() == 0


def case_control_fails():
    """Firmware that does not answer: the program goes off the card at once, and all is made anew."""
    standin()
    table = make_routes(300, 100)
    daemon = forwarding('nfp0', 'nfp1')
    for number, word in ((110, 'Connection timed out'), (5, 'Input/output error'), (7, 'Argument list too long')):
        control_error(number)
        ip(f'route replace 99.0.0.0/8 via 10.1.0.{10 if number == 5 else 13}')
        daemon.until_trouble('nfp0', word, 'tried again in')
        assert hooks('nfp0') == hooks('nfp1') == {'generic'}
        control_error(0)
        daemon.until_mode('offload', 'nfp0', 'nfp1')
        print(f'ok    requests fail ({word}): off the card, and on it again after that')
    audit(daemon, {**table, ipaddress.ip_network('99.0.0.0/8'): ''}, 'after all that')
    assert daemon.port('nfp0')['card']['troubles'] >= 3
    assert daemon.end() == 0


def case_small():
    """A card that has not room for all: what it lacks it leaves to what is behind it."""
    standin('entries=70000')
    table = make_routes(3000, 500)
    daemon = forwarding('nfp0', 'nfp1')
    wait(lambda: daemon.port('nfp0')['card']['deferred'] == 0, 'filled')
    card = daemon.port('nfp0')['card']
    assert card['elements'] <= 70000 and card['punted'] > 0, card
    found, looked, lacking = differences(daemon, table, 3500, full=True)
    assert not found, f'{len(found)} of {looked} differ: {found[:5]}'
    assert 0 < lacking < looked, (lacking, looked)
    assert ' parts of the tables have no room and are left to generic' in shell(penstock, 'status').stdout
    print(f'ok    a small card: of {looked} addresses {lacking} are left to what is behind it, none is wrong')
    assert daemon.end() == 0
    shell('rmmod', 'nfp_standin')
    standin('entries=200000')
    daemon = forwarding('nfp0')
    elements = daemon.port('nfp0')['card']['elements']
    assert 185000 < elements <= 200000, elements
    print(f'ok    of 200,000 elements the card has, {elements} are used')
    assert daemon.end() == 0


def case_refusals():
    """What a card does not take, and why; the engine behind it forwards."""
    for parameters, words in (
        (['entries=10000'], ('no room for the tables',)),
        (['maps=3'], ('no room for the tables',)),
        (['map_types=2'], ('does not take the tables',)),
        (['program_length=1000'], ('driver refuses the program',)),
        (['stack=64'], ('driver refuses the program', '[nfp] stack too large')),
        (['adjust_head=0'], ('driver refuses the program', '[nfp] adjust_head')),
        (['inline_mtu=64'], ('does not attach the program', 'packet access beyond HW packet split boundary')),
    ):
        standin(*parameters)
        daemon = Daemon('nfp0')
        why = daemon.until_trouble('nfp0', *words)
        assert hooks('nfp0') == {'generic'}
        assert daemon.end() == 0
        shell('rmmod', 'nfp_standin')
        print(f'ok    {parameters[0]}: {why}', flush=True)
    standin()
    ip('link set nfp0 mtu 9000')
    daemon = forwarding('nfp0')
    assert daemon.end() == 0
    print('ok    an MTU of 9000 is no matter: the program looks at headers only')


def case_bench():
    """`penstock bench modes` over ports of a card: its row is there, and the card is in use while that is measured. No frame
    ever leaves the stand-in, so that the figures are 0."""
    insmod('nfp_standin')
    ip('link add tx0 type veth peer name tx1', 'link add rx0 type veth peer name rx1', 'link set tx1 up', 'link set rx1 up')
    bench = subprocess.Popen([penstock, 'bench', 'modes', '--quick', '--json', '--modes', 'penstock-offload,penstock-afxdp-copy',
                              '--tx', 'tx0', '--rx', 'rx0', '--dut', 'nfp0,nfp1'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
    router, seen = f'/run/netns/penstock-bench-{bench.pid}-R', []
    while bench.poll() is None:
        time.sleep(0.5)
        asked = shell('nsenter', f'--net={router}', penstock, 'status', '-j', check=False) if os.path.exists(router) else None
        if asked and asked.returncode == 0:
            seen += [port for port in json.loads(asked.stdout)['ports'] if port['mode'] == 'offload' and port['card']['running']]
    out, told = bench.communicate()
    assert bench.returncode == 0, f'exit status {bench.returncode}\n{told}'
    record = json.loads(out)
    names = {figure['name'] for figure in record['figures']}
    assert 'modes IPv4 1-routes 64-bytes penstock-offload PDR' in names, names
    assert record['port']['driver'] == 'nfp', record['port']
    missing = record['scenes'][0]['not_measured']
    assert set(missing) == {'penstock-afxdp-copy'} and 'no zero copy here' in missing['penstock-afxdp-copy'], missing
    assert {port['interface'] for port in seen} == {'nfp0', 'nfp1'}, (seen, told)
    print('ok    bench modes measures with both ports on the card', flush=True)
    ip('link del tx0', 'link del rx0')


# Cases: the kernel's simulated device, whose every refusal can be asked for.


def netdevsim(number):
    with open('/sys/bus/netdevsim/new_device', 'w') as file:
        file.write(f'{number} 2 1')
    return sorted(os.listdir(f'/sys/bus/netdevsim/devices/netdevsim{number}/net'))


def knob(number, name, value, port=''):
    with open(f'/sys/kernel/debug/netdevsim/netdevsim{number}/{port}{name}', 'w') as file:
        file.write(value)


def case_netdevsim():
    for name in ('psample', 'macsec'):
        shell('modprobe', name)
    insmod('netdevsim')
    one, two = netdevsim(7)
    ip(f'link set {one} up', f'link set {two} up', f'address add 10.1.0.1/24 dev {one}')
    for name, port, words in (
        ('bpf_map_accept', 'ports/0/', ('does not take the tables', 'not supported')),
        ('bpf_bind_accept', '', ('driver refuses the program', 'not supported')),
        ('bpf_bind_verifier_accept', '', ('driver refuses the program', '[netdevsim]')),
        ('bpf_xdpoffload_accept', 'ports/0/', ('does not attach the program', 'XDP offload disabled')),
    ):
        knob(7, name, 'N', port)
        daemon = Daemon(one)
        why = daemon.until_trouble(one, *words)
        knob(7, name, 'Y', port)
        daemon.until_mode('offload', one)
        assert hooks(one) == {'generic', 'offload'}
        assert daemon.end() == 0 and hooks(one) == set()
        print(f'ok    {name}: {why}; and on the card when it is taken back', flush=True)

    daemon = forwarding(one, two)
    with open('/sys/bus/netdevsim/devices/netdevsim7/del_port', 'w') as file:
        file.write('0')
    wait(lambda: (port := daemon.port(one)) and port['state'] == 'absent', 'one port is gone')
    daemon.until_mode('offload', two)
    assert hooks(two) == {'generic', 'offload'}
    print('ok    a port of the card goes, the other one stays on the card')
    with open('/sys/bus/netdevsim/del_device', 'w') as file:
        file.write('7')
    wait(lambda: (port := daemon.port(two)) and port['state'] == 'absent', 'the device is gone')
    assert netdevsim(7) == [one, two]
    ip(f'link set {one} up', f'link set {two} up')
    daemon.until_mode('offload', one, two)
    print('ok    the device goes and comes back')
    assert daemon.end() == 0
    with open('/sys/bus/netdevsim/del_device', 'w') as file:
        file.write('7')
    shell('rmmod', 'netdevsim')


CASES = {name.removeprefix('case_'): function for name, function in list(globals().items()) if name.startswith('case_')}
wanted = sys.argv[4:] or list(CASES)

for name in wanted:
    print(f'--    {name}: {CASES[name].__doc__ or ""}', flush=True)
    begin = time.monotonic()
    try:
        CASES[name]()
    except BaseException:
        if os.path.exists(LOG):
            with open(LOG) as log:
                print(log.read()[-6000:])
        print(shell('dmesg', check=False).stdout[-2000:], flush=True)
        raise
    shell('rmmod', 'nfp_standin', check=False)
    for family in ('-4', '-6'):
        shell('ip', family, 'route', 'flush', 'table', 'main', check=False)  # those without a device
    assert not glob.glob(SOCKET), 'a daemon is left'
    print(f'      {name}: {time.monotonic() - begin:.1f} s', flush=True)
