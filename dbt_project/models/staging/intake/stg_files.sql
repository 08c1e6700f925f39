with source as (
    select * from {{ source('intake', 'files') }}
),

renamed as (
    select
        file_id,
        status,
        coalesce(synthetic, false) as synthetic
    from source
)

select * from renamed
