#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_lock.py PENSTOCK HOLD_LOCK: somebody holds the kernel's lock over network devices for as long as it takes. The daemon,
which looks at its ports every second, tends neighbours, asks the kernel for samples and dumps tables after a link went, does
all its other work meanwhile: it answers, and follows what the kernel tells without the lock."""
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import time

from bed import SKIPPED, Bed, Daemon, skip, until

SECONDS = 2.5  # of the lock: two looks at the ports at least begin in it
ANSWERS = 40   # that are wanted in that time
PATIENCE = 15  # s; the lock is given back after 20
MACS = ('02:00:00:00:aa:01', '02:00:00:00:aa:02')

bed = Bed(sys.argv[1])
before = bed.traces()


class Lock:
    """The kernel's, held while there is one of these."""

    def __enter__(self):
        self.process = subprocess.Popen([os.path.abspath(sys.argv[2]), 'lo'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != 'held\n':
            reason = self.process.stderr.read().strip()
            assert self.process.wait() == SKIPPED, reason
            skip(f'the lock cannot be held: {reason}')
        self.since = time.monotonic()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.stdout.readline() == 'released\n'
        assert self.process.wait() == 0

    def still_held(self):
        return self.process.poll() is None


class Api:
    """The daemon's, by one connection that was made before."""

    def __init__(self, path):
        self.connection = http.client.HTTPConnection('penstock')
        self.connection.sock = socket.socket(socket.AF_UNIX)
        self.connection.sock.connect(path)
        self.connection.sock.settimeout(PATIENCE)

    def ask(self, path, method='GET'):
        self.connection.request(method, path)
        return json.loads(self.connection.getresponse().read())


def announce(mac):
    """d0's address is at this MAC from now on, says an ARP request to the router. That takes no lock."""
    sender = bytes.fromhex(mac.replace(':', ''))
    address, router = socket.inet_aton('10.2.0.2'), socket.inet_aton('10.2.0.1')
    frame = (b'\xff' * 6 + sender + struct.pack('!HHHBBH', 0x0806, 1, 0x0800, 6, 4, 1) + sender + address + bytes(6) + router)
    script = ('import socket, sys\n'
              's = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n'
              's.bind(("d0", 0))\n'
              's.send(bytes.fromhex(sys.argv[1]))\n')
    subprocess.run(bed.inside(bed.d, sys.executable, '-c', script, frame.hex()), check=True)


def mac_of(api):
    found = [entry for entry in api.ask('/v1/neighbours')['neighbours'] if entry['address'] == '10.2.0.2']
    return found[0].get('mac') if found else None


def go_on(api, lock, what):
    """Many answers, the samples of every second and a change while the lock is held."""
    start, answers = api.ask('/v1/audit')['total']['samples'], 0
    mac = next(mac for mac in MACS if mac != mac_of(api))
    announce(mac)
    until(lambda: mac_of(api) == mac, f'{what}: the neighbour at its new address', PATIENCE)
    while time.monotonic() < lock.since + SECONDS or answers < ANSWERS:
        assert api.ask('/v1/status')['state'] == 'forwarding'
        answers += 1
        time.sleep(0.02)
    assert lock.still_held(), f'{what}: it all happened while the lock was held'
    print(f'{what}: {answers} answers, a neighbour followed, {api.ask("/v1/audit")["total"]["samples"] - start} samples drawn',
          flush=True)


daemon = Daemon(bed, 'r0', 'r1')
until(lambda: bed.ping(bed.s, '10.2.0.2'), 'ping')
api = Api(f"/run/penstock/{daemon.status()['name']}.sock")
with Lock() as lock:
    assert api.ask('/v1/audit?samples=1000', 'POST')['samples'] == 1000
    go_on(api, lock, 'samples, neighbours and ports')
until(lambda: not api.ask('/v1/audit')['running'], 'the samples are through')
audit = api.ask('/v1/audit')
assert audit['run']['samples'] == 1000 and audit['run']['differences'] == 0, audit

# A link that goes has next-hop objects and routes dumped again, soon after.
bed.router('ip', 'nexthop', 'add', 'id', '5', 'via', '10.1.0.2', 'dev', 'r0')
for number in range(3):
    bed.router('ip', 'route', 'add', f'10.9.{number}.0/24', 'nhid', '5')
resyncs = api.ask('/v1/status')['mirror']['resyncs']
bed.router('ip', 'link', 'set', 'r0', 'down')
with Lock() as lock:
    go_on(api, lock, 'a link that went')
until(lambda: (mirror := api.ask('/v1/status')['mirror'])['resyncs'] > resyncs and not mirror['resyncing'], 'dumped again')
bed.router('ip', 'link', 'set', 'r0', 'up')
bed.router('ip', '-6', 'address', 'add', 'fd01::1/64', 'dev', 'r0', 'nodad', check=False)
until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping again')
until(daemon.forwards, 'as before')
assert bed.command('audit').returncode == 0
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
