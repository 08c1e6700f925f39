-- Moves through the public warehouse by unit, category and purpose; whose it is: the one that received, or that gave.
-- Nothing numbers the things, so that a second move of the same name, unit, quantity and value is flagged as a repeated one.
with moves as (
    select
        records.*,
        extract(year from moved_on) as year,
        case direction when '调出' then to_org else from_org end as org_name,
        coalesce(categories.category, '未分类') as category,
        direction = '调出' as going_out,
        row_number() over (
            partition by direction, item_name, unit, quantity, original_value order by moved_on, move_id
        ) > 1 as again
    from {{ ref('stg_warehouse_moves') }} as records
    left join {{ ref('seed_asset_categories') }} as categories
        on {{ begins_with('upper(records.category_code)', 'categories.prefix') }}
),

named as (
    select coalesce(names.org, moves.org_name, '(unknown)') as org, {{ all_but('moves', ['org_name']) }}
    from moves
    left join {{ ref('int_institution_names') }} as names on names.org_name = moves.org_name
)

{{ facts('named', 'warehouse_moves', [
    ('warehouse_moves', 'case when going_out then 1 end', ['category', 'purpose']),
    ('warehouse_items', 'case when going_out then quantity end', ['unit', 'category', 'purpose']),
    ('warehouse_value', 'case when going_out then original_value end', ['unit', 'category', 'purpose']),
    ('warehouse_repeated_items', 'case when going_out then case when again then quantity else 0 end end', ['category']),
    ('warehouse_repeated_value', 'case when going_out then case when again then original_value else 0 end end', ['category']),
    ('warehouse_items_for_events', "case when going_out then case when purpose in ('大型活动', '专班', '临时机构') then quantity else 0 end end"),
    ('warehouse_items_in', 'case when not going_out then quantity end', ['category']),
]) }}
