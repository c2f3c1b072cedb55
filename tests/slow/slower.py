#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""slower.py router.bpf.c SLOW.bpf.c: the program, some 5 % slower: what it reads of a packet waits for additions that wait
for each other."""
import sys

ADDITIONS = 10
PLACE = '\treason = parse_ethernet(&packet, &type);\n'
SLOW = '\t{\n\t\t__u64 value = context->rx_queue_index;\n\n' + '\t\tasm volatile("%0 += 1" : "+r"(value));\n' * ADDITIONS + \
    '\t\tasm volatile("%0 &= 0" : "+r"(value));\n\t\tpacket.data += value;\n\t}\n'

with open(sys.argv[1]) as file:
    text = file.read()
assert PLACE in text, f'{sys.argv[1]} has no {PLACE.strip()}'
with open(sys.argv[2], 'w') as file:
    file.write(text.replace(PLACE, SLOW + PLACE))
