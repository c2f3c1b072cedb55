#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""dpdk_modes.py PENSTOCK: ports in the hands of DPDK go from mode dpdk to kernel and back under traffic of both families, one
and both: no packet is lost. With PENSTOCK_TEST_SCALE=50 a million packets during each change."""
import sys
import time

from bed import Stream, scaled, until
from dpdk_bed import DpdkBed, DpdkDaemon

PACKETS = scaled(20000, 1000000)
RATE = 3000  # of each family; the rings of the devices hold more than a second of that

bed = DpdkBed(sys.argv[1])
before = bed.traces()
daemon = DpdkDaemon(bed)
for address in ('10.2.0.2', 'fd02::2'):
    until(lambda: bed.ping(bed.s, address, 1), f'ping {address}')


def switch(ports, mode):
    for port in ports:
        done = bed.command('mode', port, mode)
        assert done.returncode == 0 and done.stdout.startswith(f'{port}: {mode} ('), done
        assert daemon.port(port)['mode'] == mode, daemon.port(port)


def series(ports):
    """There and back until each way has had its packets; returns (changes, packets)."""
    streams = [Stream(bed, '10.2.0.2', 5001, RATE), Stream(bed, 'fd02::2', 5003, RATE)]
    full = bed.overflows()
    end, times = time.monotonic() + 2 * PACKETS / (2 * RATE), 0
    while time.monotonic() < end:
        carried = daemon.port('dp0')['forwarded']
        for mode in ('kernel', 'dpdk'):
            switch(ports, mode)
            times += 1
            time.sleep(0.1)
        until(lambda: daemon.port('dp0')['forwarded'] > carried, 'by the program, in between')
    results = [stream.end() for stream in streams]
    lost = sum(result['lost'] for result in results) - (bed.overflows() - full)
    assert lost == 0 and all(result['twice'] == 0 for result in results), (ports, results, full, bed.overflows())
    return times, sum(result['sent'] for result in results)


for ports in (('dp0',), ('dp1',), ('dp0', 'dp1')):
    times, packets = series(ports)
    print(f"{' and '.join(ports)} from dpdk to kernel and back: {times} changes, {packets} packets, none lost but {bed.overflows()} for which there was no CPU", flush=True)
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
