# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Frames of numbered UDP datagrams, and packet sockets that send and receive them, tags and all.

A flow is (family, source, destination); what a router makes of a frame is computed here anew, not by changing bytes.
"""
import contextlib
import ctypes
import errno
import ipaddress
import socket
import struct
import time

MAGIC = b'penstock'
Q, AD = 0x8100, 0x88A8  # 802.1Q, 802.1ad
ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 1 << 4, 1 << 6
SO_RCVBUFFORCE = 33
CLONE_NEWNET = 0x40000000
BURST = 32  # frames sent before some are read

libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def namespace(name):
    """Runs what is inside in another network namespace."""
    with open('/proc/self/ns/net') as home, open(f'/run/netns/{name}') as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), f'setns {name}')
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def mac(text):
    return bytes.fromhex(text.replace(':', ''))


def ones_sum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def packet(source, destination, ttl, label, number):
    """An IP packet with UDP; the label and the number stand in the payload, the number is the source port too."""
    here, there = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    payload = MAGIC + struct.pack('!HI', label, number) + b'.'
    payload += bytes(len(payload) % 2)
    length = 8 + len(payload)
    udp = struct.pack('!HHH', 1024 + number, 4242, length)
    pseudo = here.packed + there.packed + struct.pack('!HH', 17, length)
    checksum = ~ones_sum(pseudo + udp + b'\0\0' + payload) & 0xFFFF
    udp += struct.pack('!H', checksum or 0xFFFF) + payload
    if here.version == 6:
        return struct.pack('!IHBB', 6 << 28, length, 17, ttl) + here.packed + there.packed + udp
    front = struct.pack('!BBHHHBB', 0x45, 0, 20 + length, number, 0, ttl, 17)
    addresses = here.packed + there.packed
    return front + struct.pack('!H', ~ones_sum(front + addresses) & 0xFFFF) + addresses + udp


def frame(to, source, tags, content):
    """tags: (TPID, TCI) each, outermost first."""
    ethertype = 0x0800 if content[0] >> 4 == 4 else 0x86DD
    between = b''.join(struct.pack('!HH', *tag) for tag in tags)
    return (mac(to) + mac(source) + between + struct.pack('!H', ethertype) + content).ljust(60, b'\0')


def tags_of(data):
    tags, at = [], 12
    while struct.unpack_from('!H', data, at)[0] in (Q, AD):
        tags.append(struct.unpack_from('!HH', data, at))
        at += 4
    return tags


def mark_of(data):
    """(label, number) of a frame of ours, or None; ICMP errors that quote one are not."""
    ip = data[14 + 4 * len(tags_of(data)):]
    protocol, payload = (9, 28) if ip[0] >> 4 == 4 else (6, 48)
    if ip[protocol] != socket.IPPROTO_UDP or ip[payload:payload + len(MAGIC)] != MAGIC:
        return None
    return struct.unpack_from('!HI', ip, payload + len(MAGIC))


class Wire:
    """One end of a cable."""

    def __init__(self, name, device):
        self.device = device
        with namespace(name):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # hears no other device before it is bound
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        self.socket.bind((device, ETH_P_ALL))
        self.socket.setblocking(False)

    def send(self, data):
        """Waits while the device has no room."""
        while True:
            try:
                self.socket.send(data)
                return
            except OSError as error:
                if error.errno not in (errno.ENOBUFS, errno.EAGAIN):
                    raise
                time.sleep(0.01)

    def receive(self):
        """The next frame of ours that came in, its tag back in its place; None: there is none."""
        while True:
            try:
                data, extra, _, address = self.socket.recvmsg(65536, 256)
            except BlockingIOError:
                return None
            if address[2] == PACKET_OUTGOING or not mark_of(data):
                continue
            for level, kind, value in extra:
                if (level, kind) != (SOL_PACKET, PACKET_AUXDATA):
                    continue
                status, _, _, _, _, tci, tpid = struct.unpack('IIIHHHH', value[:20])
                if status & TP_STATUS_VLAN_VALID:
                    tpid = tpid if status & TP_STATUS_VLAN_TPID_VALID else Q
                    data = data[:12] + struct.pack('!HH', tpid, tci) + data[12:]
            return data

    def drain(self):
        frames = []
        while (data := self.receive()) is not None:
            frames.append(data)
        return frames


def exchange(wires, sender, frames, expected, patience=5.0, linger=0.1):
    """Sends frames into a wire and returns what comes out of each one, {device: [frame]}: waits until as many as
    expected have come, and then for what should not."""
    for wire in wires:
        wire.drain()
    result = {wire.device: [] for wire in wires}

    def read():
        for wire in wires:
            result[wire.device] += wire.drain()
        return sum(len(frames) for frames in result.values())

    for at in range(0, len(frames), BURST):
        for data in frames[at:at + BURST]:
            sender.send(data)
        read()
    end = time.monotonic() + patience
    while read() < expected and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(linger)
    read()
    return result
