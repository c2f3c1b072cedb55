#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""zerocopy_guest.py PENSTOCK: AF_XDP sockets without a copy, on virtio cards of a guest whose kernel has that (vm run
--nics twice the same), between two hosts that are namespaces of the guest: forwarding, what goes to the kernel, routes
that change, frames that all come back, the way to other modes, and a daemon that is killed."""
import glob
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'netns'))
from bed import Bed, Daemon, Stream, shell, skip, until  # noqa: E402

ADDRESSES = ('10.2.0.2', 'fd02::2')


def card_names():
    """In the order of their link addresses, which is that of qemu's words: the two ends of a cable in turn."""
    subprocess.run(['modprobe', 'virtio_net'], check=True)
    until(lambda: len(glob.glob('/sys/class/net/eth*')) == 4, 'four network cards')
    found = []
    for path in glob.glob('/sys/class/net/eth*'):
        with open(f'{path}/address') as file:
            found.append((file.read(), os.path.basename(path)))
    return [name for _, name in sorted(found)]


class CardBed(Bed):
    """The bed with cables instead of veth pairs."""

    def pair(self, host, outer, inner, number, queues=1):
        self.cable(host, outer, cards[2 * number - 2], inner, cards[2 * number - 1], number)


def facts(name='r0'):
    return daemon.port(name)['engine']


def forwarded():
    return sum(port['forwarded'] for port in daemon.status()['ports'])


def carried(count=10):
    """Echoes of both families that the engine carries there and back."""
    for address in ADDRESSES:
        until(lambda: bed.ping(bed.s, address, 1), f'first ping of {address}')

        def by_engine():
            begin = forwarded()
            return bed.ping(bed.s, address, count) and forwarded() - begin >= 2 * count
        until(by_engine, f'{count} echoes of {address} carried')


def check_frames():
    def settled():
        now = facts()
        assert now['frames_astray'] == 0 and now['lost'] == 0, now
        assert now['frames'] == now['frames_free'] + now['frames_receiving'] + now['frames_sending'] + now['frames_cooling']
        return now['frames_sending'] == 0
    until(settled, 'all frames back')


def check_routes():
    """Routes come and go beside a flow whose route stays."""
    streams = [Stream(bed, address, 5001 + number, 300) for number, address in enumerate(ADDRESSES)]
    begin = forwarded()
    lines = [f'route {verb} 198.18.{n}.0/24 via 10.2.0.{2 + n % 3}' for verb in ('add', 'replace', 'delete') for n in range(200)]
    bed.router('sh', '-c', 'ip -batch - <<END\n' + '\n'.join(lines) + '\nEND')
    until(lambda: forwarded() - begin > 1500, 'datagrams')
    for result in [stream.end() for stream in streams]:
        assert result['lost'] == 0 and result['twice'] == 0, result
        print(f'{len(lines)} route changes beside {result}', flush=True)


def check_flood():
    """More than fits: what is lost is counted, no frame is."""
    begin = forwarded()
    for address in ADDRESSES:
        server = bed.spawn(bed.d, 'iperf3', '--server', '--one-off', '--forceflush')
        until(lambda: 'listening' in server.stdout.readline(), 'iperf3')
        shell(*bed.inside(bed.s, 'iperf3', '--client', address, '--udp', '--bandwidth', '0', '--length', '64', '--time', '2'),
              check=False)
        server.wait(60)
    carried()
    print(f'{forwarded() - begin} packets in a flood', flush=True)


def check_kernel():
    """What is not to be forwarded passes in the kernel."""
    assert bed.ping(bed.s, '10.1.0.1', 5) and bed.ping(bed.s, 'fd01::1', 5)
    result = shell(*bed.inside(bed.s, 'ping', '-c', '1', '-W', '5', '-t', '1', '10.2.0.2'), check=False).stdout
    assert 'From 10.1.0.1' in result and 'exceeded' in result, result


def check_modes():
    """Away from zero copy and back."""
    for mode in ('native', 'afxdp', 'kernel', 'afxdp'):
        for name in ('r0', 'r1'):
            assert bed.command('mode', name, mode).returncode == 0
        until(lambda: {port['mode'] for port in daemon.status()['ports']} == {mode}, f'mode {mode}')
        for address in ADDRESSES:
            until(lambda: bed.ping(bed.s, address, 3), f'{address} in mode {mode}')
    check_zero_copy()
    carried()


def check_return():
    """A socket follows another on its queue while the card may still write to the frames of that one."""
    def both():
        bed.router('sh', '-c', f'{bed.penstock} mode r0 kernel && {bed.penstock} mode r0 afxdp')
        until(lambda: daemon.port('r0')['mode'] == 'afxdp', 'the next socket')
        return facts()['frames_cooling'] > 0
    until(both, 'back within the second that frames cool')
    until(lambda: facts()['frames_cooling'] == 0, 'the frames of the first are free')
    carried()
    check_frames()


def check_kill():
    """The queues of the dead are free for the next one, which gets the same."""
    global daemon
    daemon.end(signal.SIGKILL)
    for address in ADDRESSES:
        until(lambda: bed.ping(bed.s, address, 3), f'the kernel forwards to {address}')
    daemon = Daemon(bed, '-c', config, 'r0', 'r1')
    check_zero_copy()
    carried()


def check_zero_copy():
    for name in ('r0', 'r1'):
        port = daemon.port(name)
        assert port['mode'] == 'afxdp' and port['how'].startswith('zero copy, driver hook'), port


cards = card_names()
bed = CardBed(sys.argv[1])
facts_of_r0 = bed.command('plan', '--facts', 'r0').stdout
if 'xsk-zerocopy' not in facts_of_r0:
    skip(f'virtio_net of Linux {os.uname().release} has no zero copy')
before = bed.traces()
config = f'/tmp/{bed.prefix}.yaml'
with open(config, 'w') as out:
    out.write('mode: afxdp\n')
daemon = Daemon(bed, '-c', config, 'r0', 'r1')
check_zero_copy()
print(f"Linux {os.uname().release}, virtio_net: {daemon.port('r0')['how']}", flush=True)
carried()
check_kernel()
check_routes()
check_flood()
check_frames()
check_modes()
check_return()
check_kill()
check_frames()
print('to other modes and back, killed and followed by the next: zero copy again', flush=True)
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
for each in ADDRESSES:
    until(lambda: bed.ping(bed.s, each, 3), f'the kernel forwards to {each} again')
