// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// `penstock bench page -o PAGE.html RESULT.json...`: results of benches as one HTML page that needs nothing
// else: charts as SVG, every figure in tables, what machine it was.
int bench_page(int argc, char **argv);
