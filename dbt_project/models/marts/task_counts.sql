-- Nobody's name, file or figure is in it. The tasks speak of the as-of date already (pipelines/feedback/tasks.py).
select
    coalesce(dataset, '') as dataset,
    {{ month_of('assigned_on') }} as month,
    state,
    count(*) as tasks
from {{ source('intake', 'tasks') }}
group by all
order by all
