with source as (
    select * from {{ source('intake', 'sheets') }}
),

renamed as (
    select
        file_id,
        sheet,
        dataset,
        period
    from source
)

select * from renamed
