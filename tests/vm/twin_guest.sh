#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Linux as the oracle in the guest, with what the machine's own kernel may lack: twin_guest.sh TWIN PENSTOCK
# The seeds are the twin's own; fewer packets than on the machine, for emulation is slow.
set -eu
twin=$1
penstock=$2

"$twin" --subject "$penstock" --worlds 1 --packets 2000
"$twin" --subject "$penstock" --worlds 1 --packets 6000 --sub-interfaces 6 --vrfs 2 --seed 1
"$twin" --subject "$penstock" --worlds 1 --packets 2000 --sub-interfaces 10 --vrfs 0 --seed 2
