#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_baseline.py [--accept] BUILD COMMAND...: figures that no machine's mood changes, against bench_baseline.json:
instructions of the programs as compiled, and of the one that is attached; bytes of the image for the full generated
tables; how many times bpf_fib_lookup's program takes what ours does, measured in turns. COMMAND is what takes "program"
as its next argument.

Worse by more than its tolerance fails; of what is better by more than that, it says so. With --accept, what is measured
becomes the baseline; say in the commit why it moved.

Tolerances: instructions and bytes are the same in every run; 1 % lets changes through that are not worth the talk. Six runs
of the ratios on two busy CPUs gave 3.29 to 3.55 and 5.83 to 6.02, 8 and 3 % apart; 20 % is more than twice that. They depend
on the CPU's model, and instructions on the compiler: where these are others than those of the baseline, they are shown but
not judged.
"""
import json
import os
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BASELINE = os.path.join(HERE, 'bench_baseline.json')
OBJECTS = {'native': ('xdp/router.bpf.o', ['penstock']), 'steer': ('xdp/router.bpf.o', ['penstock_steer']),
           'nfp': ('offload/router_nfp.bpf.o', None)}
EXACT, RATIO = 0.01, 0.20


def functions(path):
    """Name and number of instructions of each function of a compiled object, and the compiler's own words."""
    with open(path, 'rb') as file:
        data = file.read()
    start, = struct.unpack_from('<Q', data, 40)
    count, = struct.unpack_from('<H', data, 60)
    sections = [struct.unpack_from('<IIQQQQIIQQ', data, start + 64 * i) for i in range(count)]
    sizes = {}
    for kind, offset, size, link in ((s[1], s[4], s[5], s[6]) for s in sections):
        for at in range(offset, offset + size, 24) if kind == 2 else ():
            name, info, _, _, _, length = struct.unpack_from('<IBBHQQ', data, at)
            begin = sections[link][4] + name
            if info & 15 == 2:
                sizes[data[begin:data.index(b'\0', begin)].decode()] = length // 8
    compiler = re.search(rb'clang version [0-9.]+', data)
    return sizes, compiler.group().decode() if compiler else 'unknown compiler'


def bench(command, *words):
    done = subprocess.run([*command, *words, '--json'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=True)
    record = json.loads(done.stdout)
    return {figure['name']: figure['median'] for figure in record['figures']}, record['machine']['cpu']


def measure(build, command):
    """Name -> [value, tolerance, what it depends on]; more is worse for all but ratios."""
    found = {}
    for name, (path, wanted) in OBJECTS.items():
        sizes, compiler = functions(os.path.join(build, path))
        found[f'{name}: instructions as compiled'] = [sum(sizes[key] for key in wanted or sizes), EXACT, compiler]
    figures, cpu = bench(command, 'program', '--rounds', '5')
    found['native: instructions as attached'] = [figures['program penstock instructions'], EXACT, compiler]
    for family in ('IPv4', 'IPv6'):
        found[f'{family}: times bpf_fib_lookup'] = [round(figures[f'program fiblookup {family} times-ours'], 3), RATIO, cpu]
    figures, _ = bench(command, 'fib', '--subjects', 'image', '--rounds', '1', '--changes', '0')
    for name, value in figures.items():
        if name.endswith('image in memory read-memory'):
            found[f'{name.split()[1]}: bytes of the image, full table'] = [value, EXACT, '']
    return found


def judge(name, was, now):
    """'' is fine."""
    change = now[0] / was[0] - 1
    print(f'{name:42} {was[0]:12g} {now[0]:12g} {100 * change:+7.2f} %', end='')
    if was[2] != now[2]:
        print(f'  not judged: {now[2]}, the baseline is of {was[2]}')
        return ''
    worse = -change if was[1] == RATIO else change
    verdict = 'worse' if worse > was[1] else 'better' if worse < -was[1] else ''
    print(f'  {verdict.upper()}, more than {100 * was[1]:g} %' if verdict else '')
    return verdict


def main(arguments):
    accept = arguments[0] == '--accept'
    build, *command = arguments[accept:]
    if os.geteuid() != 0:
        print('skipped: needs root to load programs')
        return 77
    found = measure(build, command)
    if accept:
        with open(BASELINE, 'w') as file:
            json.dump(found, file, indent='\t', sort_keys=True)
            file.write('\n')
        return 0
    with open(BASELINE) as file:
        baseline = json.load(file)
    assert set(found) == set(baseline), set(found) ^ set(baseline)
    verdicts = [judge(name, baseline[name], found[name]) for name in sorted(baseline)]
    if any(verdicts):
        print(f'If that is meant to be: tests/netns/bench_baseline.py --accept {build} {" ".join(command)}\n'
              'and say in the commit why.')
    return 1 if 'worse' in verdicts else 0


sys.exit(main(sys.argv[1:]))
