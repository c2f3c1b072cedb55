#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What tests need from a guest's kernel, checked inside it: selftest_guest.sh SERIES DROP_OBJECT
set -u
series=$1
drop_object=$2
failures=0

check() { # check TEXT COMMAND...
	text=$1
	shift
	if output=$("$@" 2>&1); then
		echo "ok    $series  $text"
	else
		echo "FAIL  $series  $text: $*"
		[ -z "$output" ] || echo "$output" | sed 's/^/      | /'
		failures=$((failures + 1))
	fi
}

fails() {
	! "$@"
}

in_a() {
	ip netns exec a "$@"
}

ping_from_a() { # ping_from_a ADDRESS [OPTION...]
	address=$1
	shift
	in_a ping -n -q -c 2 -i 0.2 -W 5 "$@" "$address"
}

ping_stops() {
	fails in_a ping -n -q -c 2 -i 0.2 -W 1 "$1"
}

# Two namespaces with a cable between them.
cable() {
	ip netns add a && ip netns add b &&
		ip link add cable netns a type veth peer name cable netns b &&
		on_both 'ip link set lo up; ip link set cable up' &&
		address cable 10.0.0
}

on_both() {
	ip netns exec a sh -c "$1" && ip netns exec b sh -c "$1"
}

address() { # address INTERFACE NETWORK: .1 in a, .2 in b
	ip -n a address add "$2.1/24" dev "$1" && ip -n b address add "$2.2/24" dev "$1"
}

vlan() {
	on_both 'ip link add link cable name v100 up type vlan id 100' && address v100 10.0.100
}

qinq() {
	on_both 'ip link add link cable name s200 up type vlan protocol 802.1ad id 200 &&
		ip link add link s200 name c300 up type vlan id 300' && address c300 10.0.200
}

# Both VRFs use the same addresses; only the VLAN tells them apart.
vrfs() {
	for vrf in red:10 blue:20; do
		name=${vrf%:*}
		id=${vrf#*:}
		on_both "ip link add $name up type vrf table 10$id &&
			ip link add link cable name v$id type vlan id $id &&
			ip link set v$id master $name up" && address "v$id" 10.1.0 || return
	done
}

dummy() {
	ip -n b link add d0 up type dummy && ip -n b address add 192.0.2.1/32 dev d0 &&
		ip -n a route add 192.0.2.1/32 via 10.0.0.2
}

resilient_group() {
	ip -n a nexthop add id 1 via 10.0.0.2 dev cable && ip -n a nexthop add id 2 via 10.0.100.2 dev v100 &&
		ip -n a nexthop add id 10 group 1/2 type resilient buckets 32 idle_timer 60 &&
		ip -n a route add 198.51.100.0/24 nhid 10 && ip -n b address add 198.51.100.1/32 dev lo &&
		[ "$(ip -n a nexthop bucket show id 10 | wc -l)" = 32 ]
}

attached_natively() {
	ip -n a -details link show cable | grep -q 'prog/xdp '
}

netdev_family() {
	case $series in
	6.1) fails genl ctrl get name netdev ;;
	*) genl ctrl get name netdev ;;
	esac
}

firewalls() {
	in_a nft 'table inet t { chain f { type filter hook forward priority 0; ct state established accept; }; }' &&
		in_a iptables-legacy -A FORWARD -p udp -j ACCEPT &&
		in_a ip xfrm policy add src 10.9.0.0/24 dst 10.8.0.0/24 dir fwd action block
}

traffic_control() {
	in_a tc qdisc add dev cable root netem delay 1ms && in_a tc qdisc add dev cable clsact &&
		in_a tc filter add dev cable ingress protocol ip flower dst_ip 10.9.9.9 action drop
}

other_links() {
	ip link add d1 type dummy && ip link add d2 type dummy &&
		ip link add l1 type bond && ip link add l2 type bridge &&
		ip link add l3 link d1 type macvlan && ip link add l4 link d2 type ipvlan
}

check "the guest runs a kernel $series" test "$(uname -r | cut -d. -f1,2)" = "$series"
check "namespaces joined by veth can be made" cable
check "veth: ping" ping_from_a 10.0.0.2
check "802.1Q can be made" vlan
check "802.1Q: ping" ping_from_a 10.0.100.2
check "QinQ (802.1ad over 802.1Q) can be made" qinq
check "QinQ: ping" ping_from_a 10.0.200.2
check "two VRFs with equal addresses on two VLANs can be made" vrfs
check "VRF red: ping" ping_from_a 10.1.0.2 -I red
check "VRF blue: ping" ping_from_a 10.1.0.2 -I blue
check "dummy can be made" dummy
check "dummy: ping to its address" ping_from_a 192.0.2.1
check "resilient next-hop group with 32 buckets can be made" resilient_group
check "resilient next-hop group: ping" ping_from_a 198.51.100.1
check "XDP attaches to veth" ip -n a link set dev cable xdpdrv object "$drop_object" section xdp
check "XDP is attached natively" attached_natively
check "XDP drops: ping stops" ping_stops 10.0.0.2
check "XDP detaches" ip -n a link set dev cable xdpdrv off
check "XDP detached: ping" ping_from_a 10.0.0.2
check "bpffs is there" bpftool prog loadall "$drop_object" /sys/fs/bpf/drop
case $series in
6.1) check "generic netlink has no family netdev" netdev_family ;;
*) check "generic netlink has the family netdev" netdev_family ;;
esac
check "nftables, legacy iptables and xfrm can be used" firewalls
check "netem, clsact and flower can be used" traffic_control
check "bond, bridge, macvlan and ipvlan can be made" other_links
[ $failures = 0 ]
