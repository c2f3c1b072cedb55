# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A router between two hosts, for tests of the daemon:

    namespace S            namespace R              namespace D
    s0 10.1.0.2  -------  r0 10.1.0.1
       fd01::2               fd01::1
                          r1 10.2.0.1  -------  d0 10.2.0.2
                             fd02::1               fd02::2

A script runs in a mount namespace of its own with a BPF file system of its own, so that pins of other daemons are
out of sight. Whatever it makes goes with it, also when it is interrupted.
"""
import atexit
import glob
import json
import os
import signal
import subprocess
import sys
import time

SKIPPED = 77
WAIT_S = 60  # of patience: an emulated machine on a busy one is slow
SHELL_S = 250
RUN = '/run/penstock'
BPFFS = '/sys/fs/bpf'
HERE = os.path.dirname(os.path.abspath(__file__))
TCP_SERVER = '''
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
listener = socket.socket(family)
listener.bind((sys.argv[1], 5002)); listener.listen(); print('ready', flush=True)
peer = listener.accept()[0]
count = 0
while data := peer.recv(1 << 20): count += len(data)
print(count)
'''
TCP_CLIENT = '''
import socket, sys
peer = socket.create_connection((sys.argv[1], 5002), timeout=20)
left = int(sys.argv[2])
while left > 0: left -= peer.send(bytes(min(left, 1 << 16)))
'''


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(SKIPPED)


def until(condition, what, seconds=WAIT_S):
    """Waits for a condition and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f'after {seconds} s not yet: {what}'
        time.sleep(0.02)


def scaled(few, all_of_them):
    """How often: few times, PENSTOCK_TEST_SCALE times as many where there is time, but no more than are asked for."""
    return min(all_of_them, few * int(os.environ.get('PENSTOCK_TEST_SCALE', 1)))


def shell(*arguments, check=True):
    return subprocess.run(arguments, check=check, capture_output=True, text=True, timeout=SHELL_S)


def private_mounts():
    """Starts the script anew in a mount namespace of its own."""
    if os.geteuid() != 0:
        skip('needs root')
    if os.environ.get('PENSTOCK_BED') != str(os.getpid()):
        os.environ['PENSTOCK_BED'] = str(os.getpid())
        os.execvp('unshare', ['unshare', '--mount', '--propagation', 'private', sys.executable, '-B', *sys.argv])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(1))


def hide_bpffs():
    """Takes the host's BPF file systems out of this mount namespace."""
    with open('/proc/mounts') as mounts:
        places = [line.split()[1] for line in mounts if line.split()[2] == 'bpf']
    for place in reversed(places):
        shell('umount', place)


class Daemon:
    """A running `penstock run`."""

    def __init__(self, bed, *arguments, where=None, wrap=None, penstock=None):
        self.bed = bed
        self.where = where or bed.r
        self.log = open(f'/tmp/{bed.prefix}-daemon-{time.monotonic_ns()}.log', 'w+')
        self.process = subprocess.Popen([*(wrap or bed.inside(self.where)), penstock or bed.penstock, 'run', *arguments],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        bed.daemons.append(self)
        self.until_forwarding()

    def text(self):
        with open(self.log.name) as log:
            return log.read()

    def status(self):
        """The status document, or None while nobody answers."""
        result = self.bed.command('status', '-j', where=self.where)
        return json.loads(result.stdout) if result.returncode == 0 else None

    def port(self, name):
        return next((port for port in (self.status() or {}).get('ports', []) if port['interface'] == name), None)

    def forwards(self):
        assert self.process.poll() is None, f'the daemon ended:\n{self.text()}'
        status = self.status()
        return (status and status['pid'] == self.pid and status['state'] == 'forwarding' and
                all(port['state'] == 'running' for port in status['ports']) and status)

    def until_forwarding(self):
        return until(self.forwards, f'forwarding\n{self.text()}')

    def end(self, number=signal.SIGTERM):
        """Ends it and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(WAIT_S)
        self.log.close()
        os.unlink(self.log.name)
        self.bed.daemons.remove(self)
        return status


class Bed:
    def __init__(self, penstock, bpffs=True):
        private_mounts()
        self.penstock = os.path.abspath(penstock)
        self.prefix = f'ps-bed-{os.getpid()}'
        self.s, self.r, self.d = (f'{self.prefix}-{name}' for name in 'srd')
        self.daemons = []
        self.children = []
        atexit.register(self.remove)
        hide_bpffs()
        if bpffs:
            shell('mount', '-t', 'bpf', 'bpf', BPFFS)
        self.make()

    def make(self):
        for name in (self.s, self.r, self.d):
            shell('ip', 'netns', 'add', name)
            shell('ip', '-n', name, 'link', 'set', 'lo', 'up')
        self.router('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1')
        self.pair(self.s, 's0', 'r0', 1)
        self.pair(self.d, 'd0', 'r1', 2)

    def pair(self, host, outer, inner, number, queues=1):
        """A link between a host and the router, both families, no duplicate address detection."""
        many = ['numrxqueues', str(queues), 'numtxqueues', str(queues)]
        shell('ip', 'link', 'add', inner, 'netns', self.r, *many, 'type', 'veth', 'peer', 'name', outer, 'netns', host, *many)
        self.address(host, outer, inner, number)
        # Without GRO an end takes no redirected frames; checksums left to a device are not made up for by XDP.
        shell(*self.inside(host, 'ethtool', '-K', outer, 'gro', 'on', 'tx', 'off'))

    def cable(self, host, outer, host_card, inner, router_card, number):
        """The same with two cards that a cable joins; they move into the bed."""
        for name, device, card in ((self.r, inner, router_card), (host, outer, host_card)):
            shell('ip', 'link', 'set', card, 'netns', name)
            shell('ip', '-n', name, 'link', 'set', card, 'name', device)
        self.address(host, outer, inner, number)

    def address(self, host, outer, inner, number):
        """Addresses at both ends of a link, and the host's way to everywhere."""
        for name, device, end in ((self.r, inner, 1), (host, outer, 2)):
            shell('ip', '-n', name, 'address', 'add', f'10.{number}.0.{end}/24', 'dev', device)
            shell('ip', '-n', name, 'address', 'add', f'fd0{number}::{end}/64', 'dev', device, 'nodad')
            shell('ip', '-n', name, 'link', 'set', device, 'up')
        for gateway in (f'10.{number}.0.1', f'fd0{number}::1'):
            shell('ip', '-n', host, 'route', 'add', 'default', 'via', gateway)

    def inside(self, name, *arguments):
        """The command line that runs in a namespace; unlike `ip netns exec` it leaves /sys alone."""
        return ['nsenter', f'--net=/run/netns/{name}', *arguments]

    def router(self, *arguments, check=True):
        return shell(*self.inside(self.r, *arguments), check=check)

    def command(self, *arguments, where=None):
        """Runs penstock."""
        return shell(*self.inside(where or self.r, self.penstock, *arguments), check=False)

    def refused(self, *arguments, where=None):
        """Runs penstock, which must refuse in one line on stderr; returns (exit status, line)."""
        result = self.command(*arguments, where=where)
        assert result.returncode in (1, 2), f'{arguments}: exit status {result.returncode}\n{result.stderr}'
        assert result.stdout == '', f'{arguments}: wrote to stdout: {result.stdout}'
        lines = result.stderr.splitlines()
        assert len(lines) == 1 and lines[0].startswith('penstock: '), f'{arguments}: not one line: {result.stderr}'
        return result.returncode, lines[0].removeprefix('penstock: ')

    def spawn(self, name, *arguments):
        child = subprocess.Popen(self.inside(name, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.children.append(child)
        return child

    def ping(self, host, address, count=3):
        result = shell(*self.inside(host, 'ping', '-c', str(count), '-i', '0.02', '-W', '2', '-q', address), check=False)
        return result.returncode == 0 and f' {count} received' in result.stdout

    def transfer(self, address, count=5_000_000):
        """So many bytes from S to D by TCP."""
        server = self.spawn(self.d, sys.executable, '-c', TCP_SERVER, address)
        assert server.stdout.readline() == 'ready\n'
        client = self.spawn(self.s, sys.executable, '-c', TCP_CLIENT, address, str(count))
        assert client.wait(WAIT_S) == 0
        assert int(server.communicate(timeout=WAIT_S)[0]) == count

    def programs(self, interface):
        """Id of the XDP program on an interface of the router; None: none."""
        link = json.loads(self.router('ip', '-j', '-d', 'link', 'show', 'dev', interface).stdout)[0]
        return link.get('xdp', {}).get('prog', {}).get('id')

    def traces(self):
        """What a daemon could have left behind: programs, pins, files. A set to compare with another."""
        inode = os.stat(f'/run/netns/{self.r}').st_ino
        found = {f'program on {name}' for name in ('r0', 'r1') if self.interface(name) and self.programs(name)}
        found |= {os.path.join(top, name) for top, _, names in os.walk(f'{BPFFS}/penstock') for name in names}
        found |= {f'{BPFFS}/penstock'} if os.path.exists(f'{BPFFS}/penstock') else set()
        if os.path.isdir(RUN):
            found |= {f'{RUN}/{name}' for name in os.listdir(RUN) if str(inode) in name or self.prefix in name}
        # an entry that was there before us keeps the number of who wrote it last, and is Linux's own again otherwise
        found |= {line for line in self.router('ip', 'neigh', 'show', 'nud', 'all').stdout.splitlines()
                  if 'managed' in line}
        return found

    def pins(self):
        """Paths below the directory of penstock's pins: files and, with a slash at the end, empty directories."""
        found, top = set(), f'{BPFFS}/penstock'
        for where, folders, names in os.walk(top):
            found |= {os.path.relpath(os.path.join(where, name), top) for name in names}
            found |= set() if folders or names else {os.path.relpath(where, top) + '/'}
        return found

    def interface(self, name):
        return self.router('ip', 'link', 'show', 'dev', name, check=False).returncode == 0

    def remove(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
        for daemon in list(self.daemons):
            print(f'--- log of pid {daemon.pid}:\n{daemon.text()}', file=sys.stderr)
            daemon.process.kill()
            daemon.end()
        for name in (self.s, self.r, self.d):
            shell('ip', 'netns', 'delete', name, check=False)
        for path in glob.glob(f'/tmp/{self.prefix}*.*'):
            os.unlink(path)
        self.sweep()

    def sweep(self):
        """Files of daemons that were killed by a test that failed."""
        if not os.path.isdir(RUN):
            return
        pids = {str(pid) for pid in os.listdir('/proc') if pid.isdigit()}
        for name in os.listdir(RUN):
            path = f'{RUN}/{name}'
            if self.prefix in name and os.path.isfile(path):
                os.unlink(path)
            elif name.startswith('net-') and name.endswith('.lock'):
                with open(path) as lock:
                    words = lock.read().split()
                if len(words) == 2 and words[0] not in pids:
                    for each in (path, f'{RUN}/{words[1]}.sock', f'{RUN}/{words[1]}.lock'):
                        if os.path.exists(each):
                            os.unlink(each)


class Stream:
    """Numbered datagrams from S to D at a steady rate, counted at the far end."""

    def __init__(self, bed, address, port=5001, rate=1000):
        self.receiver = bed.spawn(bed.d, sys.executable, '-B', f'{HERE}/stream.py', 'receive', address, str(port))
        assert self.receiver.stdout.readline() == 'ready\n'
        self.sender = bed.spawn(bed.s, sys.executable, '-B', f'{HERE}/stream.py', 'send', address, str(port), str(rate))
        assert self.sender.stdout.readline() == 'ready\n'

    def end(self):
        """Stops both; returns {'sent': n, 'received': n, 'lost': n, 'twice': n}."""
        self.sender.send_signal(signal.SIGTERM)
        sent = json.loads(self.sender.communicate(timeout=WAIT_S)[0])
        time.sleep(0.3)  # what is under way arrives
        self.receiver.send_signal(signal.SIGTERM)
        result = json.loads(self.receiver.communicate(timeout=WAIT_S)[0]) | sent
        result['lost'] = result['sent'] - result['received']
        return result
