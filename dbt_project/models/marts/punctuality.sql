-- A file that was in the inbox when files were first received says nothing of when it was first sent. So only periods count that
-- ended on that day or later, and whose due day is over on the as-of date: of files collected afterwards there are none.
-- A submission is a dataset, submitter and period of which anything was taken; it came with its first such file. A file that came
-- after the as-of date counts as come on that day, so that the same files give the same counts whenever they are read.
with as_of as (
    select as_of from {{ ref('stg_city') }}
),

received as (
    select files.file_id, least(cast(files.received_at as date), as_of.as_of) as day
    from {{ source('intake', 'files') }} as files
    cross join as_of
    where files.received_at is not null
),

came as (
    select sheets.dataset, sheets.period, coalesce(sheets.submitter, sheets.file_id) as submitter, min(received.day) as day
    from {{ source('intake', 'sheets') }} as sheets
    inner join received on received.file_id = sheets.file_id
    where
        sheets.dataset is not null
        and sheets.period is not null
        and sheets.status in ('accepted', 'partial', 'superseded')
    group by all
),

-- A period names its days, months or years: 2025, 2025-03, 2025-01..2025-06. It ends with the last of them.
named as (
    select period, {{ each_match('period', '\\d{4}(?:-\\d{2})?(?:-\\d{2})?') }} as name
    from (select distinct period from came)
),

ends as (
    select
        period,
        case length(name)
            when 4 then try_cast(name || '-12-31' as date)
            when 7 then last_day(try_cast(name || '-01' as date))
            else try_cast(name as date)
        end as day
    from named
),

periods as (
    select period, max(day) as ended_on
    from ends
    group by period
    having count(*) = count(day)  -- one that names no date has no end
),

judged as (
    select
        came.dataset,
        came.period,
        periods.ended_on + cast(coalesce(contracts.due_days, {{ var('submit_days') }}) as integer) as due_on,
        came.day
    from came
    inner join periods on periods.period = came.period
    inner join {{ source('catalog', 'contracts') }} as contracts on contracts.dataset = came.dataset
    where
        contracts.frequency in ('monthly', 'quarterly', 'annual')
        and periods.ended_on >= (select min(day) from received)
)

select
    dataset,
    period,
    due_on,
    count(*) as submissions,
    count(*) filter (where day <= due_on) as on_time
from judged
where due_on < (select as_of from as_of)
group by all
order by dataset, period
