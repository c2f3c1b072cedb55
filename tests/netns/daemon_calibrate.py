#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_calibrate.py PENSTOCK: with `calibrate: yes` what was measured decides between modes that are close, and says so; it
is measured once for a box and a kernel, in namespaces that go again; without it nothing is measured."""
import json
import os
import sys

from bed import RUN, Bed, Daemon, Stream, shell, until

bed = Bed(sys.argv[1])
os.makedirs(RUN, exist_ok=True)
shell('mount', '-t', 'tmpfs', 'tmpfs', RUN)  # what is kept there is this test's own
CACHE = f'{RUN}/calibration.json'
MODES = ('native', 'generic', 'afxdp', 'afxdp-generic')
config = f'/tmp/{bed.prefix}.yaml'
before = bed.traces()


def abandoned():
    """Namespaces of benches that have ended."""
    return {name for name in os.listdir('/run/netns') if name.startswith('penstock-bench-') and
            not os.path.exists(f"/proc/{name.split('-')[2]}")}


def configure(text):
    with open(config, 'w') as out:
        out.write(text)


def figures():
    with open(CACHE) as cache:
        return json.load(cache)


def keep(**rates):
    """As if that had been measured."""
    with open(CACHE, 'w') as out:
        json.dump(figures_once | {mode: 0 for mode in MODES} | {mode.replace('_', '-'): rate for mode, rate in rates.items()}, out)


def decided(mode, *words):
    daemon = Daemon(bed, '-c', config, 'r0', 'r1')
    for name in ('r0', 'r1'):
        port = daemon.port(name)
        assert port['mode'] == mode and all(word in port['why'] for word in words), port['why']
    assert all(word in bed.command('status').stdout for word in words), bed.command('status').stdout
    return daemon


def forwards(daemon):
    until(lambda: bed.ping(bed.s, '10.2.0.2', 1), 'ping')
    stream = Stream(bed, '10.2.0.2')
    start = daemon.port('r0')['forwarded']
    until(lambda: daemon.port('r0')['forwarded'] - start > 500, 'packets by the program')
    result = stream.end()
    assert result['lost'] == 0, result


# Not asked for: nothing is measured.
configure('mode: auto\n')
daemon = decided('native', 'the best there is')
assert not os.path.exists(CACHE) and 'measured' not in daemon.port('r0')['why']
assert daemon.end() == 0
print('ok    not unless it is asked for')

# Measured, and the decision follows from the figures.
configure('calibrate: yes\n')
daemon = Daemon(bed, '-c', config, 'r0', 'r1')
figures_once = figures()
until(lambda: not abandoned(), 'the namespaces of the measurement are gone')
assert all(figures_once[mode] > 0 for mode in MODES), figures_once
assert figures_once['kernel'] == os.uname().release, figures_once
faster = figures_once['afxdp'] >= 1.2 * figures_once['native']
why = daemon.port('r0')['why']
assert daemon.port('r0')['mode'] == ('afxdp' if faster else 'native') and 'measured over veth here' in why, (why, figures_once)
assert f"{figures_once['native'] / 1e6:.3f}" in why and f"{figures_once['afxdp'] / 1e6:.3f}" in why, (why, figures_once)
forwards(daemon)
assert daemon.end() == 0
print(f'ok    measured: {figures_once}, so: {why}')

# Kept: what stands there decides, in both directions, with the rights that the mode needs.
keep(native=900000, generic=500000, afxdp=1200000, afxdp_generic=400000)
daemon = decided('afxdp', 'measured over veth here: 1.200 million packets a second, in mode native 0.900')
forwards(daemon)
assert daemon.end() == 0
keep(native=1000000, generic=500000, afxdp=1100000, afxdp_generic=400000)
daemon = decided('native', 'the best there is', 'measured over veth here: 1.000 million packets a second, in mode afxdp 1.100')
forwards(daemon)
assert daemon.end() == 0
print('ok    measured once, and it decides')

# Asked for by name: no figure changes that.
keep(native=900000, generic=500000, afxdp=1200000, afxdp_generic=400000)
configure('calibrate: yes\nmode: generic\n')
assert decided('generic', 'as configured').end() == 0

# Of another kernel, or no document: measured anew.
configure('calibrate: yes\n')
for text in (json.dumps(figures_once | {'kernel': '5.0.0', 'afxdp': 4000000000}), '{"kernel": "'):
    with open(CACHE, 'w') as out:
        out.write(text)
    daemon = Daemon(bed, '-c', config, 'r0', 'r1')
    assert figures()['kernel'] == os.uname().release and figures()['afxdp'] < 4000000000, figures()
    assert daemon.end() == 0
print('ok    what another kernel could, or half a file, does not count')

# Without a right that the measurement needs: said, and the order decides.
os.unlink(CACHE)
daemon = Daemon(bed, '-c', config, 'r0', 'r1', wrap=bed.inside(bed.r, 'setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'))
assert 'warning: calibrate: nothing could be measured; see: penstock bench calibrate' in daemon.text(), daemon.text()
assert daemon.port('r0')['mode'] == 'native' and not os.path.exists(CACHE), daemon.port('r0')
assert daemon.end() == 0
until(lambda: not abandoned(), 'its namespaces are gone')
done = bed.command('bench', 'calibrate', 'surplus')
assert done.returncode == 2 and done.stderr and not done.stdout, done
print('ok    what cannot be measured does not keep it from running')
os.unlink(config)
shell('umount', RUN)
assert bed.traces() == before, bed.traces() - before
