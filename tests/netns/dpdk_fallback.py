#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""dpdk_fallback.py PENSTOCK REFUSE.so: the kernel refuses a step by which a port comes back to mode dpdk: what goes on is said,
with the step and the reason, Linux forwards meanwhile, and no packet is lost."""
import os
import sys

from bed import Stream, until
from dpdk_bed import DpdkBed, DpdkDaemon

MAP_UPDATE = 2

bed = DpdkBed(sys.argv[1])
before = bed.traces()
fault = f'/tmp/{bed.prefix}.fault'
daemon = DpdkDaemon(bed, wrap=[*bed.inside(bed.r), 'env', f'LD_PRELOAD={os.path.abspath(sys.argv[2])}', f'REFUSE_BPF={fault}'])
for address in ('10.2.0.2', 'fd02::2'):
    until(lambda: bed.ping(bed.s, address, 1), f'ping {address}')


def punts(name, reason):
    return sum(punt['packets'] for punt in daemon.port(name)['punts'] if punt['reason'] == reason)


full = bed.overflows()
streams = [Stream(bed, '10.2.0.2', 5001), Stream(bed, 'fd02::2', 5003)]
try:
    assert bed.command('mode', 'dp1', 'kernel').returncode == 0
    with open(fault, 'w') as out:
        out.write(f'{MAP_UPDATE} 0\n')
    assert bed.command('mode', 'dp1', 'dpdk').returncode == 0
    until(lambda: 'go to the kernel: the kernel does not take it as an egress: Cannot allocate memory' in daemon.text(), 'the warning')
    port = daemon.port('dp1')
    assert port['mode'] == 'dpdk' and not port['egress']['possible'], port
    start = punts('dp0', 'egress-unable')
    until(lambda: punts('dp0', 'egress-unable') - start > 500, 'packets for dp1 go to the kernel')
    os.unlink(fault)
    until(lambda: daemon.port('dp1')['egress']['possible'], 'mended, it takes packets')
    start = daemon.port('dp0')['forwarded']
    until(lambda: daemon.port('dp0')['forwarded'] - start > 500, 'and gets them')
finally:
    if os.path.exists(fault):
        os.unlink(fault)
results = [stream.end() for stream in streams]
lost = sum(result['lost'] for result in results) - (bed.overflows() - full)
assert lost == 0 and all(result['twice'] == 0 for result in results), (results, full, bed.overflows())
print(f"an egress that the kernel refuses: said, served by Linux, mended; {sum(result['sent'] for result in results)} packets, none lost")

# Modes that a device does not have change nothing.
for mode, words in (('native', "has no mode 'native'"), ('afxdp', "has no mode 'afxdp'")):
    status, line = bed.refused('mode', 'dp0', mode)
    assert status == 1 and words in line, line
    assert daemon.port('dp0')['mode'] == 'dpdk' and daemon.forwards()
print('what a device cannot be is refused')
assert daemon.end() == 0
assert bed.traces() == before, bed.traces() - before
