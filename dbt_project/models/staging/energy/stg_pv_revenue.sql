{{ staged('pv_revenue') }}
