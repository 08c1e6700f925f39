select * exclude ("open"), "open" as is_open, cast(extract(year from started_on) as integer) as started_year
from ({{ staged('parking_lots') }}) as records
