#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""million_routes.py PENSTOCK: a million IPv4 routes in the kernel, then the daemon; `penstock lookup` must agree with
`ip route get` on 100,000 random addresses. ROUTES, ADDRESSES and SEED in the environment."""
import ctypes
import http.client
import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time

from bed import Bed, Daemon

ROUTES = int(os.environ.get('ROUTES', 1000000))
ADDRESSES = int(os.environ.get('ADDRESSES', 100000))
SEED = int(os.environ.get('SEED', 20260703))
GATEWAYS = 8
RTM_NEWROUTE, NLM_F_REQUEST, NLM_F_CREATE = 24, 1, 0x400
RTA_DST, RTA_GATEWAY = 1, 5
CLIB = ctypes.CDLL(None, use_errno=True)


def make_prefixes(rng):
    """Nested, mostly /24, in 1.0.0.0 to 9.255.255.255 and 11.0.0.0 to 126.255.255.255."""
    found = {}
    while len(found) < ROUTES:
        length = rng.choice((12, 14, 16, 18, 20, 21, 22, 22, 23, 23, 26, 32) + (24,) * 16)
        base = rng.randrange(1 << 24, 127 << 24) >> (32 - length) << (32 - length)
        if not base >> 24 == 10:
            found[(base, length)] = rng.randrange(GATEWAYS)
    return found


def route_message(base, length, gateway):
    body = struct.pack('BBBBBBBBI', socket.AF_INET, length, 0, 0, 254, 4, 0, 1, 0)
    body += struct.pack('=HH', 8, RTA_DST) + struct.pack('!I', base)
    body += struct.pack('=HH', 8, RTA_GATEWAY) + gateway
    return struct.pack('=IHHII', 16 + len(body), RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE, 0, 0) + body


def inside(path, work):
    """Runs a function in a thread that is in a network namespace."""
    results = []

    def run():
        with open(path) as namespace:
            if CLIB.setns(namespace.fileno(), 0x40000000) != 0:
                raise OSError('setns')
        results.append(work())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


def inject(prefixes, gateways):
    """Many messages to a datagram, no acknowledgements; only refusals come back."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        batch = []
        for number, ((base, length), gateway) in enumerate(prefixes.items(), 1):
            batch.append(route_message(base, length, gateways[gateway]))
            if len(batch) == 400 or number == len(prefixes):
                netlink.send(b''.join(batch))
                batch = []
        netlink.setblocking(False)
        try:
            refusal = netlink.recv(65536)
        except BlockingIOError:
            return None
        return struct.unpack_from('=i', refusal, 16)[0]


class Api:
    """`penstock lookup` without a process for each question: the request that the command sends."""

    def __init__(self, path):
        self.connection = http.client.HTTPConnection('penstock')
        self.connection.sock = socket.socket(socket.AF_UNIX)
        self.connection.sock.connect(path)

    def lookup(self, address):
        self.connection.request('GET', f'/v1/lookup?address={address}&from=r1')
        result = json.loads(self.connection.getresponse().read())
        return (result['via'], result['interface']) if result['action'] == 'forward' else None


def kernel_answers(bed, addresses):
    """What `ip route get` says for packets that come in by r1."""
    lines = ''.join(f'route get {address} from 10.2.0.2 iif r1\n' for address in addresses)
    result = subprocess.run(bed.inside(bed.r, 'ip', '-force', '-o', '-batch', '-'), input=lines, capture_output=True, text=True)
    answers = {}
    for line in result.stdout.splitlines():
        words = line.split()
        if 'via' in words:
            answers[words[0]] = (words[words.index('via') + 1], words[words.index('dev') + 1])
    return answers


def main():
    rng = random.Random(SEED)
    print(f'{ROUTES} routes, {ADDRESSES} addresses, seed {SEED}', flush=True)
    bed = Bed(sys.argv[1])
    gateways = [f'10.1.0.{i + 2}' for i in range(GATEWAYS)]
    for i, gateway in enumerate(gateways):
        bed.router('ip', 'neigh', 'replace', gateway, 'lladdr', f'02:00:00:00:01:{i:02x}', 'dev', 'r0')
    prefixes = make_prefixes(rng)
    begun = time.monotonic()
    error = inside(f'/run/netns/{bed.r}', lambda: inject(prefixes, [socket.inet_aton(gateway) for gateway in gateways]))
    assert error is None, f'the kernel refused a route: error {error}'
    print(f'in the kernel after {time.monotonic() - begun:.1f} s', flush=True)
    begun = time.monotonic()
    daemon = Daemon(bed, 'r0', 'r1')
    print(f'penstock forwards after {time.monotonic() - begun:.1f} s', flush=True)
    bases = list(prefixes)
    addresses = []
    for i in range(ADDRESSES):
        base, length = rng.choice(bases)
        value = base + rng.randrange(1 << (32 - length)) if i % 2 else rng.randrange(1 << 24, 127 << 24)
        addresses.append(socket.inet_ntoa(struct.pack('!I', value)))
    kernel = kernel_answers(bed, addresses)
    api = Api(f"/run/penstock/{daemon.status()['name']}.sock")
    wrong = forwarded = 0
    for address in addresses:
        ours = api.lookup(address)
        forwarded += ours is not None
        if ours != kernel.get(address):
            wrong += 1
            print(f'{address}: penstock {ours}, kernel {kernel.get(address)}')
    print(f'{len(addresses)} addresses asked, {forwarded} are forwarded, {wrong} differ')
    assert wrong == 0 and forwarded > ADDRESSES / 2
    assert daemon.end() == 0


main()
