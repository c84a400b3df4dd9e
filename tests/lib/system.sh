# Library of the system tests: the real binaries, a private scratch folder, nothing left behind.
#
# A test is a bash script tests/system/NNN-name:
#
#   #!/usr/bin/env bash
#   # The monitoring room sees ... (which user sees what)
#   . "$(dirname "$0")/../lib/system.sh"
#   start_kpid
#   api_post /v1/events "$(event_line repair.opened r1)" >/dev/null
#   check "the ticket is known" api_get /v1/tickets/repair/r1
#   done_testing
#
# Results (TAP):
#   ok NAME, not_ok NAME        one result
#   check NAME COMMAND...       ok if the command succeeds; its output is shown if not
#   is NAME GOT WANT            ok if both are the same text
#   like NAME TEXT PATTERN      ok if the text matches the extended regular expression
#   skip NAME REASON            one result that could not be had here
#   skip_all REASON             ends the test as skipped
#   bail REASON                 ends the test as failed
#   done_testing                last line of every test: without it the test has failed
# Waiting (there is no sleep-and-hope):
#   wait_until CONDITION [S]    evaluates the condition until true; fails after S (10) seconds
#   wait_exit PID [S]           waits for a process of ours; its status is in $STATUS
# The daemon:
#   write_conf [TEXT]           $CONF: six KPIs, no source, everything in $SCRATCH; TEXT is added
#   start_kpid [OPTION...]      writes $CONF if there is none, starts kpid, waits until it answers;
#                               its pid is in $KPID_PID, its journal in $JOURNAL
#   stop_kpid [SIGNAL]          TERM by default; waits; its status is in $STATUS
#   kpid ARG..., kpictl ARG...  the binaries under test (kpictl with our socket)
#   journal_has PATTERN         true if the daemon's journal matches
# The socket ($SOCKET):
#   api_get PATH [CURL...]      body; fails on an HTTP error
#   api_post PATH DATA [CURL..] body; DATA as curl's --data-binary (@FILE, or text)
#   api_code METHOD PATH [CURL...]  the HTTP status alone
#   json EXPR                   filters standard input by a jq expression, raw
#   event_line TYPE TICKET [K=V...]  one event as JSON, at now unless at=...
#   rfc3339 [DATE-ARGUMENT]     an instant with milliseconds: rfc3339 "-2 hours"
# Hardware that does not exist (kpi-sim-bench):
#   start_bench ORDER...        starts it, and waits until all of it is there; links in $LINKS
#   bench ORDER...              words that make one order: bench lamp3 no-answer for 5s
#   bench_address NAME          IP:PORT or path of a port
# Others:
#   start NAME COMMAND...       a process in the background; output in $SCRATCH/NAME.log, pid in $PID
#   free_port                   a TCP port that nobody listens on
#   at_exit COMMAND             evaluated at the end, however it comes; the last one first
#   $SCRATCH $ROOT $KPID_BUILD  scratch folder, the source tree, the binaries
#   KEEP=1 in the environment keeps the scratch folder.

set -u
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
KPID_BUILD=${KPID_BUILD:-$ROOT/build/debug}
case $KPID_BUILD in /*) ;; *) KPID_BUILD=$ROOT/$KPID_BUILD ;; esac
# Short, because the path of a Unix socket has at most 107 bytes.
SCRATCH=$(mktemp -d /tmp/kpid-t.XXXXXX)
CONF=$SCRATCH/kpid.conf
SOCKET=$SCRATCH/kpid.sock
DATABASE=$SCRATCH/kpid.db
JOURNAL=$SCRATCH/kpid.log
LINKS=$SCRATCH/bench
KPID_PID=''
STATUS=0
export LC_ALL=C.UTF-8 TZ=UTC
unset NOTIFY_SOCKET LISTEN_FDS LISTEN_PID JOURNAL_STREAM WATCHDOG_USEC WATCHDOG_PID

system_results=0 system_failed=0 system_done=0
system_pids=()
system_at_exit=()

# --- Results

ok() {
    system_results=$((system_results + 1))
    echo "ok $system_results - $1"
}

not_ok() {
    system_results=$((system_results + 1))
    system_failed=$((system_failed + 1))
    echo "not ok $system_results - $1"
    return 0
}

check() {
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then
        ok "$what"
    else
        not_ok "$what"
        printf '%s\n' "command: $*" "$output" | sed 's/^/#   /'
    fi
}

is() {
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        not_ok "$1"
        printf '%s\n' "got:  $2" "want: $3" | sed 's/^/#   /'
    fi
}

like() {
    if printf '%s\n' "$2" | grep -Eq -- "$3"; then
        ok "$1"
    else
        not_ok "$1"
        printf '%s\n' "got:  $2" "want: /$3/" | sed 's/^/#   /'
    fi
}

skip() {
    system_results=$((system_results + 1))
    echo "ok $system_results - $1 # SKIP $2"
}

skip_all() {
    echo "1..0 # SKIP $1"
    system_done=1
    exit 0
}

bail() {
    echo "Bail out! $1"
    exit 1
}

done_testing() {
    echo "1..$system_results"
    system_done=1
    [ "$system_failed" = 0 ]
    exit
}

system_cleanup() {
    local status=$? pid i

    trap - EXIT INT TERM
    if [ "$system_done" = 0 ] || [ "$system_failed" != 0 ]; then
        [ "$status" != 0 ] || status=1
        if [ -s "$JOURNAL" ]; then
            echo "# the daemon's journal:"
            tail -n 40 "$JOURNAL" | sed 's/^/#   /'
        fi
    fi
    for pid in "${system_pids[@]}"; do
        kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    for ((i = ${#system_at_exit[@]} - 1; i >= 0; i--)); do
        eval "${system_at_exit[i]}"
    done
    if [ -n "${KEEP:-}" ]; then
        echo "# kept: $SCRATCH"
    else
        rm -rf "$SCRATCH"
    fi
    exit "$status"
}
trap system_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- Waiting

wait_until() {
    local condition=$1 end=$((SECONDS + ${2:-10}))

    until eval "$condition"; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "# waited ${2:-10} s in vain for: $condition"
            return 1
        fi
        sleep 0.05
    done
}

process_is_gone() {
    # A zombie of ours has ended; only its status waits to be read.
    [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

wait_exit() {
    if ! wait_until "process_is_gone $1" "${2:-10}"; then
        STATUS=timeout
        return 1
    fi
    { wait "$1"; STATUS=$?; } 2>/dev/null       # bash tells of those that were killed
}

start() {
    local name=$1
    shift
    "$@" >"$SCRATCH/$name.log" 2>&1 </dev/null &
    PID=$!
    system_pids+=("$PID")
}

# --- The daemon

kpid() {
    "$KPID_BUILD/kpid" "$@"
}

kpictl() {
    "$KPID_BUILD/kpictl" --socket "$SOCKET" "$@"
}

write_conf() {
    local group
    group=$(id -gn)
    cat >"$CONF" <<CONF
timezone = "Asia/Shanghai";
database = "$DATABASE";
socket = "$SOCKET";
socket_group = "$group";
admin_group = "$group";
kpis = (
  { id = "install_success"; counts = "install"; department = "installation";
    direction = "at_least"; rework_window = "7d"; min_sample = 1;
    name = { zh = "安装成功率"; en = "Installation success rate"; };
    targets = ( { from = "2026-01-01"; value = 0.98; } ); },
  { id = "repair_success"; counts = "repair"; department = "installation";
    direction = "at_least"; rework_window = "7d"; min_sample = 1;
    name = { zh = "维修成功率"; en = "Repair success rate"; };
    targets = ( { from = "2026-01-01"; value = 0.95; } ); },
  { id = "fault_rate"; counts = "device"; department = "technical";
    direction = "at_most"; confirm_after = "10min"; min_sample = 1;
    name = { zh = "总体故障率"; en = "Overall fault rate"; };
    targets = ( { from = "2026-01-01"; value = 0.03; } ); },
  { id = "lookup_accuracy"; counts = "lookup"; department = "monitoring";
    direction = "at_least"; expire_after = "60s"; min_sample = 1;
    name = { zh = "查车准确率"; en = "Vehicle look-up accuracy"; };
    targets = ( { from = "2026-01-01"; value = 0.99; } ); },
  { id = "dispatch_success"; counts = "dispatch"; department = "monitoring";
    direction = "at_least"; expire_after = "30min"; min_sample = 1;
    name = { zh = "叫车成功率"; en = "Dispatch success rate"; };
    targets = ( { from = "2026-01-01"; value = 0.9; } ); },
  { id = "inspection_success"; counts = "inspection"; department = "technical";
    direction = "at_least"; min_sample = 1;
    name = { zh = "设备返厂检测成功率"; en = "Inspection success rate"; };
    targets = ( { from = "2026-01-01"; value = 0.97; } ); }
);
week = { grace = "24h"; restate_horizon = "35d"; penalty_after = 3; };
${1:-}
CONF
}

# The journal is appended to, so that it tells of every start of a test.
start_kpid() {
    [ -e "$CONF" ] || write_conf
    "$KPID_BUILD/kpid" -c "$CONF" "$@" >>"$JOURNAL" 2>&1 </dev/null &
    KPID_PID=$!
    system_pids+=("$KPID_PID")
    wait_until 'kpid_answers || process_is_gone $KPID_PID' 30
    if ! kpid_answers; then
        wait_exit "$KPID_PID" 1
        bail "kpid did not start (status $STATUS)"
    fi
}

kpid_answers() {
    curl -s -o /dev/null --max-time 5 --unix-socket "$SOCKET" http://kpid/v1/status
}

stop_kpid() {
    kill "-${1:-TERM}" "$KPID_PID"
    wait_exit "$KPID_PID" 20
}

journal_has() {
    grep -Eq -- "$1" "$JOURNAL"
}

# --- The socket

api_get() {
    local path=$1
    shift
    curl -sS --fail-with-body --max-time 20 --unix-socket "$SOCKET" "$@" "http://kpid$path"
}

api_post() {
    local path=$1 data=$2
    shift 2
    curl -sS --fail-with-body --max-time 20 --unix-socket "$SOCKET" --data-binary "$data" \
        -H 'Content-Type: application/x-ndjson' "$@" "http://kpid$path"
}

api_code() {
    local method=$1 path=$2
    shift 2
    curl -sS -o /dev/null -w '%{http_code}' --max-time 20 --unix-socket "$SOCKET" \
        -X "$method" "$@" "http://kpid$path"
}

json() {
    jq -r "$@"
}

rfc3339() {
    date -u -d "${1:-now}" +%Y-%m-%dT%H:%M:%S.%3NZ
}

event_line() {
    local type=$1 ticket=$2 at more='' pair
    shift 2
    at=$(rfc3339)
    for pair in "$@"; do
        case $pair in
        at=*) at=${pair#at=} ;;
        *) more="$more,\"${pair%%=*}\":\"${pair#*=}\"" ;;
        esac
    done
    printf '{"source":"test","id":"%s-%s-%s","type":"%s","at":"%s","ticket":"%s"%s}\n' \
        "$type" "$ticket" "$(date +%s%N)" "$type" "$at" "$ticket" "$more"
}

# --- Hardware that does not exist

start_bench() {
    start sim-bench "$KPID_BUILD/kpi-sim-bench" --links "$LINKS" --control "$SCRATCH/bench.control" \
        --ready "$SCRATCH/bench.ready" "$@"
    wait_until '[ -e "$SCRATCH/bench.ready" ] || process_is_gone "$PID"' 30
    [ -e "$SCRATCH/bench.ready" ] || bail "kpi-sim-bench: $(cat "$SCRATCH/sim-bench.log")"
}

bench() {
    "$KPID_BUILD/kpi-sim-bench" --tell "$SCRATCH/bench.control" "$@"
}

bench_address() {
    sed -n "s/^$1 //p" "$SCRATCH/bench.ready"
}

# --- Others

at_exit() {
    system_at_exit+=("$1")
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
