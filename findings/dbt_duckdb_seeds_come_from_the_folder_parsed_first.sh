#!/usr/bin/env bash
# dbt-duckdb 1.11.1: after a project was moved, `dbt seed` looks for the CSV in the folder where it was first parsed, though dbt-core
# itself reads it from where it is now.
#
# Seen (dbt-core 1.11.16, duckdb 2.0.0, Python 3.11): a project with one seed is seeded in folder a, with its target folder apart, then
# moved to folder b and seeded there.
#   config of the seed, and its CSV         outcome in b
#   fast: true (the default), the same      IO Error: No files found that match the pattern ".../a/seeds/one.csv"
#   fast: true, with other rows             loaded from b
#   fast: false, the same                   loaded from b
# Why: partial_parse.msgpack keeps each seed's root_path until the CSV itself changes. dbt-core no longer reads seeds from there, but the
# adapter's fast path joins that root_path with the file's name and hands it to read_csv.
# Why it matters here: a home keeps dbt's target folder, and an upgrade installs the code in another folder. A run then ended with a
# missing file; pipelines/statistics/run.py drops what was parsed elsewhere. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==2.0.0
export DBT_SEND_ANONYMOUS_USAGE_STATS=false
project() {  # folder, fast, the seed's only row
    mkdir -p "$1/seeds"
    printf 'name: p\nversion: "1.0.0"\nprofile: p\nseeds:\n  p:\n    +fast: %s\n' "$2" > "$1/dbt_project.yml"
    printf 'p:\n  target: d\n  outputs:\n    d: {type: duckdb, path: %s/db.duckdb}\n' "$work" > "$1/profiles.yml"
    printf 'id\n%s\n' "$3" > "$1/seeds/one.csv"
}
seed() {  # in a folder: prints what stands in the table afterwards, or that a file was looked for in the other one
    if (cd "$1" && ../venv/bin/dbt seed --profiles-dir . --target-path ../target > ../out 2>&1); then
        venv/bin/python -c 'import duckdb; print("loaded", duckdb.connect("db.duckdb").sql("select id from one").fetchall()[0][0])'
    elif grep -q "No files found" out && grep -q "/a/seeds/one.csv" out; then
        echo "looked in a"
    else
        cat out >&2
    fi
}
moved() {  # fast, the rows in a and in b
    rm -rf a b target db.duckdb
    project a "$1" "$2"
    seed a
    mv a b
    project b "$1" "$3"
    seed b
}
found=$(echo $(moved true 1 1; moved true 1 2; moved false 1 1))
echo "$found"
[ "$found" = "loaded 1 looked in a loaded 1 loaded 2 loaded 1 loaded 1" ]
