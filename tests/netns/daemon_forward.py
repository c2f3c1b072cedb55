#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""daemon_forward.py PENSTOCK: the daemon forwards ping, UDP and TCP of both families by XDP, tells what it does, and
leaves nothing behind."""
import json
import os
import sys

from bed import Bed, Daemon, Stream, shell, until

TCP_BYTES = 20_000_000
ADDRESSES = ('10.2.0.2', 'fd02::2')

bed = Bed(sys.argv[1])
before = bed.traces()


def forwarded(daemon, name):
    return daemon.port(name)['forwarded']


def pinged(daemon, address):
    """20 echoes that all go by XDP; the first ones of all may meet neighbours that are not known yet."""
    start = forwarded(daemon, 'r0')
    assert bed.ping(bed.s, address, 20), f'ping {address}'
    return forwarded(daemon, 'r0') - start >= 20


def check_ping(daemon):
    for address in ADDRESSES:
        until(lambda: bed.ping(bed.s, address, 1), f'first ping of {address}')
        until(lambda: pinged(daemon, address), f'20 echoes to {address} counted')


def check_udp(daemon):
    for address in ADDRESSES:
        start = forwarded(daemon, 'r0')
        stream = Stream(bed, address)
        until(lambda: forwarded(daemon, 'r0') - start > 1000, 'a second of datagrams')
        result = stream.end()
        assert result['lost'] == 0 and result['twice'] == 0, result


def check_tcp(daemon):
    for address in ADDRESSES:
        start = forwarded(daemon, 'r0')
        bed.transfer(address, TCP_BYTES)
        until(lambda: forwarded(daemon, 'r0') - start > TCP_BYTES / 1500 / 64, 'TCP counted as forwarded')


def document(*arguments):
    result = bed.command(*arguments, '-j')
    assert result.returncode == 0, f'{arguments}: {result.stderr}'
    return json.loads(result.stdout)


def check_words(daemon):
    """What it tells is what is."""
    status = daemon.status()
    assert status['pid'] == daemon.pid and len(status['ports']) == 2
    for port in status['ports']:
        assert port['mode'] == 'native' and port['why'] and port['hold'] is None and port['egress']['possible'], port
    routes = {route['prefix']: route for route in document('show', 'routes')['routes']}
    assert routes['10.2.0.2/32']['interface'] == 'r1' and routes['10.2.0.2/32']['action'] == 'forward'
    assert routes['10.2.0.1/32']['reason'] == 'local'
    assert routes['fd02::2/128']['action'] == 'forward'
    assert {each['interface'] for each in document('show', 'interfaces')['interfaces']} >= {'r0', 'r1'}
    assert any(each['address'] == '10.2.0.2' and each['usable'] for each in document('show', 'neighbours')['neighbours'])
    assert any(each['reason'] == 'forwarded' for each in document('show', 'counters')['counters'])
    assert document('show', 'image')['routes4'] > 0
    assert document('show', 'nexthops')['nexthops']
    assert document('show', 'rules')['rules']
    run = document('audit', '500')['run']
    assert run['samples'] >= 500 and run['differences'] == 0 and run['same'] > 0, run
    answer = document('lookup', '10.2.0.2', 'from', 'r0')
    assert answer['action'] == 'forward' and answer['interface'] == 'r1' and answer['prefix'] == '10.2.0.2/32', answer
    answer = document('lookup', '203.0.113.1')
    assert answer['action'] == 'punt' and answer['reason'] == 'no-route', answer
    assert document('lookup', 'fd02::1')['reason'] == 'local'
    for words in (['status'], ['show', 'routes'], ['sh', 'int'], ['lo', '10.2.0.2'], ['plan', 'r0'], ['sh', 'rul'], ['aud', '10']):
        result = bed.command(*words)
        assert result.returncode == 0 and result.stdout and not result.stderr, f'{words}: {result}'
    status, line = bed.refused('lookup', 'lo')
    assert (status, line) == (1, "'lo' is not an IP address")
    status, line = bed.refused('lookup', '10.2.0.2', 'from', 'lo')
    assert status == 1 and 'neither a port nor on top of one' in line, line


def as_user(user, group, *words):
    return shell(*bed.inside(bed.r, 'setpriv', f'--reuid={user}', f'--regid={group}', '--clear-groups', bed.penstock, *words),
                 check=False)


def check_api(daemon):
    """curl works on the socket; the group reads, only root and the daemon's user change things, others stay out."""
    path = f"/run/penstock/{daemon.status()['name']}.sock"
    assert os.stat(path).st_mode & 0o777 == 0o660
    result = bed.router('curl', '-s', '--unix-socket', path, 'http://penstock/v1/version')
    assert json.loads(result.stdout)['image'] >= 1
    result = as_user('nobody', 'nogroup', 'status')
    assert result.returncode == 0 and 'forwarding' in result.stdout, result
    result = as_user('nobody', 'nogroup', 'reload')
    assert result.returncode == 1 and 'only root' in result.stderr, result
    result = as_user('nobody', 'daemon', 'status')
    assert result.returncode == 1 and 'no permission' in result.stderr, result


for mode in ('native', 'generic', 'afxdp'):
    config = f'/tmp/{bed.prefix}.yaml'
    with open(config, 'w') as out:
        out.write(f'mode: {mode}\ncontrol: {{group: nogroup}}\n')
    daemon = Daemon(bed, '-c', config, 'r0', 'r1')
    os.unlink(config)
    assert {port['mode'] for port in daemon.status()['ports']} == {mode}
    check_ping(daemon)
    check_udp(daemon)
    check_tcp(daemon)
    if mode == 'native':
        check_words(daemon)
        check_api(daemon)
    assert daemon.end() == 0
    until(lambda: bed.traces() == before, f'everything undone: {bed.traces() - before}')
    assert bed.ping(bed.s, '10.2.0.2') and bed.ping(bed.s, 'fd02::2'), 'the kernel forwards again'
    print(f'{mode}: ping, UDP and TCP of both families; nothing left behind')
