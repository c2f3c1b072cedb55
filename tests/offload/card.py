#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The daemon with a card that is not there, in a virtual machine: runs GUEST there with PENSTOCK, the folder of the modules and
the other words. Exit status 77: qemu, packages or tools are missing; why is on standard error.

    card.py PENSTOCK NFPCHECK VM GUEST [WORD...]
"""

import os
import subprocess
import sys

LIMIT_S = 1400


def main():
    penstock, nfpcheck, vm, guest = map(os.path.abspath, sys.argv[1:5])
    scale = int(os.environ.get("PENSTOCK_TEST_SCALE", 1))
    build = subprocess.run([nfpcheck, "build"], stdout=subprocess.PIPE, text=True, check=False)
    if build.returncode:
        return build.returncode
    command = [vm, "run", "--kernel", "6.12", "--memory", "1536M", "--timeout", str(scale * LIMIT_S), "--", "env",
               f"PENSTOCK_TEST_SCALE={scale}", "python3", "-B", guest, penstock, build.stdout.strip(), *sys.argv[5:]]
    os.execv(command[0], command)  # so that who ends this ends the machine


if __name__ == "__main__":
    sys.exit(main())
