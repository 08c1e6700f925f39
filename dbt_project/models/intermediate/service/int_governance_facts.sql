-- The bureau's own work: tasks, trainings, inspections, meetings, rules, events and the service of the compounds.
with tasks as (
    select
        tasks.*,
        area as task_area,
        status as task_status,
        extract(year from assigned_on) as year,
        case
            when closed_on is not null and due_on is not null then closed_on > due_on
            when due_on is not null then years.as_of > due_on
        end as overdue,
        {{ days_between('assigned_on', 'closed_on') }} as days,
        assigned_on <= feedback_on and feedback_on <= supervised_on and supervised_on <= closed_on as in_order
    from {{ of_city(ref('stg_tasks')) }} as tasks
    inner join {{ ref('int_years') }} as years on years.latest
),

median_days as (
    select *, median(days) over (partition by year) as median
    from tasks
    where days is not null
    qualify row_number() over (partition by year order by file_id, sheet, sheet_row) = 1
),

trainings as (
    select *, extract(year from held_on) as year from {{ of_city(ref('stg_trainings')) }}
),

inspections as (
    select *, type as inspection_type, extract(year from held_on) as year from {{ of_city(ref('stg_inspections')) }}
),

-- A rule stands until it is abolished; lists say what stands now.
policies as (
    select
        policies.*,
        years.year,
        row_number() over (partition by policies.system, policies.area order by policies.policy_id) = 1 as first
    from {{ of_city(ref('stg_policies')) }} as policies
    inner join {{ ref('int_years') }} as years on years.latest
    where policies.status <> '废止'
),

meetings as (
    select * from {{ of_city(ref('stg_meetings')) }}
),

held as (
    select *, type as meeting_type, extract(year from held_on) as year from meetings
),

-- A month or an ISO week (of the year its Thursday lies in) with a meeting counts one, one without counts none. A year counts
-- from its first day where a meeting of the kind was held in it; nothing is asked of days after the as-of date.
weeks as (
    select days.year, cast(days.day as date) as monday
    from (
        select year, as_of, {{ each_day("cast(date_trunc('week', first_day) as date)", 'day', '7 day') }} as day
        from {{ ref('int_years') }}
    ) as days
    where extract(year from days.day + interval 3 day) = days.year and days.day + interval 6 day <= days.as_of
),

months as (
    select days.year, cast(days.day as date) as first_of_month
    from (
        select year, as_of, {{ each_day('first_day', 'day', '1 month') }} as day
        from {{ ref('int_years') }}
    ) as days
    where last_day(cast(days.day as date)) <= days.as_of
),

spans as (
    select '局务会' as meeting_type, year, first_of_month as begins, last_day(first_of_month) as ends from months
    union all
    select '碰头会', year, monday, monday + 6 from weeks
),

regular as (
    select
        spans.meeting_type,
        spans.year,
        '(city)' as org,
        cast(held.held_on is not null as integer) as kept,
        coalesce(held.file_id, {{ first_known('held.file_id', 'years_files') }}) as file_id,
        coalesce(held.sheet, {{ first_known('held.sheet', 'years_files') }}) as sheet,
        held.sheet_row
    from spans
    left join meetings as held
        on held.type = spans.meeting_type and held.held_on between spans.begins and spans.ends
    window years_files as (
        partition by spans.meeting_type, spans.year order by held.held_on, held.file_id, held.sheet_row
        rows between unbounded preceding and unbounded following
    )
    qualify row_number() over (
        partition by spans.meeting_type, spans.begins order by held.held_on, held.file_id, held.sheet_row
    ) = 1
),

asked as (
    select * from regular where file_id is not null
),

events as (
    select
        *,
        extract(year from start_on) as year,
        row_number() over (partition by event_id order by start_on, file_id, sheet_row) = 1 as first
    from {{ of_city(ref('stg_event_support')) }}
),

assessments as (
    select
        *,
        area as service_area,
        cast(substr(month, 1, 4) as integer) as year,
        row_number() over (partition by area, substr(month, 1, 4) order by month, file_id, sheet_row) = 1 as first
    from {{ of_city(ref('stg_service_assessments')) }}
)

{{ facts('tasks', 'tasks', [
    ('tasks', '1', ['task_area', 'task_status']),
    ('tasks_closed', 'cast(closed_on is not null as integer)', ['task_area']),
    ('tasks_with_due', 'case when overdue is not null then 1 end', ['task_area']),
    ('tasks_overdue', 'cast(overdue as integer)', ['task_area']),
    ('tasks_on_time', 'case when overdue is not null then cast(closed_on is not null and not overdue as integer) end', ['task_area']),
    ('tasks_finished', 'case when closed_on is not null then 1 end'),
    ('tasks_in_order', 'case when closed_on is not null then cast(coalesce(in_order, false) as integer) end'),
]) }}
union all
{{ facts('median_days', 'tasks', [('task_days', 'median')]) }}
union all
{{ facts('trainings', 'trainings', [
    ('training_sessions', '1', ['topic']),
    ('training_attendees', 'attendees', ['topic']),
    ('training_person_times', "case when topic in ('办公用房', '公务用车', '公务接待') then attendees end"),
]) }}
union all
{{ facts('inspections', 'inspections', [
    ('inspections', '1', ['inspection_type']),
    ('inspection_issues', 'issue_count', ['inspection_type']),
    ('inspection_rectified', 'rectified_count', ['inspection_type']),
    ('inspection_notices', 'notices'),
]) }}
union all
{{ facts('policies', 'policies', [
    ('policies', '1', ['system', 'tier']),
    ('policy_key_areas', 'case when area is not null then cast(first as integer) end', ['system']),
]) }}
union all
{{ facts('held', 'meetings', [('meetings', '1', ['meeting_type'])]) }}
union all
{{ facts('asked', 'meetings', [
    ('meeting_months_kept', "case meeting_type when '局务会' then kept end"),
    ('meeting_months', "case meeting_type when '局务会' then 1 end"),
    ('meeting_weeks_kept', "case meeting_type when '碰头会' then kept end"),
    ('meeting_weeks', "case meeting_type when '碰头会' then 1 end"),
]) }}
union all
{{ facts('events', 'event_support', [
    ('events_supported', 'cast(first as integer)', ['event_type']),
    ('event_items', 'quantity', ['unit', 'event_type']),
    ('event_items_from_warehouse', 'case when from_warehouse then quantity else 0 end', ['event_type']),
]) }}
union all
{{ facts('assessments', 'service_assessments', [
    ('compound_service_areas', 'cast(first as integer)', ['service_area']),
    ('service_scores', 'score', ['service_area', 'compound']),
    ('service_score_count', 'case when score is not null then 1 end', ['service_area', 'compound']),
    ('service_issues', 'issues', ['service_area', 'compound']),
]) }}
