#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""layout.py IMAGE.h NEXT.h: the image as another version might lay it out: other offsets, other sizes, other order."""
import re
import sys

CHANGES = (
    (r'(#define IMAGE_VERSION )(\d+)', lambda found: f'{found[1]}{int(found[2]) + 1}'),
    (r'(#define IMAGE_INTERFACES +)(\d+)', lambda found: f'{found[1]}{2 * int(found[2])}'),
    (r'(#define IMAGE_VRFS +)(\d+)', lambda found: f'{found[1]}{2 * int(found[2])}'),
    (r'(\t__u32 version;.*\n)(\t__u32 held;.*\n)', r'\2\1'),
    (r'(\t__u16 flags;.*\n)(\t__u16 vrf;.*\n)', r'\2\1'),
    (r'(struct image_tables \{\n)', r'\1\t__u64 ahead[512];\n'),
)

with open(sys.argv[1]) as file:
    text = file.read()
for pattern, replacement in CHANGES:
    text, count = re.subn(pattern, replacement, text)
    assert count == 1, f'{sys.argv[1]} has {pattern} {count} times, not once'
with open(sys.argv[2], 'w') as file:
    file.write(text)
