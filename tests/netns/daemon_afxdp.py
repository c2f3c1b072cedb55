#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_afxdp.py PENSTOCK: what is special about ports behind AF_XDP sockets. Whoever dies or hangs, packets go to the
kernel and none is lost; every frame of the shared memory is accounted for; ports of other modes, jumbo frames, several
queues; refusals in one line."""
import ctypes
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import time

from bed import Bed, Daemon, Stream, shell, until

ADDRESSES = ('10.2.0.2', 'fd02::2')
KILLS = 3
RATE = 2000  # packets a second
AF_XDP, SOL_XDP = 44, 283
XDP_RX_RING, XDP_UMEM_REG, XDP_FILL_RING, XDP_COMPLETION_RING = 2, 4, 5, 6
XDP_COPY = 2

def hold(interface):
    """Binds queue 0 of an interface, as any other program would, until its stdin ends."""
    memory = mmap.mmap(-1, 1 << 20)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    with socket.socket(AF_XDP, socket.SOCK_RAW) as sock:
        sock.setsockopt(SOL_XDP, XDP_UMEM_REG, struct.pack('=QQIIII', address, 1 << 20, 4096, 0, 0, 0))
        for ring in (XDP_FILL_RING, XDP_COMPLETION_RING, XDP_RX_RING):
            sock.setsockopt(SOL_XDP, ring, 64)
        name = struct.pack('=HHIII', AF_XDP, XDP_COPY, socket.if_nametoindex(interface), 0, 0)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.bind(sock.fileno(), name, len(name)) < 0:
            sys.exit(f'bind: {os.strerror(ctypes.get_errno())}')
        print('bound', flush=True)
        sys.stdin.read()


if sys.argv[1] == '--hold':
    hold(sys.argv[2])
    sys.exit()

bed = Bed(sys.argv[1])
before = bed.traces()
config = f'/tmp/{bed.prefix}.yaml'


def configure(text):
    with open(config, 'w') as out:
        out.write(text)


def start(text='mode: afxdp\n'):
    configure(text)
    return Daemon(bed, '-c', config, 'r0', 'r1')


def facts(daemon, name='r0'):
    return daemon.port(name)['engine']


def punts(daemon, reason):
    return sum(punt['packets'] for port in daemon.status()['ports'] for punt in port['punts'] if punt['reason'] == reason)


def forwarded(daemon):
    return sum(port['forwarded'] for port in daemon.status()['ports'])


def pinged(daemon, count=20):
    """Echoes of both families that the engine carries there and back."""
    for address in ADDRESSES:
        until(lambda: bed.ping(bed.s, address, 1), f'first ping of {address}')

        def carried():
            begin = forwarded(daemon)
            return bed.ping(bed.s, address, count) and forwarded(daemon) - begin >= 2 * count
        until(carried, f'{count} echoes of {address} carried')


def accounted(daemon):
    """No frame is astray, and none stays on its way out."""
    def settled():
        now = facts(daemon)
        assert now['frames_astray'] == 0 and now['lost'] == 0, now
        assert now['frames'] == now['frames_free'] + now['frames_receiving'] + now['frames_sending'] + now['frames_cooling']
        return now['frames_sending'] == 0
    until(settled, 'all frames back')


def end(daemon, number=signal.SIGTERM):
    assert daemon.end(number) == 0
    assert bed.traces() == before, bed.traces() - before


def kill_and_follow():
    """What lay in the sockets of the dead is gone; from then on nothing is, not when the next one takes over either."""
    daemon = start()
    pinged(daemon)
    lost = sent = 0
    for _ in range(KILLS):
        count = daemon.port('r0')['forwarded']
        stream = Stream(bed, ADDRESSES[0], rate=RATE)
        time.sleep(0.5)
        daemon.end(signal.SIGKILL)
        assert bed.programs('r0') and bed.programs('r1'), 'programs outlive their daemon'
        assert bed.ping(bed.s, ADDRESSES[0], 3), 'the kernel forwards'
        lost += stream.end()['lost']
        stream = Stream(bed, ADDRESSES[0], rate=RATE)
        daemon = Daemon(bed, '-c', config, 'r0', 'r1')
        pinged(daemon)
        result = stream.end()
        assert result['lost'] == 0 and result['twice'] == 0, result
        sent += result['sent']
        assert daemon.port('r0')['forwarded'] >= count, 'counters went back'
    assert lost < KILLS * RATE / 10, f'{lost} packets lost in {KILLS} kills are more than 100 ms each'
    accounted(daemon)
    end(daemon)
    print(f'{KILLS} times killed, {lost / KILLS / RATE * 1000:.1f} ms of traffic lost each time; '
          f'followed by the next: {sent} packets, none lost')


def stands(pid):
    states = []
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/stat') as stat:
            states.append(stat.read().rpartition(')')[2].split()[0])
    return set(states) == {'T'}


def hang():
    """Well before the tables are stale, which takes 5 seconds."""
    daemon = start()
    pinged(daemon)
    stream = Stream(bed, ADDRESSES[0], rate=1000)
    os.kill(daemon.pid, signal.SIGSTOP)
    until(lambda: stands(daemon.pid), 'all threads stand')
    time.sleep(0.1)
    assert bed.ping(bed.s, ADDRESSES[0], 10), 'the kernel forwards'
    assert bed.ping(bed.s, ADDRESSES[1], 10), 'the kernel forwards'
    time.sleep(1)
    os.kill(daemon.pid, signal.SIGCONT)
    count = until(lambda: punts(daemon, 'no-worker'), 'packets passed over the worker')
    pinged(daemon)
    result = stream.end()
    assert result['lost'] == 0 and result['twice'] == 0, result
    accounted(daemon)
    end(daemon, signal.SIGINT)
    print(f'a worker that hangs: {count} packets went to the kernel, none lost')


def switch_modes():
    """From this mode, for which the daemon keeps the rights that it needs."""
    daemon = start()
    pinged(daemon)
    stream = Stream(bed, ADDRESSES[0], rate=RATE)
    for mode in ('native', 'afxdp', 'generic', 'afxdp', 'kernel', 'afxdp'):
        configure(f'mode: {mode}\n')
        assert bed.command('reload').returncode == 0
        until(lambda: {port['mode'] for port in daemon.status()['ports']} == {mode}, f'mode {mode}')
    result = stream.end()
    assert result['lost'] == 0 and result['twice'] == 0, result
    pinged(daemon)
    accounted(daemon)
    end(daemon)
    print(f"six switches of the mode: {result['sent']} packets, none lost")


def mixed_ports():
    for other in ('native', 'generic'):
        daemon = start(f'ports: [{{interface: r0, mode: afxdp}}, {{interface: r1, mode: {other}}}]\n')
        pinged(daemon)
        assert daemon.port('r0')['mode'] == 'afxdp' and daemon.port('r1')['mode'] == other
        stream = Stream(bed, ADDRESSES[1], rate=1000)
        time.sleep(1)
        result = stream.end()
        assert result['lost'] == 0, result
        accounted(daemon)
        end(daemon)
    print('ports of this mode and of others, both ways')


def change_routes():
    """A flow whose route stays, while others come and go, among them one of its own traffic."""
    daemon = start()
    pinged(daemon)
    for address in ('10.2.0.3/24', '10.2.0.4/24'):
        shell('ip', '-n', bed.d, 'address', 'add', address, 'dev', 'd0')
    shell('ip', '-n', bed.d, 'address', 'add', '10.9.0.1/32', 'dev', 'd0')
    bed.router('ip', 'route', 'add', '10.9.0.1/32', 'via', '10.2.0.3')
    until(lambda: bed.ping(bed.s, '10.9.0.1', 1), 'ping of what will change')
    steady = Stream(bed, ADDRESSES[0], rate=1000)
    moving = Stream(bed, '10.9.0.1', port=5003, rate=1000)
    ended = time.monotonic() + 4
    changes = 0
    while time.monotonic() < ended:
        bed.router('ip', 'route', 'replace', '10.9.0.1/32', 'via', f'10.2.0.{3 + changes % 2}')
        bed.router('ip', 'route', 'replace', '198.18.0.0/15', 'via', f'10.2.0.{2 + changes % 3}')
        bed.router('ip', 'route', 'replace', f'198.18.{changes % 256}.0/24', 'via', '10.2.0.3')
        changes += 3
    for stream in (steady, moving):
        result = stream.end()
        assert result['lost'] == 0 and result['twice'] == 0, result
    # routes that go: what is under way goes back to the kernel, and comes to no harm
    steady = Stream(bed, ADDRESSES[0], rate=1000)
    for _ in range(20):
        bed.router('ip', 'route', 'delete', '10.9.0.1/32')
        bed.router('ip', 'route', 'add', '10.9.0.1/32', 'via', '10.2.0.3')
        bed.ping(bed.s, '10.9.0.1', 1)
    result = steady.end()
    assert result['lost'] == 0, result
    accounted(daemon)
    shell('ip', '-n', bed.d, 'address', 'del', '10.9.0.1/32', 'dev', 'd0')
    bed.router('ip', 'route', 'flush', 'root', '198.18.0.0/15')
    bed.router('ip', 'route', 'delete', '10.9.0.1/32')
    assert daemon.end() == 0
    bed.router('ip', 'neigh', 'flush', 'dev', 'r1')  # gateways that were pushed
    assert bed.traces() == before, bed.traces() - before
    print(f'{changes} route changes under traffic, none lost')


def flood():
    """More than fits: what is lost is counted, no frame is."""
    daemon = start('mode: afxdp\nafxdp: {frames: 8192}\n')
    pinged(daemon)
    for family, address in zip(('-4', '-6'), ADDRESSES):
        server = bed.spawn(bed.d, 'iperf3', '-s', '-1', '--forceflush')
        server.stdout.readline()
        until(lambda: shell(*bed.inside(bed.s, 'iperf3', family, '-c', address, '-u', '-b', '0', '-l', '64', '-t', '2', '-P', '2'),
                            check=False).returncode == 0, 'iperf3', 20)
        accounted(daemon)
    pinged(daemon)
    accounted(daemon)
    end(daemon)
    print('a flood: every frame accounted for')


def set_mtu(mtu):
    for where, device in ((bed.s, 's0'), (bed.r, 'r0'), (bed.r, 'r1'), (bed.d, 'd0')):
        shell('ip', '-n', where, 'link', 'set', device, 'mtu', str(mtu))


def jumbo():
    set_mtu(9000)
    daemon = start()
    pinged(daemon)
    for size in (1400, 1493, 1494, 1600, 3000, 8000, 8952):
        for address in ADDRESSES:
            def carried():
                begin = forwarded(daemon)
                result = shell(*bed.inside(bed.s, 'ping', '-c', '5', '-i', '0.02', '-q', '-M', 'do', '-s', str(size), address),
                               check=False)
                return ' 5 received' in result.stdout and forwarded(daemon) - begin >= 10
            until(carried, f'echoes of {size} bytes carried')
    accounted(daemon)
    end(daemon)
    set_mtu(1500)
    print('frames of up to 9000 bytes')


def options():
    """Each key at values other than its default."""
    allowed = sorted(os.sched_getaffinity(0))
    daemon = start(f'mode: afxdp\nafxdp: {{workers: 3, cpus: "{allowed[0]}", frames: 16384, busy-poll: 20}}\n')
    pinged(daemon)
    now = facts(daemon)
    assert now['workers'] == 3 and now['frames'] == 16384, now
    bound = [os.sched_getaffinity(int(task)) for task in os.listdir(f'/proc/{daemon.pid}/task')
             if open(f'/proc/{daemon.pid}/task/{task}/comm').read() == 'afxdp\n']
    assert bound == [{allowed[0]}] * 3, bound
    sleeps = now['sleeps']
    time.sleep(0.3)
    assert facts(daemon)['sleeps'] - sleeps < 3, 'busy workers do not sleep'
    for other in ('workers: 2', f'workers: 3, cpus: "{allowed[0]}", frames: 16384, busy-poll: 20, hook: generic'):
        configure(f'mode: afxdp\nafxdp: {{{other}}}\n')
        result = bed.command('reload')
        assert result.returncode == 1 and "'afxdp' cannot change while running" in result.stderr, result.stderr
    end(daemon)
    print('options: workers, cpus, frames, busy-poll')


def gives_up():
    """Of what only an attempt shows: the last line says why, after what led to it. Returns it."""
    result = bed.command('run', '-c', config, 'r0')
    assert result.returncode == 1 and not result.stdout, result
    return result.stderr.splitlines()[-1].removeprefix('penstock: ')


def refusals():
    configure('mode: afxdp\n')
    status, line = bed.refused('run', '-c', config, 'lo')
    assert status == 1 and line == 'lo: afxdp was asked for, but lo is no Ethernet interface', line
    configure('mode: afxdp\nafxdp: {cpus: "1000"}\n')
    line = gives_up()
    assert line == 'r0: afxdp.cpus: CPU 1000 is not there for us', line
    holder = subprocess.Popen([*bed.inside(bed.r, sys.executable, '-B', __file__, '--hold', 'r0')], stdout=subprocess.PIPE,
                              stdin=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == 'bound\n'
    configure('mode: afxdp\n')
    line = gives_up()
    holder.communicate()
    assert line.startswith('r0: queue 0 has an AF_XDP socket already'), line
    assert bed.traces() == before, bed.traces() - before
    # Room for one port only: the other one stays in the kernel, with the reason.
    configure('mode: afxdp\nafxdp: {frames: 4096}\n')
    daemon = start_one_of_two()
    assert daemon.port('r0')['state'] == 'running' and daemon.port('r1')['state'] == 'kernel'
    assert bed.ping(bed.s, ADDRESSES[0], 3)
    end(daemon)
    print('refusals in one line')


def start_one_of_two():
    class Patient(Daemon):
        def forwards(self):
            status = self.status()
            return status and status['state'] == 'forwarding' and 'afxdp.frames' in status['ports'][1]['why']
    return Patient(bed, '-c', config, 'r0', 'r1')


def queues():
    """As many sockets as receive queues; r1 sends by fewer than r0 receives by."""
    for inner, outer, host, number, count in (('r0', 's0', bed.s, 1, 4), ('r1', 'd0', bed.d, 2, 2)):
        bed.router('ip', 'link', 'delete', inner)
        bed.pair(host, outer, inner, number, queues=count)
    daemon = start('mode: afxdp\nafxdp: {workers: 2}\n')
    pinged(daemon)
    assert facts(daemon, 'r0')['queues'] == 4 and facts(daemon, 'r1')['queues'] == 2
    streams = [Stream(bed, address, port=5001 + port, rate=500) for port, address in enumerate(ADDRESSES * 3)]
    time.sleep(1.5)
    for stream in streams:
        result = stream.end()
        assert result['lost'] == 0 and result['twice'] == 0, result
    accounted(daemon)
    assert daemon.end() == 0
    print('several queues and workers')


kill_and_follow()
hang()
switch_modes()
mixed_ports()
change_routes()
flood()
jumbo()
options()
refusals()
queues()
os.unlink(config)
