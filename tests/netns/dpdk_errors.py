#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""dpdk_errors.py PENSTOCK: what DPDK refuses ends the daemon with one line that names the object and the fix, and nothing
is left behind: no interface, file or socket."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile

from bed import shell
from dpdk_bed import DEVICES, DpdkBed, DpdkDaemon

HOLD_TAP = '''
import fcntl, struct, sys
tun = open('/dev/net/tun', 'r+b', buffering=0)
fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH22x', b'dp0', 0x1002))  # TUNSETIFF; IFF_TAP, IFF_NO_PI
print('held', flush=True)
sys.stdin.read()
'''
HUGE_PAGES = '/sys/kernel/mm/hugepages'

bed = DpdkBed(sys.argv[1])
before = bed.traces()
directory = tempfile.mkdtemp(prefix=bed.prefix)
checked = 0


def expect(parts, *arguments, config=None, status=1, penstock=None, without=None):
    """Refused with a last line that has all parts; before it, only a warning that huge pages are missing is allowed."""
    global checked
    words = list(arguments)
    if config:
        path = f'{directory}/c.yaml'
        with open(path, 'w') as out:
            out.write(config)
        words = ['-c', path, *words]
    rights = ['setpriv', f'--bounding-set=-{without}', f'--inh-caps=-{without}'] if without else []
    result = shell(*bed.inside(bed.r, *rights, penstock or bed.penstock, 'run', '--log-level', 'warning', *words), check=False)
    lines = [line for line in result.stderr.splitlines() if 'huge pages are free' not in line]
    assert result.returncode == status, f'{words}: exit status {result.returncode}: {result.stderr}'
    assert result.stdout == '' and len(lines) == 1, f'{words}: {result.stdout}{result.stderr}'
    for part in parts:
        assert part in lines[0], f'{words}: "{lines[0]}" does not say "{part}"'
    assert bed.traces() == before, f'{words}: left {bed.traces() - before}'
    checked += 1


def without_huge_pages():
    """One line says what is missing and how to get it, and it works nonetheless."""
    shell('mount', '-t', 'tmpfs', 'tmpfs', HUGE_PAGES)
    daemon = DpdkDaemon(bed, devices=['dpdk:net_null0,no-rx=1'])
    said = [line for line in daemon.text().splitlines() if 'warning' in line]
    assert len(said) == 1 and '0 MiB of huge pages are free' in said[0] and 'sysctl -w vm.nr_hugepages=' in said[0], said
    assert 'ordinary pages' in daemon.port('dp0')['how'], daemon.port('dp0')
    assert daemon.end() == 0
    # Buffers of 2.3 KiB lie close together, not each in a page of its own (80 MiB): those share few sets of a cache.
    with open(f'{directory}/close.yaml', 'w') as out:
        out.write('dpdk: { memory: 64, buffers: 20000 }\n')
    daemon = DpdkDaemon(bed, '-c', f'{directory}/close.yaml', devices=['dpdk:net_null0,no-rx=1'])
    assert '20000 buffers in ordinary pages' in daemon.text(), daemon.text()
    assert daemon.end() == 0
    assert bed.traces() == before, f'left {bed.traces() - before}'
    shell('umount', HUGE_PAGES)


def card_of_the_kernel():
    """A PCI device that a driver of the kernel has; None: there is none here."""
    top = '/sys/bus/pci/devices'
    for name in sorted(os.listdir(top)) if os.path.isdir(top) else []:
        driver = f'{top}/{name}/driver'
        if os.path.exists(driver) and os.path.basename(os.readlink(driver)) not in ('vfio-pci', 'uio_pci_generic', 'igb_uio'):
            return name
    return None


try:
    # Devices.
    expect(['dpdk:0000:fe:1f.0', 'no such device', 'lspci'], 'dpdk:0000:fe:1f.0')
    card = card_of_the_kernel()
    if card:
        expect([card, 'bound to', 'dpdk-devbind.py -b vfio-pci'], f'dpdk:{card}')
    expect(['net_nothing0', 'does not make'], 'dpdk:net_nothing0')
    expect(['iface=nosuch', 'No such device'], 'dpdk:net_af_packet0,iface=nosuch')
    expect(['net_null0,bogus=1', 'does not make'], 'dpdk:net_null0,bogus=1')
    expect(['/nosuch.pcap', 'No such file'], 'dpdk:net_pcap0,rx_pcap=/nosuch.pcap')
    # The second device fails: the first goes, too.
    expect(['net_nothing0'], 'dpdk:net_null0', 'dpdk:net_nothing0')
    expect(["'dpdk:' is no device"], 'dpdk:', status=2)
    expect(["'dpdk:net_null0'", 'twice'], 'dpdk:net_null0', 'dpdk:net_null0', status=2)
    with open(f'{directory}/text.pcap', 'w') as out:
        out.write('no capture, though it has some length\n')
    expect(['text.pcap', 'unknown file format'], f'dpdk:net_pcap0,rx_pcap={directory}/text.pcap')
    with open(f'{directory}/empty.pcap', 'w') as out:
        pass
    expect(['empty.pcap', 'truncated'], f'dpdk:net_pcap0,rx_pcap={directory}/empty.pcap')

    # Sockets and interfaces of others, who keep them.
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(f'{directory}/other.sock')
        other.listen()
        expect(['net_vhost0', 'other.sock', 'somebody listens'], f'dpdk:net_vhost0,iface={directory}/other.sock')
        assert os.path.exists(f'{directory}/other.sock')
    expect(['net_vhost0', 'no socket'], f'dpdk:net_vhost0,iface={directory}/text.pcap')
    assert os.path.exists(f'{directory}/text.pcap')
    expect(['nosuch.sock', 'No such file'], f'dpdk:net_virtio_user0,path={directory}/nosuch.sock')
    holder = subprocess.Popen(bed.inside(bed.r, sys.executable, '-c', HOLD_TAP), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
    bed.children.append(holder)
    assert holder.stdout.readline() == 'held\n'
    left = before
    before = bed.traces()
    expect(['dp0', 'in use', 'another name'], 'dpdk:net_null0')
    holder.communicate()
    before = left

    # Names of interfaces.
    expect(['r0', 'no TAP'], 'r0=dpdk:net_null0')
    expect(["'r/0=", 'not the name'], 'r/0=dpdk:net_null0', status=2)

    # Settings.
    expect(["dpdk.lcores is '4000'", 'allowed'], 'dpdk:net_null0', config='dpdk: { lcores: "4000" }\n')
    expect(["dpdk.lcores is '0,0'", 'allowed'], 'dpdk:net_null0', config='dpdk: { lcores: "0,0" }\n')
    expect(['DPDK does not start', 'dpdk.eal'], 'dpdk:net_null0', config='dpdk: { eal: --no-such-word }\n')
    expect(['buffers', 'do not fit', 'dpdk.memory'], 'dpdk:net_null0', config='dpdk: { buffers: 10000000 }\n')
    expect(['net_af_packet0', 'MTU 9000', 'to 1500', 'dpdk.mtu'], 'dpdk:net_af_packet0,iface=r0', config='dpdk: { mtu: 9000 }\n')
    expect(["'mode'", 'allowed: auto, dpdk, kernel'], status=2,
           config='ports: [ { interface: a, device: "dpdk:net_null0", mode: native } ]\n')

    # The plugin: missing, of another build.
    # Rights that a driver asks for.
    for name in ('net_raw', 'ipc_lock'):
        expect(['net_af_packet0', f'CAP_{name.upper()} is missing; run as root'], DEVICES[0], without=name)
    expect(['CAP_NET_ADMIN is missing; run as root'], DEVICES[0], without='net_admin')

    copy = f'{directory}/penstock'
    shutil.copy(bed.penstock, copy)
    expect(['built without DPDK', 'apt install libdpdk-dev'], 'dpdk:net_null0', penstock=copy)
    with open(f'{directory}/penstock-dpdk.so', 'w') as out:
        out.write('no library\n')
    expect(['cannot load the DPDK plugin', 'penstock-dpdk.so'], 'dpdk:net_null0', penstock=copy)
    without_huge_pages()
finally:
    shutil.rmtree(directory)
print(f'{checked} refusals: one line each, nothing left behind; without huge pages it says so and works')
