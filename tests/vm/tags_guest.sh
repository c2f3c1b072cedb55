#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Hosts with VLAN devices, whose tags travel beside the frames: tags_guest.sh TWIN PENSTOCK
# Nothing may differ from Linux, by either hook. Told to trust that tags are in the frames, penstock is found out.
set -eu
twin=$1
penstock=$2
tags_beside() {
	"$twin" --subject "$penstock" --worlds 1 --packets 1000 --ports 4 --sub-interfaces 8 --vrfs 3 --routes 40 \
		--tags-beside "$@"
}

tags_beside
tags_beside --mode generic
tags_beside --trust-tags --expect-differences
tags_beside --trust-tags --mode generic --expect-differences
