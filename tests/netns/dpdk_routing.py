#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""dpdk_routing.py PENSTOCK frr|bird: routing daemons speak over the interfaces that stand for devices of DPDK.

    S: BIRD ------ BGP, IPv4 and IPv6 ------ dp0 R: FRR or BIRD dp1 ------ OSPFv2 and v3 (multicast) ------ D: BIRD

Sessions come up through the exception path; what the neighbours announce gets into the data plane and is forwarded by
the engine, with the sessions beside it; Linux answers what only a router answers; when a device loses its link, the
routing daemon hears of it at once.
"""
import json
import re
import sys
import tempfile
import time

from bed import Stream, shell, until
from dpdk_bed import DpdkBed, DpdkDaemon
from routing_suite import Suite, need

ROUTES = 500  # of each family, over BGP
FAR = ('10.77.0.1', 'fd77::1')  # of D, announced by OSPF
NEAR = ('10.66.0.1', 'fd66::1')  # of S, announced by BGP
QUICK = 'hello 1; dead 4; wait 2;'

BIRD_NEIGHBOUR = '''
router id 10.1.0.2;
protocol device {{ }}
protocol static {{ ipv4; route 10.66.0.0/16 blackhole; {four} }}
protocol static {{ ipv6; route fd66::/48 blackhole; {six} }}
protocol bgp peer {{ local 10.1.0.2 as 65002; neighbor 10.1.0.1 as 65001;
	connect delay time 1; connect retry time 1; error wait time 1, 2;
	ipv4 {{ import none; export all; next hop self; }}; }}
protocol bgp peer6 {{ local fd01::2 as 65002; neighbor fd01::1 as 65001;
	connect delay time 1; connect retry time 1; error wait time 1, 2;
	ipv6 {{ import none; export all; next hop self; }}; }}
'''
BIRD_OSPF = '''
protocol ospf v2 inner {{ ipv4 {{ import all; export {what}; }};
	area 0 {{ interface "{interface}" {{ {quick} }}; }}; }}
protocol ospf v3 inner6 {{ ipv6 {{ import all; export {what}; }};
	area 0 {{ interface "{interface}" {{ {quick} }}; }}; }}
'''
BIRD_FAR = '''
router id 10.2.0.2;
protocol device { }
protocol static { ipv4; route 10.77.0.0/16 blackhole; }
protocol static { ipv6; route fd77::/48 blackhole; }
''' + BIRD_OSPF.format(what='where source = RTS_STATIC', interface='d0', quick=QUICK)
BIRD_ROUTER = '''
router id 10.1.0.1;
protocol device { scan time 1; }
protocol kernel { ipv4 { export all; import none; }; }
protocol kernel { ipv6 { export all; import none; }; }
protocol bgp peer { local 10.1.0.1 as 65001; neighbor 10.1.0.2 as 65002; ipv4 { import all; export none; }; }
protocol bgp peer6 { local fd01::1 as 65001; neighbor fd01::2 as 65002; ipv6 { import all; export none; }; }
''' + BIRD_OSPF.format(what='none', interface='dp1', quick=QUICK)
FRR_BGPD = '''
router bgp 65001
 bgp router-id 10.1.0.1
 no bgp ebgp-requires-policy
 neighbor 10.1.0.2 remote-as 65002
 neighbor fd01::2 remote-as 65002
 address-family ipv4 unicast
  no neighbor fd01::2 activate
 address-family ipv6 unicast
  neighbor fd01::2 activate
'''
FRR_OSPFD = '''
interface dp1
 ip ospf area 0
 ip ospf hello-interval 1
 ip ospf dead-interval 4
router ospf
 ospf router-id 10.1.0.1
'''
FRR_OSPF6D = '''
interface dp1
 ipv6 ospf6 area 0
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
router ospf6
 ospf6 router-id 10.1.0.1
'''


def announced(base):
    return ' '.join(f'route {base.format(n // 256, n % 256)} blackhole;' for n in range(ROUTES))


def start_daemons(bed, suite, which):
    suite.bird(bed.s, 'near', BIRD_NEIGHBOUR.format(four=announced('16.{}.{}.0/24'),
                                                    six=announced('fd16:{:x}:{:x}::/48')))
    suite.bird(bed.d, 'far', BIRD_FAR)
    if which == 'frr':
        suite.frr(bgpd=FRR_BGPD, ospfd=FRR_OSPFD, ospf6d=FRR_OSPF6D)
    else:
        suite.bird(bed.r, 'router', BIRD_ROUTER)


def sessions(suite):
    """What BIRD in S says of its sessions: their states with the times they came about."""
    answer = shell('birdc', '-s', f'{suite.folder}/near.ctl', 'show', 'protocols', check=False).stdout
    return [line.split()[3:] for line in answer.splitlines() if line.startswith('peer')]


def looked_up(bed, address, ingress):
    """(gateway, interface) of the data plane's answer; None: not forwarded."""
    result = json.loads(bed.command('lookup', address, 'from', ingress, '-j').stdout)
    return (result['via'], result['interface']) if result['action'] == 'forward' else None


def check_sessions(bed, suite):
    until(lambda: [state[-1] for state in sessions(suite)] == ['Established'] * 2, 'both BGP sessions')
    for family, far, sample in (('-4', '10.77.0.0/16', '16.'), ('-6', 'fd77::/48', 'fd16:')):
        def there():
            table = bed.router('ip', family, 'route', 'show').stdout
            return far in table and table.count(f'\n{sample}') + table.startswith(sample) == ROUTES
        until(there, f'{family}: all routes in the kernel')
    until(lambda: looked_up(bed, FAR[0], 'dp0') == ('10.2.0.2', 'dp1'), 'OSPF in the data plane')
    until(lambda: (looked_up(bed, FAR[1], 'dp0') or (None, None))[1] == 'dp1', 'OSPFv3 in the data plane')
    for n in (0, 255, ROUTES - 1):
        until(lambda: looked_up(bed, f'16.{n // 256}.{n % 256}.9', 'dp1') == ('10.1.0.2', 'dp0'), 'BGP in the data plane')
        until(lambda: (looked_up(bed, f'fd16:{n // 256:x}:{n % 256:x}::9', 'dp1') or (None, None))[1] == 'dp0', 'BGP for IPv6')
    run = json.loads(bed.command('audit', '1000', '-j').stdout)['run']
    assert run['differences'] == 0 and run['same'] > 0, run


def check_traffic(bed, daemon, suite):
    """Over routes that came by BGP (to S) and OSPF (to D); the sessions stay as they are."""
    before = sessions(suite)
    for source, target in ((bed.s, FAR), (bed.d, NEAR)):
        for address in target:
            until(lambda: bed.ping(source, address, 1), f'first ping of {address}')
            start = sum(port['forwarded'] for port in daemon.status()['ports'])
            assert bed.ping(source, address, 20), address
            until(lambda: sum(port['forwarded'] for port in daemon.status()['ports']) - start >= 40, 'by the engine')
    streams = [Stream(bed, FAR[0], 5001, 2000), Stream(bed, FAR[1], 5003, 2000)]
    start = daemon.port('dp0')['forwarded']
    until(lambda: daemon.port('dp0')['forwarded'] - start > 6000, 'datagrams')
    sent = 0
    for result in [stream.end() for stream in streams]:
        assert result['lost'] == 0 and result['twice'] == 0, result
        sent += result['sent']
    assert sessions(suite) == before, f'{before} became {sessions(suite)}'
    return sent


def check_answers(bed):
    """Of Linux: traceroute, a TTL that ends here, a packet that is too big."""
    for address, router in zip(FAR, ('10.1.0.1', 'fd01::1')):
        hops = shell(*bed.inside(bed.s, 'traceroute', '-n', '-q', '1', '-w', '3', address)).stdout.splitlines()[1:]
        assert [hop.split()[1] for hop in hops] == [router, address], hops
        result = shell(*bed.inside(bed.s, 'ping', '-c', '1', '-W', '2', '-t', '1', address), check=False).stdout
        assert re.search(f'From {router}.*(Time to live|Time) exceeded', result), result
    bed.router('ip', 'link', 'set', 'dp1', 'mtu', '1400')
    for address in FAR:
        command = bed.inside(bed.s, 'ping', '-c', '2', '-i', '0.2', '-W', '2', '-M', 'do', '-s', '1420', address)
        until(lambda: re.search('mtu ?= ?1400', shell(*command, check=False).stdout), f'{address}: too big is said')
    bed.router('ip', 'link', 'set', 'dp1', 'mtu', '1500')


def check_link(bed, daemon):
    """The far end loses its link: so does dp1, and the routes over it are gone well before the neighbour's dead time;
    and back again."""
    shell('ip', '-n', bed.d, 'link', 'set', 'd0', 'down')
    until(lambda: not daemon.port('dp1')['carrier'], 'dp1 without carrier')
    until(lambda: '10.77.0.0/16' not in bed.router('ip', 'route', 'show').stdout, 'OSPF takes its route back')
    until(lambda: 'fd77::/48' not in bed.router('ip', '-6', 'route', 'show').stdout, 'OSPFv3 takes its route back')
    for address in FAR:
        until(lambda: looked_up(bed, address, 'dp0') is None, f'{address} is forwarded no more')
    shell('ip', '-n', bed.d, 'link', 'set', 'd0', 'up')
    shell('ip', '-n', bed.d, 'address', 'replace', 'fd02::2/64', 'dev', 'd0', 'nodad')
    for gateway in ('10.2.0.1', 'fd02::1'):
        shell('ip', '-n', bed.d, 'route', 'replace', 'default', 'via', gateway)
    until(lambda: daemon.port('dp1')['carrier'], 'dp1 with carrier')
    for address in FAR:
        until(lambda: bed.ping(bed.s, address, 3), f'{address} is back')


def main():
    which = sys.argv[2]
    need(which)
    bed = DpdkBed(sys.argv[1])
    before = bed.traces()
    for where, addresses in ((bed.s, NEAR), (bed.d, FAR)):
        for address in addresses:
            shell('ip', '-n', where, 'address', 'add', address, 'dev', 'lo')
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(bed, folder)
        daemon = DpdkDaemon(bed)
        begun = time.monotonic()
        start_daemons(bed, suite, which)
        check_sessions(bed, suite)
        print(f'{which}: BGP, OSPFv2 and OSPFv3 over TAPs, {2 * ROUTES + 2} routes in the data plane after '
              f'{time.monotonic() - begun:.1f} s', flush=True)
        sent = check_traffic(bed, daemon, suite)
        print(f'{sent} datagrams by these routes, none lost; the sessions stayed up', flush=True)
        check_answers(bed)
        check_link(bed, daemon)
        check_sessions(bed, suite)
        print('Linux answers traceroute, TTL 1 and too big; the link of a device goes down and up with its routes', flush=True)
        for child in bed.children:
            child.terminate()
        for child in bed.children:
            child.wait()
        assert daemon.end() == 0
        assert bed.traces() == before, f'left {bed.traces() - before}'


main()
