-- Counts, never a value, a name or a message. The dataset is known where a sheet holds one.
with alone as (
    select file_id, sheet, min(dataset) as dataset
    from {{ source('intake', 'sheets') }}
    group by file_id, sheet
    having count(distinct dataset) = 1
)

select
    alone.dataset,
    issues.code,
    issues.severity,
    issues.responsibility,
    issues.status,
    count(*) as issues,
    count(distinct issues.file_id) as files,
    coalesce(files.synthetic, false) as synthetic
from {{ source('intake', 'issues') }} as issues
left join alone on alone.file_id = issues.file_id and alone.sheet = coalesce(issues.sheet, '')
left join {{ source('intake', 'files') }} as files on files.file_id = issues.file_id
group by all
order by all
