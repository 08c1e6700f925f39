{{ staged('pv_generation') }}
