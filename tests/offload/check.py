#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The kernel's own nfp driver takes the program for the card, under every known profile, and says of each program
of the table what the table says. Exit status 77: qemu, packages or tools are missing; why is on standard error.

    check.py PENSTOCK NFPCHECK BUILD CARD_OBJECT
"""

import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import programs

SKIP = 77
PROFILES = os.path.join(programs.HERE, "profiles")
STORE_PART = 0.6  # of the code store: more than that the program for the card shall not need

problems = []


def expect(holds, text):
    if not holds:
        problems.append(text)


def skip(reason):
    print(reason, file=sys.stderr)
    sys.exit(SKIP)


def build_standin(nfpcheck):
    if not shutil.which("qemu-system-x86_64"):
        skip("qemu-system-x86_64 is not installed: run .ci/setup")
    status = subprocess.run([nfpcheck, "build"], stdout=subprocess.DEVNULL, check=False).returncode
    if status == SKIP:
        skip("the stand-in cannot be built, see above")
    expect(status == 0, f"nfpcheck build: exit {status}")


def check(penstock, *arguments):
    """Exit status, and what is said of each object, by profile."""
    command = [penstock, "offload", "check", "-j", *arguments]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=PROFILES)
    reports = json.loads(run.stdout) if run.stdout else []
    return run.returncode, {report["profile"]: report["objects"] for report in reports}


def check_card(profile, said, limits):
    """The program for the card is taken, and leaves room."""
    expect(said["accepted"] and not said["words"], f"{profile}: {said['object']}: {said.get('error')} {said['words']}")
    nfp = sum(program["nfp"] for program in said["programs"])
    expect(0 < nfp <= STORE_PART * limits["program_length"], f"{profile}: {nfp} NFP instructions")
    print(f"{profile}: {nfp} NFP instructions")


def check_program(program, said):
    expect(said["accepted"] == (program.driver == "takes"), f"{program.name}: accepted is {said['accepted']}")
    if program.driver == "takes":
        nfp = said["programs"][0]["nfp"]
        expect(f"{nfp} instructions" == program.words, f"{program.name}: {nfp} instructions, not {program.words}")
        return
    expect(said.get("step") in (program.driver, "open"), f"{program.name}: ended at {said.get('step')}")
    words = " ".join((said.get("error", ""), *said["words"]))
    expect(program.words in words, f"{program.name}: '{words}', not '{program.words}'")


def check_known(penstock, card, table):
    """The two known profiles in one go; the table's words are those of the first."""
    status, reports = check(penstock, card, *(program.object for program in table))
    expect(status == 2, f"exit {status}, though one object cannot be read")
    expect(tuple(reports) == programs.KNOWN_PROFILES, f"profiles {tuple(reports)}")
    limits = {each["profile"]: each for each in json.loads(
        subprocess.run([penstock, "offload", "profiles", "-j"], stdout=subprocess.PIPE, check=True).stdout)}
    for profile, objects in reports.items():
        check_card(profile, objects[0], limits[profile])
    for program, said in zip(table, reports[programs.KNOWN_PROFILES[0]][1:]):
        check_program(program, said)


def check_own(penstock, own):
    """Profiles from files, all in one go."""
    objects = [program.object for table in own.values() for program in table]
    status, reports = check(penstock, "--profile", ",".join(own), *objects)
    expect(status == 1 and list(reports) == list(own), f"exit {status}, profiles {list(reports)}")
    for profile, table in own.items():
        said = {each["object"]: each for each in reports[profile]}
        for program in table:
            check_program(program, said[os.path.realpath(program.object)])


def check_misuse(penstock):
    for arguments in ((), ("/nowhere/x.o",), ("--profile", "/nowhere/p", __file__), ("--device", "nowhere", __file__)):
        run = subprocess.run([penstock, "offload", "check", *arguments], capture_output=True, text=True, check=False)
        expect(run.returncode == 2 and (run.stderr or "no answer" in run.stdout), f"{arguments}: exit {run.returncode}")


def main():
    penstock, nfpcheck, build, card = map(os.path.abspath, sys.argv[1:])
    build_standin(nfpcheck)
    table = [program for program in programs.read(build) if program.driver != "-"]
    own = {}
    for program in table:
        own.setdefault(os.path.basename(program.profile), []).append(program)
    check_known(penstock, card, own.pop(programs.KNOWN_PROFILES[0]))
    check_own(penstock, own)
    check_misuse(penstock)
    expect(len({program.rule for program in table if program.rule}) >= 25, "the driver is asked about too few rules")
    for problem in problems:
        print(problem)
    print(f"{len(table)} programs: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
