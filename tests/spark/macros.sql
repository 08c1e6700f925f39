-- pattern_of: 22
select regexp_extract('a1b22', {{ pattern_of('\\d+$') }}, 0)
-- condition_of: 1
select count(*) from (select 1 as a, 'x"y' as b union all select 2, 'z') as t where {{ condition_of("\"a\" = 1 and \"b\" = 'x\"y'") }}
-- replace_all: 2024年3、5
select {{ replace_all("'2024年3月、5月'", '(\\d)月', "'\\1'") }}
-- each_match: 1,22,3
select {{ joined_in_order('m', ',') }} from (select {{ each_match("'a1b22c3'", '\\d+') }} as m) as t
-- begins_with: true
select {{ begins_with("'(city)'", "'('") }}
-- month_of: 2024-03
select {{ month_of("date '2024-03-31'") }}
-- all_but: 2
select sum(b) from (select {{ all_but('t', ['a']) }} from (select 1 as a, 2 as b) as t) as u
-- as_inlined: 5
with x {{ as_inlined() }} (select 5 as n) select n from x
-- collected: [1, 2]
select array_sort({{ collected('n') }}) from (values (2), (1)) as t(n)
-- flattened: [1, 2, 3]
select array_sort({{ flattened('l') }}) from (select {{ list_of(['1', '2']) }} as l union all select {{ list_of(['3']) }}) as t
-- flattened of none: null
select {{ flattened('l') }} from (select {{ no_numbers() }} as l) as t
-- collected_in_order: [1, 2]
select {{ collected_in_order('n') }} from (values (2), (1)) as t(n)
-- joined_in_order: a b
select {{ joined_in_order('w', ' ', distinct=true) }} from (values ('b'), ('a'), ('b')) as t(w)
-- joined_in_order of some: a
select {{ joined_in_order('w', ' ', only="w < 'b'") }} from (values ('b'), ('a')) as t(w)
-- joined_in_order of none: null
select {{ joined_in_order('w', ' ', only='false') }} from (values ('b'), ('a')) as t(w)
-- list_of: [3, 4]
select {{ list_of([3, 4]) }}
-- no_numbers: null
select {{ no_numbers() }}
-- length_of_list: 2
select {{ length_of_list(list_of([3, 4])) }}
-- length_of_list of none: null
select {{ length_of_list(no_numbers()) }}
-- each_of: 7
select sum(n) from (select {{ each_of(list_of([3, 4])) }} as n) as t
-- each_number: [2, 3, 4]
select {{ collected_in_order('n') }} from (select {{ each_number(2, 4) }} as n) as t
-- each_number of none: 0
select count(*) from (select {{ each_number(4, 3) }} as n) as t
-- each_day: 2024-01-30 2024-02-06 2024-02-13
select {{ joined_in_order('d', ' ') }}
from (select cast(cast(d as date) as string) as d from (select {{ each_day("date '2024-01-30'", "date '2024-02-14'", '7 day') }} as d) as t) as u
-- each_day of months: 2024-01-01 2024-02-01 2024-03-01
select {{ joined_in_order('d', ' ') }}
from (select cast(cast(d as date) as string) as d from (select {{ each_day("date '2024-01-01'", "date '2024-03-01'", '1 month') }} as d) as t) as u
-- each_row: x1 y2
select {{ joined_in_order('a || b', ' ') }} from (select {{ each_row([{'a': "'x'", 'b': "'1'"}, {'a': "'y'", 'b': "'2'"}]) }}) as t
-- first_known: 7
select max(f) from (
    select {{ first_known('v', '(order by n)') }} as f from (values (1, cast(null as integer)), (2, 7), (3, 8)) as t(n, v)
) as u
-- big_number: 12345678901234567890123456789012345678
select cast('12345678901234567890123456789012345678' as {{ big_number() }})
-- whole_quotient: 142857142857142857142857142856
select {{ whole_quotient("cast('999999999999999999999999999998' as " ~ big_number() ~ ')', 'cast(7 as ' ~ big_number() ~ ')') }}
-- whole_quotient, small: 3
select {{ whole_quotient('cast(7 as ' ~ big_number() ~ ')', 'cast(2 as ' ~ big_number() ~ ')') }}
-- sign_of: -1
select {{ sign_of('cast(-3.5 as decimal(10, 1))') }}
-- gcd_of: 12
select {{ gcd_of('cast(84 as ' ~ big_number() ~ ')', 'cast(-36 as ' ~ big_number() ~ ')') }}
-- product_or_null: 42
select {{ product_or_null('cast(6 as ' ~ big_number() ~ ')', 'cast(7 as ' ~ big_number() ~ ')') }}
-- product_or_null beyond 38 digits: null
select {{ product_or_null("cast('100000000000000000000' as " ~ big_number() ~ ')', "cast('10000000000000000000' as " ~ big_number() ~ ')') }}
-- difference_or_null: 26
select {{ difference_or_null('cast(7 as ' ~ big_number() ~ ')', 'cast(8 as ' ~ big_number() ~ ')', 'cast(5 as ' ~ big_number() ~ ')', 'cast(6 as ' ~ big_number() ~ ')') }}
-- json_text: 电
select {{ json_text("'{\"a\": \"电\"}'", 'a') }}
-- json_text of none: null
select {{ json_text("'{\"a\": \"x\"}'", 'b') }}
-- json_object: {"a":1,"b":2}
select {{ json_object('k', 'v') }} from (values ('b', 2), ('a', 1)) as t(k, v)
-- json_rows: [{"k":"a","v":null},{"k":"b","v":2}]
select {{ json_rows({'k': 'k', 'v': 'v'}, 'k') }} from (values ('b', 2), ('a', cast(null as integer))) as t(k, v)
-- json_of_relation: [{"a":1,"b":null}]
{{ json_of_relation('(select 1 as a, cast(null as integer) as b)', 'a') }}
-- json_spans: [[1,3],[7,7]]
select {{ json_spans(list_of([1, 2, 3, 7])) }}
-- parquet_of: 3
select count(*) from {{ parquet_of(env_var('PARQUET_OF_A_TEST')) }}
-- whole_years_between: 4
select {{ whole_years_between("date '2020-02-29'", "date '2024-02-29'") }}
-- whole_years_between, a day less: 3
select {{ whole_years_between("date '2020-03-01'", "date '2024-02-29'") }}
-- whole_years_between, of a leap day: 1
select {{ whole_years_between("date '2020-02-29'", "date '2021-02-28'") }}
-- whole_years_between, of ends of a month: 0
select {{ whole_years_between("date '2021-02-28'", "date '2022-02-27'") }}
-- days_between: 366
select {{ days_between("date '2024-01-01'", "date '2025-01-01'") }}
-- hash_of: true
select
    {{ hash_of(["'a'", '1']) }} = {{ hash_of(["'a'", '1']) }}
    and {{ hash_of(["'a'", 'cast(null as integer)']) }} <> {{ hash_of(['cast(null as string)', '1']) }}
-- collected_once: [a, b]
select array_sort({{ collected_once('w', "w <> 'c'") }}) from (values ('b'), ('a'), ('c'), ('b'), (null)) as t(w)
-- collected_once of none: null
select {{ collected_once('w', 'false') }} from (values ('b'), ('a')) as t(w)
