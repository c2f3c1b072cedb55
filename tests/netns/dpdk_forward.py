#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""dpdk_forward.py PENSTOCK: the kernel is reached through a device of DPDK and reaches out by it; ping, UDP and TCP of both
families are forwarded between two devices, to and from a port of the kernel, while routes change; what changes on
the interface is followed; nothing is left behind."""
import json
import os
import signal
import socket
import struct
import sys

from bed import Stream, shell, until
from dpdk_bed import DEVICES, DpdkBed, DpdkDaemon, give

ADDRESSES = ('10.2.0.2', 'fd02::2')

bed = DpdkBed(sys.argv[1])
before = bed.traces()


def count(daemon, name, reason):
    port = daemon.port(name)
    return port['forwarded'] if reason == 'forwarded' else sum(
        punt['packets'] for punt in port['punts'] if punt['reason'] == reason)


def check_kernel(daemon):
    """The router itself answers ARP, ND and ICMP, and asks: its own pings go out."""
    for address in ('10.1.0.1', 'fd01::1'):
        until(lambda: bed.ping(bed.s, address, 5), f'the router answers by {address}')
    for address in ('10.1.0.2', 'fd01::2', *ADDRESSES):
        until(lambda: bed.ping(bed.r, address, 5), f'the router reaches {address}')
    assert count(daemon, 'dp0', 'local') >= 10 and count(daemon, 'dp0', 'not-ip') >= 1
    found = bed.router('ip', 'neigh', 'show', 'dev', 'dp0').stdout
    assert '10.1.0.2' in found and 'fd01::2' in found, found


def check_forwarding(daemon, ingress='dp0'):
    for address in ADDRESSES:
        until(lambda: bed.ping(bed.s, address, 1), f'first ping of {address}')
        start = count(daemon, ingress, 'forwarded')
        until(lambda: bed.ping(bed.s, address, 20), f'20 echoes of {address}')
        until(lambda: count(daemon, ingress, 'forwarded') - start >= 20, 'echoes by the program')
        bed.transfer(address)


def check_routes_change(daemon):
    """Datagrams that the changes do not touch arrive, all of them."""
    streams = [Stream(bed, '10.2.0.2', 5001), Stream(bed, 'fd02::2', 5003)]
    start = count(daemon, 'dp0', 'forwarded')
    batch = ''.join(f'route {verb} 10.{a}.{b}.0/24 via 10.2.0.2\n' for a in range(100, 104) for verb in ('add', 'del')
                    for b in range(256)) * 3
    path = f'/tmp/{bed.prefix}.batch'
    with open(path, 'w') as out:
        out.write(batch)
    bed.router('ip', '-batch', path)
    os.unlink(path)
    until(lambda: count(daemon, 'dp0', 'forwarded') - start > 2000, 'datagrams')
    for result in [stream.end() for stream in streams]:
        assert result['lost'] == 0 and result['twice'] == 0, result
    # The last word counts.
    bed.router('ip', 'route', 'add', '203.0.113.1/32', 'via', '10.2.0.2')
    shell('ip', '-n', bed.d, 'address', 'replace', '203.0.113.1/32', 'dev', 'd0')
    until(lambda: bed.ping(bed.s, '203.0.113.1', 5), 'a new route')
    bed.router('ip', 'route', 'replace', 'blackhole', '203.0.113.1/32')
    until(lambda: not bed.ping(bed.s, '203.0.113.1', 1), 'a route that leads nowhere')
    bed.router('ip', 'route', 'del', '203.0.113.1/32')


def check_too_big(daemon):
    """What does not fit the egress goes to the kernel, which says so to the sender."""
    bed.router('ip', 'link', 'set', 'dp1', 'mtu', '1400')
    shell('ip', '-n', bed.d, 'link', 'set', 'd0', 'mtu', '1400')
    result = shell(*bed.inside(bed.s, 'ping', '-c', '3', '-i', '0.2', '-M', 'do', '-s', '1450', '10.2.0.2'), check=False)
    assert 'mtu=1400' in result.stdout or 'mtu = 1400' in result.stdout, result.stdout
    bed.router('ip', 'link', 'set', 'dp1', 'mtu', '1500')
    shell('ip', '-n', bed.d, 'link', 'set', 'd0', 'mtu', '1500')


def check_interface(daemon):
    """The device follows link address and MTU of its interface, or says why not."""
    bed.router('ip', 'link', 'set', 'dp1', 'address', '02:00:00:00:00:77')
    until(lambda: bed.ping(bed.s, '10.2.0.2', 3), 'ping with another link address')
    bed.router('ip', 'link', 'set', 'dp1', 'mtu', '9000')
    until(lambda: not daemon.port('dp1')['egress']['possible'], 'an MTU that is too large is noticed')
    egress = daemon.port('dp1')['egress']
    assert '9000' in egress['reason'] and 'dpdk.mtu' in egress['reason'], egress
    bed.router('ip', 'link', 'set', 'dp1', 'mtu', '1500')
    until(lambda: daemon.port('dp1')['egress']['possible'], 'egress again')
    until(lambda: bed.ping(bed.s, '10.2.0.2', 3), 'ping again')
    bed.router('ip', 'link', 'set', 'dp1', 'down')
    until(lambda: not bed.ping(bed.s, '10.2.0.2', 1), 'no way out of an interface that is down')
    bed.router('ip', 'link', 'set', 'dp1', 'up')
    bed.router('ip', '-6', 'address', 'add', 'fd02::1/64', 'dev', 'dp1', 'nodad', check=False)
    for address in ADDRESSES:
        until(lambda: bed.ping(bed.s, address, 3), f'{address} after down and up')


def check_words(daemon):
    status = daemon.status()
    for port in status['ports']:
        assert port['mode'] == 'dpdk' and 'DPDK' in port['why'], port
    facts = daemon.port('dp0')['engine']
    assert facts['received'] > 0 and facts['to_kernel'] > 0 and facts['from_kernel'] > 0 and facts['unsent'] == 0, facts
    run = json.loads(bed.command('audit', '500', '-j').stdout)['run']
    assert run['differences'] == 0 and run['same'] > 0, run


def between_devices():
    daemon = DpdkDaemon(bed)
    check_kernel(daemon)
    check_forwarding(daemon)
    check_routes_change(daemon)
    check_too_big(daemon)
    check_interface(daemon)
    check_words(daemon)
    assert daemon.end(signal.SIGINT) == 0
    assert bed.traces() == before, f'left {bed.traces() - before}'
    print('two devices: kernel, ping, TCP, routes that change, MTU and link address; nothing left behind')


def with_the_kernel():
    """A device and a port of the kernel: each reaches the other through the interface."""
    bed.router('nft', 'delete', 'chain', 'netdev', 'penstock_test', 'r1')
    bed.router('sysctl', '-qw', 'net.ipv6.conf.r1.disable_ipv6=0')
    give(bed, 'r1', 2)
    shell(*bed.inside(bed.d, 'ethtool', '-K', 'd0', 'gro', 'on'))
    daemon = DpdkDaemon(bed, 'r1', devices=DEVICES[:1])
    assert daemon.port('r1')['mode'] == 'native', daemon.port('r1')
    check_forwarding(daemon, 'r1')
    assert count(daemon, 'dp0', 'egress-beyond') > 0, 'what leaves by another engine goes by the kernel'
    assert daemon.end() == 0
    assert 'dp0' not in bed.router('ip', 'link').stdout
    print('a device and a port of the kernel reach each other')


def killed():
    """A killed daemon takes its interfaces along; the next one starts as if nothing had been."""
    daemon = DpdkDaemon(bed)
    check_forwarding(daemon)
    daemon.end(signal.SIGKILL)
    until(lambda: 'dp0' not in bed.router('ip', 'link').stdout, 'the interfaces are gone')
    daemon = DpdkDaemon(bed)
    check_forwarding(daemon)
    assert daemon.end() == 0
    print('a killed daemon leaves nothing that disturbs the next')


def kept():
    """An interface that is there already is used, and stays with its addresses."""
    bed.router('ip', 'tuntap', 'add', 'dp0', 'mode', 'tap')
    bed.router('ip', 'link', 'set', 'dp0', 'up')
    daemon = DpdkDaemon(bed)
    check_forwarding(daemon)
    assert daemon.end() == 0
    assert '10.1.0.1/24' in bed.router('ip', 'address', 'show', 'dp0').stdout
    bed.router('ip', 'tuntap', 'del', 'dp0', 'mode', 'tap')
    print('an interface that was there before stays')


FLOWS = '''
import socket
for port in range(1024, 1024 + 500):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(('', port))
    for _ in range(4): sock.sendto(bytes(64), ('10.2.0.2', 9))
'''


def check_queues(daemon):
    """Flows spread over the queues, each of which one worker serves."""
    path = f"/run/dpdk/penstock-{daemon.status()['name']}/dpdk_telemetry.v2"

    def received():
        stats = ask_telemetry(path, f"/ethdev/xstats,{ask_telemetry(path, '/penstock/port,dp0')['id']}")
        return [stats[f'rx_q{queue}_packets'] for queue in (0, 1)]
    before, start = received(), count(daemon, 'dp0', 'forwarded')
    shell(*bed.inside(bed.s, sys.executable, '-c', FLOWS))
    until(lambda: count(daemon, 'dp0', 'forwarded') - start >= 2000, '2000 datagrams of 500 flows')
    shares = [now - then for then, now in zip(before, received())]
    assert min(shares) > 500, f'{shares} of 2000 datagrams by each queue'
    return shares


def many_workers():
    """Two workers, two queues, and fewer transmit queues than threads that send."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        print('not checked: two workers; this machine has one CPU')
        return
    config = f'/tmp/{bed.prefix}.yaml'
    with open(config, 'w') as out:
        out.write(f'dpdk: {{ lcores: "{cpus[0]},{cpus[1]}", poll: adaptive }}\n')
    daemon = DpdkDaemon(bed, '-c', config, devices=[f'{device},qpairs=2' for device in DEVICES])
    os.unlink(config)
    assert '2 queues' in daemon.port('dp0')['how'], daemon.port('dp0')
    check_forwarding(daemon)
    shares = check_queues(daemon)
    check_routes_change(daemon)
    assert daemon.end() == 0
    assert bed.traces() == before, f'left {bed.traces() - before}'
    print(f'two workers with two queues each, which took {shares[0]} and {shares[1]} frames')


def link_state():
    """The interface has the carrier of its device; telemetry tells of both."""
    daemon = DpdkDaemon(bed, devices=['dpdk:net_tap0,iface=t0'])
    until(lambda: daemon.port('dp0')['carrier'], 'carrier')
    bed.router('ip', 'link', 'set', 't0', 'down')
    until(lambda: not daemon.port('dp0')['carrier'], 'no carrier')
    bed.router('ip', 'link', 'set', 't0', 'up')
    until(lambda: daemon.port('dp0')['carrier'], 'carrier again')
    path = f"/run/dpdk/penstock-{daemon.status()['name']}/dpdk_telemetry.v2"
    assert ask_telemetry(path, '/penstock/ports') == ['dp0']
    figures = ask_telemetry(path, '/penstock/port,dp0')
    assert figures['device'] == 'net_tap0' and figures['to_kernel_lost'] == 0, figures
    assert figures['rss'] == 0 and figures['offloads'] == '', figures
    assert 'opackets' in ask_telemetry(path, f"/ethdev/stats,{figures['id']}")
    assert daemon.end() == 0
    assert bed.traces() == before, f'left {bed.traces() - before}'
    print('the interface has the carrier of its device; telemetry answers')


def jumbo():
    config = f'/tmp/{bed.prefix}.yaml'
    with open(config, 'w') as out:
        out.write('dpdk: { mtu: 9000, memory: 512, poll: busy }\n')
    daemon = DpdkDaemon(bed, '-c', config, devices=['dpdk:net_null0,no-rx=1'])
    os.unlink(config)
    assert daemon.port('dp0')['egress']['possible'] and 'mtu 9000' in bed.router('ip', 'link', 'show', 'dp0').stdout
    assert daemon.end() == 0
    print('jumbo frames where the device takes them')


def frames_of(path):
    """Those of a capture."""
    with open(path, 'rb') as file:
        file.seek(24)
        while header := file.read(16):
            yield file.read(struct.unpack('=IIII', header)[2])


def whole_frames():
    """The MTU of an interface is not the device's: a frame from the kernel that is too long is not sent, nor a part of it."""
    empty, sent = (f'/tmp/{bed.prefix}.{name}' for name in ('empty', 'sent'))
    with open(empty, 'wb') as out:
        out.write(struct.pack('=IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    daemon = DpdkDaemon(bed, devices=[f'dpdk:net_pcap0,rx_pcap={empty},tx_pcap={sent}'])
    bed.router('ip', 'link', 'set', 'dp0', 'mtu', '9000')
    bed.router('ip', 'neighbour', 'replace', '10.1.0.9', 'lladdr', '02:00:00:00:00:09', 'nud', 'permanent', 'dev', 'dp0')
    for size in (4000, 100):
        bed.router('ping', '-c', '5', '-i', '0.02', '-W', '1', '-M', 'do', '-s', str(size), '10.1.0.9', check=False)
    until(lambda: daemon.port('dp0')['engine']['unsent'] == 5, f"five frames unsent: {daemon.port('dp0')['engine']}")
    assert daemon.end() == 0
    echoes = [frame for frame in frames_of(sent) if frame[12:14] == b'\x08\x00' and frame[23] == socket.IPPROTO_ICMP]
    sizes = [(len(frame), struct.unpack_from('!H', frame, 16)[0]) for frame in echoes]
    assert sizes == 5 * [(142, 128)], sizes
    for path in (empty, sent):
        os.unlink(path)
    print('frames from the kernel are sent whole or not at all')


def ask_telemetry(path, command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.connect(path)
        peer.recv(4096)
        peer.send(command.encode())
        return json.loads(peer.recv(65536))[command.split(',')[0]]


def reload():
    """The devices are those of the start; a mode can change, and the kernel then forwards by the interfaces."""
    config = f'/tmp/{bed.prefix}.yaml'
    entry = ' - {{ interface: dp{0}, device: "{1}", mode: {2} }}\n'

    def write(mode, devices=DEVICES):
        with open(config, 'w') as out:
            out.write('ports:\n' + ''.join(entry.format(*each, mode) for each in enumerate(devices)))

    write('auto')
    daemon = DpdkDaemon(bed, '-c', config, devices=[])
    for number in (0, 1):
        give(bed, f'dp{number}', number + 1)
    check_forwarding(daemon)
    write('kernel')
    assert bed.command('reload').returncode == 0
    until(lambda: daemon.port('dp0')['state'] == 'kernel' and daemon.port('dp1')['state'] == 'kernel', 'the kernel forwards')
    for address in ADDRESSES:
        until(lambda: bed.ping(bed.s, address, 5), f'ping {address} by the kernel')
    write('auto')
    assert bed.command('reload').returncode == 0
    until(daemon.forwards, 'DPDK again')
    check_forwarding(daemon)
    write('auto', DEVICES[:1])
    status, line = bed.refused('reload')
    assert status == 1 and "'device' cannot change" in line, line
    os.unlink(config)
    assert daemon.end() == 0
    print('modes change while it runs, devices do not')


for part in (between_devices, many_workers, link_state, jumbo, whole_frames, reload, killed, kept, with_the_kernel):
    part()
