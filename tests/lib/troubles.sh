# Tables of troubles of simulated hardware, and what people see of each. Each row has a source of its
# own, so that all of them happen at once and a table takes no longer than its slowest row.
#
#   troubles TABLE              rows "SOURCE | STATE | WHY | ORDER": by ORDER (of kpi-sim-bench; "%" in
#                               it is SOURCE) the source goes to STATE, and says why (an extended
#                               regular expression); once all is mended it is well by itself. The
#                               journal tells of the change and of its end, once each.
#
# Include after system.sh.

# The present state of every source, as "NAME STATE WHY" in sources_now[NAME].
declare -A sources_now
look_at_sources() {
    local name state why

    sources_now=()
    while IFS=$'\t' read -r name state why; do
        sources_now[$name]="$state $why"
    done < <(api_get /v1/sources | json '.sources[] | [.name, .state, .why] | @tsv')
}

# Whether every row of the table is as it shall be: rows_are COLUMN-OF-STATE|well.
declare -a rows
rows_are() {
    local row source state why

    look_at_sources
    for row in "${rows[@]}"; do
        IFS='|' read -r source state why _ <<<"$row"
        if [ "$1" = well ]; then
            [[ ${sources_now[$source]:-} == well\ * ]] || return 1
        else
            [[ ${sources_now[$source]:-} =~ ^$state\ .*($why) ]] || return 1
        fi
    done
}

# One result for each row, from what look_at_sources saw last.
judge_rows() {
    local row source state why order

    for row in "${rows[@]}"; do
        IFS='|' read -r source state why order <<<"$row"
        if [ "$1" = well ]; then
            like "$source is well again by itself" "${sources_now[$source]:-}" '^well '
        else
            like "${order//%/$source}: $state" "${sources_now[$source]:-}" "^$state .*($why)"
        fi
    done
}

judge_journal() {
    local row source state

    for row in "${rows[@]}"; do
        IFS='|' read -r source state _ <<<"$row"
        [ "$state" != well ] || continue
        is "the journal says once that $source is $state" "$(grep -c " $source is $state: " "$JOURNAL")" 1
        is "and once that it is well again" "$(grep -c " $source is well again" "$JOURNAL")" 1
    done
}

troubles() {
    local orders='' row source order

    mapfile -t rows < <(sed 's/^ *//; s/ *| */|/g; /^$/d; /^#/d' <<<"$1")
    wait_until 'rows_are well' 30 || look_at_sources
    for row in "${rows[@]}"; do
        source=${row%%|*} order=${row##*|}
        orders+="${order//%/$source}; "
    done
    bench "$orders" || bail "an order of the table is none"
    wait_until 'rows_are so' 30
    judge_rows so
    bench all mend
    wait_until 'rows_are well' 40
    judge_rows well
    judge_journal
}
