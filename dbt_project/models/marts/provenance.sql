-- Of data that are not open in rows only what a total rests on: a district's files would tell who is in it, and are among those.
-- What another factor set gives rests on the files of the set `default`.
select
    sources.indicator_id,
    sources.year,
    sources.dimension,
    sources.member,
    sources.factor_set,
    sources.dataset,
    files.file_id,
    sources.sheet,
    cast(sources.records as bigint) as records,
    cast(to_json(list_transform(
        list_zip(
            list_filter(sources.sheet_rows, lambda x, i: i = 1 or sources.sheet_rows[i - 1] <> x - 1),
            list_filter(sources.sheet_rows, lambda x, i: i = len(sources.sheet_rows) or sources.sheet_rows[i + 1] <> x + 1)
        ),
        lambda span: [span[1], span[2]]
    )) as varchar) as sheet_rows,
    sources.closed
from {{ ref('int_indicator_sources') }} as sources
inner join {{ ref('int_indicator_values') }} as known
    using (indicator_id, factor_set, year, dimension, member)
inner join {{ ref('int_files') }} as files on files.file_no = sources.file_no
where
    not sources.closed
    or (sources.dimension in ('total', 'period', 'base') and sources.factor_set in ('none', 'default'))
order by
    sources.indicator_id, sources.factor_set, sources.dimension, sources.member, sources.year,
    sources.dataset, sources.file_no, sources.sheet
