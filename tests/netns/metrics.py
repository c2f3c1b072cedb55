#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""metrics.py PENSTOCK SOURCE: the metrics are what promtool and Prometheus' conventions want, equal the counters and what was
really sent, and have all that dashboard and alerts ask for. On TCP only if configured, and then for reading only."""
import json
import os
import re
import shutil
import sys

from bed import Bed, Daemon

bed = Bed(sys.argv[1])
source = sys.argv[2]
path = f'/tmp/{bed.prefix}.yaml'
LISTEN = '127.0.0.1:9477'


def fetch(*arguments):
    """(status, body) of a request by curl in the router's namespace."""
    result = bed.router('curl', '-s', '-m', '10', '-w', '\n%{http_code}', *arguments, check=False)
    body, _, status = result.stdout.rpartition('\n')
    return int(status or 0), body


def scrape(daemon):
    status, text = fetch('--unix-socket', f"/run/penstock/{daemon.status()['name']}.sock", 'http://penstock/v1/metrics')
    assert status == 200, (status, text)
    return text


def samples(text):
    """{(name, labels as a sorted tuple): value}"""
    found = {}
    for line in text.splitlines():
        if line.startswith('#'):
            continue
        name, labels, value = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line).groups()
        key = (name, tuple(sorted(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ''))))
        assert key not in found, f'{key} twice'
        found[key] = float(value)
    return found


def promtool(*arguments, text=None):
    if not shutil.which('promtool'):
        print('note  promtool is missing (package prometheus): not checked by it')
        return
    import subprocess
    result = subprocess.run(['promtool', *arguments], input=text, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and not result.stderr.strip(), f'promtool {arguments}: {result.stdout}{result.stderr}'
    print(f'ok    promtool {" ".join(arguments[:2])}')


daemon = Daemon(bed, 'r0', 'r1')
text = scrape(daemon)
promtool('check', 'metrics', text=text)
families = dict(re.findall(r'^# TYPE (\w+) (\w+)$', text, re.M))
assert all(re.search(rf'^# HELP {name} \S', text, re.M) for name in families)
assert all(name.endswith('_total') == (kind == 'counter') for name, kind in families.items()), families
for name, _ in samples(text):
    assert name in families, f'{name} has no type'

# Equal to what the far end got, and to the other documents.
before = samples(text)
assert bed.ping(bed.s, '10.2.0.2', 50)
after = samples(scrape(daemon))
status = daemon.status()


def value(name, **labels):
    return after[name, tuple(sorted(labels.items()))]


def grown(name, **labels):
    key = name, tuple(sorted(labels.items()))
    return after[key] - before.get(key, 0)


sent = grown('penstock_packets_total', iface='r0', verdict='forward') + grown('penstock_packets_total', iface='r0', verdict='punt')
assert 50 <= sent <= 60 and grown('penstock_packets_total', iface='r0', verdict='forward') >= 48, sent
assert grown('penstock_bytes_total', iface='r0', verdict='forward') == 98 * grown('penstock_packets_total', iface='r0', verdict='forward')
for port in status['ports']:
    name = port['interface']
    assert value('penstock_mode_info', iface=name, mode=port['mode']) == 1
    assert value('penstock_port_running', iface=name) == value('penstock_port_egress', iface=name) == 1
    assert value('penstock_port_since_timestamp_seconds', iface=name) == port['since']
    for punt in port['punts']:
        assert punt['packets'] >= value('penstock_punts_total', iface=name, reason=punt['reason']) > 0, punt
    assert sum(number for (metric, labels), number in after.items() if metric == 'penstock_punts_total' and ('iface', name) in labels) \
        == value('penstock_packets_total', iface=name, verdict='punt')
assert value('penstock_fib_routes', family='ipv4') == status['tables']['routes4']
assert value('penstock_image_slots', part='next hops') == next(part['total'] for part in status['tables']['image'] if part['part'] == 'next hops')
assert value('penstock_build_info', version=status['penstock'], image='%d' % json.loads(bed.command('version', '-j').stdout)['image'],
             kernel=status['kernel']) == 1
with open(f'/proc/{daemon.pid}/status') as file:
    resident = int(re.search(r'VmRSS:\s*(\d+)', file.read()).group(1)) * 1024
assert abs(value('process_resident_memory_bytes') - resident) < 0.2 * resident
assert 0 < value('process_open_fds') < 200
print('ok    metrics equal what was sent, and the status')


def asked(texts):
    return {name for each in texts for name in re.findall(r'\b(?:penstock|process)_\w+', each)}


with open(f'{source}/host/control/grafana.json') as file:
    board = json.load(file)
assert board['schemaVersion'] >= 36 and board['__inputs'][0]['name'] == 'DS_PROMETHEUS'
expressions = [target['expr'] for panel in board['panels'] for target in panel['targets']]
expressions += [variable['definition'] for variable in board['templating']['list']]
assert {'instance', 'iface'} == {variable['name'] for variable in board['templating']['list']}
assert len(expressions) > 15 and asked(expressions) <= set(families), asked(expressions) - set(families)
labels = {name: {label for (metric, found), _ in after.items() if metric == name for label, _ in found} for name in families}
for expression in expressions:
    for name, matchers in re.findall(r'\b(penstock_\w+)\{([^}]*)\}', expression):
        used = set(re.findall(r'(\w+)\s*=~?"', matchers)) - {'instance'}
        assert used <= labels[name] or not labels[name], (expression, labels[name])
with open(f'{source}/host/control/alerts.yaml') as file:
    rules = [line for line in file.read().splitlines() if 'summary' not in line]
assert asked(rules) - {'penstock_'} <= set(families), asked(rules) - set(families)
promtool('check', 'rules', f'{source}/host/control/alerts.yaml')
print('ok    dashboard and alerts ask for what there is')

# No TCP port unless it is asked for.
assert not bed.router('ss', '-Hltnp').stdout.strip(), bed.router('ss', '-Hltnp').stdout
assert daemon.end() == 0


def configure(listen):
    with open(path, 'w') as file:
        file.write(f'ports: [{{interface: r0}}, {{interface: r1}}]\nmetrics: {{ listen: "{listen}" }}\n')


try:
    for wrong in ('9477', 'localhost:9477', '127.0.0.1:0', '127.0.0.1:65536', '[::1]', '::1:9477', '127.0.0.1'):
        configure(wrong)
        assert 'an address and a port' in bed.refused('run', '-c', path)[1], wrong
    configure(LISTEN)
    daemon = Daemon(bed, '-c', path)
    status, text = fetch(f'http://{LISTEN}/metrics')
    assert status == 200 and set(re.findall(r'^# TYPE (\w+)', text, re.M)) == set(families), (status, text)
    for words in (['-X', 'POST'], ['-X', 'DELETE'], ['-d', 'x=1']):
        assert fetch(*words, f'http://{LISTEN}/metrics')[0] == 405, words
    for other in ('/', '/v1/status', '/v1/reload', '/metrics/', '/../metrics'):
        assert fetch('--path-as-is', f'http://{LISTEN}{other}')[0] == 404, other
        assert fetch('--path-as-is', '-X', 'POST', f'http://{LISTEN}{other}')[0] == 404, other
    listeners = bed.router('ss', '-Hltn').stdout.split()
    assert LISTEN in listeners, listeners
    configure('127.0.0.1:9478')
    assert "'metrics.listen' cannot change while running" in bed.refused('reload')[1]
    configure(LISTEN)
    busy = bed.refused('run', '-c', path)[1]
    assert 'runs already' in busy, busy
    assert daemon.end() == 0
    configure('[::1]:9477')
    daemon = Daemon(bed, '-c', path)
    assert fetch('-g', 'http://[::1]:9477/metrics')[0] == 200
    assert daemon.end() == 0
    configure('0.0.0.0:9477')
    daemon = Daemon(bed, '-c', path)
    assert 'whoever reaches 0.0.0.0:9477 can read' in daemon.text(), daemon.text()
    assert daemon.end() == 0
    print('ok    on TCP only where asked for, and for reading')
finally:
    os.unlink(path)
