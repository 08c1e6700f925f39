{{ staged('canteens') }}
