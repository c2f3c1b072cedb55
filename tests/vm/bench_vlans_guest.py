#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_vlans_guest.py PENSTOCK: `penstock bench modes` with tags, in a guest whose kernel has VLANs. Its own sink finds
every packet right, tag and all, or the bench fails; here is looked whether it tells the truth: frames that leave the
router are caught, and the program of penstock, not Linux, is what forwards where the bench says so."""
import json
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'netns'))
from wire import ETH_P_ALL, PACKET_OUTGOING, Q, namespace, tags_of  # noqa: E402

PENSTOCK = sys.argv[1]
CAUGHT = 200
SOURCE, TTL = socket.inet_aton('198.51.100.2'), 63  # of the frames


def catch(name, frames):
    """IPv4 frames from the generator that leave by r0, which the kernel sends."""
    with namespace(name):
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # hears nothing until it is bound, nor r0.40, which has no tags
        tap.bind(('r0', ETH_P_ALL))
    with tap:
        tap.settimeout(0.3)
        try:
            while len(frames) < CAUGHT:
                data, address = tap.recvfrom(2048)
                if address[2] == PACKET_OUTGOING and SOURCE in data:
                    frames.append(data)
        except TimeoutError:
            pass


def status(name):
    """What penstock says of r0 while it runs there, or of the TAP that stands for r0."""
    asked = subprocess.run(['nsenter', f'--net=/run/netns/{name}', PENSTOCK, 'status', '-j'], capture_output=True, text=True,
                           check=False)
    try:
        return next((port for port in json.loads(asked.stdout)['ports'] if port['interface'] in ('r0', 'dp0')), None)
    except (ValueError, KeyError):
        return None


def run(*arguments, catches=False, late=False):
    """The figures; frames that the kernel sent by r0; by mode, the last that penstock said. `late`: nothing is wrong but packets
    that change places, where an emulated machine has no CPU for all who take turns at sockets."""
    bench = subprocess.Popen([PENSTOCK, 'bench', 'modes', '--quick', '--json', *arguments], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    router, frames, said = f'penstock-bench-{bench.pid}-R', [], {}
    while bench.poll() is None:
        time.sleep(0.3)
        try:
            if catches and len(frames) < CAUGHT:
                catch(router, frames)
            port = status(router)
        except OSError:  # not yet there, or gone
            continue
        if port and port['state'] == 'running':
            said[port['mode']] = port
    out, told = bench.communicate()
    if late and bench.returncode == 1:
        assert re.search(r': (\d+) packets arrived wrong or twice, or after later ones \(\1\)$', told, re.MULTILINE), told
    else:
        assert bench.returncode == 0, f'{arguments}: exit status {bench.returncode}\n{told}'
    assert not os.path.exists(f'/run/netns/{router}')
    return json.loads(out), frames, said


def check_rates(record, modes):
    for mode in modes:
        rates = [figure['median'] for figure in record['figures']
                 if f' {mode} ' in figure['name'] and figure['name'].removesuffix('-at-least').endswith(' most')]
        assert rates and min(rates) > 0, f'{mode}: {rates} of {[figure["name"] for figure in record["figures"]]}'


def check_forwards(said, mode):
    port = said[mode]
    punted = sum(punt['packets'] for punt in port['punts'])
    assert port['forwarded'] > 1000 and punted < port['forwarded'] / 100, f'{mode}: {port}'


def check_stick():
    modes = ('kernel', 'penstock', 'penstock-generic', 'penstock-afxdp')
    record, frames, said = run('--workload', 'stick', '--modes', ','.join(modes), catches=True)
    check_rates(record, modes)
    assert len(frames) == CAUGHT, f'{len(frames)} frames caught'
    for data in frames:
        assert tags_of(data) == [(Q, 40)] and data[16:18] == b'\x08\x00' and data[26] == TTL, data.hex()
        assert len(data) == 64, data.hex()
    for mode in ('native', 'generic', 'afxdp'):
        check_forwards(said, mode)
    print('ok    on a stick', flush=True)


def check_mix():
    """By VLANs and without a tag in, by another port without a tag out, both families; by AF_XDP, and by live frames."""
    arguments = ('--vlans', '0,10,20', '--family', 'mix', '--size', 'imix')
    record, _, _ = run(*arguments, '--generator', 'live', '--modes', 'kernel')
    check_rates(record, ('kernel',))
    record, _, said = run(*arguments, '--modes', 'kernel,penstock')
    check_rates(record, ('kernel', 'penstock'))
    assert record['scenes'][0]['name'] == 'modes IPv4+6 2-routes vlans-0,10,20 imix', record['scenes']
    check_forwards(said, 'native')
    print('ok    a mix of VLANs', flush=True)


def check_pktgen():
    """The kernel's module, with a device of its own for each VLAN, whose frames the sink tells apart."""
    for vlans, scene in (('10,0,20', 'vlans-10,0,20'), ('10,20:40', 'vlans-10,20:40')):
        record, _, said = run('--vlans', vlans, '--generator', 'pktgen', '--modes', 'kernel,penstock')
        check_rates(record, ('kernel', 'penstock'))
        assert record['scenes'][0]['name'] == f'modes IPv4 1-routes {scene} 64-bytes', record['scenes']
        check_forwards(said, 'native')
    print('ok    pktgen', flush=True)


def check_dpdk():
    """VLANs over the TAPs that stand for DPDK's devices."""
    modes = ('penstock-dpdk', 'penstock-dpdk-afxdp')
    subprocess.run(['modprobe', 'tun'], check=True)
    for arguments in (('--workload', 'stick'), ('--vlans', '0,10,20', '--family', 'mix')):
        record, _, said = run(*arguments, '--modes', ','.join(modes), late=True)
        if 'built without DPDK' in record['scenes'][0]['not_measured'].get(modes[0], ''):
            print('skipped: built without DPDK', flush=True)
            return
        check_rates(record, modes)
        check_forwards(said, 'dpdk')
    print('ok    DPDK', flush=True)


check_stick()
check_mix()
check_pktgen()
check_dpdk()
