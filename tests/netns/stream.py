#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""stream.py send ADDRESS PORT RATE | receive ADDRESS PORT: numbered datagrams; counts on stdout at SIGTERM."""
import json
import signal
import socket
import sys
import time


BURST = 50  # a veth holds 256 frames
ended = False


def end(*_):
    global ended
    ended = True


def open_socket(address):
    return socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)


def send(address, port, rate):
    sock = open_socket(address)
    sock.connect((address, port))
    print('ready', flush=True)
    sent, start = 0, time.monotonic()
    while not ended:
        due = int((time.monotonic() - start) * rate)
        if due > sent + BURST:  # we stood still: that is not made up for
            start += (due - sent - BURST) / rate
            due = sent + BURST
        while sent < due:
            sock.send(sent.to_bytes(8, 'big') + bytes(56))
            sent += 1
        time.sleep(0.5 / rate)
    print(json.dumps({'sent': sent}))


def receive(address, port):
    sock = open_socket(address)
    sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE: a slow machine must not look like loss
    sock.bind((address, port))
    sock.settimeout(0.1)
    print('ready', flush=True)
    seen, received = set(), 0
    while True:
        try:
            seen.add(int.from_bytes(sock.recv(2048)[:8], 'big'))
            received += 1
        except TimeoutError:
            if ended:  # and all that came was counted: we may be slower than the sender
                break
    print(json.dumps({'received': len(seen), 'twice': received - len(seen)}))


signal.signal(signal.SIGTERM, end)
if sys.argv[1] == 'send':
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    receive(sys.argv[2], int(sys.argv[3]))
