#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""witness.py INTERFACE ADDRESS...: looks at what stream.py sends to these addresses as it comes in by an interface,
whoever it is for. At SIGTERM one line of JSON on stdout: for each address how many different datagrams came, how many of
them again, and how many for each link address."""
import collections
import json
import signal
import socket
import sys

SO_RCVBUFFORCE = 33
ended = False


def end(*_):
    global ended
    ended = True


def destination(frame):
    """(address, place of the UDP header), or None."""
    if frame[12:14] == b'\x08\x00' and frame[23] == socket.IPPROTO_UDP:
        return socket.inet_ntop(socket.AF_INET, frame[30:34]), 34
    if frame[12:14] == b'\x86\xdd' and frame[20] == socket.IPPROTO_UDP:
        return socket.inet_ntop(socket.AF_INET6, frame[38:54]), 54
    return None


signal.signal(signal.SIGTERM, end)
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
sock.bind((sys.argv[1], 3))
sock.settimeout(0.1)
seen = {address: set() for address in sys.argv[2:]}
macs = {address: collections.Counter() for address in sys.argv[2:]}
again = collections.Counter()
print('ready', flush=True)
while True:
    try:
        frame, place = sock.recvfrom(2048)
    except TimeoutError:
        if ended:  # and all that came was looked at
            break
        continue
    what = destination(frame) if place[2] != socket.PACKET_OUTGOING else None
    if not what or what[0] not in seen:
        continue
    number = frame[what[1] + 8:what[1] + 16]
    again[what[0]] += number in seen[what[0]]
    seen[what[0]].add(number)
    macs[what[0]][frame[:6].hex(':')] += 1
print(json.dumps({address: {'received': len(seen[address]), 'twice': again[address], 'macs': macs[address]}
                  for address in seen}))
