{{ staged('office_rooms') }}
