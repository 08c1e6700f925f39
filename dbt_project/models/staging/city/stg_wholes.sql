with source as (
    select * from {{ source('city', 'wholes') }}
),

renamed as (
    select
        whole,
        part,
        relation
    from source
)

{{ unioned([of_profile('seed_wholes'), 'renamed'], [
    'whole',
    'part',
    'relation',
]) }}
