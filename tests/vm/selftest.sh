#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The VM harness tests itself on both kernels: selftest.sh DROP_OBJECT
# Exit status 77: qemu or a kernel cannot be had, the reason is on standard error.
set -u
here=$(dirname "$0")
vm=$here/vm
drop_object=$(realpath "$1")
failures=0
guest=''
scratch=$(mktemp -d)
: > "$scratch/err"
trap '[ -z "$guest" ] || kill "$guest"; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP

expect() { # expect SERIES TEXT WANTED GOT
	if [ "$3" = "$4" ]; then
		echo "ok    $1  $2"
	else
		echo "FAIL  $1  $2: expected '$3', got '$4'"
		sed 's/^/      | /' "$scratch/err"
		failures=$((failures + 1))
	fi
}

# run SERIES [OPTION...] -- COMMAND...
# Leaves the guest's output in $scratch/out and $scratch/err, the exit status in $status.
run() {
	kernel=$1
	shift
	$vm run --kernel "$kernel" "$@" > "$scratch/out" 2> "$scratch/err"
	status=$?
}

for series in 6.1 6.12; do
	$vm run --kernel $series -- "$here/selftest_guest.sh" $series "$drop_object" 2> "$scratch/err"
	status=$?
	[ $status != 77 ] || { cat "$scratch/err" >&2; exit 77; }
	expect $series "the guest's own checks all pass" 0 $status

	# More than any buffer on the way; something that stays behind; a share and a place that is not shared.
	mkdir "$scratch/$series"
	run $series --share "$scratch/$series" -- sh -c 'cd "$1" && seq 100000 && echo complaint > /dev/stderr &&
		echo kept > kept && echo lost > ../lost && { sleep 1000 & } && exit 23' sh "$scratch/$series"
	expect $series "the exit status passes through" 23 $status
	expect $series "standard output is complete" "$(seq 100000 | cksum)" "$(cksum < "$scratch/out")"
	expect $series "standard error is separate" complaint "$(cat "$scratch/err")"
	expect $series "a shared directory is written" kept "$(cat "$scratch/$series/kept")"
	expect $series "nothing else is written" "" "$(ls "$scratch/lost" 2> /dev/null)"
done

run 6.12 -- sh -c 'kill -TERM $$'
expect 6.12 "a command ended by a signal: 128 + 15" 143 $status
run 6.12 -- sh -c 'echo c > /proc/sysrq-trigger'
expect 6.12 "a kernel panic: 125" 125 $status
expect 6.12 "a kernel panic is named" 1 "$(grep -c '^vm: .*kernel panic' "$scratch/err")"
run 6.12 -- busybox poweroff -f
expect 6.12 "a guest that switches itself off: 125" 125 $status
run 6.12 --timeout 1 -- sleep 1000
expect 6.12 "a guest that takes too long: 124" 124 $status

run 6.12 --smp 1 --memory 600M --verbose -- sh -c 'echo $(nproc) $(free -m | grep -c "Mem: *5[0-9][0-9] ")'
expect 6.12 "a guest of one CPU and 600 MB" "1 1" "$(cat "$scratch/out")"
expect 6.12 "the console is shown if asked for" 1 "$(grep -c 'Linux version 6\.12' "$scratch/err")"

run 6.12 --share "$scratch/nowhere" -- true
expect 6.12 "a share that is not there: 2" 2 $status
run 6.12
expect 6.12 "no command: 2" 2 $status
python3=$(python3 -c 'import sys; print(sys.executable)')
PATH=$scratch "$python3" "$vm" run --kernel 6.12 -- true 2> "$scratch/err"
expect 6.12 "no qemu: 77" 77 $?

# SIGTERM is what the harness can answer, SIGKILL is not.
for signal in TERM:15 KILL:9; do
	number=${signal#*:}
	signal=${signal%:*}
	mkfifo "$scratch/$signal"
	$vm run --kernel 6.12 -- sh -c 'echo started; sleep 1000' > "$scratch/$signal" 2> "$scratch/err" &
	guest=$!
	read -r _ < "$scratch/$signal"
	qemu=$(pgrep -P "$guest")
	expect 6.12 "SIG$signal: one qemu runs" 1 "$(echo "$qemu" | wc -w)"
	kill -s "$signal" "$guest"
	wait "$guest" 2> /dev/null
	expect 6.12 "SIG$signal: the exit status is 128 + N" $((128 + number)) $?
	guest=''
	timeout 10 tail --pid="$qemu" -f /dev/null
	expect 6.12 "SIG$signal: no qemu is left" "" "$(ps -o pid= -p "$qemu")"
done

[ $failures = 0 ]
