#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A very short `bench fib`: all structures agree on all addresses, also after updates, and nothing is left behind.

bench_fib.py COMMAND: the command that takes "fib" as its next argument.
"""
import ipaddress
import json
import os
import random
import signal
import subprocess
import sys
import tempfile

from bench_process import WAIT_S, namespaces, needs_root, run_tests, until

SEED = 20261130
COMMAND = sys.argv[1:]
STREAMS = {'uniform', 'zipf', 'repeated', 'sequential'}
SHORT = ('--rounds', '2', '--seconds', '0.0005')


def run(*arguments):
    """Runs a whole bench; returns its JSON."""
    process = subprocess.Popen(COMMAND + ['fib', '--json', *SHORT, *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    out, progress = process.communicate(timeout=250)
    assert process.returncode == 0, f'exit code {process.returncode}: {progress}'
    assert not namespaces(process.pid), f'left behind: {namespaces(process.pid)}'
    return json.loads(out)


def has_dpdk():
    text = subprocess.run(COMMAND + ['fib', '--help'], capture_output=True, text=True, check=True).stdout
    if 'rte_fib' in text:
        return True
    print('built without DPDK: its tables are not tried')
    return False


def check_lookups(subject, rounds):
    assert subject['lookups'], subject['name']
    for kind, streams in subject['lookups'].items():
        assert set(streams) == STREAMS, f"{subject['name']}, {kind}: {set(streams)}"
        for times in streams.values():
            ns = times['ns']
            assert len(times['rounds']) == rounds
            assert 0 < ns['low'] <= ns['median'] <= ns['high'], f"{subject['name']}: {times}"


def check_result(result, subjects, updates):
    assert [family['family'] for family in result['families']] == [4, 6]
    for family in result['families']:
        names = [subject['name'] for subject in family['subjects']]
        assert names == subjects[family['family']], names
        assert family['checked'] >= 1 << 19
        for subject in family['subjects']:
            check_lookups(subject, result['rounds'])
        for structure in family['structures']:
            assert structure['load_seconds'] > 0
            assert (structure.get('build_seconds', 0) > 0) == structure['name'].startswith('image')
            assert ('read_bytes' in structure) == (structure['name'] != 'kernel routes')
            # Small tables of DPDK lose count of their groups soon.
            if structure['gave_up']:
                assert structure['name'].startswith('rte_'), structure
                continue
            for kind in updates:
                cost = structure[kind]
                assert cost['count'] > 0 and 0 <= cost['mean_ns'] <= cost['max_ns'], f'{structure}'


def random_table(path, chance, count):
    """Nested prefixes of both families, longer than /24 and /48 too; returns them."""
    prefixes = set()
    while len(prefixes) < count:
        length = chance.randint(8, 32)
        address = 0x0b000000 | chance.getrandbits(24) & 0xff03ff
        prefixes.add(ipaddress.ip_network((address >> 32 - length << 32 - length, length)))
        length = chance.randint(16, 128)
        address = 0x2a00 << 112 | chance.getrandbits(112) & 0xff03 << 96 | chance.getrandbits(64) & 0xff
        prefixes.add(ipaddress.ip_network((address >> 128 - length << 128 - length, length)))
    with open(path, 'w') as out:
        for prefix in sorted(prefixes, key=str):
            out.write(f'{prefix} {chance.randint(1, 3000)}\n')
        out.write('0.0.0.0/0 7\n')
    return sorted(prefixes, key=str)


def random_trace(path, chance, prefixes, count):
    """Withdrawals, also of what is not there, and announcements, also of what was never there."""
    with open(path, 'w') as out:
        for second in range(count):
            prefix = chance.choice(prefixes)
            if chance.random() < 0.2 and prefix.prefixlen < prefix.max_prefixlen:
                prefix = chance.choice(list(prefix.subnets()))
            if chance.random() < 0.5:
                out.write(f'{second} w {prefix}\n')
            else:
                out.write(f'{second} a {prefix} {chance.randint(1, 3000)}\n')


def test_generated():
    ebpf = ['harness-ebpf', 'image-ebpf', 'lpmtrie', 'fiblookup']
    subjects = {4: ebpf[:2] + ['dir24-ebpf'] + ebpf[2:] + ['image-bulk', 'image'], 6: ebpf + ['image-bulk', 'image']}
    if has_dpdk():
        subjects[4] += ['rte_fib'] + ['rte_fib-avx512'] * HAS_AVX512
        subjects[6] += ['rte_fib6'] + ['rte_fib6-avx512'] * HAS_AVX512 + ['rte_lpm6', 'rte_lpm6-bulk']
    result = run('--routes', '3000', '--changes', '2000')
    check_result(result, subjects, ['changes'])


def test_file_and_trace():
    chance = random.Random(SEED)
    names = ['image-ebpf', 'lpmtrie', 'fiblookup', 'image-plain', 'image']
    subjects = {4: names[:1] + ['dir24-ebpf'] + names[1:], 6: list(names)}
    if has_dpdk():
        subjects[4] += ['rte_fib', 'rte_lpm', 'rte_lpm-bulk']
        subjects[6] += ['rte_fib6', 'rte_lpm6', 'rte_lpm6-bulk']
    with tempfile.TemporaryDirectory() as directory:
        table, trace = os.path.join(directory, 'table'), os.path.join(directory, 'trace')
        prefixes = random_table(table, chance, 4000)
        random_trace(trace, chance, prefixes, 5000)
        result = run('--table', table, '--updates', trace, '--changes', '1000',
                     '--subjects', ','.join({name: None for name in subjects[4] + subjects[6]}))
    check_result(result, subjects, ['changes', 'trace'])
    assert sum(family['routes'] for family in result['families']) == 4000


def test_text():
    done = subprocess.run(COMMAND + ['fib', *SHORT, '--family', '4', '--routes', '1000', '--subjects', 'image,image-ebpf'],
                          capture_output=True, text=True, check=True)
    for word in ('image-ebpf', 'independent', 'dependent', 'zipf', 'image in memory', 'Updates:'):
        assert word in done.stdout, f'{word} is missing: {done.stdout}'


def test_signal():
    process = subprocess.Popen(COMMAND + ['fib', '--routes', '1000', '--rounds', '100', '--seconds', '1'],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if 'round 1' in line:
                break
        assert len(namespaces(process.pid)) == 4
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        assert process.wait(timeout=WAIT_S) == 1
    finally:
        process.kill()
    until(lambda: not namespaces(process.pid), 'namespaces gone')


def test_bad_usage():
    for arguments in (['--family', '5'], ['--rounds', '0'], ['--routes', '1x'], ['--seconds', '-1'], ['--subjects', 'image,x'],
                      ['--skip', 'nothing'], ['--cpu', '100000'], ['--table', '/nonexistent'], ['--changes', '-1'],
                      ['--subjects', 'image', '--skip', 'image'], ['--nonsense'], ['surplus']):
        done = subprocess.run(COMMAND + ['fib', *arguments], capture_output=True, text=True)
        assert done.returncode == 2, f'{arguments}: exit code {done.returncode}'
        assert done.stderr and not done.stdout, f'{arguments}: {done}'


needs_root('for eBPF and network namespaces')
with open('/proc/cpuinfo') as cpu:
    HAS_AVX512 = 'avx512f' in cpu.read()
print(f'seed {SEED}')
run_tests(globals())
