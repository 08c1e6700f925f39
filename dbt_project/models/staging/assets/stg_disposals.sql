select *, cast(extract(year from sold_on) as integer) as year
from ({{ staged('disposals') }}) as records
