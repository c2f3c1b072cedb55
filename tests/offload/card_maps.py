# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The maps of a card, read back element by element through bpf(2), and the search that the program does in them.

What an array's element means is said in xdp/image.h and offload/target_nfp.h; this is written from there and shares no
code with the program or the host.
"""
import ctypes
import errno
import os
import struct

SYS_BPF = 321  # x86-64
LOOKUP, UPDATE, NEXT_MAP, MAP_BY_ID, INFO = 1, 2, 12, 14, 15
NAMES = ('node', 'run', 'control', 'vrf', 'interface', 'own', 'hop', 'vlan', 'bucket')
PUNT, FORWARD, GROUP, DROP = range(4)
NO_ROUTE, UNREACHABLE, PROHIBIT, TABLE_FULL, BLACKHOLE = 1, 2, 3, 17, 19  # numbers of reasons are never used again

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attribute):
    result = libc.syscall(SYS_BPF, command, attribute, len(attribute))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def map_info(fd):
    """(name, ifindex, size of a value, entries); fields as in struct bpf_map_info."""
    info = ctypes.create_string_buffer(128)
    bpf(INFO, ctypes.create_string_buffer(struct.pack('IIQ', fd, len(info), ctypes.addressof(info)), 128))
    _, _, _, value, entries, _ = struct.unpack_from('6I', info.raw)
    return info.raw[24:40].rstrip(b'\0').decode(), struct.unpack_from('I', info.raw, 40)[0], value, entries


def map_ids():
    number = 0
    while True:
        attribute = ctypes.create_string_buffer(struct.pack('I', number), 128)
        try:
            bpf(NEXT_MAP, attribute)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return
            raise
        number = struct.unpack_from('I', attribute.raw, 4)[0]
        yield number


def popcount(word):
    return bin(word).count('1')


def set_counters(device_index, values):
    """Writes {reason: (packets, bytes)} as if the card's program of a port had counted them."""
    for number in map_ids():
        fd = bpf(MAP_BY_ID, ctypes.create_string_buffer(struct.pack('I', number), 128))
        try:
            if map_info(fd)[:2] != ('counters', device_index):
                continue
            for reason, figures in values.items():
                key, value = ctypes.c_uint32(reason), ctypes.create_string_buffer(struct.pack('QQ', *figures), 16)
                bpf(UPDATE, ctypes.create_string_buffer(
                    struct.pack('QQQQ', fd, ctypes.addressof(key), ctypes.addressof(value), 0), 128))
        finally:
            os.close(fd)


class CardMaps:
    """The maps that are bound to a device. None of them is kept longer than this, so that it may go."""

    def __init__(self):
        self.fd, self.width, self.entries, self.read = {}, {}, {}, {}
        for number in map_ids():
            fd = bpf(MAP_BY_ID, ctypes.create_string_buffer(struct.pack('I', number), 128))
            name, ifindex, width, entries = map_info(fd)
            if not ifindex or name not in NAMES:
                os.close(fd)
                continue
            assert name not in self.fd, f'two maps {name} on devices'
            self.fd[name], self.width[name], self.entries[name] = fd, width, entries
        self.key = ctypes.c_uint32()
        self.value = ctypes.create_string_buffer(64)
        self.attribute = ctypes.create_string_buffer(128)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for fd in self.fd.values():
            os.close(fd)

    def whole(self):
        return set(self.fd) == set(NAMES)

    def element(self, name, index):
        """An element's bytes; None beyond the map."""
        if (name, index) not in self.read:
            self.key.value = index
            struct.pack_into('QQQQ', self.attribute, 0, self.fd[name], ctypes.addressof(self.key),
                             ctypes.addressof(self.value), 0)
            try:
                bpf(LOOKUP, self.attribute)
                self.read[name, index] = self.value.raw[:self.width[name]]
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise
                self.read[name, index] = None
        return self.read[name, index]

    def number(self, name, index):
        data = self.element(name, index)
        return None if data is None else int.from_bytes(data, 'little')

    def held(self):
        version, held = struct.unpack_from('II', self.element('control', 0))
        return version == 0 or held != 0

    def cell(self, index):
        """A cell of run[], of which an element holds two; beyond the map it is passed on."""
        pair = self.element('run', index >> 1)
        return TABLE_FULL if pair is None else struct.unpack('II', pair)[index & 1]

    def leaf(self, vrf, family, address):
        """The leaf for an address, an integer of 32 or 128 bits; family is 0 for IPv4, 1 for IPv6."""
        entry, fallback = struct.unpack('II', self.element('vrf', 2 * vrf + family))
        width, used = (32, 128)[family], 0
        while entry >> 31:
            kind, bits, chunk = entry >> 29 & 3, entry >> 24 & 31, entry & 0xffffff
            assert kind == 0, f'a node of kind {kind} on the card'
            assert used + bits <= width, 'a search beyond the address'
            slot = address >> (width - used - bits) & ((1 << bits) - 1)
            used += bits
            descriptor = self.number('node', chunk * 8 + (slot >> 5))
            if descriptor is None:
                return TABLE_FULL
            entry = self.cell((descriptor >> 32) + popcount(descriptor << (31 - (slot & 31)) & 0xffffffff))
        return entry or fallback

    def hop(self, number):
        """What a next hop means: ('forward', MAC, port, tags), ('reason', n), or ('group', {members})."""
        data = self.element('hop', number)
        mac0, mac1, _, port, _, kind, reason, _, tags, _ = struct.unpack_from('<QIHHHBBBBH', data)
        if kind == FORWARD:
            mac = struct.pack('<Q', mac0)[:6].hex(':')
            tag = tuple(struct.unpack_from('>I', data, 24 + 4 * i)[0] & 0xfff for i in range(tags))
            return 'forward', mac, port, tag
        if kind == GROUP:
            first, mask = struct.unpack_from('<II', data, 24)
            return 'group', frozenset(self.hop(self.number('bucket', first + i)) for i in range(mask + 1))
        return 'reason', reason
