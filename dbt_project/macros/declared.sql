{#
    The measures of a city (measures.csv), each with the contract it is over. Empty while dbt parses the project.
#}
{% macro declared_measures() %}
{%- set measures, factors, names = source('city', 'measures'), ref('int_carrier_factors'), ref('int_institution_names') -%}
{%- if not execute -%}{{ return([]) }}{%- endif -%}
{%- set by_dataset = {} -%}
{%- for c in contracts() -%}{%- do by_dataset.update({c.dataset: c}) -%}{%- endfor -%}
{%- set found = fromjson(run_query(json_of_relation(measures, 'measure')).rows[0][0] or '[]') -%}
{%- for m in found -%}{%- do m.update({'contract': by_dataset[m.dataset]}) -%}{%- endfor -%}
{{ return(found) }}
{% endmacro %}

{# The parts of a cell that lists several, separated by |. #}
{% macro listed(cell) %}
{%- set parts = [] -%}
{%- for part in (cell or '').split('|') if part | trim -%}{%- do parts.append(part | trim) -%}{%- endfor -%}
{{ return(parts) }}
{% endmacro %}

{# Who a row is about: `(site) a · b` of the subject's columns is no institution (int_indicator_parts). #}
{% macro subject_of(measure) %}
{%- set c = measure.contract -%}
{%- if measure.subject -%}
{%- set columns = [] -%}
{%- for column in listed(measure.subject) -%}{%- do columns.append('cast(records.' ~ name_of(column) ~ ' as string)') -%}{%- endfor -%}
'(subject) ' || concat_ws(' · ', {{ columns | join(', ') }})
{%- elif c.institution_name -%}
coalesce(names.org, records.{{ name_of(c.institution_name) }})
{%- elif c.institution_code -%}
records.{{ name_of(c.institution_code) }}
{%- else -%}
'(city)'
{%- endif -%}
{% endmacro %}

{# A SELECT of one measure's facts. Other sets of factors than `default` count in the total alone (int_energy_facts says why). #}
{% macro declared_facts(measure) %}
{%- set c = measure.contract -%}
{%- set columns = listed(measure.columns) -%}
{%- set terms, filled, carriers = [], [], [] -%}
{%- for column in columns -%}
{%- do filled.append(amount('records.' ~ name_of(column))) -%}
{%- do terms.append('coalesce(' ~ amount('records.' ~ name_of(column)) ~ ', 0)' ~ (' * factors.' ~ name_of('per_' ~ column) if measure.metric else '')) -%}
{%- do carriers.append('max(per_unit) filter (where carrier = ' ~ text_of(column) ~ ') as ' ~ name_of('per_' ~ column)) -%}
{%- endfor -%}
{%- set whole = 'case when coalesce(' ~ filled | join(', ') ~ ') is not null then ' ~ terms | join(' + ') ~ ' end' if columns else '1' -%}
{%- set values = [] -%}
{%- for value in listed(measure.only_values) -%}{%- do values.append(text_of(value)) -%}{%- endfor -%}
{%- if measure.only_column -%}
{%- set only = 'records.' ~ name_of(measure.only_column) -%}
{%- set whole = 'case when ' ~ only ~ ' in (' ~ values | join(', ') ~ ') then ' ~ whole ~ ' else 0 end' -%}
{%- endif -%}
{%- set counts = "factors.factor_set = 'default'" if measure.metric else 'true' -%}
{%- set broken = [{'breakdown': "''", 'breakdown_member': "''", 'counts': counts}] -%}
{%- for column in listed(measure.breakdowns) -%}
{%- do broken.append({'breakdown': text_of(column), 'breakdown_member': "coalesce(cast(records." ~ name_of(column) ~ " as string), 'unknown')", 'counts': counts}) -%}
{%- endfor -%}
{%- if measure.metric -%}{%- do broken.append({'breakdown': "'total'", 'breakdown_member': "'all'", 'counts': 'not ' ~ counts}) -%}{%- endif -%}
select
    {{ text_of(measure.measure) }} as measure, factor_set, year, org, breakdown, breakdown_member,
    {{ text_of(measure.dataset) }} as dataset, file_id, sheet,
    cast(sum(amount) as decimal(28, 6)) as amount, count(*) as records, closed,
    {{ collected_once('sheet_row', 'not closed') }} as sheet_rows
from (
    select
        {{ 'factors.factor_set' if measure.metric else "'none'" }} as factor_set,
        records._in_year as year,
        {{ subject_of(measure) }} as org,
        records._file as file_id,
        records._sheet as sheet,
        records._row as sheet_row,
        {{ 'not coalesce(records._is_open, false)' if c.published else 'true' }} as closed,
        cast({{ whole }} as decimal(28, 6)) as amount,
        {{ each_row(broken) }}
    from (
        select
            *,
            try_cast(left(cast({{ name_of(c.period) }} as string), 4) as integer) as _in_year,
            ({{ condition_of(c.opens_when or 'false') }}) as _is_open
        from {{ records_of(c) }}
    ) as records
    {% if measure.metric %}
    inner join (
        select factor_set, year, {{ carriers | join(', ') }}
        from {{ ref('int_carrier_factors') }}
        where metric = {{ text_of(measure.metric) }}
        group by factor_set, year
    ) as factors on factors.year = records._in_year
    {% endif %}
    {% if c.institution_name and not measure.subject %}
    left join {{ ref('int_institution_names') }} as names on names.org_name = records.{{ name_of(c.institution_name) }}
    {% endif %}
) as measured
where amount is not null and counts
group by factor_set, year, org, breakdown, breakdown_member, file_id, sheet, closed
{% endmacro %}
