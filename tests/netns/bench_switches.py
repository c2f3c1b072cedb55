#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""`bench switches`: both ports of a router go from each mode to each other under traffic, and no packet is lost, comes twice or
comes wrong; where packets are lost, because they are too many, it says so. COMMAND is what takes "switches" as its next
argument. With PENSTOCK_TEST_SCALE=50 a million packets during each change."""
import itertools
import json
import os
import subprocess
import sys

from bed import scaled, skip

COMMAND = sys.argv[1:]
MODES = ('kernel', 'generic', 'native', 'afxdp')
PACKETS = scaled(20000, 1000000)


def switches(*arguments):
    """Returns (exit code, {(from, to): {figure: number}})."""
    done = subprocess.run([*COMMAND, 'switches', *arguments, '--json'], stdout=subprocess.PIPE, text=True)
    found = {}
    for figure in json.loads(done.stdout)['figures']:
        _, change, name = figure['name'].split()
        found.setdefault(tuple(change.split('-')), {})[name] = figure['median']
    return done.returncode, found


for arguments in (('--packets', '0'), ('--packets', '1x'), ('--rate', '0'), ('--routes', '0'), ('--modes', 'native'), ('--modes', 'native,warp'),
                  ('--modes', 'native,native'), ('--nonsense',), ('surplus',)):
    done = subprocess.run([*COMMAND, 'switches', *arguments], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr and not done.stdout, (arguments, done)
if os.geteuid() != 0:
    skip('needs root to make network namespaces')

status, found = switches('--packets', str(PACKETS), '--rate', '20000')
for change, figures in found.items():
    print(*change, figures, flush=True)
assert set(found) == set(itertools.permutations(MODES, 2)), set(found)
for change, figures in found.items():
    assert figures['lost'] == figures['twice'] == figures['wrong'] == 0, (change, figures)
    assert figures['times'] > 0 and figures['sent'] >= PACKETS, (change, figures)
assert status == 0, status
print(f"{sum(figures['times'] for figures in found.values()):.0f} changes, "
      f"{sum(figures['sent'] for figures in found.values()):.0f} packets, none lost", flush=True)

# More than the machine can forward: that is not hidden.
status, found = switches('--packets', '1', '--rate', '1000000')
assert any(figures['lost'] + figures['overflow'] for figures in found.values()), (status, found)
assert status == any(figures['lost'] for figures in found.values()), (status, found)
print('what is lost is counted')
