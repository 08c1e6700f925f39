-- The facts of the measures that a city declares (measures.csv of its folder), in the one shape of int_facts. A measure counts the rows
-- of a dataset, or adds up columns of it; with a metric each column is a carrier, taken times its factor of the year. Whoever a
-- row is about is the institution it names, else the columns called its subject, else the city.
-- Where only some rows are meant the others count as nothing, so that they stand in the denominator of a share.
{% set parts = [] %}
{%- for m in declared_measures() -%}
{%- do parts.append(declared_facts(m)) -%}
{%- endfor -%}
{{ one_below_the_other(parts, "select '' as measure, '' as factor_set, 0 as year, '' as org, '' as breakdown, '' as breakdown_member, '' as dataset, '' as file_id, '' as sheet, cast(0 as decimal(28, 6)) as amount, cast(0 as bigint) as records, false as closed, " ~ no_numbers() ~ " as sheet_rows where false") }}
