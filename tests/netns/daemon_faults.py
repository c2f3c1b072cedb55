#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_faults.py PENSTOCK REFUSE.so: the kernel refuses a step of a change of mode, or of a take-over: the step and the
reason are named, what was before goes on or Linux forwards until it can, and no packet is lost."""
import os
import signal
import sys
import time

from bed import Bed, Daemon, Stream, until

MAP_UPDATE, PROG_LOAD, OBJ_PIN, LINK_CREATE, LINK_UPDATE = 2, 5, 6, 28, 29
STEPS = {  # of attaching -> what is said
    PROG_LOAD: 'the kernel does not load the program: Cannot allocate memory',
    LINK_CREATE: 'the kernel refuses {} XDP: Cannot allocate memory',
    OBJ_PIN: 'cannot pin the link in',
}
PORTS = ('r0', 'r1')

bed = Bed(sys.argv[1])
fault = f'/tmp/{bed.prefix}.fault'
wrap = [*bed.inside(bed.r), 'env', f'LD_PRELOAD={os.path.abspath(sys.argv[2])}', f'REFUSE_BPF={fault}']
before = bed.traces()


def refuse(command, times=0):
    with open(f'{fault}.new', 'w') as out:
        out.write(f'{command} {times}\n')
    os.rename(f'{fault}.new', fault)


def mend():
    if os.path.exists(fault):
        os.unlink(fault)


class Patient(Daemon):
    def until_forwarding(self):
        """Not all ports will run."""


def forwards(daemon, mode):
    return daemon.forwards() and all(daemon.port(name)['mode'] == mode for name in PORTS) and bed.programs('r0')


def failing_switches(daemon):
    for command, text in STEPS.items():
        # Once: back in the mode before at once.
        refuse(command, 2 if command == PROG_LOAD else 1)  # libbpf loads again, for the words of the verifier
        status, line = bed.refused('mode', 'r0', 'generic')
        assert status == 1 and text.format('generic') in line, (command, line)
        assert not os.path.exists(fault), 'it was refused'
        assert forwards(daemon, 'native'), daemon.port('r0')
        assert 'r0: stays in mode native; it was asked to be generic' in daemon.text(), daemon.text()
        # As long as it lasts: Linux forwards, and says why.
        refuse(command)
        status, line = bed.refused('mode', 'r0', 'generic')
        assert status == 1 and text.format('generic') in line, (command, line)
        port = daemon.port('r0')
        assert port['state'] == 'kernel' and text.format('generic') in port['why'], port
        assert daemon.port('r1')['state'] == 'running'
        mend()
        # Nobody need ask; but that takes its time.
        assert command == OBJ_PIN or bed.command('reload').returncode == 0
        until(lambda: forwards(daemon, 'native'), 'native again')
        print(f'ok    {text.format("generic")}', flush=True)


def failing_egress(daemon):
    """It runs in the new mode, but nobody may send to it yet."""
    refuse(MAP_UPDATE)
    assert bed.command('mode', 'r1', 'generic').returncode == 0
    until(lambda: 'r1: packets that would leave here go to the kernel: the kernel does not take it' in daemon.text(), 'the warning')
    egress = daemon.port('r1')['egress']
    assert not egress['possible'] and 'does not take it as an egress: Cannot allocate memory' in egress['reason'], egress
    time.sleep(2.5)  # and some reviews
    assert daemon.text().count('does not take it as an egress') == 1, daemon.text()
    mend()
    until(lambda: daemon.port('r1')['egress']['possible'], 'it takes frames')
    assert bed.command('mode', 'r1', 'native').returncode == 0
    until(lambda: forwards(daemon, 'native'), 'native again')
    print('ok    the kernel does not take it as an egress', flush=True)


def failing_takeovers(daemon):
    """The one before is dead: its program goes on as long as it may."""
    for command in (LINK_UPDATE, OBJ_PIN, PROG_LOAD):
        was = [bed.programs(name) for name in PORTS]
        daemon.end(signal.SIGKILL)
        refuse(command)
        daemon = Patient(bed, *PORTS, wrap=wrap)
        if command == PROG_LOAD:
            until(lambda: all((port := daemon.port(name)) and port['state'] == 'kernel' for name in PORTS), 'Linux forwards')
            assert STEPS[command] in daemon.port('r1')['why'], daemon.port('r1')
            mend()
            assert bed.command('reload').returncode == 0
        until(lambda: forwards(daemon, 'native'), 'forwarding')
        mend()
        assert not {bed.programs(name) for name in PORTS} & set(was)
        until(lambda: len([pin for pin in bed.pins() if '/links/' in pin]) == 2, f'two links: {bed.pins()}')
        print(f'ok    a take-over beside refused bpf command {command}', flush=True)
    return daemon


try:
    daemon = Daemon(bed, *PORTS, wrap=wrap)
    until(lambda: bed.ping(bed.s, '10.2.0.2'), 'ping')
    stream = Stream(bed, '10.2.0.2', rate=2000)
    failing_switches(daemon)
    failing_egress(daemon)
    daemon = failing_takeovers(daemon)
    result = stream.end()
    assert result['lost'] == 0 and result['twice'] == 0, result
    print(f"{result['sent']} packets beside all that, none lost")
    assert daemon.end() == 0
finally:
    mend()
assert bed.traces() == before, bed.traces() - before
