#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The page that `bench page` makes of results: charts say what the figures say, nothing is loaded from anywhere, names
cannot break out of it, and a browser draws it. COMMAND is what takes "page" as its next argument.
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
import zlib

COMMAND = sys.argv[1:]
NASTY = 'odd <script>alert(1)</script>"& rate'


def figure(name, value, unit='1/s', relative=False):
    return {'name': name, 'unit': unit, 'better': 'more', 'relative': relative,
            'values': [value * (1 + k / 100) for k in range(-2, 3)]}


def record(path, routes, rates):
    figures = [figure(f'forward IPv4 {routes}-routes {name} rate', rate) for name, rate in rates.items()]
    with open(path, 'w') as out:
        json.dump({'bench': 'forward', 'version': 1, 'penstock': '0', 'figures': figures + [figure(NASTY, 1e6)],
                   'machine': {'cpu': 'A <CPU>', 'cpus': 2, 'kernel': 'Linux', 'mitigations': {'x': 'y & z'}}}, out)


def others(path):
    """What is no rate of bench forward: modes by size, latencies, CPUs, a course, goals."""
    figures = []
    for size, rate in (('64-bytes', 4e5), ('imix', 2e5)):
        for name, share in (('penstock', 1), ('kernel', 0.5)):
            front = f'modes IPv6 16384-routes leaf {size} {name}'
            what = 'PDR-at-least' if size == 'imix' and name == 'penstock' else 'PDR'
            figures += [figure(f'{front} {what}', rate * share)]
            figures += [figure(f'{front} latency-at-{load}% p99', 1000 / (100 - load) / share, 'us')
                        for load in (0, 10, 50, 90)]
    figures += [figure(f'cpus IPv4 1-routes {cpus} penstock rate', cpus * 1e6) for cpus in (1, 2)]
    goals = [{'name': f'goal {passed}', 'value': 1, 'sense': 'at most', 'goal': 2, 'pass': passed} for passed in (True, False)]
    course = {'event': 'kill', 'text': 'kill -9', 'arrived': {'ms': [10, 20, 30], 'rate': [1000, 0, 2000]}}
    with open(path, 'w') as out:
        json.dump({'bench': 'modes', 'version': 1, 'penstock': '0', 'machine': {'cpu': 'A <CPU>', 'kernel': 'Linux', 'testpmd': 'DPDK 1.2.3'}, 'figures': figures, 'goals': goals, 'ports': {'tx': 'eth<2>', 'rx': 'eth3', 'dut': None},
                   'rate': 1000, 'before': 0.015, 'courses': [course]}, out)


def make(directory):
    paths = [os.path.join(directory, f'{routes}.json') for routes in (1, 1000, 1171945)]
    record(paths[0], 1, {'penstock': 4e6, 'kernel': 1e6})
    record(paths[1], 1000, {'penstock': 3e6, 'kernel': 9e5})
    record(paths[2], 1171945, {'penstock': 2e6, 'kernel': 5e5})
    paths.append(os.path.join(directory, 'others.json'))
    others(paths[-1])
    page = os.path.join(directory, 'page.html')
    subprocess.run(COMMAND + ['page', '-o', page, *paths], check=True)
    return page


def charts(text):
    return [xml.fromstring(svg) for svg in re.findall(r'<svg.*?</svg>', text, re.S)]


def test_charts(text):
    found = {chart.get('aria-label'): chart for chart in charts(text)}
    assert 'IPv4, 1,171,945 routes' in found and 'IPv4, 1 route' in found, list(found)
    widths = [float(bar.get('width')) for bar in found['IPv4, 1 route'].iter('rect')]
    assert abs(widths[0] / widths[1] - 4) < 0.01, widths
    lines = list(found['IPv4: packets a second by number of routes'].iter('polyline'))
    heights = [float(point.split(',')[1]) for point in lines[0].get('points').split()]
    assert len(heights) == 3 and heights == sorted(heights), heights  # y grows downwards


def test_machine(text):
    """What only another record of the same machine knows is told, too."""
    assert '<td>testpmd</td><td>DPDK 1.2.3</td>' in text and '<td>x</td><td>y &amp; z</td>' in text


def heights(chart):
    return [[float(point.split(',')[1]) for point in line.get('points').split()] for line in chart.iter('polyline')]


def test_other_charts(text):
    found = {chart.get('aria-label'): chart for chart in charts(text)}
    widths = [float(bar.get('width')) for bar in found['IPv6, 16,384 routes, leaf'].iter('rect')]
    assert [round(width / widths[3], 1) for width in widths] == [4, 2, 2, 1], widths  # a subject with each size, then the next
    words = [''.join(label.itertext()) for label in found['IPv6, 16,384 routes, leaf'].iter('text')]
    assert '> 0.2 Mpps' in words and '0.4 Mpps' in words, words
    for size in ('64-bytes', 'imix'):
        ours, kernel = heights(found[f'IPv6, 16,384 routes, leaf {size}'])
        assert len(ours) == 4 and ours == sorted(ours, reverse=True), ours
        assert all(mine > other for mine, other in zip(ours, kernel)), (ours, kernel)
    two, = heights(found['IPv4, 1 route: packets a second by number of CPUs'])
    assert len(two) == 2 and two[1] < two[0], two
    course, = heights(found['kill -9'])
    assert course[2] < course[0] < course[1], course
    assert 'Goals: 1 of 2 met' in text
    assert 'from port eth&lt;2&gt; to port eth3 of the machine, through a router that is another machine. ' in text
    assert text.count('Measured between network namespaces') == 1  # the others


def test_nothing_from_elsewhere(text):
    assert '<script' not in text and 'A &lt;CPU&gt;' in text and 'y &amp; z' in text
    assert not re.search(r'(src|href)=|url\(|@import', text)


def unfilter(kind, row, above, size):
    """One row of a PNG, in place; size: bytes of a pixel."""
    for k in range(len(row)):
        left, up = row[k - size] if k >= size else 0, above[k]
        corner = above[k - size] if k >= size else 0
        guess = left + up - corner
        nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
        row[k] = row[k] + (0, left, up, (left + up) // 2, nearest)[kind] & 255


def pixels(path):
    """Size and rows of an 8-bit RGB or RGBA PNG."""
    with open(path, 'rb') as file:
        data = file.read()
    assert data[:8] == b'\x89PNG\r\n\x1a\n'
    width, height, depth, colour = struct.unpack('>IIBB', data[16:26])
    assert depth == 8 and colour in (2, 6)
    size, chunks, at = {2: 3, 6: 4}[colour], b'', 8
    while at < len(data):
        length, kind = struct.unpack('>I4s', data[at:at + 8])
        chunks += data[at + 8:at + 8 + length] if kind == b'IDAT' else b''
        at += 12 + length
    packed, stride, rows = zlib.decompress(chunks), 1 + width * size, [bytearray(width * size)]
    for start in range(0, height * stride, stride):
        row = bytearray(packed[start + 1:start + stride])
        unfilter(packed[start], row, rows[-1], size)
        rows.append(row)
    return width, height, rows[1:]


def test_browser(page, directory):
    picture = os.path.join(directory, 'page.png')
    subprocess.run(['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', f'--user-data-dir={directory}/c',
                    '--window-size=900,1200', f'--screenshot={picture}', f'file://{page}'], check=True, timeout=90,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    width, height, rows = pixels(picture)
    assert (width, height) == (900, 1200)
    assert any(bytes.fromhex('0b7285') in row for row in rows), 'the colour of our bars is nowhere'
    assert len(set(map(bytes, rows))) > 200, 'the page is nearly blank'


def test_odd_records(directory):
    """The same result again and again, and a table without routes."""
    paths = [os.path.join(directory, name) for name in ('again.json', 'none.json')]
    others(paths[0])
    record(paths[1], 0, {'penstock': 4e6})
    done = subprocess.run(COMMAND + ['page', '-o', '-', *paths[:1] * 40, paths[1]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.returncode
    found = {chart.get('aria-label'): chart for chart in charts(done.stdout)}
    assert len(list(found['IPv6, 16,384 routes, leaf'].iter('rect'))) == 4


def test_refuses():
    for arguments in ([], ['-o', 'x'], ['-o', '/dev/null', '/nonexistent'], ['-o', '/dev/null', '/etc/passwd'], ['x']):
        done = subprocess.run(COMMAND + ['page', *arguments], capture_output=True, text=True)
        assert done.returncode == 2 and done.stderr, f'{arguments}: {done}'


with tempfile.TemporaryDirectory() as scratch:
    made = make(scratch)
    with open(made) as file:
        html = file.read()
    test_charts(html)
    test_other_charts(html)
    test_machine(html)
    test_nothing_from_elsewhere(html)
    test_odd_records(scratch)
    test_refuses()
    if not shutil.which('chromium'):
        print('skipped: no chromium to draw the page; apt-get install chromium')
        sys.exit(77)
    test_browser(made, scratch)
