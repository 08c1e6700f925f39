{{ staged('timeshare_trips') }}
