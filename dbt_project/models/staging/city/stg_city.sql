with source as (
    select * from {{ source('city', 'city') }}
),

renamed as (
    select
        code,
        name_en,
        grid_region,

        -- the date the release speaks of: who is in force, what is overdue
        cast('{{ env_var("MINGZHANG_AS_OF") }}' as date) as as_of
    from source
)

select * from renamed
