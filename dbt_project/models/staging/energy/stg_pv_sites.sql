{{ staged('pv_sites') }}
