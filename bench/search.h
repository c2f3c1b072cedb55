// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// Finds the highest rate that a router forwards, after MLRsearch (draft-ietf-bmwg-mlrsearch) as FD.io CSIT
// uses it. A rate is good when trials of it that sum up to `sum` seconds lost no more than `loss` in more
// than half of that time; the answer lies between a good rate and a bad one that are no more than `width`
// apart.

struct search_goal {
	double loss;  // part of the packets that may get lost; 0: none
	double trial; // seconds of a trial
	double sum;   // seconds of all trials of one rate that decides
	double width; // (high - low) / high
};

// What RFC 2544 calls throughput and CSIT the non-drop rate; and the partial drop rate.
#define SEARCH_NDR ((struct search_goal){ .loss = 0, .trial = 1, .sum = 21, .width = 0.005 })
#define SEARCH_PDR ((struct search_goal){ .loss = 0.005, .trial = 1, .sum = 21, .width = 0.005 })

struct search_trial {
	double offered; // packets a second that were really sent
	double loss;    // part of them that did not arrive
};

struct search_result {
	double low;  // the highest rate that was good; 0: not even the lowest was
	double high; // the lowest that was bad; 0: none was, the router takes whatever is offered
	unsigned int trials;
};

// Runs a trial at a rate; a negative errno ends the search.
typedef int search_run(void *arg, double rate, double seconds, struct search_trial *ret_trial);

// Searches between two rates.
int search(const struct search_goal *goal, double least, double most, search_run *run, void *arg,
	   struct search_result *ret_result);
