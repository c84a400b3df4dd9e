# bash completion of kpictl(1); printed by `kpictl completion bash`.
_kpictl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} sub= words= i

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --socket) i=$((i + 1)) ;;
        -*) ;;
        *) sub=${COMP_WORDS[i]}; break ;;
        esac
    done

    case $sub:$prev in
        *:--socket) words=@files ;;
        sources:poll) words="$(kpictl completion sources 2>/dev/null)" ;;
        bench:start|bench:cancel) words="$(kpictl completion slots 2>/dev/null)" ;;
        appraisal:--month) words="" ;;
        appraisal:--post) words="" ;;
        appraisal:--week) words="" ;;
        audit:--cursor) words="" ;;
        audit:--limit) words="" ;;
        bench:--device) words="" ;;
        bench:--kind) words="install repair" ;;
        bench:--model) words="" ;;
        bench:--staff) words="" ;;
        bench:--ticket) words="" ;;
        bench:--vehicle) words="" ;;
        devices:--cursor) words="" ;;
        devices:--limit) words="" ;;
        devices:--model) words="" ;;
        devices:--site) words="" ;;
        devices:--state) words="in_service faulty out_of_service" ;;
        exclude:--from) words="" ;;
        exclude:--kind) words="install repair lookup dispatch inspection" ;;
        exclude:--reason) words="" ;;
        exclude:--site) words="" ;;
        exclude:--undo) words="" ;;
        exclude:--until) words="" ;;
        explain:--cursor) words="" ;;
        explain:--limit) words="" ;;
        explain:--revision) words="" ;;
        facts:--cursor) words="" ;;
        facts:--kind) words="day week month year" ;;
        facts:--kpi) words="$(kpictl completion kpis 2>/dev/null)" ;;
        facts:--limit) words="" ;;
        facts:--scope) words="company site: department: staff: model:" ;;
        lookup:--for) words="" ;;
        lookup:--near) words="" ;;
        quarantine:--cursor) words="" ;;
        quarantine:--file) words=@files ;;
        quarantine:--limit) words="" ;;
        quarantine:--reason) words="" ;;
        record:--at) words="" ;;
        record:--by) words="" ;;
        record:--code) words="" ;;
        record:--department) words="" ;;
        record:--device) words="" ;;
        record:--evidence) words="" ;;
        record:--file) words=@files ;;
        record:--id) words="" ;;
        record:--model) words="" ;;
        record:--outcome) words="success failure excluded" ;;
        record:--reason) words="" ;;
        record:--site) words="" ;;
        record:--source) words="" ;;
        record:--staff) words="" ;;
        record:--ticket) words="" ;;
        record:--vehicle) words="" ;;
        ticket:--outcome) words="success failure excluded" ;;
        ticket:--reason) words="" ;;
        watch:--kpi) words="$(kpictl completion kpis 2>/dev/null)" ;;
        watch:--scope) words="company site: department: staff: model:" ;;
        week:--reason) words="" ;;
        *)
            case $sub:$cur in
            :*) words="appraisal audit bench completion devices exclude explain facts help lookup quarantine record sources status ticket watch week --help --json --socket" ;;
            appraisal:-*) words=" --month --post --week --help --json --socket" ;;
            audit:-*) words=" --cursor --limit --help --json --socket" ;;
            audit:*) words="verify" ;;
            bench:-*) words=" --device --kind --model --staff --ticket --vehicle --watch --help --json --socket" ;;
            bench:*) words="start cancel" ;;
            completion:-*) words=" --help --json --socket" ;;
            completion:*) words="bash" ;;
            devices:-*) words=" --cursor --faulty --limit --model --site --state --help --json --socket" ;;
            exclude:-*) words=" --from --kind --reason --site --undo --until --help --json --socket" ;;
            explain:-*) words=" --cursor --failures --limit --revision --help --json --socket" ;;
            explain:*) words="$(kpictl completion kpis 2>/dev/null)" ;;
            facts:-*) words=" --all --cursor --kind --kpi --limit --scope --help --json --socket" ;;
            help:-*) words=" --help --json --socket" ;;
            help:*) words="$(kpictl completion commands 2>/dev/null)" ;;
            lookup:-*) words=" --for --map --near --help --json --socket" ;;
            quarantine:-*) words=" --cursor --file --limit --reason --help --json --socket" ;;
            quarantine:*) words="list show resubmit dismiss" ;;
            record:-*) words=" --at --by --code --department --device --evidence --file --id --model --outcome --reason --site --source --staff --ticket --vehicle --help --json --socket" ;;
            record:*) words="$(kpictl completion types 2>/dev/null)" ;;
            sources:-*) words=" --help --json --socket" ;;
            sources:*) words="poll" ;;
            status:-*) words=" --help --json --socket" ;;
            ticket:-*) words=" --outcome --reason --help --json --socket" ;;
            ticket:*) words="amend install repair lookup dispatch inspection" ;;
            watch:-*) words=" --kpi --scope --help --json --socket" ;;
            week:-*) words=" --reason --help --json --socket" ;;
            week:*) words="note restate seal show" ;;
            esac ;;
    esac

    if [[ $words == @files ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
    else
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
    fi
}
complete -F _kpictl kpictl
