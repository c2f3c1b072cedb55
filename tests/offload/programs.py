# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The programs of the table, where they are built, and what is expected of each."""

import os
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
KNOWN_PROFILES = ("open", "shipped")

Program = namedtuple("Program", "name profile rule driver words line object")


def marked_line(name):
    """The line of the source that is marked, None if the object as a whole breaks the rule."""
    with open(os.path.join(HERE, "programs", name + ".bpf.c")) as file:
        for number, text in enumerate(file, 1):
            if "HERE" in text:
                return number
    return None


def read(build):
    """All programs, with their objects in a build directory (of this folder)."""
    programs = []
    with open(os.path.join(HERE, "table")) as file:
        for row in file:
            fields = row.split(maxsplit=5)
            if not fields or row.startswith("#"):
                continue
            name, _, profile, rule, driver = fields[:5]
            if profile not in KNOWN_PROFILES:
                profile = os.path.join(HERE, "profiles", profile)
            programs.append(Program(name, profile, None if rule == "-" else rule, driver,
                                    fields[5].strip() if len(fields) > 5 else "", marked_line(name),
                                    os.path.join(build, name + ".bpf.o")))
    return programs
