with source as (
    select * from {{ source('catalog', 'contracts') }}
),

renamed as (
    select
        dataset,
        title_zh,
        title_en
    from source
)

select * from renamed
