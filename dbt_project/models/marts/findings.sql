-- What the figures of a dataset show to whoever reads them closely, where every row of it is public: the numbers here come from public
-- rows alone. What rests on several columns is told where all that are kept are public, what is about one column where that one is.
-- A warning about a row counts where the row is public.
{% set parts = [] %}
{%- for c in contracts() if c.published -%}
{%- set named, inner = ["''"], [] -%}
{%- for column in c.columns -%}
{%- if column.published -%}{%- do named.append(text_of(column.column)) -%}{%- elif column.access != 'L3' -%}{%- do inner.append(column.column) -%}{%- endif -%}
{%- endfor -%}
{%- set part -%}
select *
from {{ source('intake', 'findings') }}
where
    dataset = {{ text_of(c.dataset) }}
    and ({{ name_of('column') }} is null or {{ name_of('column') }} in ({{ named | join(', ') }}))
    {%- if inner %}
    and kind not in ('rule', 'calculated', 'repeats')
    {%- endif %}
    and not exists (select 1 from {{ records_of(c) }} where not coalesce({{ condition_of(c.opens_when) }}, false))
    and (
        {{ name_of('row') }} is null
        or (file_id, sheet, {{ name_of('row') }}) in (select _file, _sheet, _row from {{ records_of(c) }})
    )
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
with told as (
{{ one_below_the_other(parts, "select * from " ~ source('intake', 'findings') ~ " where false") }}
)

select
    told.dataset,
    coalesce({{ json_text('told.facts', 'year') }}, told.period) as period,
    told.kind,
    {{ json_text('told.facts', 'rule') }} as rule,
    told.{{ name_of('column') }},
    {{ json_text('told.facts', 'columns') }} as columns,
    cast(sum(coalesce(cast({{ json_text('told.facts', 'count') }} as bigint), 1)) as bigint) as findings,
    cast(sum(cast({{ json_text('told.facts', 'of') }} as bigint)) as bigint) as compared,
    cast({{ json_text('told.facts', 'value') }} as double) as value,
    cast({{ json_text('told.facts', 'other') }} as double) as other_value,
    cast({{ json_text('told.facts', 'other_year') }} as string) as other_period,
    told.file_id as file,
    told.sheet,
    min(told.{{ name_of('row') }}) as sheet_row,
    coalesce(files.synthetic, false) as synthetic,
    cast(null as string) as sentence_zh,
    cast(null as string) as sentence_en
from told
left join {{ source('intake', 'files') }} as files on files.file_id = told.file_id
group by all
order by all
