#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_errors.py PENSTOCK DROP.bpf.o: each refusal of the command is one line that names the object and the fix, has
the right exit status, and changes nothing."""
import os
import re
import subprocess
import sys
import tempfile

from bed import BPFFS, HERE, Bed, Daemon, shell

bed = Bed(sys.argv[1], bpffs=False)
drop = os.path.abspath(sys.argv[2])
before = bed.traces()
checked = 0


def expect(status, parts, *arguments):
    """The command refuses with this status, its line has all these parts, and no trace is left."""
    global checked
    got, line = bed.refused(*arguments)
    assert got == status, f'{arguments}: exit status {got}, not {status}: {line}'
    for part in parts:
        assert part in line, f'{arguments}: "{line}" does not say "{part}"'
    assert bed.traces() == before, f'{arguments}: left {bed.traces() - before}'
    checked += 1


def config(text):
    path = f'{directory}/c.yaml'
    with open(path, 'w') as out:
        out.write(text)
    os.chmod(path, 0o644)
    return path


# Words and options.
expect(2, ['command is missing'], '-j')
expect(2, ["'fly'", 'penstock help'], 'fly')
expect(2, ["'-x'"], 'status', '-x')
expect(2, ['show what?'], 'show')
expect(2, ["'stars'"], 'show', 'stars')
expect(2, ['lookup needs an address'], 'lookup')
expect(2, ["'form'"], 'lookup', '10.0.0.1', 'form', 'r0')
expect(2, ['-c'], 'run', '-c')
expect(2, ['--log-level', 'loud', 'debug'], 'run', '--log-level', 'loud', 'r0', 'r1')
expect(2, ["'a b'", 'letters'], 'run', '--name', 'a b', 'r0', 'r1')
expect(2, ["'a/b'"], 'run', 'a/b')

# Nobody to talk to.
expect(1, ['no penstock runs in this network namespace', 'penstock run'], 'status')
expect(1, ['no penstock answers', 'nobody-here'], 'status', '--name', 'nobody-here')

# The box.
found = shell('stat', '-f', '-c', '%T', '/proc/1/root/sys/fs/bpf', check=False)
machine_has_bpffs = found.returncode == 0 and 'bpf' in found.stdout
if machine_has_bpffs:
    print('not checked: a machine without a BPF file system; this one has it, and it is found from anywhere')
else:
    expect(1, ['no BPF file system', 'mount -t bpf bpf /sys/fs/bpf', 'nsenter'], 'run', 'r0', 'r1')
result = subprocess.run(bed.inside(bed.r, 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', bed.penstock, 'run',
                                   'r0', 'r1'), capture_output=True, text=True)
assert result.returncode == 1 and 'CAP_NET_ADMIN is missing; run as root' in result.stderr, result.stderr
assert bed.traces() == before
shell('mount', '-t', 'bpf', 'bpf', BPFFS)

# Ports.
expect(1, ['no port is named'], 'run')
expect(1, ['r9', 'no such interface', 'ip link'], 'run', 'r0', 'r9')
expect(1, ['r9', 'no such interface'], 'plan', 'r9')
bed.router('ip', 'link', 'set', 'dev', 'r1', 'xdp', 'obj', drop, 'sec', 'xdp')
program = bed.programs('r1')
before = bed.traces()
expect(1, ['r1', "'drop'", f'(id {program})', 'xdp off'], 'run', 'r0', 'r1')
assert bed.programs('r1') == program, 'the foreign program was touched'
bed.router('ip', 'link', 'set', 'dev', 'r1', 'xdp', 'off')
before = bed.traces()
bed.router('ip', 'link', 'add', 'br0', 'type', 'bridge')
bed.router('ip', 'link', 'set', 'r1', 'master', 'br0')

# The configuration.
with tempfile.TemporaryDirectory(prefix=bed.prefix) as directory:
    expect(2, ['c.yaml:2', "'fast'", 'netfilter'], 'run', '-c', config('name: x\nfast: 1\n'))
    expect(2, ['c.yaml:1', "'mode'", "'warp'", 'native'], 'run', '-c', config('mode: warp\n'))
    # What the README shows can be used; only its interfaces are not ours.
    with open(f'{HERE}/../../README.md') as readme:
        example = re.search('```yaml\n(.*?)```', readme.read(), re.DOTALL)[1]
    example = re.sub(r'bpffs: .*|  - interface: .*\n +device: .*', '', example)
    expect(1, ['eth0', 'no such interface'], 'run', '-c', config(example))
    expect(2, ['none.yaml', 'No such file'], 'run', '-c', f'{directory}/none.yaml')
    path = config('mode: auto\n')
    os.chmod(path, 0o666)
    expect(2, ['others can write'], 'run', '-c', path)
    expect(1, ['r1', 'bridge br0', 'native was asked for'], 'run', '-c',
           config('ports: [{interface: r0}, {interface: r1, mode: native}]\n'))
    bed.router('ip', 'link', 'set', 'r1', 'nomaster')
    expect(1, ['r0', 'offload was asked for', 'veth cannot run programs on the device'], 'run', 'r0', '-c',
           config('mode: offload\n'))
    expect(1, ["group 'no-such-group'", 'groupadd'], 'run', 'r0', 'r1', '-c',
           config('control: {group: no-such-group}\n'))
    expect(1, ['no BPF file system is mounted at /nowhere'], 'run', 'r0', 'r1', '-c', config('bpffs: /nowhere\n'))

# `ip netns exec` hides the BPF file system; the machine's is found in spite of that.
if machine_has_bpffs:
    daemon = Daemon(bed, 'r0', 'r1', wrap=['ip', 'netns', 'exec', bed.r])
    pins = daemon.status()['pins']
    assert pins.startswith('/proc/1/root/sys/fs/bpf/penstock/'), pins
    assert len(os.listdir(f'{pins}/links')) == 2
    assert daemon.end() == 0
    assert not os.path.exists(pins) and bed.traces() == before
print(f'{checked} refusals, each in one line, nothing changed')
