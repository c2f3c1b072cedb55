// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/explain.h"

#include "host/modes/choose.h"

static void print_fix(const char *fix, FILE *stream)
{
	if (*fix)
		fprintf(stream, "; fix: %s", fix);
	fputc('\n', stream);
}

static void print_probe(const char *what, const struct probe *probe, FILE *stream)
{
	fprintf(stream, "    %-8s %-3s  %s", what, probe->possible ? "yes" : "no", probe->reason);
	print_fix(probe->fix, stream);
}

static void print_line(const char *what, const char *text, FILE *stream)
{
	fprintf(stream, "    %-8s      %s", what, text);
}

/* Only when there is more than a mode and the kernel behind it. */
static void print_tiers(const struct decision *decision, FILE *stream)
{
	if (decision->tiers < CHOOSE_TIERS)
		return;
	print_line("tiers", decision->tier[0], stream);
	for (unsigned int i = 1; i < decision->tiers; i++)
		fprintf(stream, ", then %s", decision->tier[i]);
	fputc('\n', stream);
}

void explain_port(const struct capability *port, const struct decision *decision, FILE *stream)
{
	fprintf(stream, "%s: %s (%s)\n", port->name, decision->option[decision->chosen].mode,
		decision->reason);
	for (unsigned int i = 0; i < decision->count; i++)
		print_probe(decision->option[i].mode, &decision->option[i].probe, stream);
	if (!decision->option[decision->chosen].engine)
		return;
	print_probe("egress", &decision->egress.able, stream);
	print_tiers(decision, stream);
	if (*decision->change) {
		print_line("change", decision->change, stream);
		fputc('\n', stream);
	}
	if (decision->effect) {
		print_line("effect", decision->effect, stream);
		fputc('\n', stream);
	}
	for (unsigned int i = 0; i < decision->notes; i++) {
		print_line("note", decision->note[i].text, stream);
		print_fix(decision->note[i].fix, stream);
	}
}
