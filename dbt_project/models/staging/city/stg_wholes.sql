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

select * from {{ of_profile('seed_wholes') }}
union all by name
select * from renamed
