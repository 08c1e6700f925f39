-- A submitter is named only where its name stands in public rows anyway and its dataset is open: who sends closed figures, or
-- was refused, is nobody's matter.
with replaced as (
    select file_id, sheet, dataset, count(*) as replaced
    from {{ source('intake', 'superseded') }}
    group by all
)

select
    sheets.dataset,
    sheets.period,
    names.name as submitter,
    case when files.superseded_by is not null then 'superseded' else sheets.status end as status,
    count(distinct sheets.file_id) as files,
    cast(coalesce(sum(sheets.rows_read), 0) as bigint) as rows_read,
    cast(coalesce(sum(sheets.rows_accepted), 0) as bigint) as rows_accepted,
    cast(coalesce(sum(sheets.rows_quarantined), 0) as bigint) as rows_quarantined,
    cast(coalesce(sum(sheets.rows_explained), 0) as bigint) as rows_explained,
    cast(coalesce(sum(replaced.replaced), 0) as bigint) as rows_superseded,
    coalesce(files.synthetic, false) as synthetic
from {{ source('intake', 'sheets') }} as sheets
inner join {{ source('intake', 'files') }} as files on files.file_id = sheets.file_id
inner join {{ source('catalog', 'contracts') }} as contracts on contracts.dataset = sheets.dataset
left join replaced
    on replaced.file_id = sheets.file_id and replaced.sheet = sheets.sheet and replaced.dataset = sheets.dataset
left join {{ ref('int_open_names') }} as names on names.name = sheets.submitter and contracts.published
where sheets.status <> 'ignored'
group by 1, 2, 3, 4, 11
order by 1 nulls first, 2 nulls first, 3 nulls first, 4 nulls first, 11
