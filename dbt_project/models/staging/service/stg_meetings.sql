{{ staged('meetings') }}
