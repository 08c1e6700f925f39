{{ staged('timeshare_vehicles') }}
