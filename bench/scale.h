// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// `penstock bench scale`: rates against the size of the table.
int bench_scale(int argc, char **argv);
