#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The daemon with a card that is not there, in a virtual machine (card_guest.py, which says what is tried). Exit status 77:
qemu, packages or tools are missing; why is on standard error.

    card.py PENSTOCK NFPCHECK VM OBJECT [CASE...]
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 1400


def main():
    penstock, nfpcheck, vm, program = map(os.path.abspath, sys.argv[1:5])
    build = subprocess.run([nfpcheck, "build"], stdout=subprocess.PIPE, text=True, check=False)
    if build.returncode:
        return build.returncode
    command = [vm, "run", "--kernel", "6.12", "--memory", "1536M", "--timeout", str(LIMIT_S), "--", "python3", "-B",
               f"{HERE}/card_guest.py", penstock, build.stdout.strip(), program, *sys.argv[5:]]
    os.execv(command[0], command)  # so that who ends this ends the machine


if __name__ == "__main__":
    sys.exit(main())
