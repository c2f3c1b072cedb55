#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""slower.py router.bpf.c SLOW.bpf.c: the program, a little slower: before a packet is sent on, additions that wait
for each other, of which the CPU hides some."""
import sys

ADDITIONS = 40
PLACE = '\t*action = bpf_redirect_map(&ports, port, XDP_DROP);\n'
SLOW = '\t__u64 value = port;\n\n' + '\tasm volatile("%0 += 1" : "+r"(value));\n' * ADDITIONS

with open(sys.argv[1]) as file:
    text = file.read()
assert text.count(PLACE) == 1, f'{sys.argv[1]} has {PLACE.strip()} {text.count(PLACE)} times, not once'
with open(sys.argv[2], 'w') as file:
    file.write(text.replace(PLACE, SLOW + PLACE))
