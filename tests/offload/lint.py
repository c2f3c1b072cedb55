#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Each program of the table is found to break its rule and no other, at its line, the fine ones none. Of the
router for the kernel it is said why a card would not have it; objects for cards are clean.

    lint.py PENSTOCK BUILD RULES_HEADER NATIVE_OBJECT [CARD_OBJECT...]
"""

import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import programs

STORE, STORE_PART = 2560, 0.6  # instructions that there is room for; what of it the router may take
AROUND = 23  # instructions that the driver puts around every program

problems = []


def expect(holds, text):
    if not holds:
        problems.append(text)


def lint(penstock, *arguments):
    """Exit status, and the findings of the one object."""
    run = subprocess.run([penstock, "offload", "lint", "-j", *arguments], capture_output=True, text=True, timeout=60)
    expect(run.returncode in (0, 1), f"{arguments}: exit {run.returncode}, {run.stderr}")
    return run.returncode, json.loads(run.stdout)[0]["findings"] if run.stdout else []


def check_program(penstock, program):
    status, findings = lint(penstock, "--profile", program.profile, program.object)
    rules = {finding["rule"] for finding in findings}
    expect(status == (1 if program.rule else 0), f"{program.name}: exit {status}")
    expect(rules == ({program.rule} if program.rule else set()), f"{program.name}: {rules}, not {program.rule}")
    lines = {finding["line"] for finding in findings}
    expect(not program.line or program.line in lines, f"{program.name}: line {lines}, not {program.line}")
    for finding in findings:
        expect(finding["text"] and finding["do"] and (finding["function"] if program.line else True),
               f"{program.name}: says too little: {finding}")
        takes = finding["verdict"] == "wrong"
        expect(program.driver == "-" or takes == (program.driver == "takes"), f"{program.name}: {finding['verdict']}")


def check_size(penstock, program):
    """How many instructions the driver makes of it is known nearly."""
    run = subprocess.run([penstock, "offload", "report", "-j", "--lines", "--profile", program.profile, program.object],
                         capture_output=True, text=True, timeout=60)
    report = json.loads(run.stdout)[0]
    real, known = int(program.words.split()[0]), report["card"]
    expect(abs(known - real) <= max(2, 0.03 * real), f"{program.name}: {known} instructions, the driver makes {real}")
    bpf, card = (sum(line[unit] for line in report["lines"]) for unit in ("bpf", "card"))
    expect((bpf, card + AROUND) == (report["instructions"], known), f"{program.name}: lines add up to {bpf}, {card}")
    with open(os.path.join(programs.HERE, "programs", program.name + ".bpf.c")) as file:
        source = [""] + [text.strip() for text in file]
    for line in report["lines"]:
        own = line["file"].endswith(f"/{program.name}.bpf.c")
        expect(not own or source[line["line"]] == line["text"], f"{program.name}: line {line}")
    expect(any(line["file"].endswith(f"/{program.name}.bpf.c") for line in report["lines"]), f"{program.name}: no line")


def check_router(penstock, card):
    """Of our own program every loop's end is known, and what leaves it has been counted; and it is short."""
    run = subprocess.run([penstock, "offload", "report", "-j", card], capture_output=True, text=True, timeout=60)
    report = json.loads(run.stdout)[0]
    ways = report["ways"]
    expect(report["card"] <= STORE_PART * STORE, f"{card}: {report['card']} instructions")
    expect(set(ways) == {"tx", "pass", "drop"}, f"{card}: {set(ways)}")
    expect(not any(way["open"] for way in ways.values()), f"{card}: a loop has no end")
    expect(ways["tx"]["typical"]["lookups"] == 8 and ways["tx"]["typical"]["counts"] == 2, f"{card}: {ways['tx']}")
    expect([room["ipv4"] > 1200000 and room["ipv6"] > 300000 for room in report["firmware"]] == [True, True],
           f"{card}: {report['firmware']}")
    for way in ("tx", "drop"):
        expect(ways[way]["least"]["counts"] == 2, f"{card}: {way} is counted {ways[way]['least']['counts']} times")


def check_rules(header, table):
    """No rule is without a program that breaks it."""
    with open(header) as file:
        rules = {name.replace("_", "-") for name in re.findall(r"^\tX\((\w+), ", file.read(), re.MULTILINE)}
    expect(len(rules) > 50 and rules == {program.rule for program in table if program.rule},
           f"rules and table differ in {rules ^ {program.rule for program in table if program.rule}}")


def check_refusals(penstock, build):
    """What is no object: one line, exit 2."""
    for path, words in ((__file__, "not an ELF object"), ("/nowhere/x.o", "No such file"), ("/bin/true", "not a BPF object"),
                        (build, "not a file")):
        run = subprocess.run([penstock, "offload", "lint", path], capture_output=True, text=True, timeout=60)
        expect(run.returncode == 2 and not run.stdout and run.stderr.count("\n") == 1 and words in run.stderr,
               f"{path}: exit {run.returncode}, '{run.stderr}'")


def main():
    penstock, build, rules_header, native, *cards = sys.argv[1:]
    table = programs.read(build)
    for program in table:
        check_program(penstock, program)
        if program.driver == "takes":
            check_size(penstock, program)
    check_rules(rules_header, table)
    for card in cards:
        check_router(penstock, card)
    for profile in programs.KNOWN_PROFILES:
        for card in cards:
            status, findings = lint(penstock, "--profile", profile, card)
            expect(status == 0 and not findings, f"{card}, {profile}: {findings}")
    plain = os.path.join(programs.HERE, "profiles", "plain")  # firmware that lets no program choose a queue
    for card in cards:
        found = [finding["rule"] for finding in lint(penstock, "--profile", plain, card)[1]]
        expect(found == ["firmware-queue"], f"{card}, plain: {found}, not the one write of a queue")
    rules = {finding["rule"] for finding in lint(penstock, native)[1]}
    expect({"map-type", "redirect"} <= rules, f"{native}: only {rules}")
    check_refusals(penstock, build)
    for problem in problems:
        print(problem)
    print(f"{len(table)} programs, {len({p.rule for p in table if p.rule})} rules: {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
