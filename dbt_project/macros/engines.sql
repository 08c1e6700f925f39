{#
    What DuckDB and Spark write differently, one macro each: every model is written once, for both. `default__` is DuckDB's, which
    a city and a province run on; `spark__` is Spark's (4.3 or newer; docs/scale.md). What is not here both understand alike. Nulls are sorted last by the one and first
    by the other: an order that may meet nulls names where they go.
#}

{# Names, texts and patterns. Spark reads a backslash in a text as an escape, but not in one with r before it. #}
{% macro pattern_of(text) %}{{ return(adapter.dispatch('pattern_of', 'mingzhang')(text)) }}{% endmacro %}
{% macro default__pattern_of(text) %}'{{ text | replace("'", "''") }}'{% endmacro %}
{% macro spark__pattern_of(text) %}r'{{ text }}'{% endmacro %}

{#
    A condition or name of SQL that came from elsewhere (contracts, tests), whose names are between double quotes. dbt-spark turns ANSI mode
    off, and then those are texts: what opens a dataset's rows would be true of every row.
#}
{% macro condition_of(sql) %}{{ return(adapter.dispatch('condition_of', 'mingzhang')(sql)) }}{% endmacro %}
{% macro default__condition_of(sql) %}{{ sql }}{% endmacro %}
{% macro spark__condition_of(sql) -%}
{%- for part in sql.split("'") -%}
{{ part if loop.index is even else part | replace('"', '`') }}{{ "'" if not loop.last }}
{%- endfor -%}
{%- endmacro %}

{# `text` with every match of the `pattern` replaced; \1 in `by` is its first group. #}
{% macro replace_all(text, pattern, by) %}{{ return(adapter.dispatch('replace_all', 'mingzhang')(text, pattern, by)) }}{% endmacro %}
{% macro default__replace_all(text, pattern, by) %}regexp_replace({{ text }}, {{ pattern_of(pattern) }}, {{ by }}, 'g'){% endmacro %}
{% macro spark__replace_all(text, pattern, by) %}regexp_replace({{ text }}, {{ pattern_of(pattern) }}, {{ by | replace('\\1', '$1') | replace('\\2', '$2') }}){% endmacro %}

{# A row for each match of a pattern (of no groups) in a text. #}
{% macro each_match(text, pattern) %}{{ return(adapter.dispatch('each_match', 'mingzhang')(text, pattern)) }}{% endmacro %}
{% macro default__each_match(text, pattern) %}unnest(regexp_extract_all({{ text }}, {{ pattern_of(pattern) }})){% endmacro %}
{% macro spark__each_match(text, pattern) %}explode(regexp_extract_all({{ text }}, {{ pattern_of(pattern) }}, 0)){% endmacro %}

{% macro begins_with(text, begin) %}{{ return(adapter.dispatch('begins_with', 'mingzhang')(text, begin)) }}{% endmacro %}
{% macro default__begins_with(text, begin) %}starts_with({{ text }}, {{ begin }}){% endmacro %}
{% macro spark__begins_with(text, begin) %}startswith({{ text }}, {{ begin }}){% endmacro %}

{# The month of a date as 2024-03. #}
{% macro month_of(day) %}{{ return(adapter.dispatch('month_of', 'mingzhang')(day)) }}{% endmacro %}
{% macro default__month_of(day) %}strftime({{ day }}, '%Y-%m'){% endmacro %}
{% macro spark__month_of(day) %}date_format({{ day }}, 'yyyy-MM'){% endmacro %}

{# Months by the calendar between two dates, whatever their days: 31 January to 1 February is one. #}
{% macro months_between_dates(first, last) -%}
(12 * (extract(year from {{ last }}) - extract(year from {{ first }})) + extract(month from {{ last }}) - extract(month from {{ first }}))
{%- endmacro %}

{# The columns of a relation but some. #}
{% macro all_but(relation, columns) %}{{ return(adapter.dispatch('all_but', 'mingzhang')(relation, columns)) }}{% endmacro %}
{% macro default__all_but(relation, columns) %}{{ relation ~ '.' if relation }}* exclude ({{ columns | join(', ') }}){% endmacro %}
{% macro spark__all_but(relation, columns) %}{{ relation ~ '.' if relation }}* except ({{ columns | join(', ') }}){% endmacro %}

{# A common table expression that each reader works out for itself: the planner is to see through it. #}
{% macro as_inlined() %}{{ return(adapter.dispatch('as_inlined', 'mingzhang')()) }}{% endmacro %}
{% macro default__as_inlined() %}as not materialized{% endmacro %}
{% macro spark__as_inlined() %}as{% endmacro %}

{# Lists. Spark leaves nulls out of what it collects; where one may come, filter it out. #}
{% macro collected(value) %}{{ return(adapter.dispatch('collected', 'mingzhang')(value)) }}{% endmacro %}
{% macro default__collected(value) %}list({{ value }}){% endmacro %}
{% macro spark__collected(value) %}collect_list({{ value }}){% endmacro %}

{# The lists of a group as one; null where it has none. Of none Spark collects an empty list, and DuckDB null. #}
{% macro flattened(lists) %}{{ return(adapter.dispatch('flattened', 'mingzhang')(lists)) }}{% endmacro %}
{% macro default__flattened(lists) %}flatten(list({{ lists }}) filter (where {{ lists }} is not null)){% endmacro %}
{% macro spark__flattened(lists) %}flatten(nullif(collect_list({{ lists }}), array())){% endmacro %}

{% macro collected_in_order(value) %}{{ return(adapter.dispatch('collected_in_order', 'mingzhang')(value)) }}{% endmacro %}
{% macro default__collected_in_order(value) %}list({{ value }} order by {{ value }}){% endmacro %}
{% macro spark__collected_in_order(value) %}array_sort(collect_list({{ value }})){% endmacro %}

{# Texts of a group, joined in their order; `distinct` for each once. #}
{% macro joined_in_order(text, separator, distinct=false, only=none) %}{{ return(adapter.dispatch('joined_in_order', 'mingzhang')(text, separator, distinct, only)) }}{% endmacro %}
{% macro default__joined_in_order(text, separator, distinct, only) -%}
string_agg({{ 'distinct ' if distinct }}{{ text }}, '{{ separator }}' order by {{ text }}){% if only %} filter (where {{ only }}){% endif %}
{%- endmacro %}
{% macro spark__joined_in_order(text, separator, distinct, only) -%}
nullif(array_join(array_sort({{ 'collect_set' if distinct else 'collect_list' }}({{ text }}){% if only %} filter (where {{ only }}){% endif %}), '{{ separator }}'), '')
{%- endmacro %}

{# A list of values written out, the type of a list of whole numbers, how many a list has, and a row for each. #}
{% macro list_of(values) %}{{ return(adapter.dispatch('list_of', 'mingzhang')(values)) }}{% endmacro %}
{% macro default__list_of(values) %}[{{ values | join(', ') }}]{% endmacro %}
{% macro spark__list_of(values) %}array({{ values | join(', ') }}){% endmacro %}

{% macro no_numbers() %}{{ return(adapter.dispatch('no_numbers', 'mingzhang')()) }}{% endmacro %}
{% macro default__no_numbers() %}cast(null as bigint[]){% endmacro %}
{% macro spark__no_numbers() %}cast(null as array<bigint>){% endmacro %}

{% macro length_of_list(list) %}{{ return(adapter.dispatch('length_of_list', 'mingzhang')(list)) }}{% endmacro %}
{% macro default__length_of_list(list) %}len({{ list }}){% endmacro %}
{% macro spark__length_of_list(list) %}array_size({{ list }}){% endmacro %}

{% macro each_of(list) %}{{ return(adapter.dispatch('each_of', 'mingzhang')(list)) }}{% endmacro %}
{% macro default__each_of(list) %}unnest({{ list }}){% endmacro %}
{% macro spark__each_of(list) %}explode({{ list }}){% endmacro %}

{# A row for each whole number from `first` to `last`, none where `last` is less. #}
{% macro each_number(first, last) %}{{ return(adapter.dispatch('each_number', 'mingzhang')(first, last)) }}{% endmacro %}
{% macro default__each_number(first, last) %}unnest(range({{ first }}, {{ last }} + 1)){% endmacro %}
{% macro spark__each_number(first, last) %}explode(case when {{ first }} <= {{ last }} then sequence({{ first }}, {{ last }}) end){% endmacro %}

{# A row for each day from `first` to `last`, `step` (`7 day`, `1 month`) apart. #}
{% macro each_day(first, last, step) %}{{ return(adapter.dispatch('each_day', 'mingzhang')(first, last, step)) }}{% endmacro %}
{% macro default__each_day(first, last, step) %}unnest(generate_series({{ first }}, {{ last }}, interval {{ step }})){% endmacro %}
{% macro spark__each_day(first, last, step) %}explode(sequence({{ first }}, {{ last }}, interval {{ step }})){% endmacro %}

{# Rows of a few columns each, as columns: `rows` are mappings from a column's name to SQL, all with the same names. #}
{% macro each_row(rows) %}{{ return(adapter.dispatch('each_row', 'mingzhang')(rows)) }}{% endmacro %}
{% macro default__each_row(rows) -%}
unnest([
    {%- for row in rows %}
            { {%- for name, value in row.items() %}'{{ name }}': {{ value }}{{ ', ' if not loop.last }}{% endfor -%} }{{ ',' if not loop.last }}
    {%- endfor %}
        ], recursive := true)
{%- endmacro %}
{% macro spark__each_row(rows) -%}
inline(array(
    {%- for row in rows %}
            named_struct({% for name, value in row.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %}){{ ',' if not loop.last }}
    {%- endfor %}
        ))
{%- endmacro %}

{# The first value of a window that is not null. #}
{% macro first_known(value, window) %}{{ return(adapter.dispatch('first_known', 'mingzhang')(value, window)) }}{% endmacro %}
{% macro default__first_known(value, window) %}first_value({{ value }} ignore nulls) over {{ window }}{% endmacro %}
{% macro spark__first_known(value, window) %}first_value({{ value }}) ignore nulls over {{ window }}{% endmacro %}

{# Whole numbers of 38 digits: their type, and the quotient of two that are not negative, without its rest. #}
{% macro big_number() %}{{ return(adapter.dispatch('big_number', 'mingzhang')()) }}{% endmacro %}
{% macro default__big_number() %}hugeint{% endmacro %}
{% macro spark__big_number() %}decimal(38, 0){% endmacro %}

{% macro whole_quotient(above, below) %}{{ return(adapter.dispatch('whole_quotient', 'mingzhang')(above, below)) }}{% endmacro %}
{% macro default__whole_quotient(above, below) %}({{ above }} // {{ below }}){% endmacro %}
{# Spark divides decimals to six places, rounded; without the rest the quotient is whole, so that nothing is. #}
{% macro spark__whole_quotient(above, below) %}cast((({{ above }}) - ({{ above }}) % ({{ below }})) / ({{ below }}) as decimal(38, 0)){% endmacro %}

{# -1, 0 or 1: Spark's sign() is a double, and times a double a decimal is one. #}
{% macro sign_of(number) %}{{ return(adapter.dispatch('sign_of', 'mingzhang')(number)) }}{% endmacro %}
{% macro default__sign_of(number) %}sign({{ number }}){% endmacro %}
{% macro spark__sign_of(number) %}cast(sign({{ number }}) as integer){% endmacro %}

{# The greatest common divisor of two big numbers, by Euclid: 38 digits take at most 184 steps (Lamé, 1844). #}
{% macro gcd_of(one, other) %}{{ return(adapter.dispatch('gcd_of', 'mingzhang')(one, other)) }}{% endmacro %}
{% macro default__gcd_of(one, other) %}gcd({{ one }}, {{ other }}){% endmacro %}
{% macro spark__gcd_of(one, other) -%}
aggregate(
    sequence(1, 184),
    named_struct('a', cast(abs({{ one }}) as decimal(38, 0)), 'b', cast(abs({{ other }}) as decimal(38, 0))),
    (pair, step) -> case when pair.b = 0 then pair else named_struct('a', pair.b, 'b', cast(pair.a % pair.b as decimal(38, 0))) end,
    pair -> pair.a
)
{%- endmacro %}

{# a * b - c * d of big numbers, and a * b; null where 38 digits do not hold them. #}
{% macro product_or_null(a, b) %}{{ return(adapter.dispatch('product_or_null', 'mingzhang')(a, b)) }}{% endmacro %}
{% macro default__product_or_null(a, b) %}try({{ a }} * {{ b }}){% endmacro %}
{% macro spark__product_or_null(a, b) %}try_multiply({{ a }}, {{ b }}){% endmacro %}

{% macro difference_or_null(a, b, c, d) %}{{ return(adapter.dispatch('difference_or_null', 'mingzhang')(a, b, c, d)) }}{% endmacro %}
{% macro default__difference_or_null(a, b, c, d) %}try({{ a }} * {{ b }} - {{ c }} * {{ d }}){% endmacro %}
{% macro spark__difference_or_null(a, b, c, d) %}try_subtract(try_multiply({{ a }}, {{ b }}), try_multiply({{ c }}, {{ d }})){% endmacro %}

{# A field of a JSON object as text; null where there is none. #}
{% macro json_text(object, name) %}{{ return(adapter.dispatch('json_text', 'mingzhang')(object, name)) }}{% endmacro %}
{% macro default__json_text(object, name) %}{{ object }} ->> '{{ name }}'{% endmacro %}
{% macro spark__json_text(object, name) %}get_json_object({{ object }}, '$.{{ name }}'){% endmacro %}

{# A JSON object as text, of the rows of a group: `name` is its keys, `value` a whole number for each, in the order of the keys. #}
{% macro json_object(name, value) %}{{ return(adapter.dispatch('json_object', 'mingzhang')(name, value)) }}{% endmacro %}
{% macro default__json_object(name, value) -%}
cast(to_json(map_from_entries(list(struct_pack(k := {{ name }}, v := cast({{ value }} as bigint)) order by {{ name }}))) as string)
{%- endmacro %}
{% macro spark__json_object(name, value) -%}
to_json(map_from_entries(array_sort(collect_list(named_struct('k', {{ name }}, 'v', cast({{ value }} as bigint))))))
{%- endmacro %}

{# A JSON list as text, of the rows of a group, an object each: `columns` are mappings of name to SQL; in the order of `by`. #}
{% macro json_rows(columns, by) %}{{ return(adapter.dispatch('json_rows', 'mingzhang')(columns, by)) }}{% endmacro %}
{% macro default__json_rows(columns, by) -%}
cast(to_json(list({ {%- for n, v in columns.items() %}'{{ n }}': {{ v }}{{ ', ' if not loop.last }}{% endfor -%} } order by {{ by }})) as string)
{%- endmacro %}
{% macro spark__json_rows(columns, by) -%}
to_json(transform(array_sort(collect_list(named_struct('by_', {{ by }}, 'row_', named_struct({% for n, v in columns.items() %}'{{ n }}', {{ v }}{{ ', ' if not loop.last }}{% endfor %})))), each -> each.row_), map('ignoreNullFields', 'false'))
{%- endmacro %}

{# The rows of a relation as JSON text in one value, each with all its columns, in the order of one of them. #}
{% macro json_of_relation(relation, by) %}{{ return(adapter.dispatch('json_of_relation', 'mingzhang')(relation, by)) }}{% endmacro %}
{% macro default__json_of_relation(relation, by) %}select cast(to_json(list(r order by r.{{ by }})) as string) from {{ relation }} as r{% endmacro %}
{% macro spark__json_of_relation(relation, by) -%}
select to_json(transform(array_sort(collect_list(named_struct('by_', {{ by }}, 'row_', struct(*)))), each -> each.row_), map('ignoreNullFields', 'false')) from {{ relation }}
{%- endmacro %}

{# The spans [[first, last], ...] of ascending whole numbers, as JSON text. #}
{% macro json_spans(numbers) %}{{ return(adapter.dispatch('json_spans', 'mingzhang')(numbers)) }}{% endmacro %}
{% macro default__json_spans(numbers) -%}
cast(to_json(list_transform(
            list_zip(
                list_filter({{ numbers }}, lambda x, i: i = 1 or {{ numbers }}[i - 1] <> x - 1),
                list_filter({{ numbers }}, lambda x, i: i = len({{ numbers }}) or {{ numbers }}[i + 1] <> x + 1)
            ),
            lambda span: [span[1], span[2]]
        )) as string)
{%- endmacro %}
{% macro spark__json_spans(numbers) -%}
to_json(zip_with(
            filter({{ numbers }}, (x, i) -> i = 0 or {{ numbers }}[i - 1] <> x - 1),
            filter({{ numbers }}, (x, i) -> i = array_size({{ numbers }}) - 1 or {{ numbers }}[i + 1] <> x + 1),
            (first, last) -> array(first, last)
        ))
{%- endmacro %}

{# The records of a file. #}
{% macro parquet_of(path) %}{{ return(adapter.dispatch('parquet_of', 'mingzhang')(path)) }}{% endmacro %}
{% macro default__parquet_of(path) %}read_parquet({{ text_of(path) }}){% endmacro %}
{% macro spark__parquet_of(path) %}parquet.`{{ path }}`{% endmacro %}

{# Selects of the same `columns` (in any order of theirs), one below the other. #}
{% macro unioned(relations, columns) -%}
{%- for relation in relations %}select {{ columns | join(', ') }} from {{ relation }}{{ '\n    union all\n    ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{# Full years from one date to another. #}
{% macro whole_years_between(first, last) %}{{ return(adapter.dispatch('whole_years_between', 'mingzhang')(first, last)) }}{% endmacro %}
{% macro default__whole_years_between(first, last) %}date_sub('year', {{ first }}, {{ last }}){% endmacro %}
{% macro spark__whole_years_between(first, last) %}cast(floor(months_between({{ last }}, {{ first }}) / 12) as integer){% endmacro %}

{# Whole days from one date to another. #}
{% macro days_between(first, last) %}{{ return(adapter.dispatch('days_between', 'mingzhang')(first, last)) }}{% endmacro %}
{% macro default__days_between(first, last) %}date_diff('day', {{ first }}, {{ last }}){% endmacro %}
{% macro spark__days_between(first, last) %}datediff(day, {{ first }}, {{ last }}){% endmacro %}

{# 64 bits of several values, for telling rows apart within one run. Spark's leaves nulls out: whether there is one is hashed too. #}
{% macro hash_of(values) %}{{ return(adapter.dispatch('hash_of', 'mingzhang')(values)) }}{% endmacro %}
{% macro default__hash_of(values) %}hash({{ values | join(', ') }}){% endmacro %}
{% macro spark__hash_of(values) %}xxhash64({% for v in values %}{{ v }}, {{ v }} is null{{ ', ' if not loop.last }}{% endfor %}){% endmacro %}

{# The values of a group, each once and none of them null. #}
{% macro collected_once(value, only) %}{{ return(adapter.dispatch('collected_once', 'mingzhang')(value, only)) }}{% endmacro %}
{% macro default__collected_once(value, only) %}list(distinct {{ value }}) filter (where {{ only }} and {{ value }} is not null){% endmacro %}
{% macro spark__collected_once(value, only) %}nullif(collect_set({{ value }}) filter (where {{ only }}), array()){% endmacro %}

{#
    The rows of a seed on Spark, as one statement. dbt-spark 1.11 fills in values of its session method itself: an empty one becomes
    the text None, a decimal a double, and an apostrophe ends the text.
#}
{% macro spark__load_csv_rows(model, agate_table) %}
{%- set types = model['config'].get('column_types', {}) -%}
{%- set insert -%}
insert into {{ this.render() }} values
{%- for row in agate_table.rows %}
    (
    {%- for name in agate_table.column_names -%}
    cast({{ 'null' if row[name] is none else text_of(row[name] | string) }} as {{ types.get(name, 'string') }}){{ ', ' if not loop.last }}
    {%- endfor -%}
    ){{ ',' if not loop.last }}
{%- endfor %}
{%- endset -%}
{%- if agate_table.rows -%}{%- do adapter.add_query(insert, abridge_sql_log=True) -%}{%- endif -%}
{{ return(insert) }}
{% endmacro %}
